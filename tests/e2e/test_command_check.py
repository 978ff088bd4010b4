# SPDX-License-Identifier: MIT
"""Commands are checked against what the QEMU that is to run them can do: what it has not is told before it starts, by
key, and nothing is refused that it has."""
import ctypes
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from store_cli import bad, good, run

TESTS = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("BUILD_DIR", TESTS.parent / "build"))
sys.path[:0] = [str(TESTS.parent / "examples/python"), str(TESTS / "harness")]
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the package finds it under its SONAME

import voltqemu  # noqa: E402
from machines import ARCHES, MODULES, X86, find_program, mostly_extended, program_name  # noqa: E402

SEED = int(os.environ.get("CHECK_SEED", random.SystemRandom().randrange(1 << 32)))
VMS_OF_AN_ARCH = 70  # over a thousand in all
ANYWHERE = {"guest_arch": None, "profile": None, "mode": None}


class Asked:
    """The installed QEMU of an architecture, and what it says that it can do."""

    def __init__(self, arch):
        profile = "emulate-x86" if arch in X86 else "emulate-foreign"
        selection = voltqemu.select(voltqemu.Host("x86_64", "absent"), profile=profile, guest_arch=arch)
        self.runtime = voltqemu.Runtime(selection, str(find_program(program_name(arch))), "/usr/share/qemu",
                                        module_dir=MODULES)
        self.told = self.runtime.probe()
        argv = self.build(voltqemu.VM("a", kernel="/k", firmware="bios")).argv
        self.machine = argv[argv.index("-machine") + 1].split(",")[0]

    def build(self, vm, **checked):
        return voltqemu.Command(self.runtime, vm, **checked)

    def check(self, vm):
        return self.build(vm, capabilities=self.told)


@pytest.fixture(scope="module")
def asked():
    known = {}

    def ask(arch):
        if arch not in known:
            known[arch] = Asked(arch)
        return known[arch]
    return ask


# ---- what is not there ----

