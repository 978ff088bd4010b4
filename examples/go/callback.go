// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <stdint.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

//export voltqemuProgress
func voltqemuProgress(progress *C.vqemu_progress, userdata C.uintptr_t) C.int {
	c := cgo.Handle(userdata).Value().(*call)
	if !c.hasFailed() {
		now := Progress{
			Step:       Step(C.GoString(C.vqemu_progress_step(progress))),
			Unit:       C.GoString(C.vqemu_progress_unit(progress)),
			Item:       C.GoString(C.vqemu_progress_item(progress)),
			Done:       uint64(C.vqemu_progress_done(progress)),
			Total:      uint64(C.vqemu_progress_total(progress)),
			Phase:      int(C.vqemu_progress_phase(progress)),
			PhaseCount: int(C.vqemu_progress_phase_count(progress)),
		}
		c.invoke(func() { c.progress(now) })
	}
	return toFlag(c.hasFailed())
}

//export voltqemuLog
func voltqemuLog(record *C.vqemu_log_record, userdata C.uintptr_t) {
	c := cgo.Handle(userdata).Value().(*call)
	if !c.hasFailed() {
		told := LogEvent{
			Level:    LogLevel(C.vqemu_log_record_level(record)),
			Event:    C.GoString(C.vqemu_log_record_event(record)),
			Message:  C.GoString(C.vqemu_log_record_message(record)),
			Path:     detailOf(record, C.VQEMU_DETAIL_PATH),
			Object:   detailOf(record, C.VQEMU_DETAIL_OBJECT),
			Revision: detailOf(record, C.VQEMU_DETAIL_REVISION),
			Host:     detailOf(record, C.VQEMU_DETAIL_HOST),
		}
		c.invoke(func() { c.log(told) })
	}
}

func detailOf(record *C.vqemu_log_record, name string) string {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return C.GoString(C.vqemu_log_record_detail(record, text))
}

//export voltqemuVerify
func voltqemuVerify(evidence *C.vqemu_evidence, number C.uintptr_t) (verdict C.int) {
	verifier := verifierOf(uintptr(number))
	if verifier == nil {
		return C.VQEMU_VERDICT_REFUSED
	}
	defer func() {
		if recover() != nil {
			verdict = C.VQEMU_VERDICT_REFUSED
		}
	}()
	return C.int(verifier(newEvidence(evidence)))
}
