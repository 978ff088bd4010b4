# RISC-V.
include virt-desktop.mak

# machine "virt"
CONFIG_RISCV_VIRT=y
# tpm, by swtpm
CONFIG_TPM_TIS_SYSBUS=y
CONFIG_TPM_EMULATOR=y
# not for guests: the targets do not link without
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
