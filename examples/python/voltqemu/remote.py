# SPDX-License-Identifier: MIT
"""Repositories of OCI registries."""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional

from ._library import C, Handle, Pointer, Text, encoded, flag, items, unsigned
from .call import Call, perform

__all__ = ["Push", "Remote"]


@dataclass(frozen=True)
class Push:
    """What was put into a registry. digest: of the OCI manifest, "sha256:..."; is_new: whether the tag did not name
    that before. blobs, bytes: of all that it names; new_blobs, new_bytes: of what travelled, or would travel."""

    digest: str
    is_new: bool
    blobs: int
    bytes: int
    new_blobs: int
    new_bytes: int

    @classmethod
    def _of(cls, pointer: Pointer) -> Push:
        return cls(C.vqemu_push_digest(pointer), C.vqemu_push_is_new(pointer), C.vqemu_push_blob_count(pointer),
                   C.vqemu_push_bytes(pointer), C.vqemu_push_new_blob_count(pointer), C.vqemu_push_new_bytes(pointer))


class Remote(Handle):
    """A repository of an OCI registry, and how it is talked to. Any thread may use it; libcurl is loaded when a
    registry is first asked. What is not set here is not used: logins, proxies and certificates are looked for
    nowhere."""

    __slots__ = ()
    _C = "vqemu_remote"

    def __init__(self, repository: Text, *, user: Optional[Text] = None, password: Optional[Text] = None,
                 identity_token: Optional[Text] = None, ca_file: Optional[Text] = None,
                 certificate: Optional[Text] = None, key: Optional[Text] = None, proxy: Optional[Text] = None,
                 token_host: Optional[Text] = None, mount_from: Optional[Text] = None, plain_http: bool = False,
                 connect_timeout: Optional[int] = None, stall_timeout: Optional[int] = None,
                 connections: Optional[int] = None, tries: Optional[int] = None) -> None:
        """repository: "host/name" or "host:port/name". user and password, or an identity token: who logs in. ca_file:
        of the authorities that the registry's certificate must be of; certificate, key: the client's; all absolute
        paths. proxy: a URL. token_host: the one other host that may be asked for tokens. mount_from:
        another repository there, which may have some of what is pushed. plain_http: HTTP instead of
        HTTPS, with a login on this host alone. The timeouts are whole seconds; connections: requests at the same
        time; tries: how often one is made. 0 and None are the defaults."""
        self._pointer = C.vqemu_remote_new(encoded(repository, "repository"))
        for name, text in (("user", user), ("password", password), ("identity_token", identity_token),
                           ("ca_file", ca_file), ("certificate", certificate), ("key", key), ("proxy", proxy),
                           ("token_host", token_host), ("mount_from", mount_from)):
            if text is not None:
                C.vqemu_remote_set_string(self, name, encoded(text, name))
        for name, number in (("plain_http", int(flag(plain_http, "plain_http"))),
                             ("connect_seconds", connect_timeout), ("stall_seconds", stall_timeout),
                             ("connections", connections), ("tries", tries)):
            if number is not None:
                C.vqemu_remote_set_number(self, name, unsigned(number, name))

    def tags(self, *, call: Optional[Call] = None) -> List[str]:
        """The tags of the repository, sorted."""
        found = perform(call, lambda made: C.vqemu_remote_list_tags(self, 0, made))
        return [str(tag) for tag, in items(found, "vqemu_tag_list_count", "vqemu_tag_list_at")]

    def delete(self, reference: Text, *, call: Optional[Call] = None) -> None:
        """Delete the manifest that a tag names, or that has a digest, "sha256:...", with all tags that name it."""
        perform(call, lambda made: C.vqemu_remote_delete(self, encoded(reference, "reference"), 0, made))
