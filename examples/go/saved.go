// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import "context"

// Save is a text that LoadCommand makes the command of again, also in another process.
func (c *Command) Save() ([]byte, error) {
	return c.text(func(c *C.vqemu_command, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_command_save(c, 0, text, e)
	})
}

// LoadCommand makes the command again that Save has saved, and takes the lease on its tree again; messages call the
// text source.
func LoadCommand(ctx context.Context, saved []byte, source string, options ...CallOption) (*Command, error) {
	texts := &cStrings{}
	defer texts.free()
	given, err := texts.document(saved, source)
	if err != nil {
		return nil, err
	}
	var loaded *Command
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var c *C.vqemu_command
		result := C.vqemu_command_load(given.text, given.size, given.source, 0, call, &c, e)
		if result == 0 {
			loaded = newCommand(c)
			C.vqemu_command_unref(c)
		}
		return result
	})
	return loaded, err
}
