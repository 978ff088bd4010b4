// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <stdint.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

extern int voltqemuVerify(vqemu_evidence *evidence, uintptr_t number);

static int judge(const vqemu_evidence *evidence, void *number) {
	return voltqemuVerify((vqemu_evidence *)evidence, (uintptr_t)number);
}

static int set_verifier(vqemu_trust *trust, uintptr_t number, vqemu_error **error) {
	return vqemu_trust_set_verifier(trust, judge, (void *)number, error);
}
*/
import "C"

import (
	"context"
	"sync"
	"unsafe"
)

// Trust is by whom profiles must be signed: StoreOptions.Trust, IngestOptions.Trust, Store.Verify. Set it up before it
// is used.
type Trust struct {
	handle *handle[*C.vqemu_trust]
	number uintptr
}

// PublicKey is one that is trusted.
type PublicKey struct {
	Kind string // "signify" (minisign's too), "openssl" or "ssh"
	ID   string // by what people tell it from others: a number or fingerprint
	Name string // what its text says of it
}

// Verdict is what a verifier says.
type Verdict int

// The verdicts.
const (
	VerdictUnknown Verdict = C.VQEMU_VERDICT_UNKNOWN // the keys decide
	VerdictTrusted Verdict = C.VQEMU_VERDICT_TRUSTED
	VerdictRefused Verdict = C.VQEMU_VERDICT_REFUSED
)

// Evidence is what there is to judge a revision by.
type Evidence struct {
	Source     string // what is judged, for people
	Profile    string
	Manifest   []byte // what is signed
	Digest     string // of the manifest
	OCIDigest  string // of the OCI manifest that it came by, "sha256:..."; "" for none
	Key        int    // the index of a key that has made a good signature; -1 for none
	Signatures [][]byte
}

// Those of all Trusts that are open, by numbers that C can keep.
var (
	verifiers      = map[uintptr]func(Evidence) Verdict{}
	verifiersMutex sync.Mutex
	lastVerifier   uintptr
)

func verifierOf(number uintptr) func(Evidence) Verdict {
	verifiersMutex.Lock()
	defer verifiersMutex.Unlock()
	return verifiers[number]
}

// NewTrust makes one that trusts nobody.
func NewTrust() (*Trust, error) {
	verifiersMutex.Lock()
	lastVerifier++
	number := lastVerifier
	verifiersMutex.Unlock()
	handle, err := makeHandle(
		func(p *C.vqemu_trust) {
			C.vqemu_trust_unref(p)
			verifiersMutex.Lock()
			defer verifiersMutex.Unlock()
			delete(verifiers, number)
		},
		func(made **C.vqemu_trust, e **C.vqemu_error) C.int { return C.vqemu_trust_new(made, e) })
	if err != nil {
		return nil, err
	}
	return &Trust{handle, number}, nil
}

func (t *Trust) use() (*C.vqemu_trust, func(), error) {
	if t == nil {
		t = &Trust{}
	}
	return t.handle.use("trust")
}

// Close releases the trust; stores that were opened with it keep it until they are closed.
func (t *Trust) Close() error {
	if t == nil {
		return nil
	}
	return t.handle.close()
}

