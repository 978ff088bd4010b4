// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// Code says what kind of thing went wrong.
type Code int

// The codes. What each means is in <volt-qemu/error.h>.
const (
	CodeNoMemory      Code = C.VQEMU_ERR_NO_MEMORY
	CodeInvalid       Code = C.VQEMU_ERR_INVALID
	CodeSystem        Code = C.VQEMU_ERR_SYSTEM
	CodeNotFound      Code = C.VQEMU_ERR_NOT_FOUND
	CodeUnsupported   Code = C.VQEMU_ERR_UNSUPPORTED
	CodeMalformed     Code = C.VQEMU_ERR_MALFORMED
	CodeCorrupt       Code = C.VQEMU_ERR_CORRUPT
	CodeReadOnly      Code = C.VQEMU_ERR_READ_ONLY
	CodeCancelled     Code = C.VQEMU_ERR_CANCELLED
	CodeChanged       Code = C.VQEMU_ERR_CHANGED
	CodeTimeout       Code = C.VQEMU_ERR_TIMEOUT
	CodeUsage         Code = C.VQEMU_ERR_USAGE
	CodeBusy          Code = C.VQEMU_ERR_BUSY
	CodeRefused       Code = C.VQEMU_ERR_REFUSED
	CodeNoStore       Code = C.VQEMU_ERR_NO_STORE
	CodeNoRevision    Code = C.VQEMU_ERR_NO_REVISION
	CodeNoProgram     Code = C.VQEMU_ERR_NO_PROGRAM
	CodeNotRunning    Code = C.VQEMU_ERR_NOT_RUNNING
	CodeUnknownKey    Code = C.VQEMU_ERR_UNKNOWN_KEY
	CodeNetwork       Code = C.VQEMU_ERR_NETWORK
	CodeDenied        Code = C.VQEMU_ERR_DENIED
	CodeUntrusted     Code = C.VQEMU_ERR_UNTRUSTED
	CodeProgramFailed Code = C.VQEMU_ERR_PROGRAM_FAILED
)

// String is the code's name, such as "not-found".
func (c Code) String() string { return C.GoString(C.vqemu_result_name(C.int(c))) }

// Error is what the library says went wrong.
type Error struct {
	Code    Code
	Reason  string            // a stable word for programs, such as "profile-not-in-store": see docs/errors.md
	Message string            // one line for people
	Details map[string]string // facts by name: "key", "value", "choices", "path", "revision" and so on
	Line    int64             // of the document at fault; 0 where none is
	Errno   syscall.Errno     // that of the system call; 0 where none failed
	cause   error             // what the context says
}

// Error is the message; without one, the code's name.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code.String()
	}
	return e.Message
}

// Is tells whether it is what errors.Is looks for: an *Error of the same code and, where that has one, the same
// reason; fs.ErrNotExist for what is not there; the errno, and what package syscall says of it.
func (e *Error) Is(target error) bool {
	switch wanted := target.(type) {
	case *Error:
		return wanted.Code == e.Code && (wanted.Reason == "" || wanted.Reason == e.Reason)
	case syscall.Errno:
		return e.Errno != 0 && wanted == e.Errno
	}
	if target == fs.ErrNotExist {
		switch e.Code {
		case CodeNotFound, CodeNoStore, CodeNoRevision, CodeNoProgram:
			return true
		}
	}
	return e.Errno != 0 && e.Errno.Is(target)
}

// Unwrap is the context's error where that made the call fail, and fs.ErrClosed of ErrClosed.
func (e *Error) Unwrap() error { return e.cause }

// One error for each code, for errors.Is.
var (
	ErrNoMemory      = sentinel(CodeNoMemory)
	ErrInvalid       = sentinel(CodeInvalid)
	ErrSystem        = sentinel(CodeSystem)
	ErrNotFound      = sentinel(CodeNotFound)
	ErrUnsupported   = sentinel(CodeUnsupported)
	ErrMalformed     = sentinel(CodeMalformed)
	ErrCorrupt       = sentinel(CodeCorrupt)
	ErrReadOnly      = sentinel(CodeReadOnly)
	ErrCancelled     = sentinel(CodeCancelled)
	ErrChanged       = sentinel(CodeChanged)
	ErrTimeout       = sentinel(CodeTimeout)
	ErrUsage         = sentinel(CodeUsage)
	ErrBusy          = sentinel(CodeBusy)
	ErrRefused       = sentinel(CodeRefused)
	ErrNoStore       = sentinel(CodeNoStore)
	ErrNoRevision    = sentinel(CodeNoRevision)
	ErrNoProgram     = sentinel(CodeNoProgram)
	ErrNotRunning    = sentinel(CodeNotRunning)
	ErrUnknownKey    = sentinel(CodeUnknownKey)
	ErrNetwork       = sentinel(CodeNetwork)
	ErrDenied        = sentinel(CodeDenied)
	ErrUntrusted     = sentinel(CodeUntrusted)
	ErrProgramFailed = sentinel(CodeProgramFailed)
)

// ErrClosed is what a handle gives that was closed; it is ErrUsage and fs.ErrClosed, too.
var ErrClosed error = &Error{Code: CodeUsage, Reason: "closed", Message: "the handle was closed before",
	cause: fs.ErrClosed}

// nilArgument is the error for a nil where something is needed.
func nilArgument(what string) *Error {
	return &Error{Code: CodeUsage, Reason: "null-argument", Message: "the " + what + " is nil",
		Details: map[string]string{"argument": what}}
}

// ofKey says of an error of this package whose value it is about.
func ofKey(key string, err error) error {
	if failed, ok := err.(*Error); ok {
		failed.Message = key + ": " + failed.Message
		failed.Details["key"] = key
	}
	return err
}

// negativeTime is the error for a time below 0.
func negativeTime(key string, given time.Duration) *Error {
	return &Error{Code: CodeInvalid, Reason: "out-of-range", Message: fmt.Sprintf("%s: %v is negative", key, given),
		Details: map[string]string{"key": key, "value": given.String()}}
}

func sentinel(code Code) error { return &Error{Code: code, Message: code.String()} }

// toError takes over an error of the library; nil for none.
func toError(result C.int, e *C.vqemu_error) error {
	if result == 0 {
		return nil
	}
	defer C.vqemu_error_free(e)
	return newError(e)
}

// newError says the same as an error of the library.
func newError(e *C.vqemu_error) *Error {
	made := &Error{
		Code:    Code(C.vqemu_error_code(e)),
		Reason:  C.GoString(C.vqemu_error_reason(e)),
		Message: C.GoString(C.vqemu_error_message(e)),
		Details: map[string]string{},
		Line:    int64(C.vqemu_error_line(e)),
		Errno:   syscall.Errno(C.vqemu_error_errno(e)),
	}
	for i := C.size_t(0); ; i++ {
		name := C.vqemu_error_detail_name(e, i)
		if name == nil {
			return made
		}
		made.Details[C.GoString(name)] = C.GoString(C.vqemu_error_detail(e, name))
	}
}

// try makes a call that is over at once.
func try(f func(e **C.vqemu_error) C.int) error {
	var e *C.vqemu_error
	return toError(f(&e), e)
}
