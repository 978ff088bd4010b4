// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
)

// Command is what to execute to run a VM. It keeps its runtime's lease.
type Command struct {
	Path       string
	Argv       []string
	Env        []string // all of it, never nil
	Dir        string
	StateDir   string
	RuntimeDir string
	VMName     string
	VMID       string
	User       string       // "" for the caller's
	FDs        []Descriptor // that the VM names, which QEMU must have under these numbers
	Files      []File       // that QEMU opens, directories of shares and programs included
	Companions []Companion  // that must run beside QEMU
	handle     *handle[*C.vqemu_command]
}

// Descriptor is one that the VM names, by its number or by a name.
type Descriptor struct {
	Number int    // that QEMU has it under
	Key    string // "disks[0].fd"
	Name   string // "" if the VM names it by number
}

// File is something that QEMU opens.
type File struct {
	Path    string
	Read    bool
	Write   bool
	Execute bool // a program that runs for it
}

// Companion is a program that must run beside QEMU.
type Companion struct {
	Kind   CompanionKind
	Argv   []string
	Socket string // where it listens
	Dir    string
}

// CompanionKind is what a companion is. Later versions of the library may have more.
type CompanionKind string

// The kinds of companions.
const (
	CompanionSwtpm     CompanionKind = "swtpm"
	CompanionVirtiofsd CompanionKind = "virtiofsd"
)

// CommandOptions are for special ways to run a VM.
type CommandOptions struct {
	ForUnit  bool // with the sockets that a systemd service needs
	Paused   bool // it waits for QMP's "cont"
	Incoming bool // it waits for a migration

	StateBase   string // where the directories of VMs are; "" for the default
	RuntimeBase string
	Policy      *Policy // what the VM may use of the host; nil for all

	Capabilities *Capabilities // of the runtime's QEMU, which the command is checked against; nil: it is not
	Others       *Store        // whose profiles are told if they have what that QEMU has not; nil: none is
}

// make's result is freed by the caller.
func (o *CommandOptions) make() (*C.vqemu_command_options, error) {
	var options *C.vqemu_command_options
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_command_options_new(&options, e) }); err != nil {
		return nil, err
	}
	if err := o.fill(options); err != nil {
		C.vqemu_command_options_free(options)
		return nil, err
	}
	return options, nil
}

func (o *CommandOptions) fill(options *C.vqemu_command_options) error {
	err := setStrings([]option{{C.VQEMU_COMMAND_STATE_BASE, o.StateBase}, {C.VQEMU_COMMAND_RUNTIME_BASE, o.RuntimeBase}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_command_options_set_string(options, key, value, e)
		})
	if err != nil {
		return err
	}
	err = o.Policy.apply(func(policy *C.vqemu_policy, e **C.vqemu_error) C.int {
		return C.vqemu_command_options_set_policy(options, policy, e)
	})
	if err != nil {
		return err
	}
	return o.Capabilities.apply(o.Others, func(c *C.vqemu_capabilities, s *C.vqemu_store, e **C.vqemu_error) C.int {
		return C.vqemu_command_options_set_capabilities(options, c, s, e)
	})
}

func (o *CommandOptions) flags() C.uint32_t {
	flags := C.uint32_t(0)
	if o.ForUnit {
		flags |= C.VQEMU_COMMAND_FOR_UNIT
	}
	if o.Paused {
		flags |= C.VQEMU_COMMAND_PAUSED
	}
	if o.Incoming {
		flags |= C.VQEMU_COMMAND_INCOMING
	}
	return flags
}

// newCommand takes a reference of its own.
func newCommand(c *C.vqemu_command) *Command {
	command := &Command{
		Path:       C.GoString(C.vqemu_command_path(c)),
		Argv:       toStrings(C.vqemu_command_argv(c)),
		Env:        toStrings(C.vqemu_command_envp(c)),
		Dir:        C.GoString(C.vqemu_command_cwd(c)),
		StateDir:   C.GoString(C.vqemu_command_state_dir(c)),
		RuntimeDir: C.GoString(C.vqemu_command_runtime_dir(c)),
		VMName:     C.GoString(C.vqemu_command_vm_name(c)),
		VMID:       C.GoString(C.vqemu_command_vm_id(c)),
		User:       C.GoString(C.vqemu_command_user(c)),
		handle: newHandle(C.vqemu_command_ref(c),
			func(p *C.vqemu_command) { C.vqemu_command_unref(p) }),
	}
	for i := C.size_t(0); i < C.vqemu_command_fd_count(c); i++ {
		command.FDs = append(command.FDs,
			Descriptor{int(C.vqemu_command_fd_at(c, i)), C.GoString(C.vqemu_command_fd_key(c, i)),
				C.GoString(C.vqemu_command_fd_name(c, i))})
	}
	for i := C.size_t(0); i < C.vqemu_command_file_count(c); i++ {
		access := C.vqemu_command_file_access(c, i)
		command.Files = append(command.Files, File{C.GoString(C.vqemu_command_file_path(c, i)),
			access&C.VQEMU_FILE_READ != 0, access&C.VQEMU_FILE_WRITE != 0, access&C.VQEMU_FILE_EXECUTE != 0})
	}
	for i := C.size_t(0); i < C.vqemu_command_companion_count(c); i++ {
		command.Companions = append(command.Companions, Companion{
			Kind:   CompanionKind(C.GoString(C.vqemu_command_companion_kind(c, i))),
			Argv:   toStrings(C.vqemu_command_companion_argv(c, i)),
			Socket: C.GoString(C.vqemu_command_companion_socket(c, i)),
			Dir:    C.GoString(C.vqemu_command_companion_cwd(c, i)),
		})
	}
	return command
}

