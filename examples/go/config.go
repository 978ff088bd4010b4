// SPDX-License-Identifier: MIT

package voltqemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
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

// NamedValue is a feature of the CPU: a bool that switches it on or off, or a string or number that it is set to; or
// the place of a device: a string or number.
type NamedValue struct {
	Name  string
	Value any
}

// NamedValues are an object in JSON, whose order counts: QEMU takes features one by one.
type NamedValues []NamedValue

// MarshalJSON writes the object.
func (v NamedValues) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, item := range v {
		name, err := json.Marshal(item.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(item.Value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, name...), ':'), value...)
	}
	return append(text, '}'), nil
}

// UnmarshalJSON reads the object. Numbers become json.Number.
func (v *NamedValues) UnmarshalJSON(text []byte) error {
	*v = nil
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil { // the brace
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		item := NamedValue{Name: fmt.Sprint(name)}
		if err := decoder.Decode(&item.Value); err != nil {
			return err
		}
		*v = append(*v, item)
	}
	return nil
}

// unmarshal keeps numbers as they are.
func unmarshal(text []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(to)
}

// keyOf is the key of a struct's field; its name where it has none.
func keyOf(field reflect.StructField) string {
	key := strings.Split(field.Tag.Get("json"), ",")[0]
	if key == "" {
		return field.Name
	}
	return key
}

func join(key, more string) string { return strings.Trim(key+"."+more, ".") }

//go:generate go test -run TestKeysAreThoseOfTheStruct -update .

// VM makes a VM of the struct.
func (c *VMConfig) VM() (*VM, error) {
	if c == nil {
		return nil, nilArgument("VMConfig")
	}
	document, err := toJSON(c)
	if err != nil {
		return nil, err
	}
	return ParseVM(document, "")
}

// Config is what is set in the VM, as a struct.
func (vm *VM) Config() (*VMConfig, error) {
	text, err := vm.JSON()
	if err != nil {
		return nil, err
	}
	config := &VMConfig{}
	return config, json.Unmarshal(text, config)
}

// VMConfig is a virtual machine as a struct. Each field is a key of the JSON document, which
// docs/vm.md explains; what is zero has its default. Strings must be UTF-8, which JSON carries alone.
type VMConfig struct {
	Name                string      `json:"name,omitempty"`
	UUID                string      `json:"uuid,omitempty"`
	GuestOS             string      `json:"guest_os,omitempty"`
	GuestArch           string      `json:"guest_arch,omitempty"`
	Profile             string      `json:"profile,omitempty"`
	Mode                string      `json:"mode,omitempty"`
	StateDir            string      `json:"state_dir,omitempty"`
	RuntimeDir          string      `json:"runtime_dir,omitempty"`
	User                string      `json:"user,omitempty"`
	Machine             string      `json:"machine,omitempty"`
	Firmware            string      `json:"firmware,omitempty"`
	SecureBoot          Switch      `json:"secure_boot,omitempty"`
	SecureBootUnguarded Switch      `json:"secure_boot_unguarded,omitempty"`
	NVRAM               string      `json:"nvram,omitempty"`
	RTC                 string      `json:"rtc,omitempty"`
	Suspend             Switch      `json:"suspend,omitempty"`
	Memory              uint64      `json:"memory,omitempty"` // MiB
	Hugepages           string      `json:"hugepages,omitempty"`
	MemoryShared        Switch      `json:"memory_shared,omitempty"`
	CPUs                uint32      `json:"cpus,omitempty"`
	CPUSockets          uint32      `json:"cpu_sockets,omitempty"`
	CPUCores            uint32      `json:"cpu_cores,omitempty"`
	CPUThreads          uint32      `json:"cpu_threads,omitempty"`
	CPUModel            string      `json:"cpu_model,omitempty"`
	CPUFeatures         NamedValues `json:"cpu_features,omitempty"`
	HyperV              Switch      `json:"hyperv,omitempty"`
	Rootfs              string      `json:"rootfs,omitempty"`
	RootfsDriver        string      `json:"rootfs_driver,omitempty"`
	RootfsWritable      Switch      `json:"rootfs_writable,omitempty"`
	Reboot              Switch      `json:"reboot,omitempty"`
	Kernel              string      `json:"kernel,omitempty"`
	Initrd              string      `json:"initrd,omitempty"`
	Append              *string     `json:"append,omitempty"` // "" is an empty command line
	Disks               []Disk      `json:"disks,omitempty"`
	Shares              []Share     `json:"shares,omitempty"`
	NICs                []NIC       `json:"nics,omitempty"`
	VsockCID            uint32      `json:"vsock_cid,omitempty"`
	RNG                 Switch      `json:"rng,omitempty"`
	Balloon             Switch      `json:"balloon,omitempty"`
	HotplugSlots        int         `json:"hotplug_slots,omitempty"`
	Slots               NamedValues `json:"slots,omitempty"`
	Watchdog            string      `json:"watchdog,omitempty"`
	TPM                 Switch      `json:"tpm,omitempty"`
	TPMSocket           string      `json:"tpm_socket,omitempty"`
	TPMState            string      `json:"tpm_state,omitempty"`
	SwtpmProgram        string      `json:"swtpm_program,omitempty"`
	VirtiofsdProgram    string      `json:"virtiofsd_program,omitempty"`
	VirtiofsdRoot       Switch      `json:"virtiofsd_root,omitempty"`
	Display             string      `json:"display,omitempty"`
	Video               string      `json:"video,omitempty"`
	VNCSocket           string      `json:"vnc_socket,omitempty"`
	VNCPort             uint32      `json:"vnc_port,omitempty"`
	VNCPasswordFile     string      `json:"vnc_password_file,omitempty"`
	VNCNoPassword       Switch      `json:"vnc_no_password,omitempty"`
	USB                 Switch      `json:"usb,omitempty"`
	USBTablet           Switch      `json:"usb_tablet,omitempty"`
	Console             string      `json:"console,omitempty"`
	ConsolePath         string      `json:"console_path,omitempty"`
	ConsoleLog          string      `json:"console_log,omitempty"`
	ConsoleMonitor      Switch      `json:"console_monitor,omitempty"`
	QMPSocket           string      `json:"qmp_socket,omitempty"`
	QMPFD               int         `json:"qmp_fd,omitempty"`
	QMPFDName           string      `json:"qmp_fd_name,omitempty"`
	GuestAgentSocket    string      `json:"guest_agent_socket,omitempty"`
	Sandbox             Switch      `json:"sandbox,omitempty"`
	ExtraArgs           []string    `json:"extra_args,omitempty"`
}

