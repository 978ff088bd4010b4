// SPDX-License-Identifier: MIT

package voltqemu

// #include <volt-qemu/volt-qemu.h>
import "C"

import (
	"context"
	"runtime"
)

// Pull takes a revision in from a registry: that of a tag, or of a digest, "sha256:..."; "" for the tag "latest". Only what
// the store lacks travels. what says of which profile it is, or its digest; with AnyProfile, it may say that itself. With
// dryRun it only tells what would travel, and the store need not have the revision.
func (s *Store) Pull(ctx context.Context, remote *Remote, version string, what *IngestOptions, dryRun bool,
	options ...CallOption) (*Ingest, error) {
	store, releaseStore, err := s.use()
	if err != nil {
		return nil, err
	}
	defer releaseStore()
	from, releaseRemote, err := remote.use()
	if err != nil {
		return nil, err
	}
	defer releaseRemote()
	given, flags, err := what.useForImport() // whose flags are those of a pull
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
	if dryRun {
		flags |= C.VQEMU_PULL_DRY_RUN
	}
	var ingest *Ingest
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var i *C.vqemu_ingest
		return takeIngest(&ingest, &i, C.vqemu_store_pull(store, from, cVersion, given, flags, call, &i, e))
	})
	return ingest, err
}
