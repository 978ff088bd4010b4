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
	Kind    string // "program", "loader", "library", "module", "firmware", "keymap" or "ability"
	State   string // problems: "missing", "from-host", "unusable" or "unknown"; else "optional" or "unused"
	Name    string
	AskedBy string // the path of the first file that asks for it, or ""
	Message string
}

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
		closure.Entries = append(closure.Entries, ClosureEntry{C.GoString(C.vqemu_closure_kind(c, i)),
			C.GoString(C.vqemu_closure_state(c, i)), C.GoString(C.vqemu_closure_name(c, i)),
			C.GoString(C.vqemu_closure_asked_by(c, i)), C.GoString(C.vqemu_closure_message(c, i))})
	}
	return closure
}