// Disk is a disk or CD-ROM drive.
type Disk struct {
	ID          string  `json:"id,omitempty"`
	File        string  `json:"file,omitempty"`
	FD          int     `json:"fd,omitempty"`
	FDName      string  `json:"fd_name,omitempty"`
	Format      string  `json:"format,omitempty"`
	Backing     []Layer `json:"backing,omitempty"` // from the top
	DataFile    string  `json:"data_file,omitempty"`
	Bus         string  `json:"bus,omitempty"`
	CDROM       Switch  `json:"cdrom,omitempty"`
	ReadOnly    Switch  `json:"read_only,omitempty"`
	BlockDevice Switch  `json:"block_device,omitempty"`
	Cache       string  `json:"cache,omitempty"`
	AIO         string  `json:"aio,omitempty"`
	Discard     Switch  `json:"discard,omitempty"`
	Serial      string  `json:"serial,omitempty"`
	BootOrder   uint32  `json:"boot_order,omitempty"`
	IOThread    string  `json:"iothread,omitempty"`
}

// Layer is an image below a qcow2 image, which has what that one does not.
type Layer struct {
	File        string `json:"file,omitempty"`
	FD          int    `json:"fd,omitempty"`
	FDName      string `json:"fd_name,omitempty"`
	Format      string `json:"format,omitempty"`
	DataFile    string `json:"data_file,omitempty"`
	BlockDevice Switch `json:"block_device,omitempty"`
}

// Share is a directory of the host that the guest can mount.
type Share struct {
	ID            string `json:"id,omitempty"`
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
	ID          string    `json:"id,omitempty"`
	Backend     string    `json:"backend,omitempty"`
	Model       string    `json:"model,omitempty"`
	MAC         string    `json:"mac,omitempty"`
	Forwards    []Forward `json:"forwards,omitempty"`
	Isolated    Switch    `json:"isolated,omitempty"`
	Ifname      string    `json:"ifname,omitempty"`
	FD          int       `json:"fd,omitempty"`
	FDName      string    `json:"fd_name,omitempty"`
	Vhost       Switch    `json:"vhost,omitempty"`
	VhostFD     int       `json:"vhost_fd,omitempty"`
	VhostFDName string    `json:"vhost_fd_name,omitempty"`
	Bridge      string    `json:"bridge,omitempty"`
	Helper      string    `json:"helper,omitempty"`
	BootOrder   uint32    `json:"boot_order,omitempty"`
}

// Forward is a port of the host that leads to the guest.
type Forward struct {
	Protocol    string `json:"protocol,omitempty"`
	HostAddress string `json:"host_address,omitempty"`
	HostPort    uint32 `json:"host_port"`
	GuestPort   uint32 `json:"guest_port"`
}
