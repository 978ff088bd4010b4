# SPDX-License-Identifier: MIT
"""libvoltqemu for Python, by ctypes: as much of it as a program needs that keeps profiles and runs VMs.

    store = Store("/var/lib/volt")
    vm = VM("web", memory=512, nics=[{"forwards": [{"host_port": 2222, "guest_port": 22}]}])
    vm.add_disk("/srv/web.qcow2", format="qcow2", boot_order=1)
    vm.set(qmp_socket="/run/web.qmp")
    command = Command(store.resolve(select(Host.probe(), guest_os=vm.selection_os)), vm)
    command.prepare()
    process = command.start()
    ...
    shutdown("/run/web.qmp", timeout=60)

Keyword arguments of VMs, disks, shares and network devices are the keys of the JSON document
(docs/vm.md), and call the setters of the same names. None stands for the default everywhere. Text is
encoded as file names are; bytes are taken as they are, whether they are UTF-8 or not.
"""
import contextlib
import ctypes
import json
import operator
import os
import subprocess
from collections import namedtuple
from ctypes import (CFUNCTYPE, POINTER, byref, c_bool, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32,
                    c_uint64, c_void_p)

_lib = ctypes.CDLL("libvoltqemu.so.1")
_OUT = POINTER(c_void_p)
_PROGRESS = CFUNCTYPE(c_int, c_char_p, c_char_p, c_uint64, c_uint64, c_void_p)


# ---- calling C ----

class VoltError(Exception):
    """What the library says went wrong; code is one of VQEMU_ERR_*, name its name, such as "not-found",
    errno that of the system call."""

    def __init__(self, code, errno, message):
        super().__init__(message)
        self.code = code
        self.name = _result_name(code).decode()
        self.errno = errno


def _declare(name, result, *arguments):
    function = getattr(_lib, name)
    function.restype = result
    function.argtypes = arguments
    return function


_result_name = _declare("vqemu_result_name", c_char_p, c_int)
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
        problem = VoltError(_error_code(error), _error_errno(error), os.fsdecode(_error_message(error)))
        _error_free(error)
        raise problem

    return call


def _bytes(text):
    """What C gets of a string; it would end at a NUL."""
    if text is None:
        return None
    text = os.fsencode(text)
    if b"\0" in text:
        raise ValueError(f"a NUL byte in {text!r}")
    return text


def _number(value):
    """Of 32 bits, which is more than any may be; ctypes would cut off the rest."""
    value = 0 if value is None else operator.index(value)
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{value} is not from 0 to {(1 << 32) - 1}")
    return value


def _descriptor(value):
    value = -1 if value is None else operator.index(value)
    if not -1 <= value < 1 << 31:
        raise ValueError(f"{value} is no descriptor")
    return value


def _switch(value):
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither True nor False")
    return value


def _str(text):
    return None if text is None else os.fsdecode(text)


def _strings(array):
    strings = []
    while array[len(strings)] is not None:
        strings.append(array[len(strings)])
    return strings


def _taken(function, *arguments):
    """The string that a function hands out, as bytes."""
    text = c_void_p()
    function(*arguments, byref(text))
    try:
        return ctypes.string_at(text)
    finally:
        _free(text)


@contextlib.contextmanager
def _reporting(progress):
    """The callback that C gets for progress(step, item, done, total). If that returns something true, the
    operation is cancelled; what it raises cancels it, too, and comes out of the operation."""
    raised = []

    def report(step, item, done, total, _):
        try:
            return bool(progress(step.decode(), os.fsdecode(item), done, total))
        except BaseException as problem:  # pylint: disable=broad-except
            raised.append(problem)
            return 1

    try:
        yield _PROGRESS(report) if progress else _PROGRESS()
    except VoltError:
        if raised:
            raise raised[0] from None
        raise


class _Handle:
    """Owns one handle of the library. It can be an argument as it is, and lives until the call is over."""

    _as_parameter_ = None
    _release = None

    def _make(self, create, *arguments):
        self._as_parameter_ = c_void_p()
        create(*arguments, byref(self._as_parameter_))
        return self

    @classmethod
    def _made(cls, create, *arguments):
        return cls.__new__(cls)._make(create, *arguments)

    def __del__(self):
        if self._as_parameter_:
            self._release(self._as_parameter_)
            self._as_parameter_ = None


# ---- hosts and selection ----

