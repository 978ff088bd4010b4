include ../../parts/pc-desktop.mak
