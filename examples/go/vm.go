// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
)

// VM is a virtual machine as its user describes it, by keys: those of the JSON document, which docs/vm.md explains.
// Each key has a constant or function: KeyMemory, KeyDisksFile(0).
//
// An index that is one beyond the last appends. What is not set has its default.
type VM struct {
	handle *handle[*C.vqemu_vm]
	turn   *sync.Mutex // in C, one goroutine at a time
}

var vms = documented[*C.vqemu_vm]{
	func(d document, made **C.vqemu_vm, e **C.vqemu_error) C.int {
		return C.vqemu_vm_from_json(d.text, d.size, d.source, 0, made, e)
	},
	func(path *C.char, made **C.vqemu_vm, e **C.vqemu_error) C.int {
		return C.vqemu_vm_from_file(path, 0, made, e)
	},
	func(vm *C.vqemu_vm) { C.vqemu_vm_free(vm) },
}

func newVM(handle *handle[*C.vqemu_vm], err error) (*VM, error) {
	if err != nil {
		return nil, err
	}
	return &VM{handle, &sync.Mutex{}}, nil
}

// NewVM makes a VM with the defaults.
func NewVM(name string) (*VM, error) {
	texts := &cStrings{}
	defer texts.free()
	cName := texts.exact(name)
	if texts.err != nil {
		return nil, texts.err
	}
	return newVM(makeHandle(vms.free, func(vm **C.vqemu_vm, e **C.vqemu_error) C.int {
		return C.vqemu_vm_new(cName, vm, e)
	}))
}

// ParseVM reads a document, which messages call source.
func ParseVM(document []byte, source string) (*VM, error) { return newVM(vms.parse(document, source)) }

// ReadVM reads a file with a document.
func ReadVM(path string) (*VM, error) { return newVM(vms.read(path)) }

// Schema is the JSON Schema of the documents.
func Schema() ([]byte, error) {
	return takeText(func(text **C.char, e **C.vqemu_error) C.int { return C.vqemu_vm_schema(0, text, e) })
}

// use holds the VM's turn until release.
func (vm *VM) use() (*C.vqemu_vm, func(), error) {
	if vm == nil {
		vm = &VM{}
	}
	p, err := vm.handle.acquire("VM")
	if err != nil {
		return nil, func() {}, err
	}
	vm.turn.Lock()
	return p, func() { vm.turn.Unlock(); vm.handle.release() }, nil
}

// Close frees the VM.
func (vm *VM) Close() error {
	if vm == nil {
		return nil
	}
	return vm.handle.close()
}

// keyed makes a call about a key.
func (vm *VM) keyed(key string, f func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int) error {
	handle, release, err := vm.use()
	if err != nil {
		return err
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cKey := texts.exact(key)
	if texts.err != nil {
		return texts.err
	}
	return try(func(e **C.vqemu_error) C.int { return f(handle, cKey, e) })
}

// ---- setting ----

// Switch is a choice that is left to the library unless it is made.
type Switch int32

// The values of a Switch.
const (
	Default Switch = iota // one more than in C, so that what is not set in a struct is the default
	Off
	On
)

// String is "default", "off" or "on".
func (s Switch) String() string {
	return nameIn(map[Switch]string{Default: "default", Off: "off", On: "on"}, s)
}

// Unset gives a key its default again.
func (vm *VM) Unset(key string) error {
	return vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_unset(vm, key, e)
	})
}

// Remove removes an element of a list, such as "disks[1]".
func (vm *VM) Remove(key string) error {
	return vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_remove(vm, key, e)
	})
}

// ---- getting ----

// GetString is the value of a key that has strings; "" and false if it is not set.
func (vm *VM) GetString(key string) (string, bool, error) {
	var value string
	var isSet bool
	err := vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		var text *C.char
		result := C.vqemu_vm_get_string(vm, key, &text, e)
		value, isSet = C.GoString(text), text != nil
		return result
	})
	return value, isSet, err
}

// GetNumber is the value of a key that has numbers; 0 if it is not set.
func (vm *VM) GetNumber(key string) (uint64, error) {
	var value C.uint64_t
	err := vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_get_number(vm, key, &value, e)
	})
	return uint64(value), err
}

// GetSwitch is the value of a key that is a switch.
func (vm *VM) GetSwitch(key string) (Switch, error) {
	var value C.int32_t
	err := vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_get_switch(vm, key, &value, e)
	})
	return Switch(value - C.VQEMU_SWITCH_DEFAULT), err
}

// Get is the value of a key: a string, uint64 or bool; nil if it is not set. What a list or an element with keys of its
// own has, Count, JSON and Config tell.
func (vm *VM) Get(key string) (any, error) {
	text, isSet, err := vm.GetString(key)
	if err == nil && isSet {
		return text, nil
	} else if err == nil || !isWrongKind(err) {
		return nil, err
	}
	number, err := vm.GetNumber(key)
	if err == nil && (number != 0 || isNamedValue(key)) {
		return number, nil
	} else if err == nil || !isWrongKind(err) {
		return nil, err
	}
	choice, err := vm.GetSwitch(key)
	if isWrongKind(err) {
		return nil, &Error{Code: CodeInvalid, Reason: "wrong-kind", Details: map[string]string{"key": key},
			Message: key + ": a list, or an element with keys of its own, has no single value: see Count, JSON and Config"}
	} else if err != nil || choice == Default {
		return nil, err
	}
	return choice == On, nil
}

