include ../../parts/virtio-pci.mak
include ../../parts/pcie-plain.mak
include ../../parts/ahci.mak
include ../../parts/screen.mak

# machine "pseries", and its TPM, by swtpm
CONFIG_PSERIES=y
CONFIG_TPM_SPAPR=y
CONFIG_TPM_EMULATOR=y
CONFIG_SPAPR_RNG=y
# e1000e depends on it; only the other boards of the target select it
CONFIG_PCI_EXPRESS=y
# without it the program links, and dies when it starts: spapr-nvdimm lacks its parent
CONFIG_NVDIMM=y
