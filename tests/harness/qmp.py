# SPDX-License-Identifier: MIT
"""Start a command with a QMP socket, talk to it, end it."""
import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time

DEADLINE = 60.0  # seconds; a start takes 0.2 s on a quiet machine


class QemuFailed(Exception):
    """QEMU ended, or said something on stderr, instead of answering."""


class Qmp:
    """One connection to a QMP socket."""

    def __init__(self, connection, process=None):
        self.process = process
        self._file = connection.makefile("rwb")
        self._read()  # the greeting
        self.execute("qmp_capabilities")

    def _read(self):
        line = self._file.readline()
        if not line:
            raise ConnectionError("QEMU closed its QMP socket")
        return json.loads(line)

    def execute(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        self._file.write(json.dumps(request).encode() + b"\n")
        self._file.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise QemuFailed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


def _connect(process, path):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output = process.stdout.read().decode(errors="replace")
            raise QemuFailed(f"QEMU exited with status {process.returncode}: {output}")
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            connection.settimeout(DEADLINE)
            return connection
        time.sleep(0.02)
    raise QemuFailed("QEMU opened no QMP socket in time")


@contextlib.contextmanager
def stopped_machine(make_command, pass_fds=(), environment=None, prefix=(), said=b""):
    """Run what make_command(extra arguments) gives: argv, environment, directory. The guest stands
    still; yields the connection. At the end QEMU must quit without a word on stdout or stderr, but
    for a pattern that is expected. prefix: a program that is to execute QEMU."""
    with tempfile.TemporaryDirectory(prefix="qmp-") as directory:
        path = os.path.join(directory, "qmp.sock")
        argv, own, cwd = make_command(["-S", "-qmp", f"unix:{path},server=on,wait=off"])
        process = subprocess.Popen([*prefix, *argv], env={**own, **(environment or {})}, cwd=cwd,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, pass_fds=pass_fds)
        try:
            with _connect(process, path) as connection:
                qmp = Qmp(connection, process)
                yield qmp
                qmp.execute("quit")
            output, _ = process.communicate(timeout=DEADLINE)
        except ConnectionError:
            output, _ = process.communicate(timeout=DEADLINE)
            text = output.decode(errors="replace")
            raise QemuFailed(f"QEMU exited with status {process.returncode}: {text}") from None
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0 or not re.fullmatch(said, output, re.DOTALL):
            raise QemuFailed(f"QEMU ended with status {process.returncode} and said {output!r}")