_version = _declare("vqemu_version", c_char_p)
_host_probe = _fallible("vqemu_host_probe", _OUT)
_host_new = _fallible("vqemu_host_new", c_char_p, c_int32, _OUT)
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


def version():
    """The version of the library that is loaded."""
    return _version().decode()


class Host(_Handle):
    """What selection needs to know of a host."""

    _release = _host_free

    @classmethod
    def probe(cls):
        """The host this process runs on."""
        return cls._made(_host_probe)

    @classmethod
    def describe(cls, arch, kvm_state):
        """Another host; kvm_state is one of VQEMU_KVM_*."""
        return cls._made(_host_new, _bytes(arch), kvm_state)

    @property
    def arch(self):
        return _host_arch(self).decode()

    @property
    def kvm_usable(self):
        return _host_kvm_usable(self)

    @property
    def kvm_reason(self):
        return _str(_host_kvm_reason(self))


class Selection(_Handle):
    """A profile that was chosen, and why."""

    _release = _selection_free

    @property
    def profile(self):
        return _profile_name(_selection_profile(self)).decode()

    @property
    def guest_arch(self):
        return _selection_guest_arch(self).decode()

    @property
    def reason(self):
        return _str(_selection_reason(self))

    @property
    def problem(self):
        """Why the accelerator does not work here; None if it does."""
        return _str(_selection_problem(self))


def select(host, mode=None, guest_arch=None, guest_os=None):
    """Choose the profile for a workload."""
    return Selection._made(_select, host, _bytes(mode), _bytes(guest_arch), _bytes(guest_os))


def select_profile(host, profile, guest_arch=None):
    """Choose a profile by its name."""
    return Selection._made(_select_profile, host, _bytes(profile), _bytes(guest_arch))


# ---- stores ----

_manifest_to_json = _fallible("vqemu_manifest_to_json", c_void_p, _OUT)
_manifest_digest = _declare("vqemu_manifest_digest", c_char_p, c_void_p)
_ref_ref = _declare("vqemu_ref_ref", c_void_p, c_void_p)
_ref_unref = _declare("vqemu_ref_unref", None, c_void_p)
_ref_name = _declare("vqemu_ref_name", c_char_p, c_void_p)
_ref_profile = _declare("vqemu_ref_profile", c_char_p, c_void_p)
_ref_path = _declare("vqemu_ref_path", c_char_p, c_void_p)
_ref_problem = _declare("vqemu_ref_problem", c_char_p, c_void_p)
_ref_manifest = _declare("vqemu_ref_manifest", c_void_p, c_void_p)
_ref_list_count = _declare("vqemu_ref_list_count", c_size_t, c_void_p)
_ref_list_at = _declare("vqemu_ref_list_at", c_void_p, c_void_p, c_size_t)
_ref_list_free = _declare("vqemu_ref_list_free", None, c_void_p)
_runtime_unref = _declare("vqemu_runtime_unref", None, c_void_p)
_runtime_binary = _declare("vqemu_runtime_binary", c_char_p, c_void_p)
_runtime_digest = _declare("vqemu_runtime_digest", c_char_p, c_void_p)
_runtime_tree = _declare("vqemu_runtime_tree", c_char_p, c_void_p)
_runtime_lease_fd = _declare("vqemu_runtime_lease_fd", c_int, c_void_p)
_info_new = _fallible("vqemu_build_info_new", _OUT)
_info_free = _declare("vqemu_build_info_free", None, c_void_p)
_info_set = {key: _fallible(f"vqemu_build_info_set_{key}", c_void_p, c_char_p)
             for key in ("created_at", "qemu_version", "build_date", "build_host")}
_store_open = _fallible("vqemu_store_open", c_char_p, c_uint32, _OUT)
_store_unref = _declare("vqemu_store_unref", None, c_void_p)
_store_set_threads = _declare("vqemu_store_set_threads", None, c_void_p, c_uint32)
_store_list_refs = _fallible("vqemu_store_list_refs", c_void_p, c_char_p, _OUT)
_store_newest_ref = _fallible("vqemu_store_newest_ref", c_void_p, c_char_p, _OUT)
_store_find_ref = _fallible("vqemu_store_find_ref", c_void_p, c_char_p, _OUT)
_store_build = _fallible("vqemu_store_build", c_void_p, c_char_p, c_char_p, c_void_p, _PROGRESS, c_void_p, _OUT)
_store_import = _fallible("vqemu_store_import", c_void_p, c_char_p, c_int, c_char_p, c_void_p, _PROGRESS,
                          c_void_p, _OUT)
