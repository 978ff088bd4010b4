// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

// document is JSON text for C, and what messages call it.
type document struct {
	text   *C.char
	size   C.size_t
	source *C.char
}

// document copies a text for C.
func (c *cStrings) document(text []byte, source string) (document, error) {
	made := document{(*C.char)(c.bytes(text)), C.size_t(len(text)), c.of(source)}
	return made, c.err
}

// documented is what a document describes: how C makes it of a text and of a file, and frees it.
type documented[P comparable] struct {
	fromJSON func(text document, made *P, e **C.vqemu_error) C.int
	fromFile func(path *C.char, made *P, e **C.vqemu_error) C.int
	free     func(P)
}

func (d documented[P]) parse(text []byte, source string) (*handle[P], error) {
	texts := &cStrings{}
	defer texts.free()
	given, err := texts.document(text, source)
	if err != nil {
		return nil, err
	}
	return makeHandle(d.free, func(made *P, e **C.vqemu_error) C.int { return d.fromJSON(given, made, e) })
}

func (d documented[P]) read(path string) (*handle[P], error) {
	texts := &cStrings{}
	defer texts.free()
	cPath := texts.exact(path)
	if texts.err != nil {
		return nil, texts.err
	}
	return makeHandle(d.free, func(made *P, e **C.vqemu_error) C.int { return d.fromFile(cPath, made, e) })
}
