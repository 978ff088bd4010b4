# disks[].bus "ide" on machines that have no such controller of themselves: SATA
CONFIG_AHCI_ICH9=y
