// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"
)

type schema struct {
	Type       any
	Properties map[string]*schema
	Items      *schema
}

// compareKeys holds a struct's fields against the schema's keys, and their types.
func compareKeys(t *testing.T, where string, structure reflect.Type, described *schema) {
	var fields, keys []string
	for i := 0; i < structure.NumField(); i++ {
		key := keyOf(structure.Field(i))
		fields = append(fields, key)
		property := described.Properties[key]
		if property == nil {
			continue
		}
		kind := structure.Field(i).Type
		if property.Items != nil && property.Items.Properties != nil {
			compareKeys(t, where+key+".", kind.Elem(), property.Items)
		}
		if (property.Type == "boolean") != (kind == reflect.TypeOf(Default)) {
			t.Errorf("%s%s is a %v", where, key, kind)
		}
	}
	for key := range described.Properties {
		keys = append(keys, key)
	}
	sort.Strings(fields)
	sort.Strings(keys)
	if !reflect.DeepEqual(fields, keys) {
		t.Errorf("%s: the fields are %v, the keys %v", where, fields, keys)
	}
}

func TestEveryKeyIsAField(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	described := &schema{}
	if err := json.Unmarshal(text, described); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "", reflect.TypeOf(VM{}), described)
}

func TestDocumentsGoThroughStructsUnchanged(t *testing.T) {
	paths, err := filepath.Glob("../../../tests/cases/commands/*/vm.json")
	if err != nil || len(paths) < 10 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		handle, err := fromDocument(text, path)
		if err != nil {
			t.Fatal(err)
		}
		wanted, err := toDocument(handle)
		if err != nil {
			t.Fatal(err)
		}
		vm, err := ReadVM(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := vm.JSON()
		if err != nil || !bytes.Equal(got, wanted) {
			t.Errorf("%s: %v\n%s\ninstead of\n%s", path, err, got, wanted)
		}
	}
}

func TestSwitchesAndTheEmptyCommandLine(t *testing.T) {
	empty := ""
	vm := VM{Name: "x", TPM: On, Sandbox: Off, Append: &empty, Disks: []Disk{{File: "/a<&>b", Discard: On}}}
	text, err := vm.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"tpm": true`, `"sandbox": false`, `"append": ""`, `"/a<&>b"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	again, err := ParseVM(text, "again.json")
	if err != nil || !reflect.DeepEqual(*again, vm) {
		t.Errorf("%v: %+v", err, again)
	}
}

func TestRefusals(t *testing.T) {
	for message, vm := range map[string]VM{
		"disks[1].file: \"/\\xff\" is not UTF-8": {Name: "x", Disks: []Disk{{File: "/a"}, {File: "/\xff"}}},
		"cpu_features[0]":                        {Name: "x", CPUFeatures: Features{{"\xff", true}}},
		"extra_args[0]: ":                        {Name: "x", ExtraArgs: []string{"\xff"}},
		"kernel: \"k\" is not an absolute path":  {Name: "x", Kernel: "k"},
		"name: it is empty":                      {},
		"is not allowed":                         {Name: "a\x00b"},
	} {
		if _, err := vm.JSON(); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%v instead of %s", err, message)
		}
	}
	if _, err := ParseVM([]byte(`{"name": "x", "memori": 1}`), "web.json"); err == nil ||
		!strings.HasPrefix(err.Error(), "web.json: memori: unknown key") {
		t.Error(err)
	}
	if _, err := ReadVM("/nonexistent"); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := Shutdown("/nonexistent/qmp.sock", time.Second); err == nil ||
		!strings.Contains(err.Error(), "not running") {
		t.Error(err)
	}
	if err := Shutdown("/nonexistent/qmp.sock", -time.Second); err == nil {
		t.Error("a negative timeout")
	}
}

// commandFor plans a command on a store of one profile, in VOLT_STORE.
func commandFor(t *testing.T, vm *VM) *Command {
	root := os.Getenv("VOLT_STORE")
	if root == "" {
		t.Skip("VOLT_STORE names no store")
	}
	host, err := ProbeHost()
	if err != nil {
		t.Fatal(err)
	}
	selection, err := SelectProfile(host, "emulate-x86", "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	store, err := OpenStore(root)
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := store.Resolve(selection)
	if err != nil {
		t.Fatal(err)
	}
	command, err := resolved.Command(vm)
	if err != nil {
		t.Fatal(err)
	}
	return command
}

func TestCmdHasFilesUnderTheirNumbersAndTheLease(t *testing.T) {
	image, err := os.CreateTemp(t.TempDir(), "disk")
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	command := commandFor(t, &VM{Name: "x", Disks: []Disk{{FD: 7}}, StateDir: "/s", RuntimeDir: "/r"})
	if !reflect.DeepEqual(command.FDs, []int{7}) || command.StateDir != "/s" || command.RuntimeDir != "/r" {
		t.Errorf("%+v", command)
	}
	if _, err := command.Cmd(nil); err == nil {
		t.Error("there is no file for 7")
	}
	qemu, err := command.Cmd(map[int]*os.File{7: image})
	if err != nil {
		t.Fatal(err)
	}
	qemu.Path, qemu.Args = "/bin/sh", []string{"sh", "-c", "readlink /proc/self/fd/7 /proc/self/fd/8; ls /proc/$$/fd"}
	qemu.Env = []string{"PATH=/bin:/usr/bin"}
	output, err := qemu.Output()
	lines := strings.Fields(string(output))
	if err != nil || len(lines) < 3 || lines[0] != image.Name() || !strings.Contains(lines[1], "/qemu/trees/") {
		t.Errorf("%v: %s", err, output)
	}
	for _, absent := range []string{"3", "4", "5", "6"} {
		for _, fd := range lines[2:] {
			if fd == absent {
				t.Errorf("%s is open: %s", fd, output)
			}
		}
	}
}

func TestPrepare(t *testing.T) {
	directory := t.TempDir()
	command := commandFor(t, &VM{Name: "x", Console: "file", RuntimeDir: directory + "/run"})
	if err := command.Prepare(0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(directory + "/run"); err != nil {
		t.Error(err)
	}
	if err := command.Prepare(KeepVariables | ResetVariables); err == nil {
		t.Error("both flags at once")
	}
}
