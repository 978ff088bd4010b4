// SPDX-License-Identifier: MIT

package voltqemu

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestARealQEMUTellsWhatItCanDo(t *testing.T) {
	program, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("no qemu-system-x86_64 is installed")
	}
	runtime := runtimeOf(t, program)
	told, err := runtime.Probe(context.Background(), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	if name := told.Kinds["machine"]["q35"].Facts["alias-of"]; !strings.HasPrefix(name, "pc-q35-") {
		t.Errorf("q35 is another name of %q", name)
	}
	if device, ok := told.Kinds["device"]["virtio-net-pci"]; !ok || len(device.Properties) == 0 || device.Untold {
		t.Errorf("virtio-net-pci is %v", device)
	}
	vm, err := NewVM("checked")
	check(t, err)
	defer vm.Close()
	check(t, vm.Set("firmware", "bios"))
	check(t, vm.Set("cpu_model", "qemu65"))
	if _, err := runtime.Command(ctx, vm, CommandOptions{}); err != nil {
		t.Errorf("unchecked: %v", err)
	}
	var refused *Error
	_, err = runtime.Command(ctx, vm, CommandOptions{Capabilities: told})
	if !errors.As(err, &refused) || refused.Reason != "qemu-lacks-thing" || refused.Details["key"] != "cpu_model" {
		t.Errorf("checked: %v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := runtime.Probe(cancelled, nil, true); !errors.Is(err, ErrCancelled) {
		t.Errorf("a cancelled one says %v", err)
	}
}

func runtimeOf(t *testing.T, program string) *Runtime {
	t.Helper()
	runtime, err := NewRuntime(selectProfile(t, Request{}),
		RuntimeOptions{Binary: program, FirmwareDir: "/usr/share/qemu"})
	check(t, err)
	t.Cleanup(func() { runtime.Close() })
	return runtime
}
