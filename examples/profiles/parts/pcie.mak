# PCI Express beyond what a machine has of itself.

# hotplug_slots: pcie-root-port; bridges for more devices than the bus has room for: pcie-pci-bridge
CONFIG_PCIE_PORT=y
