# SPDX-License-Identifier: MIT
"""Mistakes that are natural in Python, each of which must be an exception. test_python_mistakes.py runs this as a
program: python_mistakes.py DIRECTORY. For each mistake it prints a line of JSON; if one of them ends the
interpreter, the last line tells which came before."""
import asyncio
import copy
import faulthandler
import json
import logging
import os
import pickle
import sys
import threading
from pathlib import Path

import voltqemu
from voltqemu import aio
from voltqemu.call import perform

PROGRAM = "#!/bin/sh\n"

# A machine that is busy makes tasks slow, which asyncio tells in development mode.
logging.getLogger("asyncio").addFilter(lambda record: "took %.3f seconds" not in str(record.msg))


def made(directory):
    """What the mistakes are made with."""
    profile = Path(directory, "profile")
    (profile / "bin").mkdir(parents=True)
    (profile / "firmware").mkdir()
    (profile / "firmware/bios.bin").write_text("firmware")
    (profile / "bin/qemu-system-x86_64").write_text(PROGRAM)
    host = voltqemu.Host("x86_64", "absent")
    selection = voltqemu.select(host, profile="emulate-x86")
    store = voltqemu.Store(Path(directory, "store"), create=True)
    revision = store.ingest(profile, "emulate-x86").revision
    runtime = store.resolve(selection)
    vm = voltqemu.VM("web", user="root", memory=512, disks=[{"file": "/a"}], nics=[{"forwards": [{"host_port": 1, "guest_port": 2}]}],
                     extra_args=["-d"], cpu_features={"avx": True})
    command = voltqemu.Command(runtime, vm)
    units = voltqemu.Units(runtime, vm)
    call = voltqemu.Call()
    closed = {name: copied for name, copied in (
        ("host", voltqemu.Host("x86_64", "absent")), ("selection", voltqemu.select(host, profile="emulate-x86")),
        ("store", voltqemu.Store(Path(directory, "store"))), ("vm", voltqemu.VM("x")),
        ("revision", store.find(revision.name)), ("runtime", store.resolve(selection)),
        ("command", voltqemu.Command(runtime, vm)), ("units", voltqemu.Units(runtime, vm)), ("call", voltqemu.Call()))}
    for handle in closed.values():
        handle.close()
        handle.close()
    closed_vm = voltqemu.VM("x", disks=[{"file": "/a"}])
    closed_disk, closed_disks = closed_vm.disks[0], closed_vm.disks
    closed_vm.close()
    stale_vm = voltqemu.VM("x", disks=[{"file": "/a"}, {"file": "/b"}])
    stale_disk = stale_vm.disks[1]
    del stale_vm.disks[1]
    return {**globals(), **locals()}


