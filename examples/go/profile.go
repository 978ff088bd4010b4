// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"strings"
)

// Ability is a set of what profiles can do.
type Ability uint64

// The abilities. Later versions of the library may have more.
const (
	AbilityKVM     Ability = C.VQEMU_ABILITY_KVM
	AbilityTCG     Ability = C.VQEMU_ABILITY_TCG
	AbilityDisplay Ability = C.VQEMU_ABILITY_DISPLAY
	AbilityUSB     Ability = C.VQEMU_ABILITY_USB
	AbilityTPM     Ability = C.VQEMU_ABILITY_TPM
	AbilityUEFI    Ability = C.VQEMU_ABILITY_UEFI
	AbilityStorage Ability = C.VQEMU_ABILITY_STORAGE
	AbilityNICs    Ability = C.VQEMU_ABILITY_NICS
	AbilityHyperV  Ability = C.VQEMU_ABILITY_HYPERV
)

// FindAbility is the ability of a name, such as "display"; 0 if there is none.
func FindAbility(name string) Ability {
	texts := &cStrings{}
	defer texts.free()
	return Ability(C.vqemu_ability_find(texts.of(name)))
}

// String has the names, separated by commas, as IngestOptions take them.
func (a Ability) String() string {
	var names []string
	for bit := Ability(1); bit != 0; bit <<= 1 {
		if a&bit != 0 {
			names = append(names, C.GoString(C.vqemu_ability_name(C.uint64_t(bit))))
		}
	}
	return strings.Join(names, ",")
}

// Profile is a kind of QEMU. Profiles are the same if their names are.
type Profile struct {
	Name        string
	Description string
	Accel       string // "kvm" or "tcg"
	Abilities   Ability
	handle      *handle[*C.vqemu_profile]
}

// newProfile takes a reference of its own; nil for NULL.
func newProfile(profile *C.vqemu_profile) *Profile {
	if profile == nil {
		return nil
	}
	return &Profile{
		Name:        C.GoString(C.vqemu_profile_name(profile)),
		Description: C.GoString(C.vqemu_profile_description(profile)),
		Accel:       C.GoString(C.vqemu_profile_accel(profile)),
		Abilities:   Ability(C.vqemu_profile_abilities(profile)),
		handle: newHandle(C.vqemu_profile_ref(profile),
			func(p *C.vqemu_profile) { C.vqemu_profile_unref(p) }),
	}
}

// Profiles are those that the library knows by itself. A store may hold others: see Store.Profiles.
func Profiles() []*Profile {
	var all []*Profile
	for i := C.size_t(0); i < C.vqemu_profile_count(); i++ {
		all = append(all, newProfile(C.vqemu_profile_at(i)))
	}
	return all
}

// FindProfile is the one of Profiles with a name; nil if there is none.
func FindProfile(name string) *Profile {
	texts := &cStrings{}
	defer texts.free()
	return newProfile(C.vqemu_profile_find(texts.of(name)))
}

// Serves tells whether the profile runs guests of an architecture on hosts of the host's architecture. False also for a
// name that is none of GuestArches, such as a misspelt one.
func (p *Profile) Serves(guestArch string, host *Host) bool {
	if p == nil {
		return false
	}
	texts := &cStrings{}
	defer texts.free()
	memory, err := p.handle.acquire("profile")
	if err != nil {
		return false
	}
	defer p.handle.release()
	on, release, err := host.use()
	if err != nil {
		return false
	}
	defer release()
	guest := texts.exact(guestArch)
	return texts.err == nil && bool(C.vqemu_profile_serves(memory, guest, on))
}

// Close releases the profile.
func (p *Profile) Close() error {
	if p == nil {
		return nil
	}
	return p.handle.close()
}

// GuestArch is an architecture that guests may have.
type GuestArch struct {
	Name     string
	Binary   string   // the name of QEMU's program for it
	Machines []string // the kinds of machine it has
}

// GuestArches are all that the library knows.
func GuestArches() []GuestArch {
	var all []GuestArch
	for i := C.size_t(0); i < C.vqemu_guest_arch_count(); i++ {
		name := C.vqemu_guest_arch_at(i)
		arch := GuestArch{Name: C.GoString(name), Binary: C.GoString(C.vqemu_guest_arch_binary_name(name))}
		for j := C.size_t(0); j < C.vqemu_guest_arch_machine_count(name); j++ {
			arch.Machines = append(arch.Machines, C.GoString(C.vqemu_guest_arch_machine_at(name, j)))
		}
		all = append(all, arch)
	}
	return all
}
