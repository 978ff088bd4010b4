// SPDX-License-Identifier: MIT

package voltqemu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var ctx = context.Background()

// program prints what it was started with.
const program = "#!/bin/sh\nprintf '%s\\n' \"$@\"\nenv\nls /proc/self/fd\n"

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeProfile makes the directory of a profile, with a file more of so many bytes.
func makeProfile(t *testing.T, more int) string {
	t.Helper()
	directory := t.TempDir()
	for name, text := range map[string]string{"bin/qemu-system-x86_64": program, "firmware/bios.bin": "firmware",
		"firmware/more.bin": strings.Repeat("x", more)} {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func makeStore(t *testing.T) *Store {
	t.Helper()
	store, err := NewStore(StoreOptions{Root: filepath.Join(t.TempDir(), "store"), Create: true})
	check(t, err)
	t.Cleanup(func() { store.Close() })
	return store
}

// ingest puts a profile into a store.
func ingest(t *testing.T, store *Store, more int, options ...CallOption) *Ingest {
	t.Helper()
	ingested, err := store.Ingest(ctx, makeProfile(t, more), IngestOptions{Profile: "emulate-x86", QEMUVersion: "7.2"},
		options...)
	check(t, err)
	return ingested
}

func selectProfile(t *testing.T, request Request) *Selection {
	t.Helper()
	host, err := NewHost(HostOptions{Arch: "x86_64", KVM: "usable"})
	check(t, err)
	defer host.Close()
	if request.Profile == "" {
		request.Profile, request.GuestArch = "emulate-x86", "x86_64"
	}
	selection, err := Select(ctx, host, request)
	check(t, err)
	return selection
}

func resolve(t *testing.T, store *Store) *Runtime {
	t.Helper()
	resolved, err := store.Resolve(ctx, selectProfile(t, Request{}), ResolveOptions{})
	check(t, err)
	t.Cleanup(func() { resolved.Close() })
	return resolved
}

func vmOf(t *testing.T, config VMConfig) *VM {
	t.Helper()
	vm, err := config.VM()
	check(t, err)
	return vm
}

// isAbout tells whether it is such an error, about a key.
func isAbout(err error, wanted *Error, key string) bool {
	var failed *Error
	return errors.Is(err, wanted) && errors.As(err, &failed) && failed.Details["key"] == key
}

func within(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s takes longer than %v", what, limit)
	}
}
