// SPDX-License-Identifier: MIT

// Select a profile, resolve it, and print the command that runs a VM, or run it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"

	"volt.example/run-vm/voltqemu"
)

func build(root, profile string, vm *voltqemu.VM) (*voltqemu.Selection, *voltqemu.Runtime,
	*voltqemu.Command, error) {
	host, err := voltqemu.ProbeHost()
	if err != nil {
		return nil, nil, nil, err
	}
	var selection *voltqemu.Selection
	if profile != "" {
		selection, err = voltqemu.SelectProfile(host, profile, "")
	} else {
		selection, err = voltqemu.Select(host, "", "", "")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	store, err := voltqemu.OpenStore(root)
	if err != nil {
		return nil, nil, nil, err
	}
	resolved, err := store.Resolve(selection)
	if err != nil {
		return nil, nil, nil, err
	}
	command, err := resolved.Command(vm)
	return selection, resolved, command, err
}

// start runs the command; QEMU inherits the lease on its tree.
func start(resolved *voltqemu.Runtime, command *voltqemu.Command) error {
	lease, err := resolved.Lease()
	if err != nil {
		return err
	}
	defer lease.Close()
	qemu := exec.Cmd{Path: command.Path, Args: command.Argv, Env: command.Env, Dir: command.Dir,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: []*os.File{lease}}
	return qemu.Run()
}

func main() {
	vm := &voltqemu.VM{}
	root := flag.String("root", "", "the store")
	profile := flag.String("profile", "", "a profile; without it one is selected")
	run := flag.Bool("run", false, "run it instead of printing it")
	flag.StringVar(&vm.Name, "name", "", "the VM's name")
	flag.Uint64Var(&vm.Memory, "memory", 0, "MiB")
	flag.StringVar(&vm.Rootfs, "rootfs", "", "absolute path")
	flag.StringVar(&vm.Kernel, "kernel", "", "absolute path")
	flag.StringVar(&vm.Initrd, "initrd", "", "absolute path")
	flag.Parse()

	selection, resolved, command, err := build(*root, *profile, vm)
	if err == nil && *run {
		err = start(resolved, command)
	} else if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(map[string]any{"profile": selection.Profile(),
			"reason": selection.Reason(), "argv": command.Argv, "fingerprint": command.Fingerprint})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run-vm:", err)
		os.Exit(1)
	}
}
