(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-app,process=volt-app,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 44ba38a7-e0f0-8c2b-8dcb-710101769fc3 \
  -pidfile /run/volt/app/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,memory-backend=memory,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -object memory-backend-memfd,id=memory,size=256M,share=on \
  -rtc base=utc \
  -global ICH9-LPC.disable_s3=1 \
  -global ICH9-LPC.disable_s4=1 \
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -chardev socket,id=rootfs,path=/run/volt/app/virtiofsd-0.sock \
  -device vhost-user-fs-pci,id=rootfs,chardev=rootfs,queue-size=1024,tag=rootfs,addr=0x9 \
  -fsdev local,id=share0,path=/srv/data,security_model=none,multidevs=remap,readonly=on \
  -device virtio-9p-pci,id=share0,fsdev=share0,mount_tag=data,addr=0xa \
  -chardev socket,id=share1,path=/run/volt/app/logs.sock \
  -device vhost-user-fs-pci,id=share1,chardev=share1,queue-size=1024,tag=logs,addr=0xb \
  -fsdev local,id=share2,path=/srv/spool,security_model=mapped-file,multidevs=forbid,readonly=off \
  -device virtio-9p-pci,id=share2,fsdev=share2,mount_tag=spool,addr=0xc \
  -nic none \
  -kernel /boot/vmlinuz \
  -append 'root=rootfs rootfstype=virtiofs rw console=ttyS0 panic=1')