// isNamedValue tells whether 0 is a value of its own there.
func isNamedValue(key string) bool {
	return strings.HasPrefix(key, KeyCPUFeatures+".") || strings.HasPrefix(key, KeySlots+".")
}

func isWrongKind(err error) bool {
	failed, ok := err.(*Error)
	return ok && failed.Reason == "wrong-kind"
}

// Count is how many elements a list has, such as "disks".
func (vm *VM) Count(key string) (int, error) {
	var count C.size_t
	err := vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_count(vm, key, &count, e)
	})
	return int(count), err
}

// ---- documents ----

// JSON is the document of the VM, with what is set.
func (vm *VM) JSON() ([]byte, error) {
	return textOf(vm.use, func(vm *C.vqemu_vm, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_to_json(vm, 0, text, e)
	})
}

// MergeJSON merges a document into the VM: keys that it has replace the VM's, null unsets, lists replace lists, and
// "cpu_features" and "slots" are merged by their names. It does so whole or not at all. Messages call it source.
func (vm *VM) MergeJSON(document []byte, source string) error {
	handle, release, err := vm.use()
	if err != nil {
		return err
	}
	defer release()
	return mergeInto(handle, document, source)
}

func mergeInto(vm *C.vqemu_vm, document []byte, source string) error {
	texts := &cStrings{}
	defer texts.free()
	given, err := texts.document(document, source)
	if err != nil {
		return err
	}
	return try(func(e **C.vqemu_error) C.int {
		return C.vqemu_vm_merge_json(vm, given.text, given.size, given.source, 0, e)
	})
}

// Merge merges what is set in a struct; see MergeJSON.
func (vm *VM) Merge(config *VMConfig) error {
	if config == nil {
		return nilArgument("VMConfig")
	}
	document, err := toJSON(config)
	if err != nil {
		return err
	}
	return vm.MergeJSON(document, "")
}

// Copy makes another VM like this one.
func (vm *VM) Copy() (*VM, error) {
	handle, release, err := vm.use()
	if err != nil {
		return nil, err
	}
	defer release()
	return newVM(makeHandle(vms.free, func(copy **C.vqemu_vm, e **C.vqemu_error) C.int {
		return C.vqemu_vm_copy(handle, copy, e)
	}))
}

// Change is a key in which two VMs differ. From and To are nil where it is not set; otherwise a string, bool or
// json.Number, or for an element that a list has in one VM alone, a map[string]any of these and of lists. Set takes To
// as it is. Where that is nil, Unset does it, or for an element ("disks[1]") Remove: the last change first, since those
// behind an element move up.
type Change struct {
	Key  string `json:"key"`
	From any    `json:"from"`
	To   any    `json:"to"`
}

// Diff tells what is different in another VM.
func (vm *VM) Diff(other *VM) ([]Change, error) {
	copied, err := other.Copy() // so that no two turns are held at once
	if err != nil {
		return nil, err
	}
	defer copied.Close()
	to, releaseCopy, err := copied.use()
	if err != nil {
		return nil, err
	}
	defer releaseCopy()
	from, release, err := vm.use()
	if err != nil {
		return nil, err
	}
	defer release()
	text, err := takeText(func(text **C.char, e **C.vqemu_error) C.int { return C.vqemu_vm_diff(from, to, 0, text, e) })
	if err != nil {
		return nil, err
	}
	var diff struct{ Changes []Change }
	return diff.Changes, unmarshal(text, &diff)
}

// toJSON writes JSON, and refuses what encoding/json would not refuse, but write as another path: bytes that are not
// UTF-8.
func toJSON(value any) ([]byte, error) {
	if err := checkText(reflect.ValueOf(value), ""); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

func checkText(value reflect.Value, key string) error {
	switch value.Kind() {
	case reflect.String:
		if !utf8.ValidString(value.String()) {
			return &Error{Code: CodeUnsupported, Reason: "not-utf-8", Details: map[string]string{"key": key},
				Message: fmt.Sprintf("%s: %q is not UTF-8, which JSON cannot carry", key, value.String())}
		}
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			return checkText(value.Elem(), key)
		}
	case reflect.Slice:
		for i := 0; i < value.Len(); i++ {
			if err := checkText(value.Index(i), fmt.Sprintf("%s[%d]", key, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := value.MapRange(); entries.Next(); {
			if err := checkText(entries.Value(), join(key, fmt.Sprint(entries.Key()))); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			if err := checkText(value.Field(i), join(key, keyOf(value.Type().Field(i)))); err != nil {
				return err
			}
		}
	}
	return nil
}
