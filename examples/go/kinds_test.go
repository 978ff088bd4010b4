// SPDX-License-Identifier: MIT

package voltqemu

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"
)

// TestKindsAreThoseOfTheHeaders looks at the words that the comment of a function has in quotes.
func TestKindsAreThoseOfTheHeaders(t *testing.T) {
	headers := ""
	paths, err := filepath.Glob("../../include/volt-qemu/*.h")
	check(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		check(t, err)
		headers += string(text)
	}
	quoted := regexp.MustCompile(`"([a-z_-]+)"`)
	for function, kinds := range map[string]any{
		"vqemu_command_companion_kind": []CompanionKind{CompanionSwtpm, CompanionVirtiofsd},
		"vqemu_use_list_kind":          []UseKind{UseProcess, UseLease, UsePin, UseCurrent, UseLink},
		"vqemu_closure_kind": []ClosureKind{ClosureProgram, ClosureLoader, ClosureLibrary, ClosureModule, ClosureFirmware,
			ClosureKeymap, ClosureAbility},
		"vqemu_closure_state": []ClosureState{ClosureMissing, ClosureFromHost, ClosureUnusable, ClosureUnknown,
			ClosureOptional, ClosureUnused},
		"vqemu_collection_kind":      []StoredKind{StoredRevision, StoredTree, StoredObject, StoredStaging},
		"vqemu_collection_kept_kind": []StoredKind{StoredRevision, StoredTree},
		"vqemu_check_problem_kind": []ProblemKind{ProblemMissing, ProblemDamaged, ProblemTree, ProblemRevision,
			ProblemClosure, ProblemSignature},
		"vqemu_placement_list_how": []PlacementWay{PlacedByLink, PlacedByReflink, PlacedByCopyFileRange, PlacedByCopy,
			PlacedAsNew},
		"vqemu_progress_step": []Step{StepHash, StepImport, StepExport, StepCopy, StepPull, StepPush, StepRepair, StepAssemble,
			StepVerify, StepCollect, StepProbe, StepList, StepWait},
	} {
		before, _, found := strings.Cut(headers, "\nconst char *"+function+"(")
		if !found {
			t.Errorf("no header has %s()", function)
			continue
		}
		told := map[string]bool{}
		for _, word := range quoted.FindAllStringSubmatch(before[strings.LastIndex(before, "/**"):], -1) {
			told[word[1]] = true
		}
		var words []string
		for word := range told {
			words = append(words, word)
		}
		mine := strings.Fields(strings.Trim(fmt.Sprint(kinds), "[]"))
		sort.Strings(words)
		sort.Strings(mine)
		if strings.Join(mine, " ") != strings.Join(words, " ") {
			t.Errorf("%s: %v here, %v there", function, mine, words)
		}
	}
}

func TestValuesHaveNames(t *testing.T) {
	for name, value := range map[string]fmt.Stringer{"default": Default, "off": Off, "on": On, "info": LogInfo,
		"warning": LogWarning, "refuse": RefuseVariables, "keep": KeepVariables, "reset": ResetVariables,
		"powered off": PoweredOff, "forced": Forced, "gone": Gone, "idle": Idle, "usable": KVMUsable,
		"absent": VhostNetAbsent, "busy": CodeBusy, "tpm": AbilityTPM, "voltqemu.Switch(7)": Switch(7),
		"voltqemu.LogLevel(-1)": LogLevel(-1)} {
		if value.String() != name {
			t.Errorf("%q instead of %q", value, name)
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2025, 1, 31, 10, 0, 0, 123456789, time.FixedZone("", 3600))
	made, err := makeStore(t).Ingest(ctx, makeProfile(t, 1), IngestOptions{Profile: "emulate-x86", CreatedAt: at})
	check(t, err)
	if created := made.Revision.Manifest.CreatedAt; !created.Equal(at) {
		t.Error(created)
	}
	started := time.Now()
	store := ingested(t)
	all, err := store.Revisions(ctx, "")
	check(t, err)
	for _, now := range []time.Time{all[0].ArrivedAt, all[0].Manifest.CreatedAt} {
		if now.Before(started.Add(-time.Minute)) || now.After(time.Now().Add(time.Minute)) {
			t.Error(now)
		}
	}
	utc := func(year, month, day, hour, minute, second, nano int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC)
	}
	for text, wanted := range map[string]time.Time{
		"": {}, "soon": {},
		"2025-01-31t10:00:00z":                 utc(2025, 1, 31, 10, 0, 0, 0),
		"2025-01-31T10:00:00.5+01:30":          utc(2025, 1, 31, 8, 30, 0, 500000000),
		"2025-01-31T10:00:00.123456789012345Z": utc(2025, 1, 31, 10, 0, 0, 123456789),
		"2016-12-31T23:59:60Z":                 utc(2017, 1, 1, 0, 0, 0, 0),
		"2016-12-31T23:59:60.25-23:59":         utc(2017, 1, 1, 23, 59, 0, 250000000),
		"0000-02-29T00:00:00Z":                 utc(0, 2, 29, 0, 0, 0, 0),
	} {
		if got := toTime(text); !got.Equal(wanted) {
			t.Errorf("%q is %v", text, got)
		}
	}
	_, err = makeStore(t).Ingest(ctx, makeProfile(t, 1), IngestOptions{Profile: "emulate-x86", CreatedAt: utc(12025, 1, 1, 0, 0, 0, 0)})
	if !isAbout(err, &Error{Code: CodeInvalid}, "created_at") {
		t.Errorf("%#v", err)
	}
}
