# PCs for Windows and other systems with a screen: all that a VM can ask for.
include pc.mak
include virtio-pci.mak
include virtiofs.mak
include pcie-plain.mak
include screen.mak

# video "virtio" on PCs: with a VGA BIOS
CONFIG_VIRTIO_VGA=y
# tpm, by swtpm
CONFIG_TPM_CRB=y
CONFIG_TPM_EMULATOR=y
