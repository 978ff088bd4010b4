// SPDX-License-Identifier: MIT

package voltqemu

// #include <volt-qemu/volt-qemu.h>
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// ExportLayout puts a revision into an OCI layout, a directory that is made if it is not there, under a tag; "" for the
// revision's name. It returns the digest of the OCI manifest, "sha256:...".
func (s *Store) ExportLayout(ctx context.Context, revision *Revision, directory, tag string,
	options ...CallOption) (string, error) {
	exported, release, err := revision.use()
	if err != nil {
		return "", err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cTag := texts.of(tag)
	if texts.err != nil {
		return "", texts.err
	}
	var digest string
	err = s.named(ctx, directory, options,
		func(store *C.vqemu_store, directory *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var text *C.char
			result := C.vqemu_store_export_layout(store, directory, exported, cTag, 0, call, &text, e)
			digest = C.GoString(text) // "" for NULL
			C.vqemu_free(unsafe.Pointer(text))
			return result
		})
	return digest, err
}

// ImportLayout takes a revision in from an OCI layout: that of a tag, or of the digest of an OCI manifest; "" for the only
// one. what says of which profile it is, or its digest; with AnyProfile, it may say that itself.
func (s *Store) ImportLayout(ctx context.Context, directory, version string, what *IngestOptions,
	options ...CallOption) (*Ingest, error) {
	given, flags, err := what.useForImport()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_ingest_options_free(given)
	defer runtime.KeepAlive(what) // with its trust
	texts := &cStrings{}
	defer texts.free()
	cVersion := texts.of(version)
	if texts.err != nil {
		return nil, texts.err
	}
	var ingest *Ingest
	err = s.named(ctx, directory, options,
		func(store *C.vqemu_store, directory *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var i *C.vqemu_ingest
			return takeIngest(&ingest, &i,
				C.vqemu_store_import_layout(store, directory, cVersion, given, flags, call, &i, e))
		})
	return ingest, err
}
