include ../../parts/pci-desktop.mak

# machine "mac99"
CONFIG_MAC_NEWWORLD=y