_store_export = _fallible("vqemu_store_export", c_void_p, c_void_p, c_int, c_char_p, _PROGRESS, c_void_p)
_store_copy = _fallible("vqemu_store_copy", c_void_p, c_void_p, c_void_p, _PROGRESS, c_void_p, _OUT)
_copy_ref = _declare("vqemu_copy_ref", c_void_p, c_void_p)
_copy_objects = _declare("vqemu_copy_objects", c_size_t, c_void_p)
_copy_bytes = _declare("vqemu_copy_bytes", c_uint64, c_void_p)
_copy_free = _declare("vqemu_copy_free", None, c_void_p)
_store_check = _fallible("vqemu_store_check", c_void_p, c_char_p, c_uint32, c_char_p, _PROGRESS, c_void_p, _OUT)
_check_free = _declare("vqemu_check_free", None, c_void_p)
_check_objects = _declare("vqemu_check_objects", c_size_t, c_void_p)
_check_bytes = _declare("vqemu_check_bytes", c_uint64, c_void_p)
_check_left = _declare("vqemu_check_left", c_size_t, c_void_p)
_check_count = _declare("vqemu_check_problem_count", c_size_t, c_void_p)
_check_kind = _declare("vqemu_check_problem_kind", c_char_p, c_void_p, c_size_t)
_check_digest = _declare("vqemu_check_problem_digest", c_char_p, c_void_p, c_size_t)
_check_message = _declare("vqemu_check_problem_message", c_char_p, c_void_p, c_size_t)
_check_repaired = _declare("vqemu_check_problem_repaired", c_bool, c_void_p, c_size_t)
_check_use_count = _declare("vqemu_check_use_count", c_size_t, c_void_p, c_size_t)
_check_use_ref = _declare("vqemu_check_use_ref", c_char_p, c_void_p, c_size_t, c_size_t)
_check_use_path = _declare("vqemu_check_use_path", c_char_p, c_void_p, c_size_t, c_size_t)
_check_lease_count = _declare("vqemu_check_lease_count", c_size_t, c_void_p, c_size_t)
_check_lease_tree = _declare("vqemu_check_lease_tree", c_char_p, c_void_p, c_size_t, c_size_t)
_check_lease_pid = _declare("vqemu_check_lease_pid", c_int64, c_void_p, c_size_t, c_size_t)
_check_lease_command = _declare("vqemu_check_lease_command", c_char_p, c_void_p, c_size_t, c_size_t)
_store_collect = _fallible("vqemu_store_collect", c_void_p, c_uint32, c_uint32, _PROGRESS, c_void_p, _OUT)
_collection_free = _declare("vqemu_collection_free", None, c_void_p)
_collection_count = _declare("vqemu_collection_count", c_size_t, c_void_p)
_collection_kind = _declare("vqemu_collection_kind", c_char_p, c_void_p, c_size_t)
_collection_name = _declare("vqemu_collection_name", c_char_p, c_void_p, c_size_t)
_collection_bytes = _declare("vqemu_collection_bytes", c_uint64, c_void_p, c_size_t)
_collection_freed = _declare("vqemu_collection_freed_bytes", c_uint64, c_void_p)
_store_pin = _fallible("vqemu_store_pin", c_void_p, c_char_p)
_store_unpin = _fallible("vqemu_store_unpin", c_void_p, c_char_p)
_store_is_pinned = _fallible("vqemu_store_is_pinned", c_void_p, c_char_p, POINTER(c_bool))
_resolve = _fallible("vqemu_resolve_ref", c_void_p, c_void_p, c_void_p, c_uint32, _PROGRESS, c_void_p, _OUT)

Copied = namedtuple("Copied", "ref objects bytes")
Checked = namedtuple("Checked", "objects bytes left problems")
Problem = namedtuple("Problem", "kind digest message repaired uses leases")
Use = namedtuple("Use", "ref path")
Lease = namedtuple("Lease", "tree pid command")
Collected = namedtuple("Collected", "freed_bytes removed")
Removed = namedtuple("Removed", "kind name bytes")


