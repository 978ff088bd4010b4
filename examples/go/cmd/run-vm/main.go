// SPDX-License-Identifier: MIT

// Run-vm selects a profile, resolves it, and prints the command that runs a VM, or runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"volt-qemu.org/go/voltqemu"
)

// describe reads the VM from a document and from flags, which override it.
func describe() (*voltqemu.VM, error) {
	given := voltqemu.VMConfig{}
	file := flag.String("vm", "", "a JSON document; what follows overrides it")
	flag.StringVar(&given.Name, "name", "", "the VM's name")
	flag.Uint64Var(&given.Memory, "memory", 0, "MiB")
	flag.StringVar(&given.Rootfs, "rootfs", "", "absolute path")
	flag.StringVar(&given.Kernel, "kernel", "", "absolute path")
	flag.StringVar(&given.Initrd, "initrd", "", "absolute path")
	flag.StringVar(&given.Profile, "profile", "", "a profile; without it one is selected")
	flag.Parse()
	vm, err := voltqemu.NewVM("vm")
	if *file != "" {
		vm, err = voltqemu.ReadVM(*file)
	}
	if err != nil {
		return nil, err
	}
	return vm, vm.Merge(&given)
}

// build puts the profile that fits on disk, and finds the command that runs the VM on it.
func build(ctx context.Context, root string, vm *voltqemu.VM) (*voltqemu.Selection, *voltqemu.Command, error) {
	host, err := voltqemu.ProbeHost()
	if err != nil {
		return nil, nil, err
	}
	defer host.Close()
	store, err := voltqemu.OpenStore(root)
	if err != nil {
		return nil, nil, err
	}
	defer store.Close()
	selection, err := voltqemu.Select(ctx, host, voltqemu.Request{VM: vm, Store: store})
	if err != nil {
		return nil, nil, err
	}
	runtime, err := store.Resolve(ctx, selection, voltqemu.ResolveOptions{}, voltqemu.WithThreads(4))
	if err != nil {
		return nil, nil, err
	}
	defer runtime.Close() // the command keeps it
	command, err := runtime.Command(ctx, vm, voltqemu.CommandOptions{})
	return selection, command, err
}

// start runs the VM at this terminal, until it ends or this program is told to end it.
func start(command *voltqemu.Command) error {
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	qemu, err := command.Cmd(nil)
	if err != nil {
		return err
	}
	qemu.Stdin, qemu.Stdout, qemu.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := qemu.Start(); err != nil {
		return err
	}
	running, ended := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		attend(running, told, qemu.Process, command.Socket(voltqemu.SocketQMP))
	}()
	err = qemu.Wait()
	ended()
	<-over
	return err
}

// attend shuts the guest down in order once it is told to, if the VM has a QMP socket (qmp_socket); else it ends QEMU.
func attend(running, told context.Context, qemu *os.Process, socket string) {
	select {
	case <-running.Done():
		return
	case <-told.Done():
	}
	if socket != "" {
		end, err := shutDown(running, socket)
		if err == nil {
			fmt.Fprintf(os.Stderr, "run-vm: the guest is %v\n", end)
			return
		}
		fmt.Fprintln(os.Stderr, "run-vm:", err)
	}
	qemu.Signal(syscall.SIGTERM)
}

// shutDown waits for QEMU to listen, which may have begun just now.
func shutDown(running context.Context, socket string) (voltqemu.ShutdownEnd, error) {
	monitor, err := voltqemu.WaitForMonitor(running, socket)
	if err != nil {
		return 0, err
	}
	defer monitor.Close()
	return monitor.ShutDown(context.Background(), 90*time.Second)
}

func perform() error {
	root := flag.String("root", "/var/lib/volt", "the store")
	run := flag.Bool("run", false, "run it instead of printing it")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	vm, err := describe()
	if err != nil {
		return err
	}
	selection, command, err := build(ctx, *root, vm)
	if err != nil {
		return err
	}
	defer command.Close()
	if *run {
		if err := command.Prepare(ctx, voltqemu.RefuseVariables); err != nil {
			return err
		}
		stop() // from here on, Ctrl-C is QEMU's
		return start(command)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"profile": selection.Profile.Name, "message": selection.Message,
		"argv": command.Argv, "digest": command.Digest("command")})
}

func main() {
	err := perform()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "run-vm:", err)
	if errors.Is(err, voltqemu.ErrNoRevision) || errors.Is(err, voltqemu.ErrNoStore) {
		fmt.Fprintln(os.Stderr, "run-vm: put a profile there first; docs/guide.md says how")
	}
	os.Exit(1)
}
