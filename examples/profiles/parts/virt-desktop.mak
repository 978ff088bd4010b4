# Machines "virt" with PCI Express: all that a VM can ask for on any of them.
include pcie.mak
include virtio-pci.mak
include virtiofs.mak
include pcie-plain.mak
include ahci.mak
include screen.mak
