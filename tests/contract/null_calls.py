# SPDX-License-Identifier: MIT
"""Calls every public function with a NULL for each of its pointers in turn, all others good, with NULL for all, and
with a flag that there is not.

null_calls.py LIBRARY DIRECTORY FUNCTION... : in a process of its own, since a fault of the library would end it.
null_calls.py --removed PART LIBRARY DIRECTORY FUNCTION... : all arguments good, but that this part of the store ("."
for all of it) was removed after it was opened.
Prints a line for each call before it is made, and another with what it returned: "call NAME ARGUMENT", "got VALUE".
The prototypes come from the headers, as test_null.py reads them, in JSON on standard input.
"""
import ctypes
import json
import os
import shutil
import socket
import sys
import threading
from pathlib import Path

USAGE = -12
ALL, NONE = None, -1  # of the arguments are NULL


def answer_as_qemu(listener):
    connection, _ = listener.accept()
    event = b'{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}\n'
    with connection.makefile("rwb", buffering=0) as stream:
        stream.write(b'{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}, '
                     b'"capabilities": []}}\n' + event)
        for line in stream:
            request = json.loads(line)
            stream.write(json.dumps({"return": {}, "id": request.get("id")}).encode() + b"\n" + event)
            if request["execute"] == "quit":
                return


def answer_as_registry(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n'
                               b'{"tags": ["a"]}')


