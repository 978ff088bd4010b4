// SPDX-License-Identifier: MIT

// Package voltqemu is libvoltqemu for Go: profiles of QEMU in a content-addressed store, the command that runs a VM
// on one of them, and the VM's monitor.
//
// # Handles
//
// What the library keeps has a Close method. Closing twice is harmless, a copy of the struct is the same handle, and
// what is used after Close, or is nil, gives an error: ErrClosed or ErrUsage. What is not closed is closed by the
// garbage collector, some time; a Store, Runtime or Command keeps files open and trees in use until then. Handles may
// be used by many goroutines at once, and closed meanwhile.
//
// # Contexts
//
// A context that is cancelled makes the call fail with an error that is both ErrCancelled and context.Canceled, and
// leaves nothing half-made behind; one whose deadline is over, ErrTimeout and context.DeadlineExceeded. Without a
// deadline the library's own limits hold, such as two minutes for a lock.
//
// # Errors
//
// Errors are of type *Error, with a code, a stable word for the reason, and details. errors.Is knows the codes by
// ErrBusy, ErrNoRevision and so on, and fs.ErrNotExist for what is not there. As they come are those of a reader or
// writer of an archive, those of encoding/json for a value that cannot be JSON, those of os/exec by a Cmd, and those
// of the system calls that this package itself makes: *os.SyscallError for a pipe or the copy of a lease.
package voltqemu

/*
#cgo pkg-config: volt-qemu
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// Version is that of the library that is loaded, as "major.minor.micro".
func Version() string { return C.GoString(C.vqemu_version()) }

// VersionNumber is the same as one number: major * 1000000 + minor * 1000 + micro.
func VersionNumber() uint32 { return uint32(C.vqemu_version_number()) }

// HasFeature tells whether the library that is loaded has a feature, such as "archives".
func HasFeature(name string) bool {
	texts := &cStrings{}
	defer texts.free()
	text := texts.exact(name)
	return texts.err == nil && bool(C.vqemu_has_feature(text))
}

// cStrings are copies of strings for C, which are freed together. What C cannot have leaves an error.
type cStrings struct {
	all []unsafe.Pointer
	err error
}

// of makes a C string; NULL for "".
func (c *cStrings) of(s string) *C.char {
	if s == "" {
		return nil
	}
	return c.exact(s)
}

// exact makes a C string, also of "".
func (c *cStrings) exact(s string) *C.char {
	if strings.IndexByte(s, 0) >= 0 {
		c.err = &Error{Code: CodeInvalid, Reason: "nul", Message: fmt.Sprintf("%q has a NUL byte in it", s),
			Details: map[string]string{"value": s}}
		return nil
	}
	text := C.CString(s)
	c.all = append(c.all, unsafe.Pointer(text))
	return text
}

// array makes a NULL-terminated array of C strings.
func (c *cStrings) array(all []string) **C.char {
	size := C.size_t(unsafe.Sizeof((*C.char)(nil)))
	memory := C.calloc(C.size_t(len(all)+1), size)
	c.all = append(c.all, memory)
	for i, s := range all {
		*(**C.char)(unsafe.Add(memory, uintptr(i)*uintptr(size))) = c.exact(s)
	}
	return (**C.char)(memory)
}

// bytes copies bytes.
func (c *cStrings) bytes(all []byte) unsafe.Pointer {
	memory := C.CBytes(all)
	c.all = append(c.all, memory)
	return memory
}

func (c *cStrings) free() {
	for _, text := range c.all {
		C.free(text)
	}
}

// takeText copies the text that a function makes, and frees it.
func takeText(f func(text **C.char, e **C.vqemu_error) C.int) ([]byte, error) {
	var text *C.char
	if err := try(func(e **C.vqemu_error) C.int { return f(&text, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_free(unsafe.Pointer(text))
	return []byte(C.GoString(text)), nil
}

// toStrings copies a NULL-terminated array; never nil, which os/exec takes for another environment.
func toStrings(array **C.char) []string {
	all := []string{}
	for ; array != nil && *array != nil; array = (**C.char)(unsafe.Add(unsafe.Pointer(array), unsafe.Sizeof(*array))) {
		all = append(all, C.GoString(*array))
	}
	return all
}

// option is a key and its value; "" is left out.
type option struct{ key, value string }

func setStrings(options []option, set func(key, value *C.char, e **C.vqemu_error) C.int) error {
	texts := &cStrings{}
	defer texts.free()
	for _, option := range options {
		key, value := texts.exact(option.key), texts.of(option.value)
		if texts.err != nil {
			return ofKey(option.key, texts.err)
		}
		if value == nil {
			continue
		}
		if err := try(func(e **C.vqemu_error) C.int { return set(key, value, e) }); err != nil {
			return err
		}
	}
	return nil
}