PLANTED = [  # document, extra arguments, key, what is missing
    ({"machine": "pc-q35-9.9"}, [], "machine", "pc-q35-9.9"),
    ({"machine": "pc-i440fx-0.9"}, [], "machine", "pc-i440fx-0.9"),
    ({"cpu_model": "qemu65"}, [], "cpu_model", "qemu65"),
    ({"cpu_model": "Skylake"}, [], "cpu_model", "Skylake"),
    ({"cpu_features": {"avx999": True}}, [], "cpu_features.avx999", "avx999"),
    ({"cpu_features": {"avx2": True, "sse4-3": False}}, [], "cpu_features.sse4-3", "sse4-3"),
    ({"cpu_features": {"hv-spinlock": "0x1fff"}}, [], "cpu_features.hv-spinlock", "hv-spinlock"),
    ({}, ["-device", "virtio-gpu-pc"], "extra_args[1]", "virtio-gpu-pc"),
    ({}, ["-machine", "foo=on"], "extra_args[1]", "foo"),
    ({}, ["-machine", "smp.cores=2,memroy.size=1G"], "extra_args[1]", "memroy.size"),
    ({}, ["--device", "virtio-blk-ccw,id=x"], "extra_args[1]", "virtio-blk-ccw"),
    ({}, ["-device", "driver=nvme9,serial=a"], "extra_args[1]", "nvme9"),
    ({}, ["-device", "virtio-net-pci,macc=52:54:00:00:00:01"], "extra_args[1]", "macc"),
    ({}, ["-device", "virtio-blk,drvie=x"], "extra_args[1]", "drvie"),
    ({}, ["-device", '{"driver": "virtio-rng-pci", "max-byte": 1}'], "extra_args[1]", "max-byte"),
    ({}, ["-device", '{"driver": "virtio-rng-pcie"}'], "extra_args[1]", "virtio-rng-pcie"),
    ({}, ["-device", "qemu-xhci,id=a,,b,p4=1"], "extra_args[1]", "p4"),
    ({}, ["-name", "-device", "-device", "vfio-pci-x"], "extra_args[3]", "vfio-pci-x"),
    ({}, ["-netdev", "passt,id=n"], "extra_args[1]", "passt"),
    ({}, ["-netdev", "user,id=n,hostfwds=x"], "extra_args[1]", "hostfwds"),
    ({}, ["-netdev", '{"type": "afxdp", "id": "n"}'], "extra_args[1]", "afxdp"),
    ({}, ["-chardev", "sockets,id=c,path=/x"], "extra_args[1]", "sockets"),
    ({}, ["-chardev", "dbus2,id=c"], "extra_args[1]", "dbus2"),
    ({}, ["-object", "memory-backend-cxl,id=m,size=1M"], "extra_args[1]", "memory-backend-cxl"),
    ({}, ["-object", "memory-backend-ram,id=m,sizes=1M"], "extra_args[1]", "sizes"),
    ({}, ["-object", '{"qom-type": "rng-urandom", "id": "r"}'], "extra_args[1]", "rng-urandom"),
    ({}, ["-blockdev", "driver=qcow3,node-name=n,file.driver=file,file.filename=/x"], "extra_args[1]", "qcow3"),
    ({}, ["-blockdev", "driver=raw,node-name=n,file.driver=filee,file.filename=/x"], "extra_args[1]", "filee"),
    ({}, ["-blockdev", "driver=raw,node-name=n,reed-only=on,file.driver=file,file.filename=/x"], "extra_args[1]",
     "reed-only"),
    ({}, ["-blockdev", "driver=raw,node-name=n,file.driver=file,file.filenam=/x"], "extra_args[1]",
     "file.filenam"),
    ({}, ["-drive", "file=/x,format=qcow3,if=none"], "extra_args[1]", "qcow3"),
    ({}, ["-drive", "driver=nulll-co,if=none"], "extra_args[1]", "nulll-co"),
    ({}, ["-drive", "if=none,driver=raw,file.driver=filee,file.filename=/x"], "extra_args[1]", "filee"),
    ({}, ["-nic", "passt,model=e1000"], "extra_args[1]", "passt"),
    ({}, ["-nic", "user,hostfwds=x"], "extra_args[1]", "hostfwds"),
    ({}, ["-vnc", "unix:/x,passwords=on"], "extra_args[1]", "passwords"),
    ({}, ["-icount", "shift=1,aligned=on"], "extra_args[1]", "aligned"),
    ({}, ["-overcommit", "mem-locked=on"], "extra_args[1]", "mem-locked"),
    ({}, ["-fw_cfg", "name=opt/x,strings=1"], "extra_args[1]", "strings"),
    ({}, ["-virtfs", "local,path=/x,mount_tags=x,security_model=none"], "extra_args[1]", "mount_tags"),
    ({}, ["-iscsi", "time-out=3"], "extra_args[1]", "time-out"),
    ({}, ["-option-rom", "/x,bootidx=1"], "extra_args[1]", "bootidx"),
    ({}, ["-trace", "enabled=vga*"], "extra_args[1]", "enabled"),
    ({}, ["-accel", "hvf"], "extra_args[1]", "hvf"),
    ({}, ["-display", "cocoa"], "extra_args[1]", "cocoa"),
    ({}, ["-global", "ICH9-LPC.disable_s5=1"], "extra_args[1]", "disable_s5"),
    ({}, ["-netdev", "stream,id=n,addr.type=unix,addr.paths=/x"], "extra_args[1]", "addr.paths"),
    ({}, ["-netdev", "stream,id=n,addr.type=inet,addr.host=a,addr.port=1,addr.ipv5=on"], "extra_args[1]", "addr.ipv5"),
    ({}, ["-netdev", '{"type": "dgram", "id": "n", "local": {"type": "unix", "pathh": "/x"}}'], "extra_args[1]",
     "local.pathh"),
    ({}, ["-blockdev", "qcow2,node-name=n,file.driver=raw,file.file.driver=null-co,file.file.sized=1"], "extra_args[1]",
     "file.file.sized"),
    ({}, ["-blockdev", "driver=nbd,node-name=n,server.type=unix,server.paths=/x"], "extra_args[1]", "server.paths"),
    ({}, ["-blockdev", "driver=null-co,node-name=n,cache.directt=on"], "extra_args[1]", "cache.directt"),
    ({}, ["-display", "dbus,p2pp=on"], "extra_args[1]", "p2pp"),
    ({}, ["-tpmdev", "emulator,id=t,chardevs=c"], "extra_args[1]", "chardevs"),
    ({}, ["-net", "passt"], "extra_args[1]", "passt"),
    ({}, ["-net", "nic,models=e1000"], "extra_args[1]", "models"),
    ({}, ["-nic", "user,model=e1001"], "extra_args[1]", "e1001"),
    ({}, ["-devcie", "nvme"], "extra_args[0]", "devcie"),
    ({}, ["-name", "-x", "--no-such-option"], "extra_args[2]", "no-such-option"),
    ({}, ["-audiodev", "sound-of-silence,id=a"], "extra_args[1]", "sound-of-silence"),
]
WRONG_VALUES = [  # extra arguments, key, the value, what there is instead or None
    (["-netdev", "stream,id=n,addr.type=unixx,addr.path=/x"], "extra_args[1]", "unixx", "unix"),
    (["-blockdev", "driver=file,node-name=n,filename=/x,aio=treads"], "extra_args[1]", "treads", "threads"),
    (["-blockdev", "driver=raw,node-name=n,file.driver=file,file.filename=/x,file.aio=natiev"], "extra_args[1]",
     "natiev", "native"),
    (["-blockdev", "driver=null-co,node-name=n,cache.direct=maybe"], "extra_args[1]", "maybe", None),
    (["-blockdev", "driver=null-co,node-name=n,size=big"], "extra_args[1]", "big", None),
    (["-blockdev", '{"driver": "null-co", "node-name": "n", "read-only": "on"}'], "extra_args[1]", "on", None),
    (["-blockdev", '{"driver": "null-co", "node-name": "n", "size": true}'], "extra_args[1]", "true", None),
    (["-blockdev", "driver=null-co,node-name=n,detect-zeroes=maybe"], "extra_args[1]", "maybe", None),
    (["-netdev", "user,id=n,restrict=maybe"], "extra_args[1]", "maybe", None),
    (["-object", "memory-backend-ram,id=m,size=1M,share=perhaps"], "extra_args[1]", "perhaps", None),
    (["-object", "memory-backend-ram,id=m,size=large"], "extra_args[1]", "large", None),
    (["-object", "tls-creds-x509,id=t,endpoint=servr"], "extra_args[1]", "servr", "server"),
    (["-display", "dbus,gl=maybe"], "extra_args[1]", "maybe", None),
    (["-chardev", "socket,id=c,path=/x,server=maybe"], "extra_args[1]", "maybe", None),
    (["-drive", "if=virtoi,file=/x"], "extra_args[1]", "virtoi", "virtio"),
    (["-drive", "if=none,media=dsik"], "extra_args[1]", "dsik", "disk"),
    (["-drive", "if=none,cache=nonee"], "extra_args[1]", "nonee", "none"),
    (["-drive", "if=none,driver=null-co,read-only=maybe"], "extra_args[1]", "maybe", None),
    (["-drive", "if=none,snapshot=2"], "extra_args[1]", "2", None),
    (["-action", "panic=poweroff"], "extra_args[1]", "poweroff", None),
    (["-smp", "two"], "extra_args[1]", "two", None),
    (["-m", "lots"], "extra_args[1]", "lots", None),
    (["-sandbox", "perhaps"], "extra_args[1]", "perhaps", None),
    (["-overcommit", "cpu-pm=maybe"], "extra_args[1]", "maybe", None),
    (["-fsdev", "locale,id=f,path=/tmp,security_model=none"], "extra_args[1]", "locale", "local"),
    (["-virtfs", "local,path=/tmp,mount_tag=x,security_model=nome"], "extra_args[1]", "nome", "none"),
    (["-mon", "chardev=qmp,mode=contrl"], "extra_args[1]", "contrl", "control"),
    (["-rtc", "clock=guest"], "extra_args[1]", "guest", None),
    (["-vga", "stdd"], "extra_args[1]", "stdd", "std"),
    (["-serial", "stdioo"], "extra_args[1]", "stdioo", "stdio"),
    (["-monitor", "tpc:localhost:1"], "extra_args[1]", "tpc:localhost:1", None),
]
NEEDED = [  # extra arguments, what is missing
    (["-netdev", "user"], "id"),
    (["-netdev", "stream,id=n"], "addr"),
    (["-netdev", "stream,id=n,addr.type=unix"], "addr.path"),
    (["-object", "memory-backend-ram,id=m"], "size"),
    (["-object", "rng-random"], "id"),
    (["-blockdev", "driver=file,node-name=n"], "filename"),
    (["-blockdev", "driver=raw,node-name=n"], "file"),
    (["-blockdev", "driver=raw,node-name=n,file.driver=file"], "file.filename"),
    (["-tpmdev", "emulator,id=t"], "chardev"),
]
IDS = [  # extra arguments, reason, key, value
    (["-chardev", "null,id=c", "-chardev", "null,id=c"], "id-twice", "extra_args[3]", "c"),
    (["-chardev", "null,id=console"], "id-twice", "extra_args[1]", "console"),
    (["-netdev", "user,id=n", "-netdev", '{"type": "user", "id": "n"}'], "id-twice", "extra_args[3]", "n"),
    (["-object", "rng-builtin,id=r", "-object", "iothread,id=r"], "id-twice", "extra_args[3]", "r"),
    (["-device", "virtio-rng-pci,id=a", "-device", "virtio-balloon-pci,id=a"], "id-twice", "extra_args[3]", "a"),
    (["-blockdev", "null-co,node-name=n", "-blockdev", "null-co,node-name=n"], "id-twice", "extra_args[3]", "n"),
    (["-drive", "driver=null-co,if=none,id=n", "-blockdev", "null-co,node-name=n"], "id-twice", "extra_args[3]", "n"),
    (["-device", "virtio-net-pci,netdev=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-netdev", "user,id=mynet", "-device", "virtio-net-pci,netdev=mynte"], "no-such-id", "extra_args[3]", "mynte"),
    (["-device", "virtio-blk-pci,drive=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-device", "isa-serial,chardev=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-serial", "chardev:nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-mon", "chardev=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-device", "tpm-crb,tpmdev=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-device", "virtio-rng-pci,rng=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-blockdev", "raw,node-name=n,file=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-blockdev", '{"driver": "qcow2", "node-name": "n", "file": "nosuch"}'], "no-such-id", "extra_args[1]", "nosuch"),
    (["-blockdev", "qcow2,node-name=n,file.driver=null-co,backing=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-device", "virtio-9p-pci,fsdev=nosuch,mount_tag=t"], "no-such-id", "extra_args[1]", "nosuch"),
    (["-machine", "memory-backend=nosuch"], "no-such-id", "extra_args[1]", "nosuch"),
]


