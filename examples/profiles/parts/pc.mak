# PCs. The machines select what a PC consists of: AHCI and IDE, flash, ramfb, RTC, timers, interrupt controllers,
# serial port, ACPI.
include pcie.mak

# machines "q35", "pc"
CONFIG_Q35=y
CONFIG_I440FX=y
