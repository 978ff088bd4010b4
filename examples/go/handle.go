// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"runtime"
	"sync"
)

// handle guards something of the library's: it is freed once, after the last call that uses it, by Close or by the
// garbage collector. All copies of a struct share it. P is a pointer to one of C's types.
type handle[P comparable] struct {
	mutex  sync.Mutex
	users  int
	closed bool
	memory P
	free   func(P)
}

func newHandle[P comparable](memory P, free func(P)) *handle[P] {
	h := &handle[P]{memory: memory, free: free}
	runtime.SetFinalizer(h, (*handle[P]).close)
	return h
}

// makeHandle guards what a function makes.
func makeHandle[P comparable](free func(P), f func(made *P, e **C.vqemu_error) C.int) (*handle[P], error) {
	var made P
	if err := try(func(e **C.vqemu_error) C.int { return f(&made, e) }); err != nil {
		return nil, err
	}
	return newHandle(made, free), nil
}

// acquire must be followed by release, which also keeps the garbage collector away until then. what is the type's
// name, for a handle that is nil.
func (h *handle[P]) acquire(what string) (P, error) {
	var none P
	if h == nil {
		return none, nilArgument(what)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		return none, ErrClosed
	}
	h.users++
	return h.memory, nil
}

// use is acquire and the release that must follow.
func (h *handle[P]) use(what string) (P, func(), error) {
	memory, err := h.acquire(what)
	return memory, h.release, err
}

func (h *handle[P]) release() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.users--
	h.freeIfUnused()
}

// close is what all Close methods do.
func (h *handle[P]) close() error {
	if h == nil {
		return nil
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.closed = true
	h.freeIfUnused()
	return nil
}

func (h *handle[P]) freeIfUnused() {
	var none P
	if h.closed && h.users == 0 && h.memory != none {
		h.free(h.memory)
		h.memory = none
		runtime.SetFinalizer(h, nil)
	}
}

// textOf is a text that a function makes of what is used.
func textOf[P comparable](use func() (P, func(), error), f func(p P, text **C.char, e **C.vqemu_error) C.int) ([]byte, error) {
	p, release, err := use()
	if err != nil {
		return nil, err
	}
	defer release()
	return takeText(func(text **C.char, e **C.vqemu_error) C.int { return f(p, text, e) })
}