@pytest.mark.parametrize("document, extra, key, missing", PLANTED)
def test_what_this_qemu_has_not_is_told_before_it_starts(asked, document, extra, key, missing):
    x86 = asked("x86_64")
    vm = voltqemu.VM("a", firmware="bios", extra_args=extra, **document)
    x86.build(vm)  # the library alone does not know
    with pytest.raises(voltqemu.UnsupportedError) as raised:
        x86.check(vm)
    assert raised.value.details["key"] == key and raised.value.details["value"] == missing
    assert raised.value.reason in ("qemu-lacks-thing", "qemu-lacks-property")
    assert str(raised.value).startswith(f"{key}: the QEMU ") and missing in str(raised.value)


@pytest.mark.parametrize("extra, key, value, instead", WRONG_VALUES)
def test_values_that_a_property_does_not_take_are_told(asked, extra, key, value, instead):
    x86 = asked("x86_64")
    assert not taken_by_qemu(x86, {}, extra)[0]
    with pytest.raises(voltqemu.UnsupportedError) as raised:
        x86.check(vm_with({}, extra))
    details = raised.value.details
    assert raised.value.reason == "qemu-lacks-value" and details["key"] == key and details["value"] == value
    assert instead is None or instead in details["choices"].split(", ")


@pytest.mark.parametrize("extra, missing", NEEDED)
def test_what_must_be_there_is_told(asked, extra, missing):
    x86 = asked("x86_64")
    assert not taken_by_qemu(x86, {}, extra)[0]
    with pytest.raises(voltqemu.UnsupportedError) as raised:
        x86.check(vm_with({}, extra))
    assert raised.value.reason == "qemu-needs-property"
    assert raised.value.details["key"] == "extra_args[1]" and raised.value.details["value"] == missing


@pytest.mark.parametrize("extra, reason, key, value", IDS)
def test_ids_that_are_there_twice_or_not_at_all_are_told(asked, extra, reason, key, value):
    x86 = asked("x86_64")
    own = ["-chardev", "null,id=console"] if value == "console" else []
    assert not taken_by_qemu(x86, {}, own + extra)[0]
    with pytest.raises(voltqemu.InvalidError) as raised:
        x86.check(vm_with({}, extra))
    assert raised.value.reason == reason
    assert raised.value.details["key"] == key and raised.value.details["value"] == value