class Ref(_Handle):
    """A version of a profile in a store."""

    _release = _ref_unref

    @classmethod
    def _borrowed(cls, pointer):
        ref = cls.__new__(cls)
        ref._as_parameter_ = c_void_p(_ref_ref(pointer))
        return ref

    @property
    def name(self):
        return _str(_ref_name(self))

    @property
    def profile(self):
        return _str(_ref_profile(self))

    @property
    def path(self):
        return _str(_ref_path(self))

    @property
    def problem(self):
        """Why the manifest could not be loaded; None if it was."""
        return _str(_ref_problem(self))

    @property
    def manifest(self):
        """The manifest as it is in JSON; None if there is a problem."""
        manifest = _ref_manifest(self)
        return json.loads(_taken(_manifest_to_json, manifest)) if manifest else None

    @property
    def digest(self):
        manifest = _ref_manifest(self)
        return _manifest_digest(manifest).decode() if manifest else None


class Runtime(_Handle):
    """A profile on disk, ready to run."""

    _release = _runtime_unref

    @property
    def binary(self):
        return _str(_runtime_binary(self))

    @property
    def tree(self):
        return _str(_runtime_tree(self))

    @property
    def digest(self):
        return _runtime_digest(self).decode()

    @property
    def lease_fd(self):
        """Keeps the tree from being collected as long as a process has it open; see Command.start()."""
        return _runtime_lease_fd(self)


class _Info(_Handle):
    """What a build says of itself."""

    _release = _info_free

    def __init__(self, **fields):
        self._make(_info_new)
        for key, value in fields.items():
            _info_set[key](self, _bytes(value))


class _Found(_Handle):
    """A list or result of C's, until Python has its own."""

    def __init__(self, release, create, *arguments):
        self._release = release
        self._make(create, *arguments)


def _checked(check):
    def problem(i):
        uses = [Use(_str(_check_use_ref(check, i, j)), _str(_check_use_path(check, i, j)))
                for j in range(_check_use_count(check, i))]
        leases = [Lease(_check_lease_tree(check, i, j).decode(), _check_lease_pid(check, i, j),
                        _str(_check_lease_command(check, i, j))) for j in range(_check_lease_count(check, i))]
        return Problem(_check_kind(check, i).decode(), _check_digest(check, i).decode(),
                       _str(_check_message(check, i)), _check_repaired(check, i), uses, leases)

    return Checked(_check_objects(check), _check_bytes(check), _check_left(check),
                   [problem(i) for i in range(_check_count(check))])


def _collected(collection):
    return Collected(_collection_freed(collection), [
        Removed(_collection_kind(collection, i).decode(), _str(_collection_name(collection, i)),
                _collection_bytes(collection, i)) for i in range(_collection_count(collection))])


