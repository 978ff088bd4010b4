# SPDX-License-Identifier: MIT
"""Tar archives from their parts, byte by byte: what no tar program would write can be written too."""
import hashlib
import json
import sys

END = bytes(1024)  # two blocks of zeros


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def number(value, width):
    """A field of digits; a number that is too large or negative for it in base 256, as GNU tar does."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    coded = 1 << 8 * width - 1 | value if value >= 0 else (1 << 8 * width) + value
    return coded.to_bytes(width, "big")


def padded(content):
    return content + bytes(-len(content) % 512)


def header(name, kind="0", size=0, mode=0o644, link="", magic=b"ustar\00000", rest=b"", mtime=1,
           checksum=None):
    """A block. magic: of POSIX; GNU's is b"ustar  \\0", old archives have none. rest: from byte 345 on."""
    block = bytearray(512)
    for offset, field in ((0, to_bytes(name)), (100, number(mode, 8)), (108, number(0, 8)),
                          (116, number(0, 8)), (124, number(size, 12)), (136, number(mtime, 12)),
                          (148, b" " * 8), (156, to_bytes(kind)), (157, to_bytes(link)), (257, magic),
                          (345, rest)):
        block[offset:offset + len(field)] = field
    block[148:156] = b"%06o\0 " % (sum(block) if checksum is None else checksum)
    assert len(block) == 512
    return bytes(block)


def file(name, content=b"content", **fields):
    return header(name, **{"size": len(content), **fields}) + padded(content)


def directory(name):
    return header(name, kind="5", mode=0o755)


def symlink(name, target):
    return header(name, kind="2", mode=0o777, link=target)


def hardlink(name, target):
    return header(name, kind="1", link=target)


def pax_record(key, value):
    record = b" " + key.encode() + b"=" + to_bytes(str(value) if isinstance(value, int) else value) + b"\n"
    length = len(record) + 1
    while length != len(str(length)) + len(record):
        length += 1
    return str(length).encode() + record


def pax(kind="x", **records):
    """An extended header, for the entry behind it; "__" in a key stands for a dot."""
    text = b"".join(pax_record(key.replace("__", "."), value) for key, value in records.items())
    return file("pax", text, kind=kind)


def zstd(content, window=17):
    """A frame of blocks that are not compressed (RFC 8878), for a window of 2 to this power."""
    packed = b"\x28\xb5\x2f\xfd\0" + bytes([window - 10 << 3])
    for at in range(0, len(content), 1 << 16):
        block = content[at:at + (1 << 16)]
        last = at + len(block) == len(content)
        packed += (len(block) << 3 | last).to_bytes(3, "little") + block
    return packed


def program(content=b"#!/bin/sh\n", **fields):
    return file("bin/qemu-system-x86_64", content, mode=0o755, **fields)


def profile(*parts):
    """A whole archive: a program, then the parts, then the end."""
    return b"".join([program(), *parts, END])


def manifest(files, **changes):
    """The text of a manifest of {path: content}."""
    fields = {"name": "emulate-x86", "created_at": "2025-01-31T10:00:00Z", "profile": "emulate-x86",
              "objects": {path: hashlib.sha256(content).hexdigest() for path, content in files.items()},
              "modes": {path: "0755" if path.startswith("bin/") else "0644" for path in files}, **changes}
    return json.dumps(fields).encode()


def write(*parts):
    for part in parts:
        sys.stdout.buffer.write(part)
