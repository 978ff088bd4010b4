# SPDX-License-Identifier: MIT
"""Content-addressed stores of profiles."""
from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Iterator, List, Optional, Tuple, Union

from ._library import (C, Handle, OpenFile, Pointer, Text, Value, decoded, descriptor, encoded, flag, items,
                       options)
from .call import Call, perform
from .check import CheckResult
from .closure import Closure
from .errors import Error, from_os
from .manifest import Manifest
from .profile import Profile
from .remote import Push, Remote
from .runtime import Runtime
from .sizes import Size, Sizes
from .trust import Signature, Trust

if TYPE_CHECKING:
    from .selection import Selection

__all__ = ["Collection", "Ingest", "Kept", "Pin", "Removed", "Revision", "Store", "Use", "Uses"]


#: An open file, a descriptor, or the path of a file.
File = Union[OpenFile, Text]


class Revision(Value):
    """A store's version of a profile. Immutable; any thread may use it. Two of the same name and digest are equal, also
    those of two stores; what cannot be read is by its path."""

    __slots__ = ()
    _C = "vqemu_revision"
    _ELSEWHERE = "send its name, and find() it there"

    @property
    def name(self) -> str:
        """Its name, such as "kvm-linux-8e1e73bc"."""
        return str(C.vqemu_revision_name(self))

    @property
    def profile(self) -> str:
        """The name of its profile."""
        return str(C.vqemu_revision_profile_name(self))

    @property
    def path(self) -> str:
        """The file of its manifest."""
        return str(C.vqemu_revision_path(self))

    @property
    def arrived_at(self) -> Optional[str]:
        """When it came into the store, an RFC 3339 time: lists are ordered by that. None where it was not written down,
        and of a revision that is not from a list."""
        arrived_at: Optional[str] = C.vqemu_revision_arrived_at(self)
        return arrived_at

    @property
    def manifest(self) -> Optional[Manifest]:
        """What it consists of; None if it could not be read, as error says."""
        pointer: Optional[Pointer] = C.vqemu_revision_manifest(self)
        return None if pointer is None else Manifest._of(pointer)

    @property
    def error(self) -> Optional[Error]:
        """Why its manifest could not be read; None if it was. Raise it, or look at its reason."""
        error: Optional[Error] = C.vqemu_revision_error(self)
        return error

    @property
    def digest(self) -> Optional[str]:
        """The digest of its manifest, in hex; None if that could not be read."""
        digest: Optional[str] = C.vqemu_revision_digest(self)
        return digest

    def _says(self) -> Tuple[str, str]:
        return self.name, self.digest or self.path

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.name]))


#: A revision, by itself or by its name.
RevisionName = Union[Revision, Text]


@dataclass(frozen=True)
class Ingest:
    """What was put into a store. is_new: whether the store did not have it. objects, bytes: of all that was seen;
    new_objects, new_bytes: of what the store did not have. current: the name of the revision of its profile that is
    used now, perhaps another one; None if that cannot be told. displaced: the one that was used until this one took its
    place, if it did. closure: what the files of a directory or archive ask for; None of a copy."""

    revision: Revision
    is_new: bool
    objects: int
    bytes: int
    new_objects: int
    new_bytes: int
    current: Optional[str]
    displaced: Optional[Revision]
    closure: Optional[Closure] = None

    @classmethod
    def _of(cls, pointer: Pointer) -> Ingest:
        displaced: Optional[Pointer] = C.vqemu_ingest_displaced(pointer)
        closure: Optional[Pointer] = C.vqemu_ingest_closure(pointer)
        return cls(Revision._of(C.vqemu_ingest_revision(pointer)), C.vqemu_ingest_is_new(pointer),
                   C.vqemu_ingest_object_count(pointer), C.vqemu_ingest_bytes(pointer),
                   C.vqemu_ingest_new_object_count(pointer), C.vqemu_ingest_new_bytes(pointer),
                   C.vqemu_ingest_current(pointer), None if displaced is None else Revision._of(displaced),
                   None if closure is None else Closure._of(closure))


