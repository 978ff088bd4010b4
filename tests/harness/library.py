# SPDX-License-Identifier: MIT
"""The library itself, by ctypes: commands for VMs that are described by dictionaries as in JSON, but
each value is set by its key, so that bytes which are not UTF-8 can be had as well."""
import ctypes
import json
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

BUILD = Path(os.environ.get("BUILD_DIR", Path(__file__).resolve().parents[2] / "build"))
INVALID, UNSUPPORTED = -2, -5


class Refused(Exception):
    """What the library says against a VM."""

    def __init__(self, code, message):
        super().__init__(message.decode(errors="backslashreplace"))
        self.code = code
        self.message = message


class Command:
    """What to execute; all strings are bytes."""

    def __init__(self, argv, env, cwd, fds):
        self.argv = argv
        self.env = dict(variable.split(b"=", 1) for variable in env)
        self.cwd = cwd
        self.fds = fds


_library = ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))


def _function(name, result, *arguments):
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


_error_code = _function("vqemu_error_code", c_int, c_void_p)
_error_message = _function("vqemu_error_message", c_char_p, c_void_p)
_error_free = _function("vqemu_error_free", None, c_void_p)


def _fallible(name, *arguments):
    """A function whose last argument is a vqemu_error **."""
    function = _function(name, c_int, *arguments, POINTER(c_void_p))

    def call(*values):
        error = c_void_p()
        code = function(*values, byref(error))
        if code == 0:
            return
        message = _error_message(error)
        assert code == _error_code(error), (code, message)
        _error_free(error)
        raise Refused(code, message)

    return call


_OUT = POINTER(c_void_p)
_host_options_new = _fallible("vqemu_host_options_new", _OUT)
_host_options_set = _fallible("vqemu_host_options_set_string", c_void_p, c_char_p, c_char_p)
_host_options_free = _function("vqemu_host_options_free", None, c_void_p)
_host_new = _fallible("vqemu_host_new", c_void_p, c_uint32, _OUT)
_host_free = _function("vqemu_host_free", None, c_void_p)
_request_new = _fallible("vqemu_request_new", _OUT)
_request_set = _fallible("vqemu_request_set_string", c_void_p, c_char_p, c_char_p)
_request_free = _function("vqemu_request_free", None, c_void_p)
_select = _fallible("vqemu_select", c_void_p, c_void_p, ctypes.c_uint32, _OUT)
_selection_free = _function("vqemu_selection_free", None, c_void_p)
_runtime_options_new = _fallible("vqemu_runtime_options_new", _OUT)
_runtime_options_set = _fallible("vqemu_runtime_options_set_string", c_void_p, c_char_p, c_char_p)
_runtime_options_free = _function("vqemu_runtime_options_free", None, c_void_p)
_runtime_new = _fallible("vqemu_runtime_new", c_void_p, c_void_p, c_uint32, _OUT)
_runtime_unref = _function("vqemu_runtime_unref", None, c_void_p)
_vm_new = _fallible("vqemu_vm_new", c_char_p, _OUT)
_vm_from_json = _fallible("vqemu_vm_from_json", c_char_p, c_size_t, c_char_p, c_uint32, _OUT)
_vm_free = _function("vqemu_vm_free", None, c_void_p)
_set_string = _fallible("vqemu_vm_set_string", c_void_p, c_char_p, c_char_p)
_set_number = _fallible("vqemu_vm_set_number", c_void_p, c_char_p, c_uint64)
_set_switch = _fallible("vqemu_vm_set_switch", c_void_p, c_char_p, ctypes.c_int32)
_vm_to_json = _fallible("vqemu_vm_to_json", c_void_p, c_uint32, _OUT)
_vm_complete = _fallible("vqemu_vm_complete", c_void_p, c_void_p, c_void_p, c_uint32, c_void_p)
_free = _function("vqemu_free", None, c_void_p)
_command_build = _fallible("vqemu_command_build", c_void_p, c_void_p, c_void_p, c_uint32, c_void_p, _OUT)
_command_unref = _function("vqemu_command_unref", None, c_void_p)
_command_argv = _function("vqemu_command_argv", POINTER(c_char_p), c_void_p)
_command_envp = _function("vqemu_command_envp", POINTER(c_char_p), c_void_p)
_command_cwd = _function("vqemu_command_cwd", c_char_p, c_void_p)
_command_fd_count = _function("vqemu_command_fd_count", c_size_t, c_void_p)
_command_fd = _function("vqemu_command_fd_at", c_int, c_void_p, c_size_t)

