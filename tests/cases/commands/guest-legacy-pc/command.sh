(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-i386 \
  -name guest=volt-old,process=volt-old,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid e48b4445-d8e9-88a0-8c3e-bf808f6ea1e7 \
  -pidfile /run/volt/old/qemu.pid \
  -nodefaults \
  -no-user-config \
  -L /volt/tree/firmware \
  -machine pc-i440fx-7.2,hpet=off,vmport=off,dump-guest-core=off \
  -accel tcg \
  -cpu pentium3 \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=localtime \
  -global PIIX4_PM.disable_s3=1 \
  -global PIIX4_PM.disable_s4=1 \
  -boot strict=on \
  -display none \
  -vnc 127.0.0.1:1 \
  -device VGA,id=video,addr=0x2 \
  -serial none \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/old/c.img \
  -device ide-hd,id=drive0,bus=ide.0,unit=0,drive=disk0,serial=disk0 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/srv/old/cd.iso \
  -device ide-cd,id=drive1,bus=ide.0,unit=1,drive=disk1,serial=disk1,bootindex=1 \
  -netdev user,id=net0 \
  -device ne2k_pci,id=nic0,netdev=net0,mac=52:54:00:d6:b7:db,romfile=,addr=0x10 \
  -netdev user,id=net1,restrict=on \
  -device e1000,id=nic1,netdev=net1,mac=52:54:00:f7:74:b7,romfile=,addr=0x11)
