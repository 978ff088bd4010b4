# SPDX-License-Identifier: MIT
"""Compiles firmware_tool.c with the library's objects, which have more to call than the library shows."""
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))


def compile_tool(directory):
    program = directory / "firmware_tool"
    libraries = subprocess.run(["pkg-config", "--libs", "jansson", "nettle"], capture_output=True, text=True,
                               check=True).stdout.split()
    subprocess.run(["cc", "-std=c11", "-O1", "-o", program, SOURCE / "tests/harness/firmware_tool.c",
                    f"-I{SOURCE}/lib", f"-I{SOURCE}/include", f"-I{BUILD}/include",
                    BUILD / "lib/libvoltqemu-internal.a", *libraries, "-lpthread", "-ldl"], check=True)
    return program
