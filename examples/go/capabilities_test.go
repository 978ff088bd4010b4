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
	if name := told["machine"]["q35"].Facts["alias-of"]; !strings.HasPrefix(name, "pc-q35-") {
		t.Errorf("q35 is another name of %q", name)
	}
	if device, ok := told["device"]["virtio-net-pci"]; !ok || len(device.Properties) == 0 || device.Untold {
		t.Errorf("virtio-net-pci is %v", device)
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
