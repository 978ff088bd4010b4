# SPDX-License-Identifier: MIT
"""libvoltqemu for Python, by ctypes: as much of it as a program needs that runs VMs.

    store = Store("/var/lib/volt")
    selection = select(Host.probe(), guest_arch="x86_64", guest_os="linux")
    command = Command(store.resolve(selection), VM("web", memory=512, rootfs="/srv/web"))
    os.chdir(command.cwd)
    os.execve(command.path, command.argv, command.env)
"""
import ctypes
import os
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_uint32, c_uint64, c_void_p

_lib = ctypes.CDLL("libvoltqemu.so.1")


class VoltError(Exception):
    """What the library says went wrong; code is one of VQEMU_ERR_*, errno that of the system call."""

    def __init__(self, code, errno, message):
        super().__init__(message)
        self.code = code
        self.errno = errno


def _declare(name, result, *arguments):
    function = getattr(_lib, name)
    function.restype = result
    function.argtypes = arguments
    return function


_error_code = _declare("vqemu_error_code", c_int, c_void_p)
_error_errno = _declare("vqemu_error_errno", c_int, c_void_p)
_error_message = _declare("vqemu_error_message", c_char_p, c_void_p)
_error_free = _declare("vqemu_error_free", None, c_void_p)
_free = _declare("vqemu_free", None, c_void_p)


def _fallible(name, *arguments):
    """A function that ends in vqemu_error **, as one that raises VoltError."""
    function = _declare(name, c_int, *arguments, POINTER(c_void_p))

    def call(*values):
        error = c_void_p()
        if function(*values, byref(error)) == 0:
            return
        problem = VoltError(_error_code(error), _error_errno(error),
                            os.fsdecode(_error_message(error)))
        _error_free(error)
        raise problem

    return call


_OUT = POINTER(c_void_p)
_version = _declare("vqemu_version", c_char_p)
_host_probe = _fallible("vqemu_host_probe", _OUT)
_host_new = _fallible("vqemu_host_new", c_char_p, ctypes.c_int32, _OUT)
_host_free = _declare("vqemu_host_free", None, c_void_p)
_host_arch = _declare("vqemu_host_arch", c_char_p, c_void_p)
_host_kvm_usable = _declare("vqemu_host_kvm_usable", c_bool, c_void_p)
_host_kvm_reason = _declare("vqemu_host_kvm_reason", c_char_p, c_void_p)
_select = _fallible("vqemu_select", c_void_p, c_char_p, c_char_p, c_char_p, _OUT)
_select_profile = _fallible("vqemu_select_profile", c_void_p, c_char_p, c_char_p, _OUT)
_selection_free = _declare("vqemu_selection_free", None, c_void_p)
_selection_profile = _declare("vqemu_selection_profile", c_void_p, c_void_p)
_selection_guest_arch = _declare("vqemu_selection_guest_arch", c_char_p, c_void_p)
_selection_reason = _declare("vqemu_selection_reason", c_char_p, c_void_p)
_selection_problem = _declare("vqemu_selection_problem", c_char_p, c_void_p)
_profile_name = _declare("vqemu_profile_name", c_char_p, c_void_p)
_store_open = _fallible("vqemu_store_open", c_char_p, c_uint32, _OUT)
_store_unref = _declare("vqemu_store_unref", None, c_void_p)
_resolve = _fallible("vqemu_resolve", c_void_p, c_void_p, c_uint32, _OUT)
_runtime_unref = _declare("vqemu_runtime_unref", None, c_void_p)
_runtime_binary = _declare("vqemu_runtime_binary", c_char_p, c_void_p)
_runtime_digest = _declare("vqemu_runtime_digest", c_char_p, c_void_p)
_runtime_lease_fd = _declare("vqemu_runtime_lease_fd", c_int, c_void_p)
_vm_new = _fallible("vqemu_vm_new", c_char_p, _OUT)
_vm_free = _declare("vqemu_vm_free", None, c_void_p)
_vm_set_memory = _fallible("vqemu_vm_set_memory", c_void_p, c_uint64)
_vm_set_cpus = _fallible("vqemu_vm_set_cpus", c_void_p, c_uint32)
_vm_set_path = {key: _fallible(f"vqemu_vm_set_{key}", c_void_p, c_char_p)
                for key in ("rootfs", "kernel", "initrd", "append")}
_vm_add_extra_arg = _fallible("vqemu_vm_add_extra_arg", c_void_p, c_char_p)
_command_build = _fallible("vqemu_command_build", c_void_p, c_void_p, _OUT)
_command_unref = _declare("vqemu_command_unref", None, c_void_p)
_command_path = _declare("vqemu_command_path", c_char_p, c_void_p)
_command_argv = _declare("vqemu_command_argv", POINTER(c_char_p), c_void_p)
_command_envp = _declare("vqemu_command_envp", POINTER(c_char_p), c_void_p)
_command_cwd = _declare("vqemu_command_cwd", c_char_p, c_void_p)
_command_fingerprint = _declare("vqemu_command_fingerprint", c_char_p, c_void_p)
_unit_text = _fallible("vqemu_unit_text", c_void_p, _OUT)