class Store(_Handle):
    """An open content-addressed store. What takes long calls progress(step, item, done, total), which can
    return True to cancel it."""

    _release = _store_unref

    def __init__(self, root, create=False, read_only=False, threads=1):
        self._make(_store_open, _bytes(root), create | read_only << 1)
        _store_set_threads(self, threads)

    def resolve(self, selection, ref=None, verify=False, trust=False, progress=None):
        """Put a ref of the selected profile on disk, the newest by default."""
        with _reporting(progress) as report:
            return Runtime._made(_resolve, self, selection, ref,
                                 verify | trust << 1, report, None)

    def build(self, profile, directory, progress=None, **info):
        """Put a directory into the store. info: created_at, qemu_version, build_date, build_host."""
        with _reporting(progress) as report:
            return Ref._made(_store_build, self, _bytes(profile), _bytes(directory),
                             _Info(**info) if info else None, report, None)

    def import_(self, file, profile=None, progress=None, **info):
        """Put an archive into the store: an open file, pipe or socket. profile, and info as of build(), go
        with archives that export() has not written."""
        with _reporting(progress) as report:
            return Ref._made(_store_import, self, _bytes(profile), file.fileno(),
                             _name_of(file), _Info(**info) if info else None, report, None)

    def export(self, ref, file, progress=None):
        """Write a ref and its objects as a tar archive to an open file, pipe or socket."""
        getattr(file, "flush", lambda: None)()  # a socket has none
        with _reporting(progress) as report:
            _store_export(self, ref, file.fileno(), _name_of(file), report, None)

    def copy(self, ref, to, progress=None):
        """Copy a ref to another store."""
        with _reporting(progress) as report:
            copy = _Found(_copy_free, _store_copy, self, ref, to, report, None)
        return Copied(Ref._borrowed(_copy_ref(copy)), _copy_objects(copy),
                      _copy_bytes(copy))

    def check(self, name=None, repair=False, source=None, progress=None):
        """Hash the objects of a ref, a profile, or the whole store. With repair, put right what can be; source
        is a directory, an archive or the root of another store that has good copies."""
        with _reporting(progress) as report:
            return _checked(_Found(_check_free, _store_check, self, _bytes(name), repair,
                                   _bytes(source), report, None))

    def collect(self, keep=0, dry_run=False, progress=None):
        """Remove what nothing reaches; of each profile, also all refs but the newest, if keep is not 0."""
        with _reporting(progress) as report:
            return _collected(_Found(_collection_free, _store_collect, self, _number(keep), dry_run,
                                     report, None))

    def pin(self, name):
        """Keep a ref from being collected."""
        _store_pin(self, _bytes(name))

    def unpin(self, name):
        """Let it be collected again."""
        _store_unpin(self, _bytes(name))

    def is_pinned(self, name):
        pinned = c_bool()
        _store_is_pinned(self, _bytes(name), byref(pinned))
        return pinned.value

    def refs(self, profile=None):
        """The refs of one profile, or of all, in each the newest first."""
        found = _Found(_ref_list_free, _store_list_refs, self, _bytes(profile))
        return [Ref._borrowed(_ref_list_at(found, i)) for i in range(_ref_list_count(found))]

    def newest_ref(self, profile):
        return Ref._made(_store_newest_ref, self, _bytes(profile))

    def find_ref(self, name):
        return Ref._made(_store_find_ref, self, _bytes(name))


def _name_of(file):
    """What messages call it; some files have a number for a name."""
    name = getattr(file, "name", None)
    return _bytes(name) if isinstance(name, (str, bytes)) else None


# ---- VMs ----

_vm_new = _fallible("vqemu_vm_new", c_char_p, _OUT)
_vm_free = _declare("vqemu_vm_free", None, c_void_p)
_vm_from_json = _fallible("vqemu_vm_from_json", c_char_p, c_size_t, c_char_p, _OUT)
_vm_from_file = _fallible("vqemu_vm_from_file", c_char_p, _OUT)
_vm_to_json = _fallible("vqemu_vm_to_json", c_void_p, _OUT)
_vm_schema = _fallible("vqemu_vm_schema", _OUT)
_vm_name = _declare("vqemu_vm_name", c_char_p, c_void_p)
_vm_selection_os = _declare("vqemu_vm_selection_os", c_char_p, c_void_p)
_vm_set_cpu_feature = _fallible("vqemu_vm_set_cpu_feature", c_void_p, c_char_p, c_bool)
_vm_add_extra_arg = _fallible("vqemu_vm_add_extra_arg", c_void_p, c_char_p)
_vm_add_disk = _fallible("vqemu_vm_add_disk", c_void_p, c_char_p, _OUT)
_vm_add_share = _fallible("vqemu_vm_add_share", c_void_p, c_char_p, c_char_p, _OUT)
_vm_add_nic = _fallible("vqemu_vm_add_nic", c_void_p, c_char_p, _OUT)
_nic_add_forward = _fallible("vqemu_nic_add_forward", c_void_p, c_char_p, c_char_p, c_uint32, c_uint32)


def schema():
    """The JSON Schema of a VM's document."""
    return json.loads(_taken(_vm_schema))


def _setter(noun, key, kind):
    name = f"vqemu_{noun}_set_{key}"
    if kind == "boolean":
        set_switch = _declare(name, None, c_void_p, c_bool)
        return lambda owner, value: None if value is None else set_switch(owner, _switch(value))
    if kind == "integer" and key.endswith("fd"):
        set_descriptor = _fallible(name, c_void_p, c_int)
        return lambda owner, value: set_descriptor(owner, _descriptor(value))
    if kind == "integer":
        set_number = _fallible(name, c_void_p, c_uint64 if key == "memory" else c_uint32)
        return lambda owner, value: set_number(owner, _number(value))
    set_string = _fallible(name, c_void_p, c_char_p)
    return lambda owner, value: set_string(owner, _bytes(value))


def _setters_of(noun, description):
    """A setter for each key of one value."""
    return {key: _setter(noun, key, value["type"]) for key, value in description["properties"].items()
            if value["type"] in ("boolean", "integer", "string")}


