(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-pluggable,process=volt-pluggable,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 293ac0d0-394f-8859-89b3-b803704b0a0b \
  -pidfile /run/volt/pluggable/qemu.pid \
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
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/d \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,addr=0x18 \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:b6:d6:55,romfile=,addr=0x10 \
  -device pcie-root-port,id=port0,chassis=1,addr=0x1.0,multifunction=on \
  -device pcie-root-port,id=port1,chassis=2,addr=0x1.1 \
  -kernel /k \
  -append 'console=ttyS0 panic=1')
