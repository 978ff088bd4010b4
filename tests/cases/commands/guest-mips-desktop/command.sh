(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-mipsel \
  -name guest=volt-malta,process=volt-malta,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid 712c18d9-d8b0-8441-82b6-d435bc7ec100 \
  -pidfile /run/volt/malta/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine malta,dump-guest-core=off \
  -accel tcg \
  -cpu 24Kf \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -no-reboot \
  -display none \
  -vnc vnc=unix:/run/volt/malta/vnc.sock \
  -device VGA,id=video,romfile= \
  -device qemu-xhci,id=usb,p2=15,p3=15 \
  -device usb-tablet,id=tablet,bus=usb.0,port=1 \
  -device usb-kbd,id=keyboard,bus=usb.0,port=2 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/srv/m.img \
  -device ide-hd,id=drive0,bus=ide.0,unit=0,drive=disk0,serial=disk0 \
  -netdev user,id=net0 \
  -device pcnet,id=nic0,netdev=net0,mac=52:54:00:72:d6:67,romfile= \
  -kernel /boot/vmlinux \
  -append 'console=ttyS0 panic=1')
