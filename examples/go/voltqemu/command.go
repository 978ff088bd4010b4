// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"time"
	"unsafe"
)

// Command is what to execute to run a VM.
type Command struct {
	Path        string
	Argv        []string
	Env         []string // all of it, never nil
	Dir         string
	Fingerprint string
	StateDir    string
	RuntimeDir  string
	FDs         []int // descriptors that the VM named, which QEMU must have under these numbers
	handle      *C.vqemu_command
}

// toStrings copies a NULL-terminated array; never nil, which os/exec takes for another environment.
func toStrings(array **C.char) []string {
	all := []string{}
	for ; *array != nil; array = (**C.char)(unsafe.Add(unsafe.Pointer(array), unsafe.Sizeof(*array))) {
		all = append(all, C.GoString(*array))
	}
	return all
}

func newCommand(handle *C.vqemu_command) *Command {
	command := &Command{
		Path:        C.GoString(C.vqemu_command_path(handle)),
		Argv:        toStrings(C.vqemu_command_argv(handle)),
		Env:         toStrings(C.vqemu_command_envp(handle)),
		Dir:         C.GoString(C.vqemu_command_cwd(handle)),
		Fingerprint: C.GoString(C.vqemu_command_fingerprint(handle)),
		StateDir:    C.GoString(C.vqemu_command_state_dir(handle)),
		RuntimeDir:  C.GoString(C.vqemu_command_runtime_dir(handle)),
		handle:      handle,
	}
	for i := C.size_t(0); i < C.vqemu_command_fd_count(handle); i++ {
		command.FDs = append(command.FDs, int(C.vqemu_command_fd(handle, i)))
	}
	runtime.SetFinalizer(command, func(c *Command) { C.vqemu_command_unref(c.handle) })
	return command
}

// Command builds the command that runs a VM.
func (r *Runtime) Command(vm *VM) (*Command, error) {
	handle, err := vm.toHandle()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_vm_free(handle)
	var e *C.vqemu_error
	var command *C.vqemu_command
	result := C.vqemu_command_build(r.handle, handle, &command, &e)
	runtime.KeepAlive(r)
	if err := toError(result, e); err != nil {
		return nil, err
	}
	return newCommand(command), nil
}

// What Prepare does about UEFI variables that were made for other firmware, instead of an error.
const (
	KeepVariables  = C.VQEMU_PREPARE_KEEP_VARIABLES
	ResetVariables = C.VQEMU_PREPARE_RESET_VARIABLES
)

// Prepare makes what the command needs on disk; flags: 0, KeepVariables or ResetVariables.
func (c *Command) Prepare(flags uint32) error {
	defer runtime.KeepAlive(c)
	var e *C.vqemu_error
	result := C.vqemu_prepare(c.handle, C.uint32_t(flags), &e)
	return toError(result, e)
}

const maxFD = 65535 // ExtraFiles has an entry for each up to the highest

// Cmd makes an exec.Cmd that runs the command with the lease on its profile. files are those that the VM
// named by their descriptors; they stay the caller's.
func (c *Command) Cmd(files map[int]*os.File) (*exec.Cmd, error) {
	defer runtime.KeepAlive(c)
	var extra []*os.File
	for _, fd := range c.FDs {
		if files[fd] == nil || fd > maxFD {
			return nil, fmt.Errorf("the VM names descriptor %d, and there is no file for it", fd)
		}
		for len(extra) <= fd-3 {
			extra = append(extra, nil)
		}
		extra[fd-3] = files[fd]
	}
	lease, err := leaseOf(C.vqemu_command_runtime(c.handle))
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{Path: c.Path, Args: c.Argv, Env: c.Env, Dir: c.Dir,
		ExtraFiles: append(extra, lease)}, nil
}

// Shutdown shuts the VM behind a QMP socket down in order. A guest that has not switched itself off
// after the timeout, of whole seconds, is ended as by a loss of power, which is an error.
func Shutdown(qmpSocket string, timeout time.Duration) error {
	seconds := math.Ceil(timeout.Seconds())
	if seconds < 0 || seconds > math.MaxUint32 {
		return fmt.Errorf("a timeout of %v", timeout)
	}
	socket := C.CString(qmpSocket)
	defer free(socket)
	var e *C.vqemu_error
	result := C.vqemu_shutdown(socket, C.uint32_t(seconds), &e)
	return toError(result, e)
}
