// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// fakeQEMU speaks QMP. It runs, and ends when it is told to.
type fakeQEMU struct {
	path   string
	events chan string // to be sent
	deaf   bool        // the guest does not hear its power button
}

func startQEMU(t *testing.T, deaf bool) *fakeQEMU {
	t.Helper()
	qemu := &fakeQEMU{path: filepath.Join(t.TempDir(), "q"), events: make(chan string, 10), deaf: deaf}
	qemu.listen(t)
	return qemu
}

func (q *fakeQEMU) listen(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("unix", q.path)
	check(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go q.serve(client)
		}
	}()
}

func (q *fakeQEMU) serve(client net.Conn) {
	defer client.Close()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(client); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	fmt.Fprintln(client, `{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}}, "capabilities": []}}`)
	for {
		select {
		case event := <-q.events:
			fmt.Fprintln(client, event)
		case line, ok := <-lines:
			if !ok || !q.answer(client, line) {
				return
			}
		}
	}
}

// answer tells whether it goes on.
func (q *fakeQEMU) answer(client net.Conn, line string) bool {
	var asked struct {
		Execute   string
		Arguments map[string]any
		ID        json.RawMessage
	}
	if json.Unmarshal([]byte(line), &asked) != nil {
		return false
	}
	id := ""
	if asked.ID != nil {
		id = fmt.Sprintf(`, "id": %s`, asked.ID)
	}
	switch asked.Execute {
	case "query-status":
		fmt.Fprintf(client, "{\"return\": {\"status\": \"running\", \"running\": true}%s}\n", id)
	case "echo":
		text, _ := json.Marshal(asked.Arguments)
		fmt.Fprintf(client, "{\"return\": %s%s}\n", text, id)
	case "silence":
	case "refuse":
		fmt.Fprintf(client, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such thing\"}%s}\n", id)
	default:
		fmt.Fprintf(client, "{\"return\": {}%s}\n", id)
	}
	if asked.Execute == "system_powerdown" && !q.deaf {
		fmt.Fprintln(client, `{"event": "POWERDOWN", "timestamp": {"seconds": 1, "microseconds": 0}}`)
		fmt.Fprintln(client, `{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}, `+
			`"timestamp": {"seconds": 1, "microseconds": 0}}`)
		return false
	}
	return asked.Execute != "quit"
}

func openMonitor(t *testing.T, qemu *fakeQEMU) *Monitor {
	t.Helper()
	monitor, err := OpenMonitor(ctx, qemu.path)
	check(t, err)
	t.Cleanup(func() { monitor.Close() })
	return monitor
}

func TestCommandsAreExecuted(t *testing.T) {
	monitor := openMonitor(t, startQEMU(t, false))
	result, err := monitor.Execute(ctx, "echo", map[string]any{"a": []int{1, 2}})
	if err != nil || string(result) != `{"a": [1, 2]}` && string(result) != `{"a":[1,2]}` {
		t.Errorf("%s, %v", result, err)
	}
	_, err = monitor.Execute(ctx, "refuse", nil)
	var failed *Error
	if !errors.Is(err, &Error{Code: CodeDenied, Reason: "qmp-error"}) || !errors.As(err, &failed) ||
		failed.Details["class"] != "GenericError" {
		t.Errorf("%#v", err)
	}
	limited, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := monitor.Execute(limited, "silence", nil); !errors.Is(err, context.DeadlineExceeded) ||
		!errors.Is(err, &Error{Code: CodeTimeout, Reason: "deadline"}) {
		t.Error(err)
	}
	if _, err := monitor.Execute(ctx, "echo", func() {}); err == nil {
		t.Error("a function became JSON")
	}
}

func TestEventsComeWhileCommandsAreExecuted(t *testing.T) {
	qemu := startQEMU(t, false)
	monitor := openMonitor(t, qemu)
	until, cancel := context.WithCancel(ctx)
	events := monitor.Events(until)
	for i := 0; i < 3; i++ {
		started := time.Now()
		if _, err := monitor.Execute(ctx, "query-status", nil); err != nil || time.Since(started) > 10*time.Second {
			t.Error(err)
		}
		qemu.events <- fmt.Sprintf(`{"event": "RESET", "data": {"n": %d}, "timestamp": {"seconds": 1, "microseconds": 0}}`, i)
	}
	for i := 0; i < 3; i++ {
		event := <-events
		if event.Name != "RESET" || event.Err != nil || string(event.Data) == "" || len(event.JSON) < len(event.Data) {
			t.Errorf("%+v", event)
		}
	}
	cancel()
	within(t, time.Minute, "the end of events", func() {
		for range events {
		}
	})
	limited, stop := context.WithTimeout(ctx, 20*time.Millisecond)
	defer stop()
	if _, err := monitor.NextEvent(limited); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
}

