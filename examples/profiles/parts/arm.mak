# Arm.
include virt-desktop.mak
include virt-arm.mak

# tpm, by swtpm
CONFIG_TPM_TIS_SYSBUS=y
CONFIG_TPM_EMULATOR=y
