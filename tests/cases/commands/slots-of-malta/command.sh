(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-mips \
  -name guest=volt-places,process=volt-places,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 300207cd-f778-8c1a-8aae-e3e7240864e9 \
  -pidfile /run/volt/places/qemu.pid \
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
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/a.img \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,addr=0x12.1 \
  -blockdev driver=raw,node-name=disk1,read-only=off,file.driver=file,file.filename=/srv/b.img \
  -device ide-hd,id=drive1,bus=ide.1,unit=1,drive=disk1,serial=disk1 \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:61:cc:31,romfile=,addr=0x13 \
  -netdev user,id=net1 \
  -device virtio-net-pci,id=nic1,netdev=net1,mac=52:54:00:49:48:1a,romfile=,addr=0x12.0,multifunction=on \
  -kernel /srv/vmlinux \
  -append 'console=ttyS0 panic=1')
