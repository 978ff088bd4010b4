(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-connected,process=volt-connected,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 985a716e-e841-8b8b-8b7b-f00ab14bf899 \
  -pidfile /run/volt/connected/qemu.pid \
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
  -global ICH9-LPC.disable_s3=1 \
  -global ICH9-LPC.disable_s4=1 \
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -netdev tap,id=net0,ifname=tap0,script=no,downscript=no \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:a6:9d:e2,romfile=,addr=0x10 \
  -netdev tap,id=net1,ifname=tap1,script=no,downscript=no,vhost=on \
  -device virtio-net-pci,id=nic1,netdev=net1,mac=52:54:00:92:a8:1f,romfile=,addr=0x11 \
  -kernel /boot/vmlinuz \
  -append 'console=ttyS0 panic=1')
