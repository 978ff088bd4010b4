// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Switch is a choice that is left to the library unless it is made.
type Switch int8

// The values of a Switch.
const (
	Default Switch = iota
	Off
	On
)

// MarshalJSON is not called for Default, which is omitted.
func (s Switch) MarshalJSON() ([]byte, error) { return json.Marshal(s == On) }

// UnmarshalJSON reads true and false.
func (s *Switch) UnmarshalJSON(text []byte) error {
	var on bool
	err := json.Unmarshal(text, &on)
	*s = Off
	if on {
		*s = On
	}
	return err
}

// Feature is a feature of the CPU that is switched on or off.
type Feature struct {
	Name string
	On   bool
}

// Features are an object in JSON, whose order counts: QEMU takes them one by one.
type Features []Feature

// MarshalJSON writes the object.
func (f Features) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, feature := range f {
		name, err := json.Marshal(feature.Name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendBool(append(append(text, name...), ':'), feature.On)
	}
	return append(text, '}'), nil
}

// UnmarshalJSON reads the object.
func (f *Features) UnmarshalJSON(text []byte) error {
	*f = nil
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil { // the brace
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		feature := Feature{Name: fmt.Sprint(name)}
		if err := decoder.Decode(&feature.On); err != nil {
			return err
		}
		*f = append(*f, feature)
	}
	return nil
}

// VM is a virtual machine as its user describes it. Each field is a key of the JSON document, which
// docs/vm.md explains; what is zero has its default. Strings must be UTF-8, which JSON carries alone.
type VM struct {
	Name             string   `json:"name"`
	UUID             string   `json:"uuid,omitempty"`
	GuestOS          string   `json:"guest_os,omitempty"`
	StateDir         string   `json:"state_dir,omitempty"`
	RuntimeDir       string   `json:"runtime_dir,omitempty"`
	User             string   `json:"user,omitempty"`
	Machine          string   `json:"machine,omitempty"`
	Firmware         string   `json:"firmware,omitempty"`
	SecureBoot       Switch   `json:"secure_boot,omitempty"`
	NVRAM            string   `json:"nvram,omitempty"`
	RTC              string   `json:"rtc,omitempty"`
	Memory           uint64   `json:"memory,omitempty"` // MiB
	Hugepages        string   `json:"hugepages,omitempty"`
	MemoryShared     Switch   `json:"memory_shared,omitempty"`
	CPUs             uint32   `json:"cpus,omitempty"`
	CPUSockets       uint32   `json:"cpu_sockets,omitempty"`
	CPUCores         uint32   `json:"cpu_cores,omitempty"`
	CPUThreads       uint32   `json:"cpu_threads,omitempty"`
	CPUModel         string   `json:"cpu_model,omitempty"`
	CPUFeatures      Features `json:"cpu_features,omitempty"`
	HyperV           Switch   `json:"hyperv,omitempty"`
	Rootfs           string   `json:"rootfs,omitempty"`
	RootfsDriver     string   `json:"rootfs_driver,omitempty"`
	RootfsWritable   Switch   `json:"rootfs_writable,omitempty"`
	Reboot           Switch   `json:"reboot,omitempty"`
	Kernel           string   `json:"kernel,omitempty"`
	Initrd           string   `json:"initrd,omitempty"`
	Append           *string  `json:"append,omitempty"` // "" is an empty command line
	Disks            []Disk   `json:"disks,omitempty"`
	Shares           []Share  `json:"shares,omitempty"`
	NICs             []NIC    `json:"nics,omitempty"`
	VsockCID         uint32   `json:"vsock_cid,omitempty"`
	RNG              Switch   `json:"rng,omitempty"`
	Balloon          Switch   `json:"balloon,omitempty"`
	Watchdog         string   `json:"watchdog,omitempty"`
	TPM              Switch   `json:"tpm,omitempty"`
	TPMSocket        string   `json:"tpm_socket,omitempty"`
	TPMState         string   `json:"tpm_state,omitempty"`
	SwtpmProgram     string   `json:"swtpm_program,omitempty"`
	VirtiofsdProgram string   `json:"virtiofsd_program,omitempty"`
	Display          string   `json:"display,omitempty"`
	Video            string   `json:"video,omitempty"`
	VNCSocket        string   `json:"vnc_socket,omitempty"`
	VNCPort          uint32   `json:"vnc_port,omitempty"`
	VNCPasswordFile  string   `json:"vnc_password_file,omitempty"`
	USB              Switch   `json:"usb,omitempty"`
	USBTablet        Switch   `json:"usb_tablet,omitempty"`
	Console          string   `json:"console,omitempty"`
	ConsolePath      string   `json:"console_path,omitempty"`
	ConsoleLog       string   `json:"console_log,omitempty"`
	QMPSocket        string   `json:"qmp_socket,omitempty"`
	QMPFD            int      `json:"qmp_fd,omitempty"`
	GuestAgentSocket string   `json:"guest_agent_socket,omitempty"`
	Sandbox          Switch   `json:"sandbox,omitempty"`
	ExtraArgs        []string `json:"extra_args,omitempty"`
}

// Disk is a disk or CD-ROM drive.
type Disk struct {
	File        string `json:"file,omitempty"`
	FD          int    `json:"fd,omitempty"`
	Format      string `json:"format,omitempty"`
	Bus         string `json:"bus,omitempty"`
	CDROM       Switch `json:"cdrom,omitempty"`
	ReadOnly    Switch `json:"read_only,omitempty"`
	BlockDevice Switch `json:"block_device,omitempty"`
	Cache       string `json:"cache,omitempty"`
	AIO         string `json:"aio,omitempty"`
	Discard     Switch `json:"discard,omitempty"`
	Serial      string `json:"serial,omitempty"`
	BootOrder   uint32 `json:"boot_order,omitempty"`
	IOThread    string `json:"iothread,omitempty"`
}

