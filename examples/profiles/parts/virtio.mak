# What virtio gives a guest, on whichever bus: another part has the bus.

# disks[].bus "virtio", and "scsi", on which CD-ROM drives are, too
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_SCSI=y
# nics[].model "virtio"
CONFIG_VIRTIO_NET=y
# the guest agent's channel
CONFIG_VIRTIO_SERIAL=y
# rng
CONFIG_VIRTIO_RNG=y
# balloon
CONFIG_VIRTIO_BALLOON=y
# rootfs and shares: 9p, by QEMU itself
CONFIG_VIRTIO_9P=y
# vsock_cid: sockets between host and guest
CONFIG_VHOST_VSOCK=y