# What QEMU itself says of arguments, beside what the check says of them.
TAKEN = [  # architecture, keys, extra arguments
    ("ppc64", {"cpu_model": "power8"}, []),
    ("ppc64", {"cpu_model": "970"}, []),
    ("ppc64", {"cpu_model": "POWER9"}, []),
    ("ppc64", {"cpu_model": "0x004e1200"}, []),
    ("ppc", {"cpu_model": "G4"}, []),
    ("ppc", {"cpu_model": "7447A"}, []),
    ("loongarch64", {"cpu_model": "la464-loongarch-cpu"}, []),
    ("x86_64", {"cpu_features": {"tsc-freq": "2000000000"}}, []),
    ("x86_64", {"cpu_features": {"sse4_1": True}}, []),
    ("x86_64", {}, ["-accel", "tcg,thread=multi"]),
    ("x86_64", {}, ["-cpu", "qemu64,+avx2"]),
    ("x86_64", {}, ["-cpu", "qemu64,-avx2,sse4_1=on"]),
    ("x86_64", {}, ["-device", "e1000-82540em"]),
    ("x86_64", {}, ["-device", "ac97"]),
    ("x86_64", {}, ["-device", "es1370"]),
    ("x86_64", {}, ["-device", "ahci,id=a"]),
    ("x86_64", {}, ["-device", "virtio-rng"]),
    ("s390x", {}, ["-device", "virtio-rng"]),
    ("x86_64", {}, ["-netdev", "user,id=n,ipv6-net=fec0::/64"]),
    ("x86_64", {}, ["-chardev", "tty,id=c,path=/dev/null"]),
    ("x86_64", {}, ["-device", "help"]),
    ("x86_64", {}, ["-device", "?"]),
    ("x86_64", {}, ["-device", "virtio-blk-pci,help"]),
    ("x86_64", {}, ["-cpu", "help"]),
    ("x86_64", {}, ["-machine", "help"]),
    ("x86_64", {}, ["-machine", "q35,help"]),
    ("x86_64", {}, ["-netdev", "help"]),
    ("x86_64", {}, ["-chardev", "help"]),
    ("x86_64", {}, ["-object", "help"]),
    ("x86_64", {}, ["-object", "memory-backend-ram,help"]),
    ("x86_64", {}, ["-accel", "help"]),
    ("x86_64", {}, ["-display", "help"]),
    ("x86_64", {}, ["-M", "q35,accel=hvf:tcg,kernel_irqchip=off"]),
    ("x86_64", {}, ["-chardev", "socket,id=c,path=/tmp/volt-no-such,server,nowait"]),
    ("x86_64", {}, ["-smp", "cpus=2,cores=2"]),
    ("x86_64", {}, ["-rtc", "base=utc,clock=vm"]),
    ("x86_64", {}, ["-blockdev", '{"driver": "raw", "node-name": "n", "file": {"driver": "null-co", "size": 512}}']),
    ("x86_64", {}, ["-blockdev", "driver=raw,node-name=n,file.driver=raw,file.file.driver=null-co,"
                    "file.file.read-zeroes=on"]),
    ("x86_64", {}, ["-global", "driver=virtio-blk-pci,property=num-queues,value=1"]),
    ("x86_64", {}, ["-drive", "driver=null-co,if=none,id=d,size=1M,read-zeroes=on,throttling.iops-total=3"]),
    ("x86_64", {}, ["-drive", "format=raw,if=none,id=d,file.driver=null-co,file.size=1M,rerror=report"]),
    ("x86_64", {}, ["-drive", "format=help"]),
    ("x86_64", {}, ["-nic", "none"]),
    ("x86_64", {}, ["-nic", "user,id=n,model=e1000,mac=52:54:00:00:00:09,ipv6-net=fec0::/64"]),
    ("x86_64", {}, ["-nic", "model=virtio"]),
    ("x86_64", {}, ["-vnc", "none,share=force-shared,lossy,power-control=off"]),
    ("x86_64", {}, ["-icount", "auto,sleep=on"]),
    ("x86_64", {}, ["-icount", "3,align=off"]),
    ("x86_64", {}, ["-overcommit", "mem-lock=off,cpu-pm=off"]),
    ("x86_64", {}, ["-fw_cfg", "opt/x,string=1"]),
    ("x86_64", {}, ["-iscsi", "initiator-name=iqn.2010-01.org.example:a,timeout=3"]),
    ("x86_64", {}, ["-trace", "events=/dev/null"]),
    ("aarch64", {}, ["-semihosting-config", "enable=on,target=native,userspace=off,arg=a,arg=b"]),
    ("x86_64", {}, ["-virtfs", "local,path=/tmp,mount_tag=x,security_model=none,id=v,readonly=on"]),
    ("x86_64", {}, ["-netdev", "stream,id=n,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0,addr.ipv6=no"]),
    ("x86_64", {}, ["-netdev", '{"type": "stream", "id": "n", "server": true, "addr": {"type": "inet",'
                    ' "host": "127.0.0.1", "port": "0"}}']),
    ("x86_64", {}, ["-netdev", "user,id=n,restrict=y,hostfwd=tcp:127.0.0.1:0-:22,hostfwd=udp:127.0.0.1:0-:53,"
                    "dnssearch=a"]),
    ("x86_64", {}, ["-netdev", "user,id=n,restrict"]),
    ("x86_64", {}, ["-netdev", '{"type": "user", "id": "n", "hostfwd": [{"str": "tcp:127.0.0.1:0-:22"}]}']),
    ("x86_64", {}, ["-netdev", "user,id=n", "-netdev", "hubport,id=h,hubid=1,netdev=n"]),
    ("x86_64", {}, ["-netdev", "socket,id=n,udp=127.0.0.1:1,localaddr=127.0.0.1:0"]),
    ("x86_64", {}, ["-object", "memory-backend-ram,id=m,size=1M,share=yes,host-nodes=0,policy=preferred"]),
    ("x86_64", {}, ["-object", "memory-backend-ram,id=m,size=0x100000,prealloc=off,merge=true"]),
    ("x86_64", {}, ["-object", '{"qom-type": "memory-backend-ram", "id": "m", "size": 1048576, "host-nodes": [0],'
                    ' "policy": "bind"}']),
    ("x86_64", {}, ["-object", "throttle-group,id=t,x-iops-total=10"]),
    ("x86_64", {}, ["-object", '{"qom-type": "throttle-group", "id": "t", "limits": {"iops-total": 10}}']),
    ("x86_64", {}, ["-object", "secret,id=s,data=abc,format=raw"]),
    ("x86_64", {}, ["-object", "authz-simple,id=a,identity=x"]),
    ("x86_64", {}, ["-object", '{"qom-type": "authz-list", "id": "a", "policy": "deny", "rules": [{"match": "x",'
                    ' "policy": "allow", "format": "exact"}]}']),
    ("x86_64", {}, ["-netdev", "user,id=n", "-object", "filter-dump,id=f,netdev=n,file=/dev/null,maxlen=100"]),
    ("x86_64", {}, ["-chardev", "null,id=c", "-object", "rng-egd,id=r,chardev=c"]),
    ("x86_64", {}, ["-blockdev", "null-co,node-name=a,read-only=on,force-share=off,discard=unmap,detect-zeroes=unmap,"
                    "cache.direct=on,cache.no-flush=off"]),
    ("x86_64", {}, ["-blockdev", "null-co,node-name=a", "-blockdev", "raw,node-name=b,file=a,offset=0x200,size=1024"]),
    ("x86_64", {}, ["-blockdev", "raw,node-name=b,file.driver=null-co,file.node-name=a", "-blockdev",
                    "raw,node-name=c,file=a"]),
    ("x86_64", {}, ["-fsdev", "local,id=f,path=/tmp,security_model=none", "-device",
                    "virtio-9p-pci,fsdev=f,mount_tag=t"]),
    ("x86_64", {}, ["-virtfs", "local,path=/tmp,mount_tag=x,security_model=none,id=g"]),
    ("x86_64", {}, ["-machine", "graphics=off,usb=off,mem-merge=on,smm=auto,x-oem-id=ABC"]),
    ("x86_64", {}, ["-machine", "smp.cpus=2,boot.order=c,memory.size=128M,memory.slots=2,memory.max-size=1G"]),
    ("x86_64", {}, ["-machine", "hmat=on,pcspk-audiodev=a", "-audiodev", "none,id=a"]),
    ("aarch64", {}, ["-machine", "virt,gic-version=3,its=off,virtualization=off,highmem=on,iommu=none"]),
    ("s390x", {}, ["-machine", "loadparm=A,aes-key-wrap=off"]),
    ("ppc64", {}, ["-machine", "cap-htm=off,kvm-type=PR,ic-mode=xics,max-cpu-compat=power8"]),
    ("x86_64", {}, ["-object", "memory-backend-ram,id=m,size=256M", "-m", "256", "-machine", "q35,memory-backend=m"]),
    ("x86_64", {}, ["-blockdev", '{"driver": "raw", "node-name": "b", "file": {"driver": "null-co", "node-name": "c"}}',
                    "-device", "virtio-blk-pci,drive=c,share-rw=on,write-cache=on"]),
    ("x86_64", {}, ["-blockdev", "driver=quorum,node-name=q,vote-threshold=1,children.0.driver=null-co,"
                    "children.1.driver=null-co,read-pattern=fifo"]),
    ("x86_64", {}, ["-blockdev", '{"driver": "quorum", "node-name": "q", "vote-threshold": 2, "children": [{"driver":'
                    ' "null-co"}, {"driver": "null-co"}]}']),
    ("x86_64", {}, ["-blockdev", "throttle,node-name=t,throttle-group=g,file.driver=null-co", "-object",
                    "throttle-group,id=g"]),
    ("x86_64", {}, ["-blockdev", "blkdebug,node-name=d,image.driver=null-co,inject-error.0.event=read_aio,"
                    "inject-error.0.errno=5,inject-error.0.once=on"]),
    ("x86_64", {}, ["-blockdev", '{"driver": "null-co", "node-name": "n", "size": 1024, "latency-ns": 0}']),
    ("x86_64", {}, ["-display", "none,full-screen=off"]),
    ("x86_64", {}, ["-display", "curses,charset=CP437", "-display", "none"]),
    ("x86_64", {}, ["-display", "vnc=none"]),
    ("x86_64", {}, ["-audiodev", "none,id=a", "-device", "AC97,audiodev=a"]),
    ("x86_64", {}, ["-audiodev", "wav,id=a,path=/dev/null,out.frequency=8000,in.voices=1,timer-period=5000"]),
    ("x86_64", {}, ["-audiodev", '{"driver": "none", "id": "a", "out": {"mixing-engine": true}}']),
    ("x86_64", {}, ["-audiodev", "help"]),
    ("x86_64", {}, ["-audio", "none,model=ac97"]),
    ("x86_64", {}, ["-net", "nic,model=e1000,macaddr=52:54:00:00:00:08", "-net", "user,restrict=on"]),
    ("x86_64", {}, ["-net", "none"]),
    ("x86_64", {}, ["-netdev", "user,id=n", "-net", "nic,netdev=n"]),
    ("x86_64", {}, ["-nic", "user,model=virtio-net-pci"]),
    ("x86_64", {}, ["-nic", "user,model=help"]),
    ("x86_64", {}, ["-serial", "null", "-parallel", "null", "-monitor", "none", "-debugcon", "null"]),
    ("x86_64", {}, ["-serial", "mon:null", "-serial", "vc:80Cx24C", "-serial", "file:/dev/null"]),
    ("x86_64", {}, ["-serial", "tcp:127.0.0.1:0,server=on,wait=off", "-serial",
                    "telnet:127.0.0.1:0,server=on,wait=off"]),
    ("x86_64", {}, ["-serial", "unix:/tmp/volt-no-such-socket,server=on,wait=off", "-serial", "udp:127.0.0.1:1"]),
    ("x86_64", {}, ["-serial", "pty", "-serial", "websocket:127.0.0.1:0,server=on,wait=off", "-serial", "msmouse"]),
    ("x86_64", {}, ["-gdb", "tcp:127.0.0.1:0"]),
    ("x86_64", {}, ["-gdb", "none"]),
    ("x86_64", {}, ["-chardev", "null,id=x", "-serial", "chardev:x", "-mon", "chardev=y,mode=readline,pretty=off",
                    "-chardev", "null,id=y"]),
    ("x86_64", {}, ["-serial", "null", "-device", "isa-serial,chardev=z", "-chardev", "ringbuf,id=z,size=64K"]),
    ("x86_64", {}, ["-chardev", "udp,id=c,host=127.0.0.1,port=1,localaddr=127.0.0.1,localport=0,ipv4=on"]),
    ("x86_64", {}, ["-chardev", "socket,id=c,host=127.0.0.1,port=0,server,nowait,nodelay,telnet=on"]),
    ("x86_64", {}, ["-chardev", "null,id=c,mux=on,logfile=/dev/null,logappend=on"]),
    ("x86_64", {}, ["-drive", "if=none,id=d,driver=null-co,media=disk,cache=off,aio=threads,discard=unmap,"
                    "detect-zeroes=on,werror=enospc,rerror=stop,copy-on-read=off,read-only=on,iops=0,bps_rd=0"]),
    ("x86_64", {}, ["-drive", "driver=null-co,if=virtio", "-device", "virtio-scsi-pci,iothread=io", "-object",
                    "iothread,id=io,poll-max-ns=100"]),
    ("x86_64", {}, ["-drive", "driver=null-co,if=none", "-device", "virtio-blk-pci,drive=none0"]),
    ("x86_64", {}, ["-drive", "driver=null-co,if=none,node-name=mine", "-device", "virtio-blk-pci,drive=mine"]),
    ("x86_64", {}, ["-m", "256"]),
    ("x86_64", {}, ["-m", "size=256M,slots=2,maxmem=1G"]),
    ("x86_64", {}, ["-m", "0.25G"]),
    ("x86_64", {}, ["-smp", "2"]),
    ("x86_64", {}, ["-boot", "c"]),
    ("x86_64", {}, ["-boot", "order=cd,menu=on,splash-time=1000,strict=off,reboot-timeout=-1"]),
    ("x86_64", {}, ["-action", "reboot=shutdown,shutdown=pause,panic=exit-failure,watchdog=inject-nmi"]),
    ("x86_64", {}, ["-sandbox", "on"]),
    ("x86_64", {}, ["-name", "a,process=b,debug-threads=on"]),
    ("x86_64", {}, ["-msg", "timestamp"]),
    ("x86_64", {}, ["-rtc", "base=2020-01-01T00:00:00,clock=rt,driftfix=slew"]),
    ("x86_64", {}, ["-vga", "std"]),
    ("x86_64", {}, ["-vga", "none"]),
    ("x86_64", {}, ["-vga", "help"]),
    ("x86_64", {}, ["-fsdev", "local,id=f,path=/tmp,security_model=mapped-xattr,readonly,fmode=0600,"
                    "throttling.iops-total=1"]),
    ("x86_64", {}, ["-object", "memory-backend-ram,id=m,size=128M", "-numa", "node,memdev=m", "-object",
                    "memory-backend-ram,id=n,size=1M", "-device", "ivshmem-plain,memdev=n"]),
    ("x86_64", {}, ["-d", "guest_errors", "-D", "/dev/null", "-no-shutdown", "-snapshot", "-usb", "-k", "de", "-seed",
                    "1", "-watchdog-action", "none", "-only-migratable", "--no-fd-bootchk"]),
    ("x86_64", {}, ["-cdrom", "/dev/null", "-M", "pc"]),
    ("x86_64", {}, ["-qtest-log", "/dev/null"]),
    ("aarch64", {}, ["-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n"]),
    ("s390x", {}, ["-blockdev", "null-co,node-name=n", "-device", "virtio-blk-ccw,drive=n,devno=fe.0.1234"]),
    ("ppc64", {}, ["-nic", "user,model=spapr-vlan"]),
]
REFUSED = [
    ("ppc64", {"cpu_model": "e500"}, []),
    ("ppc64", {"cpu_model": "7447A"}, []),
    ("x86_64", {"cpu_model": "qemu64-x86_64-cpu"}, []),
    ("aarch64", {"cpu_model": "Cortex-A57"}, []),
    ("x86_64", {}, ["-cpu", "qemu64,+avx999"]),
    ("x86_64", {}, ["-accel", "tcg,threadd=multi"]),
    ("x86_64", {}, ["-device", "q35-pcihost"]),
    ("aarch64", {}, ["-device", "pl011"]),
    ("x86_64", {}, ["-device", "virtio-blk-pci,num_queues=2,drive=x"]),
    ("x86_64", {}, ["-M", "pc-q35-99"]),
    ("x86_64", {}, ["-machine", "q35,accel=hvf"]),
    ("x86_64", {}, ["-blockdev", '{"driver": "raw", "node-name": "n", "file": {"driver": "filee"}}']),
    ("x86_64", {}, ["-blockdev", '{"driver": "raw", "node-name": "n", "file": {"driver": "null-co", "sizee": 512}}']),
    ("x86_64", {}, ["-blockdev", "driver=raw,node-name=n,file.driver=raw,file.file.driver=nulll-co"]),
    ("x86_64", {}, ["-blockdev", "driver=qcow2,node-name=n,file.driver=null-co,backing.driver=qcow9"]),
    ("x86_64", {}, ["-chardev", "socket,id=c,pathh=/x,server=on"]),
    ("x86_64", {}, ["-fsdev", "local,id=f,path=/tmp,security=none"]),
    ("x86_64", {}, ["-smp", "4,modules=2"]),
    ("x86_64", {}, ["-rtc", "basee=utc"]),
    ("x86_64", {}, ["-sandbox", "on,foo=deny"]),
    ("x86_64", {}, ["-action", "panicc=none"]),
    ("x86_64", {}, ["-drive", "driver=nulll-co,if=none,id=d"]),
    ("x86_64", {}, ["-drive", "format=raw,if=none,id=d,file.driver=nulll-co"]),
    ("x86_64", {}, ["-drive", "file=/dev/null,format=qcow9,if=none,id=d"]),
    ("x86_64", {}, ["-nic", "passt,model=e1000"]),
    ("x86_64", {}, ["-nic", "user,macaddr=52:54:00:00:00:09"]),
    ("x86_64", {}, ["-vnc", "none,foo=bar"]),
    ("x86_64", {}, ["-icount", "shift=3,foo=on"]),
    ("x86_64", {}, ["-overcommit", "mem-lockk=on"]),
    ("x86_64", {}, ["-fw_cfg", "opt/x,stringg=1"]),
    ("x86_64", {}, ["-iscsi", "time-out=3"]),
    ("x86_64", {}, ["-trace", "enabled=vga*"]),
    ("aarch64", {}, ["-semihosting-config", "enable=on,targett=native"]),
    ("x86_64", {}, ["-virtfs", "local,path=/tmp,mount_tag=x,security_model=none,foo=bar"]),
]


