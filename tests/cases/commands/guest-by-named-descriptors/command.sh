(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-passed-on,process=volt-passed-on \
  -uuid c0e27632-8f2c-8d2c-8a7f-e1b12a1aa062 \
  -pidfile /run/volt/passed-on/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -boot strict=on \
  -display none \
  -chardev pty,id=console \
  -serial chardev:console \
  -chardev socket,id=qmp-fd,fd=4,server=on,wait=off \
  -mon chardev=qmp-fd,mode=control \
  -add-fd fd=6,set=6 \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/dev/fdset/6 \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,bootindex=1,addr=0x18 \
  -add-fd fd=3,set=3 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/dev/fdset/3 \
  -device ide-cd,id=drive1,bus=ide.0,drive=disk1,serial=disk1,bootindex=3 \
  -add-fd fd=7,set=7 \
  -blockdev driver=file,node-name=disk2-file,read-only=off,filename=/dev/fdset/7 \
  -blockdev '{"driver":"qcow2","node-name":"disk2","read-only":false,"file":"disk2-file","backing":null}' \
  -device virtio-blk-pci,id=drive2,drive=disk2,serial=disk2,bootindex=2,addr=0x1a \
  -netdev tap,id=net0,fd=8,vhost=on,vhostfd=9 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:ea:4c:93,romfile=,addr=0x10 \
  -netdev tap,id=net1,fd=5 \
  -device e1000,id=nic1,netdev=net1,mac=52:54:00:ee:6c:41,romfile=,addr=0x11)
