# SPDX-License-Identifier: MIT
"""Pulls that are interrupted after any number of bytes: what has come is not asked for again."""
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from store_cli import CLI, PROFILE, PROGRAM, build, good, leftovers, make_files, manifests, verify
from test_pull import CONNECTIONS, config_of, objects_in, pulled

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import FakeRegistry  # noqa: E402
from shelf_registry import Shelf, objects_of  # noqa: E402

POINTS, FEWER = 100, 8
SIZES = random.Random(1)
FILES = {PROGRAM: b"#!/bin/sh\n",
         **{f"lib/lib{i}.so": SIZES.randbytes(int(2 ** SIZES.uniform(5, 18))) for i in range(60)}}


@pytest.fixture(name="shelf", scope="module")
def make_shelf(tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    build(place / "store", make_files(place / "profile", FILES))
    good("--root", place / "store", "export", PROFILE, "--layout", place / "layout", "--tag", "latest")
    return Shelf(place / "layout")


class Interruption:
    """A signal, when so many bytes have been sent."""

    def __init__(self, at, how):
        self.at, self.how, self.process = at, how, None
        self.lock = threading.Lock()

    def watch(self, size):
        with self.lock:
            self.at -= size
            if self.at < 0 and self.process:
                self.process.send_signal(self.how)
                self.process = None

    def run(self, words):
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            with self.lock:
                self.process = process
            process.communicate(timeout=120)
            self.process = None
        return process.returncode


def objects_asked(shelf, requests):
    return [digest.removeprefix("sha256:") for digest in objects_of(requests, {config_of(shelf)})]


def size_of(shelf, names):
    return sum(len(shelf.blobs[f"sha256:{name}"]) for name in names)


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(POINTS if metafunc.config.getoption("--extended") else FEWER))


def test_what_came_is_not_asked_for_again(tmp_path, shelf, seed):
    """Some pulls take long enough for what is kept now and then."""
    chance = random.Random(seed)
    objects = {name.removeprefix("sha256:") for name in shelf.blobs} - {
        name.removeprefix("sha256:") for name in (config_of(shelf), *shelf.manifests)}
    at = chance.randrange(size_of(shelf, objects))
    how, pause = chance.choice([signal.SIGKILL, signal.SIGINT]), chance.choice([0, 0, 0.4])
    print(f"seed {seed}: {how.name} after {at} bytes, {pause} s before each")
    shelf.trouble = lambda request: paused(shelf, request, pause)
    interruption, other = Interruption(at, how), tmp_path / "other"
    with FakeRegistry(shelf, watch=interruption.watch) as registry:
        status = interruption.run([CLI, "--root", other, "pull", f"{registry.host}/volt/{PROFILE}", "--plain-http"])
        with registry.lock:
            asked = objects_asked(shelf, registry.requests)
    kept = objects_in(other)
    assert status != 0 or len(kept) == len(objects)
    assert kept <= objects and len(asked) == len(set(asked)), "what came is nothing else, and came once"
    # Of each connection, one object may have been under way.
    assert how != signal.SIGINT or len(asked) - len(kept) <= CONNECTIONS, (len(asked), len(kept))
    shelf.trouble = lambda request: None
    with shelf.serve() as registry:
        told = pulled(other, registry)
        asked = objects_asked(shelf, registry.requests)
    assert size_of(shelf, asked) + size_of(shelf, kept) == size_of(shelf, objects), (asked, kept)
    assert told["new_objects"] == len(asked)
    assert len(manifests(other)) == 1 and not leftovers(other)
    verify(other)


def paused(shelf, request, pause):
    answer = shelf.good(request)
    answer.pause = pause
    return answer