// Share is a directory of the host that the guest can mount.
type Share struct {
	Path          string `json:"path"`
	Tag           string `json:"tag"`
	Driver        string `json:"driver,omitempty"`
	Writable      Switch `json:"writable,omitempty"`
	SecurityModel string `json:"security_model,omitempty"`
	Multidevs     string `json:"multidevs,omitempty"`
	Socket        string `json:"socket,omitempty"`
}

// NIC is a network device.
type NIC struct {
	Backend   string    `json:"backend,omitempty"`
	Model     string    `json:"model,omitempty"`
	MAC       string    `json:"mac,omitempty"`
	Forwards  []Forward `json:"forwards,omitempty"`
	Isolated  Switch    `json:"isolated,omitempty"`
	Ifname    string    `json:"ifname,omitempty"`
	FD        int       `json:"fd,omitempty"`
	Vhost     Switch    `json:"vhost,omitempty"`
	VhostFD   int       `json:"vhost_fd,omitempty"`
	Bridge    string    `json:"bridge,omitempty"`
	Helper    string    `json:"helper,omitempty"`
	BootOrder uint32    `json:"boot_order,omitempty"`
}

// Forward is a port of the host that leads to the guest.
type Forward struct {
	Protocol    string `json:"protocol,omitempty"`
	HostAddress string `json:"host_address,omitempty"`
	HostPort    uint32 `json:"host_port"`
	GuestPort   uint32 `json:"guest_port"`
}

// checkText finds what encoding/json would not refuse, but write as another path: bytes that are not UTF-8.
func checkText(value reflect.Value, key string) error {
	switch value.Kind() {
	case reflect.String:
		if !utf8.ValidString(value.String()) {
			return &Error{Code: C.VQEMU_ERR_UNSUPPORTED,
				Message: fmt.Sprintf("%s: %q is not UTF-8, which JSON cannot carry", key, value.String())}
		}
	case reflect.Pointer:
		if !value.IsNil() {
			return checkText(value.Elem(), key)
		}
	case reflect.Slice:
		for i := 0; i < value.Len(); i++ {
			if err := checkText(value.Index(i), fmt.Sprintf("%s[%d]", key, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			inner := strings.Trim(key+"."+keyOf(value.Type().Field(i)), ".")
			if err := checkText(value.Field(i), inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func keyOf(field reflect.StructField) string {
	return strings.Split(field.Tag.Get("json"), ",")[0]
}

// fromDocument makes the library's VM of JSON text, which messages call source; the caller frees it.
func fromDocument(text []byte, source string) (*C.vqemu_vm, error) {
	cText, cSource := C.CBytes(text), toC(source)
	defer C.free(cText)
	defer free(cSource)
	var e *C.vqemu_error
	var handle *C.vqemu_vm
	result := C.vqemu_vm_from_json((*C.char)(cText), C.size_t(len(text)), cSource, &handle, &e)
	return handle, toError(result, e)
}

// toHandle makes the library's VM; the caller frees it.
func (vm *VM) toHandle() (*C.vqemu_vm, error) {
	if err := checkText(reflect.ValueOf(vm), ""); err != nil {
		return nil, err
	}
	text, err := json.Marshal(vm)
	if err != nil {
		return nil, err
	}
	return fromDocument(text, "")
}

// take copies a string of the library's, and frees it.
func take(text *C.char) []byte {
	defer C.vqemu_free(unsafe.Pointer(text))
	return []byte(C.GoString(text))
}

// toDocument is the document of the library's VM.
func toDocument(handle *C.vqemu_vm) ([]byte, error) {
	var e *C.vqemu_error
	var text *C.char
	if err := toError(C.vqemu_vm_to_json(handle, &text, &e), e); err != nil {
		return nil, err
	}
	return take(text), nil
}

func fromHandle(handle *C.vqemu_vm) (*VM, error) {
	text, err := toDocument(handle)
	if err != nil {
		return nil, err
	}
	vm := &VM{}
	return vm, json.Unmarshal(text, vm)
}

// ParseVM reads a document as strictly as the library does; messages call it source.
func ParseVM(document []byte, source string) (*VM, error) {
	handle, err := fromDocument(document, source)
	if err != nil {
		return nil, err
	}
	defer C.vqemu_vm_free(handle)
	return fromHandle(handle)
}

// ReadVM reads a file with a document.
func ReadVM(path string) (*VM, error) {
	cPath := C.CString(path)
	defer free(cPath)
	var e *C.vqemu_error
	var handle *C.vqemu_vm
	if err := toError(C.vqemu_vm_from_file(cPath, &handle, &e), e); err != nil {
		return nil, err
	}
	defer C.vqemu_vm_free(handle)
	return fromHandle(handle)
}

// JSON is the document of the VM, after the library has checked it.
func (vm *VM) JSON() ([]byte, error) {
	handle, err := vm.toHandle()
	if err != nil {
		return nil, err
	}
	defer C.vqemu_vm_free(handle)
	return toDocument(handle)
}

// SelectionOS is what Select is to take as guestOS for this VM.
func (vm *VM) SelectionOS() (string, error) {
	handle, err := vm.toHandle()
	if err != nil {
		return "", err
	}
	defer C.vqemu_vm_free(handle)
	return C.GoString(C.vqemu_vm_selection_os(handle)), nil
}

// Schema is the JSON Schema of the documents.
func Schema() ([]byte, error) {
	var e *C.vqemu_error
	var text *C.char
	if err := toError(C.vqemu_vm_schema(&text, &e), e); err != nil {
		return nil, err
	}
	return take(text), nil
}