@dataclass(frozen=True)
class Pin:
    """What keeps a revision; holder is such as "unit:web", or None for the one without a holder."""

    revision: str
    holder: Optional[str]


@dataclass(frozen=True)
class Use:
    """What uses a tree or a revision: kind is "process", "lease", "pin", "current" or "link". What is not known
    is None."""

    kind: str
    tree: Optional[str]
    revision: Optional[str]
    pid: Optional[int]
    process_name: Optional[str]
    vm: Optional[str]
    holder: Optional[str]


@dataclass(frozen=True)
class Uses:
    """Who uses what. complete: whether all processes could be looked into; else there may be more."""

    uses: List[Use]
    complete: bool

    def __iter__(self) -> Iterator[Use]:
        return iter(self.uses)

    def __len__(self) -> int:
        return len(self.uses)


@dataclass(frozen=True)
class Removed:
    """What a collection has removed: kind is "revision", "tree", "object" or "staging"."""

    kind: str
    name: str
    bytes: int


@dataclass(frozen=True)
class Kept:
    """A revision, or a tree whose revision is gone, that a collection has kept, and why."""

    kind: str
    name: str
    message: str


@dataclass(frozen=True)
class Collection:
    """What a collection has done, or would do."""

    freed_bytes: int
    removed: List[Removed]
    kept: List[Kept]


def _described(profile: Optional[Union[Text, Profile]], trust: Optional[Trust] = None,
               **facts: Optional[Text]) -> Pointer:
    """What is said of a profile that is put into a store."""
    name = None if profile is None else _name(profile, Profile, "profile")
    described = options("vqemu_ingest_options", {"profile": name, **facts})
    if trust is not None:
        C.vqemu_ingest_options_set_trust(described, trust)
    return described


