# SPDX-License-Identifier: MIT
"""The recipes of examples/profiles, as the script there reads them."""
import functools
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
RECIPES = SOURCE / "examples/profiles"
NAMES = sorted(path.parent.name for path in RECIPES.glob("*/recipe"))
HOSTS = ["x86_64", "aarch64"]
LIBRARYS_OWN = ["kvm-linux", "kvm-uefi", "emulate-x86", "emulate-foreign"]


def bash(script, *words, host="x86_64"):
    """Run with the script's own functions; returns its lines."""
    start = f'set -euo pipefail; recipes={RECIPES}; host={host}; fail() {{ echo "$*" >&2; exit 1; }}; source {RECIPES}/recipe.sh; '
    run = subprocess.run(["bash", "-c", start + script, "bash", *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


class Recipe:
    """What one says to those who make profiles for hosts of an architecture."""

    def __init__(self, name, host):
        self.name, self.host = name, host
        self._lines = [line.partition(" ") for line in bash('read_recipe "$1"; recipe_text "$1"', name, host=host)]

    def all(self, word):
        return [value for key, _, value in self._lines if key == word]

    @property
    def targets(self):
        return self.all("target")

    @property
    def accel(self):
        return "kvm" if "--enable-kvm" in self.all("option") else "tcg"

    def programs(self):
        """{architecture: target} of what is below bin/."""
        own = {target: target for target in self.targets}
        return {**own, **dict(line.split(" ") for line in self.all("program"))}

    def devices(self, target):
        """{device: why it is there although no VM can ask for it} of a program; "" for those that one can. What is said
        of the target itself counts before what is said of a part."""
        known = {}
        for path in self.device_files(target):
            listed = path.with_suffix(".list")
            for line in listed.read_text().splitlines() if listed.exists() else []:
                name, _, reason = line.partition(" ")
                known.setdefault(name, reason.strip())
        return known

    def device_files(self, target):
        return included_files(RECIPES / self.name / "devices" / f"{target}.mak")

    def symbols(self, target):
        return [line.split(" ", 1)[1] for line in self.all("device") if line.split(" ", 1)[0] == target]


@functools.cache
def included_files(path):
    """A file and those that it includes."""
    return [Path(line) for line in bash('files=() lines=(); flatten "$1"; printf "%s\\n" "${files[@]}"', str(path))]


@functools.cache
def recipe(name, host="x86_64"):
    return Recipe(name, host)


@functools.cache
def all_recipes():
    """[(name, host)] of all that can be made."""
    script = 'for name; do read_recipe "$name"; ! is_for_host || echo "$name"; done'
    return [(name, host) for host in HOSTS for name in bash(script, *NAMES, host=host)]
