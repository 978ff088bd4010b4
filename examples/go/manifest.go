// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"os"
	"time"
	"unsafe"
)

// Manifest lists the files of a profile, and says what was built.
type Manifest struct {
	Digest      string // of the text it was loaded from
	Name        string
	CreatedAt   time.Time
	Profile     string // this and all below: "", 0 or nil where the manifest does not say
	QEMUVersion string
	BuildDate   string
	BuildHost   string
	Arch        string
	Accel       string
	Description string
	Abilities   Ability
	Guests      []string
	TotalBytes  int64 // -1 where the manifest does not say
	Objects     []Object
	Binaries    int // how many objects lie below bin/
	Libraries   int // below lib/
	Firmware    int // below firmware/
	handle      *handle[*C.vqemu_manifest]
}

// Object is a file of a profile.
type Object struct {
	Path   string
	Digest string
	Mode   uint32 // 0 where the manifest gives none
}

// newManifest takes a reference of its own.
func newManifest(m *C.vqemu_manifest) *Manifest {
	field := func(key string) string {
		name := C.CString(key)
		defer C.free(unsafe.Pointer(name))
		return C.GoString(C.vqemu_manifest_string(m, name))
	}
	below := func(directory string) int {
		name := C.CString(directory)
		defer C.free(unsafe.Pointer(name))
		return int(C.vqemu_manifest_count_below(m, name))
	}
	manifest := &Manifest{
		Digest:      C.GoString(C.vqemu_manifest_digest(m)),
		Name:        field(C.VQEMU_MANIFEST_NAME),
		CreatedAt:   toTime(field(C.VQEMU_MANIFEST_CREATED_AT)),
		Profile:     field(C.VQEMU_MANIFEST_PROFILE),
		QEMUVersion: field(C.VQEMU_MANIFEST_QEMU_VERSION),
		BuildDate:   field(C.VQEMU_MANIFEST_BUILD_DATE),
		BuildHost:   field(C.VQEMU_MANIFEST_BUILD_HOST),
		Arch:        field(C.VQEMU_MANIFEST_ARCH),
		Accel:       field(C.VQEMU_MANIFEST_ACCEL),
		Description: field(C.VQEMU_MANIFEST_DESCRIPTION),
		Abilities:   Ability(C.vqemu_manifest_abilities(m)),
		TotalBytes:  int64(C.vqemu_manifest_total_bytes(m)),
		Binaries:    below("bin"),
		Libraries:   below("lib"),
		Firmware:    below("firmware"),
		handle: newHandle(C.vqemu_manifest_ref(m),
			func(p *C.vqemu_manifest) { C.vqemu_manifest_unref(p) }),
	}
	for i := C.size_t(0); i < C.vqemu_manifest_guest_count(m); i++ {
		manifest.Guests = append(manifest.Guests, C.GoString(C.vqemu_manifest_guest_at(m, i)))
	}
	for i := C.size_t(0); i < C.vqemu_manifest_object_count(m); i++ {
		manifest.Objects = append(manifest.Objects, Object{C.GoString(C.vqemu_manifest_object_path(m, i)),
			C.GoString(C.vqemu_manifest_object_digest(m, i)), uint32(C.vqemu_manifest_object_mode(m, i))})
	}
	return manifest
}

// takeManifest takes over the reference of a function that succeeded.
func takeManifest(to **Manifest, m **C.vqemu_manifest, result C.int) C.int {
	if result == 0 {
		*to = newManifest(*m)
		C.vqemu_manifest_unref(*m)
	}
	return result
}

// LoadManifest reads a manifest's file.
func LoadManifest(ctx context.Context, path string, options ...CallOption) (*Manifest, error) {
	texts := &cStrings{}
	defer texts.free()
	cPath := texts.exact(path)
	if texts.err != nil {
		return nil, texts.err
	}
	var manifest *Manifest
	err := run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var m *C.vqemu_manifest
		return takeManifest(&manifest, &m, C.vqemu_manifest_load_file(cPath, 0, call, &m, e))
	})
	return manifest, err
}

// LoadManifestFile reads a manifest from an open file, which stays open.
func LoadManifestFile(ctx context.Context, file *os.File, options ...CallOption) (*Manifest, error) {
	texts := &cStrings{}
	defer texts.free()
	var manifest *Manifest
	err := withDescriptor(file, func(fd C.int) error {
		name := texts.of(file.Name())
		if texts.err != nil {
			return texts.err
		}
		return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
			var m *C.vqemu_manifest
			return takeManifest(&manifest, &m, C.vqemu_manifest_load_fd(fd, name, 0, call, &m, e))
		})
	})
	return manifest, err
}

// ParseManifest reads a manifest's text, which messages call name.
func ParseManifest(ctx context.Context, text []byte, name string, options ...CallOption) (*Manifest, error) {
	texts := &cStrings{}
	defer texts.free()
	given, err := texts.document(text, name)
	if err != nil {
		return nil, err
	}
	var manifest *Manifest
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var m *C.vqemu_manifest
		return takeManifest(&manifest, &m, C.vqemu_manifest_load_memory(unsafe.Pointer(given.text), given.size,
			given.source, 0, call, &m, e))
	})
	return manifest, err
}

func (m *Manifest) use() (*C.vqemu_manifest, func(), error) {
	if m == nil {
		m = &Manifest{}
	}
	return m.handle.use("manifest")
}

// Find is the object at exactly this path; nil if there is none.
func (m *Manifest) Find(path string) *Object {
	manifest, release, err := m.use()
	if err != nil {
		return nil
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	index := C.vqemu_manifest_find(manifest, texts.exact(path)) // -1 for NULL, too
	if index < 0 || int(index) >= len(m.Objects) {
		return nil
	}
	object := m.Objects[index]
	return &object
}

// JSON is the manifest's text, with the fields that the library does not know.
func (m *Manifest) JSON() ([]byte, error) {
	return textOf(m.use, func(m *C.vqemu_manifest, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_manifest_to_json(m, 0, text, e)
	})
}

// WriteFile writes that text to a file, whole or not at all.
func (m *Manifest) WriteFile(path string) error {
	manifest, release, err := m.use()
	if err != nil {
		return err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cPath := texts.exact(path)
	if texts.err != nil {
		return texts.err
	}
	return try(func(e **C.vqemu_error) C.int { return C.vqemu_manifest_write_file(manifest, cPath, 0, e) })
}

// Close releases the manifest.
func (m *Manifest) Close() error {
	if m == nil {
		return nil
	}
	return m.handle.close()
}
