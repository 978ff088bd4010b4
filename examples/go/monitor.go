// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <poll.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"time"
	"unsafe"
)

// Monitor is a connection to a QEMU that runs, by QMP. Any goroutine may use it; one waits for the other, but nobody
// for those that wait for events.
type Monitor struct {
	handle *handle[*C.vqemu_monitor]
	turn   chan struct{} // in C, one goroutine at a time
}

// Event is what QEMU tells by itself.
type Event struct {
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
	Lost uint64          `json:"lost"` // how many were dropped before it, because nobody asked
	JSON json.RawMessage `json:"-"`    // all of it
	Err  error           `json:"-"`    // of Events alone, in the last
}

// ShutdownEnd is how a VM ended.
type ShutdownEnd int32

// The ends.
const (
	PoweredOff ShutdownEnd = C.VQEMU_SHUTDOWN_POWERED_OFF // the guest has switched itself off
	Forced     ShutdownEnd = C.VQEMU_SHUTDOWN_FORCED      // QEMU was made to end
	Gone       ShutdownEnd = C.VQEMU_SHUTDOWN_GONE        // it ended by itself
	Idle       ShutdownEnd = C.VQEMU_SHUTDOWN_IDLE        // the guest did not run, and was ended at once
)

// String is one or two words.
func (e ShutdownEnd) String() string {
	return map[ShutdownEnd]string{PoweredOff: "powered off", Forced: "forced", Gone: "gone", Idle: "idle"}[e]
}

func takeMonitor(to **Monitor, from **C.vqemu_monitor, result C.int) C.int {
	if result == 0 {
		free := func(m *C.vqemu_monitor) { C.vqemu_monitor_free(m) }
		*to = &Monitor{newHandle(*from, free), make(chan struct{}, 1)}
	}
	return result
}

// OpenMonitor connects to a QMP socket; ErrNotRunning if nobody listens.
func OpenMonitor(ctx context.Context, path string, options ...CallOption) (*Monitor, error) {
	texts := &cStrings{}
	defer texts.free()
	cPath := texts.exact(path)
	if texts.err != nil {
		return nil, texts.err
	}
	var monitor *Monitor
	err := run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var m *C.vqemu_monitor
		return takeMonitor(&monitor, &m, C.vqemu_monitor_open(cPath, 0, call, &m, e))
	})
	return monitor, err
}

// OpenMonitorFile takes a connection that exists already, of which it makes a copy; messages call it name.
func OpenMonitorFile(ctx context.Context, file *os.File, name string, options ...CallOption) (*Monitor, error) {
	texts := &cStrings{}
	defer texts.free()
	cName := texts.of(name)
	if texts.err != nil {
		return nil, texts.err
	}
	var monitor *Monitor
	err := withDescriptor(file, func(fd C.int) error {
		return run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
			var m *C.vqemu_monitor
			return takeMonitor(&monitor, &m, C.vqemu_monitor_open_fd(fd, cName, 0, call, &m, e))
		})
	})
	return monitor, err
}

// use waits for the monitor's turn, and holds it until release.
func (m *Monitor) use(ctx context.Context) (*C.vqemu_monitor, func(), error) {
	if m == nil {
		m = &Monitor{}
	}
	p, err := m.handle.acquire("monitor")
	if err != nil {
		return nil, func() {}, err
	}
	if ctx == nil {
		ctx = context.Background()
	}
	select {
	case m.turn <- struct{}{}:
		return p, func() { <-m.turn; m.handle.release() }, nil
	case <-ctx.Done():
		m.handle.release()
		return nil, func() {}, contextError(ctx.Err())
	}
}

// Close closes the connection; the VM goes on.
func (m *Monitor) Close() error {
	if m == nil {
		return nil
	}
	return m.handle.close()
}

