/* SPDX-License-Identifier: MIT */
/**
 * libvoltqemu: run virtual machines on purpose-built QEMU profiles kept in a content-addressed
 * store.
 *
 *     host facts + request -> selection     host.h, profile.h, request.h, selection.h
 *     store + selection    -> runtime       store.h, revision.h, manifest.h, runtime.h
 *     runtime + vm         -> command       vm.h, keys.h, policy.h, command.h
 *     command              -> execve arrays, shell text, JSON (command.h), systemd units (unit.h)
 *     a running QEMU       -> commands, events, an orderly end (monitor.h)
 *
 * The library prints nothing, reads no environment variable, changes no process-wide state, and
 * opens every descriptor close-on-exec. Since 1.0.
 *
 * Documents that these headers name, such as docs/errors.md, are installed as well:
 * `pkg-config --variable=docdir volt-qemu` tells where.
 */
#ifndef VOLT_QEMU_H
#define VOLT_QEMU_H

#include <volt-qemu/archive.h>
#include <volt-qemu/call.h>
#include <volt-qemu/capabilities.h>
#include <volt-qemu/check.h>
#include <volt-qemu/closure.h>
#include <volt-qemu/collect.h>
#include <volt-qemu/command.h>
#include <volt-qemu/copy.h>
#include <volt-qemu/error.h>
#include <volt-qemu/host.h>
#include <volt-qemu/ingest.h>
#include <volt-qemu/keys.h>
#include <volt-qemu/layout.h>
#include <volt-qemu/manifest.h>
#include <volt-qemu/monitor.h>
#include <volt-qemu/pin.h>
#include <volt-qemu/policy.h>
#include <volt-qemu/prepare.h>
#include <volt-qemu/profile.h>
#include <volt-qemu/pull.h>
#include <volt-qemu/push.h>
#include <volt-qemu/remote.h>
#include <volt-qemu/request.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/runtime.h>
#include <volt-qemu/selection.h>
#include <volt-qemu/signature.h>
#include <volt-qemu/sizes.h>
#include <volt-qemu/store.h>
#include <volt-qemu/trust.h>
#include <volt-qemu/unit.h>
#include <volt-qemu/uses.h>
#include <volt-qemu/version.h>
#include <volt-qemu/vm.h>

#endif
