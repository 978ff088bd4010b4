(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-ppc64 \
  -name guest=volt-desktop,process=volt-desktop,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid bb839a5a-57cb-82e5-80bf-c3e54a87b454 \
  -pidfile /run/volt/desktop/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine pseries,dump-guest-core=off \
  -accel kvm \
  -cpu host \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -boot strict=on \
  -display none \
  -vnc vnc=unix:/run/volt/desktop/vnc.sock \
  -device virtio-gpu-pci,id=video,addr=0x2 \
  -device qemu-xhci,id=usb,p2=15,p3=15,addr=0x3 \
  -device usb-tablet,id=tablet,bus=usb.0,port=1 \
  -device usb-kbd,id=keyboard,bus=usb.0,port=2 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/d.raw \
  -device virtio-blk-pci,id=drive0,drive=disk0,serial=disk0,bootindex=1,addr=0x18 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/srv/cd.iso \
  -device virtio-scsi-pci,id=scsi,addr=0xe \
  -device scsi-cd,id=drive1,bus=scsi.0,scsi-id=0,drive=disk1,serial=disk1,device_id=disk1,bootindex=2 \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:5a:94:54,romfile=,addr=0x10 \
  -chardev socket,id=tpm,path=/run/volt/desktop/tpm.sock \
  -tpmdev emulator,id=tpm,chardev=tpm \
  -device tpm-spapr,tpmdev=tpm)