// Execute executes a command of QMP. arguments is anything that encoding/json makes an object of, or nil. What QEMU
// refuses is ErrDenied, with QEMU's own class as detail "class".
func (m *Monitor) Execute(ctx context.Context, command string, arguments any,
	options ...CallOption) (json.RawMessage, error) {
	texts := &cStrings{}
	defer texts.free()
	name, given := texts.exact(command), (*C.char)(nil)
	if arguments != nil {
		text, err := toJSON(arguments)
		if err != nil {
			return nil, err
		}
		given = texts.exact(string(text))
	}
	if texts.err != nil {
		return nil, texts.err
	}
	monitor, release, err := m.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var result *C.char
	defer func() { C.vqemu_free(unsafe.Pointer(result)) }()
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_monitor_execute(monitor, name, given, 0, call, &result, e)
	})
	if err != nil {
		return nil, err
	}
	return json.RawMessage(C.GoString(result)), nil
}

// slice is how long events are waited for at once.
const slice = 50 * time.Millisecond

// waitReadable waits until QEMU says something, or a slice of time is over.
func (m *Monitor) waitReadable() error {
	p, err := m.handle.acquire("monitor")
	if err != nil {
		return err
	}
	defer m.handle.release()
	poll := C.struct_pollfd{fd: C.vqemu_monitor_fd((*C.vqemu_monitor)(p)), events: C.POLLIN}
	C.poll(&poll, 1, C.int(slice.Milliseconds()))
	return nil
}

// queued is an event that has arrived; nil if none has.
func (m *Monitor) queued(ctx context.Context) (*Event, error) {
	monitor, release, err := m.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var text *C.char
	defer func() { C.vqemu_free(unsafe.Pointer(text)) }()
	err = try(func(e **C.vqemu_error) C.int {
		return C.vqemu_monitor_next_event(monitor, C.VQEMU_MONITOR_NOWAIT, nil, &text, e)
	})
	if errors.Is(err, ErrTimeout) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	event := &Event{JSON: json.RawMessage(C.GoString(text))}
	return event, json.Unmarshal(event.JSON, event)
}

// NextEvent waits for an event, as long as the context lets it; ErrNotRunning when QEMU has ended.
func (m *Monitor) NextEvent(ctx context.Context) (*Event, error) {
	if m == nil {
		m = &Monitor{}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, contextError(err)
		}
		event, err := m.queued(ctx)
		if event != nil || err != nil {
			return event, err
		}
		if err := m.waitReadable(); err != nil {
			return nil, err
		}
	}
}

// Events tells of events until the context is cancelled, the monitor closed, or QEMU has ended: then the last one has
// Err, such as ErrNotRunning, and the channel is closed. It must be read, or the context cancelled.
func (m *Monitor) Events(ctx context.Context) <-chan Event {
	if ctx == nil {
		ctx = context.Background()
	}
	events := make(chan Event)
	go func() {
		defer close(events)
		for {
			event, err := m.NextEvent(ctx)
			if err != nil {
				event = &Event{Err: err}
			}
			select {
			case events <- *event:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return events
}

// PID is the process of QEMU; -1 if it is not known.
func (m *Monitor) PID() int {
	if m == nil {
		return -1
	}
	p, err := m.handle.acquire("monitor")
	if err != nil {
		return -1
	}
	defer m.handle.release()
	return int(C.vqemu_monitor_pid((*C.vqemu_monitor)(p)))
}

// ShutDown shuts the VM down in order. A guest that has not switched itself off after the timeout is ended as by a
// loss of power: Forced, which is no error. It returns when the process is gone.
func (m *Monitor) ShutDown(ctx context.Context, timeout time.Duration, options ...CallOption) (ShutdownEnd, error) {
	patience := milliseconds(timeout)
	if patience > math.MaxUint32 {
		patience = math.MaxUint32
	}
	monitor, release, err := m.use(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	var end C.int32_t
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_monitor_shut_down(monitor, C.uint32_t(patience), 0, call, &end, e)
	})
	return ShutdownEnd(end), err
}
