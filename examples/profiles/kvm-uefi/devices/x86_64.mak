include ../../parts/pc-desktop.mak

# hyperv: hv-synic and what needs it, which KVM has
CONFIG_HYPERV=y
