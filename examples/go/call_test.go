// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const megabyte = 1 << 20

var anyProfile = &IngestOptions{AnyProfile: true}

func TestACallThatIsCancelledIsNotMade(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := makeStore(t).Ingest(cancelled, makeProfile(t, 1), IngestOptions{Profile: "emulate-x86"})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) || errors.Is(err, ErrTimeout) {
		t.Errorf("%#v", err)
	}
}

func TestACallIsCancelledWhileItIsMade(t *testing.T) {
	store := makeStore(t)
	cancelled, cancel := context.WithCancel(ctx)
	_, err := store.Ingest(cancelled, makeProfile(t, 8*megabyte), IngestOptions{Profile: "emulate-x86"},
		WithProgress(func(Progress) { cancel(); time.Sleep(20 * time.Millisecond) }))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) {
		t.Errorf("%#v", err)
	}
	if all, err := store.Revisions(ctx, ""); err != nil || len(all) != 0 {
		t.Errorf("something is left: %v, %v", all, err)
	}
}

func TestADeadlineEndsACall(t *testing.T) {
	store := makeStore(t)
	limited, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	_, err := store.Ingest(limited, makeProfile(t, 8*megabyte), IngestOptions{Profile: "emulate-x86"},
		WithProgress(func(Progress) { time.Sleep(40 * time.Millisecond) }))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Errorf("%#v", err)
	}
	if !errors.Is(err, &Error{Code: CodeTimeout, Reason: "deadline"}) {
		t.Errorf("%#v", err)
	}
	if _, err = store.Revisions(limited, ""); !errors.Is(err, context.DeadlineExceeded) ||
		!errors.Is(err, &Error{Code: CodeTimeout, Reason: "deadline"}) {
		t.Errorf("%#v", err)
	}
}

func TestProgressIsReported(t *testing.T) {
	var seen []Progress
	ingest(t, makeStore(t), megabyte, WithProgress(func(p Progress) { seen = append(seen, p) }), WithThreads(3))
	if len(seen) < 2 {
		t.Fatal(seen)
	}
	last := seen[len(seen)-1]
	if last.Step != "hash" || last.Unit != "bytes" || last.Done != last.Total || last.Total < megabyte ||
		last.Phase < 1 || last.PhaseCount < last.Phase {
		t.Errorf("%+v", last)
	}
}

func TestAPanicInACallbackEndsTheCallAndGoesOnInGo(t *testing.T) {
	store := makeStore(t)
	calls := 0
	func() {
		defer func() {
			if value := recover(); value != "enough" {
				t.Errorf("%v instead of the panic", value)
			}
		}()
		store.Ingest(ctx, makeProfile(t, 8*megabyte), IngestOptions{Profile: "emulate-x86"},
			WithProgress(func(Progress) { calls++; panic("enough") }))
		t.Error("there was no panic")
	}()
	if calls != 1 {
		t.Errorf("it was called %d times", calls)
	}
	ingest(t, store, 1) // the store is as good as before
}

func TestACallbackMayExitItsGoroutine(t *testing.T) {
	store, returned := makeStore(t), false
	within(t, time.Minute, "the end", func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			store.Ingest(ctx, makeProfile(t, 1), IngestOptions{Profile: "emulate-x86"},
				WithProgress(func(Progress) { runtime.Goexit() }))
			returned = true
		}()
		<-done
	})
	if returned {
		t.Error("the goroutine went on")
	}
	ingest(t, store, 1)
}

func TestEventsAreLogged(t *testing.T) {
	store := makeStore(t)
	mine := IngestOptions{Profile: "mine", Accel: "tcg", Guests: []string{"x86_64"}}
	_, err := store.Ingest(ctx, makeProfile(t, 1), mine)
	check(t, err)
	check(t, os.WriteFile(store.path(t), []byte("broken"), 0o644)) // so that what it runs cannot be told
	var events []LogEvent
	_, err = store.Profiles(ctx, WithLog(func(e LogEvent) { events = append(events, e) }))
	if err != nil || len(events) != 1 || events[0].Event != "revision-broken" || events[0].Message == "" ||
		events[0].Level != LogWarning {
		t.Errorf("%+v, %v", events, err)
	}
	defer func() {
		if recover() != "enough" {
			t.Error("no panic")
		}
	}()
	store.Profiles(ctx, WithLog(func(LogEvent) { panic("enough") }))
}

func TestLimits(t *testing.T) {
	store := makeStore(t)
	_, err := store.Ingest(ctx, makeProfile(t, 1), IngestOptions{Profile: "emulate-x86"}, WithMaxObjects(1))
	if err == nil {
		t.Error("there was one object too many")
	}
	revision := ingest(t, store, megabyte).Revision
	if _, err := store.ExportLayout(ctx, revision, t.TempDir(), "", WithMaxLayers(1)); err == nil {
		t.Error("there was one layer too many")
	}
	if _, err := store.ExportLayout(ctx, revision, t.TempDir(), "", WithMaxLayers(2)); err != nil {
		t.Error(err)
	}
	var archive bytes.Buffer
	if err := store.Export(ctx, revision, &archive, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := makeStore(t).Import(ctx, &archive, "", anyProfile, WithMaxSize(1000)); err == nil {
		t.Error("an archive was too large")
	}
}

func TestALockIsNotWaitedForForEver(t *testing.T) {
	store := ingested(t)
	lock, err := os.Open(filepath.Join(filepath.Dir(filepath.Dir(store.path(t))), "objects"))
	check(t, err)
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "waiting", func() {
		_, err := store.Collect(ctx, 1, false, WithLockTimeout(50*time.Millisecond))
		if !errors.Is(err, ErrBusy) {
			t.Errorf("%#v", err)
		}
	})
}

