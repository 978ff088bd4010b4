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
    given = {key: getattr(options, key) for key in ("name", "profile", "memory", "rootfs", "kernel", "initrd")}
    vm.merge({key: value for key, value in given.items() if value is not None})
    return vm


def main():
    options = parse_arguments()
    vm = describe(options)
    store = voltqemu.Store(options.root)
    selection = voltqemu.select(vm=vm, store=store)
    command = voltqemu.Command(store.resolve(selection), vm)
    if options.run:
        command.prepare()
        sys.exit(command.start().wait())
    print(json.dumps({
        "profile": selection.profile.name,
        "message": selection.message,
        "argv": command.argv,
        "digest": command.digest(),
    }, indent=2))


if __name__ == "__main__":
    try:
        main()
    except voltqemu.Error as error:
        sys.exit(f"run_vm.py: {error}")
