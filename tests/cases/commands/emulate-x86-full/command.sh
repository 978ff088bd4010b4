(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-web,process=volt-web \
  -nodefaults \
  -no-user-config \
  -L /volt/tree/firmware \
  -machine q35,hpet=off \
  -accel tcg \
  -cpu max \
  -m 512 \
  -smp 2 \
  -no-reboot \
  -nic none \
  -display none \
  -chardev stdio,id=console,mux=on,signal=off \
  -serial chardev:console \
  -mon chardev=console,mode=readline \
  -fsdev local,id=rootdev,path=/srv/web,security_model=none,readonly=on \
  -device virtio-9p-pci,fsdev=rootdev,mount_tag=rootfs \
  -kernel /boot/vmlinuz \
  -initrd /boot/initrd.img \
  -append 'console=ttyS0 quiet "a b"' \
  -serial null)
