(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-mipsel \
  -name guest=volt-guest,process=volt-guest \
  -nodefaults \
  -no-user-config \
  -L /volt/tree/firmware \
  -machine malta \
  -accel tcg \
  -cpu 24Kf \
  -m 256 \
  -smp 1 \
  -no-reboot \
  -nic none \
  -display none \
  -chardev stdio,id=console,mux=on,signal=off \
  -serial chardev:console \
  -mon chardev=console,mode=readline \
  -fsdev local,id=rootdev,path=/srv/guest,security_model=none,readonly=on \
  -device virtio-9p-pci,fsdev=rootdev,mount_tag=rootfs \
  -kernel /boot/Image \
  -append 'root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.L console=ttyS0 panic=1')
