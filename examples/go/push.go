// SPDX-License-Identifier: MIT

package voltqemu

// #include <volt-qemu/volt-qemu.h>
import "C"

import "context"

// PushOptions say how a revision is put into a registry.
type PushOptions struct {
	Force  bool // send all, also what the registry says that it has
	DryRun bool // only tell what would travel
}

// Push is what was put into a registry.
type Push struct {
	Digest   string // of the OCI manifest, "sha256:..."
	IsNew    bool   // the tag did not name that before
	Blobs    int    // all that it names
	Bytes    uint64
	NewBlobs int // what travelled, or would travel
	NewBytes uint64
}

func (o PushOptions) flags() C.uint32_t {
	var flags C.uint32_t
	if o.Force {
		flags = C.VQEMU_PUSH_FORCE
	}
	if o.DryRun {
		flags |= C.VQEMU_PUSH_DRY_RUN
	}
	return flags
}

func newPush(p *C.vqemu_push) *Push {
	return &Push{
		Digest:   C.GoString(C.vqemu_push_digest(p)),
		IsNew:    bool(C.vqemu_push_is_new(p)),
		Blobs:    int(C.vqemu_push_blob_count(p)),
		Bytes:    uint64(C.vqemu_push_bytes(p)),
		NewBlobs: int(C.vqemu_push_new_blob_count(p)),
		NewBytes: uint64(C.vqemu_push_new_bytes(p)),
	}
}

// Push puts a revision into a registry, under a tag, "" for "latest", and under its own name. Only what the repository lacks
// travels.
func (s *Store) Push(ctx context.Context, revision *Revision, remote *Remote, tag string, how PushOptions,
	options ...CallOption) (*Push, error) {
	store, releaseStore, err := s.use()
	if err != nil {
		return nil, err
	}
	defer releaseStore()
	pushed, releaseRevision, err := revision.use()
	if err != nil {
		return nil, err
	}
	defer releaseRevision()
	to, releaseRemote, err := remote.use()
	if err != nil {
		return nil, err
	}
	defer releaseRemote()
	texts := &cStrings{}
	defer texts.free()
	cTag := texts.of(tag)
	if texts.err != nil {
		return nil, texts.err
	}
	var push *Push
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var p *C.vqemu_push
		result := C.vqemu_store_push(store, pushed, to, cTag, how.flags(), call, &p, e)
		defer C.vqemu_push_free(p)
		if result == 0 {
			push = newPush(p)
		}
		return result
	})
	return push, err
}

// Delete deletes the manifest that a tag names, or that has a digest, "sha256:...", with all tags that name it.
func (r *Remote) Delete(ctx context.Context, reference string, options ...CallOption) error {
	remote, release, err := r.use()
	if err != nil {
		return err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cReference := texts.exact(reference)
	if texts.err != nil {
		return texts.err
	}
	return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_remote_delete(remote, cReference, 0, call, e)
	})
}