MISTAKES = """
# names and files for handles, and the other way
voltqemu.Command("runtime", vm)
voltqemu.Command(runtime, "web")
voltqemu.Command(runtime, {"name": "web"})
voltqemu.Command(runtime, None)
voltqemu.Command(None, vm)
voltqemu.Command(vm, runtime)
voltqemu.Command(runtime)
voltqemu.Command()
voltqemu.Command(runtime, vm.disks[0])
voltqemu.Command(1, 2)
voltqemu.Command(id(runtime), id(vm))
voltqemu.Command(runtime._pointer.value, vm)
voltqemu.Command(voltqemu.Runtime, voltqemu.VM)
voltqemu.Command(runtime, vm, for_unit="yes")
voltqemu.Command(runtime, vm, 1)
voltqemu.Units(vm, runtime)
voltqemu.Units(runtime, vm, user=1)
voltqemu.Units(runtime, vm, stop_command="/usr/bin/stop")
voltqemu.Units(runtime, vm, stop_command=["stop"])
voltqemu.Units(runtime, vm, stop_command=[None])
voltqemu.Units(runtime, vm, stop_command=[])
voltqemu.Units(runtime, vm, stop_timeout=-1)
voltqemu.Units(runtime, vm, stop_timeout="90")
units[5]
units[-9]
units["web"]
voltqemu.select("x86_64")
voltqemu.select(store)
voltqemu.select(vm)
voltqemu.select(host, vm="web")
voltqemu.select(host, store="/var/lib/volt")
voltqemu.select(host, vm=store, store=vm)
voltqemu.select(host, profile="no-such-profile")
voltqemu.select(host, profile=7)
voltqemu.select(host, profile=selection)
voltqemu.select(host, accel="kmv")
voltqemu.select(host, accel=True)
voltqemu.select(host, mode="hybrid")
voltqemu.select(host, guest_arch="x86-64")
voltqemu.select(host, guest_os="Linux")
voltqemu.select(host, abilities=["flying"])
voltqemu.select(host, abilities=7)
voltqemu.select(host, abilities=[7])
voltqemu.select(host, "emulate-x86")
voltqemu.Host()
voltqemu.Host(None)
voltqemu.Host("x86_64", True)
voltqemu.Host("x86_64", "fast")
voltqemu.Host("pdp11")
voltqemu.Host.probe(1)
voltqemu.Profile("x")
voltqemu.Profile(None)
voltqemu.GuestArch("x")
voltqemu.Runtime()
voltqemu.Runtime(selection)
voltqemu.Runtime("emulate-x86", "/a", "/b")
voltqemu.Runtime(selection, "qemu", "/b")
voltqemu.Runtime(selection, "/a", None)
voltqemu.Selection()
voltqemu.Revision("kvm-linux-8e1e73bc")
voltqemu.Manifest()
voltqemu.Manifest.from_json("{}")
voltqemu.Manifest.from_json(None)
voltqemu.Manifest.from_json({"name": "x"})
voltqemu.Manifest.from_file("/nonexistent")
# stores
voltqemu.Store()
voltqemu.Store(None)
voltqemu.Store("/nonexistent")
voltqemu.Store(7)
voltqemu.Store(store)
voltqemu.Store(directory, create=1)
voltqemu.Store(directory, create=True, read_only=True)
voltqemu.Store("a\\0b")
voltqemu.Store("x", root_fd=-1)
voltqemu.Store("x", root_fd="0")
voltqemu.Store("x", root_fd=1 << 40)
voltqemu.Store("x", root_fd=999)
store.resolve("emulate-x86")
store.resolve(revision)
store.resolve(None)
store.resolve(selection, revision="emulate-x86-00000000")
store.resolve(selection, revision=7)
store.resolve(selection, revision=selection)
store.resolve(selection, verify=1)
store.resolve(selection, call=7)
store.resolve(selection, call=lambda progress: None)
store.resolve(selection, call=voltqemu.Call)
store.resolve(selection, progress=print)
store.find(None)
store.find(revision)
store.find("no-such-thing")
store.find("../../etc/passwd")
store.find("")
store.revisions(7)
store.ingest(profile)
store.ingest("emulate-x86", profile)
store.ingest(profile, None)
store.ingest(profile, "no-such-profile")
store.ingest("/nonexistent", "emulate-x86")
store.ingest(profile, "emulate-x86", created_at=7)
store.ingest(profile, "emulate-x86", created_at="yesterday")
store.import_(None)
store.import_(-1)
store.import_(999)
store.import_(True)
store.import_("/nonexistent.tar")
store.import_(__import__("io").BytesIO(b""))
store.import_(open("/dev/null", "rb"))
store.import_(open("/dev/null").close())
store.export(revision, None)
store.export(None, "/dev/null")
store.export("no-such", "/tmp/x")
store.export(revision, __import__("io").BytesIO())
store.export(revision, "/dev/null")
store.export(revision, "/nonexistent/x.tar")
store.import_(b"/nonexistent.tar")
store.copy_to(store, revision)
store.copy_to(revision, "/elsewhere")
store.copy_to(revision, None)
store.pin(None)
store.pin("no-such")
store.pin(revision, 7)
store.pin(revision, "no holder")
store.pin(store)
store.pins(7)
store.remove(None)
store.remove("no-such")
store.set_current("no-such")
store.set_current(None)
store.collect(-1)
store.collect("1")
store.collect(1 << 64)
store.collect(True)
store.collect(dry_run="no")
store.check(7)
store.check(repair="x")
store.check(source=7)
store.uses(7)
store.sizes(7)
store.sizes("../x")
# calls
voltqemu.Call(7)
voltqemu.Call(threads="2")
voltqemu.Call(threads=-1)
voltqemu.Call(threads=1.5)
voltqemu.Call(threads=True)
voltqemu.Call(timeout="1")
voltqemu.Call(timeout=-1)
voltqemu.Call(timeout=float("nan"))
voltqemu.Call(timeout=float("inf"))
voltqemu.Call(progress="x")
voltqemu.Call(log=7)
voltqemu.Call(max_size=1 << 64)
voltqemu.Call(thread=2)
store.check(call=voltqemu.Call(progress=lambda: None))
store.check(call=voltqemu.Call(progress=lambda progress: 1 // 0))
store.check(call=voltqemu.Call(progress=lambda progress: "no"))
store.check(call=voltqemu.Call(progress=lambda progress: sys.exit(3)))
store.check(call=voltqemu.Call(progress=lambda progress: call.close() or progress.nothing))
perform(None, lambda made: made.close() or voltqemu.C)
# VMs
voltqemu.VM()
voltqemu.VM(None)
voltqemu.VM(7)
voltqemu.VM("")
voltqemu.VM("a\\0b")
voltqemu.VM("web", memori=512)
voltqemu.VM("web", memory="512")
voltqemu.VM("web", memory=1.5)
voltqemu.VM("web", memory=-1)
voltqemu.VM("web", memory=True)
voltqemu.VM("web", memory=1 << 64)
voltqemu.VM("web", memory=[512])
voltqemu.VM("web", memory={"size": 512})
voltqemu.VM("web", tpm=1)
voltqemu.VM("web", tpm="yes")
voltqemu.VM("web", kernel=7)
voltqemu.VM("web", kernel="vmlinuz")
voltqemu.VM("web", kernel="/a\\0b")
voltqemu.VM("web", disks="/a")
voltqemu.VM("web", disks=["/a"])
voltqemu.VM("web", disks={"file": "/a"})
voltqemu.VM("web", disks=[{"fil": "/a"}])
voltqemu.VM("web", disks=[None])
voltqemu.VM("web", disks=[{"boot_order": "1"}])
voltqemu.VM("web", disks=7)
voltqemu.VM("web", disks={1, 2})
voltqemu.VM("web", extra_args="-d")
voltqemu.VM("web", extra_args=[1])
voltqemu.VM("web", cpu_features=["avx"])
voltqemu.VM("web", cpu_features={"avx": 1.5})
voltqemu.VM("web", cpu_features={1: True})
voltqemu.VM("web", uuid=__import__("uuid").UUID(int=1))
voltqemu.VM({"name": "web"})
voltqemu.VM.from_json({"name": "web"})
voltqemu.VM.from_json("{")
voltqemu.VM.from_json(None)
voltqemu.VM.from_json(b"\\xff")
voltqemu.VM.from_json("\\0")
voltqemu.VM.from_file("/nonexistent")
voltqemu.VM.from_file(None)
voltqemu.VM.from_file(sys.stdin)
vm["memori"]
vm["disks[0].cash"]
vm["disks[7]"]
vm["disks[7].cache"]
vm["disks[-1].cache"]
vm["disks[99999999999999999999].cache"]
vm["disks.cache"]
vm["disks[0]cache"]
vm["disks["]
vm[""]
vm["."]
vm["memory.x"]
vm["cpu_features."]
vm[0]
vm[None]
vm["a\\0b"]
vm["\\udcff"]
vm[b"memory"]
vm.memori
setattr(vm, "memori", 512)
setattr(vm, "memory", "512")
setattr(vm, "memory", -1)
setattr(vm, "memory", 1 << 70)
setattr(vm, "kernel", 7)
setattr(vm, "tpm", 1)
setattr(vm, "disks", "/a")
setattr(vm, "disks", {"file": "/a"})
setattr(vm, "cpu_features", ["avx"])
setattr(vm, "extra_args", "-d")
setattr(vm, "extra_args", 7)
setattr(vm.disks[0], "cash", "none")
setattr(vm.disks[0], "cache", "nothing")
setattr(vm.disks[0], "cache", True)
setattr(vm.disks[0], "fd", 1)
setattr(vm.disks[0], "fd", sys.stdin)
vm.__setitem__("disks[5].file", "/a")
vm.__setitem__("disks[5]", {"file": "/a"})
vm.__setitem__("disks[0].file.x", {"a": 1})
vm.__setitem__("memory", object())
vm.__setitem__("memory", {1: 2})
vm.__setitem__(7, 7)
vm.__setitem__("x.y.z", [1])
vm.__setitem__("$schema", {})
vm.__delitem__("memori")
vm.__delitem__("disks[9]")
vm.disks[1]
vm.disks[-2]
vm.disks["0"]
vm.disks[None]
vm.disks[0]["cash"]
vm.disks.append("/a")
vm.disks.append(None)
vm.disks.append(7)
vm.disks.append({"cash": 1})
vm.disks.add("/a")
vm.disks.add(cash=1)
vm.disks.insert("x", {})
vm.disks.remove({"file": "/nothing"})
vm.disks.__setitem__(7, {})
vm.disks.__setitem__(0, 7)
vm.disks.__setitem__(slice(0, 1), 7)
vm.disks.__delitem__(7)
vm.disks.pop(9)
vm.disks[0].file.nothing
vm.nics[0].forwards[1]
vm.nics[0].forwards.append({"host_port": "2222"})
vm.extra_args[5]
vm.extra_args.append(7)
vm.extra_args.append(None)
vm.cpu_features["sse"]
vm.cpu_features[7]
vm.cpu_features.__setitem__("avx", None)
vm.cpu_features.__setitem__("avx", 1.5)
vm.cpu_features.__setitem__("", True)
vm.cpu_features.__delitem__("nothing")
vm.merge(7)
vm.merge(None)
vm.merge([])
vm.merge({7: 7})
vm.merge("{")
vm.merge({"memory": "x"})
vm.merge({"name": None})
vm.merge({"a": vm})
vm.update(memori=1)
vm.diff(None)
vm.diff({"name": "x"})
vm.diff(store)
hash(vm.disks)
stale_disk.file
stale_disk.to_dict()
setattr(stale_vm.disks, "x", 1)
# commands
command.socket("qpm")
command.socket(None)
command.digest("everything")
command.digest(None)
command.start("x")
command.start({"root": 7})
command.start([("root", 7)])
command.start(pass_fds=["7"])
command.start(env={})
command.start(cwd="/")
command.start(shell=True)
command.prepare(True)
command.prepare(keep_variables=1)
command.prepare(keep_variables=True, reset_variables=True)
voltqemu.Command.load("{}")
voltqemu.Command.load(None)
voltqemu.Command.load(command)
voltqemu.Command.load(command.save().replace("web", "wob"))
setattr(command, "argv", [])
setattr(command, "anything", 1)
command._pointer.nothing
# monitors
# policies
voltqemu.Policy("{}")
voltqemu.Policy(read_path=["/srv"])
voltqemu.Policy(read_paths="/srv")
voltqemu.Policy(read_paths=[7])
voltqemu.Policy(max_memory="512")
voltqemu.Policy(max_memory=-1)
voltqemu.Policy(forwards=[7])
voltqemu.Policy.from_json({"max_memory": 7})
voltqemu.Command(runtime, vm, policy={"max_memory": 7})
voltqemu.Monitor()
voltqemu.Monitor(None)
voltqemu.Monitor(7)
voltqemu.Monitor("/nonexistent.sock")
voltqemu.Monitor("/nonexistent.sock", wait=1)
voltqemu.Monitor("/nonexistent.sock", wait=True, timeout=-1)
voltqemu.Monitor("/nonexistent.sock", wait=True, timeout=0.1)
voltqemu.Monitor(directory)
voltqemu.Monitor("/" + "x" * 200)
voltqemu.Monitor(command)
voltqemu.Monitor.from_fd(-1)
voltqemu.Monitor.from_fd(999)
voltqemu.Monitor.from_fd("7")
voltqemu.Monitor.from_fd(open("/dev/null"), timeout=0.2)
# closed handles
closed["host"].arch
voltqemu.select(closed["host"])
voltqemu.select(host, vm=closed["vm"])
voltqemu.select(host, store=closed["store"])
closed["selection"].profile
closed["selection"].rejected
closed["store"].revisions()
closed["store"].resolve(selection)
closed["store"].__enter__()
store.resolve(closed["selection"])
store.resolve(selection, closed["revision"])
store.resolve(selection, call=closed["call"])
store.copy_to(revision, closed["store"])
store.copy_to(closed["revision"], store)
closed["call"].cancel()
closed["call"].cancelled
closed["revision"].name
store.pin(closed["revision"])
closed["runtime"].binary
closed["runtime"].lease_fd
closed["runtime"].placements()
voltqemu.Command(closed["runtime"], vm)
voltqemu.Command(runtime, closed["vm"])
closed["vm"].name
closed["vm"].to_json()
closed["vm"].to_dict()
closed["vm"].copy()
closed["vm"].merge({})
closed["vm"].merge({"kernel": b"/\\xff"})
closed["vm"].disks
closed["vm"].disks[0]
setattr(closed["vm"], "memory", 1)
vm.diff(closed["vm"])
closed_disk.file
closed_disk.to_dict()
len(closed_disks)
closed_disks.append({})
closed["command"].argv
closed["command"].env
closed["command"].files
closed["command"].fds
closed["command"].start()
closed["command"].prepare()
closed["command"].save()
len(closed["units"])
closed["units"].command
voltqemu.Store.__new__(voltqemu.Store).revisions()
voltqemu.VM.__new__(voltqemu.VM).name
object.__new__(voltqemu.Command).argv
type("Mine", (voltqemu.VM,), {"__init__": lambda self: None})().memory
type("Mine", (voltqemu.Store,), {"__init__": lambda self: None})().check()
voltqemu.Store.revisions(vm)
voltqemu.VM.to_json(store)
voltqemu.Command.argv.fget(vm)
voltqemu.VM.memory.__get__(command, None)
# copies
copy.copy(store)
copy.deepcopy(store)
pickle.dumps(store)
copy.copy(command)
copy.deepcopy(command)
pickle.dumps(command)
copy.copy(runtime)
pickle.dumps(runtime)
copy.copy(call)
copy.deepcopy({"call": call})
pickle.dumps([host])
copy.deepcopy(units)
copy.copy(closed["revision"])
hash(closed["revision"])
hash(vm.cpu_features)
pickle.dumps(host)
pickle.dumps(selection)
pickle.dumps(revision)
pickle.dumps(revision.manifest)
pickle.dumps(selection.profile)
pickle.dumps(units)
pickle.loads(pickle.dumps(closed["vm"]))
copy.copy(vm._pointer)
pickle.dumps(vm._pointer)
# asyncio
asyncio.run(aio.run(7))
asyncio.run(aio.run(store.check()))
asyncio.run(aio.run(aio.Monitor.connect, "/nonexistent.sock"))
asyncio.run(aio.run(store.check, 7))
asyncio.run(aio.run(store.check, call=7))
asyncio.run(aio.run(store.nothing))
asyncio.run(aio.run(print, "x"))
asyncio.run(aio.run(closed["store"].check))
asyncio.run(aio.run(store.check, call=voltqemu.Call(progress=lambda progress: 1 // 0)))
asyncio.run(aio.Monitor.connect("/nonexistent.sock"))
asyncio.run(aio.Monitor.connect(None))
aio.Monitor("/run/x.sock")
asyncio.run(closed["command"].start_async())
asyncio.run(command.start_async(env={}))
"""


