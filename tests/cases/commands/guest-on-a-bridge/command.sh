(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-bridged,process=volt-bridged,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid de1c6fff-220b-8f81-8960-07ae3c610500 \
  -pidfile /run/volt/bridged/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,resourcecontrol=deny \
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
  -netdev tap,id=net0,br=br0,helper=/usr/lib/qemu/qemu-bridge-helper,vhost=on \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:28:b0:25,romfile=,addr=0x10 \
  -netdev tap,id=net1,br=br,,1,helper=/usr/libexec/qemu-bridge-helper \
  -device e1000e,id=nic1,netdev=net1,mac=52:54:00:b5:6a:73,romfile=,addr=0x11 \
  -kernel /boot/vmlinuz \
  -append 'console=ttyS0 panic=1')
