// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestARevisionTellsWhatItIs(t *testing.T) {
	store := makeStore(t)
	first := ingest(t, store, 1)
	if !first.IsNew || first.Objects != 3 || first.NewObjects != 3 || first.Bytes == 0 || first.NewBytes != first.Bytes {
		t.Errorf("%+v", first)
	}
	revision := first.Revision
	if revision.Profile != "emulate-x86" || revision.Err != nil || revision.Digest != revision.Manifest.Digest ||
		!strings.HasPrefix(revision.Name, "emulate-x86-") {
		t.Errorf("%+v", revision)
	}
	manifest := revision.Manifest
	if manifest.QEMUVersion != "7.2" || len(manifest.Objects) != 3 || manifest.Binaries != 1 || manifest.Firmware != 2 ||
		manifest.Find("bin/qemu-system-x86_64").Digest != manifest.Objects[0].Digest || manifest.Find("x") != nil {
		t.Errorf("%+v", manifest)
	}
	for _, name := range []string{revision.Name, "emulate-x86"} {
		if found, err := store.Find(ctx, name); err != nil || found.Digest != revision.Digest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := store.Find(ctx, "kvm-linux"); !errors.Is(err, ErrNoRevision) {
		t.Error(err)
	}
	check(t, os.WriteFile(revision.Path, []byte("broken"), 0o644))
	all, err := store.Revisions(ctx, "emulate-x86")
	if err != nil || len(all) != 1 || all[0].Manifest != nil {
		t.Fatalf("%+v, %v", all, err)
	}
	var broken *Error
	if !errors.As(all[0].Err, &broken) || broken.Code != CodeMalformed || broken.Reason != "revision-broken" ||
		broken.Details["revision"] != all[0].Name {
		t.Errorf("%#v", all[0].Err)
	}
}

func TestManifestsAreReadAndWritten(t *testing.T) {
	revision := ingest(t, makeStore(t), 1).Revision
	path := filepath.Join(t.TempDir(), "manifest.json")
	check(t, revision.Manifest.WriteFile(path))
	read, err := LoadManifest(ctx, path)
	check(t, err)
	text, err := revision.Manifest.JSON()
	check(t, err)
	parsed, err := ParseManifest(ctx, text, "text")
	check(t, err)
	file, err := os.Open(path)
	check(t, err)
	opened, err := LoadManifestFile(ctx, file)
	check(t, err)
	for _, manifest := range []*Manifest{read, parsed, opened} {
		if manifest.Digest != revision.Digest || len(manifest.Objects) != 3 {
			t.Errorf("%+v", manifest)
		}
	}
	if _, err := ParseManifest(ctx, []byte("x"), "web.json"); !errors.Is(err, ErrMalformed) ||
		!strings.Contains(err.Error(), "web.json") {
		t.Error(err)
	}
}

func TestAStoreIsOpenedInEveryWay(t *testing.T) {
	root := t.TempDir()
	made, err := NewStore(StoreOptions{Root: root, Create: true})
	check(t, err)
	revision := ingest(t, made, 1).Revision
	directory, err := os.Open(root)
	check(t, err)
	defer directory.Close()
	for _, options := range []StoreOptions{{Root: root}, {Root: root, ReadOnly: true}, {RootDir: directory},
		{Objects: root + "/cas/objects", Refs: root + "/cas/refs", Trees: root + "/qemu/trees"}} {
		store, err := NewStore(options)
		check(t, err)
		if found, err := store.Find(ctx, revision.Name); err != nil || found.Digest != revision.Digest {
			t.Errorf("%+v: %v", options, err)
		}
		_, err = store.Ingest(ctx, makeProfile(t, 2), IngestOptions{Profile: "emulate-x86"})
		if errors.Is(err, ErrReadOnly) != options.ReadOnly {
			t.Errorf("%+v: %v", options, err)
		}
	}
	if _, err := NewStore(StoreOptions{Root: root, Create: true, ReadOnly: true}); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}

