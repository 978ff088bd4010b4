// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"sort"
)

const maxFD = 65535 // ExtraFiles has an entry for each up to the highest

// Cmd is an exec.Cmd whose process has the lease on its profile, which so stays on disk until the process has ended,
// even if this program ends before. There is nothing to close: the lease is passed on when the process is started, and
// not kept here. Start, Run, Output and CombinedOutput are those of Cmd itself; those of the exec.Cmd in it fail.
//
// Where this program starts another one while Resolve or Ingest writes files, that can hold QEMU's program open for
// writing until it is executed: starting QEMU in that moment fails with syscall.ETXTBSY. Make another Cmd then.
type Cmd struct {
	*exec.Cmd
	command *Command // not closed by the garbage collector as long as this may be started
}

// Cmd makes what runs the command: it must be started before the Command is closed. files are those of FDs, by their
// Number, and no others; they stay the caller's, and must be open when it is started. What QEMU makes has the modes
// that the process's umask leaves: 077 keeps its sockets to its user.
func (c *Command) Cmd(files map[int]*os.File) (*Cmd, error) {
	_, release, err := c.use()
	if err != nil {
		return nil, err
	}
	defer release()
	extra, err := c.extraFiles(files)
	if err != nil {
		return nil, err
	}
	notSo := &Error{Code: CodeUsage, Reason: "no-lease", Message: "start it by the methods of voltqemu.Cmd, not of the " +
		"exec.Cmd in it: the process must have the lease on its profile"}
	qemu := &exec.Cmd{Path: c.Path, Args: c.Argv, Env: c.Env, Dir: c.Dir, ExtraFiles: extra, Err: notSo}
	return &Cmd{qemu, c}, nil
}

// extraFiles puts each file in the place of its number.
func (c *Command) extraFiles(files map[int]*os.File) ([]*os.File, error) {
	var extra []*os.File
	named := map[int]bool{}
	for _, fd := range c.FDs {
		named[fd.Number] = true
		if files[fd.Number] == nil || fd.Number < 3 || fd.Number > maxFD {
			return nil, &Error{Code: CodeInvalid, Reason: "no-file", Details: map[string]string{"key": fd.Key},
				Message: fmt.Sprintf("%s: QEMU must have it as descriptor %d, and there is no file for it", fd.Key, fd.Number)}
		}
		if err := withDescriptor(files[fd.Number], func(C.int) error { return nil }); err != nil {
			return nil, &Error{Code: CodeInvalid, Reason: "no-file", Details: map[string]string{"key": fd.Key}, cause: err,
				Message: fmt.Sprintf("%s: QEMU must have it as descriptor %d, and %v", fd.Key, fd.Number, err)}
		}
		for len(extra) <= fd.Number-3 {
			extra = append(extra, nil)
		}
		extra[fd.Number-3] = files[fd.Number]
	}
	return extra, unnamed(files, named)
}

// unnamed is the error for the first file that is under a number which the VM does not name.
func unnamed(files map[int]*os.File, named map[int]bool) error {
	var numbers []int
	for number := range files {
		if !named[number] {
			numbers = append(numbers, number)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	sort.Ints(numbers)
	return &Error{Code: CodeInvalid, Reason: "descriptor-mismatch",
		Details: map[string]string{"value": fmt.Sprint(numbers[0])},
		Message: fmt.Sprintf("there is a file for descriptor %d, which the VM does not name: see Command.FDs", numbers[0])}
}

// leased lets f start the process, to which the lease is passed on.
func (c *Cmd) leased(f func() error) error {
	command, release, err := c.command.use()
	if err != nil {
		return err
	}
	defer release()
	lease, err := leaseOf(C.vqemu_command_runtime(command))
	if err != nil {
		return err
	}
	if lease != nil {
		defer lease.Close()
		given := c.ExtraFiles
		defer func() { c.ExtraFiles = given }()
		c.ExtraFiles = append(given[:len(given):len(given)], lease)
	}
	refusal := c.Err
	defer func() { c.Err = refusal }()
	c.Err = nil
	return f()
}

// Start starts the process, and Wait waits for it, as with an exec.Cmd. ErrClosed if the Command was closed before.
func (c *Cmd) Start() error { return c.leased(c.Cmd.Start) }

// Run starts the process and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the command, and gives what it writes to its standard output.
func (c *Cmd) Output() (output []byte, err error) {
	err = c.leased(func() error { output, err = c.Cmd.Output(); return err })
	return output, err
}

// CombinedOutput runs the command, and gives what it writes to its standard output and error.
func (c *Cmd) CombinedOutput() (output []byte, err error) {
	err = c.leased(func() error { output, err = c.Cmd.CombinedOutput(); return err })
	return output, err
}