// Command builds the command that runs a VM.
func (r *Runtime) Command(ctx context.Context, vm *VM, how CommandOptions, options ...CallOption) (*Command, error) {
	settings, err := how.make()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_command_options_free(settings)
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
	var command *Command
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var c *C.vqemu_command
		result := C.vqemu_command_build(runtime, described, settings, how.flags(), call, &c, e)
		if result == 0 {
			command = newCommand(c)
			C.vqemu_command_unref(c)
		}
		return result
	})
	return command, err
}

func (c *Command) use() (*C.vqemu_command, func(), error) {
	if c == nil {
		c = &Command{}
	}
	return c.handle.use("command")
}

// Close releases the command; the last of it and its runtime ends the lease.
func (c *Command) Close() error {
	if c == nil {
		return nil
	}
	return c.handle.close()
}

// lookUp asks for something by its name; "" if there is no such thing.
func (c *Command) lookUp(name string, f func(c *C.vqemu_command, name *C.char) *C.char) string {
	command, release, err := c.use()
	if err != nil {
		return ""
	}
	defer release()
	texts := &cStrings{}
	defer texts.free()
	cName := texts.exact(name)
	if texts.err != nil {
		return ""
	}
	return C.GoString(f(command, cName))
}

// SocketName is what a socket of a command is for.
type SocketName string

// The sockets that a command may have.
const (
	SocketQMP     SocketName = C.VQEMU_SOCKET_QMP     // for whoever controls the VM
	SocketStop    SocketName = C.VQEMU_SOCKET_STOP    // the same, for a unit's stop command
	SocketVNC     SocketName = C.VQEMU_SOCKET_VNC     // the display
	SocketConsole SocketName = C.VQEMU_SOCKET_CONSOLE // the serial console
	SocketAgent   SocketName = C.VQEMU_SOCKET_AGENT   // the agent in the guest
	SocketTPM     SocketName = C.VQEMU_SOCKET_TPM     // where QEMU finds swtpm
)

// Socket is the path of a socket; "" if the command has none of this name, also where there is no such name.
func (c *Command) Socket(name SocketName) string {
	return c.lookUp(string(name), func(c *C.vqemu_command, name *C.char) *C.char { return C.vqemu_command_socket(c, name) })
}

// Sockets are the names of those there are.
func (c *Command) Sockets() []SocketName {
	command, release, err := c.use()
	if err != nil {
		return nil
	}
	defer release()
	var names []SocketName
	for i := C.size_t(0); i < C.vqemu_command_socket_count(command); i++ {
		names = append(names, SocketName(C.GoString(C.vqemu_command_socket_name(command, i))))
	}
	return names
}

// DigestOf is what a digest is of.
type DigestOf string

// What a command has digests of.
const (
	DigestCommand  DigestOf = C.VQEMU_DIGEST_COMMAND  // the whole command
	DigestHardware DigestOf = C.VQEMU_DIGEST_HARDWARE // the hardware that the guest sees
)

// Digest is in hex. It is "" for what there is no digest of, such as a misspelt word, and so never to be compared with
// another of what may be none of the constants.
func (c *Command) Digest(what DigestOf) string {
	return c.lookUp(string(what), func(c *C.vqemu_command, what *C.char) *C.char { return C.vqemu_command_digest(c, what) })
}

// text asks for a text.
func (c *Command) text(f func(c *C.vqemu_command, text **C.char, e **C.vqemu_error) C.int) ([]byte, error) {
	return textOf(c.use, f)
}

// JSON is the command for other programs.
func (c *Command) JSON() ([]byte, error) {
	return c.text(func(c *C.vqemu_command, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_command_to_json(c, 0, text, e)
	})
}

// Shell is the command for a POSIX shell.
func (c *Command) Shell() (string, error) {
	text, err := c.text(func(c *C.vqemu_command, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_command_to_shell(c, 0, text, e)
	})
	return string(text), err
}

// Runtime is what the command was built for.
func (c *Command) Runtime() (*Runtime, error) {
	command, release, err := c.use()
	if err != nil {
		return nil, err
	}
	defer release()
	return newRuntime(C.vqemu_command_runtime(command)), nil
}

// Variables says what Prepare does about UEFI variables that were made for other firmware.
type Variables uint32

// The choices.
const (
	RefuseVariables Variables = 0
	KeepVariables   Variables = C.VQEMU_PREPARE_KEEP_VARIABLES
	ResetVariables  Variables = C.VQEMU_PREPARE_RESET_VARIABLES
)

// String is "refuse", "keep" or "reset".
func (v Variables) String() string {
	return nameIn(map[Variables]string{RefuseVariables: "refuse", KeepVariables: "keep", ResetVariables: "reset"}, v)
}

// Prepare makes what the command needs on disk.
func (c *Command) Prepare(ctx context.Context, variables Variables, options ...CallOption) error {
	command, release, err := c.use()
	if err != nil {
		return err
	}
	defer release()
	return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_prepare(command, C.uint32_t(variables), call, e)
	})
}
