# SPDX-License-Identifier: MIT
"""A store that is damaged, or in part another user's, while it is open, and what each function then says of it.

damaged_store.py LIBRARY DIRECTORY DAMAGE FUNCTION...: in a process of its own; DAMAGE is a key of DAMAGES. Prints a
JSON object: name of a function -> the number that it returned. The prototypes come in JSON on standard input.
"""
import ctypes
import json
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from null_calls import Library  # noqa: E402

STRANGER = 12345
PROFILE, OWN = b"emulate-x86", b"my-own"  # of the library's, and one that its manifest describes


# ---- what happens to it ----

class Store:
    def __init__(self, root):
        self.root = Path(root)
        self.manifests = sorted((self.root / "cas/refs").glob("*.json"))
        (self.tree,) = (path for path in (self.root / "qemu/trees").iterdir() if path.is_dir())
        self.stamp = self.tree / ".volt-tree"

    def set_current(self, text=""):
        """Which revisions are used; without a text, the one that each profile has."""
        (self.root / "cas/current").mkdir(exist_ok=True)
        for manifest in self.manifests:
            path = self.root / "cas/current" / manifest.stem.rpartition("-")[0]
            path.write_text(text or manifest.stem + "\n")
            yield path

    def objects(self):
        return (self.root / "cas/objects").iterdir()

    def forget_trees(self):
        shutil.rmtree(self.tree)
        shutil.rmtree(self.root / "cas/cache", ignore_errors=True)

    def replace(self, name):
        """A file in the place of a directory."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        (self.root / name).write_text("")


def give(paths):
    for path in paths:
        os.chown(path, STRANGER, -1)


def open_to_all(paths):
    for path in paths:
        path.chmod(0o777 if path.is_dir() else 0o666)


def write(paths, text):
    for path in paths:
        path.write_text(text)


def alter(paths):
    for path in paths:
        path.chmod(0o644)
        path.write_bytes(b"X" * path.stat().st_size)
        path.chmod(0o444)


def remove(paths):
    for path in paths:
        path.unlink()


def make_directories(paths):
    for path in paths:
        path.unlink()
        path.mkdir()


def make_links(paths):
    for path in paths:
        path.rename(path.parents[1] / path.name)
        path.symlink_to(f"../{path.name}")


DAMAGES = {
    "none": lambda store: None,
    "manifests of another user": lambda store: give(store.manifests),
    "manifests for all": lambda store: open_to_all(store.manifests),
    "manifests broken": lambda store: write(store.manifests, "{"),
    "manifests directories": lambda store: make_directories(store.manifests),
    "manifests links": lambda store: make_links(store.manifests),
    "current of another user": lambda store: give(store.set_current()),
    "current for all": lambda store: open_to_all(store.set_current()),
    "current broken": lambda store: list(store.set_current("web")),
    "current gone": lambda store: list(store.set_current("emulate-x86-00000000\n")),
    "tree of another user": lambda store: give([store.tree]),
    "tree for all": lambda store: open_to_all([store.tree]),
    "stamp of another user": lambda store: give([store.stamp]),
    "objects of another user": lambda store: (give(store.objects()), store.forget_trees()),
    "objects altered": lambda store: (alter(store.objects()), store.forget_trees()),
    "objects gone": lambda store: (remove(store.objects()), store.forget_trees()),
    "pins a file": lambda store: store.replace("cas/pins"),
    "signatures a file": lambda store: store.replace("cas/signatures"),
    "cache a file": lambda store: store.replace("cas/cache"),
    "arrivals a file": lambda store: store.replace("cas/arrivals"),
    "tmp a file": lambda store: store.replace("cas/tmp"),
    "current a file": lambda store: store.replace("cas/current"),
    "trees a file": lambda store: store.replace("qemu/trees"),
}

# ---- what is called ----

# What mends or removes something comes last.
FUNCTIONS = [
    "vqemu_command_load", "vqemu_runtime_probe", "vqemu_store_open_root", "vqemu_store_list_revisions",
    "vqemu_store_find_revision", "vqemu_store_list_profiles", "vqemu_request_set_store", "vqemu_store_list_pins",
    "vqemu_store_list_uses", "vqemu_store_list_sizes", "vqemu_store_list_signatures", "vqemu_store_verify_revision",
    "vqemu_store_export", "vqemu_store_export_layout", "vqemu_store_copy", "vqemu_store_push", "vqemu_resolve",
    "vqemu_store_pin", "vqemu_store_unpin", "vqemu_store_add_signature", "vqemu_store_remove_signature",
    "vqemu_store_check", "vqemu_store_collect", "vqemu_store_remove_revision", "vqemu_store_ingest",
    "vqemu_store_import", "vqemu_store_import_layout", "vqemu_store_pull", "vqemu_store_set_current",
]


class Calls(Library):
    """With arguments that are good for a store that has one revision."""

    def prepare(self, functions):
        """All handles, before there is any damage."""
        os.makedirs(self.directory)
        self.stored()
        options = self.need("vqemu_ingest_options_new")
        for key, value in ((b"profile", OWN), (b"accel", b"tcg"), (b"guests", b"x86_64")):
            self.do("vqemu_ingest_options_set_string", options, key, value)
        self.need("vqemu_store_ingest", self.made["vqemu_store"], self.profile_directory(), options, 0, None)
        command = self.make("vqemu_command")
        text = ctypes.c_char_p()
        self.do("vqemu_command_save", command, 0, ctypes.byref(text))
        self.saved = text.value
        self.call("vqemu_command_unref", self.made.pop("vqemu_command"), result=None)
        self.name = self.call("vqemu_revision_name", self.make("vqemu_revision"), result=ctypes.c_char_p)
        options = self.need("vqemu_store_options_new")
        self.do("vqemu_store_options_set_string", options, b"root", str(self.directory / "other").encode())
        self.other = self.need("vqemu_store_open", options, 1)
        self.archive = os.open(self.directory / "archive.tar", os.O_CREAT | os.O_RDWR, 0o600)
        store, revision = self.made["vqemu_store"], self.made["vqemu_revision"]
        self.do("vqemu_store_export", store, revision, self.archive, None, 0, None)
        self.layout = str(self.directory / "layout").encode()
        self.need("vqemu_store_export_layout", store, self.layout, revision, None, 0, None)
        for function in functions:
            for parameter in self.prototypes[function]["parameters"]:
                self.good(function, parameter)

    def own(self, function, kind, name):
        """What a good argument is where it depends on the function, or on the revision; () for others."""
        layout = {"directory": self.layout, "version": None, "tag": None}
        special = {
            "vqemu_command_load": {"json": self.saved, "size": len(self.saved)},
            "vqemu_resolve": {"revision": None},
            "vqemu_store_add_signature": {"flags": 1},  # any
            "vqemu_store_check": {"from": None, "flags": 2},  # with the closure
            "vqemu_store_copy": {"to": self.other},
            "vqemu_store_export": {"name": None},
            "vqemu_store_export_layout": layout,
            "vqemu_store_find_revision": {"name": PROFILE},
            "vqemu_store_import_layout": layout,
            "vqemu_store_push": {"tag": None},
            "vqemu_store_remove_signature": {"digest": b"0" * 64},
        }.get(function, {})
        texts = {"name": self.name, "revision": self.name, "holder": b"vm:web"} if kind == "const char *" else {}
        return special[name] if name in special else texts.get(name, ())

    def good(self, function, parameter):
        if parameter["name"] == "fd":
            os.lseek(self.archive, 0, os.SEEK_SET)
            return self.archive if "import" in function else os.open("/dev/null", os.O_WRONLY)
        own = self.own(function, parameter["type"], parameter["name"])
        return super().good(function, parameter) if own == () else own

    def answer(self, function):
        """What it returns. Who leases a tree keeps the revision, so that none is leased afterwards."""
        values = [self.good(function, parameter) for parameter in self.prototypes[function]["parameters"]]
        code = self.call(function, *(ctypes.c_uint64(value) if isinstance(value, int) else value for value in values))
        if function == "vqemu_runtime_probe":
            self.call("vqemu_runtime_unref", self.made.pop("vqemu_runtime"), result=None)
        elif function in ("vqemu_command_load", "vqemu_resolve"):
            kind = "command" if function == "vqemu_command_load" else "runtime"
            self.call(f"vqemu_{kind}_unref", values[-2]._obj, result=None)  # what byref() was made of
        return code


def main():
    path, directory, damage, *functions = sys.argv[1:]
    calls = Calls(path, directory, json.load(sys.stdin))
    calls.prepare(functions)
    DAMAGES[damage](Store(calls.directory / "store"))
    print(json.dumps({function: calls.answer(function) for function in functions}))


if __name__ == "__main__":
    main()