def version():
    """The version of the library that is loaded."""
    return _version().decode()


class _Handle:
    """Owns one handle of the library."""

    _release = None

    def __init__(self, create, *arguments):
        self._pointer = c_void_p()
        create(*arguments, byref(self._pointer))

    def __del__(self):
        if getattr(self, "_pointer", None):
            type(self)._release(self._pointer)
            self._pointer = None


def _bytes(text):
    return None if text is None else os.fsencode(text)


def _strings(array):
    strings = []
    while array[len(strings)] is not None:
        strings.append(array[len(strings)])
    return strings


class Host(_Handle):
    """What selection needs to know of a host."""

    _release = _host_free

    @classmethod
    def probe(cls):
        """The host this process runs on."""
        return cls(_host_probe)

    @classmethod
    def describe(cls, arch, kvm_state):
        """Another host; kvm_state is one of VQEMU_KVM_*."""
        return cls(_host_new, _bytes(arch), kvm_state)

    @property
    def arch(self):
        return _host_arch(self._pointer).decode()

    @property
    def kvm_usable(self):
        return _host_kvm_usable(self._pointer)

    @property
    def kvm_reason(self):
        return os.fsdecode(_host_kvm_reason(self._pointer))


class Selection(_Handle):
    """A profile that was chosen, and why."""

    _release = _selection_free

    @property
    def profile(self):
        return _profile_name(_selection_profile(self._pointer)).decode()

    @property
    def guest_arch(self):
        return _selection_guest_arch(self._pointer).decode()

    @property
    def reason(self):
        return os.fsdecode(_selection_reason(self._pointer))

    @property
    def problem(self):
        """Why the accelerator does not work here; None if it does."""
        problem = _selection_problem(self._pointer)
        return None if problem is None else os.fsdecode(problem)


def select(host, mode=None, guest_arch=None, guest_os=None):
    """Choose the profile for a workload."""
    return Selection(_select, host._pointer, _bytes(mode), _bytes(guest_arch), _bytes(guest_os))


def select_profile(host, profile, guest_arch=None):
    """Choose a profile by its name."""
    return Selection(_select_profile, host._pointer, _bytes(profile), _bytes(guest_arch))


class Runtime(_Handle):
    """A profile on disk, ready to run."""

    _release = _runtime_unref

    @property
    def binary(self):
        return os.fsdecode(_runtime_binary(self._pointer))

    @property
    def digest(self):
        return _runtime_digest(self._pointer).decode()

    @property
    def lease_fd(self):
        """Keeps the tree from being collected; os.set_inheritable(os.dup(it), True) before exec."""
        return _runtime_lease_fd(self._pointer)


class Store(_Handle):
    """An open content-addressed store."""

    _release = _store_unref

    def __init__(self, root, flags=0):
        super().__init__(_store_open, _bytes(root), flags)

    def resolve(self, selection, flags=0):
        """Put the newest ref of the selected profile on disk."""
        return Runtime(_resolve, self._pointer, selection._pointer, flags)


class VM(_Handle):
    """A virtual machine as its user describes it."""

    _release = _vm_free

    def __init__(self, name, memory=0, cpus=0, extra_args=(), **paths):
        super().__init__(_vm_new, _bytes(name))
        _vm_set_memory(self._pointer, memory)
        _vm_set_cpus(self._pointer, cpus)
        for key, value in paths.items():
            _vm_set_path[key](self._pointer, _bytes(value))
        for argument in extra_args:
            _vm_add_extra_arg(self._pointer, _bytes(argument))


class Command(_Handle):
    """What to execute to run a VM."""

    _release = _command_unref

    def __init__(self, runtime, vm):
        super().__init__(_command_build, runtime._pointer, vm._pointer)

    @property
    def path(self):
        return _command_path(self._pointer)

    @property
    def argv(self):
        return _strings(_command_argv(self._pointer))

    @property
    def env(self):
        return dict(v.split(b"=", 1) for v in _strings(_command_envp(self._pointer)))

    @property
    def cwd(self):
        return _command_cwd(self._pointer)

    @property
    def fingerprint(self):
        return _command_fingerprint(self._pointer).decode()

    def unit(self):
        """The text of a systemd service."""
        text = c_void_p()
        _unit_text(self._pointer, byref(text))
        try:
            return os.fsdecode(ctypes.string_at(text))
        finally:
            _free(text)
