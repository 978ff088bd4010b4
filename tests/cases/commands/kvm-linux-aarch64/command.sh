(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-aarch64 \
  -name guest=volt-web,process=volt-web,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 5ca68deb-3333-8310-87b9-914d1d426334 \
  -pidfile /run/volt/web/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine virt,gic-version=max,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 2,sockets=1,cores=2,threads=1 \
  -m 512 \
  -rtc base=utc \
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -fsdev local,id=rootfs,path=/srv/web,security_model=none,multidevs=remap,readonly=on \
  -device virtio-9p-pci,id=rootfs,fsdev=rootfs,mount_tag=rootfs,addr=0x9 \
  -nic none \
  -kernel /boot/vmlinuz \
  -initrd /boot/initrd.img \
  -append 'root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.L console=ttyAMA0 panic=1')
