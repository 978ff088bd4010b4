# SPDX-License-Identifier: MIT
"""What the library can ask QEMU for, and what recipes compile, are the same: nothing that a VM can have is missing in
a program, nothing is in it for no VM, or the list of devices has the reason. Without a compiler."""
import pytest
import recipes
from asked import asked_of, documents, machine_options
from recipes import LIBRARYS_OWN, all_recipes

ARCHES = ["x86_64", "i386", "aarch64", "arm", "riscv64", "riscv32", "mips", "mipsel", "mips64", "mips64el", "ppc",
          "ppc64", "ppc64le", "s390x", "loongarch64"]
# Emulators are the same for all hosts.
PROFILES = [(name, host) for name, host in all_recipes()
            if name in LIBRARYS_OWN and (host == "x86_64" or recipes.recipe(name, host).accel == "kvm")]
TARGETS = [(name, host, target) for name, host in PROFILES for target in recipes.recipe(name, host).targets]
# Block drivers that no VM names: a medium that is put into a drive of a VM that runs can be one.
OTHER_DRIVERS = {"host_cdrom"}


def arches_of(name, host, target):
    """Those whose guests a program runs: one is for both byte orders of ppc64."""
    programs = recipes.recipe(name, host).programs()
    return [arch for arch in ARCHES if programs.get(arch.replace("ppc64le", "ppc64")) == target]


def asked(name, host, target, option):
    return set().union(*(asked_of(name, arch, host).things.get(option, ()) for arch in arches_of(name, host, target)))


def started(name, host, target):
    """{machine: its options} of those that are started before a profile is stored."""
    lines = (line.split() for line in recipes.recipe(name, host).all("machine"))
    words = (words[1].split(",") for words in lines if words[0] == target)
    return {machine: set(options) for machine, *options in words}


@pytest.mark.parametrize("name, host, target", TARGETS)
def test_every_device_that_a_vm_can_ask_for_is_compiled_and_no_other(name, host, target):
    listed = recipes.recipe(name, host).devices(target)
    wanted = asked(name, host, target, "-device")
    assert wanted - set(listed) == set(), "VMs can ask for these, but the recipe does not list them"
    unasked = {device for device, reason in listed.items() if not reason} - wanted
    assert unasked == set(), "no VM can ask for these, and the list has no reason behind them"


@pytest.mark.parametrize("name, host, target", TARGETS)
def test_every_machine_is_started_before_a_profile_is_stored(name, host, target):
    assert set(started(name, host, target)) == asked(name, host, target, "-machine")


@pytest.mark.parametrize("name, host, target", TARGETS)
def test_machines_are_started_with_the_options_that_vms_have(name, host, target):
    """One that QEMU warns of is none that a VM could have."""
    for machine, options in started(name, host, target).items():
        for arch in arches_of(name, host, target):
            assert options == machine_options(name, arch, host, machine)


@pytest.mark.parametrize("name, host", PROFILES)
def test_block_drivers_are_those_that_are_allowed(name, host):
    recipe = recipes.recipe(name, host)
    wanted = set().union(*(asked(name, host, target, "-blockdev") for target in recipe.targets))
    (option,) = (line for line in recipe.all("option") if line.startswith("--block-drv-rw-whitelist="))
    assert set(option.split("=")[1].split(",")) == wanted | OTHER_DRIVERS


def test_every_value_of_every_key_was_asked_for():
    """Else the tests above would hold for want of questions."""
    taken = set().union(*(asked_of(name, arch, host).taken
                          for name, host, target in TARGETS for arch in arches_of(name, host, target)))
    assert {(key, str(value)) for key, value, _ in documents()} - taken == set()
