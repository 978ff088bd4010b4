include ../../parts/virt-desktop.mak

# machine "virt"
CONFIG_LOONGARCH_VIRT=y
# video "virtio"
CONFIG_VIRTIO_VGA=y
