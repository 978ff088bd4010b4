// SPDX-License-Identifier: MIT

package voltqemu

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"
)

var (
	errorType  = reflect.TypeOf((*error)(nil)).Elem()
	allHandles = []any{&Host{}, &Profile{}, &Selection{}, &Manifest{}, &Revision{}, &Store{}, &Runtime{}, &VM{},
		&Command{}, &Monitor{}, &Policy{}}
)

// argumentsFor makes arguments that would do, were the handle good.
func argumentsFor(method reflect.Type) []reflect.Value {
	var all []reflect.Value
	for i := 0; i < method.NumIn() && !(method.IsVariadic() && i == method.NumIn()-1); i++ {
		argument := reflect.Zero(method.In(i))
		if method.In(i).Kind() == reflect.String {
			argument = reflect.ValueOf("memory").Convert(method.In(i))
		}
		all = append(all, argument)
	}
	return all
}

// callAll calls all methods of a handle, and asks what each that can fail says.
func callAll(t *testing.T, handle any, judge func(name string, err error)) {
	value := reflect.ValueOf(handle)
	for i := 0; i < value.NumMethod(); i++ {
		name, method := value.Type().String()+"."+value.Type().Method(i).Name, value.Method(i)
		results := method.Call(argumentsFor(method.Type()))
		if len(results) == 0 || method.Type().Out(len(results)-1) != errorType {
			continue
		}
		err, _ := results[len(results)-1].Interface().(error)
		if value.Type().Method(i).Name == "Close" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		judge(name, err)
	}
}

func TestNilAndZeroHandlesGiveErrors(t *testing.T) {
	for _, zero := range allHandles {
		for _, handle := range []any{zero, reflect.Zero(reflect.TypeOf(zero)).Interface()} {
			callAll(t, handle, func(name string, err error) {
				if !errors.Is(err, ErrUsage) {
					t.Errorf("%s of %#v: %v", name, handle, err)
				}
			})
		}
	}
	var none *VM
	if _, err := resolve(t, ingested(t)).Command(ctx, none, CommandOptions{}); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}

func ingested(t *testing.T) *Store {
	store := makeStore(t)
	ingest(t, store, 1)
	return store
}

func TestClosedHandlesGiveErrClosed(t *testing.T) {
	store := ingested(t)
	found, err := store.Find(ctx, "emulate-x86")
	check(t, err)
	resolved := resolve(t, store)
	vm := vmOf(t, VMConfig{Name: "x", Firmware: "bios"})
	command, err := resolved.Command(ctx, vm, CommandOptions{})
	check(t, err)
	host, err := ProbeHost()
	check(t, err)
	handles := []any{command, vm, resolved, found.Manifest, found, selectProfile(t, Request{}), FindProfile("kvm-linux"),
		host, store}
	for _, handle := range handles {
		closer := handle.(interface{ Close() error })
		if closer.Close() != nil || closer.Close() != nil {
			t.Errorf("%T cannot be closed twice", handle)
		}
		callAll(t, handle, func(name string, err error) {
			if !errors.Is(err, ErrClosed) || !errors.Is(err, fs.ErrClosed) {
				// What is wrong with the arguments may be found first.
				if !errors.Is(err, ErrUsage) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	if _, err := store.Find(ctx, "emulate-x86"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := vm.Set(KeyMemory, 1); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := Select(ctx, host, Request{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if command.Argv[0] != command.Path || command.Socket("qmp") != "" || found.Name == "" {
		t.Error("what was read before is gone")
	}
}

func TestACopyIsTheSameHandle(t *testing.T) {
	store := ingested(t)
	another := *store
	store.Close()
	if _, err := another.Find(ctx, "emulate-x86"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestHandlesCanBeClosedWhileTheyAreUsed(t *testing.T) {
	store := ingested(t)
	selection := selectProfile(t, Request{})
	vm := vmOf(t, VMConfig{Name: "x", Firmware: "bios"})
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				resolved, err := store.Resolve(ctx, selection, ResolveOptions{})
				if err == nil {
					_, err = resolved.Command(ctx, vm, CommandOptions{})
				}
				if err == nil {
					err = vm.Set(KeyMemory, 64)
				}
				if err == nil {
					err = resolved.Close()
				}
				if errors.Is(err, ErrClosed) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	time.Sleep(100 * time.Millisecond)
	store.Close()
	selection.Close()
	vm.Close()
	group.Wait()
}

func TestALeaseIsTheTree(t *testing.T) {
	store := ingested(t)
	resolved := resolve(t, store)
	lease, err := resolved.Lease()
	check(t, err)
	defer lease.Close()
	tree, _ := os.Stat(resolved.Tree)
	open, err := lease.Stat()
	if err != nil || !os.SameFile(tree, open) {
		t.Error("the lease is another file", err)
	}
}
