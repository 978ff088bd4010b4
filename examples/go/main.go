// SPDX-License-Identifier: MIT

// Select a profile, resolve it, and print the command that runs a VM, or run it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"volt.example/run-vm/voltqemu"
)

func choose(profile string, vm *voltqemu.VM) (*voltqemu.Selection, error) {
	host, err := voltqemu.ProbeHost()
	if err != nil {
		return nil, err
	}
	if profile != "" {
		return voltqemu.SelectProfile(host, profile, "")
	}
	guestOS, err := vm.SelectionOS()
	if err != nil {
		return nil, err
	}
	return voltqemu.Select(host, "", "", guestOS)
}

func build(root, profile string, vm *voltqemu.VM) (*voltqemu.Selection, *voltqemu.Command, error) {
	selection, err := choose(profile, vm)
	if err != nil {
		return nil, nil, err
	}
	store, err := voltqemu.OpenStore(root)
	if err != nil {
		return nil, nil, err
	}
	resolved, err := store.Resolve(selection)
	if err != nil {
		return nil, nil, err
	}
	command, err := resolved.Command(vm)
	return selection, command, err
}

func start(command *voltqemu.Command) error {
	if err := command.Prepare(0); err != nil {
		return err
	}
	qemu, err := command.Cmd(nil)
	if err != nil {
		return err
	}
	qemu.Stdin, qemu.Stdout, qemu.Stderr = os.Stdin, os.Stdout, os.Stderr
	return qemu.Run()
}

func describe() (*voltqemu.VM, error) {
	given := voltqemu.VM{}
	file := flag.String("vm", "", "a JSON document; what follows overrides it")
	flag.StringVar(&given.Name, "name", "", "the VM's name")
	flag.Uint64Var(&given.Memory, "memory", 0, "MiB")
	flag.StringVar(&given.Rootfs, "rootfs", "", "absolute path")
	flag.StringVar(&given.Kernel, "kernel", "", "absolute path")
	flag.StringVar(&given.Initrd, "initrd", "", "absolute path")
	flag.Parse()
	vm := &voltqemu.VM{Name: "vm"}
	if *file != "" {
		var err error
		if vm, err = voltqemu.ReadVM(*file); err != nil {
			return nil, err
		}
	}
	for to, from := range map[*string]string{&vm.Name: given.Name, &vm.Rootfs: given.Rootfs,
		&vm.Kernel: given.Kernel, &vm.Initrd: given.Initrd} {
		if from != "" {
			*to = from
		}
	}
	if given.Memory != 0 {
		vm.Memory = given.Memory
	}
	return vm, nil
}

func main() {
	root := flag.String("root", "", "the store")
	profile := flag.String("profile", "", "a profile; without it one is selected")
	run := flag.Bool("run", false, "run it instead of printing it")
	vm, err := describe()
	var selection *voltqemu.Selection
	var command *voltqemu.Command
	if err == nil {
		selection, command, err = build(*root, *profile, vm)
	}
	if err == nil && *run {
		err = start(command)
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
