// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
)

// Request is what a profile is wanted for. What is zero does not count, or has its default.
type Request struct {
	Accel     string  // "kvm" or "tcg"; "" for the best that works
	GuestArch string  // "" for that of the VM, or of the host
	GuestOS   string  // "linux", "windows" or "other"
	Profile   string  // by its name
	Mode      string  // "hybrid-kvm" or "hybrid-emulated"
	Abilities Ability // that it must have
	VM        *VM     // all that its keys need; what is set above wins over it, but Runtime.Command refuses one that is for something else
	Store     *Store  // only profiles that have a revision here
}

// Selection is a profile that was chosen, and why.
type Selection struct {
	Profile   *Profile
	GuestArch string
	Accel     string // "kvm" or "tcg"
	Runnable  bool   // whether that works on the host as it is now
	Problem   string // why it does not; "" if it does
	Message   string // why this profile, for people
	Rejected  []Rejection
	handle    *handle[*C.vqemu_selection]
}

// Rejection is a profile that was not chosen, and why.
type Rejection struct{ Profile, Message string }

func (r *Request) fill(ctx context.Context, request *C.vqemu_request, options []CallOption) error {
	err := setStrings([]option{{C.VQEMU_REQUEST_ACCEL, r.Accel}, {C.VQEMU_REQUEST_GUEST_ARCH, r.GuestArch},
		{C.VQEMU_REQUEST_GUEST_OS, r.GuestOS}, {C.VQEMU_REQUEST_PROFILE, r.Profile}, {C.VQEMU_REQUEST_MODE, r.Mode}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_request_set_string(request, key, value, e)
		})
	if err == nil && r.Abilities != 0 {
		err = try(func(e **C.vqemu_error) C.int {
			return C.vqemu_request_set_abilities(request, C.uint64_t(r.Abilities), e)
		})
	}
	if err == nil && r.VM != nil {
		err = r.fillVM(request)
	}
	if err == nil && r.Store != nil {
		err = r.fillStore(ctx, request, options)
	}
	return err
}

func (r *Request) fillVM(request *C.vqemu_request) error {
	vm, release, err := r.VM.use()
	if err != nil {
		return err
	}
	defer release()
	return try(func(e **C.vqemu_error) C.int { return C.vqemu_request_set_vm(request, vm, 0, e) })
}

func (r *Request) fillStore(ctx context.Context, request *C.vqemu_request, options []CallOption) error {
	store, release, err := r.Store.use()
	if err != nil {
		return err
	}
	defer release()
	return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_request_set_store(request, store, 0, call, e)
	})
}

// Select chooses the profile for a workload. The context is for a request with a store, which is looked into.
func Select(ctx context.Context, host *Host, request Request, options ...CallOption) (*Selection, error) {
	machine, release, err := host.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var given *C.vqemu_request
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_request_new(&given, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_request_free(given)
	if err := request.fill(ctx, given, options); err != nil {
		return nil, err
	}
	var selection *C.vqemu_selection
	err = try(func(e **C.vqemu_error) C.int { return C.vqemu_select(machine, given, 0, &selection, e) })
	if err != nil {
		return nil, err
	}
	return newSelection(selection), nil
}

func newSelection(selection *C.vqemu_selection) *Selection {
	s := &Selection{
		Profile:   newProfile(C.vqemu_selection_profile(selection)),
		GuestArch: C.GoString(C.vqemu_selection_guest_arch(selection)),
		Accel:     C.GoString(C.vqemu_selection_accel(selection)),
		Runnable:  bool(C.vqemu_selection_runnable(selection)),
		Problem:   C.GoString(C.vqemu_selection_problem(selection)),
		Message:   C.GoString(C.vqemu_selection_message(selection)),
		handle: newHandle(selection,
			func(p *C.vqemu_selection) { C.vqemu_selection_free(p) }),
	}
	for i := C.size_t(0); i < C.vqemu_selection_rejected_count(selection); i++ {
		s.Rejected = append(s.Rejected, Rejection{
			C.GoString(C.vqemu_profile_name(C.vqemu_selection_rejected_profile(selection, i))),
			C.GoString(C.vqemu_selection_rejected_message(selection, i))})
	}
	return s
}

func (s *Selection) use() (*C.vqemu_selection, func(), error) {
	if s == nil {
		s = &Selection{}
	}
	return s.handle.use("selection")
}

// Close frees the selection.
func (s *Selection) Close() error {
	if s == nil {
		return nil
	}
	return s.handle.close()
}
