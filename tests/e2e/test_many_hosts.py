# SPDX-License-Identifier: MIT
"""Many hosts that pull an update at once: what each asks for, and how much it is sent."""
import json
import subprocess
import sys
from pathlib import Path

import pytest
from store_cli import CLI, PROFILE, PROGRAM, build, good, make_files, verify
from test_pull import MANY, environment

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from shelf_registry import Shelf, Shelves, digest_of, objects_of  # noqa: E402

HOSTS, FEWER, AT_ONCE = 1000, 6, 20
NAME = f"volt/{PROFILE}"


@pytest.fixture(name="hosts")
def make_hosts(request):
    return [f"host{i}" for i in range(HOSTS if request.config.getoption("--extended") else FEWER)]


class BuildHost:
    """Makes versions, and puts them where each host takes them from: a repository of its own, to tell them apart."""

    def __init__(self, place, hosts):
        self.place, self.hosts, self.shelves = place, hosts, Shelves()
        self.shelf = None

    def publish(self, files):
        """The name of the revision."""
        made = build(self.place / "store", make_files(self.place / "profile", files))
        good("--root", self.place / "store", "export", PROFILE, "--layout", self.place / "layout", "--tag", "latest")
        self.shelf = Shelf(self.place / "layout")
        for host in self.hosts:
            self.shelves.put(f"{host}/{NAME}", self.place / "layout")
        return made["revision"]

    def config(self):
        return json.loads(self.shelf.manifests["latest"])["config"]["digest"]


def pull_all(place, hosts, registry):
    """As many at once as one machine can be."""
    return [told for first in range(0, len(hosts), AT_ONCE)
            for told in pull_at_once(place, hosts[first:first + AT_ONCE], registry)]


def pull_at_once(place, hosts, registry):
    processes = [subprocess.Popen([CLI, "--root", place / host, "--json", "pull", f"{registry.host}/{host}/{NAME}",
                                   "--plain-http"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
                 for host in hosts]
    told = [process.communicate(timeout=600) for process in processes]
    assert all(process.returncode == 0 for process in processes), told
    return [json.loads(out) for out, _ in told]


def asked_by(registry, host, since):
    return [request for request in registry.requests[since:] if request.path.startswith(f"/v2/{host}/")]


def test_each_takes_what_has_changed_alone(tmp_path, hosts):
    maker = BuildHost(tmp_path / "maker", hosts)
    maker.publish(MANY)
    with maker.shelves.serve() as registry:
        pull_all(tmp_path, hosts, registry)
        changed = {PROGRAM: b"#!/bin/sh\necho changed\n", "lib/lib3.so": b"changed"}
        revision = maker.publish(changed)
        before = len(registry.requests)
        for told in pull_all(tmp_path, hosts, registry):
            assert told["revision"] == revision and told["new_objects"] == len(changed)
            assert told["new_bytes"] == sum(map(len, changed.values()))
        wanted = sorted([maker.config(), *map(digest_of, changed.values())])
        for host in hosts:
            asked = asked_by(registry, host, before)
            assert sorted(objects_of(asked)) == wanted and len(asked) == len(wanted) + 1, asked
        before = len(registry.requests)
        assert all(told["unchanged"] for told in pull_all(tmp_path, hosts, registry))
        assert len(registry.requests) - before == len(hosts)
    for host in hosts:
        verify(tmp_path / host)
