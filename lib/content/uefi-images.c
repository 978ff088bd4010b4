/* SPDX-License-Identifier: MIT */
#include "content/uefi-images.h"

#include "content/descriptor.h"

enum { SECURE = FIRMWARE_SECURE_BOOT, KEYS = FIRMWARE_ENROLLED_KEYS, SMM = FIRMWARE_REQUIRES_SMM };

/* Distributions and QEMU's own sources (edk2-*) install files under these names. */
static const struct uefi_images images[] = {
    {"x86_64", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", 0},
    {"x86_64", "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd", SECURE | KEYS | SMM},
    {"x86_64", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", SECURE | KEYS | SMM},
    {"x86_64", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", SECURE | SMM},
    {"x86_64", "OVMF_CODE.fd", "OVMF_VARS.fd", 0},
    {"x86_64", "OVMF_CODE.secboot.fd", "OVMF_VARS.secboot.fd", SECURE | KEYS | SMM},
    {"x86_64", "edk2-x86_64-code.fd", "edk2-i386-vars.fd", 0},
    {"x86_64", "edk2-x86_64-secure-code.fd", "edk2-i386-vars.fd", SECURE | SMM},
    {"i386", "edk2-i386-code.fd", "edk2-i386-vars.fd", 0},
    {"i386", "edk2-i386-secure-code.fd", "edk2-i386-vars.fd", SECURE | SMM},
    {"i386", "OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd", SECURE | SMM},
    {"aarch64", "AAVMF_CODE.fd", "AAVMF_VARS.fd", 0},
    {"aarch64", "AAVMF_CODE.no-secboot.fd", "AAVMF_VARS.fd", 0},
    {"aarch64", "AAVMF_CODE.ms.fd", "AAVMF_VARS.ms.fd", SECURE | KEYS},
    {"aarch64", "AAVMF_CODE.secboot.fd", "AAVMF_VARS.ms.fd", SECURE | KEYS},
    {"aarch64", "edk2-aarch64-code.fd", "edk2-arm-vars.fd", 0},
    {"aarch64", "edk2-aarch64-code.fd", "edk2-aarch64-vars.fd", 0},
    {"aarch64", "QEMU_EFI-pflash.raw", "vars-template-pflash.raw", 0},
    {"arm", "AAVMF32_CODE.fd", "AAVMF32_VARS.fd", 0},
    {"arm", "edk2-arm-code.fd", "edk2-arm-vars.fd", 0},
    {"riscv64", "RISCV_VIRT_CODE.fd", "RISCV_VIRT_VARS.fd", 0},
    {"riscv64", "edk2-riscv-code.fd", "edk2-riscv-vars.fd", 0},
    {"loongarch64", "edk2-loongarch64-code.fd", "edk2-loongarch64-vars.fd", 0},
};

size_t uefi_images_count(void) {
    return sizeof images / sizeof images[0];
}

const struct uefi_images *uefi_images_at(size_t index) {
    return &images[index];
}
