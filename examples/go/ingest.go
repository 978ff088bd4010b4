// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// IngestOptions say what is put into a store. What is zero is left out, or has its default.
type IngestOptions struct {
	Profile     string    // the name of a profile; one of its own needs Accel and Guests
	Digest      string    // of Import: that of the revision that the archive must have
	AnyProfile  bool      // of Import: the archive may say itself of which profile it is
	CreatedAt   time.Time // instead of the current time
	QEMUVersion string
	BuildDate   string
	BuildHost   string
	Accel       string   // "kvm" or "tcg"
	Abilities   Ability  // 0: those that its files have
	Guests      []string // guest architectures
	Description string
	Whole       bool   // refuse a profile whose closure has problems
	Trust       *Trust // of Import and ImportLayout: by whom it must be signed
}

// Ingest is what was put into a store.
type Ingest struct {
	Revision   *Revision
	Current    string    // the name of the revision of its profile that is used now; "" if that cannot be told
	Displaced  *Revision // the one that was used until this one took its place; nil if there was none
	IsNew      bool      // false: the store had it already
	Objects    int       // seen
	Bytes      uint64
	NewObjects int // of these, those that the store did not have
	NewBytes   uint64
	Closure    *Closure // what the files of a directory or archive ask for; nil of a copy
}

func (o *IngestOptions) use() (*C.vqemu_ingest_options, error) {
	var given *C.vqemu_ingest_options
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_ingest_options_new(&given, e) }); err != nil {
		return nil, err
	}
	err := setStrings([]option{{C.VQEMU_INGEST_PROFILE, o.Profile}, {C.VQEMU_INGEST_DIGEST, o.Digest}, {C.VQEMU_INGEST_CREATED_AT, fromTime(o.CreatedAt)},
		{C.VQEMU_INGEST_QEMU_VERSION, o.QEMUVersion}, {C.VQEMU_INGEST_BUILD_DATE, o.BuildDate},
		{C.VQEMU_INGEST_BUILD_HOST, o.BuildHost}, {C.VQEMU_INGEST_ACCEL, o.Accel},
		{C.VQEMU_INGEST_ABILITIES, o.Abilities.String()}, {C.VQEMU_INGEST_GUESTS, strings.Join(o.Guests, ",")},
		{C.VQEMU_INGEST_DESCRIPTION, o.Description}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_ingest_options_set_string(given, key, value, e)
		})
	if err == nil {
		err = o.setTrust(given)
	}
	if err != nil {
		C.vqemu_ingest_options_free(given)
		return nil, err
	}
	return given, nil
}

// fromTime is "" for zero.
func fromTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func (o *IngestOptions) setTrust(given *C.vqemu_ingest_options) error {
	if o.Trust == nil {
		return nil
	}
	trust, release, err := o.Trust.use()
	if err != nil {
		return err
	}
	defer release()
	return try(func(e **C.vqemu_error) C.int { return C.vqemu_ingest_options_set_trust(given, trust, e) })
}

// displacedBy is nil if there is none.
func displacedBy(ingest *C.vqemu_ingest) *Revision {
	if displaced := C.vqemu_ingest_displaced(ingest); displaced != nil {
		return newRevision(displaced)
	}
	return nil
}

// takeIngest takes over the result of a function that succeeded.
func takeIngest(to **Ingest, from **C.vqemu_ingest, result C.int) C.int {
	if result != 0 {
		return result
	}
	ingest := *from
	defer C.vqemu_ingest_free(ingest)
	*to = &Ingest{
		Revision:   newRevision(C.vqemu_ingest_revision(ingest)),
		Current:    C.GoString(C.vqemu_ingest_current(ingest)),
		Displaced:  displacedBy(ingest),
		IsNew:      bool(C.vqemu_ingest_is_new(ingest)),
		Objects:    int(C.vqemu_ingest_object_count(ingest)),
		Bytes:      uint64(C.vqemu_ingest_bytes(ingest)),
		NewObjects: int(C.vqemu_ingest_new_object_count(ingest)),
		NewBytes:   uint64(C.vqemu_ingest_new_bytes(ingest)),
		Closure:    newClosure(C.vqemu_ingest_closure(ingest)),
	}
	return result
}

// Ingest puts a directory into the store as a revision of a profile.
func (s *Store) Ingest(ctx context.Context, directory string, what IngestOptions,
	options ...CallOption) (*Ingest, error) {
	given, err := what.use()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_ingest_options_free(given)
	var ingest *Ingest
	var flags C.uint32_t
	if what.Whole {
		flags = C.VQEMU_INGEST_WHOLE
	}
	err = s.named(ctx, directory, options,
		func(store *C.vqemu_store, directory *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var i *C.vqemu_ingest
			return takeIngest(&ingest, &i, C.vqemu_store_ingest(store, directory, given, flags, call, &i, e))
		})
	return ingest, err
}

// useForImport makes options, NULL for none, and the flags of an import.
func (o *IngestOptions) useForImport() (*C.vqemu_ingest_options, C.uint32_t, error) {
	if o == nil {
		return nil, 0, nil
	}
	var flags C.uint32_t
	if o.AnyProfile {
		flags = C.VQEMU_IMPORT_ANY_PROFILE
	}
	if o.Whole {
		flags |= C.VQEMU_IMPORT_WHOLE
	}
	given, err := o.use()
	return given, flags, err
}

// Import puts an archive into the store; messages call it name. what says at least of which profile it is, or its digest;
// with AnyProfile, an archive that Export made may say that itself. The archive is read to its end; after an error, what else was read is undefined.
func (s *Store) Import(ctx context.Context, archive io.Reader, name string, what *IngestOptions,
	options ...CallOption) (*Ingest, error) {
	given, flags, err := what.useForImport()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_ingest_options_free(given)
	defer runtime.KeepAlive(what) // with its trust
	var ingest *Ingest
	err = reading(ctx, archive, func(fd C.int) error {
		return s.named(ctx, nameOf(name, archive), options,
			func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
				var i *C.vqemu_ingest
				return takeIngest(&ingest, &i, C.vqemu_store_import(store, fd, name, given, flags, call, &i, e))
			})
	})
	if err != nil {
		return nil, err
	}
	return ingest, nil
}

// Export writes a revision to an archive, which Import reads, and any tar; messages call it name.
func (s *Store) Export(ctx context.Context, revision *Revision, archive io.Writer, name string,
	options ...CallOption) error {
	exported, release, err := revision.use()
	if err != nil {
		return err
	}
	defer release()
	return writing(ctx, archive, func(fd C.int) error {
		return s.named(ctx, nameOf(name, archive), options,
			func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
				return C.vqemu_store_export(store, exported, fd, name, 0, call, e)
			})
	})
}

// nameOf is what an archive is called.
func nameOf(name string, archive any) string {
	if file, ok := archive.(*os.File); ok && name == "" && file != nil {
		return file.Name()
	} else if name == "" {
		return "archive"
	}
	return name
}

// CopyTo copies a revision into another store; only what that lacks travels.
func (s *Store) CopyTo(ctx context.Context, to *Store, revision *Revision, options ...CallOption) (*Ingest, error) {
	from, releaseFrom, err := s.use()
	if err != nil {
		return nil, err
	}
	defer releaseFrom()
	other, releaseOther, err := to.use()
	if err != nil {
		return nil, err
	}
	defer releaseOther()
	copied, release, err := revision.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var ingest *Ingest
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var i *C.vqemu_ingest
		return takeIngest(&ingest, &i, C.vqemu_store_copy(from, copied, other, 0, call, &i, e))
	})
	return ingest, err
}
