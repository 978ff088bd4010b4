// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import "unsafe"

// Policy is what VMs may use of the host, for documents that come from others: PolicySchema tells its keys. An empty
// one, "{}", allows the least. Commands and units of a VM that breaks it are denied: CodeDenied.
type Policy struct {
	handle *handle
}

func newPolicy(f func(policy **C.vqemu_policy, e **C.vqemu_error) C.int) (*Policy, error) {
	var policy *C.vqemu_policy
	if err := try(func(e **C.vqemu_error) C.int { return f(&policy, e) }); err != nil {
		return nil, err
	}
	return &Policy{newHandle(unsafe.Pointer(policy),
		func(p unsafe.Pointer) { C.vqemu_policy_unref((*C.vqemu_policy)(p)) })}, nil
}

// ParsePolicy reads JSON text, which messages call source.
func ParsePolicy(document []byte, source string) (*Policy, error) {
	texts := &cStrings{}
	defer texts.free()
	cSource, text := texts.of(source), C.CBytes(document)
	texts.all = append(texts.all, text)
	if texts.err != nil {
		return nil, texts.err
	}
	return newPolicy(func(policy **C.vqemu_policy, e **C.vqemu_error) C.int {
		return C.vqemu_policy_from_json((*C.char)(text), C.size_t(len(document)), cSource, 0, policy, e)
	})
}

// ReadPolicy reads a file.
func ReadPolicy(path string) (*Policy, error) {
	texts := &cStrings{}
	defer texts.free()
	cPath := texts.exact(path)
	if texts.err != nil {
		return nil, texts.err
	}
	return newPolicy(func(policy **C.vqemu_policy, e **C.vqemu_error) C.int {
		return C.vqemu_policy_from_file(cPath, 0, policy, e)
	})
}

// PolicySchema is the JSON Schema of policies.
func PolicySchema() ([]byte, error) {
	return takeText(func(text **C.char, e **C.vqemu_error) C.int { return C.vqemu_policy_schema(0, text, e) })
}

func (p *Policy) use() (*C.vqemu_policy, func(), error) {
	if p == nil {
		p = &Policy{}
	}
	policy, err := p.handle.acquire("policy")
	return (*C.vqemu_policy)(policy), p.handle.release, err
}

// JSON is the policy's document: the keys that are set.
func (p *Policy) JSON() ([]byte, error) {
	policy, release, err := p.use()
	if err != nil {
		return nil, err
	}
	defer release()
	return takeText(func(text **C.char, e **C.vqemu_error) C.int { return C.vqemu_policy_to_json(policy, 0, text, e) })
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
