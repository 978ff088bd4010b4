# SPDX-License-Identifier: MIT
"""
The power goes at any moment of any command: what was reported as done is there, nothing that counts is damaged, and all
works on. Each round has a disk of its own, a few commands that succeed, and one that is cut off at a system call. All is
chosen by the seed and the number of the round: tests/power/run --seed S --round N plays one again.
"""
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from disk import OPTIONS, Disk, make_image
from operations import CLI, environment
from points import ALONE, KILLED, NEVER_REACHED
from steps import STEPS, ingest
from world import World

KINDS = sorted(OPTIONS)


@pytest.fixture(scope="session")
def images(own_mounts, tmp_path_factory):
    """In memory: an empty file system of each kind."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as directory:
        found = {kind: Path(directory, kind) for kind in KINDS}
        for kind, path in found.items():
            make_image(kind, path)
        yield found


def complete(world, step):
    world.do(*step.words, root=step.root)
    world.is_damaged = world.is_altered = False
    world.promised = world.facts()
    assert step.done(world.promised), f"{step.words} is not done"


def cut_off(world, step, inject, number):
    """Returns whether it was; else it is done."""
    command = [inject, "--after", str(world.disk.directory), "kill", str(number), "--", CLI, "--root",
               step.root or world.root, "--kvm", "usable", "--host-arch", "x86_64", *step.words]
    result = subprocess.run([*(ALONE if step.alone else []), *command], capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, timeout=60, env=environment())
    if result.returncode == KILLED:
        return True
    assert result.returncode == NEVER_REACHED and not result.stderr, result
    world.is_damaged = world.is_altered = False
    world.promised = world.facts()
    assert step.done(world.promised), f"{step.words} is not done"
    return False


def check_facts(world, step, was_cut_off):
    before, after = world.promised, world.facts()
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            assert was_cut_off and step.may(name, after.get(name)), \
                f"{name} was {before.get(name)} and is {after.get(name)} after {step.words}"


def check_world(world, step, was_cut_off):
    check_facts(world, step, was_cut_off)
    world.check_whole()
    if world.is_damaged:
        complete(world, step)
    elif not world.is_altered:
        world.do("verify")
    world.check_resolving()
    if step.again:
        complete(world, step)
    world.check_clean()


def test_power_is_lost(number, seed, images, inject, tmp_path):
    rng = random.Random(f"{seed} {number}")
    kind, last = KINDS[number % len(KINDS)], STEPS[number // len(KINDS) % len(STEPS)]
    disk = Disk(images[kind], images[kind].with_suffix(".img"), tmp_path / "disk", rng.choice(OPTIONS[kind]))
    try:
        world = World(disk, tmp_path / "outside", rng)
        print(f"{kind}, {disk.options}:")
        for make in [*rng.sample([ingest, *STEPS], rng.randint(0, 4)), ingest][::-1]:
            step = make(world)
            if step:
                print("done:", *step.words)
                complete(world, step)
                if rng.random() < 0.3:
                    disk.commit()
        step = last(world) or ingest(world)
        at = rng.randint(1, step.calls * 6 // 5)
        was_cut_off = cut_off(world, step, inject, at)
        print(f"cut off at call {at}:" if was_cut_off else "done:", *step.words)
        if rng.random() < 0.5:
            print("the journal is committed")
            disk.commit()
        disk.lose_power()
        check_world(world, step, was_cut_off)
    finally:
        disk.remove()
        shutil.rmtree(tmp_path / "outside", ignore_errors=True)


@pytest.mark.parametrize("known", [
    (1795820449, 90),  # the journal was committed between the name of a tree and its stamp
], ids=str)
def test_rounds_that_failed_once(known, images, inject, tmp_path):
    """As long as the steps are the same."""
    seed, number = known
    test_power_is_lost(number, seed, images, inject, tmp_path)