// path is that of a manifest in the store.
func (s *Store) path(t *testing.T) string {
	all, err := s.Revisions(ctx, "")
	check(t, err)
	return all[0].Path
}

// ---- archives ----

func TestAnArchiveGoesThroughStreamsAndFiles(t *testing.T) {
	store := makeStore(t)
	revision := ingest(t, store, 3*megabyte).Revision
	var archive bytes.Buffer
	if err := store.Export(ctx, revision, &archive, ""); err != nil {
		t.Fatal(err)
	}
	file, err := os.CreateTemp(t.TempDir(), "archive")
	check(t, err)
	if err := store.Export(ctx, revision, file, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file.Name())
	if err != nil || !bytes.Equal(written, archive.Bytes()) {
		t.Error("the archives are not the same", err)
	}
	for _, from := range []io.Reader{&archive, file, bytes.NewReader(written)} {
		imported, err := makeStore(t).Import(ctx, from, "", anyProfile)
		if err != nil || imported.Revision.Digest != revision.Digest || !imported.IsNew || imported.NewObjects != 3 {
			t.Errorf("%T: %+v, %v", from, imported, err)
		}
	}
	reading, writing, err := os.Pipe()
	check(t, err)
	go func() { writing.Write(written); writing.Close() }()
	imported, err := makeStore(t).Import(ctx, reading, "", anyProfile)
	if err != nil || imported.Revision.Name != revision.Name {
		t.Errorf("a pipe: %+v, %v", imported, err)
	}
}

type broken struct{ after io.Reader }

var errBroken = errors.New("broken")

func (b broken) Read(to []byte) (int, error) {
	if n, err := b.after.Read(to); err == nil {
		return n, nil
	}
	return 0, errBroken
}

func (b broken) Write([]byte) (int, error) { return 0, errBroken }

func TestTheErrorOfAStreamIsTold(t *testing.T) {
	store := makeStore(t)
	revision := ingest(t, store, 3*megabyte).Revision
	if err := store.Export(ctx, revision, broken{}, ""); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	var archive bytes.Buffer
	if err := store.Export(ctx, revision, &archive, ""); err != nil {
		t.Fatal(err)
	}
	cut := bytes.NewReader(archive.Bytes()[:megabyte])
	if _, err := makeStore(t).Import(ctx, broken{cut}, "", anyProfile); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	_, err := makeStore(t).Import(ctx, strings.NewReader("no archive"), "web.tar", nil)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "web.tar") {
		t.Error(err)
	}
	var none *bytes.Buffer
	if _, err := store.Import(ctx, none, "", nil); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
	if err := store.Export(ctx, revision, nil, ""); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}

// stuck blocks until the test is over.
type stuck struct{ until chan struct{} }

func (s stuck) Read([]byte) (int, error)  { <-s.until; return 0, io.EOF }
func (s stuck) Write([]byte) (int, error) { <-s.until; return 0, io.EOF }

func TestAStreamThatIsStuckIsGivenUp(t *testing.T) {
	store := makeStore(t)
	revision := ingest(t, store, 3*megabyte).Revision
	stream := stuck{make(chan struct{})}
	defer close(stream.until)
	for name, f := range map[string]func(ctx context.Context) error{
		"import": func(ctx context.Context) error {
			_, err := makeStore(t).Import(ctx, stream, "", anyProfile)
			return err
		},
		"export": func(ctx context.Context) error { return store.Export(ctx, revision, stream, "") },
	} {
		within(t, time.Minute, name, func() {
			cancelled, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			if err := f(cancelled); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) {
				t.Errorf("%s: %v", name, err)
			}
			limited, stop := context.WithTimeout(ctx, 50*time.Millisecond)
			defer stop()
			if err := f(limited); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestWhatIsBuiltOfAVMIsGivenUp(t *testing.T) {
	resolved := resolve(t, ingested(t))
	vm := vmOf(t, VMConfig{Name: "x", User: "root", Firmware: "bios"})
	for name, f := range map[string]func(ctx context.Context, options ...CallOption) error{
		"command": func(ctx context.Context, options ...CallOption) error {
			command, err := resolved.Command(ctx, vm, CommandOptions{}, options...)
			if err == nil {
				err = command.Close()
			}
			return err
		},
		"units": func(ctx context.Context, options ...CallOption) error {
			_, err := resolved.Units(ctx, vm, UnitOptions{}, options...)
			return err
		},
		"defaults": func(ctx context.Context, options ...CallOption) error {
			return vm.Complete(ctx, resolved, nil, options...)
		},
	} {
		if err := f(nil); err != nil {
			t.Errorf("%s without a context: %v", name, err)
		}
		if err := f(ctx, WithThreads(2)); err != nil {
			t.Errorf("%s with an option: %v", name, err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := f(cancelled); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyGoroutinesUseOneStore(t *testing.T) {
	store := ingested(t)
	var group sync.WaitGroup
	for i := 0; i < 16; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := store.Check(ctx, CheckOptions{}, WithThreads(2), WithProgress(func(Progress) {})); err != nil {
				t.Error(err)
			}
			if _, err := store.Collect(ctx, 1, true); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
}