class Library:
    """The library, and a good value for each type of its handles."""

    def __init__(self, path, directory, prototypes):
        self.library = ctypes.CDLL(path)
        self.directory = Path(directory)
        self.prototypes = prototypes
        self.made = {}

    def call(self, name, *arguments, result=ctypes.c_int):
        function = getattr(self.library, name)
        function.restype = result
        return function(*arguments)

    def need(self, name, *arguments):
        """Call a function whose next to last parameter is a handle that it makes."""
        handle, error = ctypes.c_void_p(), ctypes.c_void_p()
        code = self.call(name, *arguments, ctypes.byref(handle), ctypes.byref(error))
        if code < 0:
            message = self.call("vqemu_error_message", error, result=ctypes.c_char_p)
            raise SystemExit(f"{name}: {message.decode()}")
        return handle

    def do(self, name, *arguments):
        error = ctypes.c_void_p()
        if self.call(name, *arguments, ctypes.byref(error)) < 0:
            raise SystemExit(f"{name}: {self.call('vqemu_error_message', error, result=ctypes.c_char_p).decode()}")

    # ---- what is needed for good calls ----

    def profile_directory(self):
        path = self.directory / "profile"
        (path / "bin").mkdir(parents=True, exist_ok=True)
        (path / "bin/qemu-system-x86_64").write_text("#!/bin/sh\n")
        return str(path).encode()

    def make(self, type_name):
        """A good handle of a type, made once."""
        if type_name not in self.made:
            self.made[type_name] = getattr(self, "make_" + type_name.removeprefix("vqemu_"))()
        return self.made[type_name]

    def make_call(self):
        return self.need("vqemu_call_new")

    def make_error(self):
        error = ctypes.c_void_p()
        self.call("vqemu_vm_new", None, None, ctypes.byref(error))
        return error

    def make_host_options(self):
        return self.need("vqemu_host_options_new")

    def make_host(self):
        return self.need("vqemu_host_probe", 0)

    def make_profile(self):
        return ctypes.c_void_p(self.call("vqemu_profile_find", b"emulate-x86", result=ctypes.c_void_p))

    def make_request(self):
        request = self.need("vqemu_request_new")
        self.do("vqemu_request_set_string", request, b"profile", b"emulate-x86")
        return request

    def make_selection(self):
        return self.need("vqemu_select", self.make("vqemu_host"), self.make("vqemu_request"), 0)

    def make_store_options(self):
        options = self.need("vqemu_store_options_new")
        self.do("vqemu_store_options_set_string", options, b"root", str(self.directory / "store").encode())
        return options

    def make_store(self):
        return self.need("vqemu_store_open", self.make("vqemu_store_options"), 1)

    def make_ingest_options(self):
        options = self.need("vqemu_ingest_options_new")
        self.do("vqemu_ingest_options_set_string", options, b"profile", b"emulate-x86")
        return options

    def make_collect_options(self):
        return self.need("vqemu_collect_options_new")

    def make_ingest(self):
        return self.need("vqemu_store_ingest", self.make("vqemu_store"), self.profile_directory(),
                         self.make("vqemu_ingest_options"), 0, None)

    def make_closure(self):
        return ctypes.c_void_p(self.call("vqemu_ingest_closure", self.make("vqemu_ingest"), result=ctypes.c_void_p))

    def make_revision(self):
        return ctypes.c_void_p(self.call("vqemu_ingest_revision", self.make("vqemu_ingest"),
                                         result=ctypes.c_void_p))

    def make_manifest(self):
        return ctypes.c_void_p(self.call("vqemu_revision_manifest", self.make("vqemu_revision"),
                                         result=ctypes.c_void_p))

    def stored(self):
        self.make("vqemu_ingest")
        return self.make("vqemu_store")

    def make_revision_list(self):
        return self.need("vqemu_store_list_revisions", self.stored(), None, 0, None)

    def make_profile_list(self):
        return self.need("vqemu_store_list_profiles", self.stored(), 0, None)

    def make_pin_list(self):
        return self.need("vqemu_store_list_pins", self.stored(), None, 0, None)

    def make_use_list(self):
        return self.need("vqemu_store_list_uses", self.stored(), None, 0, None)

    def make_size_list(self):
        return self.need("vqemu_store_list_sizes", self.stored(), None, 0, None)

    def make_collection(self):
        return self.need("vqemu_store_collect", self.stored(), None, 1, None)

    def make_check(self):
        return self.need("vqemu_store_check", self.stored(), None, 0, None, None)

    def make_runtime_options(self):
        options = self.need("vqemu_runtime_options_new")
        for key, value in ((b"binary", b"/t/bin/qemu-system-x86_64"), (b"firmware_dir", b"/t/firmware")):
            self.do("vqemu_runtime_options_set_string", options, key, value)
        return options

    def make_runtime(self):
        self.stored()
        return self.need("vqemu_resolve", self.make("vqemu_store"), self.make("vqemu_selection"), None, 0, None)

    def make_capabilities(self):
        """Of the QEMU that is installed: the runtime's own is none."""
        options, real = (self.need("vqemu_runtime_options_new"), shutil.which(
            "qemu-system-x86_64").encode())
        for key, value in ((b"binary", real), (b"firmware_dir", b"/usr/share/qemu")):
            self.do("vqemu_runtime_options_set_string", options, key, value)
        runtime = self.need("vqemu_runtime_new", self.make("vqemu_selection"), options, 0)
        return self.need("vqemu_runtime_probe", runtime, None, 0, None)

    def make_placement_list(self):
        return self.need("vqemu_runtime_list_placements", self.make("vqemu_runtime"), 0)

    def make_vm(self):
        vm = self.need("vqemu_vm_new", b"web")
        self.call("vqemu_vm_set_string", vm, b"firmware", b"bios", None)  # it boots nothing else
        return vm

    def make_command(self):
        return self.need("vqemu_command_build", self.make("vqemu_runtime"), self.make("vqemu_vm"), None, 0, None)

    def make_policy(self):
        return self.need("vqemu_policy_from_json", b"{}", 2, None, 0)

    def make_trust(self):
        return self.need("vqemu_trust_new")

    def make_evidence(self):
        return None  # there is one only while a verifier is asked

    def make_log_record(self):
        return None  # there is one only while an event is told

    def make_signature_list(self):
        return self.need("vqemu_store_list_signatures", self.stored(), self.make("vqemu_revision"), 0, None)

    def make_command_options(self):
        return self.need("vqemu_command_options_new")

    def make_unit_options(self):
        return self.need("vqemu_unit_options_new")

    def make_units(self):
        vm = self.need("vqemu_vm_new", b"web")
        self.do("vqemu_vm_set_string", vm, b"user", b"root")
        return self.need("vqemu_units_build", self.make("vqemu_runtime"), vm, self.make("vqemu_command_options"),
                         self.make("vqemu_unit_options"), 0, None)

    def make_remote(self):
        """Of a server that has one tag, and ends with this process."""
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=answer_as_registry, args=(listener,), daemon=True).start()
        remote = self.need("vqemu_remote_new", f"127.0.0.1:{listener.getsockname()[1]}/web".encode())
        self.do("vqemu_remote_set_number", remote, b"plain_http", ctypes.c_uint64(1))
        return remote

    def make_push(self):
        """To a registry to which all is fine."""
        return self.need("vqemu_store_push", self.stored(), self.make("vqemu_revision"), self.make("vqemu_remote"), None,
                         0, None)

    def make_tag_list(self):
        return self.need("vqemu_remote_list_tags", self.make("vqemu_remote"), 0, None)

    def make_monitor(self):
        """Of a process that has an event for everybody who waits, and ends when told to: no call takes its time."""
        path = self.directory / f"{len(os.listdir(self.directory))}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            if os.fork() == 0:
                answer_as_qemu(listener)
                os._exit(0)
        return self.need("vqemu_monitor_open", str(path).encode(), 0, None)

    # ---- the calls ----

    def good(self, function, parameter):
        """A good argument for a parameter, or None where NULL is one."""
        kind, name = parameter["type"], parameter["name"]
        if kind.endswith("vqemu_error **"):
            return ctypes.byref(ctypes.c_void_p())
        if kind.endswith("**"):
            return ctypes.byref(ctypes.c_void_p())
        handle = kind.replace("const ", "").removesuffix(" *")
        if handle.startswith("vqemu_") and kind.endswith("*"):
            return self.make(handle)
        if kind in ("const char *", "const void *"):
            return {"key": b"memory", "name": b"web", "path": str(self.directory / "x").encode(),
                    "directory": self.profile_directory(), "root": str(self.directory / "store").encode(),
                    "text": b'{"name": "web"}', "json": b'{"name": "web"}', "command": b"query-status",
                    "guest_arch": b"x86_64"}.get(name, b"web")
        if kind.endswith("*"):
            return ctypes.byref(ctypes.c_uint64())
        return {"size": 15, "fd": -1, "timeout_ms": 1}.get(name, 0)

    def attempt(self, function, without, flags=0):
        prototype = self.prototypes[function]
        arguments, alive = [], []
        for position, parameter in enumerate(prototype["parameters"]):
            is_null = without is ALL or position == without
            value = self.good(function, parameter) if not is_null else None
            if is_null and not parameter["type"].endswith("*") and "_fn" not in parameter["type"]:
                value = 0
            if parameter["name"] == "flags":
                value = flags
            alive.append(value)
            arguments.append(ctypes.c_uint64(value) if isinstance(value, int) else value)
        if function == "vqemu_monitor_shut_down":
            self.made.pop("vqemu_monitor", None)  # nobody is at its other end any more
        label = ("flags" if flags else "all" if without is ALL else "none" if without is NONE
                 else prototype["parameters"][without]["name"])
        print(f"call {function} {label}", flush=True)
        code = self.call(function, *arguments)
        print(f"got {code}", flush=True)


def call_without_store(part, path, directory, functions):
    library = Library(path, directory, json.load(sys.stdin))
    os.makedirs(directory, exist_ok=True)
    library.stored()
    for function in functions:
        for parameter in library.prototypes[function]["parameters"]:
            library.good(function, parameter)
    shutil.rmtree(library.directory / "store" / part)
    for function in functions:
        library.attempt(function, NONE)


def main():
    if sys.argv[1] == "--removed":
        call_without_store(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
        return
    library = Library(sys.argv[1], sys.argv[2], json.load(sys.stdin))
    os.makedirs(sys.argv[2], exist_ok=True)
    for function in sys.argv[3:]:
        library.attempt(function, ALL)
        if function.endswith(("_free", "_unref")) or function == "vqemu_free":
            continue
        for position, parameter in enumerate(library.prototypes[function]["parameters"]):
            if parameter["type"].endswith("*"):
                library.attempt(function, position)
            elif parameter["name"] == "flags":
                library.attempt(function, position, 1 << 31)


if __name__ == "__main__":
    main()
