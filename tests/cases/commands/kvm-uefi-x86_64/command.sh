(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-desktop,process=volt-desktop \
  -nodefaults \
  -no-user-config \
  -L /volt/tree/firmware \
  -machine q35,hpet=off \
  -accel kvm \
  -cpu host \
  -m 4096 \
  -smp 4 \
  -no-reboot \
  -nic none \
  -display none \
  -chardev stdio,id=console,mux=on,signal=off \
  -serial chardev:console \
  -mon chardev=console,mode=readline)