_machine_count = _function("vqemu_guest_arch_machine_count", c_size_t, c_char_p)
_machine_at = _function("vqemu_guest_arch_machine_at", c_char_p, c_char_p, c_size_t)


def machines_of(arch):
    """The machines that guests of an architecture can have."""
    return [_machine_at(arch.encode(), i).decode() for i in range(_machine_count(arch.encode()))]


def encode(value):
    return None if value is None else os.fsencode(value)


def _set(vm, key, value):
    """A value, or all that is below it: a dictionary or list as it stands in JSON."""
    if value == {} and key:  # an element of a list, with the defaults
        _set_string(vm, encode(f"{key}.id"), None)
    elif isinstance(value, dict):
        for name, below in value.items():
            _set(vm, f"{key}.{name}" if key else name, below)
    elif isinstance(value, list):
        for i, below in enumerate(value):
            _set(vm, f"{key}[{i}]", below)
    elif isinstance(value, bool):
        _set_switch(vm, encode(key), int(value))
    elif isinstance(value, int):
        _set_number(vm, encode(key), value)
    else:
        _set_string(vm, encode(key), encode(value))


class Vm:
    """A VM by its setters."""

    def __init__(self, description):
        self.pointer = c_void_p()
        _vm_new(encode(description["name"]), byref(self.pointer))
        _set(self.pointer, "", description)

    def __del__(self):
        _vm_free(self.pointer)


class VmFromJson(Vm):
    """A VM by its document, as bytes."""

    def __init__(self, text):  # pylint: disable=super-init-not-called
        self.pointer = c_void_p()
        _vm_from_json(text, len(text), None, 0, byref(self.pointer))


def _strings(array):
    strings = []
    while array[len(strings)] is not None:
        strings.append(array[len(strings)])
    return strings


class Runtime:
    """A profile's QEMU for one guest architecture, at paths of one's own."""

    def __init__(self, profile, arch, binary, firmware, modules=None, host="x86_64"):
        host_pointer, selection, self.pointer = c_void_p(), c_void_p(), c_void_p()
        options = c_void_p()
        _host_options_new(byref(options))
        _host_options_set(options, b"arch", encode(host))
        _host_options_set(options, b"kvm", b"usable")
        _host_new(options, 0, byref(host_pointer))
        _host_options_free(options)
        request = c_void_p()
        _request_new(byref(request))
        _request_set(request, b"profile", encode(profile))
        _request_set(request, b"guest_arch", encode(arch))
        _select(host_pointer, request, 0, byref(selection))
        _request_free(request)
        paths = c_void_p()
        _runtime_options_new(byref(paths))
        _runtime_options_set(paths, b"binary", encode(binary))
        _runtime_options_set(paths, b"firmware_dir", encode(firmware))
        _runtime_options_set(paths, b"module_dir", encode(modules))
        _runtime_new(selection, paths, 0, byref(self.pointer))
        _runtime_options_free(paths)
        _selection_free(selection)
        _host_free(host_pointer)

    def __del__(self):
        _runtime_unref(self.pointer)

    def build(self, vm):
        """The command of a VM; raises Refused."""
        if isinstance(vm, dict):
            vm = Vm(vm)
        command = c_void_p()
        _command_build(self.pointer, vm.pointer, None, 0, None, byref(command))
        try:
            fds = [_command_fd(command, i) for i in range(_command_fd_count(command))]
            return Command(_strings(_command_argv(command)), _strings(_command_envp(command)),
                           _command_cwd(command), fds)
        finally:
            _command_unref(command)

    def complete(self, description):
        """What vqemu_vm_complete() makes of a description."""
        vm, text = Vm(description), c_void_p()
        _vm_complete(vm.pointer, self.pointer, None, 0, None)
        _vm_to_json(vm.pointer, 0, byref(text))
        try:
            return json.loads(ctypes.string_at(text))
        finally:
            _free(text)
