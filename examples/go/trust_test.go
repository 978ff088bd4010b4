// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// makeKey makes a key of OpenSSL's; it returns the files of its public and secret half.
func makeKey(t *testing.T) (string, string) {
	t.Helper()
	directory := t.TempDir()
	public, secret := filepath.Join(directory, "key.pub"), filepath.Join(directory, "key.pem")
	check(t, exec.Command("openssl", "genpkey", "-algorithm", "ed25519", "-out", secret).Run())
	check(t, exec.Command("openssl", "pkey", "-in", secret, "-pubout", "-out", public).Run())
	return public, secret
}

func sign(t *testing.T, revision *Revision, secret string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signature")
	check(t, exec.Command("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", revision.Path, "-out", path).Run())
	signature, err := os.ReadFile(path)
	check(t, err)
	return signature
}

func makeTrust(t *testing.T, keys ...string) *Trust {
	t.Helper()
	trust, err := NewTrust()
	check(t, err)
	for _, key := range keys {
		check(t, trust.AddKeyFile(key))
	}
	t.Cleanup(func() { trust.Close() })
	return trust
}

func TestSignaturesAreKeptAndVerified(t *testing.T) {
	public, secret := makeKey(t)
	other, _ := makeKey(t)
	store := makeStore(t)
	revision := ingest(t, store, 1).Revision
	trust := makeTrust(t, public)
	if _, err := store.Verify(ctx, revision, trust); !errors.Is(err, &Error{Code: CodeUntrusted, Reason: "unsigned"}) {
		t.Error(err)
	}
	signature := sign(t, revision, secret)
	check(t, store.AddSignature(ctx, revision, signature, false))
	all, err := store.Signatures(ctx, revision)
	if err != nil || len(all) != 1 || all[0].Kind != "openssl" || !bytes.Equal(all[0].Bytes, signature) || all[0].Fault != "" {
		t.Fatalf("%+v, %v", all, err)
	}
	if key, err := store.Verify(ctx, revision, makeTrust(t, other, public)); err != nil || key != 1 {
		t.Error(key, err)
	}
	if _, err := store.Verify(ctx, revision, makeTrust(t, other)); !errors.Is(err, ErrUntrusted) {
		t.Error(err)
	}
	if _, err := store.Verify(ctx, revision, nil); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
	if keys, err := trust.Keys(); err != nil || len(keys) != 1 || keys[0].Kind != "openssl" || len(keys[0].ID) != 64 {
		t.Errorf("%+v, %v", keys, err)
	}
	check(t, store.RemoveSignature(ctx, revision, all[0].Digest))
	if err := store.RemoveSignature(ctx, revision, all[0].Digest); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := store.AddSignature(ctx, revision, []byte("x"), false); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	check(t, store.AddSignature(ctx, revision, []byte("x"), true))
	text, err := os.ReadFile(secret)
	check(t, err)
	if err := trust.AddKey(text, "mine"); !errors.Is(err, &Error{Code: CodeInvalid, Reason: "secret-key"}) {
		t.Error(err)
	}
}

func TestAStoreAsksForSignatures(t *testing.T) {
	public, secret := makeKey(t)
	from := makeStore(t)
	revision := ingest(t, from, 1).Revision
	trust := makeTrust(t, public)
	root := filepath.Join(t.TempDir(), "store")
	to, err := NewStore(StoreOptions{Root: root, Create: true, Trust: trust})
	check(t, err)
	defer to.Close()
	trust.Close() // the store has it
	if _, err := from.CopyTo(ctx, to, revision); !errors.Is(err, ErrUntrusted) {
		t.Error(err)
	}
	var archive bytes.Buffer
	check(t, from.Export(ctx, revision, &archive, ""))
	if _, err := makeStore(t).Import(ctx, &archive, "x.tar", &IngestOptions{AnyProfile: true, Trust: makeTrust(t, public)}); !errors.Is(err, ErrUntrusted) {
		t.Error(err)
	}
	check(t, from.AddSignature(ctx, revision, sign(t, revision, secret), false))
	if _, err := from.CopyTo(ctx, to, revision); err != nil {
		t.Error(err)
	}
	runtime := resolve(t, to)
	if runtime.Revision != revision.Name {
		t.Error(runtime.Revision)
	}
}

func TestAVerifierHasTheLastWord(t *testing.T) {
	store := makeStore(t)
	revision := ingest(t, store, 1).Revision
	check(t, store.AddSignature(ctx, revision, []byte("mine"), true))
	var seen Evidence
	verdict := VerdictTrusted
	trust := makeTrust(t)
	check(t, trust.SetVerifier(func(evidence Evidence) Verdict {
		if verdict == VerdictUnknown {
			panic("no")
		}
		seen = evidence
		return verdict
	}))
	if key, err := store.Verify(ctx, revision, trust); err != nil || key != -1 {
		t.Error(key, err)
	}
	manifest, err := os.ReadFile(revision.Path)
	check(t, err)
	if !bytes.Equal(seen.Manifest, manifest) || seen.Profile != "emulate-x86" || seen.Digest != revision.Digest ||
		len(seen.Signatures) != 1 || string(seen.Signatures[0]) != "mine" || seen.Key != -1 || seen.OCIDigest != "" {
		t.Errorf("%+v", seen)
	}
	for _, verdict = range []Verdict{VerdictRefused, VerdictUnknown} {
		if _, err := store.Verify(ctx, revision, trust); !errors.Is(err, &Error{Code: CodeUntrusted, Reason: "verifier-refuses"}) {
			t.Error(err)
		}
	}
	check(t, trust.SetVerifier(nil))
	if _, err := store.Verify(ctx, revision, trust); !errors.Is(err, &Error{Code: CodeUntrusted, Reason: "no-key"}) {
		t.Error(err)
	}
}
