include ../../parts/riscv.mak