func TestEventsEndWithQEMU(t *testing.T) {
	monitor := openMonitor(t, startQEMU(t, false))
	events := monitor.Events(ctx)
	_, _ = monitor.Execute(ctx, "quit", nil)
	within(t, time.Minute, "the last event", func() {
		var last Event
		for event := range events {
			last = event
		}
		if last.Err == nil {
			t.Errorf("%+v", last)
		}
	})
	monitor.Close()
	if event, ok := <-monitor.Events(ctx); !ok || !errors.Is(event.Err, ErrClosed) {
		t.Errorf("%+v", event)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	for name, wait := range map[string]func(m *Monitor) error{
		"execute":    func(m *Monitor) error { _, err := m.Execute(ctx, "silence", nil); return err },
		"shut down":  func(m *Monitor) error { _, err := m.ShutDown(ctx, time.Hour); return err },
		"next event": func(m *Monitor) error { _, err := m.NextEvent(ctx); return err },
		"events":     func(m *Monitor) error { return (<-m.Events(ctx)).Err },
		"its turn": func(m *Monitor) error {
			go m.Execute(ctx, "silence", nil)
			time.Sleep(20 * time.Millisecond)
			_, err := m.Execute(ctx, "query-status", nil)
			return err
		},
	} {
		monitor := openMonitor(t, startQEMU(t, true))
		done := make(chan error, 1)
		go func() { done <- wait(monitor) }()
		time.Sleep(100 * time.Millisecond)
		monitor.Close()
		within(t, 5*time.Second, name, func() {
			if err := <-done; !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestEventsHaveOneChannel(t *testing.T) {
	qemu := startQEMU(t, false)
	monitor := openMonitor(t, qemu)
	until, cancel := context.WithCancel(ctx)
	first := monitor.Events(until)
	taken := &Error{Code: CodeBusy, Reason: "events-taken"}
	second := monitor.Events(ctx)
	if event := <-second; !errors.Is(event.Err, taken) {
		t.Errorf("%+v", event)
	}
	if _, more := <-second; more {
		t.Error("it goes on")
	}
	if _, err := monitor.NextEvent(ctx); !errors.Is(err, taken) {
		t.Error(err)
	}
	for i := 0; i < 2; i++ {
		qemu.events <- `{"event": "RESET", "timestamp": {"seconds": 1, "microseconds": 0}}`
		if event := <-first; event.Name != "RESET" {
			t.Errorf("%+v", event)
		}
	}
	cancel()
	third := monitor.Events(ctx) // waits for the end of the first
	qemu.events <- `{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}`
	within(t, time.Minute, "the third", func() {
		if event := <-third; event.Name != "STOP" {
			t.Errorf("%+v", event)
		}
	})
}

func TestAMonitorWaitsForItsTurnAsLongAsItMay(t *testing.T) {
	monitor := openMonitor(t, startQEMU(t, false))
	first, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { _, err := monitor.Execute(first, "silence", nil); done <- err }()
	time.Sleep(50 * time.Millisecond)
	limited, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	if _, err := monitor.Execute(limited, "query-status", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
}

func TestAVMIsShutDown(t *testing.T) {
	end, err := openMonitor(t, startQEMU(t, false)).ShutDown(ctx, time.Minute)
	if err != nil || end != PoweredOff || end.String() != "powered off" {
		t.Errorf("%v, %v", end, err)
	}
	deaf := startQEMU(t, true)
	within(t, time.Minute, "forcing", func() {
		if end, err := openMonitor(t, deaf).ShutDown(ctx, 100*time.Millisecond); err != nil || end != Forced {
			t.Errorf("%v, %v", end, err)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	if _, err := OpenMonitor(ctx, "/nonexistent/qmp.sock"); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
}

func TestAQEMUThatWasStartedIsWaitedFor(t *testing.T) {
	qemu := &fakeQEMU{path: filepath.Join(t.TempDir(), "q")}
	limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := WaitForMonitor(limited, qemu.path); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	ended, end := context.WithCancel(ctx) // as when the process ends
	time.AfterFunc(100*time.Millisecond, end)
	if _, err := WaitForMonitor(ended, qemu.path); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	done := make(chan error)
	go func() {
		monitor, err := WaitForMonitor(ctx, qemu.path)
		monitor.Close()
		done <- err
	}()
	time.Sleep(200 * time.Millisecond)
	qemu.listen(t)
	check(t, <-done)
}

// TestARealQEMU starts one that has nothing to boot, and ends it.
func TestARealQEMU(t *testing.T) {
	program, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("no qemu-system-x86_64 is installed")
	}
	directory := t.TempDir()
	image := filepath.Join(directory, "disk.img")
	check(t, os.WriteFile(image, make([]byte, 1<<20), 0o600))
	command, err := runtimeOf(t, program).Command(ctx, vmOf(t, VMConfig{Name: "real", Firmware: "bios", Console: "none",
		Memory: 64, Disks: []Disk{{File: image, Format: "raw"}}, RuntimeDir: directory + "/run",
		StateDir: directory + "/state", QMPSocket: directory + "/run/qmp.sock"}), CommandOptions{})
	check(t, err)
	check(t, command.Prepare(ctx, RefuseVariables))
	qemu, err := command.Cmd(nil)
	check(t, err)
	qemu.Stderr = os.Stderr
	check(t, qemu.Start())
	defer qemu.Process.Kill()
	ended := make(chan error, 1)
	go func() { ended <- qemu.Wait() }()
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	monitor, err := WaitForMonitor(limited, command.Socket(SocketQMP))
	check(t, err)
	defer monitor.Close()
	if monitor.PID() != qemu.Process.Pid {
		t.Error(monitor.PID())
	}
	if end, err := monitor.ShutDown(limited, 0); err != nil || end != Forced {
		t.Error(end, err)
	}
	within(t, 2*time.Minute, "the end", func() { check(t, <-ended) })
}

func TestAMonitorOfAConnection(t *testing.T) {
	qemu := startQEMU(t, false)
	client, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: qemu.path, Net: "unix"})
	check(t, err)
	file, err := client.File()
	check(t, err)
	client.Close()
	monitor, err := OpenMonitorFile(ctx, file, "mine")
	check(t, err)
	file.Close()
	if _, err := monitor.Execute(ctx, "query-status", nil); err != nil {
		t.Error(err)
	}
	if monitor.PID() != 0 { // it is this process, which cannot be waited for
		t.Error(monitor.PID())
	}
}
