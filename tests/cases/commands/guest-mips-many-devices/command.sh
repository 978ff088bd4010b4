(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-mips64el \
  -name guest=volt-crowd,process=volt-crowd \
  -uuid 53e0851e-0a66-8925-8621-7850ad3cf818 \
  -pidfile /run/volt/crowd/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine malta,dump-guest-core=off \
  -accel tcg \
  -cpu 5KEf \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/a.img \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,addr=0x12.0,multifunction=on \
  -blockdev driver=raw,node-name=disk1,read-only=off,file.driver=file,file.filename=/srv/b.img \
  -device virtio-scsi-pci,id=scsi,addr=0x13.0,multifunction=on \
  -device scsi-hd,id=drive1,bus=scsi.0,scsi-id=0,drive=disk1,serial=disk1,device_id=disk1 \
  -blockdev driver=raw,node-name=disk2,read-only=off,file.driver=file,file.filename=/srv/c.img \
  -device ide-hd,id=drive2,bus=ide.0,unit=0,drive=disk2,serial=disk2 \
  -fsdev local,id=rootfs,path=/srv/root,security_model=none,multidevs=remap,readonly=on \
  -device virtio-9p-pci,id=rootfs,fsdev=rootfs,mount_tag=rootfs,addr=0x14.0,multifunction=on \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:38:be:2e,romfile=,addr=0x15.0,multifunction=on \
  -device i6300esb,id=watchdog,addr=0x12.1 \
  -action watchdog=reset \
  -object rng-random,id=rng,filename=/dev/urandom \
  -device virtio-rng-pci,id=rng-device,rng=rng,addr=0x13.1 \
  -kernel /boot/vmlinux \
  -append 'root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.u console=ttyS0 panic=1')
