(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-ppc64 \
  -name guest=volt-guest,process=volt-guest \
  -nodefaults \
  -no-user-config \
  -L /volt/tree/firmware \
  -machine pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off \
  -accel tcg \
  -cpu power9 \
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
  -append 'root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.L console=hvc0 panic=1')
