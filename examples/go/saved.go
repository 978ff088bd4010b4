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
	cSource, text := texts.of(source), C.CBytes(saved)
	texts.all = append(texts.all, text)
	if texts.err != nil {
		return nil, texts.err
	}
	var loaded *Command
	err := run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var c *C.vqemu_command
		result := C.vqemu_command_load((*C.char)(text), C.size_t(len(saved)), cSource, 0, call, &c, e)
		if result == 0 {
			loaded = newCommand(c)
			C.vqemu_command_unref(c)
		}
		return result
	})
	return loaded, err
}
