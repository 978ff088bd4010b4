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
	"sync"
	"time"
	"unsafe"
)

// Monitor is a connection to a QEMU that runs, by QMP. Any goroutine may use it; one waits for the other, but nobody
// for those that wait for events. What QEMU does not answer in 30 seconds fails with ErrTimeout, unless the context has
// a deadline of its own.
type Monitor struct {
	handle *handle[*C.vqemu_monitor]
	shared *monitorShare
}

// monitorShare is what the copies of a Monitor have in common besides the handle.
type monitorShare struct {
	turn    chan struct{} // in C, one goroutine at a time
	closing sync.Once
	closed  chan struct{} // is closed by Close

	mutex     sync.Mutex
	listening *listener // of Events; nil for none
}

// listener is a channel of Events.
type listener struct {
	ctx   context.Context
	ended chan struct{} // is closed when it takes no more events
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
	return nameIn(map[ShutdownEnd]string{PoweredOff: "powered off", Forced: "forced", Gone: "gone", Idle: "idle"}, e)
}

func takeMonitor(to **Monitor, from **C.vqemu_monitor, result C.int) C.int {
	if result == 0 {
		free := func(m *C.vqemu_monitor) { C.vqemu_monitor_free(m) }
		*to = &Monitor{newHandle(*from, free),
			&monitorShare{turn: make(chan struct{}, 1), closed: make(chan struct{})}}
	}
	return result
}

// OpenMonitor connects to a QMP socket; ErrNotRunning if nobody listens.
func OpenMonitor(ctx context.Context, path string, options ...CallOption) (*Monitor, error) {
	return connect(ctx, path, 0, options)
}

// WaitForMonitor is OpenMonitor for a QEMU that was started just now: it waits until that listens, or the context ends,
// which it should when the process does; without a deadline, 30 seconds.
func WaitForMonitor(ctx context.Context, path string, options ...CallOption) (*Monitor, error) {
	return connect(ctx, path, C.VQEMU_MONITOR_WAIT, options)
}

func connect(ctx context.Context, path string, flags C.uint32_t, options []CallOption) (*Monitor, error) {
	texts := &cStrings{}
	defer texts.free()
	cPath := texts.exact(path)
	if texts.err != nil {
		return nil, texts.err
	}
	var monitor *Monitor
	err := run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var m *C.vqemu_monitor
		return takeMonitor(&monitor, &m, C.vqemu_monitor_open(cPath, flags, call, &m, e))
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
	case m.shared.turn <- struct{}{}:
		return p, func() { <-m.shared.turn; m.handle.release() }, nil
	case <-m.shared.closed:
		err = ErrClosed
	case <-ctx.Done():
		err = contextError("at waiting for the monitor", ctx.Err())
	}
	m.handle.release()
	return nil, func() {}, err
}

// Close closes the connection; the VM goes on. Calls that wait for QEMU end with ErrClosed.
func (m *Monitor) Close() error {
	if m == nil || m.shared == nil {
		return nil
	}
	m.shared.closing.Do(func() { close(m.shared.closed) })
	return m.handle.close()
}

// options are those of a call that Close ends.
func (m *Monitor) options(options []CallOption) []CallOption {
	return append([]CallOption{func(o *callOptions) { o.closed = m.shared.closed }}, options...)
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
	err = run(ctx, m.options(options), func(call *C.vqemu_call, e **C.vqemu_error) C.int {
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
		return C.vqemu_monitor_next_event(monitor, C.VQEMU_EVENT_NOWAIT, nil, &text, e)
	})
	if errors.Is(err, ErrTimeout) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	event := &Event{JSON: json.RawMessage(C.GoString(text))}
	return event, json.Unmarshal(event.JSON, event)
}

// NextEvent waits for an event, as long as the context lets it; ErrNotRunning when QEMU has ended. Whoever takes an
// event has it alone; while a channel of Events takes them, it is ErrBusy.
func (m *Monitor) NextEvent(ctx context.Context) (*Event, error) {
	if m == nil {
		m = &Monitor{}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	if err := m.awaitListener(ctx, nil); err != nil {
		return nil, err
	}
	return m.next(ctx)
}

func (m *Monitor) next(ctx context.Context) (*Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, contextError("at waiting for an event", err)
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

// awaitListener waits for a channel of Events whose context is over to end, and puts a new one in its place, if there
// is one. A channel that goes on is an error.
func (m *Monitor) awaitListener(ctx context.Context, next *listener) error {
	for m.shared != nil {
		m.shared.mutex.Lock()
		old := m.shared.listening
		if old == nil {
			m.shared.listening = next
		}
		m.shared.mutex.Unlock()
		if old == nil {
			return nil
		} else if old.ctx.Err() == nil {
			return &Error{Code: CodeBusy, Reason: "events-taken", Message: "a channel of Monitor.Events takes the events: " +
				"cancel its context first"}
		}
		select {
		case <-old.ended:
		case <-ctx.Done():
			return contextError("at waiting for another channel of events to end", ctx.Err())
		}
	}
	return nil // what uses the monitor says that it is nil
}

func (m *Monitor) endListener(l *listener) {
	if m.shared != nil {
		m.shared.mutex.Lock()
		m.shared.listening = nil
		m.shared.mutex.Unlock()
	}
	close(l.ended)
}

// Events tells of events until the context is cancelled, the monitor closed, or QEMU has ended: then the last one has
// Err, such as ErrNotRunning, and the channel is closed. It must be read, or the context cancelled. A monitor has one
// such channel at a time, which gets all events: of another one, ErrBusy is the first and the last.
func (m *Monitor) Events(ctx context.Context) <-chan Event {
	if m == nil {
		m = &Monitor{}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	events := make(chan Event)
	mine := &listener{ctx, make(chan struct{})}
	err := m.awaitListener(ctx, mine)
	go func() {
		defer close(events)
		if err != nil {
			tell(ctx, events, &Event{Err: err})
			return
		}
		defer m.endListener(mine)
		for {
			event, err := m.next(ctx)
			if err != nil {
				event = &Event{Err: err}
			}
			if !tell(ctx, events, event) || err != nil {
				return
			}
		}
	}()
	return events
}

// tell tells whether somebody took the event.
func tell(ctx context.Context, events chan<- Event, event *Event) bool {
	select {
	case events <- *event:
		return true
	case <-ctx.Done():
		return false
	}
}

// PID is the process of QEMU; 0 if it is not known.
func (m *Monitor) PID() int {
	if m == nil {
		return 0
	}
	p, err := m.handle.acquire("monitor")
	if err != nil {
		return 0
	}
	defer m.handle.release()
	return int(C.vqemu_monitor_pid((*C.vqemu_monitor)(p)))
}

// ShutDown shuts the VM down in order. A guest that has not switched itself off after the timeout is ended as by a
// loss of power: Forced, which is no error; with 0, at once. A negative timeout, or one of more than 24 days, is
// ErrInvalid. It returns when the process is gone.
func (m *Monitor) ShutDown(ctx context.Context, timeout time.Duration, options ...CallOption) (ShutdownEnd, error) {
	patience := uint64(0)
	if timeout < 0 {
		return 0, negativeTime("timeout", timeout)
	} else if timeout > 0 {
		patience = milliseconds(timeout)
	}
	if patience > math.MaxUint32 {
		patience = math.MaxUint32 // which the library refuses
	}
	monitor, release, err := m.use(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	var end C.int32_t
	err = run(ctx, m.options(options), func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		return C.vqemu_monitor_shut_down(monitor, C.uint32_t(patience), 0, call, &end, e)
	})
	return ShutdownEnd(end), err
}