class Store(Handle):
    """An open store. Any number of threads may use it at the same time.

    Where a method takes a revision, its name does as well. To resolve(), export() and copy_to(), the name of a profile
    stands for the revision of it that resolve() would take; to uses() and check(), for all of them; to set_current(),
    for the newest, whichever that is. pin(), unpin(), pins() and remove() take the name of a revision alone. What may
    take long takes a Call."""

    __slots__ = ("_root", "_trust")
    _C = "vqemu_store"
    _ELSEWHERE = "open it there by its path"

    def __init__(self, root: Optional[Text] = None, *, create: bool = False, read_only: bool = False,
                 allow_others: bool = False, root_fd: Optional[OpenFile] = None,
                 objects: Optional[Text] = None, refs: Optional[Text] = None, trees: Optional[Text] = None,
                 links: Optional[Text] = None, trust: Optional[Trust] = None) -> None:
        """Open the store below the directory root, or make one there (create). root_fd: a descriptor of that
        directory; root then only names it in messages. objects, refs, trees, links: directories that are elsewhere.
        allow_others: also one that other users than root and the caller may write to; they decide which programs
        are run from it. Else that is a RefusedError. trust: who must have signed what comes from elsewhere, and what is
        resolved; else that is an UntrustedError."""
        if root is None and root_fd is None and None in (objects, refs, trees):
            raise TypeError("a store needs its root, or the directories of its objects, refs and trees")
        flags = flag(create, "create") | flag(read_only, "read_only") << 1 | flag(allow_others, "allow_others") << 2
        described = options("vqemu_store_options",
                            {"root": root, "objects": objects, "refs": refs, "trees": trees, "links": links},
                            {"root_fd": None if root_fd is None else descriptor(root_fd, "root_fd")})
        if trust is not None:
            C.vqemu_store_options_set_trust(described, trust)
        self._trust = trust  # its verifier is asked as long as the store is there
        self._root = None if root is None else decoded(encoded(root))
        self._pointer = C.vqemu_store_open(described, flags)

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [repr(getattr(self, "_root", None))]))

    # ---- looking ----

    def revisions(self, profile: Optional[Union[Text, Profile]] = None, *,
                  call: Optional[Call] = None) -> List[Revision]:
        """The revisions of a profile, or of all; of each profile the newest first."""
        name = None if profile is None else _name(profile, Profile, "profile")
        found = perform(call, lambda made: C.vqemu_store_list_revisions(self, name, 0, made))
        return [Revision._of(pointer)
                for (pointer,) in items(found, "vqemu_revision_list_count", "vqemu_revision_list_at")]

    def find(self, name: Text, *, call: Optional[Call] = None) -> Revision:
        """The revision of this name, or the one of a profile of this name that resolve() would take. NoRevisionError
        if there is none."""
        text = encoded(name, "name")
        return Revision._of(perform(call, lambda made: C.vqemu_store_find_revision(self, text, 0, made)))

    def profiles(self, *, call: Optional[Call] = None) -> List[Profile]:
        """The profiles that have a revision here."""
        found = perform(call, lambda made: C.vqemu_store_list_profiles(self, 0, made))
        return [Profile._of(pointer)
                for (pointer,) in items(found, "vqemu_profile_list_count", "vqemu_profile_list_at")]

    def uses(self, name: Optional[RevisionName] = None, *, call: Optional[Call] = None) -> Uses:
        """What uses the trees and revisions of this name, of a profile, or of the whole store."""
        text = None if name is None else _name(name, Revision, "name")
        found = perform(call, lambda made: C.vqemu_store_list_uses(self, text, 0, made))
        uses = [Use(kind, tree, revision, pid or None, command, vm, holder)
                for kind, tree, revision, pid, command, vm, holder in items(
                    found, "vqemu_use_list_count", "vqemu_use_list_kind", "vqemu_use_list_tree_name",
                    "vqemu_use_list_revision_name", "vqemu_use_list_pid", "vqemu_use_list_process_name",
                    "vqemu_use_list_vm_name", "vqemu_use_list_holder")]
        return Uses(uses, C.vqemu_use_list_is_complete(found))

    def sizes(self, profile: Optional[Union[Text, Profile]] = None, *, call: Optional[Call] = None) -> Sizes:
        """What the revisions of a profile, or all, take on disk, and what of it they share with any other."""
        name = None if profile is None else _name(profile, Profile, "profile")
        found = perform(call, lambda made: C.vqemu_store_list_sizes(self, name, 0, made))
        return Sizes([Size._of(found, i) for i in range(C.vqemu_size_list_count(found))],
                     C.vqemu_size_list_total_bytes(found), C.vqemu_size_list_is_complete(found))

    # ---- using ----

    def resolve(self, selection: Selection, revision: Optional[RevisionName] = None, *, verify: bool = False,
                trust: bool = False, call: Optional[Call] = None) -> Runtime:
        """Put a revision of the selected profile on disk: the current one, else the newest, unless one is given.

        verify: read and hash every file. trust: do not even look at the files of a tree that was once whole."""
        flags = flag(verify, "verify") | flag(trust, "trust") << 1
        found = None if revision is None else self._revision(revision, call)
        return Runtime._of(perform(call, lambda made: C.vqemu_resolve(self, selection, found, flags, made)))

    def ingest(self, directory: Text, profile: Union[Text, Profile], *, call: Optional[Call] = None,
               created_at: Optional[Text] = None, qemu_version: Optional[Text] = None,
               build_date: Optional[Text] = None, build_host: Optional[Text] = None, accel: Optional[Text] = None,
               abilities: Optional[Text] = None, guests: Optional[Text] = None,
               description: Optional[Text] = None, whole: bool = False) -> Ingest:
        """Put a directory into the store as a revision of a profile. whole: refuse one whose closure has problems.

        accel, abilities and guests, the latter two names with commas between, are what a profile of one's own says
        of itself; without abilities, it has those that its files have. The others are facts for its manifest."""
        path = encoded(directory, "directory")
        described = _described(profile, created_at=created_at, qemu_version=qemu_version, build_date=build_date,
                               build_host=build_host, accel=accel, abilities=abilities, guests=guests,
                               description=description)
        flags = int(flag(whole, "whole"))
        return Ingest._of(perform(call, lambda made: C.vqemu_store_ingest(self, path, described, flags, made)))

    def import_(self, file: File, profile: Optional[Union[Text, Profile]] = None, *, digest: Optional[Text] = None,
                any_profile: bool = False, call: Optional[Call] = None,
                created_at: Optional[Text] = None, qemu_version: Optional[Text] = None,
                build_date: Optional[Text] = None, build_host: Optional[Text] = None, accel: Optional[Text] = None,
                abilities: Optional[Text] = None, guests: Optional[Text] = None,
                description: Optional[Text] = None, whole: bool = False, trust: Optional[Trust] = None) -> Ingest:
        """Put an archive into the store: an open file, pipe, socket or descriptor, or the path of a file. One
        that export() has written needs the profile, or the digest that its revision must have, or any_profile: it may
        say itself of which profile it is. trust: who must have signed it. whole: as of ingest(); what else that takes
        is for other archives."""
        described = _described(profile, trust, digest=digest, created_at=created_at, qemu_version=qemu_version,
                               build_date=build_date, build_host=build_host, accel=accel, abilities=abilities,
                               guests=guests, description=description)
        flags = flag(whole, "whole") | flag(any_profile, "any_profile") << 1
        with _opened(file, "rb") as (number, name):
            return Ingest._of(perform(call, lambda made: C.vqemu_store_import(
                self, number, name, described, flags, made)))

    def export(self, revision: RevisionName, file: File, *, call: Optional[Call] = None) -> None:
        """Write a revision as a tar archive to an open file, pipe, socket or descriptor, or to a new file of this
        path."""
        found = self._revision(revision, call)
        with _opened(file, "xb") as (number, name):
            perform(call, lambda made: C.vqemu_store_export(self, found, number, name, 0, made))

    def import_layout(self, directory: Text, version: Optional[Text] = None, *,
                      profile: Optional[Union[Text, Profile]] = None, digest: Optional[Text] = None,
                      any_profile: bool = False, whole: bool = False, trust: Optional[Trust] = None,
                      call: Optional[Call] = None) -> Ingest:
        """Take a revision in from an OCI layout: that of a tag or of the digest of an OCI manifest, else the only one.
        It needs the profile, or the digest that the revision must have, or any_profile. trust: who must have signed it.
        """
        described = _described(profile, trust, digest=digest)
        flags = flag(whole, "whole") | flag(any_profile, "any_profile") << 1
        return Ingest._of(perform(call, lambda made: C.vqemu_store_import_layout(
            self, directory, version, described, flags, made)))

    def pull(self, remote: Remote, version: Optional[Text] = None, *, profile: Optional[Union[Text, Profile]] = None,
             digest: Optional[Text] = None, any_profile: bool = False, whole: bool = False,
             trust: Optional[Trust] = None, dry_run: bool = False, call: Optional[Call] = None) -> Ingest:
        """Take a revision in from a registry: that of a tag, by default "latest", or of a digest, "sha256:...". The
        rest is as of import_layout(). Only what the store lacks travels. dry_run: only tell what that would be; then
        the store need not have the revision."""
        described = _described(profile, trust, digest=digest)
        flags = flag(whole, "whole") | flag(any_profile, "any_profile") << 1 | flag(dry_run, "dry_run") << 2
        return Ingest._of(perform(call, lambda made: C.vqemu_store_pull(
            self, remote, version, described, flags, made)))

    def push(self, revision: RevisionName, remote: Remote, tag: Optional[Text] = None, *,
             force: bool = False, dry_run: bool = False,
             call: Optional[Call] = None) -> Push:
        """Put a revision into a registry, under a tag, by default "latest", and under its own name. Only what the
        repository lacks travels. force: send all, also
        what the registry says that it has. dry_run: only tell what would travel."""
        found = self._revision(revision, call)
        flags = flag(force, "force") | flag(dry_run, "dry_run") << 1
        return Push._of(perform(call, lambda made: C.vqemu_store_push(
            self, found, remote, tag, flags, made)))

    def export_layout(self, revision: RevisionName, directory: Text, tag: Optional[Text] = None, *,
                      call: Optional[Call] = None) -> str:
        """Put a revision into an OCI layout, which is made if it is not there, under a tag, or else its name. Returns
        the digest of the OCI manifest."""
        found = self._revision(revision, call)
        return str(perform(call, lambda made: C.vqemu_store_export_layout(self, directory, found, tag, 0, made)))

    def copy_to(self, revision: RevisionName, store: Store, *, call: Optional[Call] = None) -> Ingest:
        """Copy a revision to another store."""
        found = self._revision(revision, call)
        return Ingest._of(perform(call, lambda made: C.vqemu_store_copy(self, found, store, 0, made)))

    # ---- signatures ----

    def add_signature(self, revision: RevisionName, signature: bytes, *, any_kind: bool = False,
                      call: Optional[Call] = None) -> None:
        """Add a signature of the file Revision.path that another program has made. any_kind: also one that the library
        cannot verify."""
        found = self._revision(revision, call)
        flags = int(flag(any_kind, "any_kind"))
        perform(call, lambda made: C.vqemu_store_add_signature(self, found, signature, len(signature), flags, made))

    def remove_signature(self, revision: RevisionName, digest: Text, *, call: Optional[Call] = None) -> None:
        """Remove the one with this digest."""
        found = self._revision(revision, call)
        perform(call, lambda made: C.vqemu_store_remove_signature(self, found, digest, 0, made))

    def signatures(self, revision: RevisionName, *, call: Optional[Call] = None) -> List[Signature]:
        """Those of a revision."""
        found = self._revision(revision, call)
        listed: Pointer = perform(call, lambda made: C.vqemu_store_list_signatures(self, found, 0, made))
        return [Signature._of(listed, i) for i in range(C.vqemu_signature_list_count(listed))]

    def verify(self, revision: RevisionName, trust: Trust, *, call: Optional[Call] = None) -> Optional[int]:
        """Whether a revision may be trusted: the index in Trust.keys of the key whose signature is good, or None where
        the verifier alone has said so. UntrustedError if it may not."""
        found = self._revision(revision, call)
        key: int = perform(call, lambda made: C.vqemu_store_verify_revision(self, found, trust, 0, made))
        return None if key < 0 else key

    # ---- keeping ----

    def pin(self, revision: RevisionName, holder: Optional[Text] = None, *, call: Optional[Call] = None) -> None:
        """Keep a revision from being collected, for a holder such as "unit:web", or for none. Not a profile: by its
        name InvalidError."""
        self._pin(C.vqemu_store_pin, revision, holder, call)

    def unpin(self, revision: RevisionName, holder: Optional[Text] = None, *, call: Optional[Call] = None) -> None:
        """End what pin() began, for the same holder."""
        self._pin(C.vqemu_store_unpin, revision, holder, call)

    def _pin(self, function: Any, revision: RevisionName, holder: Optional[Text], call: Optional[Call]) -> None:
        name = _name(revision, Revision, "revision")
        text = None if holder is None else encoded(holder, "holder")
        perform(call, lambda made: function(self, name, text, 0, made))

    def pins(self, revision: Optional[RevisionName] = None, *, call: Optional[Call] = None) -> List[Pin]:
        """What keeps a revision, or any."""
        name = None if revision is None else _name(revision, Revision, "revision")
        found = perform(call, lambda made: C.vqemu_store_list_pins(self, name, 0, made))
        return [Pin(*fields) for fields in items(found, "vqemu_pin_list_count", "vqemu_pin_list_revision_name",
                                                 "vqemu_pin_list_holder")]

    def set_current(self, name: RevisionName, *, call: Optional[Call] = None) -> None:
        """Have resolve() take this revision of its profile until told otherwise; with the name of a profile, the
        newest again."""
        text = _name(name, Revision, "name")
        perform(call, lambda made: C.vqemu_store_set_current(self, text, 0, made))

    def remove(self, revision: RevisionName, *, call: Optional[Call] = None) -> None:
        """Remove a revision, by its own name; BusyError if it is in use, pinned, or the current one. The next
        collection frees its objects."""
        name = _name(revision, Revision, "revision")
        perform(call, lambda made: C.vqemu_store_remove_revision(self, name, 0, made))

    def collect(self, keep: int = 0, *, dry_run: bool = False, call: Optional[Call] = None) -> Collection:
        """Remove what nothing reaches; of each profile also all revisions but this many, unless that is 0. dry_run:
        only tell what would go."""
        limits = options("vqemu_collect_options", {}, {"keep": keep})
        flags = int(flag(dry_run, "dry_run"))
        done: Pointer = perform(call, lambda made: C.vqemu_store_collect(self, limits, flags, made))
        return Collection(
            C.vqemu_collection_freed_bytes(done),
            [Removed(*fields) for fields in items(done, "vqemu_collection_count", "vqemu_collection_kind",
                                                  "vqemu_collection_name", "vqemu_collection_bytes")],
            [Kept(*fields) for fields in items(done, "vqemu_collection_kept_count", "vqemu_collection_kept_kind",
                                               "vqemu_collection_kept_name", "vqemu_collection_kept_message")])

    def check(self, name: Optional[RevisionName] = None, *, repair: bool = False, source: Optional[Text] = None,
              closure: bool = False, call: Optional[Call] = None) -> CheckResult:
        """Hash the objects of a revision, of a profile, or of the whole store. repair: put right what can be. source:
        a directory, an archive, or the root of another store, that has good copies. closure: also find out what the
        files of each revision ask for, and what of it is not there."""
        text = None if name is None else _name(name, Revision, "name")
        good = None if source is None else encoded(source, "source")
        flags = flag(repair, "repair") | flag(closure, "closure") << 1
        return CheckResult._of(perform(call, lambda made: C.vqemu_store_check(self, text, flags, good, made)))

    def _revision(self, revision: RevisionName, call: Optional[Call]) -> Revision:
        if isinstance(revision, Revision):
            return revision
        return self.find(_name(revision, Revision, "revision"), call=call)


