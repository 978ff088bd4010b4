# virtio on PCI and PCI Express, where nearly all machines have it.
include virtio.mak

# the bus
CONFIG_VIRTIO_PCI=y
# watchdog: the only one for PCI
CONFIG_WDT_IB6300ESB=y
