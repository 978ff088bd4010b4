// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

// Closure is what a profile's files ask for, and what of it is not there.
type Closure struct {
	Entries  []ClosureEntry // problems first
	Problems int            // how many of them are; 0 for a profile that is whole
	// Of guests by their architecture: the file that an ability comes from, "" if it cannot be told whether there is one.
	Abilities map[string]map[Ability]string
}

// ClosureEntry is something that files ask for, or that nothing asks for.
type ClosureEntry struct {
	Kind    ClosureKind
	State   ClosureState
	Name    string
	AskedBy string // the path of the first file that asks for it, or ""
	Message string
}

// ClosureKind is what a file asks for.
type ClosureKind string

// The kinds of what is asked for.
const (
	ClosureProgram  ClosureKind = "program"
	ClosureLoader   ClosureKind = "loader"
	ClosureLibrary  ClosureKind = "library"
	ClosureModule   ClosureKind = "module"
	ClosureFirmware ClosureKind = "firmware"
	ClosureKeymap   ClosureKind = "keymap"
	ClosureAbility  ClosureKind = "ability"
)

// ClosureState is how it is with what is asked for.
type ClosureState string

// The states: problems, and two that are none.
const (
	ClosureMissing  ClosureState = "missing"
	ClosureFromHost ClosureState = "from-host"
	ClosureUnusable ClosureState = "unusable"
	ClosureUnknown  ClosureState = "unknown"
	ClosureOptional ClosureState = "optional"
	ClosureUnused   ClosureState = "unused"
)

func abilitiesOf(c *C.vqemu_closure) map[string]map[Ability]string {
	abilities := map[string]map[Ability]string{}
	for i := C.size_t(0); i < C.vqemu_guest_arch_count(); i++ {
		arch := C.vqemu_guest_arch_at(i)
		one := map[Ability]string{}
		for bit := Ability(1); bit != 0; bit <<= 1 {
			if C.vqemu_closure_has_ability(c, C.uint64_t(bit), arch) != 0 {
				one[bit] = C.GoString(C.vqemu_closure_ability_path(c, C.uint64_t(bit), arch))
			}
		}
		if len(one) > 0 {
			abilities[C.GoString(arch)] = one
		}
	}
	return abilities
}

// newClosure is nil for none.
func newClosure(c *C.vqemu_closure) *Closure {
	if c == nil {
		return nil
	}
	closure := &Closure{Problems: int(C.vqemu_closure_problem_count(c)), Abilities: abilitiesOf(c)}
	for i := C.size_t(0); i < C.vqemu_closure_count(c); i++ {
		closure.Entries = append(closure.Entries, ClosureEntry{ClosureKind(C.GoString(C.vqemu_closure_kind(c, i))),
			ClosureState(C.GoString(C.vqemu_closure_state(c, i))), C.GoString(C.vqemu_closure_name(c, i)),
			C.GoString(C.vqemu_closure_asked_by(c, i)), C.GoString(C.vqemu_closure_message(c, i))})
	}
	return closure
}
