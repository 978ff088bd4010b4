// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"encoding/json"
)

// Capabilities are what a QEMU can do, by its own account: things of a kind, each with a name. Kinds are "accel",
// "blockdev", "chardev", "command", "cpu" (whose properties are features), "device", "display", "machine", "netdev",
// "object", "option", and "qemu", which has one name, the version.
type Capabilities struct {
	Kinds  map[string]map[string]Capability
	handle *handle[*C.vqemu_capabilities]
}

// Capability is one of them.
type Capability struct {
	Properties []string          // in order
	Untold     bool              // QEMU does not tell its properties
	Facts      map[string]string // such as "max-cpus" of a machine
}

// UnmarshalJSON reads an object of facts and properties.
func (c *Capability) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	c.Facts = map[string]string{}
	for key, value := range fields {
		if key == "properties" {
			if err := json.Unmarshal(value, &c.Properties); err != nil {
				return err
			}
			c.Untold = c.Properties == nil
			continue
		}
		var fact string
		if err := json.Unmarshal(value, &fact); err != nil {
			return err
		}
		c.Facts[key] = fact
	}
	return nil
}

// Probe asks the runtime's QEMU what it can do: it is started without a guest, confined, and ended. The store it came
// from keeps the answer; it may be nil. again: do not take what is kept.
func (r *Runtime) Probe(ctx context.Context, store *Store, again bool, options ...CallOption) (*Capabilities, error) {
	runtime, release, err := r.use()
	if err != nil {
		return nil, err
	}
	defer release()
	var keeper *C.vqemu_store
	if store != nil {
		used, releaseStore, err := store.use()
		if err != nil {
			return nil, err
		}
		defer releaseStore()
		keeper = used
	}
	flags := C.uint32_t(0)
	if again {
		flags = C.VQEMU_PROBE_AGAIN
	}
	var told *C.vqemu_capabilities
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_runtime_probe(runtime, keeper, flags, call, &told, e)
	})
	if err != nil {
		return nil, err
	}
	made := &Capabilities{handle: newHandle(told, func(p *C.vqemu_capabilities) { C.vqemu_capabilities_unref(p) })}
	text, err := takeText(func(text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_capabilities_to_json(told, 0, text, e)
	})
	if err == nil {
		err = json.Unmarshal(text, &made.Kinds)
	}
	if err != nil {
		made.handle.close()
		return nil, err
	}
	return made, nil
}

// Close releases them.
func (c *Capabilities) Close() error {
	if c == nil {
		return nil
	}
	return c.handle.close()
}

// apply sets them, if there are any, of options.
func (c *Capabilities) apply(others *Store, set func(c *C.vqemu_capabilities, s *C.vqemu_store, e **C.vqemu_error) C.int) error {
	if c == nil {
		return nil
	}
	capabilities, release, err := c.handle.use("capabilities")
	if err != nil {
		return err
	}
	defer release()
	var store *C.vqemu_store
	if others != nil {
		used, releaseStore, err := others.use()
		if err != nil {
			return err
		}
		defer releaseStore()
		store = used
	}
	return try(func(e **C.vqemu_error) C.int { return set(capabilities, store, e) })
}
