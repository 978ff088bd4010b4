// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestKeysAreSetAndAskedFor(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x"})
	number := 2
	for key, value := range map[string]any{
		KeyMemory: 512, KeyCPUs: uint8(2), KeyCPUCores: &number, KeyKernel: "/boot/kernel", KeyTPM: true, KeyRNG: false,
		KeyUSB: On, KeyDisksFile(0): "/a", KeyDisksReadOnly(0): Off, KeyNICsForwardsHostPort(0, 0): 2222,
		KeyCPUFeaturesNamed("sse4.1"): true, KeyCPUFeaturesNamed("hv-spinlocks"): "0x1fff", KeyExtraArgsAt(0): "-d",
		KeySlotsNamed("nic0"): "0x10", KeySlotsNamed("drive0"): uint64(24),
	} {
		check(t, vm.Set(key, value))
	}
	for key, wanted := range map[string]any{
		KeyMemory: uint64(512), KeyCPUs: uint64(2), KeyCPUCores: uint64(2), KeyKernel: "/boot/kernel", KeyTPM: true,
		KeyRNG: false, KeyUSB: true, KeyDisksFile(0): "/a", KeyDisksReadOnly(0): false,
		KeyNICsForwardsHostPort(0, 0): uint64(2222), KeyCPUFeaturesNamed("sse4.1"): true,
		KeyCPUFeaturesNamed("hv-spinlocks"): "0x1fff", KeyExtraArgsAt(0): "-d",
		KeySlotsNamed("nic0"): "0x10", KeySlotsNamed("drive0"): uint64(24), KeyInitrd: nil, KeyCPUThreads: nil,
		KeyBalloon: nil,
	} {
		if got, err := vm.Get(key); err != nil || got != wanted {
			t.Errorf("%s: %v instead of %v, %v", key, got, wanted, err)
		}
	}
	for key, wanted := range map[string]int{KeyDisks: 1, KeyNICsForwards(0): 1, KeyExtraArgs: 1, KeyShares: 0} {
		if got, err := vm.Count(key); err != nil || got != wanted {
			t.Errorf("%s: %d instead of %d, %v", key, got, wanted, err)
		}
	}
}

func TestKeysAreUnsetAndRemoved(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x", Memory: 64, TPM: On, Kernel: "/k", Disks: []Disk{{File: "/a"}, {File: "/b"}}})
	var none *string
	check(t, vm.Set(KeyKernel, none))
	check(t, vm.Set(KeyTPM, Default))
	check(t, vm.Set(KeyMemory, nil))
	check(t, vm.Remove(KeyDisksAt(0)))
	config, err := vm.Config()
	if err != nil || !reflect.DeepEqual(config, &VMConfig{Name: "x", Disks: []Disk{{File: "/b"}}}) {
		t.Errorf("%+v, %v", config, err)
	}
}

func TestListsAreSetWhole(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x", Disks: []Disk{{File: "/a"}, {File: "/b"}}})
	check(t, vm.Set(KeyDisks, []Disk{{File: "/c", BootOrder: 1}}))
	check(t, vm.Set(KeyExtraArgs, []string{"-d", "guest_errors"}))
	config, err := vm.Config()
	if err != nil || len(config.Disks) != 1 || config.Disks[0].File != "/c" || len(config.ExtraArgs) != 2 {
		t.Errorf("%+v, %v", config, err)
	}
}

