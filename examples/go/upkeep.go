// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import "context"

// ---- pins ----

// Pin keeps a revision from being collected.
type Pin struct {
	Revision string
	Holder   string // "" for the anonymous one
}

// holding makes a call about a revision and a holder.
func (s *Store) holding(ctx context.Context, revision, holder string, options []CallOption,
	f func(store *C.vqemu_store, revision, holder *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int) error {
	texts := &cStrings{}
	defer texts.free()
	cHolder := texts.of(holder)
	if texts.err != nil {
		return texts.err
	}
	return s.named(ctx, revision, options,
		func(store *C.vqemu_store, revision *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return f(store, revision, cHolder, call, e)
		})
}

// Pin keeps a revision, its tree and its objects. holder is who wants it, as "unit:volt-web"; "" for nobody special.
func (s *Store) Pin(ctx context.Context, revision, holder string, options ...CallOption) error {
	return s.holding(ctx, revision, holder, options,
		func(store *C.vqemu_store, revision, holder *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_pin(store, revision, holder, 0, call, e)
		})
}

// Unpin takes back what Pin did for this holder; others keep it.
func (s *Store) Unpin(ctx context.Context, revision, holder string, options ...CallOption) error {
	return s.holding(ctx, revision, holder, options,
		func(store *C.vqemu_store, revision, holder *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			return C.vqemu_store_unpin(store, revision, holder, 0, call, e)
		})
}

// about makes a call about one name, or, for "", about all.
func (s *Store) about(ctx context.Context, name string, options []CallOption,
	f func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int) error {
	return s.named(ctx, name, options,
		func(store *C.vqemu_store, cName *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			if name == "" {
				cName = nil
			}
			return f(store, cName, call, e)
		})
}

// Pins lists those of a revision, or of all for "".
func (s *Store) Pins(ctx context.Context, revision string, options ...CallOption) ([]Pin, error) {
	var all []Pin
	err := s.about(ctx, revision, options,
		func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var list *C.vqemu_pin_list
			result := C.vqemu_store_list_pins(store, name, 0, call, &list, e)
			defer C.vqemu_pin_list_free(list)
			for i := C.size_t(0); i < C.vqemu_pin_list_count(list); i++ {
				all = append(all, Pin{C.GoString(C.vqemu_pin_list_revision_name(list, i)),
					C.GoString(C.vqemu_pin_list_holder(list, i))})
			}
			return result
		})
	return all, err
}

// ---- uses ----

// Use is why a tree or revision is needed.
type Use struct {
	Kind        UseKind
	Tree        string // digest; "" if it is not known
	Revision    string // "" if it is not known
	PID         int64  // 0 if it is not known
	ProcessName string // as ps(1) shows it
	VM          string // the name of its VM; "" if it is not known
	Holder      string // of a pin
}

// UseKind is how something is used. Later versions of the library may have more.
type UseKind string

// The kinds of uses.
const (
	UseProcess UseKind = "process"
	UseLease   UseKind = "lease"
	UsePin     UseKind = "pin"
	UseCurrent UseKind = "current"
	UseLink    UseKind = "link"
)

// Uses are those that were found. Without IsComplete there may be processes more, which may not be looked into.
type Uses struct {
	Uses       []Use
	IsComplete bool
}

// Uses finds what uses a revision or profile, or anything here for "". It needs /proc.
func (s *Store) Uses(ctx context.Context, name string, options ...CallOption) (*Uses, error) {
	var found *Uses
	err := s.about(ctx, name, options,
		func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var list *C.vqemu_use_list
			result := C.vqemu_store_list_uses(store, name, 0, call, &list, e)
			defer C.vqemu_use_list_free(list)
			if result != 0 {
				return result
			}
			found = &Uses{IsComplete: bool(C.vqemu_use_list_is_complete(list))}
			for i := C.size_t(0); i < C.vqemu_use_list_count(list); i++ {
				found.Uses = append(found.Uses, Use{
					Kind:        UseKind(C.GoString(C.vqemu_use_list_kind(list, i))),
					Tree:        C.GoString(C.vqemu_use_list_tree_name(list, i)),
					Revision:    C.GoString(C.vqemu_use_list_revision_name(list, i)),
					PID:         int64(C.vqemu_use_list_pid(list, i)),
					ProcessName: C.GoString(C.vqemu_use_list_process_name(list, i)),
					VM:          C.GoString(C.vqemu_use_list_vm_name(list, i)),
					Holder:      C.GoString(C.vqemu_use_list_holder(list, i)),
				})
			}
			return result
		})
	return found, err
}

// ---- sizes ----

// Size is what the objects of a revision take on disk, in bytes. Of a broken one only the name is known; numbers are -1.
type Size struct {
	Revision    string
	Bytes       int64
	OwnBytes    int64 // of what no other revision has: collecting it would free that
	SharedBytes int64
	Missing     int64    // objects that the store does not have, which are not counted
	Sharers     []Sharer // those with which it shares most come first
}

