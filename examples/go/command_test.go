// SPDX-License-Identifier: MIT

package voltqemu

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func commandFor(t *testing.T, config VMConfig) *Command {
	t.Helper()
	command, err := resolve(t, ingested(t)).Command(ctx, vmOf(t, config), CommandOptions{})
	check(t, err)
	return command
}

func TestACommandTellsWhatBelongsToIt(t *testing.T) {
	command := commandFor(t, VMConfig{Name: "web 1", RuntimeDir: "/run/web", StateDir: "/var/web",
		QMPSocket: "/run/q.sock", User: "nobody", Disks: []Disk{{File: "/disk.img"}},
		Shares: []Share{{Path: "/srv", Tag: "srv", Driver: "virtiofs"}}})
	if command.VMName != "web 1" || command.VMID == "" || command.User != "nobody" || command.RuntimeDir != "/run/web" ||
		command.StateDir != "/var/web" || command.Socket("qmp") != "/run/q.sock" || command.Socket("vnc") != "" ||
		command.Socket("x\x00") != "" {
		t.Errorf("%+v", command)
	}
	disk := false
	for _, file := range command.Files {
		disk = disk || file == File{"/disk.img", true, true, false}
	}
	if !disk {
		t.Errorf("%+v", command.Files)
	}
	if len(command.Companions) != 1 || command.Companions[0].Kind != "virtiofsd" || command.Companions[0].Socket == "" ||
		len(command.Companions[0].Argv) < 2 {
		t.Errorf("%+v", command.Companions)
	}
	for _, what := range []DigestOf{DigestCommand, DigestHardware, "command"} {
		if len(command.Digest(what)) != 64 {
			t.Errorf("%s: %q", what, command.Digest(what))
		}
	}
	if command.Digest("weather") != "" {
		t.Error("a digest of the weather")
	}
	text, err := command.JSON()
	var read struct{ Argv, Env []string }
	if err != nil || json.Unmarshal(text, &read) != nil || !reflect.DeepEqual(read.Argv, command.Argv) ||
		!reflect.DeepEqual(read.Env, command.Env) {
		t.Errorf("%s, %v", text, err)
	}
	if shell, err := command.Shell(); err != nil || !strings.Contains(shell, command.Path) {
		t.Error(shell, err)
	}
	if runtime, err := command.Runtime(); err != nil || runtime.Profile.Name != "emulate-x86" {
		t.Errorf("%+v, %v", runtime, err)
	}
}

func TestOptionsOfCommands(t *testing.T) {
	resolved := resolve(t, ingested(t))
	vm := vmOf(t, VMConfig{Name: "x", RuntimeDir: "/run/x", Firmware: "bios"})
	for word, options := range map[string]CommandOptions{"-S": {Paused: true}, "defer": {Incoming: true}} {
		command, err := resolved.Command(ctx, vm, options)
		check(t, err)
		plain, err := resolved.Command(ctx, vm, CommandOptions{})
		if err != nil || has(plain.Argv, word) || !has(command.Argv, word) {
			t.Errorf("%s: %v", word, command.Argv)
		}
	}
	command, err := resolved.Command(ctx, vm, CommandOptions{ForUnit: true})
	if err != nil || command.Socket("qmp") == "" || command.Socket("stop") == "" {
		t.Error(command.Argv, err)
	}
}

func has(words []string, word string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}

func TestCmdHasFilesUnderTheirNumbersAndTheLease(t *testing.T) {
	image, err := os.CreateTemp(t.TempDir(), "disk")
	check(t, err)
	defer image.Close()
	command := commandFor(t, VMConfig{Name: "x", Disks: []Disk{{FD: 7}}, StateDir: "/s", RuntimeDir: "/r"})
	if !reflect.DeepEqual(command.FDs, []Descriptor{{7, "disks[0].fd", ""}}) {
		t.Errorf("%+v", command.FDs)
	}
	if _, err := command.Cmd(nil); !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), "disks[0].fd") {
		t.Error(err)
	}
	qemu, err := command.Cmd(map[int]*os.File{7: image})
	check(t, err)
	if !has(qemu.Args, command.Argv[len(command.Argv)-1]) || qemu.Dir != command.Dir {
		t.Errorf("%+v", qemu)
	}
	qemu.Path, qemu.Args = "/bin/sh", []string{"sh", "-c", "readlink /proc/self/fd/7 /proc/self/fd/8; ls /proc/$$/fd"}
	qemu.Env = []string{"PATH=/bin:/usr/bin"}
	output, err := qemu.Output()
	lines := strings.Fields(string(output))
	if err != nil || len(lines) < 3 || lines[0] != image.Name() || !strings.Contains(lines[1], "/qemu/trees/") {
		t.Errorf("%v: %s", err, output)
	}
	for _, absent := range []string{"3", "4", "5", "6"} {
		if has(lines[2:], absent) {
			t.Errorf("%s is open: %s", absent, output)
		}
	}
}

