// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Set sets what a key means. The value is a string, a bool or Switch, or a whole number (of any type, json.Number
// included), or a pointer to one; nil is as Unset. For the keys of lists, their elements and named values, such as
// KeyDisks, KeyDisksAt(0), KeyNICsForwards(0) and KeyCPUFeatures, it is anything that encoding/json makes the right
// JSON of: it replaces the list or element, and is merged into named values.
func (vm *VM) Set(key string, value any) error {
	switch v := value.(type) {
	case nil:
		return vm.Unset(key)
	case Switch:
		return vm.setSwitch(key, v)
	case json.Number:
		return vm.setWritten(key, v.String())
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return vm.Unset(key)
		} else if v.Elem().Kind() != reflect.Struct {
			return vm.Set(key, v.Elem().Interface())
		}
	case reflect.String:
		return vm.setString(key, v.String())
	case reflect.Bool:
		if v.Bool() {
			return vm.setSwitch(key, On)
		}
		return vm.setSwitch(key, Off)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return vm.setWritten(key, strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return vm.setNumber(key, v.Uint())
	case reflect.Float32, reflect.Float64: // what encoding/json makes of numbers by itself
		return vm.setWritten(key, strconv.FormatFloat(v.Float(), 'f', -1, 64))
	}
	return vm.setWhole(key, value)
}

func (vm *VM) setString(key, value string) error {
	texts := &cStrings{}
	defer texts.free()
	cValue := texts.exact(value)
	if texts.err != nil {
		return ofKey(key, texts.err)
	}
	return vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_set_string(vm, key, cValue, e)
	})
}

func (vm *VM) setNumber(key string, value uint64) error {
	return vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_set_number(vm, key, C.uint64_t(value), e)
	})
}

func (vm *VM) setSwitch(key string, value Switch) error {
	return vm.keyed(key, func(vm *C.vqemu_vm, key *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_vm_set_switch(vm, key, C.int32_t(value)+C.VQEMU_SWITCH_DEFAULT, e)
	})
}

// setWritten sets a number that is written in digits.
func (vm *VM) setWritten(key, number string) error {
	value, err := strconv.ParseUint(number, 10, 64)
	if err == nil {
		return vm.setNumber(key, value)
	}
	why := "is no whole number"
	if strings.HasPrefix(number, "-") {
		why = "is negative"
	} else if errors.Is(err, strconv.ErrRange) {
		why = "is more than 64 bits can hold"
	}
	return &Error{Code: CodeInvalid, Reason: "out-of-range", Message: fmt.Sprintf("%s: %s %s", key, number, why),
		Details: map[string]string{"key": key, "value": number}}
}

// ---- lists, their elements and named values ----

// setWhole replaces what is at a key by the JSON of a value. What is not a key of the VM itself is set in a copy of the
// list that it is in, which is then merged, so that it is taken whole or not at all.
func (vm *VM) setWhole(key string, value any) error {
	if _, _, err := vm.GetString(key); err != nil && !isWrongKind(err) && !isBeyondEnd(err) {
		return err // there is no such key
	}
	if err := checkText(reflect.ValueOf(value), key); err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	var whole any
	if err := unmarshal(text, &whole); err != nil {
		return err
	}
	handle, release, err := vm.use()
	if err != nil {
		return err
	}
	defer release()
	steps := stepsOf(key)
	if len(steps) > 1 && !isNamedValue(key) {
		if whole, err = edited(handle, key, steps, whole); err != nil {
			return err
		}
	} else if len(steps) > 1 {
		whole = map[string]any{steps[1]: whole}
	}
	document, err := toJSON(map[string]any{steps[0]: whole})
	if err != nil {
		return err
	}
	return mergeInto(handle, document, "")
}

// stepsOf takes a key apart, one that the library knows: "nics[0].forwards[1]" is "nics", "0", "forwards", "1".
func stepsOf(key string) []string {
	if isNamedValue(key) { // the name may have full stops
		return strings.SplitN(key, ".", 2)
	}
	return strings.FieldsFunc(key, func(r rune) bool { return strings.ContainsRune("[].", r) })
}

// edited is the list of the VM that a key is in, with the value in its place.
func edited(vm *C.vqemu_vm, key string, steps []string, value any) (any, error) {
	text, err := takeText(func(text **C.char, e **C.vqemu_error) C.int { return C.vqemu_vm_to_json(vm, 0, text, e) })
	if err != nil {
		return nil, err
	}
	document := map[string]any{}
	if err := unmarshal(text, &document); err != nil {
		return nil, err
	}
	return placed(document[steps[0]], key, steps[1:], value)
}

// placed is what is there, nil for nothing, with the value at the end of the steps.
func placed(there any, key string, steps []string, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	index, err := strconv.Atoi(steps[0])
	if err != nil { // a member
		object, _ := there.(map[string]any)
		if object == nil {
			object = map[string]any{}
		}
		object[steps[0]], err = placed(object[steps[0]], key, steps[1:], value)
		return object, err
	}
	list, _ := there.([]any)
	if index > len(list) {
		return nil, &Error{Code: CodeInvalid, Reason: "index-beyond-end", Details: map[string]string{"key": key},
			Message: fmt.Sprintf("%s: [%d] is beyond the end of a list that has %d", key, index, len(list))}
	} else if index == len(list) {
		list = append(list, nil)
	}
	list[index], err = placed(list[index], key, steps[1:], value)
	return list, err
}

func isBeyondEnd(err error) bool {
	return errors.Is(err, &Error{Code: CodeInvalid, Reason: "index-beyond-end"})
}
