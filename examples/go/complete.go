// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import "context"

// Complete writes the defaults of its hardware into the VM, as a command for this runtime would have them.
// capabilities are what Runtime.Probe told, for the versioned machine; or nil.
func (vm *VM) Complete(ctx context.Context, runtime *Runtime, capabilities *Capabilities, options ...CallOption) error {
	resolved, releaseRuntime, err := runtime.use()
	if err != nil {
		return err
	}
	defer releaseRuntime()
	var told *C.vqemu_capabilities
	if capabilities != nil {
		used, releaseCapabilities, err := capabilities.handle.use("capabilities")
		if err != nil {
			return err
		}
		defer releaseCapabilities()
		told = used
	}
	handle, release, err := vm.use()
	if err != nil {
		return err
	}
	defer release()
	return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_vm_complete(handle, resolved, told, 0, call, e)
	})
}