func TestDescriptorsByNameAreNumberedForTheProcess(t *testing.T) {
	image, err := os.CreateTemp(t.TempDir(), "disk")
	check(t, err)
	defer image.Close()
	command := commandFor(t, VMConfig{Name: "x", Disks: []Disk{{FDName: "root"}}, QMPFD: 3})
	if !reflect.DeepEqual(command.FDs, []Descriptor{{3, "qmp_fd", ""}, {4, "disks[0].fd_name", "root"}}) {
		t.Errorf("%+v", command.FDs)
	}
	qemu, err := command.Cmd(map[int]*os.File{3: image, 4: image})
	check(t, err)
	qemu.Path, qemu.Args = "/bin/sh", []string{"sh", "-c", "readlink /proc/self/fd/4"}
	qemu.Env = []string{"PATH=/bin:/usr/bin"}
	if output, err := qemu.Output(); err != nil || string(output) != image.Name()+"\n" {
		t.Errorf("%v: %s", err, output)
	}
}

func TestTheLeaseIsKeptByTheProcess(t *testing.T) {
	store := ingested(t)
	resolved := resolve(t, store)
	command, err := resolved.Command(ctx, vmOf(t, VMConfig{Name: "x", Firmware: "bios"}), CommandOptions{})
	check(t, err)
	qemu, err := command.Cmd(nil)
	check(t, err)
	qemu.Path, qemu.Args = "/bin/sleep", []string{"sleep", "600"}
	check(t, qemu.Start())
	resolved.Close()
	command.Close()
	ingest(t, store, 2)
	if collected, err := store.Collect(ctx, 1, false); err != nil || len(removedTrees(collected)) != 0 {
		t.Errorf("%+v, %v", collected, err)
	}
	qemu.Process.Kill()
	qemu.Wait()
	if len(qemu.ExtraFiles) != 0 {
		t.Errorf("%+v", qemu.ExtraFiles)
	}
	resolve(t, store) // the link is to the newer one now
	if collected, err := store.Collect(ctx, 1, false); err != nil || len(removedTrees(collected)) != 1 {
		t.Errorf("%+v, %v", collected, err)
	}
}