def _name(value: Any, kind: Any, what: str) -> bytes:
    """The name of a revision or profile, or of what has one."""
    if isinstance(value, kind):
        value = value.name
    elif not isinstance(value, (str, bytes)):
        raise TypeError(f"{what} must be a {kind.__name__} or the name of one, not {type(value).__name__}")
    return encoded(value, what)


@contextlib.contextmanager
def _opened(file: Any, mode: str) -> Iterator[Tuple[int, Optional[bytes]]]:
    """The descriptor of a file, and what messages call it. A new file that was not written whole is removed."""
    if isinstance(file, (str, bytes, os.PathLike)):
        path = encoded(file, "file")
        with _open_path(path, mode) as opened:
            try:
                yield opened.fileno(), path
            except BaseException:
                if mode == "xb":
                    os.unlink(path)
                raise
        return
    number = descriptor(file, "file")
    name = getattr(file, "name", None)
    _synchronise(file, number, mode)
    yield number, encoded(name) if isinstance(name, (str, bytes)) else None


def _open_path(path: bytes, mode: str) -> IO[bytes]:
    try:
        return open(path, mode)
    except OSError as problem:
        raise from_os(problem, "make the file" if mode == "xb" else "open", os.fsdecode(path)) from problem


def _synchronise(file: Any, number: int, mode: str) -> None:
    """What Python holds back of a file it has written or read is to be in its place."""
    if isinstance(file, int):
        return
    if mode == "xb":
        getattr(file, "flush", lambda: None)()  # a socket has none
    elif getattr(file, "seekable", lambda: False)():
        os.lseek(number, file.tell(), os.SEEK_SET)
