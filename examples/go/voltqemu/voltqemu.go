// SPDX-License-Identifier: MIT

// Package voltqemu is libvoltqemu for Go: as much of it as a program needs that runs VMs.
package voltqemu

/*
#cgo pkg-config: volt-qemu
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Error is what the library says went wrong.
type Error struct {
	Code    int // one of VQEMU_ERR_*
	Errno   int // that of the system call, or 0
	Message string
}

func (e *Error) Error() string { return e.Message }

// toError takes over an error of the library; nil for none.
func toError(result C.int, e *C.vqemu_error) error {
	if result == 0 {
		return nil
	}
	defer C.vqemu_error_free(e)
	return &Error{int(C.vqemu_error_code(e)), int(C.vqemu_error_errno(e)),
		C.GoString(C.vqemu_error_message(e))}
}

// toC makes a C string; NULL for "". The caller frees it.
func toC(s string) *C.char {
	if s == "" {
		return nil
	}
	return C.CString(s)
}

func free(s *C.char) { C.free(unsafe.Pointer(s)) }

// Host is what selection needs to know of a host.
type Host struct{ handle *C.vqemu_host }

// ProbeHost looks at the host this process runs on.
func ProbeHost() (*Host, error) {
	var e *C.vqemu_error
	host := &Host{}
	if err := toError(C.vqemu_host_probe(&host.handle, &e), e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(host, func(h *Host) { C.vqemu_host_free(h.handle) })
	return host, nil
}

// Selection is a profile that was chosen, and why.
type Selection struct{ handle *C.vqemu_selection }

func newSelection(handle *C.vqemu_selection) *Selection {
	selection := &Selection{handle}
	runtime.SetFinalizer(selection, func(s *Selection) { C.vqemu_selection_free(s.handle) })
	return selection
}

// Select chooses the profile for a workload; "" stands for the default of each argument.
func Select(host *Host, mode, guestArch, guestOS string) (*Selection, error) {
	cMode, cArch, cOS := toC(mode), toC(guestArch), toC(guestOS)
	defer free(cMode)
	defer free(cArch)
	defer free(cOS)
	var e *C.vqemu_error
	var handle *C.vqemu_selection
	result := C.vqemu_select(host.handle, cMode, cArch, cOS, &handle, &e)
	runtime.KeepAlive(host)
	if err := toError(result, e); err != nil {
		return nil, err
	}
	return newSelection(handle), nil
}

// SelectProfile chooses a profile by its name.
func SelectProfile(host *Host, profile, guestArch string) (*Selection, error) {
	cProfile, cArch := toC(profile), toC(guestArch)
	defer free(cProfile)
	defer free(cArch)
	var e *C.vqemu_error
	var handle *C.vqemu_selection
	result := C.vqemu_select_profile(host.handle, cProfile, cArch, &handle, &e)
	runtime.KeepAlive(host)
	if err := toError(result, e); err != nil {
		return nil, err
	}
	return newSelection(handle), nil
}

// Profile is the name of the chosen profile.
func (s *Selection) Profile() string {
	defer runtime.KeepAlive(s)
	return C.GoString(C.vqemu_profile_name(C.vqemu_selection_profile(s.handle)))
}

// Reason says why it was chosen.
func (s *Selection) Reason() string {
	defer runtime.KeepAlive(s)
	return C.GoString(C.vqemu_selection_reason(s.handle))
}

// Store is an open content-addressed store.
type Store struct{ handle *C.vqemu_store }

// OpenStore opens the store below a directory.
func OpenStore(root string) (*Store, error) {
	cRoot := toC(root)
	defer free(cRoot)
	var e *C.vqemu_error
	store := &Store{}
	if err := toError(C.vqemu_store_open(cRoot, 0, &store.handle, &e), e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(store, func(s *Store) { C.vqemu_store_unref(s.handle) })
	return store, nil
}

// Runtime is a profile on disk, ready to run.
type Runtime struct{ handle *C.vqemu_runtime }

// Resolve puts the newest ref of the selected profile on disk.
func (s *Store) Resolve(selection *Selection) (*Runtime, error) {
	var e *C.vqemu_error
	resolved := &Runtime{}
	result := C.vqemu_resolve(s.handle, selection.handle, 0, &resolved.handle, &e)
	runtime.KeepAlive(s)
	runtime.KeepAlive(selection)
	if err := toError(result, e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(resolved, func(r *Runtime) { C.vqemu_runtime_unref(r.handle) })
	return resolved, nil
}

// Lease is a file that keeps the tree from being collected as long as a process has it open.
func (r *Runtime) Lease() (*os.File, error) {
	defer runtime.KeepAlive(r)
	return leaseOf(r.handle)
}

// leaseOf duplicates a lease; the copy is the same open file, and so as good.
func leaseOf(handle *C.vqemu_runtime) (*os.File, error) {
	old := uintptr(C.vqemu_runtime_lease_fd(handle))
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 3)
	if errno != 0 {
		return nil, errno
	}
	return os.NewFile(fd, "lease"), nil
}
