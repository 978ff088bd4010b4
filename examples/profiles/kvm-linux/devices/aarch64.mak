# Linux guests: the machine, and virtio.
include ../../parts/virt-arm.mak
include ../../parts/pcie.mak
include ../../parts/virtio-pci.mak
include ../../parts/virtiofs.mak

# the interrupt controller of the host's kernel, GICv2 or GICv3
CONFIG_ARM_GIC_KVM=y