func TestAProfileOfOnesOwn(t *testing.T) {
	store := makeStore(t)
	_, err := store.Ingest(ctx, makeProfile(t, 1), IngestOptions{Profile: "mine", Accel: "tcg", Guests: []string{"x86_64"},
		Abilities: AbilityUEFI | AbilityUSB, Description: "my own"})
	check(t, err)
	profiles, err := store.Profiles(ctx)
	if err != nil || len(profiles) != 1 || profiles[0].Name != "mine" || profiles[0].Description != "my own" ||
		profiles[0].Abilities&(AbilityUEFI|AbilityUSB|AbilityTPM) != AbilityUEFI|AbilityUSB {
		t.Fatalf("%+v, %v", profiles, err)
	}
	host, err := NewHost(HostOptions{Arch: "aarch64", KVM: "absent"})
	check(t, err)
	defer host.Close()
	if !profiles[0].Serves("x86_64", host) || profiles[0].Serves("riscv64", host) || profiles[0].Serves("x86_64", nil) {
		t.Error("it serves others")
	}
	selection := selectProfile(t, Request{Store: store, GuestArch: "x86_64", Profile: "mine"})
	if selection.Profile.Name != "mine" || selection.Accel != "tcg" || selection.Message == "" {
		t.Errorf("%+v", selection)
	}
}

func TestAClosureTellsAbilities(t *testing.T) {
	store := makeStore(t)
	ingested := ingest(t, store, 1)
	told := func(closure *Closure) {
		t.Helper()
		if closure == nil || closure.Problems != 1 || len(closure.Entries) < 1 || closure.Entries[0].Kind != "program" ||
			closure.Entries[0].Name != "bin/qemu-system-x86_64" || len(closure.Abilities) != 1 {
			t.Fatalf("%+v", closure)
		}
		abilities := closure.Abilities["x86_64"]
		usb, isUnclear := abilities[AbilityUSB]
		if _, has := abilities[AbilityUEFI]; !isUnclear || usb != "" || has {
			t.Errorf("%+v", abilities)
		}
	}
	told(ingested.Closure)
	var archive bytes.Buffer
	check(t, store.Export(ctx, ingested.Revision, &archive, ""))
	other, packed := makeStore(t), archive.Bytes()
	_, err := other.Import(ctx, bytes.NewReader(packed), "", &IngestOptions{AnyProfile: true, Whole: true})
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "is not whole") {
		t.Error(err)
	}
	imported, err := other.Import(ctx, bytes.NewReader(packed), "", &IngestOptions{AnyProfile: true})
	check(t, err)
	told(imported.Closure)
}

