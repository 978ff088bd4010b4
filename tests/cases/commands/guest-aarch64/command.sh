(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-aarch64 \
  -name guest=volt-arm-1,process=volt-arm-1 \
  -uuid b6a62f41-20d8-8b1c-8f69-c3555cab276c \
  -pidfile /run/volt/arm-1/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine virt-7.2,gic-version=max,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -no-reboot \
  -display none \
  -chardev socket,id=console,path=/run/volt/arm-1/console.sock,server=on,wait=off \
  -serial chardev:console \
  -blockdev driver=file,node-name=disk0-file,read-only=off,filename=/srv/a.qcow2 \
  -blockdev '{"driver":"qcow2","node-name":"disk0","read-only":false,"file":"disk0-file","backing":null}' \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,addr=0x18 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/srv/b.iso \
  -device virtio-scsi-pci,id=scsi,addr=0xe \
  -device scsi-cd,id=drive1,bus=scsi.0,scsi-id=0,drive=disk1,serial=disk1,device_id=disk1 \
  -blockdev driver=raw,node-name=disk2,read-only=off,file.driver=file,file.filename=/srv/c.img \
  -device ich9-ahci,id=ide,addr=0xf \
  -device ide-hd,id=drive2,bus=ide.0,drive=disk2,serial=disk2 \
  -netdev tap,id=net0,ifname=tap1,script=no,downscript=no \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:d8:56:da,romfile=,addr=0x10 \
  -device i6300esb,id=watchdog,addr=0x5 \
  -action watchdog=poweroff \
  -object rng-random,id=rng,filename=/dev/urandom \
  -device virtio-rng-pci,id=rng-device,rng=rng,addr=0x6 \
  -kernel /boot/Image \
  -append root=/dev/vda)