func (t *Trust) add(text string, f func(trust *C.vqemu_trust, text *C.char, e **C.vqemu_error) C.int) error {
	trust, release, err := t.use()
	if err != nil {
		return err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cText := texts.exact(text)
	if texts.err != nil {
		return texts.err
	}
	return try(func(e **C.vqemu_error) C.int { return f(trust, cText, e) })
}

// AddKey adds the public keys of a text, as signify, minisign, OpenSSL and SSH write them; messages call it source.
func (t *Trust) AddKey(text []byte, source string) error {
	given := C.CBytes(append(text[:len(text):len(text)], 0))
	defer C.free(given)
	return t.add(source, func(trust *C.vqemu_trust, source *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_trust_add_key(trust, (*C.char)(given), C.size_t(len(text)), source, 0, e)
	})
}

// AddKeyFile adds those of a file.
func (t *Trust) AddKeyFile(path string) error {
	return t.add(path, func(trust *C.vqemu_trust, path *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_trust_add_key_file(trust, path, 0, e)
	})
}

// Keys lists what is trusted.
func (t *Trust) Keys() ([]PublicKey, error) {
	trust, release, err := t.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var all []PublicKey
	for i := C.size_t(0); i < C.vqemu_trust_key_count(trust); i++ {
		all = append(all, PublicKey{C.GoString(C.vqemu_trust_key_kind(trust, i)),
			C.GoString(C.vqemu_trust_key_id(trust, i)), C.GoString(C.vqemu_trust_key_name(trust, i))})
	}
	return all, nil
}

// SetVerifier has a function asked beside the keys, for signatures of other tools and rules of one's own. It may not use
// the store that is being called; one that panics refuses.
func (t *Trust) SetVerifier(verifier func(Evidence) Verdict) error {
	trust, release, err := t.use()
	if err != nil {
		return err
	}
	defer release()
	if verifier == nil {
		return try(func(e **C.vqemu_error) C.int { return C.vqemu_trust_set_verifier(trust, nil, nil, e) })
	}
	verifiersMutex.Lock()
	verifiers[t.number] = verifier
	verifiersMutex.Unlock()
	return try(func(e **C.vqemu_error) C.int { return C.set_verifier(trust, C.uintptr_t(t.number), e) })
}

func bytesOf(text *C.char, size C.size_t) []byte {
	return C.GoBytes(unsafe.Pointer(text), C.int(size))
}

func newEvidence(e *C.vqemu_evidence) Evidence {
	var size C.size_t
	manifest := C.vqemu_evidence_manifest(e, &size)
	made := Evidence{
		Source:    C.GoString(C.vqemu_evidence_source(e)),
		Profile:   C.GoString(C.vqemu_evidence_profile_name(e)),
		Manifest:  bytesOf(manifest, size),
		Digest:    C.GoString(C.vqemu_evidence_digest(e)),
		OCIDigest: C.GoString(C.vqemu_evidence_oci_digest(e)),
		Key:       int(C.vqemu_evidence_key(e)),
	}
	for i := C.size_t(0); i < C.vqemu_evidence_signature_count(e); i++ {
		signature := C.vqemu_evidence_signature(e, i, &size)
		made.Signatures = append(made.Signatures, bytesOf(signature, size))
	}
	return made
}

// ---- signatures of revisions ----

// Signature is one of a revision's manifest.
type Signature struct {
	Digest string // its SHA-256, which is its name
	Bytes  []byte
	Kind   string // "signify", "minisign", "openssl", "ssh" or "unknown"
	Key    string // the key that it says it is by; "" where it does not say
	Fault  string // why it cannot be verified; "" if it can
}

// onRevision makes a call that is about one revision.
func (s *Store) onRevision(ctx context.Context, revision *Revision, options []CallOption,
	f func(store *C.vqemu_store, revision *C.vqemu_revision, call *C.vqemu_call, e **C.vqemu_error) C.int) error {
	store, release, err := s.use()
	if err != nil {
		return err
	}
	defer release()
	used, releaseRevision, err := revision.use()
	if err != nil {
		return err
	}
	defer releaseRevision()
	return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int { return f(store, used, call, e) })
}

// AddSignature adds a signature of the file Revision.Path that another program has made; anyKind: also one that the
// library cannot verify.
func (s *Store) AddSignature(ctx context.Context, revision *Revision, signature []byte, anyKind bool,
	options ...CallOption) error {
	given := C.CBytes(append(signature[:len(signature):len(signature)], 0))
	defer C.free(given)
	var flags C.uint32_t
	if anyKind {
		flags = C.VQEMU_SIGNATURE_ANY
	}
	return s.onRevision(ctx, revision, options,
		func(store *C.vqemu_store, revision *C.vqemu_revision, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_add_signature(store, revision, (*C.char)(given), C.size_t(len(signature)), flags, call, e)
		})
}

// RemoveSignature removes the one with this digest.
func (s *Store) RemoveSignature(ctx context.Context, revision *Revision, digest string, options ...CallOption) error {
	texts := &cStrings{}
	defer texts.free()
	cDigest := texts.exact(digest)
	if texts.err != nil {
		return texts.err
	}
	return s.onRevision(ctx, revision, options,
		func(store *C.vqemu_store, revision *C.vqemu_revision, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_remove_signature(store, revision, cDigest, 0, call, e)
		})
}

// Signatures lists those of a revision.
func (s *Store) Signatures(ctx context.Context, revision *Revision, options ...CallOption) ([]Signature, error) {
	var all []Signature
	err := s.onRevision(ctx, revision, options,
		func(store *C.vqemu_store, revision *C.vqemu_revision, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var list *C.vqemu_signature_list
			result := C.vqemu_store_list_signatures(store, revision, 0, call, &list, e)
			defer C.vqemu_signature_list_free(list)
			for i := C.size_t(0); i < C.vqemu_signature_list_count(list); i++ {
				var size C.size_t
				text := C.vqemu_signature_list_bytes(list, i, &size)
				all = append(all, Signature{C.GoString(C.vqemu_signature_list_digest(list, i)), bytesOf(text, size),
					C.GoString(C.vqemu_signature_list_kind(list, i)), C.GoString(C.vqemu_signature_list_key_id(list, i)),
					C.GoString(C.vqemu_signature_list_fault(list, i))})
			}
			return result
		})
	return all, err
}

// Verify finds out whether a revision may be trusted; it returns the index of the key whose signature is good, or -1
// where the verifier alone has said so. ErrUntrusted if it may not.
func (s *Store) Verify(ctx context.Context, revision *Revision, trust *Trust, options ...CallOption) (int, error) {
	used, release, err := trust.use()
	if err != nil {
		return -1, err
	}
	defer release()
	key := C.int32_t(-1)
	err = s.onRevision(ctx, revision, options,
		func(store *C.vqemu_store, revision *C.vqemu_revision, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_verify_revision(store, revision, used, 0, call, &key, e)
		})
	return int(key), err
}
