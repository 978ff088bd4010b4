(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-s390x \
  -name guest=volt-z-desktop,process=volt-z-desktop,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid bf654364-f2de-8026-85e9-4e23a7b5f6b5 \
  -pidfile /run/volt/z-desktop/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine s390-ccw-virtio,dump-guest-core=off \
  -accel tcg \
  -cpu max \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -boot strict=on \
  -display none \
  -vnc vnc=unix:/run/volt/z-desktop/vnc.sock \
  -device virtio-gpu-ccw,id=video,devno=fe.0.0002 \
  -device virtio-tablet-ccw,id=tablet,devno=fe.0.0003 \
  -device virtio-keyboard-ccw,id=keyboard,devno=fe.0.0004 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/z.img \
  -device virtio-blk-ccw,id=drive0,drive=disk0,serial=disk0,bootindex=1,devno=fe.0.3000 \
  -netdev user,id=net0 \
  -device virtio-net-ccw,id=nic0,netdev=net0,mac=52:54:00:94:70:ad,devno=fe.0.2000)
