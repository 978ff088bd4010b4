// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import "encoding/json"

// Argument tells where an argument of a command comes from.
type Argument struct {
	Index    int    // in Argv: of the option and, where it has one, of the value behind it
	Option   string // "" for the program, and for what the VM adds
	Value    string
	Key      string // of the VM, "" if none is for it
	Default  bool   // the VM could say it by the key, and does not
	Message  string // in words, where the VM does not say it
	Settings []ArgumentSetting
}

// ArgumentSetting is a part of an argument that comes from elsewhere than the argument itself.
type ArgumentSetting struct {
	Name    string
	Value   string
	Key     string
	Default bool
	Message string
}

// Explain tells where each argument comes from. What LoadCommand has loaded is not explained.
func (c *Command) Explain() ([]Argument, error) {
	text, err := c.text(func(c *C.vqemu_command, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_command_explain(c, 0, text, e)
	})
	if err != nil {
		return nil, err
	}
	var explained struct{ Arguments []Argument }
	err = json.Unmarshal(text, &explained)
	return explained.Arguments, err
}
