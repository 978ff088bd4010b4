# SPDX-License-Identifier: MIT
"""By whom profiles must be signed."""
from __future__ import annotations

import enum
import itertools
import warnings
import weakref
from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence, Union

from ._library import VERIFIER_FUNCTION, C, Handle, Pointer, Text, encoded, items, pointer_of

__all__ = ["Evidence", "PublicKey", "Signature", "Trust", "Verdict"]


class Verdict(enum.IntEnum):
    """What a verifier says: nothing, so that the keys decide; yes; no."""

    UNKNOWN = 0
    TRUSTED = 1
    REFUSED = 2


@dataclass(frozen=True)
class PublicKey:
    """A key that is trusted. kind: "signify" (minisign's too), "openssl" or "ssh". id: its number or fingerprint. name:
    what its text says of it, or None."""

    kind: str
    id: str
    name: Optional[str]


@dataclass(frozen=True)
class Signature:
    """A signature of a revision. digest: its SHA-256, which is its name. kind: of which tool it is. key: the id of the
    key that it says it is by, or None. fault: why it cannot be verified; None if it can."""

    digest: str
    kind: str
    key: Optional[str]
    fault: Optional[str]
    bytes: bytes

    @classmethod
    def _of(cls, found: Pointer, i: int) -> Signature:
        return cls(C.vqemu_signature_list_digest(found, i), C.vqemu_signature_list_kind(found, i),
                   C.vqemu_signature_list_key_id(found, i), C.vqemu_signature_list_fault(found, i),
                   C.vqemu_signature_list_bytes(found, i))


@dataclass(frozen=True)
class Evidence:
    """What there is to judge a revision by. source: what is judged, for people. manifest: what is signed. oci_digest:
    of the OCI manifest that it came by, "sha256:...", or None. key: the index in Trust.keys of one that has made a good
    signature, or None."""

    source: str
    profile: str
    manifest: bytes
    digest: str
    oci_digest: Optional[str]
    key: Optional[int]
    signatures: List[bytes]

    @classmethod
    def _copied(cls, address: int) -> Evidence:
        evidence = Pointer.borrow("vqemu_evidence", address)
        key: int = C.vqemu_evidence_key(evidence)
        return cls(C.vqemu_evidence_source(evidence), C.vqemu_evidence_profile_name(evidence),
                   C.vqemu_evidence_manifest(evidence), C.vqemu_evidence_digest(evidence),
                   C.vqemu_evidence_oci_digest(evidence), None if key < 0 else key,
                   [C.vqemu_evidence_signature(evidence, i)
                    for i in range(C.vqemu_evidence_signature_count(evidence))])


Verifier = Callable[[Evidence], Union[Verdict, int]]


class Trust(Handle):
    """By whom profiles must be signed; Store(trust=...), Store.import_(trust=...), Store.verify() take one:

        trust = Trust(key_files=["/etc/volt/builder.pub"])
        store = Store("/var/lib/volt", trust=trust)

    What is not trusted is an UntrustedError. Set up, it never changes; any thread may use it."""

    __slots__ = ("_verifier",)
    _C = "vqemu_trust"

    def __init__(self, keys: Sequence[Text] = (), *, key_files: Sequence[Text] = (),
                 verifier: Optional[Verifier] = None) -> None:
        """keys: texts of public keys, as signify, minisign, OpenSSL and SSH write them. key_files: files of such.

        verifier(Evidence): asked beside the keys, in any thread, for signatures of other tools and rules of one's
        own. It may not use the store that is being called. One that raises refuses, with a warning."""
        if verifier is not None and not callable(verifier):
            raise TypeError(f"verifier must be callable, not {type(verifier).__name__}")
        for name, texts in (("keys", keys), ("key_files", key_files)):
            if isinstance(texts, (str, bytes)):
                raise TypeError(f"{name} must be a list of strings, not {type(texts).__name__}")
        self._pointer = C.vqemu_trust_new()
        self._verifier = verifier
        for text in keys:
            key = encoded(text, "key")
            C.vqemu_trust_add_key(self, key, len(key), None, 0)
        for path in key_files:
            C.vqemu_trust_add_key_file(self, encoded(path, "path"), 0)
        if verifier is not None:
            token = next(_tokens)
            _trusts[token] = self
            C.vqemu_trust_set_verifier(self, _on_verify, token)

    @property
    def keys(self) -> List[PublicKey]:
        """What is trusted."""
        return [PublicKey(*fields) for fields in items(pointer_of(self, self._C, "it"), "vqemu_trust_key_count",
                                                       "vqemu_trust_key_kind", "vqemu_trust_key_id",
                                                       "vqemu_trust_key_name")]

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [f"{len(self.keys)} keys"]))


# ---- what C calls: one function that lives as long as the module, and finds the Trust by a number ----

_tokens = itertools.count(1)
_trusts: "weakref.WeakValueDictionary[int, Trust]" = weakref.WeakValueDictionary()


def _verified(address: int, token: Optional[int]) -> int:
    trust = _trusts.get(token or 0)
    if trust is None or trust._verifier is None:
        return Verdict.REFUSED
    try:
        return int(trust._verifier(Evidence._copied(address)))
    except BaseException as problem:  # whatever it is, C cannot carry it
        try:
            warnings.warn(f"the verifier raised {problem!r}, which refuses", RuntimeWarning, stacklevel=2)
        except RuntimeWarning:
            pass
        return Verdict.REFUSED


_on_verify = VERIFIER_FUNCTION(_verified)
