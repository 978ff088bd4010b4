# SPDX-License-Identifier: MIT
"""The page about distribution, done as it says: its commands and those of its units, from build host to hosts."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from store_cli import CLI, manifests
from test_remote import make_certificates

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/harness"))
from fake_registry import real_registry  # noqa: E402

PAGE = (SOURCE / "docs/distribution.md").read_text()
PROFILE = "kvm-linux"
USER, PASSWORD = "volt", "secret"


def texts_of(page):
    """What is typed, and the example of an index."""
    return [re.sub(r"^    ", "", text, flags=re.M) for text in re.findall(r"(?:^    .*\n)+", page, re.M)]


BUILDING, BY_DIGEST, BY_ANOTHER_USER, INTO_LAYOUT, FROM_LAYOUT, _ = texts_of(PAGE)
UNIT = re.search(r"^```systemd volt-pull@.service\n(.*?)^```$", PAGE, re.M | re.S)[1]


class Place:
    """Directories instead of those of the page, registries, and hosts, each with a home and a store of its own."""

    def __init__(self, base, registries):
        self.base = base
        self.names = {**registries, "/srv/build": f"{base}/build", "/etc/volt": f"{base}/etc",
                      "/media/stick": f"{base}/stick",
                      "/var/lib/volt-incoming": f"{base}/incoming", "/usr/bin/volt-qemu": f"{base}/bin/volt-qemu"}
        for name, words in {"volt-qemu": f'{CLI} --root "$VOLT_ROOT"', "signify": "signify-openbsd"}.items():
            (base / "bin").mkdir(exist_ok=True)
            (base / "bin" / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            (base / "bin" / name).chmod(0o755)

    def here(self, text):
        for name, other in self.names.items():
            text = text.replace(name, other)
        return text

    def host(self, name):
        return Host(self, self.base / name)


class Host:
    def __init__(self, place, home):
        self.place, self.home, self.root = place, home, home / "store"
        home.mkdir(exist_ok=True)
        self.environment = {"PATH": f"{place.base}/bin:{os.environ['PATH']}", "HOME": str(home),
                            "XDG_RUNTIME_DIR": str(home / "run"), "VOLT_ROOT": str(self.root)}
        (home / "run").mkdir(exist_ok=True)
        for registry in {value for name, value in place.names.items() if name.startswith("registry.")}:
            certificates = home / ".config/containers/certs.d" / registry
            certificates.mkdir(parents=True, exist_ok=True)
            shutil.copy(place.base / "keys/ca.crt", certificates)

    def attempt(self, text):
        return subprocess.run(["bash", "-euc", self.place.here(text)], cwd=self.home, env=self.environment,
                              capture_output=True, text=True, check=False, timeout=600, stdin=subprocess.DEVNULL)

    def do(self, text):
        result = self.attempt(text)
        assert result.returncode == 0, (text, result)
        return result.stdout

    def log_in(self):
        """As the page takes for granted of who pushes, or copies."""
        for registry in ("registry.example", "registry.inside"):
            self.do(f"echo {PASSWORD} | skopeo login --username {USER} --password-stdin {registry}")

    def start_unit(self, registry="registry.example"):
        """What systemd would run. Its credentials are files in a directory."""
        credentials = self.home / "credentials"
        credentials.mkdir(exist_ok=True)
        for name, path in re.findall(r"^LoadCredential=(\w+):(.*)$", UNIT, re.M):
            shutil.copy(self.place.here(path), credentials / name)
        commands = re.findall(r"^ExecStart=(.*)$", UNIT, re.M)
        assert len(commands) == 2
        for word, other in {"%i": PROFILE, "%d": str(credentials), "registry.example": registry}.items():
            commands = [line.replace(word, other) for line in commands]
        return [self.do(line) for line in commands]

    def resolved(self):
        told = self.do(f"volt-qemu --json --kvm usable --host-arch x86_64 resolve --profile {PROFILE}")
        return json.loads(told)["revision"]


@pytest.fixture(name="files", scope="module")
def make_files(tmp_path_factory):
    """Of a real QEMU: others are not whole."""
    directory = tmp_path_factory.mktemp("made") / "kvm-linux"
    make = SOURCE / "examples/make-profile"
    subprocess.run([make, directory, "x86_64"], check=True, stdout=subprocess.DEVNULL)
    return directory


@pytest.fixture(name="place")
def make_place(tmp_path, files):
    keys = make_certificates(tmp_path / "keys")
    user = subprocess.run(["htpasswd", "-nbB", USER, PASSWORD], check=True, capture_output=True, text=True)
    (tmp_path / "htpasswd").write_text(user.stdout)
    shutil.copytree(files, tmp_path / "build/kvm-linux", copy_function=os.link)
    for name in ("etc", "incoming"):
        (tmp_path / name).mkdir()
    (tmp_path / "etc/registry").write_text(f"{USER}:{PASSWORD}\n")
    tls = f"  tls: {{certificate: {keys}/server.crt, key: {keys}/server.key}}\n"
    auth = f"auth:\n  htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}\n"
    with real_registry(tmp_path / "registry", tls, auth) as host, real_registry(tmp_path / "inside", tls, auth) as inside:
        yield Place(tmp_path, {"registry.example": host, "registry.inside": inside})


def publish(builder):
    """As the page does it; then what was tried is for all. The name of the revision."""
    before = set(manifests(builder.root))
    builder.do(BUILDING)
    builder.do(BUILDING.splitlines()[-1].replace(":testing", ":stable"))
    (name,) = set(manifests(builder.root)) - before
    return name


def test_from_build_host_to_hosts(place):
    builder = place.host("builder")
    builder.log_in()
    builder.do(f"signify -G -n -p builder.pub -s builder.sec; cp builder.pub {place.base}/etc/")
    first = publish(builder)

    host = place.host("host")
    host.start_unit()
    assert list(manifests(host.root)) == [first] and host.resolved() == first
    host.start_unit()
    assert list(manifests(host.root)) == [first]

    # By another way, with what has been tried elsewhere, or by a user who has not the right to the store.
    others = [place.host("pinned"), place.host("careful")]
    for other in others:
        other.log_in()
    digest = json.loads(builder.do("volt-qemu --json revisions"))[0]["digest"]
    others[0].do(re.sub(r"sha256:[0-9a-f]+\.\.\.", f"sha256:{digest}", BY_DIGEST))
    others[1].do(BY_ANOTHER_USER)
    assert [list(manifests(other.root)) for other in others] == [[first], [first]]

    # New versions, of which three stay. Back to the first: its files are a version again, of which the hosts have all.
    versions = [first]
    for number in range(3):
        (place.base / "build/kvm-linux/firmware/note").write_text(f"{number}")
        versions.append(publish(builder))
        host.start_unit()
        assert host.resolved() == versions[-1]
    assert set(manifests(host.root)) == set(versions[-3:])
    (place.base / "build/kvm-linux/firmware/note").unlink()
    versions.append(publish(builder))
    assert "0 objects" in host.start_unit()[0] and host.resolved() == versions[-1]
    assert manifests(host.root)[versions[-1]]["objects"] == manifests(builder.root)[first]["objects"]

    # Whoever signs with another key gets nothing in.
    builder.do(f"signify -G -n -p other.pub -s other.sec; cp other.pub {place.base}/etc/builder.pub")
    strict = place.host("strict")
    strict.log_in()
    result = strict.attempt(BY_DIGEST.rstrip().rpartition("@")[0] + ":stable --key /etc/volt/builder.pub")
    assert result.returncode == 8 and not manifests(strict.root), result


def test_where_there_is_no_network(place):
    builder = place.host("builder")
    builder.log_in()
    builder.do(f"signify -G -n -p builder.pub -s builder.sec; cp builder.pub {place.base}/etc/")
    name = publish(builder)
    builder.do(f"volt-qemu ingest --profile kvm-uefi {place.base}/build/kvm-linux")
    builder.do(INTO_LAYOUT)
    behind, inside = place.host("behind"), place.host("inside-host")
    behind.log_in()
    behind.do(FROM_LAYOUT)
    inside.start_unit("registry.inside")
    assert list(manifests(behind.root)) == list(manifests(inside.root)) == [name]
    assert behind.resolved() == inside.resolved() == name