// Sharer is another revision, and what it has of the same objects.
type Sharer struct {
	Revision string
	Bytes    int64
}

// Sizes are those of revisions. Without IsComplete one of the store is broken, and may have what seems to be another's
// own.
type Sizes struct {
	Sizes      []Size
	TotalBytes int64 // of all revisions of the store, each object once
	IsComplete bool
}

// Sizes finds out what the revisions of a profile, or all for "", take on disk, and share with any other.
func (s *Store) Sizes(ctx context.Context, profile string, options ...CallOption) (*Sizes, error) {
	var found *Sizes
	err := s.about(ctx, profile, options,
		func(store *C.vqemu_store, profile *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var list *C.vqemu_size_list
			result := C.vqemu_store_list_sizes(store, profile, 0, call, &list, e)
			defer C.vqemu_size_list_free(list)
			if result != 0 {
				return result
			}
			found = &Sizes{TotalBytes: int64(C.vqemu_size_list_total_bytes(list)),
				IsComplete: bool(C.vqemu_size_list_is_complete(list))}
			for i := C.size_t(0); i < C.vqemu_size_list_count(list); i++ {
				found.Sizes = append(found.Sizes, newSize(list, i))
			}
			return result
		})
	return found, err
}

func newSize(list *C.vqemu_size_list, i C.size_t) Size {
	size := Size{
		Revision:    C.GoString(C.vqemu_size_list_revision_name(list, i)),
		Bytes:       int64(C.vqemu_size_list_bytes(list, i)),
		OwnBytes:    int64(C.vqemu_size_list_own_bytes(list, i)),
		SharedBytes: int64(C.vqemu_size_list_shared_bytes(list, i)),
		Missing:     int64(C.vqemu_size_list_missing_count(list, i)),
	}
	for j := C.size_t(0); j < C.vqemu_size_list_sharer_count(list, i); j++ {
		size.Sharers = append(size.Sharers, Sharer{C.GoString(C.vqemu_size_list_sharer_name(list, i, j)),
			int64(C.vqemu_size_list_sharer_bytes(list, i, j))})
	}
	return size
}

// ---- collecting ----

// Collection is what a collection removed, or would remove, and what it kept.
type Collection struct {
	Removed    []Removed
	FreedBytes uint64
	Kept       []Kept
}

// StoredKind is what a store has.
type StoredKind string

// The kinds of what a store has.
const (
	StoredRevision StoredKind = "revision"
	StoredTree     StoredKind = "tree"
	StoredObject   StoredKind = "object"
	StoredStaging  StoredKind = "staging" // what was being made
)

// Removed is something that was removed.
type Removed struct {
	Kind  StoredKind
	Name  string
	Bytes uint64 // of disk space that this freed
}

// Kept is something that was kept, and why.
type Kept struct {
	Kind    StoredKind // StoredRevision, or StoredTree for one whose revision is gone
	Name    string
	Message string // for people; Store.Uses is for programs
}

// Collect removes what nobody needs, and keeps the newest revisions of each profile, keep of them. With dryRun it only
// tells.
func (s *Store) Collect(ctx context.Context, keep uint32, dryRun bool, options ...CallOption) (*Collection, error) {
	store, release, err := s.use()
	if err != nil {
		return nil, err
	}
	defer release()
	limits, err := collectOptions(keep)
	if err != nil {
		return nil, err
	}
	defer C.vqemu_collect_options_free(limits)
	flags := C.uint32_t(0)
	if dryRun {
		flags = C.VQEMU_COLLECT_DRY_RUN
	}
	var collected *Collection
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var c *C.vqemu_collection
		result := C.vqemu_store_collect(store, limits, flags, call, &c, e)
		defer C.vqemu_collection_free(c)
		if result == 0 {
			collected = newCollection(c)
		}
		return result
	})
	return collected, err
}

func collectOptions(keep uint32) (*C.vqemu_collect_options, error) {
	var limits *C.vqemu_collect_options
	texts := &cStrings{}
	defer texts.free()
	key := texts.exact(C.VQEMU_COLLECT_KEEP)
	err := try(func(e **C.vqemu_error) C.int {
		if result := C.vqemu_collect_options_new(&limits, e); result != 0 {
			return result
		}
		return C.vqemu_collect_options_set_number(limits, key, C.uint64_t(keep), e)
	})
	if err != nil {
		C.vqemu_collect_options_free(limits)
		return nil, err
	}
	return limits, nil
}

func newCollection(c *C.vqemu_collection) *Collection {
	collection := &Collection{FreedBytes: uint64(C.vqemu_collection_freed_bytes(c))}
	for i := C.size_t(0); i < C.vqemu_collection_count(c); i++ {
		collection.Removed = append(collection.Removed, Removed{StoredKind(C.GoString(C.vqemu_collection_kind(c, i))),
			C.GoString(C.vqemu_collection_name(c, i)), uint64(C.vqemu_collection_bytes(c, i))})
	}
	for i := C.size_t(0); i < C.vqemu_collection_kept_count(c); i++ {
		collection.Kept = append(collection.Kept, Kept{StoredKind(C.GoString(C.vqemu_collection_kept_kind(c, i))),
			C.GoString(C.vqemu_collection_kept_name(c, i)), C.GoString(C.vqemu_collection_kept_message(c, i))})
	}
	return collection
}

