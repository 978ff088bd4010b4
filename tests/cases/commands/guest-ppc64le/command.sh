(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-ppc64 \
  -name guest=volt-power,process=volt-power \
  -uuid 41082543-93e3-879e-86db-2fd85e4a92f9 \
  -pidfile /run/volt/power/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off,cap-htm=off,dump-guest-core=off \
  -accel tcg \
  -cpu power9 \
  -smp 4,sockets=1,cores=4,threads=1 \
  -m 1024 \
  -rtc base=utc \
  -boot strict=on \
  -display none \
  -vnc vnc=unix:/run/volt/power/vnc.sock \
  -device virtio-gpu-pci,id=video,addr=0x2 \
  -device qemu-xhci,id=usb,p2=15,p3=15,addr=0x3 \
  -device usb-tablet,id=tablet,bus=usb.0,port=1 \
  -device usb-kbd,id=keyboard,bus=usb.0,port=2 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/p.img \
  -device virtio-scsi-pci,id=scsi,addr=0xe \
  -device scsi-hd,id=drive0,bus=scsi.0,scsi-id=0,drive=disk0,serial=disk0,device_id=disk0,bootindex=1 \
  -blockdev driver=raw,node-name=disk1,read-only=off,file.driver=file,file.filename=/srv/q.img \
  -device nvme,id=drive1,drive=disk1,serial=disk1,addr=0x19 \
  -blockdev driver=raw,node-name=disk2,read-only=on,file.driver=host_device,file.filename=/dev/vg0/cd \
  -device scsi-cd,id=drive2,bus=scsi.0,scsi-id=1,drive=disk2,serial=disk2,device_id=disk2,bootindex=2 \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=02:00:00:00:00:01,romfile=,addr=0x10 \
  -chardev socket,id=tpm,path=/run/volt/power/tpm.sock \
  -tpmdev emulator,id=tpm,chardev=tpm \
  -device tpm-spapr,tpmdev=tpm)
