include ../../parts/arm.mak
