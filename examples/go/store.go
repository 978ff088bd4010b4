// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"os"
)

// Store is an open content-addressed store.
type Store struct {
	handle *handle[*C.vqemu_store]
}

// StoreOptions say where a store is, and how it is opened.
type StoreOptions struct {
	Root     string   // its directory; what is set below replaces a part of it
	RootDir  *os.File // the same, open; Root then only names it in messages
	Objects  string
	Refs     string
	Trees    string
	Links    string
	Create   bool // make what is missing
	ReadOnly bool // write nothing at all
	// AllowOthers also opens a store that other users than root and the caller may write to: they decide which
	// programs are run from it.
	AllowOthers bool
	// Trust, if there is one, is who must have signed what comes from elsewhere, and what is resolved.
	Trust *Trust
}

func (o *StoreOptions) flags() C.uint32_t {
	flags := C.uint32_t(0)
	if o.Create {
		flags |= C.VQEMU_STORE_CREATE
	}
	if o.ReadOnly {
		flags |= C.VQEMU_STORE_READ_ONLY
	}
	if o.AllowOthers {
		flags |= C.VQEMU_STORE_ALLOW_OTHERS
	}
	return flags
}

// OpenStore opens the store below a directory.
func OpenStore(root string) (*Store, error) {
	return NewStore(StoreOptions{Root: root})
}

// NewStore opens a store; with StoreOptions.Create it is made where there is none.
func NewStore(options StoreOptions) (*Store, error) {
	var given *C.vqemu_store_options
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_store_options_new(&given, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_store_options_free(given)
	err := setStrings([]option{{C.VQEMU_STORE_ROOT, options.Root}, {C.VQEMU_STORE_OBJECTS, options.Objects},
		{C.VQEMU_STORE_REFS, options.Refs}, {C.VQEMU_STORE_TREES, options.Trees}, {C.VQEMU_STORE_LINKS, options.Links}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_store_options_set_string(given, key, value, e)
		})
	if err != nil {
		return nil, err
	}
	release := func() {}
	if options.Trust != nil {
		var trust *C.vqemu_trust
		if trust, release, err = options.Trust.use(); err != nil {
			return nil, err
		}
		err = try(func(e **C.vqemu_error) C.int { return C.vqemu_store_options_set_trust(given, trust, e) })
		if err != nil {
			release()
			return nil, err
		}
	}
	if options.RootDir == nil {
		return openStore(given, options.flags(), release)
	}
	var store *Store
	err = withDescriptor(options.RootDir, func(fd C.int) error {
		texts := &cStrings{}
		defer texts.free()
		key := texts.exact(C.VQEMU_STORE_ROOT_FD)
		err := try(func(e **C.vqemu_error) C.int {
			return C.vqemu_store_options_set_number(given, key, C.uint64_t(fd), e)
		})
		if err == nil {
			store, err = openStore(given, options.flags(), release)
		} else {
			release()
		}
		return err
	})
	return store, err
}

// openStore lets go of what the store needs when that is closed.
func openStore(options *C.vqemu_store_options, flags C.uint32_t, release func()) (*Store, error) {
	var store *C.vqemu_store
	err := try(func(e **C.vqemu_error) C.int { return C.vqemu_store_open(options, flags, &store, e) })
	if err != nil {
		release()
		return nil, err
	}
	return &Store{newHandle(store,
		func(p *C.vqemu_store) {
			C.vqemu_store_unref(p)
			release()
		})}, nil
}

func (s *Store) use() (*C.vqemu_store, func(), error) {
	if s == nil {
		s = &Store{}
	}
	return s.handle.use("store")
}

// Close closes the store, once the calls that are being made have ended.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.handle.close()
}

// Revisions lists those of a profile, or of all if that is "": grouped by profile, in each the newest first. One whose
// manifest cannot be loaded says so in Err.
func (s *Store) Revisions(ctx context.Context, profile string, options ...CallOption) ([]*Revision, error) {
	store, release, err := s.use()
	if err != nil {
		return nil, err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cProfile := texts.of(profile)
	if texts.err != nil {
		return nil, texts.err
	}
	var all []*Revision
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var list *C.vqemu_revision_list
		result := C.vqemu_store_list_revisions(store, cProfile, 0, call, &list, e)
		defer C.vqemu_revision_list_free(list)
		for i := C.size_t(0); i < C.vqemu_revision_list_count(list); i++ {
			all = append(all, newRevision(C.vqemu_revision_list_at(list, i)))
		}
		return result
	})
	return all, err
}

// Find finds a revision by its name, or the one of a profile that Resolve takes by that profile's name.
func (s *Store) Find(ctx context.Context, name string, options ...CallOption) (*Revision, error) {
	store, release, err := s.use()
	if err != nil {
		return nil, err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cName := texts.exact(name)
	if texts.err != nil {
		return nil, texts.err
	}
	var found *Revision
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var revision *C.vqemu_revision
		result := C.vqemu_store_find_revision(store, cName, 0, call, &revision, e)
		if result == 0 {
			found = newRevision(revision)
			C.vqemu_revision_unref(revision)
		}
		return result
	})
	return found, err
}

// Profiles lists the profiles that have a revision here.
func (s *Store) Profiles(ctx context.Context, options ...CallOption) ([]*Profile, error) {
	store, release, err := s.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var all []*Profile
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var list *C.vqemu_profile_list
		result := C.vqemu_store_list_profiles(store, 0, call, &list, e)
		defer C.vqemu_profile_list_free(list)
		for i := C.size_t(0); i < C.vqemu_profile_list_count(list); i++ {
			all = append(all, newProfile(C.vqemu_profile_list_at(list, i)))
		}
		return result
	})
	return all, err
}

// named makes a call that is about one name.
func (s *Store) named(ctx context.Context, name string, options []CallOption,
	f func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int) error {
	store, release, err := s.use()
	if err != nil {
		return err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cName := texts.exact(name)
	if texts.err != nil {
		return texts.err
	}
	return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return f(store, cName, call, e)
	})
}

// SetCurrent makes Resolve take this revision of its profile until it is told otherwise; with the name of a profile,
// the newest again.
func (s *Store) SetCurrent(ctx context.Context, name string, options ...CallOption) error {
	return s.named(ctx, name, options,
		func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_set_current(store, name, 0, call, e)
		})
}

// RemoveRevision removes a revision with its tree; ErrBusy if it is used, pinned or set current. What only it needed
// of the objects goes at the next collection.
func (s *Store) RemoveRevision(ctx context.Context, name string, options ...CallOption) error {
	return s.named(ctx, name, options,
		func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_remove_revision(store, name, 0, call, e)
		})
}
