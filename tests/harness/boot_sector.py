# SPDX-License-Identifier: MIT
"""Media for a PC's BIOS, of a few bytes: who boots from one reads on the console which it is."""

SECTOR, CD_SECTOR = 512, 2048
# Write what stands behind the code to the first serial port; then stand still.
CODE = bytes.fromhex("31c0 8ed8 be157c ac 84c0 7406 baf803 ee ebf5 f4 ebfd")


def saying(name):
    return f"BOOTED {name}\n"


def _code(name):
    return CODE + saying(name).encode() + b"\0"


def disk(path, name, size=1 << 20):
    """A disk with a boot sector; without a name an empty one."""
    sector = _code(name).ljust(SECTOR - 2, b"\0") + b"\x55\xaa" if name else b""
    path.write_bytes(sector.ljust(size, b"\0"))
    return str(path)


def cdrom(path, name):
    """A CD-ROM that is only fit for booting (El Torito, without emulation of a disk)."""
    record, catalog, code = 17, 18, 19  # sectors
    image = bytearray(CD_SECTOR * 32)

    def put(sector, offset, data):
        image[sector * CD_SECTOR + offset:sector * CD_SECTOR + offset + len(data)] = data
    put(record, 0, b"\0CD001\x01EL TORITO SPECIFICATION")
    put(record, 0x47, catalog.to_bytes(4, "little"))
    put(catalog, 0, b"\x01")
    put(catalog, 0x1c, b"\xaa\x55\x55\xaa")  # checksum and signature
    put(catalog, 0x20, b"\x88\0\0\0\0\0\x04\0" + code.to_bytes(4, "little"))
    put(code, 0, _code(name))
    path.write_bytes(image)
    return str(path)
