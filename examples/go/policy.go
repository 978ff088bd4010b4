// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

// Policy is what VMs may use of the host, for documents that come from others: PolicySchema tells its keys. An empty
// one, "{}", allows the least of the host's files, network and programs; memory and CPUs have no limit unless it sets
// one. Commands and units of a VM that breaks it are denied: CodeDenied.
type Policy struct {
	handle *handle[*C.vqemu_policy]
}

var policies = documented[*C.vqemu_policy]{
	func(d document, made **C.vqemu_policy, e **C.vqemu_error) C.int {
		return C.vqemu_policy_from_json(d.text, d.size, d.source, 0, made, e)
	},
	func(path *C.char, made **C.vqemu_policy, e **C.vqemu_error) C.int {
		return C.vqemu_policy_from_file(path, 0, made, e)
	},
	func(policy *C.vqemu_policy) { C.vqemu_policy_unref(policy) },
}

func newPolicy(handle *handle[*C.vqemu_policy], err error) (*Policy, error) {
	if err != nil {
		return nil, err
	}
	return &Policy{handle}, nil
}

// ParsePolicy reads JSON text, which messages call source.
func ParsePolicy(document []byte, source string) (*Policy, error) {
	return newPolicy(policies.parse(document, source))
}

// ReadPolicy reads a file.
func ReadPolicy(path string) (*Policy, error) { return newPolicy(policies.read(path)) }

// PolicySchema is the JSON Schema of policies.
func PolicySchema() ([]byte, error) {
	return takeText(func(text **C.char, e **C.vqemu_error) C.int { return C.vqemu_policy_schema(0, text, e) })
}

func (p *Policy) use() (*C.vqemu_policy, func(), error) {
	if p == nil {
		p = &Policy{}
	}
	return p.handle.use("policy")
}

// JSON is the policy's document: the keys that are set.
func (p *Policy) JSON() ([]byte, error) {
	return textOf(p.use, func(p *C.vqemu_policy, text **C.char, e **C.vqemu_error) C.int {
		return C.vqemu_policy_to_json(p, 0, text, e)
	})
}

// Close releases the policy.
func (p *Policy) Close() error {
	if p == nil {
		return nil
	}
	return p.handle.close()
}

// apply sets the policy, if there is one, of options.
func (p *Policy) apply(set func(policy *C.vqemu_policy, e **C.vqemu_error) C.int) error {
	if p == nil {
		return nil
	}
	policy, release, err := p.use()
	if err != nil {
		return err
	}
	defer release()
	return try(func(e **C.vqemu_error) C.int { return set(policy, e) })
}