// ---- checking ----

// Check is what a check found.
type Check struct {
	Objects    int    // looked at
	Bytes      uint64 // hashed
	Problems   []Problem
	Unrepaired int                 // problems that are left
	Closures   map[string]*Closure // of revisions by their names, if they were asked for
}

// Problem is something that is not as it should be.
type Problem struct {
	Kind      ProblemKind
	Digest    string
	Message   string
	Repaired  bool
	Places    []ObjectPlace
	Processes []Process // that run from trees which it touches, or hold them
}

// ProblemKind is what a problem is.
type ProblemKind string

// The kinds of problems.
const (
	ProblemMissing   ProblemKind = "missing"   // an object
	ProblemDamaged   ProblemKind = "damaged"   // an object
	ProblemTree      ProblemKind = "tree"      // it was altered
	ProblemRevision  ProblemKind = "revision"  // its manifest cannot be loaded
	ProblemClosure   ProblemKind = "closure"   // something that its files ask for
	ProblemSignature ProblemKind = "signature" // it is damaged, or a revision is not signed as asked for
)

// ObjectPlace is where an object is needed.
type ObjectPlace struct{ Revision, Path string }

// Process uses a tree.
type Process struct {
	Tree string
	PID  int64 // 0 for one that may not be looked into
	Name string
}

// CheckOptions say what is checked.
type CheckOptions struct {
	Name    string // a revision or profile; "" for all
	Repair  bool   // put right what can be put right
	From    string // with good copies from there, too: a directory, archive or store
	Closure bool   // also find out what the files of each revision ask for, and what of it is not there
}

// Check reads and hashes objects, and compares trees with what they were. It fails only if it cannot be made.
func (s *Store) Check(ctx context.Context, what CheckOptions, options ...CallOption) (*Check, error) {
	texts := &cStrings{}
	defer texts.free()
	from, flags := texts.of(what.From), C.uint32_t(0)
	if texts.err != nil {
		return nil, texts.err
	}
	if what.Repair {
		flags = C.VQEMU_CHECK_REPAIR
	}
	if what.Closure {
		flags |= C.VQEMU_CHECK_CLOSURE
	}
	var check *Check
	err := s.about(ctx, what.Name, options,
		func(store *C.vqemu_store, name *C.char, call *C.vqemu_call, e **C.vqemu_error) C.int {
			var c *C.vqemu_check
			result := C.vqemu_store_check(store, name, flags, from, call, &c, e)
			defer C.vqemu_check_free(c)
			if result == 0 {
				check = newCheck(c)
			}
			return result
		})
	return check, err
}

func newCheck(c *C.vqemu_check) *Check {
	check := &Check{
		Objects:    int(C.vqemu_check_object_count(c)),
		Bytes:      uint64(C.vqemu_check_bytes(c)),
		Unrepaired: int(C.vqemu_check_unrepaired_count(c)),
	}
	for i := C.size_t(0); i < C.vqemu_check_problem_count(c); i++ {
		check.Problems = append(check.Problems, newProblem(c, i))
	}
	for i := C.size_t(0); i < C.vqemu_check_closure_count(c); i++ {
		if check.Closures == nil {
			check.Closures = map[string]*Closure{}
		}
		check.Closures[C.GoString(C.vqemu_check_closure_revision_name(c, i))] = newClosure(C.vqemu_check_closure(c, i))
	}
	return check
}

func newProblem(c *C.vqemu_check, i C.size_t) Problem {
	problem := Problem{
		Kind:     ProblemKind(C.GoString(C.vqemu_check_problem_kind(c, i))),
		Digest:   C.GoString(C.vqemu_check_problem_digest(c, i)),
		Message:  C.GoString(C.vqemu_check_problem_message(c, i)),
		Repaired: bool(C.vqemu_check_problem_repaired(c, i)),
	}
	for j := C.size_t(0); j < C.vqemu_check_place_count(c, i); j++ {
		problem.Places = append(problem.Places, ObjectPlace{C.GoString(C.vqemu_check_place_revision_name(c, i, j)),
			C.GoString(C.vqemu_check_place_path(c, i, j))})
	}
	for j := C.size_t(0); j < C.vqemu_check_process_count(c, i); j++ {
		problem.Processes = append(problem.Processes, Process{C.GoString(C.vqemu_check_process_tree_name(c, i, j)),
			int64(C.vqemu_check_process_pid(c, i, j)), C.GoString(C.vqemu_check_process_name(c, i, j))})
	}
	return problem
}
