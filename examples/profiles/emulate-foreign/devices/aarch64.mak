include ../../parts/arm.mak

# gic-version=max is silently a GICv2 without: 8 processors at most
CONFIG_ARM_GICV3_TCG=y
