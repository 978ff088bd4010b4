# SPDX-License-Identifier: MIT
"""A file system that loses its power: what was not written to its disk by then is gone."""
import fcntl
import os
import struct
import subprocess

SHUT_DOWN = 0x8004587D  # FS_IOC_SHUTDOWN of linux/fs.h, which ext4 and xfs have by names of their own
WITHOUT_LOG_FLUSH = 2
SIZES = {"ext4": 64 << 20, "xfs": 300 << 20}  # mkfs.xfs makes none that is smaller
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
# Any promise must also hold where the file system helps careless programs less than it does by itself.
OPTIONS = {"ext4": ["defaults", "noauto_da_alloc", "data=writeback", "commit=1"], "xfs": ["nouuid", "nouuid,wsync"]}


def make_image(kind, path):
    """An empty file system; copies of it are cheaper than new ones."""
    with path.open("wb") as file:
        file.truncate(SIZES[kind])
    subprocess.run([*MAKE[kind], path], check=True, stdout=subprocess.DEVNULL)


class Disk:
    """A copy of an image, mounted on a directory with some options."""

    def __init__(self, template, image, directory, options):
        subprocess.run(["cp", "--sparse=always", template, image], check=True)
        self.image, self.directory, self.options = image, directory, options
        directory.mkdir(exist_ok=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", f"loop,{self.options}", self.image, self.directory], check=True)

    def commit(self):
        """What others on the same disk do: their fsync() writes down what has happened to names, not other files' content."""
        path = self.directory / "others"
        with path.open("ab") as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())

    def sync(self):
        subprocess.run(["sync", "--file-system", self.directory], check=True)

    def lose_power(self):
        """And come back: the journal is replayed."""
        fd = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.ioctl(fd, SHUT_DOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        os.close(fd)
        subprocess.run(["umount", self.directory], check=True)
        self.mount()

    def remove(self):
        subprocess.run(["umount", self.directory], check=True)
        self.image.unlink()
