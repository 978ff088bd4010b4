# SPDX-License-Identifier: MIT
"""
A store on a disk that loses its power, and the facts that can be seen there, by name. What is true when a command has
reported success is promised. Archives, sources and other stores are elsewhere, and stay.
"""
import hashlib
import json
import os
import tarfile
from pathlib import Path

from operations import (FILES, OTHER_PROFILE, PROFILE, build, check_objects, check_store, check_tree, good, leftovers,
                        manifests, write_archive, write_directory)

CODE, VARIABLES = "c" * 8192, "v" * 8192  # flash of x86 machines takes multiples of 4096
MANY = 12  # new files: from eight on, they are not synced one by one


def files_of(version):
    """Each version has files of its own, some have many."""
    files = {**FILES, "firmware/OVMF_CODE.fd": (CODE, False), "firmware/OVMF_VARS.fd": (VARIABLES, False),
             "lib/version": (f"version {version}\n" * 2000, False)}
    for number in range(MANY if version % 3 == 0 else 0):
        files[f"lib/{number}"] = (f"file {number} of version {version}\n" * 300, False)
    return files


def digests(files):
    return {path: hashlib.sha256(content.encode()).hexdigest() for path, (content, _) in files.items()}


class World:
    def __init__(self, disk, outside, rng):
        self.disk, self.outside, self.rng = disk, outside, rng
        self.root = disk.directory / "store"
        self.exports = [disk.directory / name for name in ("one.tar", "two.tar")]
        self.state = disk.directory / "state"
        self.units = disk.directory / "units"
        self.versions = 0
        self.promised = {}
        self.is_damaged = self.is_altered = False  # objects, the tree in use
        outside.mkdir()
        self.units.mkdir()
        disk.sync()

    def do(self, *words, root=None):
        return good("--root", root or self.root, "--kvm", "usable", "--host-arch", "x86_64", *words)

    # ---- what comes from outside: each time a version that the store does not have ----

    def next_source(self):
        self.versions += 1
        directory = self.outside / f"source-{self.versions}"
        write_directory(directory, files_of(self.versions))
        return directory

    def next_archive(self):
        self.versions += 1
        archive = self.outside / f"archive-{self.versions}.tar.gz"
        write_archive(archive, files_of(self.versions))
        return archive

    def next_store(self):
        self.versions += 1
        root = self.outside / f"other-{self.versions}" / "store"
        root.parent.mkdir()
        build(root, PROFILE, files_of(self.versions))
        return root

    def vm(self):
        path = self.outside / "vm.json"
        path.write_text(json.dumps({"name": "web", "user": "root", "firmware": "uefi", "state_dir": str(self.state),
                                    "runtime_dir": str(self.outside / "run")}))
        return path

    # ---- facts ----

    def revisions(self):
        return json.loads(self.do("--json", "revisions")) if (self.root / "cas/refs").is_dir() else []

    def facts_of_revisions(self):
        seen = {}
        for revision in self.revisions():
            name = revision["name"]
            assert not revision["error"], revision
            seen["revision", name] = revision["digest"]
            seen.update({("pin", name, holder or ""): True for holder in revision["pinned_by"]})
            if revision["current"]:
                seen["current", revision["profile"]] = name
        return seen

    def facts_of_links(self):
        links = {profile: self.root / "qemu" / profile for profile in (PROFILE, OTHER_PROFILE)}
        return {("link", profile): os.path.basename(os.readlink(link))
                for profile, link in links.items() if link.is_symlink()}

    def facts_of_exports(self):
        """Each archive that is there must be whole."""
        seen = {}
        for path in self.exports:
            if path.exists():
                with tarfile.open(path) as archive:
                    content = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
                manifest = content.pop(".volt-manifest.json")
                found = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
                assert found == json.loads(manifest)["objects"], f"{path} is not whole"
                seen["export", path.name] = hashlib.sha256(manifest).hexdigest()
        return seen

    def facts_of_variables(self):
        store, record = self.state / "nvram.fd", self.state / "nvram.fd.firmware"
        if not store.exists():
            return {}
        assert json.loads(record.read_text())["template"] == digests({"": (VARIABLES, False)})[""], "another record"
        assert store.read_text() == VARIABLES, f"{store} is not whole"
        return {("variables",): True}

    def facts_of_units(self):
        return {("unit", path.name): path.read_text() for path in self.units.glob("[!.]*")}

    def facts(self):
        return {**self.facts_of_revisions(), **self.facts_of_links(), **self.facts_of_exports(),
                **self.facts_of_variables(), **self.facts_of_units()}

    def named(self, kind):
        """What follows the kind in the names of the facts that are promised."""
        return sorted(name[1:] if len(name) > 2 else name[1] for name in self.promised if name[0] == kind)

    # ---- what must hold ----

    def check_whole(self):
        """Nothing that counts is damaged: before anything is resolved, which would mend a tree."""
        check_objects(self.root / "cas/alt")
        if self.is_damaged:
            return
        check_objects(self.root / "cas/objects")
        known = manifests(self.root)
        for digest in self.facts_of_links().values():
            if digest in known and not self.is_altered:
                check_tree(self.root / "qemu/trees" / digest, known[digest])

    def newest(self, profile):
        """The revision that the profile resolves to."""
        listed = [revision for revision in self.revisions() if revision["profile"] == profile]
        listed.sort(key=lambda revision: (revision["current"], revision["arrived_at"]))
        return listed[-1] if listed else None

    def check_resolving(self):
        for profile in (PROFILE, OTHER_PROFILE):
            newest = self.newest(profile)
            if newest:
                tree = Path(json.loads(self.do("--json", "resolve", "--profile", profile))["tree"])
                assert tree.name == newest["digest"], f"{tree} was resolved, not {newest}"
                check_tree(tree, manifests(self.root)[tree.name])

    def check_clean(self):
        """After a collection nothing is left of what was cut off."""
        self.do("gc")
        left = [*leftovers(self.root), *self.disk.directory.glob(".*"), *self.units.glob(".*"),
                *self.state.glob(".volt-new-*")]
        assert not left, f"left behind: {left}"
        self.do("verify")
        check_store(self.root)
