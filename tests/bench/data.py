# SPDX-License-Identifier: MIT
"""The data: directories laid out like QEMU profiles, the same bytes in every run."""
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "bin/qemu-system-x86_64"
SMALL_TOTAL = 150_000_000
SMALL_PROGRAM = 18_000_000
MANY_AVERAGE = 10_000
SMALL_COUNT = 70
TRAVELLING_COUNT = 112
TRAVELLING_TOTAL = 61_000_000


@dataclass
class File:
    path: str
    size: int
    digest: str = ""


def small_profile(generator):
    """70 files with 150 MB: one large program, libraries, modules, firmware, as of Debian's QEMU."""
    paths = ([f"lib/lib{number:02}.so.1" for number in range(45)] +
             [f"lib/qemu/module-{number:02}.so" for number in range(12)] +
             [f"firmware/rom-{number:02}.bin" for number in range(12)])
    weights = [generator.lognormvariate(0, 1.2) for _ in paths]
    scale = (SMALL_TOTAL - SMALL_PROGRAM) / sum(weights)
    return [File(PROGRAM, SMALL_PROGRAM)] + [
        File(path, int(weight * scale) + 1) for path, weight in zip(paths, weights)]


def leaf_directories():
    """100 directories in 9 groups: with bin, lib and the groups 111 in all."""
    return [f"lib/{number % 9}/{number:02}" for number in range(100)]


def large_profile(count, generator):
    """Many small files: 10 KB each on average, evenly over the directories."""
    leaves = leaf_directories()
    return [File(PROGRAM, MANY_AVERAGE)] + [
        File(f"{leaves[number % len(leaves)]}/file-{number:06}",
             1 + int(generator.expovariate(1 / MANY_AVERAGE)))
        for number in range(count - 1)]


def list_files(count):
    generator = random.Random(count)
    return small_profile(generator) if count == SMALL_COUNT else large_profile(count, generator)


def travelling_profile():
    """112 files with 61 MB, as of a QEMU that was compiled for its purpose."""
    generator = random.Random(TRAVELLING_COUNT)
    paths = [f"lib/lib{number:03}.so.1" for number in range(TRAVELLING_COUNT - 1)]
    weights = [generator.lognormvariate(0, 1.5) for _ in paths]
    scale = (TRAVELLING_TOTAL - SMALL_PROGRAM) / sum(weights)
    return [File(PROGRAM, SMALL_PROGRAM)] + [
        File(path, int(weight * scale) + 1) for path, weight in zip(paths, weights)]


def write_random(path, size, generator):
    """In pieces: randbytes() cannot make half a gigabyte at once. Returns the digest."""
    piece, digest = 16 << 20, hashlib.sha256()
    with open(path, "wb") as output:
        for offset in range(0, size, piece):
            content = generator.randbytes(min(piece, size - offset))
            digest.update(content)
            output.write(content)
    return digest.hexdigest()


def write_profile(directory, files):
    """Write the files and note the digest of each."""
    generator = random.Random(len(files))
    for file in files:
        path = Path(directory, file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        file.digest = write_random(path, file.size, generator)
        path.chmod(0o755 if file.path.startswith("bin/") else 0o644)
    return files


def write_even_profile(directory, largest_mib):
    """70 files of 1 MiB, except that the program has another size."""
    mib = 1 << 20
    files = [File(PROGRAM, largest_mib * mib)]
    files += [File(f"lib/lib{number:02}.so.1", mib) for number in range(SMALL_COUNT - 1)]
    write_profile(directory, files)


def by_directory(files):
    return sorted(files, key=lambda file: (file.path.rpartition("/")[0], file.path))


def write_plan(path, files):
    """What floor.c reads."""
    path.write_text("".join(f"{file.digest} {file.size} {file.path}\n" for file in by_directory(files)))


def manifest_text(files, profile, created_at):
    return json.dumps({
        "name": profile, "created_at": created_at, "profile": profile, "arch": "x86_64",
        "total_bytes": sum(file.size for file in files),
        "objects": {file.path: file.digest for file in files},
        "modes": {file.path: "0755" if file.path.startswith("bin/") else "0644" for file in files},
    })


def write_manifest(path, count):
    """A manifest of as many entries, of objects that are nowhere. Returns the bytes of its paths."""
    files = list_files(count)
    for file in files:
        file.digest = hashlib.sha256(file.path.encode()).hexdigest()
    path.write_text(manifest_text(files, "emulate-x86", "2024-01-01T00:00:00Z"))
    return sum(len(file.path) + 1 for file in files)


def write_refs(directory, files, count):
    """Refs that are older than any build: one third of another profile, the others of the same."""
    for number in range(count):
        profile = "emulate-x86" if number % 3 else "kvm-linux"
        text = manifest_text(files, profile, f"2001-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z")
        digest = hashlib.sha256(text.encode()).hexdigest()
        (directory / f"{profile}-{digest[:8]}.json").write_text(text)
