#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Select a profile, resolve it, and print the command that runs a VM, or run it."""
import argparse
import json
import os
import sys

import voltqemu


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, help="the store")
    parser.add_argument("--profile", help="a profile; without it one is selected")
    parser.add_argument("--name", required=True)
    parser.add_argument("--memory", type=int, default=0, help="MiB")
    for path in ("rootfs", "kernel", "initrd"):
        parser.add_argument(f"--{path}", type=os.path.abspath)
    parser.add_argument("--run", action="store_true", help="run it instead of printing it")
    return parser.parse_args()


def main():
    options = parse_arguments()
    host = voltqemu.Host.probe()
    if options.profile:
        selection = voltqemu.select_profile(host, options.profile)
    else:
        selection = voltqemu.select(host)
    runtime = voltqemu.Store(options.root).resolve(selection)
    vm = voltqemu.VM(options.name, options.memory, rootfs=options.rootfs, kernel=options.kernel,
                     initrd=options.initrd)
    command = voltqemu.Command(runtime, vm)
    if options.run:
        os.set_inheritable(os.dup(runtime.lease_fd), True)  # the lease ends with QEMU
        os.chdir(command.cwd)
        os.execve(command.path, command.argv, command.env)
    print(json.dumps({
        "profile": selection.profile,
        "reason": selection.reason,
        "argv": [os.fsdecode(argument) for argument in command.argv],
        "fingerprint": command.fingerprint,
    }, indent=2))


if __name__ == "__main__":
    try:
        main()
    except voltqemu.VoltError as error:
        sys.exit(f"run_vm.py: {error}")
