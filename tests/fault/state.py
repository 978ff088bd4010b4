# SPDX-License-Identifier: MIT
"""
What a store looks like, so that states which only differ in times, inode numbers and random names are
the same. Most system calls change nothing: of the points of a command, few leave a state of their own.
"""
import hashlib
import os
import re
import stat

TIME = re.compile(r'("created_at": ")[^"]*')
NEW = re.compile(r"\.volt-new-[0-9a-f]{16}(?![0-9a-f])")
ARRIVAL = re.compile(r"~\d+\.\d{9}(?!\d)")
NUMBER = re.compile(r"\b\d+(\.\d+)?\b")
FOOTER = re.compile(r"^end ([0-9a-f]{64})\n\Z", re.MULTILINE)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    return path.read_bytes().decode(errors="backslashreplace")


def names_of_manifests(root):
    """{digest: what it would be without the time}, also for the first 8 digits, as in names of refs."""
    names = {}
    for path in (root / "cas/refs").glob("*.json"):
        digest = sha256(path.read_bytes())
        names[digest] = "M" + sha256(TIME.sub(r"\1", read(path)).encode())
        names[digest[:8]] = names[digest][:9]
    return names


def is_record(text):
    return text.startswith("volt-")


def describe_record(text):
    """Stamps and what is remembered are full of inode numbers, and end with their own digest."""
    footer = FOOTER.search(text)
    seal = "whole" if footer and sha256(text[:footer.start()].encode()) == footer[1] else "broken"
    return NUMBER.sub("#", text[:footer.start()] if footer else text) + seal


def describe_file(path, status, first_links):
    text = read(path)
    text = describe_record(text) if is_record(text) else TIME.sub(r"\1", text)
    link = first_links.setdefault(status.st_ino, str(path)) if status.st_nlink > 1 else ""
    return f"{status.st_mode:o} {status.st_mtime_ns == 10 ** 9} {text} {link}"


def describe(path, first_links):
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(status.st_mode):
        return describe_file(path, status, first_links)
    return f"{status.st_mode:o}"


def state_of(root):
    """A digest of it all."""
    names = names_of_manifests(root)
    first_links = {}
    lines = [f"{path.relative_to(root)} {describe(path, first_links)}" for path in sorted(root.rglob("*"))]
    text = "\n".join(lines).replace(str(root), "")
    for digest, name in names.items():
        text = text.replace(digest, name)
    return sha256(ARRIVAL.sub("~#", NEW.sub(".volt-new-#", text)).encode())
