// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestACommandIsSavedAndLoaded(t *testing.T) {
	store := ingested(t)
	resolved := resolve(t, store)
	command, err := resolved.Command(ctx, vmOf(t, VMConfig{Name: "x", Disks: []Disk{{File: "/srv/here"}}}), CommandOptions{})
	check(t, err)
	explained, err := command.Explain()
	check(t, err)
	for i, argument := range explained {
		if argument.Key == "" && argument.Message == "" || argument.Index < i {
			t.Errorf("%d: %+v", i, argument)
		}
	}
	diff, err := command.Diff(command)
	check(t, err)
	if !diff.SameCommand || !diff.SameHardware || len(diff.Changes) != 0 {
		t.Errorf("%+v", diff)
	}
	larger, err := resolved.Command(ctx, vmOf(t, VMConfig{Name: "x", Memory: 3000, Disks: []Disk{{File: "/srv/here"}}}),
		CommandOptions{})
	check(t, err)
	diff, err = command.Diff(larger)
	check(t, err)
	if diff.SameHardware || len(diff.Changes) == 0 || diff.Changes[0].To == nil || diff.Changes[0].To.Key != "memory" {
		t.Errorf("%+v", diff)
	}
	larger.Close()
	saved, err := command.Save()
	check(t, err)
	loaded, err := LoadCommand(ctx, saved, "x.command")
	check(t, err)
	if loaded.Digest("command") != command.Digest("command") || !reflect.DeepEqual(loaded.Argv, command.Argv) ||
		!reflect.DeepEqual(loaded.Files, command.Files) || loaded.VMName != "x" {
		t.Errorf("%+v instead of %+v", loaded, command)
	}
	qemu, err := loaded.Cmd(nil)
	check(t, err)
	qemu.Path, qemu.Args = "/bin/readlink", []string{"readlink", "/proc/self/fd/3"}
	if output, err := qemu.Output(); err != nil || !strings.Contains(string(output), "/qemu/trees/") {
		t.Errorf("%s, %v", output, err)
	}
	loaded.Close()
	_, err = LoadCommand(ctx, bytes.Replace(saved, []byte("/srv/here"), []byte("/srv/gone"), -1), "x.command")
	if !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	if _, err := LoadCommand(ctx, []byte("{"), "x.command"); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	check(t, os.RemoveAll(filepath.Dir(resolved.Tree)))
	if _, err := LoadCommand(ctx, saved, "x.command"); err == nil {
		t.Error("the tree is gone")
	}
}
