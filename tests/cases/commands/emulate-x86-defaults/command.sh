(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-x,process=volt-x,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid add7c982-3c76-88fa-890b-bbe96ba10214 \
  -pidfile /run/volt/x/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,dump-guest-core=off \
  -accel tcg \
  -cpu max \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -global ICH9-LPC.disable_s3=1 \
  -global ICH9-LPC.disable_s4=1 \
  -boot strict=on \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/x.img \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,bootindex=1,addr=0x18 \
  -nic none)
