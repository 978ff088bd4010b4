// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

// CommandDiff is what two commands differ in. The digests are compared as well, for the order of arguments, the
// environment and the profile are no change of a setting.
type CommandDiff struct {
	SameCommand  bool            `json:"same_command"`
	SameHardware bool            `json:"same_hardware"`
	Changes      []CommandChange `json:"changes"`
}

// CommandChange is one setting that two commands have differently.
type CommandChange struct {
	Option  string       `json:"option"` // "" for the program, and for what the VM adds
	ID      string       `json:"id"`
	Setting string       `json:"setting"` // "" for what the value begins with, and for a whole option
	Guest   bool         `json:"guest"`   // whether the guest sees it
	From    *CommandSide `json:"from"`    // nil if this command has it not
	To      *CommandSide `json:"to"`
}

// CommandSide is what one of two commands has.
type CommandSide struct {
	Value   string `json:"value"`
	Key     string `json:"key"`     // of the VM, "" if none is for it
	Default bool   `json:"default"` // the VM could say it by the key, and does not
	Message string `json:"message"` // in words, where the VM does not say it
}

// Diff tells what is different in another command. What LoadCommand has loaded is not compared.
func (c *Command) Diff(other *Command) (*CommandDiff, error) {
	to, release, err := other.use()
	if err != nil {
		return nil, err
	}
	defer release()
	text, err := c.text(func(from *C.vqemu_command, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_command_diff(from, to, 0, text, e)
	})
	if err != nil {
		return nil, err
	}
	diff := &CommandDiff{}
	return diff, unmarshal(text, diff)
}
