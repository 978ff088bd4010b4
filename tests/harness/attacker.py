#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What takes the place of QEMU, once that is taken over: it tries to reach all that is not the VM's, and writes down
what it could. The first line of its log is JSON about the victims. In the place of a program beside QEMU, the log is
another file."""
import ctypes
import errno
import json
import os
import resource
import socket
import stat
import subprocess
import sys

LOG = "/srv/log/web.log"
C = ctypes.CDLL(None, use_errno=True)
CALLS = {  # of x86_64: asm/unistd_64.h
    "shmget": 29, "msgget": 68, "ptrace": 101, "personality": 135, "chroot": 161, "add_key": 248, "keyctl": 250,
    "mq_open": 240, "perf_event_open": 298, "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "kcmp": 312, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "fsopen": 430,
    "pidfd_open": 434, "pidfd_getfd": 438, "unshare": 272, "mount": 165, "fanotify_init": 300,
}
attempts = {}


def attempt(function):
    attempts[function.__name__.replace("_", "-")] = function
    return function


def call(name, *arguments):
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = C.syscall(ctypes.c_long(CALLS[name]), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


# ---- files ----

def reads(path):
    with open(path, "rb") as file:
        return len(file.read(1)) == 1


@attempt
def read_shadow(_):
    return reads("/etc/shadow")


@attempt
def read_other_disk(_):
    return reads("/srv/other.raw")


@attempt
def read_other_variables(_):
    return reads("/var/lib/volt/vms/same/nvram.fd")


@attempt
def read_home(_):
    return reads("/home/me/secret")


@attempt
def read_tmp(_):
    return reads("/tmp/victim") and reads("/var/tmp/victim")


@attempt
def read_shared_memory(_):
    return reads("/dev/shm/volt-victim-same")


@attempt
def see_other_vms(_):
    return "same" in os.listdir("/run/volt")


@attempt
def open_terminal(victims):
    return os.open(victims["same"]["terminal"], os.O_RDWR | os.O_NOCTTY)


@attempt
def write_elsewhere(_):
    with open("/srv/volt-attack", "w") as file:
        file.write("x")
    os.unlink("/srv/volt-attack")
    return True


@attempt
def write_to_sys(_):
    for directory, names, files in os.walk("/sys"):
        if directory.count("/") > 4:
            names.clear()
        for name in files:
            if os.access(os.path.join(directory, name), os.W_OK):
                return True
    return False


@attempt
def see_cgroups(_):
    return os.listdir("/sys/fs/cgroup")


@attempt
def see_settings_of_the_kernel(_):
    return os.listdir("/proc/sys")


# ---- sockets ----

def connects(family, address):
    with socket.socket(family) as connection:
        connection.settimeout(5)
        connection.connect(address)
    return True


@attempt
def connect_to_other_qmp(_):
    return connects(socket.AF_UNIX, "/run/volt/same/qmp.sock")


@attempt
def connect_to_systemd(_):
    return connects(socket.AF_UNIX, "/run/systemd/private")


@attempt
def connect_to_dbus(_):
    return connects(socket.AF_UNIX, "/run/dbus/system_bus_socket")


@attempt
def connect_to_abstract(_):
    return connects(socket.AF_UNIX, "\0volt-victim-same")


@attempt
def connect_to_loopback(_):
    return connects(socket.AF_INET, ("127.0.0.1", 7001))


@attempt
def connect_to_loopback_6(_):
    return connects(socket.AF_INET6, ("::1", 7001))


for _family in ("NETLINK", "PACKET", "VSOCK"):
    def _open(_victims, family=_family):
        try:
            return socket.socket(getattr(socket, f"AF_{family}"), socket.SOCK_DGRAM)
        except OSError as reason:
            if reason.errno == errno.ENODEV:  # a family that is there, without a device
                return True
            raise
    attempts[f"socket-{_family.lower()}"] = _open


# ---- processes, "same" of the same user, "other" of another one ----

def iovec(address, size):
    return (ctypes.c_void_p * 2)(address, size)


def see(victim):
    return os.path.exists(f"/proc/{victim['pid']}/status")


def signal(victim):
    os.kill(victim["pid"], 0)
    return True


def read_memory(victim):
    with open(f"/proc/{victim['pid']}/mem", "rb", buffering=0) as file:
        file.seek(victim["address"])
        return file.read(6) == b"secret"


def read_memory_by_call(victim):
    buffer = ctypes.create_string_buffer(6)
    local, remote = iovec(ctypes.addressof(buffer), 6), iovec(victim["address"], 6)
    call("process_vm_readv", victim["pid"], local, 1, remote, 1, 0)
    return buffer.raw == b"secret"


def trace(victim):
    call("ptrace", 0x4206, victim["pid"], 0, 0)  # PTRACE_SEIZE
    return True


def take_descriptor(victim):
    return call("pidfd_getfd", call("pidfd_open", victim["pid"], 0), 0, 0)


def compare(victim):
    return call("kcmp", victim["pid"], os.getpid(), 1, 0, 0) >= 0


for _function in (see, signal, read_memory, read_memory_by_call, trace, take_descriptor, compare):
    for _who in ("same", "other"):
        attempts[f"{_function.__name__.replace('_', '-')}-{_who}"] = (
            lambda victims, function=_function, who=_who: function(victims[who]))


# ---- the kernel ----

@attempt
def use_keyring(_):
    return call("keyctl", 10, -4, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"volt-victim"), 0)  # SEARCH, user keyring


@attempt
def add_key(_):
    return call("add_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(b"x"), ctypes.c_char_p(b"x"), 1, -3)


@attempt
def use_bpf(_):
    return call("bpf", 0, (ctypes.c_uint32 * 32)(2, 4, 4, 1), 128)  # BPF_MAP_CREATE of an array


@attempt
def watch_faults(_):
    return call("userfaultfd", 1)


@attempt
def use_io_uring(_):
    return call("io_uring_setup", 1, (ctypes.c_uint8 * 120)())


@attempt
def watch_performance(_):
    return call("perf_event_open", (ctypes.c_uint64 * 16)(128 << 32 | 1, 0), 0, -1, -1, 0)


@attempt
def share_memory_by_key(_):
    return call("shmget", 0x7001, 1, 0o1600) >= 0


@attempt
def send_messages_by_key(_):
    return call("msgget", 0x7001, 0o1600) >= 0


@attempt
def open_message_queue(_):
    return call("mq_open", ctypes.c_char_p(b"volt"), 0o102, 0o600, 0)


@attempt
def watch_files(_):
    return call("fanotify_init", 0, 0)


@attempt
def mount(_):
    return call("mount", ctypes.c_char_p(b"x"), ctypes.c_char_p(b"/tmp"), ctypes.c_char_p(b"tmpfs"), 0, 0) == 0


@attempt
def open_file_system(_):
    return call("fsopen", ctypes.c_char_p(b"tmpfs"), 0)


def in_child(function):
    """Since it changes the process."""
    child = os.fork()
    if child == 0:
        try:
            function()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


@attempt
def make_user_namespace(_):
    return in_child(lambda: call("unshare", 0x10000000))


@attempt
def make_mount_namespace(_):
    return in_child(lambda: call("unshare", 0x20000))


@attempt
def enter_namespace(_):
    return in_child(lambda: call("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0))


@attempt
def change_root(_):
    return in_child(lambda: call("chroot", ctypes.c_char_p(b"/usr")))


@attempt
def open_by_handle(_):
    handle = (ctypes.c_uint8 * 136)(128)
    mount_id = ctypes.c_int()
    call("name_to_handle_at", -100, ctypes.c_char_p(b"/usr"), handle, ctypes.byref(mount_id), 0)
    return call("open_by_handle_at", os.open("/usr", os.O_RDONLY), handle, os.O_RDONLY)


@attempt
def change_personality(_):
    return in_child(lambda: call("personality", 0x40000))


@attempt
def dump_core(_):
    return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0


@attempt
def become_root_by_a_program(_):
    done = subprocess.run(["/srv/share/id", "-u"], capture_output=True, check=True)
    return os.geteuid() != 0 and done.stdout == b"0\n"


@attempt
def have_capabilities(_):
    with open("/proc/self/status") as file:
        return "CapBnd:\t0000000000000000" not in file.read()


@attempt
def make_device(_):
    os.mknod("/tmp/node", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    return os.open("/tmp/node", os.O_RDONLY)


for _device in ("/dev/kvm", "/dev/loop-control", "/dev/loop0", "/dev/fuse", "/dev/net/tun", "/dev/vhost-net"):
    if os.path.exists(_device):
        attempts[f"open-{_device}"] = lambda _victims, device=_device: os.open(device, os.O_RDWR)


# ---- all of it ----

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sys", "/dev")


def seen():
    """All files and empty directories that are not those of the system."""
    tree = os.path.dirname(os.path.dirname(os.path.realpath(sys.argv[0])))
    for directory, names, files in os.walk("/"):
        names[:] = [name for name in names if os.path.join(directory, name) not in (*SYSTEM, tree)]
        for name in files:
            yield os.path.join(directory, name)
        if not names and not files:
            yield directory + "/"


def main():
    with open(LOG) as file:
        victims = json.loads(file.readline())
    reached, tried = [], {}
    for name, function in attempts.items():
        try:
            if function(victims):
                reached.append(name)
            else:
                tried[name] = "no"
        except Exception as reason:
            tried[name] = repr(reason)
    confined = os.environ.get("ATTACKER") != "free"
    with open(LOG, "a") as file:
        json.dump({"reached": reached, "tried": tried, "seen": sorted(seen()) if confined else []}, file)
        file.write("\ndone\n")


main()
if os.environ.get("ATTACKER") != "free":
    import time
    time.sleep(1000)
