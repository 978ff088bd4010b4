// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"strings"
	"time"
)

// Revision is a store's version of a profile.
type Revision struct {
	Name    string // such as "kvm-linux-8e1e73bc"
	Profile string
	Path    string // of its file
	// ArrivedAt is when it came into the store: lists are ordered by that. Zero where that was not written down, and of
	// one that is not from a list.
	ArrivedAt time.Time
	Digest    string // of its manifest; "" if that cannot be loaded
	Err       error  // why the manifest cannot be loaded; nil if it is; otherwise an *Error
	Manifest  *Manifest
	handle    *handle[*C.vqemu_revision]
}

// newRevision takes a reference of its own.
func newRevision(revision *C.vqemu_revision) *Revision {
	r := &Revision{
		Name:      C.GoString(C.vqemu_revision_name(revision)),
		Profile:   C.GoString(C.vqemu_revision_profile_name(revision)),
		Path:      C.GoString(C.vqemu_revision_path(revision)),
		ArrivedAt: toTime(C.GoString(C.vqemu_revision_arrived_at(revision))),
		Digest:    C.GoString(C.vqemu_revision_digest(revision)),
		handle: newHandle(C.vqemu_revision_ref(revision),
			func(p *C.vqemu_revision) { C.vqemu_revision_unref(p) }),
	}
	if e := C.vqemu_revision_error(revision); e != nil {
		r.Err = newError(e)
	}
	if manifest := C.vqemu_revision_manifest(revision); manifest != nil {
		r.Manifest = newManifest(manifest)
	}
	return r
}

func (r *Revision) use() (*C.vqemu_revision, func(), error) {
	if r == nil {
		r = &Revision{}
	}
	return r.handle.use("revision")
}

// Close releases the revision; its manifest has a Close of its own.
func (r *Revision) Close() error {
	if r == nil {
		return nil
	}
	return r.handle.close()
}

// toTime reads an RFC 3339 time of the library's; zero for "". A leap second is the one after it.
func toTime(text string) time.Time {
	const second = len("2025-01-31T10:00:")
	leap := time.Duration(0)
	text = strings.ToUpper(text) // "t" and "z" are allowed
	if len(text) > second+2 && text[second:second+2] == "60" {
		text = text[:second] + "59" + text[second+2:]
		leap = time.Second
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.Add(leap)
}
