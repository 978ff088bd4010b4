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
type Capabilities map[string]map[string]Capability

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
func (r *Runtime) Probe(ctx context.Context, store *Store, again bool, options ...CallOption) (Capabilities, error) {
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
	defer C.vqemu_capabilities_unref(told)
	text, err := takeText(func(text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_capabilities_to_json(told, 0, text, e)
	})
	if err != nil {
		return nil, err
	}
	var all Capabilities
	return all, json.Unmarshal(text, &all)
}
