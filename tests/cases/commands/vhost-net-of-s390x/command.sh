(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-s390x \
  -name guest=volt-connected,process=volt-connected,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 985a716e-e841-8b8b-8b7b-f00ab14bf899 \
  -pidfile /run/volt/connected/qemu.pid \
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
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -netdev tap,id=net0,ifname=tap0,script=no,downscript=no,vhost=on \
  -device virtio-net-ccw,id=nic0,netdev=net0,mac=52:54:00:a6:9d:e2,devno=fe.0.2000 \
  -netdev tap,id=net1,ifname=tap1,script=no,downscript=no,vhost=on \
  -device virtio-net-ccw,id=nic1,netdev=net1,mac=52:54:00:92:a8:1f,devno=fe.0.2001 \
  -kernel /boot/vmlinuz \
  -append 'console=ttysclp0 panic=1')