def taken_by_qemu(qemu, document, extra):
    """Whether the program starts with the arguments, or answers to them."""
    cpu = [document["cpu_model"]] if "cpu_model" in document else []
    cpu += ["max"] if "cpu_features" in document else []
    cpu += [f"{name}={str(value).replace('True', 'on')}" for name, value in document.get("cpu_features", {}).items()]
    machine = ["-machine", qemu.machine] if "-machine" not in extra and "-M" not in extra else []
    model = ["-cpu", ",".join(cpu)] if cpu else []
    words = [qemu.runtime.binary, "-S", "-nodefaults", "-display", "none", *machine, *model, *extra, "-qmp", "stdio"]
    ended = subprocess.run(words, input='{"execute": "qmp_capabilities"}{"execute": "quit"}', capture_output=True,
                           text=True, timeout=60, check=False)
    return ended.returncode == 0, ended.stderr


def vm_with(document, extra):
    return voltqemu.VM("a", kernel="/k", firmware="bios", extra_args=extra, **document)


@pytest.mark.parametrize("arch, document, extra", TAKEN)
def test_what_qemu_takes_is_let_through(asked, arch, document, extra):
    qemu = asked(arch)
    taken, said = taken_by_qemu(qemu, document, extra)
    assert taken, said
    qemu.check(vm_with(document, extra))


