// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <stdint.h>
#include <volt-qemu/volt-qemu.h>

extern int voltqemuProgress(vqemu_progress *progress, uintptr_t call);
extern void voltqemuLog(vqemu_log_record *record, uintptr_t call);

static int report(const vqemu_progress *progress, void *call) {
	return voltqemuProgress((vqemu_progress *)progress, (uintptr_t)call);
}

static void tell(const vqemu_log_record *record, void *call) {
	voltqemuLog((vqemu_log_record *)record, (uintptr_t)call);
}

static int listen(vqemu_call *call, int progress, int log, uintptr_t userdata, vqemu_error **error) {
	int r = progress ? vqemu_call_set_progress(call, report, (void *)userdata, error) : 0;
	return r == 0 && log ? vqemu_call_set_log(call, tell, (void *)userdata, error) : r;
}
*/
import "C"

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/cgo"
	"sync"
	"time"
)

// Progress is how far a call is.
type Progress struct {
	Step              Step
	Unit              string // what the numbers count: "bytes", "files", "objects"
	Item              string // the file or object at hand
	Done, Total       uint64 // Total is 0 where it is not known
	Phase, PhaseCount int    // which step of how many, from 1
}

// Step is what is being done. Later versions of the library may have more.
type Step string

// The steps.
const (
	StepHash     Step = "hash"
	StepImport   Step = "import"
	StepExport   Step = "export"
	StepCopy     Step = "copy"
	StepPull     Step = "pull"
	StepPush     Step = "push"
	StepRepair   Step = "repair"
	StepAssemble Step = "assemble"
	StepVerify   Step = "verify"
	StepCollect  Step = "collect"
	StepProbe    Step = "probe"
	StepList     Step = "list"
	StepWait     Step = "wait" // for others that use the store
)

// LogLevel is how grave an event is.
type LogLevel int32

// The levels.
const (
	LogInfo    LogLevel = C.VQEMU_LOG_INFO
	LogWarning LogLevel = C.VQEMU_LOG_WARNING
)

// String is the level's name, "info" or "warning".
func (l LogLevel) String() string {
	return nameIn(map[LogLevel]string{LogInfo: "info", LogWarning: "warning"}, l)
}

// nameIn is the name of a value, or how Go writes one that has none.
func nameIn[T ~int32 | ~uint32](names map[T]string, value T) string {
	if name, ok := names[value]; ok {
		return name
	}
	return fmt.Sprintf("%T(%d)", value, value)
}

// LogEvent is worth a line in a log.
type LogEvent struct {
	Level   LogLevel
	Event   string // a stable word, such as "tree-altered"
	Message string // one line for people

	// What it is about; empty for what it is not.
	Path, Object, Revision, Host string
}

// CallOption says how a call is to be made.
type CallOption func(*callOptions)

type callOptions struct {
	err      error // of an option that cannot be
	numbers  map[string]uint64
	progress func(Progress)
	log      func(LogEvent)
	closed   <-chan struct{} // ends the call when it is closed; nil for never
}

func withNumber(key string, value uint64) CallOption {
	return func(o *callOptions) { o.numbers[key] = value }
}

// WithThreads lets a call use so many threads, 1 to 64.
func WithThreads(threads uint) CallOption { return withNumber(C.VQEMU_CALL_THREADS, uint64(threads)) }

// WithMaxObjects limits the files that a manifest may list; 0 is the default.
func WithMaxObjects(objects uint64) CallOption { return withNumber(C.VQEMU_CALL_MAX_OBJECTS, objects) }

// WithMaxSize limits the bytes that the files of an import may have together; 0 is the default.
func WithMaxSize(bytes uint64) CallOption { return withNumber(C.VQEMU_CALL_MAX_SIZE, bytes) }

// WithMaxLayers limits the layers of an OCI manifest that is made; of a revision with more objects, the small ones go into
// packs. 0 is the default.
func WithMaxLayers(layers uint64) CallOption { return withNumber(C.VQEMU_CALL_MAX_LAYERS, layers) }

// WithLockTimeout limits each wait for somebody else's lock, after which a call fails with ErrBusy. A negative time is
// ErrInvalid.
func WithLockTimeout(timeout time.Duration) CallOption {
	if timeout < 0 {
		return func(o *callOptions) { o.err = negativeTime(C.VQEMU_CALL_LOCK_TIMEOUT_MS, timeout) }
	}
	return withNumber(C.VQEMU_CALL_LOCK_TIMEOUT_MS, milliseconds(timeout))
}

// WithProgress has progress reported. The function is called one at a time, while the call waits for it. A panic in it
// ends the call, and goes on in the goroutine that made the call.
func WithProgress(f func(Progress)) CallOption { return func(o *callOptions) { o.progress = f } }

// WithLog has events reported, as WithProgress does.
func WithLog(f func(LogEvent)) CallOption { return func(o *callOptions) { o.log = f } }

