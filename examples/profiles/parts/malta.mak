# Machine "malta", and what it needs but does not select.
# the machine
CONFIG_MALTA=y
CONFIG_PCI=y
CONFIG_ISA_BUS=y
# its chipset, PIIX4: power management, disks, clock, serial and parallel ports, floppy drives, keyboard
CONFIG_PIIX4=y
CONFIG_ACPI=y
CONFIG_ACPI_PIIX4=y
CONFIG_ACPI_SMBUS=y
CONFIG_SMBUS_EEPROM=y
CONFIG_APM=y
CONFIG_SERIAL=y
CONFIG_SERIAL_ISA=y
CONFIG_PARALLEL=y
CONFIG_FDC=y
CONFIG_PCKBD=y
# its firmware's flash, and where nothing is
CONFIG_PFLASH_CFI01=y
CONFIG_EMPTY_SLOT=y
# several processors
CONFIG_MIPS_CPS=y
CONFIG_MIPS_ITU=y
# not for guests: the target does not link without
CONFIG_SEMIHOSTING=y