func TestACmdKeepsNoDescriptors(t *testing.T) {
	store := ingested(t)
	resolved := resolve(t, store)
	command, err := resolved.Command(ctx, vmOf(t, VMConfig{Name: "x", Firmware: "bios"}), CommandOptions{})
	check(t, err)
	before := openDescriptors(t)
	var all []*Cmd // so that none is garbage
	for i := 0; i < 100; i++ {
		qemu, err := command.Cmd(nil)
		check(t, err)
		all = append(all, qemu)
	}
	check(t, all[0].Run())
	if _, err := all[1].Output(); err != nil {
		t.Error(err)
	}
	if _, err := all[2].CombinedOutput(); err != nil {
		t.Error(err)
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors are open, and not %d", after, before)
	}
	if err := store.RemoveRevision(ctx, resolved.Revision); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	command.Close()
	resolved.Close()
	check(t, store.RemoveRevision(ctx, resolved.Revision))
	if err := all[3].Start(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	runtime.GC() // what earlier tests have left
	time.Sleep(10 * time.Millisecond)
	entries, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(entries)
}

func TestACmdIsNotStartedWithoutTheLease(t *testing.T) {
	qemu, err := commandFor(t, VMConfig{Name: "x", Firmware: "bios"}).Cmd(nil)
	check(t, err)
	if err := qemu.Cmd.Run(); !errors.Is(err, &Error{Code: CodeUsage, Reason: "no-lease"}) {
		t.Error(err)
	}
	for i := 0; i < 3; i++ { // what it was made of may be garbage
		runtime.GC()
	}
	output, err := qemu.Output()
	if err != nil || len(output) == 0 {
		t.Errorf("%s, %v", output, err)
	}
}

func TestFilesThatCannotBePassedOnAreRefused(t *testing.T) {
	image, err := os.CreateTemp(t.TempDir(), "disk")
	check(t, err)
	command := commandFor(t, VMConfig{Name: "x", Disks: []Disk{{FD: 7}}, StateDir: "/s", RuntimeDir: "/r"})
	_, err = command.Cmd(map[int]*os.File{7: image, 9: image, 8: image})
	if !errors.Is(err, &Error{Code: CodeInvalid, Reason: "descriptor-mismatch"}) || !strings.Contains(err.Error(), "descriptor 8") {
		t.Error(err)
	}
	image.Close()
	_, err = command.Cmd(map[int]*os.File{7: image})
	if !errors.Is(err, &Error{Code: CodeInvalid, Reason: "no-file"}) || !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func removedTrees(collected *Collection) []string {
	var trees []string
	for _, removed := range collected.Removed {
		if removed.Kind == "tree" {
			trees = append(trees, removed.Name)
		}
	}
	return trees
}

func TestTheProgramRuns(t *testing.T) {
	command := commandFor(t, VMConfig{Name: "web,1", Firmware: "bios"})
	qemu, err := command.Cmd(nil)
	check(t, err)
	output, err := qemu.Output()
	if err != nil || !strings.HasPrefix(string(output), strings.Join(command.Argv[1:], "\n")) {
		t.Errorf("%v: %s", err, output)
	}
}

func TestPrepare(t *testing.T) {
	directory := t.TempDir()
	command := commandFor(t, VMConfig{Name: "x", Firmware: "bios", Console: "file", RuntimeDir: directory + "/run"})
	check(t, command.Prepare(ctx, RefuseVariables))
	if _, err := os.Stat(directory + "/run"); err != nil {
		t.Error(err)
	}
	if err := command.Prepare(ctx, KeepVariables|ResetVariables); err == nil {
		t.Error("both at once")
	}
}

func TestARuntimeByHand(t *testing.T) {
	runtime, err := NewRuntime(selectProfile(t, Request{}), RuntimeOptions{Binary: "/q/bin/qemu",
		FirmwareDir: "/q/firmware", LibDir: "/q/lib", Loader: "/q/lib/ld.so"})
	check(t, err)
	if runtime.Tree != "" || runtime.Revision != "" || runtime.Binary != "/q/bin/qemu" ||
		runtime.Loader != "/q/lib/ld.so" {
		t.Errorf("%+v", runtime)
	}
	if lease, err := runtime.Lease(); lease != nil || err != nil {
		t.Error(lease, err)
	}
	command, err := runtime.Command(ctx, vmOf(t, VMConfig{Name: "x", Firmware: "bios"}), CommandOptions{})
	check(t, err)
	if qemu, err := command.Cmd(nil); err != nil || len(qemu.ExtraFiles) != 0 {
		t.Errorf("%+v, %v", qemu, err)
	}
	if _, err := NewRuntime(selectProfile(t, Request{}), RuntimeOptions{Binary: "qemu"}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestUnits(t *testing.T) {
	resolved := resolve(t, ingested(t))
	stop := []string{"/usr/bin/stop it", "--now"}
	shares := []Share{{Path: "/srv", Tag: "s", Driver: "virtiofs"}}
	units, err := resolved.Units(ctx, vmOf(t, VMConfig{Name: "web", User: "root", Firmware: "bios", Shares: shares}),
		UnitOptions{NamePrefix: "my-", StopTimeout: 1500 * time.Millisecond, StopCommand: stop})
	check(t, err)
	service := units.Units[0]
	if len(units.Units) != 3 || service.Name != "my-web.service" || !strings.Contains(service.Text, "stop it") ||
		!strings.Contains(service.Text, "--timeout 2 ") {
		t.Errorf("%+v", units.Units)
	}
	if units.Command.Socket("stop") == "" || units.Command.VMName != "web" {
		t.Errorf("%+v", units.Command)
	}
	_, err = resolved.Units(ctx, vmOf(t, VMConfig{Name: "web", User: "root", Firmware: "bios"}), UnitOptions{StopCommand: []string{"stop"}})
	if !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	for _, refused := range []struct {
		options UnitOptions
		is      error
	}{{UnitOptions{StopTimeout: time.Second}, &Error{Code: CodeUsage, Reason: "flags-at-odds"}},
		{UnitOptions{StopTimeout: -1, StopCommand: stop}, &Error{Code: CodeInvalid, Reason: "out-of-range"}}} {
		_, err = resolved.Units(ctx, vmOf(t, VMConfig{Name: "web", User: "root", Firmware: "bios"}), refused.options)
		if !errors.Is(err, refused.is) || !strings.Contains(err.Error(), "stop_seconds") {
			t.Error(err)
		}
	}
	if program, err := exec.LookPath("systemd-analyze"); err == nil {
		directory := t.TempDir()
		for _, unit := range units.Units {
			check(t, os.WriteFile(filepath.Join(directory, unit.Name), []byte(unit.Text), 0o644))
		}
		output, err := exec.Command(program, "verify", "--man=no", filepath.Join(directory, service.Name)).CombinedOutput()
		if strings.Contains(string(output), "Unknown") {
			t.Errorf("%v: %s", err, output)
		}
	}
}
