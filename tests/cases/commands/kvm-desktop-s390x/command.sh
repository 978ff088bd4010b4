(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-s390x \
  -name guest=volt-desktop,process=volt-desktop,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid bb839a5a-57cb-82e5-80bf-c3e54a87b454 \
  -pidfile /run/volt/desktop/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine s390-ccw-virtio,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -boot strict=on \
  -display none \
  -vnc vnc=unix:/run/volt/desktop/vnc.sock \
  -device virtio-gpu-ccw,id=video,devno=fe.0.0002 \
  -device virtio-tablet-ccw,id=tablet,devno=fe.0.0003 \
  -device virtio-keyboard-ccw,id=keyboard,devno=fe.0.0004 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/d.raw \
  -device virtio-blk-ccw,id=drive0,drive=disk0,serial=disk0,bootindex=1,devno=fe.0.3000 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/srv/cd.iso \
  -device virtio-scsi-ccw,id=scsi,devno=fe.0.000e \
  -device scsi-cd,id=drive1,bus=scsi.0,scsi-id=0,drive=disk1,serial=disk1,device_id=disk1,bootindex=2 \
  -netdev user,id=net0 \
  -device virtio-net-ccw,id=nic0,netdev=net0,mac=52:54:00:5a:94:54,devno=fe.0.2000)
