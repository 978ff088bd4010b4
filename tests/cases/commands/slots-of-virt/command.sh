(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-aarch64 \
  -name guest=volt-places,process=volt-places,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 300207cd-f778-8c1a-8aae-e3e7240864e9 \
  -pidfile /run/volt/places/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine virt,gic-version=max,dump-guest-core=off \
  -accel tcg \
  -cpu max,pauth-impdef=on \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -no-reboot \
  -display none \
  -vnc vnc=unix:/run/volt/places/vnc.sock \
  -device pcie-pci-bridge,id=bridge3,addr=0x1f.7 \
  -device pcie-pci-bridge,id=bridge4,addr=0x1f.0,multifunction=on \
  -device virtio-gpu-pci,id=video,addr=0x2 \
  -device qemu-xhci,id=usb,p2=15,p3=15,addr=0x3 \
  -device usb-tablet,id=tablet,bus=usb.0,port=4 \
  -device usb-kbd,id=keyboard,bus=usb.0,port=3 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/a.img \
  -device usb-storage,id=drive0,bus=usb.0,port=2,drive=disk0,serial=disk0 \
  -blockdev driver=raw,node-name=disk1,read-only=off,file.driver=file,file.filename=/srv/b.img \
  -device ich9-ahci,id=ide,addr=0xf \
  -device ide-hd,id=drive1,bus=ide.2,drive=disk1,serial=disk1 \
  -netdev user,id=net0 \
  -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:61:cc:31,romfile=,bus=bridge3,addr=0x1 \
  -kernel /srv/Image \
  -append 'console=ttyAMA0 panic=1')
