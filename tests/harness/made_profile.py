# SPDX-License-Identifier: MIT
"""Profile directories: of the QEMU that is installed, or, where VOLT_PROFILES names a directory that
examples/profiles/build made (--output), of those that were compiled for their purpose."""
import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
X86 = ["x86_64", "i386"]


def purpose_built(profile=""):
    """The directory of them, or of one of them; None where the installed QEMU is meant, as for those that were not
    compiled."""
    named = os.environ.get("VOLT_PROFILES")
    return Path(named, profile) if named and Path(named, profile).is_dir() else None


def emulating(arch):
    """The profile that runs such guests anywhere."""
    return "emulate-x86" if arch in X86 else "emulate-foreign"


def make_profile(directory, *arches):
    """With the programs for these guests, which are all x86 or all others. Returns the directory."""
    directory = Path(directory)
    compiled = purpose_built(emulating(arches[0]))
    if compiled:
        shutil.copytree(compiled, directory)
    else:
        subprocess.run([SOURCE / "examples/make-profile", directory, *arches], check=True, stdout=subprocess.DEVNULL)
    return directory
