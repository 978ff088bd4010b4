(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-aarch64 \
  -name 'guest=volt-windows on arm,process=volt-windows on arm,debug-threads=on' \
  -msg timestamp=on,guest-name=on \
  -uuid d5fb5be0-a751-8b85-8bdf-edcda437f207 \
  -pidfile /run/volt/windows_on_arm-0aaf7379f34a1f12/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine virt,gic-version=max,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 4,sockets=1,cores=4,threads=1 \
  -m 4096 \
  -rtc base=localtime \
  -display none \
  -vnc vnc=unix:/run/volt/windows_on_arm-0aaf7379f34a1f12/vnc.sock \
  -device ramfb,id=video \
  -device qemu-xhci,id=usb,p2=15,p3=15,addr=0x3 \
  -device usb-tablet,id=tablet,bus=usb.0,port=1 \
  -device usb-kbd,id=keyboard,bus=usb.0,port=2 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/windows.raw \
  -device nvme,id=drive0,drive=disk0,serial=disk0,addr=0x18 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/srv/windows.iso \
  -device usb-bot,id=usb-drive1,bus=usb.0,port=3 \
  -device scsi-cd,id=drive1,bus=usb-drive1.0,drive=disk1,serial=disk1,device_id=disk1 \
  -blockdev driver=raw,node-name=disk2,read-only=on,file.driver=file,file.filename=/srv/virtio-win.iso \
  -device usb-bot,id=usb-drive2,bus=usb.0,port=4 \
  -device scsi-cd,id=drive2,bus=usb-drive2.0,drive=disk2,serial=disk2,device_id=disk2 \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:d1:86:3c,romfile=,addr=0x10)