class _Described:
    """What has properties. One that refused a value may have taken others of the same call."""

    _setters = {}

    def set(self, **properties):
        """Set properties by their keys."""
        for key in properties:
            if key not in self._setters:
                raise TypeError(f"a {type(self).__name__} has no {key!r}")
        for key, value in properties.items():
            self._setters[key](self, value)


class _Part(_Described):
    """A part of a VM, which lives as long as that, and keeps it alive."""

    def __init__(self, vm, add, *arguments):
        self._vm = vm
        self._as_parameter_ = c_void_p()
        add(vm, *arguments, byref(self._as_parameter_))


_vm_schema_read = schema()
_parts = {key: _vm_schema_read["properties"][key]["items"] for key in ("disks", "shares", "nics")}


class Disk(_Part):
    """A disk or CD-ROM drive; VM.add_disk() makes it."""

    _setters = _setters_of("disk", _parts["disks"])


class Share(_Part):
    """A directory of the host; VM.add_share() makes it."""

    _setters = _setters_of("share", _parts["shares"])


class Nic(_Part):
    """A network device; VM.add_nic() makes it."""

    _setters = _setters_of("nic", _parts["nics"])

    def set(self, *, forwards=None, **properties):
        """Set properties by their keys; forwards is a list of what add_forward() takes, and adds."""
        super().set(**properties)
        for forward in forwards or ():
            self.add_forward(**forward)

    def add_forward(self, host_port, guest_port, protocol=None, host_address=None):
        """Forward a port of the host to the guest."""
        _nic_add_forward(self, _bytes(protocol), _bytes(host_address), _number(host_port),
                         _number(guest_port))


class VM(_Handle, _Described):
    """A virtual machine as its user describes it. VM(**json.load(file)) is as good as VM.from_file()."""

    _release = _vm_free
    _setters = _setters_of("vm", _vm_schema_read)

    def __init__(self, name, **properties):
        self._make(_vm_new, _bytes(name))
        self.set(**properties)

    @classmethod
    def from_json(cls, text, source=None):
        """Read a VM from a document, str or bytes; messages call it source."""
        text = text.encode() if isinstance(text, str) else bytes(text)
        return cls._made(_vm_from_json, text, len(text), _bytes(source))

    @classmethod
    def from_file(cls, path):
        """Read a VM from a file with a document."""
        return cls._made(_vm_from_file, _bytes(path))

    def to_json(self):
        """The document of the VM: what is set, and nothing else."""
        return _taken(_vm_to_json, self).decode()

    @property
    def name(self):
        return _str(_vm_name(self))

    @property
    def selection_os(self):
        """What select() is to take as guest_os for this VM."""
        return _vm_selection_os(self).decode()

    def set(self, *, cpu_features=None, disks=None, shares=None, nics=None, extra_args=None, **properties):
        """Set properties by their keys. cpu_features is a dict; disks, shares and nics are lists of dicts with
        what add_disk() and so on take. These, and extra_args, add to what is there."""
        super().set(**properties)
        for feature, on in (cpu_features or {}).items():
            _vm_set_cpu_feature(self, _bytes(feature), _switch(on))
        for disk in disks or ():
            self.add_disk(**disk)
        for share in shares or ():
            self.add_share(**share)
        for nic in nics or ():
            self.add_nic(**nic)
        for argument in extra_args or ():
            _vm_add_extra_arg(self, _bytes(argument))

    def add_disk(self, file=None, **properties):
        """Add a disk: add_disk("/srv/web.qcow2", format="qcow2", boot_order=1)."""
        disk = Disk(self, _vm_add_disk, _bytes(file))
        disk.set(**properties)
        return disk

    def add_share(self, path, tag, **properties):
        """Add a directory: add_share("/srv/data", "data", writable=True)."""
        share = Share(self, _vm_add_share, _bytes(path), _bytes(tag))
        share.set(**properties)
        return share

    def add_nic(self, backend=None, **properties):
        """Add a network device: add_nic("bridge", bridge="br0")."""
        nic = Nic(self, _vm_add_nic, _bytes(backend))
        nic.set(**properties)
        return nic


# ---- commands ----

