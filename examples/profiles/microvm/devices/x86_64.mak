# The least that a Linux guest runs on: no PCI devices, no graphics, no disks but virtio's.

# machine "microvm": serial port, clock, interrupt controllers, virtio on memory-mapped buses
CONFIG_MICROVM=y
# disks, network, console channel, entropy
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_RNG=y
# directories: 9p by QEMU itself, virtiofs by a virtiofsd; sockets between host and guest
CONFIG_VIRTIO_9P=y
CONFIG_VHOST_USER_FS=y
CONFIG_VHOST_VSOCK=y
