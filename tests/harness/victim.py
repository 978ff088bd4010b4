# SPDX-License-Identifier: MIT
"""Another VM, as an attacker meets it: a process with a secret in memory, sockets, files and whatever has a name.
Arguments: its name, and a file into which it writes where all that is."""
import ctypes
import json
import os
import pty
import socket
import sys
import threading
import time

NAME, FOUND = sys.argv[1:]
KEYS = {"shmget": 29, "msgget": 68, "add_key": 248}  # of x86_64


def listen(family, address):
    listener = socket.socket(family)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
    listener.listen(100)
    threading.Thread(target=lambda: [listener.accept() for _ in iter(int, 1)], daemon=True).start()


def main():
    c = ctypes.CDLL(None, use_errno=True)
    secret = ctypes.create_string_buffer(b"secret of " + NAME.encode())
    master, slave = pty.openpty()
    os.environ["SECRET"] = "in the environment"
    if NAME == "same":
        listen(socket.AF_UNIX, "/run/volt/same/qmp.sock")
        listen(socket.AF_UNIX, "\0volt-victim-same")
        listen(socket.AF_INET, ("127.0.0.1", 7001))
        listen(socket.AF_INET6, ("::1", 7001))
        with open("/var/lib/volt/vms/same/nvram.fd", "w") as file:
            file.write("variables")
        for path in ("/dev/shm/volt-victim-same", "/tmp/victim", "/var/tmp/victim"):
            with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write("secret")
        c.syscall(KEYS["add_key"], b"user", b"volt-victim", b"secret", 6, -4)
    with open(FOUND + ".new", "w") as file:
        json.dump({"pid": os.getpid(), "address": ctypes.addressof(secret), "terminal": os.ttyname(slave)}, file)
    os.rename(FOUND + ".new", FOUND)
    time.sleep(100000)


main()
