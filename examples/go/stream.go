// SPDX-License-Identifier: MIT

package voltqemu

import "C"

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"syscall"
)

// withDescriptor gives a file's descriptor to a function, and keeps the file open meanwhile. Unlike os.File.Fd() it
// leaves the file's mode alone.
func withDescriptor(file *os.File, f func(fd C.int) error) error {
	if file == nil {
		return nilArgument("file")
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(C.int(fd)) }); err != nil {
		return &Error{Code: CodeUsage, Reason: "bad-descriptor", Message: "the file " + file.Name() + " is closed",
			Details: map[string]string{"path": file.Name()}, cause: os.ErrClosed}
	}
	return inner
}

// isRegular tells whether something is a file that the library can use itself: reading it never waits for anybody.
func isRegular(stream any) (*os.File, bool) {
	file, ok := stream.(*os.File)
	if !ok || file == nil {
		return nil, false
	}
	info, err := file.Stat()
	return file, err == nil && info.Mode().IsRegular()
}

func isNil(stream any) bool {
	if stream == nil {
		return true
	}
	value := reflect.ValueOf(stream)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// pipeSize is what a pipe may have without privileges, by default; the more, the less both ends wait for each other.
const pipeSize = 1 << 20

// stream is a pipe with one end for the library, which blocks, and one for a goroutine that copies.
type stream struct {
	ours   *os.File
	theirs int
	copied chan error
}

// newStream makes a pipe; ours is the index of our end, 0 to read and 1 to write.
func newStream(ours int) (*stream, error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	if err := syscall.SetNonblock(ends[ours], true); err != nil { // so that Close() wakes who waits
		syscall.Close(ends[0])
		syscall.Close(ends[1])
		return nil, os.NewSyscallError("fcntl", err)
	}
	// F_SETPIPE_SZ, as package syscall does not have it; it goes without, where a user has too many pipes.
	syscall.Syscall(syscall.SYS_FCNTL, uintptr(ends[0]), 1031, pipeSize)
	return &stream{os.NewFile(uintptr(ends[ours]), "pipe"), ends[1-ours], make(chan error, 1)}, nil
}

// run runs f with the library's end, while copying goes on at ours. When the context is cancelled our end is closed:
// the library may be waiting for it.
func (s *stream) run(ctx context.Context, copying func() error, f func(fd C.int) error) error {
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-ctx.Done():
			s.ours.Close()
		case <-over:
		}
	}()
	go func() {
		s.copied <- copying() // before the other end can see that there is no more
		s.ours.Close()
	}()
	defer syscall.Close(s.theirs)
	return f(C.int(s.theirs))
}

// cancelled is the error of a call with a stream whose context is over: which part of it fails first is chance.
func cancelled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return contextError("at copying the archive", ctx.Err())
}

// isOther tells that it was not the other end of the pipe, or ours, that was closed.
func isOther(err error) bool {
	return err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed)
}

// reading gives f a descriptor that has what a reader has.
func reading(ctx context.Context, from io.Reader, f func(fd C.int) error) error {
	if isNil(from) {
		return nilArgument("reader")
	}
	if file, ok := isRegular(from); ok {
		return withDescriptor(file, f)
	}
	if ctx == nil {
		ctx = context.Background()
	}
	s, err := newStream(1)
	if err != nil {
		return err
	}
	err = s.run(ctx, func() error { _, err := io.Copy(s.ours, from); return err }, f)
	if err == nil {
		select { // all was read, so it is over, or about to be
		case <-s.copied:
		case <-ctx.Done():
		}
		return nil
	}
	select {
	case failed := <-s.copied:
		if isOther(failed) {
			err = failed // the reader failed, and the library missed the rest
		}
	default: // it may wait in a reader that nobody can wake
	}
	return cancelled(ctx, err)
}

// writing gives f a descriptor, and what is written there to a writer.
func writing(ctx context.Context, to io.Writer, f func(fd C.int) error) error {
	if isNil(to) {
		return nilArgument("writer")
	}
	if file, ok := isRegular(to); ok {
		return withDescriptor(file, f)
	}
	if ctx == nil {
		ctx = context.Background()
	}
	s, err := newStream(0)
	if err != nil {
		return err
	}
	err = s.run(ctx, func() error { _, err := io.Copy(to, s.ours); return err }, f)
	select {
	case failed := <-s.copied:
		if isOther(failed) {
			err = failed
		}
	case <-ctx.Done():
		if err == nil {
			err = ctx.Err() // not all has reached the writer
		}
	}
	if err == ctx.Err() && err != nil {
		return contextError("at copying the archive", err)
	}
	return cancelled(ctx, err)
}
