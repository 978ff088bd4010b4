// SPDX-License-Identifier: MIT

package voltqemu

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func policyOf(t *testing.T, document string) *Policy {
	t.Helper()
	policy, err := ParsePolicy([]byte(document), "policy")
	check(t, err)
	t.Cleanup(func() { policy.Close() })
	return policy
}

func TestAPolicyDeniesCommandsAndUnits(t *testing.T) {
	resolved, vm := resolve(t, ingested(t)), vmOf(t, VMConfig{Name: "x", User: "root", Sandbox: Off, ExtraArgs: []string{"-S"}})
	for document, wanted := range map[string]bool{`{"users": ["root"]}`: false,
		`{"users": ["root"], "sandbox_off": true, "extra_args": true}`: true} {
		policy := policyOf(t, document)
		_, ofCommand := resolved.Command(ctx, vm, CommandOptions{Policy: policy})
		_, ofUnits := resolved.Units(ctx, vm, UnitOptions{Policy: policy})
		for _, err := range []error{ofCommand, ofUnits} {
			var told *Error
			if wanted && err != nil || !wanted && (!errors.Is(err, ErrDenied) || !errors.As(err, &told) ||
				told.Details["keys"] != "sandbox, extra_args" || told.Reason != "policy-switch") {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
}

// TestAPolicyThatIsNone tells nil, which allows all, from one that was never made, and from one that was closed.
func TestAPolicyThatIsNone(t *testing.T) {
	resolved, vm := resolve(t, ingested(t)), vmOf(t, VMConfig{Name: "x", User: "root", Firmware: "bios"})
	closed := policyOf(t, "{}")
	check(t, closed.Close())
	for _, one := range []struct {
		policy *Policy
		is     error
	}{{nil, nil}, {&Policy{}, ErrUsage}, {closed, ErrClosed}} {
		_, ofCommand := resolved.Command(ctx, vm, CommandOptions{Policy: one.policy})
		_, ofUnits := resolved.Units(ctx, vm, UnitOptions{Policy: one.policy})
		if !errors.Is(ofCommand, one.is) || !errors.Is(ofUnits, one.is) {
			t.Errorf("%v, %v instead of %v", ofCommand, ofUnits, one.is)
		}
	}
	if _, err := (*Policy)(nil).JSON(); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
	if _, err := ReadPolicy("/nonexistent/policy.json"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestPoliciesAreReadAndWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.json")
	check(t, os.WriteFile(path, []byte(`{"max_cpus": 2}`), 0o600))
	policy, err := ReadPolicy(path)
	check(t, err)
	if text, err := policy.JSON(); err != nil || string(text) != "{\n  \"max_cpus\": 2\n}\n" {
		t.Errorf("%s, %v", text, err)
	}
	check(t, policy.Close())
	if _, err := policy.JSON(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := ParsePolicy([]byte(`{"cpus": 2}`), "p"); !errors.Is(err, ErrUnknownKey) {
		t.Error(err)
	}
	if schema, err := PolicySchema(); err != nil || !strings.Contains(string(schema), "max_cpus") {
		t.Errorf("%s, %v", schema, err)
	}
}
