# SPDX-License-Identifier: MIT
"""
The commands under which the power goes. Each is a function of the world that returns a Step, or None if there is nothing
to do it with.
"""
import dataclasses
import json
import shutil

from operations import FILES, OTHER_FILES, OTHER_PROFILE, PROFILE, damage, manifests, object_of, write_directory
from world import digests, files_of

HOLDERS = ["", "unit:volt-web", "unit:volt-db"]


@dataclasses.dataclass
class Step:
    words: list
    calls: int  # about how many system calls there are to be cut off at
    may: object = None  # (name of a fact, its value): whether that can come to be before the command is done; None: gone
    done: object = None  # what holds when it is done
    alone: bool = False  # it looks at all processes
    again: bool = True  # it can be done a second time
    root: object = None  # if it is a command of another store


# ---- revisions come ----

def comes(world, words, calls, files, root=None):
    def is_new(digest):
        return manifests(world.root)[digest]["objects"] == digests(files)

    return Step(words, calls, lambda name, digest: name[0] == "revision" and digest and is_new(digest),
                lambda facts: any(is_new(digest) for name, digest in facts.items() if name[0] == "revision"), root=root)


def ingest(world):
    return comes(world, ["ingest", "--profile", PROFILE, world.next_source()], 300, files_of(world.versions))


def ingest_other(world):
    source = world.outside / "source-of-other"
    write_directory(source, OTHER_FILES)
    return comes(world, ["ingest", "--profile", OTHER_PROFILE, source], 250, OTHER_FILES)


def import_archive(world):
    return comes(world, ["import", "--profile", PROFILE, world.next_archive()], 300, files_of(world.versions))


def copy(world):
    source = world.next_store()
    return comes(world, ["copy", PROFILE, "--to", world.root], 250, files_of(world.versions), root=source)


# ---- revisions are kept or go ----

def pin(world):
    if not world.named("revision"):
        return None
    name, holder = world.rng.choice(world.named("revision")), world.rng.choice(HOLDERS)
    fact = ("pin", name, holder)
    return Step(["pin", *(["--holder", holder] if holder else []), name], 60, lambda name, pinned: name == fact and pinned,
                lambda facts: fact in facts)


def unpin(world):
    if not world.named("pin"):
        return None
    name, holder = world.rng.choice(world.named("pin"))
    fact = ("pin", name, holder)
    return Step(["unpin", *(["--holder", holder] if holder else []), name], 30, lambda name, _: name == fact,
                lambda facts: fact not in facts, again=False)


def set_current(world):
    if not world.named("revision"):
        return None
    name = world.rng.choice(world.named("revision"))
    fact = ("current", PROFILE if name.startswith(PROFILE) else OTHER_PROFILE)
    return Step(["current", name], 60, lambda changed, now: (changed, now) == (fact, name),
                lambda facts: facts.get(fact) == name)


def unset_current(world):
    if not any(name.startswith(PROFILE) for name in world.named("revision")):
        return None
    return Step(["current", PROFILE], 50, lambda name, now: name == ("current", PROFILE) and now is None,
                lambda facts: ("current", PROFILE) not in facts)


def unkept(world):
    """Revisions that may go."""
    kept = {name for name, _ in world.named("pin")} | {value for name, value in world.promised.items()
                                                       if name[0] == "current"}
    return [name for name in world.named("revision") if name not in kept]


def remove(world):
    if not unkept(world):
        return None
    fact = ("revision", world.rng.choice(unkept(world)))
    return Step(["rm", fact[1]], 130, lambda name, now: now is None and (name == fact or name[0] == "link"),
                lambda facts: fact not in facts, alone=True, again=False)


def collect(world):
    newest = [revision["name"] for revision in map(world.newest, (PROFILE, OTHER_PROFILE)) if revision]
    may_go = {("revision", name) for name in unkept(world) if name not in newest}
    return Step(["gc", "--keep", "1"], 300, lambda name, now: now is None and (name in may_go or name[0] == "link"),
                lambda facts: True, alone=True)


# ---- trees and files are made ----

def changes_link(name, _):
    return name == ("link", PROFILE)


def leads_to_newest(world):
    return lambda facts: facts[("link", PROFILE)] == world.newest(PROFILE)["digest"]


def resolve(world):
    if not world.newest(PROFILE):
        return None
    return Step(["resolve", "--profile", PROFILE], 250, changes_link, leads_to_newest(world))


def resolve_altered(world):
    """The tree was altered, and is replaced."""
    step = resolve(world)
    if not step:
        return None
    tree = world.do("--json", "resolve", "--profile", PROFILE)
    altered = world.root / "qemu/trees" / json.loads(tree)["digest"] / "lib/libone.so.1"
    altered.unlink()
    world.is_altered = True
    return dataclasses.replace(step, calls=400, alone=True)


def export(world):
    if not world.newest(PROFILE):
        return None
    path = world.rng.choice(world.exports)
    fact, digest = ("export", path.name), world.newest(PROFILE)["digest"]
    return Step(["export", PROFILE, "--output", path], 130, lambda name, now: (name, now) == (fact, digest),
                lambda facts: facts.get(fact) == digest)


def prepare(world):
    if not world.newest(PROFILE):
        return None
    return Step(["prepare", "--no-check", "--profile", PROFILE, "--vm", world.vm()], 400,
                lambda name, now: changes_link(name, now) or (name == ("variables",) and now),
                lambda facts: ("variables",) in facts)


def write_units(world):
    """The tree that they name is made as well."""
    if not world.newest(PROFILE):
        return None
    words = ["unit", "--no-check", "--profile", PROFILE, "--vm", world.vm()]
    text = world.do(*words)
    world.promised.update(world.facts_of_links())
    return Step([*words, "--output", world.units], 200, lambda name, now: name[0] == "unit" and now == text,
                lambda facts: text in [value for name, value in facts.items() if name[0] == "unit"])


def repair(world):
    """One object is missing, one is damaged, which is on the disk."""
    newest = world.newest(PROFILE)
    if not newest or world.is_damaged:
        return None
    source = world.outside / "good"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(world.root, source, symlinks=True)
    object_of(world.root, FILES["lib/libone.so.1"][0]).unlink()
    damage(object_of(world.root, FILES["firmware/bios.bin"][0]))
    world.disk.sync()
    world.is_damaged = world.is_altered = True
    return Step(["verify", "--repair", "--from", source], 600, lambda name, _: False, lambda facts: True, alone=True)


STEPS = [ingest, ingest_other, import_archive, copy, pin, unpin, set_current, unset_current, remove, collect, resolve,
         resolve_altered, export, prepare, write_units, repair]