@pytest.mark.parametrize("arch, document, extra", REFUSED)
def test_what_qemu_refuses_is_refused(asked, arch, document, extra):
    qemu = asked(arch)
    taken, _ = taken_by_qemu(qemu, document, extra)
    assert not taken
    with pytest.raises((voltqemu.UnsupportedError, voltqemu.InvalidError)):
        qemu.check(vm_with(document, extra))


def test_there_may_be_as_many_cpus_as_this_version_of_the_machine_has(asked):
    """Fewer than the library knows of the newest."""
    x86 = asked("x86_64")
    few = next(name for name in x86.told.names("machine") if x86.told.fact("machine", name, "max-cpus") == "1")
    assert few == "isapc"
    x86.check(voltqemu.VM("a", firmware="bios", machine="pc-q35-2.7", cpus=255))


def test_what_is_alike_is_told(asked):
    with pytest.raises(voltqemu.UnsupportedError) as raised:
        asked("x86_64").check(voltqemu.VM("a", firmware="bios", cpu_model="Haswel"))
    assert "Haswell" in raised.value.details["choices"].split(", ")


@pytest.mark.parametrize("wanted", ["pc-q35-9.9", "pc-q35-jammy", "pc-q35-8.0"])
def test_of_versions_of_a_machine_the_newest_are_told_first(asked, wanted):
    x86 = asked("x86_64")
    newest = x86.told.fact("machine", "q35", "alias-of")
    with pytest.raises(voltqemu.UnsupportedError) as raised:
        x86.check(voltqemu.VM("a", firmware="bios", machine=wanted))
    choices = raised.value.details["choices"].split(", ")
    assert choices[0] == newest and len(choices) == 6 and all(name.startswith("pc-q35-") for name in choices)


