# The machine "virt" of Arm, and what programs for Arm do not link without.

# machine "virt": interrupt controller, serial port, clock, flash, PCI Express, ACPI
CONFIG_ARM_VIRT=y
# not for guests: the targets do not link without
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
CONFIG_ARM_V7M=y
