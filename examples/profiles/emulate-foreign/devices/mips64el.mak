include ../../parts/malta.mak
include ../../parts/pci-desktop.mak
