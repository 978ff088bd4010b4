# SPDX-License-Identifier: MIT
"""Guests of a hundred bytes that hear of their power button, and say so on the console."""
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("power_guest.S")
READY, SEEN, IGNORED = "GUEST READY", "POWERDOWN SEEN", "POWERDOWN IGNORED"


def build(path, deaf=False):
    """The kernel for q35 on x86; a deaf one says that it ignores the button, and stays."""
    compiler = os.environ.get("CC", "cc")
    link = ["-Wl,-melf_i386,--build-id=none,--no-warn-rwx-segments,-e,start",
            "-Wl,-Ttext=0x100000,--section-start=.note.pvh=0x101000"]
    subprocess.run([compiler, "-m32", "-nostdlib", "-static", *(["-DDEAF"] if deaf else []), *link,
                    "-o", os.fspath(path), os.fspath(SOURCE)], check=True)
    return path
