include ../../parts/virtio.mak

# machine "s390-ccw-virtio", and virtio on its channel subsystem: all that such guests can be given
CONFIG_S390_CCW_VIRTIO=y
CONFIG_VIRTIO_CCW=y
# display: screen, tablet and keyboard
CONFIG_VIRTIO_GPU=y
CONFIG_VIRTIO_INPUT=y
# watchdog
CONFIG_WDT_DIAG288=y
