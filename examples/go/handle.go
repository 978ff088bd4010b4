// SPDX-License-Identifier: MIT

package voltqemu

import (
	"runtime"
	"sync"
	"unsafe"
)

// handle guards something of the library's: it is freed once, after the last call that uses it, by Close or by the
// garbage collector. All copies of a struct share it.
type handle struct {
	mutex  sync.Mutex
	users  int
	closed bool
	memory unsafe.Pointer
	free   func(unsafe.Pointer)
}

func newHandle(memory unsafe.Pointer, free func(unsafe.Pointer)) *handle {
	h := &handle{memory: memory, free: free}
	runtime.SetFinalizer(h, (*handle).close)
	return h
}

// acquire must be followed by release, which also keeps the garbage collector away until then. what is the type's
// name, for a handle that is nil.
func (h *handle) acquire(what string) (unsafe.Pointer, error) {
	if h == nil {
		return nil, &Error{Code: CodeUsage, Reason: "null-argument", Message: "the " + what + " is nil",
			Details: map[string]string{"argument": what}}
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	h.users++
	return h.memory, nil
}

func (h *handle) release() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.users--
	h.freeIfUnused()
}

// close is what all Close methods do.
func (h *handle) close() error {
	if h == nil {
		return nil
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.closed = true
	h.freeIfUnused()
	return nil
}

func (h *handle) freeIfUnused() {
	if h.closed && h.users == 0 && h.memory != nil {
		h.free(h.memory)
		h.memory = nil
		runtime.SetFinalizer(h, nil)
	}
}