func TestSelection(t *testing.T) {
	host, err := NewHost(HostOptions{Arch: "x86_64", KVM: "usable"})
	check(t, err)
	if host.Arch != "x86_64" || host.KVM != KVMUsable || !host.KVMUsable || host.KVM.String() != "usable" {
		t.Errorf("%+v", host)
	}
	best, err := Select(ctx, host, Request{})
	if err != nil || best.Accel != "kvm" || !best.Runnable || len(best.Rejected) == 0 || best.Rejected[0].Message == "" {
		t.Errorf("%+v, %v", best, err)
	}
	windows := vmOf(t, VMConfig{Name: "x", GuestOS: "windows"})
	chosen, err := Select(ctx, host, Request{VM: windows})
	if err != nil || chosen.Profile.Abilities&AbilityUEFI == 0 {
		t.Errorf("%+v, %v", chosen, err)
	}
	slow, err := Select(ctx, host, Request{VM: windows, Accel: "tcg"})
	if err != nil || slow.Accel != "tcg" {
		t.Errorf("%+v, %v", slow, err)
	}
	for _, wrong := range []Request{{Accel: "xen"}, {Mode: "hybrid"}, {GuestOS: "dos"}, {Profile: "none"}} {
		if _, err := Select(ctx, host, wrong); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	if _, err := Select(ctx, host, Request{Store: makeStore(t)}); !errors.Is(err, ErrNoRevision) {
		t.Error(err)
	}
}

func TestTables(t *testing.T) {
	if len(Profiles()) != 4 || FindProfile("kvm-linux").Accel != "kvm" || FindProfile("x") != nil {
		t.Error(Profiles())
	}
	arches := GuestArches()
	if len(arches) < 5 || arches[0].Binary == "" || len(arches[0].Machines) == 0 {
		t.Error(arches)
	}
	if (AbilityKVM|AbilityDisplay).String() != "kvm,display" || FindAbility("usb") != AbilityUSB {
		t.Error("names of abilities")
	}
	if !strings.HasPrefix(Version(), "1.") || VersionNumber() < 1000000 || !HasFeature("archives") || HasFeature("x") {
		t.Error(Version(), VersionNumber())
	}
}

func TestPinsHaveHolders(t *testing.T) {
	store := makeStore(t)
	old, newer := ingest(t, store, 1).Revision, ingest(t, store, 2).Revision
	check(t, store.Pin(ctx, old.Name, "unit:volt-web"))
	check(t, store.Pin(ctx, old.Name, ""))
	pins, err := store.Pins(ctx, "")
	wanted := map[Pin]bool{{old.Name, "unit:volt-web"}: true, {old.Name, ""}: true}
	for _, pin := range pins {
		delete(wanted, pin)
	}
	if err != nil || len(pins) != 2 || len(wanted) != 0 {
		t.Error(pins, err)
	}
	check(t, store.Unpin(ctx, old.Name, ""))
	collected, err := store.Collect(ctx, 1, false)
	if err != nil || len(collected.Removed) != 0 {
		t.Errorf("%+v, %v", collected, err)
	}
	told := false
	for _, kept := range collected.Kept {
		told = told || kept.Name == old.Name && kept.Kind == "revision" && strings.Contains(kept.Message, "unit:volt-web")
	}
	if !told {
		t.Errorf("%+v", collected.Kept)
	}
	if err := store.RemoveRevision(ctx, old.Name); !errors.Is(err, &Error{Code: CodeBusy, Reason: "pinned"}) {
		t.Error(err)
	}
	check(t, store.Unpin(ctx, old.Name, "unit:volt-web"))
	planned, err := store.Collect(ctx, 1, true)
	check(t, err)
	collected, err = store.Collect(ctx, 1, false)
	if err != nil || !reflect.DeepEqual(planned.Removed, collected.Removed) || collected.FreedBytes == 0 {
		t.Errorf("%+v instead of %+v, %v", collected, planned, err)
	}
	if all, err := store.Revisions(ctx, ""); err != nil || len(all) != 1 || all[0].Name != newer.Name {
		t.Error(all, err)
	}
	if err := store.Pin(ctx, newer.Name, "nobody"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestRollingBack(t *testing.T) {
	store := makeStore(t)
	old, newer := ingest(t, store, 1).Revision, ingest(t, store, 2).Revision
	check(t, store.SetCurrent(ctx, old.Name))
	if resolved := resolve(t, store); resolved.Revision != old.Name || resolved.Digest != old.Digest ||
		resolved.Manifest != old.Path {
		t.Errorf("%+v", resolved)
	}
	if err := store.RemoveRevision(ctx, old.Name); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	check(t, store.SetCurrent(ctx, "emulate-x86"))
	if resolved := resolve(t, store); resolved.Revision != newer.Name {
		t.Errorf("%+v", resolved)
	}
	given, err := store.Resolve(ctx, selectProfile(t, Request{}), ResolveOptions{Revision: old, Verify: true})
	if err != nil || given.Revision != old.Name {
		t.Errorf("%+v, %v", given, err)
	}
}

func TestUsesAreFound(t *testing.T) {
	store := makeStore(t)
	revision := ingest(t, store, 1).Revision
	resolved := resolve(t, store)
	lease, err := resolved.Lease()
	check(t, err)
	holder := exec.Command("sleep", "600")
	holder.ExtraFiles = []*os.File{lease}
	check(t, holder.Start())
	defer func() { holder.Process.Kill(); holder.Wait() }()
	check(t, store.Pin(ctx, revision.Name, "unit:volt-web"))
	found, err := store.Uses(ctx, revision.Name)
	check(t, err)
	kinds := map[UseKind]Use{}
	for _, use := range found.Uses {
		if use.PID == int64(holder.Process.Pid) || use.PID == 0 {
			kinds[use.Kind] = use
		}
	}
	process, leased := kinds["process"], kinds["lease"]
	if pin := kinds["pin"]; pin.Holder != "unit:volt-web" || pin.Revision != revision.Name {
		t.Errorf("%+v", found)
	}
	if process.ProcessName != "sleep" && leased.ProcessName != "sleep" ||
		process.Tree != resolved.Digest && leased.Tree != resolved.Digest {
		t.Errorf("%+v", found)
	}
	if _, err := store.Uses(ctx, "kvm-linux"); !errors.Is(err, ErrNoRevision) {
		t.Error(err)
	}
}

func TestSizesAreFound(t *testing.T) {
	store := makeStore(t)
	first, second := ingest(t, store, 1).Revision, ingest(t, store, 2).Revision
	found, err := store.Sizes(ctx, "emulate-x86")
	check(t, err)
	if len(found.Sizes) != 2 || !found.IsComplete {
		t.Fatalf("%+v", found)
	}
	newer, older := found.Sizes[0], found.Sizes[1]
	if newer.Revision != second.Name || newer.Bytes != newer.OwnBytes+newer.SharedBytes || newer.OwnBytes <= 0 ||
		newer.SharedBytes <= 0 || newer.Missing != 0 || found.TotalBytes != older.Bytes+newer.OwnBytes {
		t.Errorf("%+v", found)
	}
	if len(newer.Sharers) != 1 || newer.Sharers[0] != (Sharer{first.Name, newer.SharedBytes}) {
		t.Errorf("%+v", newer)
	}
	if none, err := store.Sizes(ctx, "kvm-linux"); err != nil || none.Sizes != nil || none.TotalBytes != found.TotalBytes {
		t.Errorf("%+v, %v", none, err)
	}
	if _, err := store.Sizes(ctx, "../x"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestDamageIsFoundAndRepaired(t *testing.T) {
	store := makeStore(t)
	directory := makeProfile(t, 1)
	ingested, err := store.Ingest(ctx, directory, IngestOptions{Profile: "emulate-x86"})
	check(t, err)
	whole, err := store.Check(ctx, CheckOptions{})
	if err != nil || whole.Objects != 3 || whole.Unrepaired != 0 || len(whole.Problems) != 0 {
		t.Errorf("%+v, %v", whole, err)
	}
	name := ingested.Revision.Name
	object := filepath.Join(filepath.Dir(filepath.Dir(ingested.Revision.Path)), "objects",
		ingested.Revision.Manifest.Find("firmware/bios.bin").Digest)
	check(t, os.Chmod(object, 0o644))
	check(t, os.WriteFile(object, []byte("FIRMWARE"), 0o644))
	found, err := store.Check(ctx, CheckOptions{Name: name})
	if err != nil || found.Unrepaired == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	problem := found.Problems[0]
	if problem.Kind != "damaged" || problem.Message == "" || problem.Repaired ||
		!reflect.DeepEqual(problem.Places, []ObjectPlace{{name, "firmware/bios.bin"}}) {
		t.Errorf("%+v", problem)
	}
	if _, err := store.Resolve(ctx, selectProfile(t, Request{}), ResolveOptions{}); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	repaired, err := store.Check(ctx, CheckOptions{Repair: true, From: directory})
	if err != nil || repaired.Unrepaired != 0 || !repaired.Problems[0].Repaired {
		t.Errorf("%+v, %v", repaired, err)
	}
}

func TestACopyBringsWhatIsMissing(t *testing.T) {
	from, to := makeStore(t), makeStore(t)
	revision := ingest(t, from, 1).Revision
	copied, err := from.CopyTo(ctx, to, revision)
	if err != nil || copied.Revision.Digest != revision.Digest || copied.NewObjects != 3 || !copied.IsNew {
		t.Errorf("%+v, %v", copied, err)
	}
	again, err := from.CopyTo(ctx, to, revision)
	if err != nil || again.NewObjects != 0 || again.IsNew {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := from.CopyTo(ctx, from, revision); err == nil {
		t.Error("a store was copied into itself")
	}
}

func TestPlacementsAreTold(t *testing.T) {
	resolved := resolve(t, ingested(t))
	placements, err := resolved.Placements()
	if err != nil || len(placements) != 3 || placements[0].How == "" || placements[0].Path == "" {
		t.Error(placements, err)
	}
}
