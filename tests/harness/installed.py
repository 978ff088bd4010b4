# SPDX-License-Identifier: MIT
"""The program in a place that every user and service sees."""
import shutil
from pathlib import Path


def copy_program(cli, directory):
    """The copy, with the library beside it as in the build directory."""
    program = Path(directory, "install/examples/volt-qemu/volt-qemu")
    library = Path(directory, "install/lib")
    program.parent.mkdir(parents=True)
    library.mkdir()
    shutil.copy(cli, program)
    shutil.copy(Path(cli).parents[2] / "lib/libvoltqemu.so.1", library)
    return program
