(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-s390x \
  -name guest=volt-places,process=volt-places,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 300207cd-f778-8c1a-8aae-e3e7240864e9 \
  -pidfile /run/volt/places/qemu.pid \
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
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/a.img \
  -device virtio-blk-ccw,id=drive0,drive=disk0,serial=disk0,devno=fe.0.4000 \
  -blockdev driver=raw,node-name=disk1,read-only=off,file.driver=file,file.filename=/srv/b.img \
  -object iothread,id=iothread-io \
  -device virtio-scsi-ccw,id=scsi-io,iothread=iothread-io,devno=fe.0.4001 \
  -device scsi-hd,id=drive1,bus=scsi-io.0,scsi-id=1,drive=disk1,serial=disk1,device_id=disk1 \
  -blockdev driver=raw,node-name=disk2,read-only=off,file.driver=file,file.filename=/srv/c.img \
  -device virtio-scsi-ccw,id=scsi,devno=fe.0.000e \
  -device scsi-hd,id=drive2,bus=scsi.0,scsi-id=0,drive=disk2,serial=disk2,device_id=disk2 \
  -netdev user,id=net0 \
  -device virtio-net-ccw,id=nic0,netdev=net0,mac=52:54:00:61:cc:31,devno=fe.0.3000 \
  -netdev user,id=net1 \
  -device virtio-net-ccw,id=nic1,netdev=net1,mac=52:54:00:49:48:1a,devno=fe.0.2000 \
  -kernel /srv/image \
  -append 'console=ttysclp0 panic=1')
