# Machines with PCI, and neither PCI Express nor MSI-X: all that a VM can ask for on any of them.
include virtio-pci.mak
include pci-plain.mak
include screen.mak
