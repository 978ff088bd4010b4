// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"os"
	"syscall"
)

// Runtime is a profile on disk, ready to run. One that came from a store has a lease on its tree until it is closed.
type Runtime struct {
	Profile     *Profile
	GuestArch   string
	Binary      string // QEMU's absolute path
	FirmwareDir string
	LibDir      string // "" for the host's libraries
	ModuleDir   string // "" for none
	Loader      string // "" for the host's
	Tree        string // "" for one described by hand
	Revision    string // the name of the one it was made from; "" for one described by hand
	Manifest    string // the path of that one's file; "" for one described by hand, or of a command that was loaded
	Digest      string
	handle      *handle[*C.vqemu_runtime]
}

// RuntimeOptions describe a runtime by hand, by absolute paths.
type RuntimeOptions struct {
	Binary      string
	FirmwareDir string
	LibDir      string
	ModuleDir   string
	Loader      string
}

// newRuntime takes a reference of its own.
func newRuntime(r *C.vqemu_runtime) *Runtime {
	return &Runtime{
		Profile:     newProfile(C.vqemu_runtime_profile(r)),
		GuestArch:   C.GoString(C.vqemu_runtime_guest_arch(r)),
		Binary:      C.GoString(C.vqemu_runtime_binary(r)),
		FirmwareDir: C.GoString(C.vqemu_runtime_firmware_dir(r)),
		LibDir:      C.GoString(C.vqemu_runtime_lib_dir(r)),
		ModuleDir:   C.GoString(C.vqemu_runtime_module_dir(r)),
		Loader:      C.GoString(C.vqemu_runtime_loader(r)),
		Tree:        C.GoString(C.vqemu_runtime_tree(r)),
		Revision:    C.GoString(C.vqemu_runtime_revision_name(r)),
		Manifest:    C.GoString(C.vqemu_runtime_manifest_path(r)),
		Digest:      C.GoString(C.vqemu_runtime_digest(r)),
		handle: newHandle(C.vqemu_runtime_ref(r),
			func(p *C.vqemu_runtime) { C.vqemu_runtime_unref(p) }),
	}
}

// NewRuntime describes a runtime by hand, without a store. Nothing is looked up on disk.
func NewRuntime(selection *Selection, options RuntimeOptions) (*Runtime, error) {
	selected, release, err := selection.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var given *C.vqemu_runtime_options
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_runtime_options_new(&given, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_runtime_options_free(given)
	err = setStrings([]option{{C.VQEMU_RUNTIME_BINARY, options.Binary},
		{C.VQEMU_RUNTIME_FIRMWARE_DIR, options.FirmwareDir}, {C.VQEMU_RUNTIME_LIB_DIR, options.LibDir},
		{C.VQEMU_RUNTIME_MODULE_DIR, options.ModuleDir}, {C.VQEMU_RUNTIME_LOADER, options.Loader}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_runtime_options_set_string(given, key, value, e)
		})
	if err != nil {
		return nil, err
	}
	var r *C.vqemu_runtime
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_runtime_new(selected, given, 0, &r, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_runtime_unref(r)
	return newRuntime(r), nil
}

// ResolveOptions say which revision is put on disk, and how it is looked at.
type ResolveOptions struct {
	Revision *Revision // nil for the current one of the profile, else the newest
	Verify   bool      // read and hash every file of a tree that is there already
	Trust    bool      // do not look at its files at all
}

// Resolve puts the selected profile on disk.
func (s *Store) Resolve(ctx context.Context, selection *Selection, how ResolveOptions,
	options ...CallOption) (*Runtime, error) {
	store, releaseStore, err := s.use()
	if err != nil {
		return nil, err
	}
	defer releaseStore()
	selected, releaseSelection, err := selection.use()
	if err != nil {
		return nil, err
	}
	defer releaseSelection()
	var revision *C.vqemu_revision
	if how.Revision != nil {
		given, release, err := how.Revision.use()
		if err != nil {
			return nil, err
		}
		defer release()
		revision = given
	}
	flags := C.uint32_t(0)
	if how.Verify {
		flags |= C.VQEMU_RESOLVE_VERIFY
	}
	if how.Trust {
		flags |= C.VQEMU_RESOLVE_TRUST
	}
	var resolved *Runtime
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var r *C.vqemu_runtime
		result := C.vqemu_resolve(store, selected, revision, flags, call, &r, e)
		if result == 0 {
			resolved = newRuntime(r)
			C.vqemu_runtime_unref(r)
		}
		return result
	})
	return resolved, err
}

func (r *Runtime) use() (*C.vqemu_runtime, func(), error) {
	if r == nil {
		r = &Runtime{}
	}
	return r.handle.use("runtime")
}

// Close releases the runtime; the last of it and its commands ends the lease.
func (r *Runtime) Close() error {
	if r == nil {
		return nil
	}
	return r.handle.close()
}

// Lease is a file that keeps the tree from being collected as long as any process has it open; nil for a runtime
// described by hand. The caller closes it.
func (r *Runtime) Lease() (*os.File, error) {
	handle, release, err := r.use()
	if err != nil {
		return nil, err
	}
	defer release()
	return leaseOf(handle)
}

// leaseOf duplicates a lease; the copy is the same open file, and so as good.
func leaseOf(r *C.vqemu_runtime) (*os.File, error) {
	old := C.vqemu_runtime_lease_fd(r)
	if old < 0 {
		return nil, nil
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(old), syscall.F_DUPFD_CLOEXEC, 3)
	if errno != 0 {
		return nil, os.NewSyscallError("fcntl", errno)
	}
	return os.NewFile(fd, "lease"), nil
}

// Placement is how a file of a tree was made.
type Placement struct {
	Path    string // relative to the tree
	How     PlacementWay
	Message string // why it is no hard link to the object; "" if it is
}

// PlacementWay is a way to make a file of a tree.
type PlacementWay string

// The ways.
const (
	PlacedByLink          PlacementWay = "link"
	PlacedByReflink       PlacementWay = "reflink"
	PlacedByCopyFileRange PlacementWay = "copy_file_range"
	PlacedByCopy          PlacementWay = "copy"
	PlacedAsNew           PlacementWay = "new"
)

// Placements tells how each file of the tree was made.
func (r *Runtime) Placements() ([]Placement, error) {
	handle, release, err := r.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var list *C.vqemu_placement_list
	err = try(func(e **C.vqemu_error) C.int { return C.vqemu_runtime_list_placements(handle, 0, &list, e) })
	defer C.vqemu_placement_list_free(list)
	var all []Placement
	for i := C.size_t(0); i < C.vqemu_placement_list_count(list); i++ {
		all = append(all, Placement{C.GoString(C.vqemu_placement_list_path(list, i)),
			PlacementWay(C.GoString(C.vqemu_placement_list_how(list, i))), C.GoString(C.vqemu_placement_list_message(list, i))})
	}
	return all, err
}
