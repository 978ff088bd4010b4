// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"math"
	"time"
)

// Unit is a systemd unit.
type Unit struct {
	Name string // of its file
	Text string
}

// Units are those that run a VM; the first is the VM's service, which starts and stops the others.
type Units struct {
	Units   []Unit
	Command *Command // what the service executes
}

// UnitOptions say how units are made. What is zero has its default.
type UnitOptions struct {
	NamePrefix  string
	StateBase   string
	RuntimeBase string
	StopDir     string        // what the stop command needs besides /usr, such as where its libraries are
	StopTimeout time.Duration // for the guest of StopCommand, without which it is refused; rounded up to whole seconds, 0: 90 s
	StopCommand []string      // of a program that shuts the guest down, by its absolute path; without one systemd ends QEMU
	User        bool          // for the manager of a user
	Policy      *Policy       // what the VM may use of the host; nil for all

	Capabilities *Capabilities // as of CommandOptions
	Others       *Store
}

func (o *UnitOptions) fill(options *C.vqemu_unit_options) error {
	err := setStrings([]option{{C.VQEMU_UNIT_NAME_PREFIX, o.NamePrefix}, {C.VQEMU_UNIT_STOP_DIRECTORY, o.StopDir}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_unit_options_set_string(options, key, value, e)
		})
	if err == nil && o.StopTimeout < 0 {
		err = negativeTime(C.VQEMU_UNIT_STOP_SECONDS, o.StopTimeout)
	}
	texts := &cStrings{}
	defer texts.free()
	if err == nil && o.StopTimeout > 0 {
		key, seconds := texts.exact(C.VQEMU_UNIT_STOP_SECONDS), C.uint64_t(math.Ceil(o.StopTimeout.Seconds()))
		err = try(func(e **C.vqemu_error) C.int {
			return C.vqemu_unit_options_set_number(options, key, seconds, e)
		})
	}
	if err == nil && len(o.StopCommand) > 0 {
		argv := texts.array(o.StopCommand)
		if texts.err != nil {
			return texts.err
		}
		err = try(func(e **C.vqemu_error) C.int { return C.vqemu_unit_options_set_stop_command(options, argv, e) })
	}
	return err
}

// newUnits copies what the library made.
func newUnits(u *C.vqemu_units) *Units {
	units := &Units{Command: newCommand(C.vqemu_units_command(u))}
	for i := C.size_t(0); i < C.vqemu_units_count(u); i++ {
		units.Units = append(units.Units, Unit{C.GoString(C.vqemu_units_name(u, i)), C.GoString(C.vqemu_units_text(u, i))})
	}
	return units
}

// Units makes the systemd units that run a VM.
func (r *Runtime) Units(ctx context.Context, vm *VM, how UnitOptions, options ...CallOption) (*Units, error) {
	var settings *C.vqemu_unit_options
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_unit_options_new(&settings, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_unit_options_free(settings)
	if err := how.fill(settings); err != nil {
		return nil, err
	}
	ofCommand := CommandOptions{StateBase: how.StateBase, RuntimeBase: how.RuntimeBase, Policy: how.Policy,
		Capabilities: how.Capabilities, Others: how.Others}
	commandSettings, err := ofCommand.make()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_command_options_free(commandSettings)
	runtime, releaseRuntime, err := r.use()
	if err != nil {
		return nil, err
	}
	defer releaseRuntime()
	described, releaseVM, err := vm.use()
	if err != nil {
		return nil, err
	}
	defer releaseVM()
	flags := C.uint32_t(0)
	if how.User {
		flags = C.VQEMU_UNIT_USER_MANAGER
	}
	var units *Units
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var u *C.vqemu_units
		result := C.vqemu_units_build(runtime, described, commandSettings, settings, flags, call, &u, e)
		if result == 0 {
			units = newUnits(u)
			C.vqemu_units_free(u)
		}
		return result
	})
	return units, err
}
