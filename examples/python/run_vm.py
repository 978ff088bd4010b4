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
    parser.add_argument("--vm", help="a JSON document; what follows overrides it")
    parser.add_argument("--name")
    parser.add_argument("--memory", type=int, help="MiB")
    for path in ("rootfs", "kernel", "initrd"):
        parser.add_argument(f"--{path}", type=os.path.abspath)
    parser.add_argument("--run", action="store_true", help="run it instead of printing it")
    return parser.parse_args()


def describe(options):
    vm = voltqemu.VM.from_file(options.vm) if options.vm else voltqemu.VM("vm")
    given = {key: getattr(options, key) for key in ("name", "memory", "rootfs", "kernel", "initrd")}
    vm.set(**{key: value for key, value in given.items() if value is not None})
    return vm


def main():
    options = parse_arguments()
    vm = describe(options)
    host = voltqemu.Host.probe()
    if options.profile:
        selection = voltqemu.select_profile(host, options.profile)
    else:
        selection = voltqemu.select(host, guest_os=vm.selection_os)
    command = voltqemu.Command(voltqemu.Store(options.root).resolve(selection), vm)
    if options.run:
        command.prepare()
        sys.exit(command.start().wait())
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
