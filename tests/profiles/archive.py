# SPDX-License-Identifier: MIT
"""An archive of packages that exists for a test, and an apt that knows no other."""
import os
import subprocess

STANZA = """\
Package: {name}
Status: install ok installed
Source: {source}
Version: {version}
Architecture: all
Maintainer: Nobody <nobody@example.org>
Filename: ./{name}.deb
Size: 1
SHA256: {digest}
Description: a package

"""
CONFIGURATION = """\
Dir::State "{apt}";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
Dir::Etc::SourceList "{apt}/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Sandbox::User "root";
Acquire::Languages "none";
"""


def stanzas(packages):
    """packages: {name: version}, or {name: (version, what its source is called)}."""
    known = {name: about if isinstance(about, tuple) else (about, name) for name, about in packages.items()}
    return "".join(STANZA.format(name=name, version=version, source=source, digest="0" * 64)
                   for name, (version, source) in known.items())


class Apt:
    """Its lists are what update() read; before that, there are none."""

    def __init__(self, directory):
        self.archive, self._apt = directory / "archive", directory / "apt"
        self.archive.mkdir()
        for name in ("lists/partial", "cache/archives/partial"):
            (self._apt / name).mkdir(parents=True)
        (self._apt / "sources.list").write_text(f"deb [trusted=yes] file:{self.archive} ./\n")
        (self._apt / "apt.conf").write_text(CONFIGURATION.format(apt=self._apt))
        self.install({})
        self.environment = {**os.environ, "APT_CONFIG": str(self._apt / "apt.conf")}

    def install(self, packages):
        (self._apt / "status").write_text(stanzas(packages))

    def update(self, packages):
        """The archive has these now, and no others."""
        (self.archive / "Packages").write_text(stanzas(packages))
        subprocess.run(["apt-get", "-q", "update"], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def lists(self):
        return [path for path in (self._apt / "lists").iterdir() if path.is_file() and path.name != "lock"]