// milliseconds rounds up, for 0 has a meaning of its own.
func milliseconds(d time.Duration) uint64 {
	if d <= 0 {
		return 1
	}
	return uint64(math.Ceil(float64(d) / float64(time.Millisecond)))
}

// call is a call that is being made.
type call struct {
	callOptions
	handle *C.vqemu_call
	mutex  sync.Mutex
	failed *failure
}

// failure is how a callback ended other than by returning.
type failure struct {
	value  any
	exited bool // by runtime.Goexit()
}

// invoke runs a callback of the caller's in a goroutine, so that neither a panic nor runtime.Goexit() unwinds C.
func (c *call) invoke(f func()) {
	done := make(chan *failure)
	go func() {
		how := &failure{exited: true}
		defer func() { done <- how }()
		defer func() {
			if value := recover(); value != nil {
				how = &failure{value: value}
			}
		}()
		f()
		how = nil
	}()
	if how := <-done; how != nil {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.failed = how
		C.vqemu_call_cancel(c.handle)
	}
}

func (c *call) hasFailed() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.failed != nil
}

func (c *call) setUp(ctx context.Context) error {
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_call_new(&c.handle, e) }); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		c.numbers[C.VQEMU_CALL_DEADLINE_MS] = milliseconds(time.Until(deadline)) + 1 // not before the context's
	}
	texts := &cStrings{}
	defer texts.free()
	for name, value := range c.numbers {
		key, number := texts.exact(name), C.uint64_t(value)
		err := try(func(e **C.vqemu_error) C.int { return C.vqemu_call_set_number(c.handle, key, number, e) })
		if err != nil {
			return err
		}
	}
	return nil
}

func toFlag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// watch cancels the call with the context, or when what it is about is closed, until the function that it returns was
// called. A deadline the library minds by itself.
func (c *call) watch(ctx context.Context) func() {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			if _, ok := ctx.Deadline(); !ok || ctx.Err() != context.DeadlineExceeded {
				C.vqemu_call_cancel(c.handle)
			}
		case <-c.closed:
			C.vqemu_call_cancel(c.handle)
		case <-stop:
		}
	}()
	return func() { close(stop); <-stopped }
}

// because adds what the context says to the error of a call.
func (c *call) because(ctx context.Context, err error) error {
	failed, ok := err.(*Error)
	if !ok {
		return err
	}
	if failed.Code == CodeCancelled && ctx.Err() == nil && isOver(c.closed) {
		return ErrClosed
	}
	deadline, limited := ctx.Deadline()
	if failed.Code == CodeCancelled {
		failed.cause = ctx.Err()
	} else if failed.Code == CodeTimeout && limited && !time.Now().Before(deadline) {
		failed.cause = context.DeadlineExceeded
	}
	return failed
}

// isOver tells whether a channel is closed; nil never is.
func isOver(closed <-chan struct{}) bool {
	select {
	case <-closed:
		return true
	default:
		return false
	}
}

// contextError is what the context ends that the library is not asked for. what says what would have been done.
func contextError(what string, err error) error {
	if err == context.DeadlineExceeded {
		return &Error{Code: CodeTimeout, Reason: "deadline", Message: "the time given was over " + what, cause: err}
	}
	return &Error{Code: CodeCancelled, Reason: CodeCancelled.String(), Message: "cancelled " + what, cause: err}
}

// run makes a call that may take long. f wraps what it gets itself: if a callback panics, so does run, and what is not
// wrapped would stay for ever.
func run(ctx context.Context, options []CallOption, f func(call *C.vqemu_call, e **C.vqemu_error) C.int) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := ctx.Err(); err != nil {
		return contextError("at the start", err)
	}
	if ctx.Done() == nil && len(options) == 0 {
		return try(func(e **C.vqemu_error) C.int { return f(nil, e) })
	}
	c := &call{callOptions: callOptions{numbers: map[string]uint64{}}}
	for _, option := range options {
		if option != nil {
			option(&c.callOptions)
		}
	}
	if c.err != nil {
		return c.err
	}
	err := c.setUp(ctx)
	defer C.vqemu_call_unref(c.handle)
	if err != nil {
		return err
	}
	return c.run(ctx, f)
}

func (c *call) run(ctx context.Context, f func(call *C.vqemu_call, e **C.vqemu_error) C.int) error {
	if c.progress != nil || c.log != nil {
		userdata := cgo.NewHandle(c)
		defer userdata.Delete()
		err := try(func(e **C.vqemu_error) C.int {
			return C.listen(c.handle, toFlag(c.progress != nil), toFlag(c.log != nil), C.uintptr_t(userdata), e)
		})
		if err != nil {
			return err
		}
	}
	stop := func() {}
	if ctx.Done() != nil || c.closed != nil {
		stop = c.watch(ctx)
	}
	err := try(func(e **C.vqemu_error) C.int { return f(c.handle, e) })
	stop()
	if c.failed != nil && c.failed.exited {
		runtime.Goexit()
	} else if c.failed != nil {
		panic(c.failed.value)
	}
	return c.because(ctx, err)
}