func TestVMsAreCopiedMergedAndCompared(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x", Memory: 64, Disks: []Disk{{File: "/a", Cache: "none"}}})
	copied, err := vm.Copy()
	check(t, err)
	check(t, copied.Merge(&VMConfig{Memory: 128, Kernel: "/k"}))
	check(t, copied.MergeJSON([]byte(`{"disks": [{"file": "/a"}], "memory": null}`), "site.json"))
	changes, err := vm.Diff(copied)
	wanted := map[string]bool{"memory": true, "kernel": true, "disks[0].cache": true}
	for _, change := range changes {
		if !wanted[change.Key] || change.Key == "kernel" && (change.From != nil || change.To != "/k") {
			t.Errorf("%+v", change)
		}
		delete(wanted, change.Key)
	}
	if err != nil || len(wanted) != 0 {
		t.Errorf("%v, %v", changes, err)
	}
	if changes, err := vm.Diff(vm); err != nil || len(changes) != 0 {
		t.Errorf("%v, %v", changes, err)
	}
	err = copied.MergeJSON([]byte(`{"memory": 1, "cpus": -1}`), "site.json")
	if !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), "site.json: cpus") {
		t.Error(err)
	}
	if memory, err := copied.GetNumber(KeyMemory); err != nil || memory != 0 {
		t.Error("half of a document was merged", memory, err)
	}
}

func TestDocumentsGoThroughStructsUnchanged(t *testing.T) {
	paths, err := filepath.Glob("../../tests/cases/commands/*/vm.json")
	if err != nil || len(paths) < 10 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		vm, err := ReadVM(path)
		check(t, err)
		wanted, err := vm.JSON()
		check(t, err)
		config, err := vm.Config()
		check(t, err)
		got, err := vmOf(t, *config).JSON()
		if err != nil || !bytes.Equal(got, wanted) {
			t.Errorf("%s: %v\n%s\ninstead of\n%s", path, err, got, wanted)
		}
	}
}

