# Linux guests: the machines, and virtio.
include ../../parts/pc.mak
include ../../parts/virtio-pci.mak
include ../../parts/virtiofs.mak