def attempt(mistake, names):
    try:
        value = eval(mistake, names)  # pylint: disable=eval-used
    except (Exception, SystemExit) as problem:  # pylint: disable=broad-except
        kind = type(problem)
        return {"mistake": mistake, "raised": [each.__name__ for each in kind.__mro__], "message": str(problem)}
    return {"mistake": mistake, "value": repr(value)}


def in_child(names):
    """Use handles that another process has opened."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        for mistake in ("store.revisions()", "store.check()", "store.resolve(selection)"):
            print(json.dumps({"child": True, **attempt(mistake, names)}), flush=True)
        for handle in (names["store"], names["vm"], names["command"], names["call"]):
            handle.close()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    print(json.dumps({"status": status}))


def at_once(names):
    """Close, copy and use the same handles in many threads."""
    stop = threading.Event()
    problems = []

    def work(step):
        while not stop.is_set():
            try:
                step()
            except (voltqemu.UsageError, IndexError, voltqemu.InvalidError, voltqemu.UnknownKeyError, ValueError):
                pass
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(repr(problem))
                return

    shared = {"vm": voltqemu.VM("x"), "store": voltqemu.Store(Path(names["directory"], "store"))}

    def reopen():
        old = shared["store"]
        shared["store"] = voltqemu.Store(Path(names["directory"], "store"))
        old.close()

    def renew():
        old = shared["vm"]
        shared["vm"] = old.copy()
        old.close()

    steps = [lambda: shared["vm"].disks.append({"file": "/a"}), lambda: shared["vm"].disks.__delitem__(0),
             lambda: shared["vm"].to_dict(), lambda: setattr(shared["vm"], "kernel", "/" + "k" * 500),
             lambda: shared["vm"].kernel, lambda: voltqemu.Command(names["runtime"], shared["vm"]).argv, renew,
             lambda: shared["store"].revisions(), lambda: shared["store"].check(), reopen]
    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    stop.wait(3)
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"problems": problems}))


def main():
    faulthandler.enable()
    names = made(sys.argv[1])
    for mistake in MISTAKES.splitlines():
        if mistake and not mistake.startswith("#"):
            print(json.dumps(attempt(mistake, names)), flush=True)
    in_child(names)
    at_once(names)


if __name__ == "__main__":
    main()
