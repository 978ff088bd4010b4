# Disks and network devices for systems without virtio drivers, on PCI Express or with MSI-X.
include pci-plain.mak

# disks[].bus "nvme"
CONFIG_NVME_PCI=y
# nics[].model "e1000e", "vmxnet3"
CONFIG_E1000E_PCI_EXPRESS=y
CONFIG_VMXNET3_PCI=y