_command_build = _fallible("vqemu_command_build", c_void_p, c_void_p, _OUT)
_command_unref = _declare("vqemu_command_unref", None, c_void_p)
_command_runtime = _declare("vqemu_command_runtime", c_void_p, c_void_p)
_command_path = _declare("vqemu_command_path", c_char_p, c_void_p)
_command_argv = _declare("vqemu_command_argv", POINTER(c_char_p), c_void_p)
_command_envp = _declare("vqemu_command_envp", POINTER(c_char_p), c_void_p)
_command_cwd = _declare("vqemu_command_cwd", c_char_p, c_void_p)
_command_state_dir = _declare("vqemu_command_state_dir", c_char_p, c_void_p)
_command_runtime_dir = _declare("vqemu_command_runtime_dir", c_char_p, c_void_p)
_command_fd_count = _declare("vqemu_command_fd_count", c_size_t, c_void_p)
_command_fd = _declare("vqemu_command_fd", c_int, c_void_p, c_size_t)
_command_fingerprint = _declare("vqemu_command_fingerprint", c_char_p, c_void_p)
_command_to_shell = _fallible("vqemu_command_to_shell", c_void_p, _OUT)
_command_to_json = _fallible("vqemu_command_to_json", c_void_p, _OUT)
_prepare = _fallible("vqemu_prepare", c_void_p, c_uint32)
_shutdown = _fallible("vqemu_shutdown", c_char_p, c_uint32)
_unit_build = _fallible("vqemu_unit_build", c_void_p, c_void_p, c_char_p, c_uint32, _OUT)
_unit_free = _declare("vqemu_unit_free", None, c_void_p)
_unit_count = _declare("vqemu_unit_count", c_size_t, c_void_p)
_unit_name = _declare("vqemu_unit_name", c_char_p, c_void_p, c_size_t)
_unit_text = _declare("vqemu_unit_text", c_char_p, c_void_p, c_size_t)


class Command(_Handle):
    """What to execute to run a VM. Paths and arguments are bytes."""

    _release = _command_unref

    def __init__(self, runtime, vm):
        self._make(_command_build, runtime, vm)

    @property
    def path(self):
        return _command_path(self)

    @property
    def argv(self):
        return _strings(_command_argv(self))

    @property
    def env(self):
        return dict(v.split(b"=", 1) for v in _strings(_command_envp(self)))

    @property
    def cwd(self):
        return _command_cwd(self)

    @property
    def state_dir(self):
        return _command_state_dir(self)

    @property
    def runtime_dir(self):
        return _command_runtime_dir(self)

    @property
    def fds(self):
        """The descriptors that the VM named: QEMU must have them open under the same numbers."""
        return [_command_fd(self, i) for i in range(_command_fd_count(self))]

    @property
    def fingerprint(self):
        return _command_fingerprint(self).decode()

    def to_shell(self):
        """The command as text for a shell, in bytes."""
        return _taken(_command_to_shell, self)

    def to_json(self):
        return _taken(_command_to_json, self).decode()

    def prepare(self, keep_variables=False, reset_variables=False):
        """Make what the command needs on disk. The arguments say what to do about UEFI variables that were made
        for other firmware."""
        _prepare(self, keep_variables | reset_variables << 1)

    def start(self, **options):
        """Start QEMU as a subprocess.Popen, with the lease on its profile and the VM's descriptors. options:
        of Popen, such as stdin and stdout."""
        lease = _runtime_lease_fd(_command_runtime(self))
        return subprocess.Popen(self.argv, executable=self.path, env=self.env, cwd=self.cwd,
                                pass_fds=[fd for fd in (lease, *self.fds) if fd >= 0], **options)


class Units(_Handle):
    """The systemd units that run a VM: its service, and those of the programs beside it."""

    _release = _unit_free

    def __init__(self, runtime, vm, helper=None, user=False):
        """helper: the path of volt-qemu, to stop the guest by; user: for systemctl --user."""
        self._make(_unit_build, runtime, vm, _bytes(helper), 1 if user else 0)

    def items(self):
        """Pairs of file name and text; the first is the VM's service."""
        return [(os.fsdecode(_unit_name(self, i)), os.fsdecode(_unit_text(self, i)))
                for i in range(_unit_count(self))]


def shutdown(qmp_socket, timeout=90):
    """Shut the VM behind a QMP socket down in order; seconds until it is ended as by a loss of power."""
    _shutdown(_bytes(qmp_socket), _number(timeout))
