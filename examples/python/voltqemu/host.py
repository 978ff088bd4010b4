# SPDX-License-Identifier: MIT
"""The library that is loaded, and hosts."""
from __future__ import annotations

from typing import Tuple

from ._library import C, Text, Value, encoded, options

__all__ = ["Host", "has_feature", "version"]


def version() -> str:
    """The version of the library that is loaded, such as "1.0.0"."""
    return str(C.vqemu_version())


def has_feature(name: str) -> bool:
    """Whether the library can do something, such as "archives", as it was built and with what is installed."""
    return bool(C.vqemu_has_feature(encoded(name, "name")))


class Host(Value):
    """What selection and commands need to know of a host. Immutable; any thread may use it. Two that say the same are
    equal."""

    __slots__ = ()
    _C = "vqemu_host"
    _ELSEWHERE = "probe() there, or send arch, kvm_state and vhost_net_state"

    def __init__(self, arch: Text, kvm: Text = "usable", vhost_net: Text = "unseen") -> None:
        """A host that is described: its architecture, such as "x86_64"; how far KVM works there: "usable",
        "absent", "denied", "broken", "software" or "unseen"; and vhost-net: "usable", "absent", "denied", "broken",
        "private" or "unseen". See probe() for this host."""
        described = options("vqemu_host_options", {
            "arch": encoded(arch, "arch"), "kvm": encoded(kvm, "kvm"),
            "vhost_net": encoded(vhost_net, "vhost_net")})
        self._pointer = C.vqemu_host_new(described, 0)

    @classmethod
    def probe(cls) -> Host:
        """The host that this process runs on."""
        return cls._of(C.vqemu_host_probe(0))

    @property
    def arch(self) -> str:
        """The architecture, such as "x86_64"."""
        return str(C.vqemu_host_arch(self))

    @property
    def kvm_state(self) -> str:
        """How far KVM works: "usable", "absent", "denied", "broken", "software" or "unseen"."""
        return str(C.vqemu_kvm_state_name(C.vqemu_host_kvm_state(self)))

    @property
    def kvm_usable(self) -> bool:
        """Whether KVM runs guests here."""
        return bool(C.vqemu_host_kvm_usable(self))

    @property
    def kvm_message(self) -> str:
        """Why KVM is usable or not, for people."""
        return str(C.vqemu_host_kvm_message(self))

    @property
    def vhost_net_state(self) -> str:
        """Whether VMs can use vhost-net: "usable", "absent", "denied", "broken", "private" or "unseen"."""
        return str(C.vqemu_vhost_net_state_name(C.vqemu_host_vhost_net_state(self)))

    @property
    def vhost_net_message(self) -> str:
        """Why vhost-net can be used or not, for people."""
        return str(C.vqemu_host_vhost_net_message(self))

    def _says(self) -> Tuple[str, ...]:
        return self.arch, self.kvm_state, self.kvm_message, self.vhost_net_state, self.vhost_net_message

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.arch, f"kvm {self.kvm_state}"]))
