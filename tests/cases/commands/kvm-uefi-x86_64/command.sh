(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-desktop,process=volt-desktop,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid bb839a5a-57cb-82e5-80bf-c3e54a87b454 \
  -pidfile /run/volt/desktop/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,dump-guest-core=off \
  -accel kvm \
  -cpu host,hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-time=on,hv-synic=on,hv-stimer=on,hv-tlbflush=on,hv-ipi=on,hv-frequencies=on,hv-reset=on \
  -smp 4,sockets=1,cores=4,threads=1 \
  -m 4096 \
  -rtc base=localtime,driftfix=slew \
  -global ICH9-LPC.disable_s3=1 \
  -global ICH9-LPC.disable_s4=1 \
  -boot strict=on \
  -no-reboot \
  -display none \
  -vnc vnc=unix:/run/volt/desktop/vnc.sock \
  -device VGA,id=video,addr=0x2 \
  -device qemu-xhci,id=usb,p2=15,p3=15,addr=0x3 \
  -device usb-tablet,id=tablet,bus=usb.0,port=1 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -nic none \
  -chardev socket,id=tpm,path=/run/volt/desktop/tpm.sock \
  -tpmdev emulator,id=tpm,chardev=tpm \
  -device tpm-crb,tpmdev=tpm)