# ---- what is there ----

def documents():
    return sorted((TESTS / "cases/commands").glob("*/vm.json"))


@pytest.mark.parametrize("arch", mostly_extended(ARCHES, ["x86_64", "aarch64", "mips64el", "s390x"]))
def test_nothing_that_golden_vms_ask_for_is_missing(asked, arch):
    qemu, built = asked(arch), 0
    for path in documents():
        vm = voltqemu.VM.from_json(path.read_text())
        vm.merge(ANYWHERE)
        if path.parent.name in ("hostile-strings", "guest-with-own-ids"):  # QEMU would not start with their arguments
            vm.merge({"extra_args": None})
        if arch not in X86:
            vm.merge({"cpu_model": None, "cpu_features": None})
        try:
            qemu.build(vm)
        except voltqemu.Error:
            continue  # not for this architecture
        try:
            qemu.check(vm)
        except voltqemu.UnsupportedError as error:  # a machine of this version may have less than the newest
            assert error.reason == "too-many-cpus", error
            continue
        built += 1
    assert built > 5


def random_vm(generator, told):
    """Whatever goes together is up to the library."""
    def some(*values):
        return generator.choice(values) if generator.random() < 0.25 else None
    document = {
        "kernel": "/k", "memory": some(256, 512), "cpus": some(1, 2, 4), "guest_os": some("linux", "windows", "other"),
        "machine": some(*told.names("machine")), "cpu_model": some(*told.names("cpu")),
        "display": some("vnc"), "video": some("std", "virtio", "ramfb"), "usb": some(True, False),
        "usb_tablet": some(True), "rng": some(True), "balloon": some(True), "tpm": some(True),
        "vsock_cid": some(7), "watchdog": some("reset", "none"), "rootfs": some("/r"),
        "console": some("stdio", "file", "socket", "pty", "none"), "memory_shared": some(True),
        "hotplug_slots": some(1, 9), "suspend": some(True), "rtc": some("utc", "localtime"),
        "disks": [{"file": f"/d{i}", "bus": some("virtio", "scsi", "ide", "usb", "nvme"), "cdrom": some(True),
                   "format": some("raw", "qcow2"), "cache": some("none", "writeback", "unsafe", "writethrough"),
                   "aio": some("threads", "native", "io_uring"), "iothread": some(True), "discard": some(True)}
                  for i in range(generator.choice([0, 0, 1, 3]))],
        "nics": [{"backend": some("user", "bridge", "tap"),
                  "model": some("virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "pcnet",
                                "ne2k_pci")}
                 for _ in range(generator.choice([0, 0, 1, 2]))],
        "shares": [{"path": "/s", "tag": f"t{i}", "driver": some("9p", "virtiofs")}
                   for i in range(generator.choice([0, 0, 1, 2]))],
    }
    clean = {key: value for key, value in document.items() if value is not None}
    for name in ("disks", "nics", "shares"):
        clean[name] = [{key: value for key, value in item.items() if value is not None} for item in clean[name]]
    return clean


