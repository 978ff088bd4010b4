# SPDX-License-Identifier: MIT
"""libvoltqemu for Python: which purpose-built QEMU a VM runs on, that QEMU verified on disk, and the command that
runs it.

    store = Store("/var/lib/volt")
    vm = VM("web", memory=512, disks=[{"file": "/srv/web.qcow2", "format": "qcow2", "boot_order": 1}],
            qmp_socket="/run/web.qmp")
    command = Command(store.resolve(select(vm=vm, store=store)), vm)
    command.prepare()
    process = command.start()
    ...
    Monitor(command.socket("qmp")).shut_down(timeout=60)

What goes wrong is an exception. A value of a wrong type is a TypeError, whether it comes as an argument, an attribute,
an item or in a dict. All else is a subclass of Error, with a `reason` to act upon: a value that cannot be is an
InvalidError, which is a ValueError, too; a key that there is not is an UnknownKeyError, which is a KeyError. Python's
own rules stay: an attribute that there is not is an AttributeError, an index beyond the end an IndexError.

Handles are context managers, and may be used from any thread. Those that never change (Host, Manifest, Policy, Profile,
Revision, Selection) can be compared, hashed and copied; a VM and a Policy can be pickled. What may take long takes a
Call, for progress, cancelling and deadlines; voltqemu.aio is for asyncio."""
from . import aio, errors
from .call import Call, LogEvent, Progress
from .check import CheckPlace, CheckProblem, CheckProcess, CheckResult
from .closure import Closure, ClosureEntry
from .command import Command, CommandFile, Companion
from .errors import *  # noqa: F401,F403
from .errors import __all__ as _errors
from .host import Host, has_feature, version
from .manifest import Manifest, ManifestObject
from .monitor import Monitor, ShutdownEnd
from .policy import Policy, policy_schema
from .profile import GuestArch, Profile, guest_archs, profiles
from .remote import Push, Remote
from .runtime import Capabilities, Placement, Runtime
from .selection import Rejected, Selection, select
from .sizes import Sharer, Size, Sizes
from .store import Collection, Ingest, Kept, Pin, Removed, Revision, Store, Use, Uses
from .trust import Evidence, PublicKey, Signature, Trust, Verdict
from .units import Unit, Units
from .vm import VM, Change, Disk, Forward, Nic, Share, schema

__all__ = [
    "Call", "Capabilities", "Change", "CheckPlace", "CheckProblem", "CheckProcess", "CheckResult", "Closure",
    "ClosureEntry", "Collection", "Command", "CommandFile", "Companion", "Disk", "Evidence", "Forward", "GuestArch",
    "Host", "Ingest", "Kept", "LogEvent", "Manifest", "ManifestObject", "Monitor", "Nic", "Pin", "Placement",
    "Policy", "Profile", "Progress", "PublicKey", "Push", "Rejected", "Remote", "Removed", "Revision", "Runtime",
    "Selection", "Share", "Sharer", "ShutdownEnd", "Signature", "Size", "Sizes", "Store", "Trust", "Unit", "Units",
    "Use", "Uses", "VM", "Verdict", "aio", "errors", "guest_archs", "has_feature", "policy_schema", "profiles",
    "schema", "select", "version"]
__all__ += _errors
