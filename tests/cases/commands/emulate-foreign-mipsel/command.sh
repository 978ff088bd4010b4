(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-mipsel \
  -name guest=volt-guest,process=volt-guest,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid f9c511f5-8a7e-8426-8049-a198a7ce2f34 \
  -pidfile /run/volt/guest/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine malta,dump-guest-core=off \
  -accel tcg \
  -cpu 24Kf \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -fsdev local,id=rootfs,path=/srv/guest,security_model=none,multidevs=remap,readonly=on \
  -device virtio-9p-pci,id=rootfs,fsdev=rootfs,mount_tag=rootfs \
  -nic none \
  -kernel /boot/Image \
  -append 'root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.u console=ttyS0 panic=1')