@pytest.mark.parametrize("arch", ARCHES)
def test_nothing_that_random_vms_ask_for_is_missing(asked, arch):
    generator, qemu, built = random.Random(f"{SEED}/{arch}"), asked(arch), 0
    for _ in range(4000):
        document = random_vm(generator, qemu.told)
        try:
            vm = voltqemu.VM.from_json(json.dumps({"name": "x", **document}))
            qemu.build(vm)
        except (voltqemu.InvalidError, voltqemu.UnsupportedError):
            continue
        try:
            qemu.check(vm)
        except voltqemu.Error as error:
            if error.reason == "cpu-not-for-machine":  # any model is asked for of any machine here
                continue
            raise AssertionError(f"CHECK_SEED={SEED}: {document}: {error}") from error
        built += 1
        if built == VMS_OF_AN_ARCH:
            return
    raise AssertionError(f"CHECK_SEED={SEED}: only {built} VMs could be built")


# ---- the command line ----

def test_the_command_line_checks_unless_told_otherwise(boot_store):
    words = ["--profile", "emulate-x86", "--guest-arch", "x86_64", "--set", "firmware=bios"]
    for command in ("args", "env", "unit"):
        user = ["--set", "user=games"] if command == "unit" else []
        message = bad("--root", boot_store.root, command, *words, *user, "--set", "cpu_model=qemu65",
                      mentions=["cpu_model", "qemu65", "qemu64", "emulate-x86"])
        assert message.count("\n") == 1
        good("--root", boot_store.root, command, *words, *user)
        good("--root", boot_store.root, command, "--no-check", *words, *user, "--set", "cpu_model=qemu65")


@pytest.mark.parametrize("extra, module", [
    (["-blockdev", "rbd,node-name=n,pool=x,image=y"], "rbd"), (["-drive", "driver=iscsi,if=none"], "iscsi"),
    (["-blockdev", "raw,node-name=n,file.driver=ssh,file.path=/x,file.server.host=a,file.server.port=1"], "ssh"),
    (["-display", "curses"], "curses")])
def test_drivers_that_cannot_be_loaded_are_told(boot_store, tmp_path, extra, module):
    """The program is made for them; the profile is made without their modules."""
    (tmp_path / "vm.json").write_text(json.dumps({"name": "a", "firmware": "bios", "extra_args": extra}))
    words = ["--profile", "emulate-x86", "--guest-arch", "x86_64", "--vm", tmp_path / "vm.json"]
    result = run("--root", boot_store.root, "--json", "args", *words, text=True)
    error = json.loads(result.stderr)["error"]
    assert error["reason"] == "qemu-lacks-module" and error["details"]["value"] == module
    good("--root", boot_store.root, "args", "--no-check", *words)


def test_other_profiles_that_have_it_are_told(boot_store):
    """Of these only is known what they have that were asked."""
    good("--root", boot_store.root, "capabilities", "--profile", "emulate-foreign", "--guest-arch", "aarch64")
    result = run("--root", boot_store.root, "--json", "args", "--profile", "emulate-foreign", "--guest-arch", "aarch64",
                 "--set", "firmware=bios", "--set", "cpu_model=cortex-a58", text=True)
    error = json.loads(result.stderr)["error"]
    assert error["reason"] == "qemu-lacks-thing" and "cortex-a57" in json.dumps(error)