func TestSwitchesAndTheEmptyCommandLine(t *testing.T) {
	empty := ""
	config := VMConfig{Name: "x", TPM: On, Sandbox: Off, Append: &empty, Disks: []Disk{{File: "/a<&>b", Discard: On}}}
	vm := vmOf(t, config)
	text, err := vm.JSON()
	check(t, err)
	for _, part := range []string{`"tpm": true`, `"sandbox": false`, `"append": ""`, `"/a<&>b"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if again, err := vm.Config(); err != nil || !reflect.DeepEqual(*again, config) {
		t.Errorf("%v: %+v", err, again)
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	for message, config := range map[string]VMConfig{
		"disks[1].file: \"/\\xff\" is not UTF-8": {Name: "x", Disks: []Disk{{File: "/a"}, {File: "/\xff"}}},
		"extra_args[0]: ":                        {Name: "x", ExtraArgs: []string{"\xff"}},
		"kernel: \"k\" is not an absolute path":  {Name: "x", Kernel: "k"},
		"name: ":                                 {},
	} {
		if _, err := config.VM(); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%v instead of %s", err, message)
		}
	}
	vm := vmOf(t, VMConfig{Name: "x"})
	for _, refused := range []struct {
		key   string
		value any
		is    error
	}{
		{KeyMemory, -1, &Error{Code: CodeInvalid, Reason: "out-of-range"}}, {KeyMemory, "512", ErrInvalid}, {KeyKernel, 7, ErrInvalid}, {KeyTPM, 1, ErrInvalid},
		{KeyKernel, "/a\x00b", ErrInvalid}, {"memory\x00", 1, ErrInvalid}, {KeyDisksFile(1), "/a", ErrInvalid},
		{KeyDisks, []Disk{{Cache: "x"}}, ErrInvalid}, {"disks[0].x", 1, ErrUnknownKey}, {KeyMemory, 1.5, ErrInvalid},
		{KeyName, nil, ErrInvalid}, {KeyDisks, []string{"\xff"}, ErrUnsupported},
	} {
		if err := vm.Set(refused.key, refused.value); !errors.Is(err, refused.is) {
			t.Errorf("%s = %v: %v instead of %v", refused.key, refused.value, err, refused.is)
		}
	}
	if _, err := NewVM("a\x00b"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if text, err := vm.JSON(); err != nil || strings.Contains(string(text), ",") {
		t.Errorf("something was set: %s, %v", text, err)
	}
}

func TestWhatDiffTellsIsSet(t *testing.T) {
	full, err := ReadVM("../../tests/cases/commands/guest-with-everything/vm.json")
	check(t, err)
	more := vmOf(t, VMConfig{Name: "x", Memory: 512, Kernel: "/k", TPM: On, Sandbox: Off, ExtraArgs: []string{"-d", "x"},
		CPUFeatures: NamedValues{{"sse4.1", true}, {"hv-spinlocks", 8191}, {"level", "0x7"}},
		Slots:       NamedValues{{"nic0", "0x10"}, {"nic1", 17}},
		NICs:        []NIC{{}, {Forwards: []Forward{{HostPort: 1, GuestPort: 2}, {HostPort: 3, GuestPort: 4}}}},
		Disks:       []Disk{{File: "/a", BootOrder: 1}, {File: "/b", ReadOnly: On}}, Shares: []Share{{Path: "/s", Tag: "s"}}})
	less := vmOf(t, VMConfig{Name: "x"})
	other := vmOf(t, VMConfig{Name: "y", Memory: 9, CPUFeatures: NamedValues{{"sse4.1", "off"}, {"level", 3}},
		NICs: []NIC{{Forwards: []Forward{{HostPort: 9, GuestPort: 9}}}}, Disks: []Disk{{File: "/c", BootOrder: 2}}})
	for _, from := range []*VM{full, more, less, other} {
		for _, to := range []*VM{full, more, less, other} {
			changes, err := from.Diff(to)
			check(t, err)
			vm, err := from.Copy()
			check(t, err)
			apply(t, vm, changes)
			if left, err := vm.Diff(to); err != nil || len(left) != 0 {
				t.Errorf("%v, %v", left, err)
			}
		}
	}
}

// apply does what the comment of Change says.
func apply(t *testing.T, vm *VM, changes []Change) {
	t.Helper()
	for _, change := range changes {
		if change.To != nil {
			check(t, vm.Set(change.Key, change.To))
		}
	}
	for i := len(changes) - 1; i >= 0; i-- {
		if change := changes[i]; change.To == nil && strings.HasSuffix(change.Key, "]") {
			check(t, vm.Remove(change.Key))
		} else if change.To == nil {
			check(t, vm.Unset(change.Key))
		}
	}
}

func TestWhatConfigTellsIsSet(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x", CPUFeatures: NamedValues{{"hv-spinlocks", 8191}}, Slots: NamedValues{{"nic0", 16}}})
	config, err := vm.Config()
	check(t, err)
	check(t, vm.Set(KeyCPUFeaturesNamed("hv-spinlocks"), config.CPUFeatures[0].Value))
	check(t, vm.Set(KeySlotsNamed("nic0"), config.Slots[0].Value))
	check(t, vm.Set(KeyMemory, json.Number("512")))
	check(t, vm.Set(KeyCPUs, 2.0))
	for key, wanted := range map[string]any{KeyCPUFeaturesNamed("hv-spinlocks"): uint64(8191),
		KeySlotsNamed("nic0"): uint64(16), KeyMemory: uint64(512), KeyCPUs: uint64(2)} {
		if got, err := vm.Get(key); err != nil || got != wanted {
			t.Errorf("%s: %v, %v", key, got, err)
		}
	}
	for _, number := range []any{json.Number("-1"), json.Number("1.5"), json.Number("x"), json.Number("99999999999999999999"),
		-1, 1.5, -2.0, 1e300} {
		if err := vm.Set(KeyMemory, number); !errors.Is(err, &Error{Code: CodeInvalid, Reason: "out-of-range"}) ||
			!strings.HasPrefix(err.Error(), "memory: ") {
			t.Errorf("%v: %v", number, err)
		}
	}
	if err := vm.Set(KeyKernel, json.Number("1")); !isWrongKind(err) {
		t.Error(err)
	}
}

func TestListsAndElementsAreSetByTheirKeys(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x", NICs: []NIC{{ID: "a"}}})
	check(t, vm.Set(KeyNICsForwards(0), []Forward{{HostPort: 1, GuestPort: 2}}))
	check(t, vm.Set(KeyNICsForwardsAt(0, 1), Forward{HostPort: 3, GuestPort: 4}))
	check(t, vm.Set(KeyNICsAt(1), &NIC{ID: "b"}))
	check(t, vm.Set(KeyDisksAt(0), map[string]any{"file": "/a"}))
	check(t, vm.Set(KeyCPUFeatures, NamedValues{{"sse4.1", false}}))
	config, err := vm.Config()
	if wanted := (&VMConfig{Name: "x", Disks: []Disk{{File: "/a"}}, CPUFeatures: NamedValues{{"sse4.1", false}},
		NICs: []NIC{{ID: "a", Forwards: []Forward{{HostPort: 1, GuestPort: 2}, {HostPort: 3, GuestPort: 4}}}, {ID: "b"}}}); err != nil ||
		!reflect.DeepEqual(config, wanted) {
		t.Errorf("%+v, %v", config, err)
	}
	for _, refused := range []struct {
		key   string
		value any
		is    error
		says  string
	}{
		{KeyNICsAt(5), NIC{}, &Error{Code: CodeInvalid, Reason: "index-beyond-end"}, "nics[5]: "},
		{KeyNICsAt(0), []NIC{}, ErrMalformed, "nics[0]"}, {KeyNICsForwards(0), Forward{}, ErrMalformed, "nics[0].forwards"},
		{KeyCPUFeaturesNamed("a.b"), []string{"x"}, ErrInvalid, "cpu_features.a.b"}, {"nics[0].x", []string{}, ErrUnknownKey, "nics[0].x"},
		{KeyNICs, "x", &Error{Code: CodeInvalid, Reason: "wrong-kind"}, "nics: "}, {KeyDisksAt(0), map[string]any{"fil": "x"}, ErrUnknownKey, "disks[0].fil"},
		{KeyDisksFile(0), []string{"x"}, ErrInvalid, "disks[0].file"}, {KeyDisksAt(0), nil, ErrInvalid, "disks[0]"},
		{KeyDisksAt(0), Disk{File: "\xff"}, ErrUnsupported, "disks[0].file: "}, {KeyDisks, func() {}, nil, "disks: "},
	} {
		if err := vm.Set(refused.key, refused.value); err == nil || refused.is != nil && !errors.Is(err, refused.is) ||
			!strings.Contains(err.Error(), refused.says) {
			t.Errorf("%s = %v: %v", refused.key, refused.value, err)
		}
	}
	if after, err := vm.Config(); err != nil || !reflect.DeepEqual(after, config) {
		t.Errorf("half was set: %+v, %v", after, err)
	}
	for _, key := range []string{KeyDisks, KeyDisksAt(0), KeyCPUFeatures} {
		if _, err := vm.Get(key); !isWrongKind(err) || strings.Contains(err.Error(), "switch") {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := vm.Remove(KeyDisks); !isWrongKind(err) || strings.Contains(err.Error(), "set") {
		t.Error(err)
	}
}

func TestANilStructIsNamed(t *testing.T) {
	var none *VMConfig
	_, made := none.VM()
	for _, err := range []error{vmOf(t, VMConfig{Name: "x"}).Merge(nil), made} {
		if !errors.Is(err, &Error{Code: CodeUsage, Reason: "null-argument"}) {
			t.Error(err)
		}
	}
}

func TestManyGoroutinesUseOneVM(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x"})
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func(number int) {
			defer group.Done()
			for j := 0; j < 200; j++ {
				check(t, vm.Set(KeyKernel, strings.Repeat("/k", number+1)))
				if text, _, err := vm.GetString(KeyKernel); err != nil || !strings.HasPrefix(text, "/k") {
					t.Errorf("%q, %v", text, err)
				}
			}
		}(i)
	}
	group.Wait()
}

func TestAFileIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vm.json")
	check(t, os.WriteFile(path, []byte(`{"name": "x", "cpu_features": {"avx2": false, "hv-spinlocks": 8191}}`), 0o644))
	vm, err := ReadVM(path)
	check(t, err)
	config, err := vm.Config()
	if err != nil || len(config.CPUFeatures) != 2 || config.CPUFeatures[0].Value != false {
		t.Errorf("%+v, %v", config, err)
	}
}
