// SPDX-License-Identifier: MIT

package voltqemu

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEveryCodeHasAnError(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[Code]bool{}
	for code := Code(-1); code.String() != "unknown"; code-- {
		codes[code] = true
	}
	if len(codes) < 23 {
		t.Error(codes)
	}
	exported := regexp.MustCompile(`(?m)^\t(Err\w+) += sentinel\((\w+)\)$`).FindAllSubmatch(source, -1)
	if len(exported) != len(codes) {
		t.Errorf("%d errors for %d codes", len(exported), len(codes))
	}
	for _, one := range []error{ErrNoMemory, ErrInvalid, ErrSystem, ErrNotFound, ErrUnsupported, ErrMalformed, ErrCorrupt,
		ErrReadOnly, ErrCancelled, ErrChanged, ErrTimeout, ErrUsage, ErrBusy, ErrRefused, ErrNoStore, ErrNoRevision,
		ErrNoProgram, ErrNotRunning, ErrUnknownKey, ErrNetwork, ErrDenied, ErrUntrusted,
		ErrProgramFailed} {
		failed := one.(*Error)
		if !codes[failed.Code] {
			t.Errorf("%v is no code, or one twice", one)
		}
		delete(codes, failed.Code)
		if !errors.Is(fmt.Errorf("because: %w", &Error{Code: failed.Code, Reason: "x"}), one) {
			t.Errorf("%v is not itself", one)
		}
	}
}

func TestAClosedHandleIsTheCallersMistake(t *testing.T) {
	vm := vmOf(t, VMConfig{Name: "x"})
	vm.Close()
	err := vm.Set(KeyMemory, 1)
	var failed *Error
	if err != ErrClosed || !errors.Is(err, ErrUsage) || !errors.Is(err, fs.ErrClosed) || !errors.As(err, &failed) ||
		failed.Reason != "closed" || errors.Is(&Error{Code: CodeUsage}, ErrClosed) {
		t.Errorf("%#v", err)
	}
	if text := (&Error{Code: CodeBusy}).Error(); text != "busy" {
		t.Errorf("%q", text)
	}
}

func TestErrorsAreTold(t *testing.T) {
	_, err := OpenStore("/nonexistent/store")
	if !errors.Is(err, ErrNoStore) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrBusy) {
		t.Errorf("%#v", err)
	}
	var failed *Error
	if !errors.As(fmt.Errorf("because: %w", err), &failed) || failed.Reason != "no-store" ||
		failed.Details["path"] == "" || failed.Message != err.Error() {
		t.Errorf("%#v", failed)
	}
	if !errors.Is(err, &Error{Code: CodeNoStore, Reason: "no-store"}) ||
		errors.Is(err, &Error{Code: CodeNoStore, Reason: "another"}) {
		t.Error("the reason does not count")
	}
	_, err = ReadVM("/nonexistent/vm.json")
	if !errors.Is(err, ErrNotFound) || !errors.Is(err, syscall.ENOENT) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%#v", err)
	}
	_, err = ParseVM([]byte("{\n\"name\": \n}"), "web.json")
	if !errors.Is(err, ErrMalformed) || !errors.As(err, &failed) || failed.Line != 3 {
		t.Errorf("%#v", err)
	}
}

func TestAnEmptyPathIsSaidToBeOne(t *testing.T) {
	var failed *Error
	if _, err := OpenStore(""); !errors.As(err, &failed) || failed.Details["key"] != "root" || failed.Code != CodeInvalid {
		t.Errorf("%#v", err)
	}
	_, err := NewStore(StoreOptions{Objects: "/o"})
	if !errors.As(err, &failed) || failed.Details["key"] != "refs" {
		t.Errorf("%#v", err)
	}
	_, err = makeStore(t).Ingest(ctx, "", IngestOptions{Profile: "emulate-x86"})
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "empty") {
		t.Errorf("%#v", err)
	}
}

// TestCommentsNameWhatThereIs looks at words such as ErrBusy and StoreOptions in comments.
func TestCommentsNameWhatThereIs(t *testing.T) {
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", nil, parser.ParseComments)
	check(t, err)
	known := map[string]bool{}
	for _, part := range packages {
		ast.Inspect(part, func(node ast.Node) bool {
			if name, ok := node.(*ast.Ident); ok {
				known[name.Name] = true
			}
			return true
		})
	}
	for _, name := range []string{"MiB", "OpenSSL"} {
		known[name] = true
	}
	word := regexp.MustCompile(`(?:^|[ (])((?:[A-Z]+[a-z0-9]+)+[A-Z]+[a-z0-9]*)\b`)
	for name, file := range packages["voltqemu"].Files {
		for _, group := range file.Comments {
			for _, found := range word.FindAllStringSubmatch(group.Text(), -1) {
				if !known[found[1]] {
					t.Errorf("%s: %s", name, found[1])
				}
			}
		}
	}
}

func TestANulByteIsRefusedAndTold(t *testing.T) {
	nul := &Error{Code: CodeInvalid, Reason: "nul"}
	vm := vmOf(t, VMConfig{Name: "x"})
	if err := vm.Set(KeyKernel, "/k\x00"); !isAbout(err, nul, KeyKernel) || !strings.HasPrefix(err.Error(), "kernel: ") {
		t.Errorf("%#v", err)
	}
	if _, err := NewStore(StoreOptions{Root: "/s\x00"}); !isAbout(err, nul, "root") {
		t.Errorf("%#v", err)
	}
	var failed *Error
	if _, err := ReadVM("/a\x00b"); !isAbout(err, nul, "") || !errors.As(err, &failed) || failed.Details["value"] != "/a\x00b" {
		t.Errorf("%#v", err)
	}
}

func TestNegativeTimesAreRefused(t *testing.T) {
	store, resolved := makeStore(t), resolve(t, ingested(t))
	monitor, none := openMonitor(t, startQEMU(t, false)), &Error{Code: CodeInvalid, Reason: "out-of-range"}
	_, ofCall := store.Collect(ctx, 1, true, WithLockTimeout(-time.Second))
	_, ofGuest := monitor.ShutDown(ctx, -time.Second)
	_, ofLong := monitor.ShutDown(ctx, 25*24*time.Hour)
	_, ofUnit := resolved.Units(ctx, vmOf(t, VMConfig{Name: "x", User: "root"}), UnitOptions{StopTimeout: -1,
		StopCommand: []string{"/bin/stop"}})
	for key, err := range map[string]error{"lock_timeout_ms": ofCall, "timeout": ofGuest, "timeout_ms": ofLong,
		"stop_seconds": ofUnit} {
		if !isAbout(err, none, key) {
			t.Errorf("%s: %#v", key, err)
		}
	}
	if _, err := monitor.Execute(ctx, "query-status", nil); err != nil {
		t.Errorf("it was shut down: %v", err)
	}
}

func TestUnknownKeysTellTheChoices(t *testing.T) {
	err := vmOf(t, VMConfig{Name: "x"}).Set("memori", 1)
	var failed *Error
	if !errors.Is(err, ErrUnknownKey) || !errors.As(err, &failed) || failed.Details["key"] != "memori" ||
		failed.Details["choices"] == "" {
		t.Errorf("%#v", err)
	}
}
