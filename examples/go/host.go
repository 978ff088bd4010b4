// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

// KVMState is how far KVM works on a host.
type KVMState int32

// The states.
const (
	KVMUsable   KVMState = C.VQEMU_KVM_USABLE
	KVMAbsent   KVMState = C.VQEMU_KVM_ABSENT
	KVMDenied   KVMState = C.VQEMU_KVM_DENIED
	KVMBroken   KVMState = C.VQEMU_KVM_BROKEN
	KVMSoftware KVMState = C.VQEMU_KVM_SOFTWARE
	KVMUnseen   KVMState = C.VQEMU_KVM_UNSEEN // it creates VMs, but more of it cannot be seen
)

// String is the state's name, such as "usable".
func (s KVMState) String() string { return C.GoString(C.vqemu_kvm_state_name(C.int32_t(s))) }

// VhostNetState is whether VMs can use a host's vhost-net.
type VhostNetState int32

// The states.
const (
	VhostNetUsable  VhostNetState = C.VQEMU_VHOST_NET_USABLE // by whoever can open /dev/kvm
	VhostNetAbsent  VhostNetState = C.VQEMU_VHOST_NET_ABSENT
	VhostNetDenied  VhostNetState = C.VQEMU_VHOST_NET_DENIED
	VhostNetBroken  VhostNetState = C.VQEMU_VHOST_NET_BROKEN
	VhostNetPrivate VhostNetState = C.VQEMU_VHOST_NET_PRIVATE // by this process, perhaps not by others
	VhostNetUnseen  VhostNetState = C.VQEMU_VHOST_NET_UNSEEN
)

// String is the state's name, such as "usable".
func (s VhostNetState) String() string { return C.GoString(C.vqemu_vhost_net_state_name(C.int32_t(s))) }

// Host is what selection and commands need to know of a host.
type Host struct {
	Arch       string
	KVM        KVMState
	KVMUsable  bool
	KVMMessage string // a phrase for people

	VhostNet        VhostNetState
	VhostNetMessage string
	handle          *handle[*C.vqemu_host]
}

// HostOptions describe a host by hand.
type HostOptions struct {
	Arch string // such as "x86_64"
	KVM  string // the name of a KVMState, such as "usable"

	VhostNet string // the name of a VhostNetState; "" for "unseen"
}

func newHost(host *C.vqemu_host) *Host {
	return &Host{
		Arch:       C.GoString(C.vqemu_host_arch(host)),
		KVM:        KVMState(C.vqemu_host_kvm_state(host)),
		KVMUsable:  bool(C.vqemu_host_kvm_usable(host)),
		KVMMessage: C.GoString(C.vqemu_host_kvm_message(host)),

		VhostNet:        VhostNetState(C.vqemu_host_vhost_net_state(host)),
		VhostNetMessage: C.GoString(C.vqemu_host_vhost_net_message(host)),

		handle: newHandle(host, func(p *C.vqemu_host) { C.vqemu_host_free(p) }),
	}
}

// ProbeHost looks at the host this process runs on.
func ProbeHost() (*Host, error) {
	var host *C.vqemu_host
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_host_probe(0, &host, e) }); err != nil {
		return nil, err
	}
	return newHost(host), nil
}

// NewHost describes a host by hand.
func NewHost(options HostOptions) (*Host, error) {
	var given *C.vqemu_host_options
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_host_options_new(&given, e) }); err != nil {
		return nil, err
	}
	defer C.vqemu_host_options_free(given)
	err := setStrings([]option{{C.VQEMU_HOST_ARCH, options.Arch}, {C.VQEMU_HOST_KVM, options.KVM},
		{C.VQEMU_HOST_VHOST_NET, options.VhostNet}},
		func(key, value *C.char, e **C.vqemu_error) C.int {
			return C.vqemu_host_options_set_string(given, key, value, e)
		})
	if err != nil {
		return nil, err
	}
	var host *C.vqemu_host
	if err := try(func(e **C.vqemu_error) C.int { return C.vqemu_host_new(given, 0, &host, e) }); err != nil {
		return nil, err
	}
	return newHost(host), nil
}

func (h *Host) use() (*C.vqemu_host, func(), error) {
	if h == nil {
		h = &Host{}
	}
	return h.handle.use("host")
}

// Close frees the host.
func (h *Host) Close() error {
	if h == nil {
		return nil
	}
	return h.handle.close()
}
