# Network devices for systems without virtio drivers, on PCI.

# nics[].model of the same names; "ne2k_pci" is the last
CONFIG_E1000_PCI=y
CONFIG_RTL8139_PCI=y
CONFIG_PCNET_PCI=y
CONFIG_NE2000_PCI=y
