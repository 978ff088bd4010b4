(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name 'guest=volt-Büro 7,process=volt-Büro 7' \
  -uuid 50cd0965-f856-8440-82a9-ca86f565586f \
  -pidfile /run/volt/B__ro_7-9953dd4f1111fa80/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,dump-guest-core=off \
  -accel kvm \
  -cpu host,hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-time=on,hv-synic=on,hv-stimer=on,hv-tlbflush=on,hv-ipi=on,hv-frequencies=on,hv-reset=on \
  -smp 8,sockets=1,cores=4,threads=2 \
  -m 8192 \
  -rtc base=localtime,driftfix=slew \
  -boot strict=on \
  -display none \
  -object secret,id=vnc-password,file=/srv/win/vnc-password \
  -vnc vnc=unix:/run/volt/B__ro_7-9953dd4f1111fa80/vnc.sock,password-secret=vnc-password \
  -device VGA,id=video,addr=0x2 \
  -device qemu-xhci,id=usb,p2=15,p3=15,addr=0x3 \
  -device usb-tablet,id=tablet,bus=usb.0,port=1 \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=file,node-name=disk0-file,read-only=off,filename=/srv/win/c.qcow2 \
  -blockdev '{"driver":"qcow2","node-name":"disk0","read-only":false,"file":"disk0-file","backing":null}' \
  -device ide-hd,id=drive0,bus=ide.0,drive=disk0,serial=disk0,bootindex=2 \
  -blockdev driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/srv/iso/windows.iso \
  -device ide-cd,id=drive1,bus=ide.1,drive=disk1,serial=disk1,bootindex=1 \
  -device ide-cd,id=drive2,bus=ide.2,serial=disk2 \
  -netdev user,id=net0,hostfwd=tcp:127.0.0.1:13389-:3389 \
  -device e1000e,id=nic0,netdev=net0,mac=52:54:00:7e:e8:71,romfile=,addr=0x10 \
  -chardev socket,id=tpm,path=/run/volt/B__ro_7-9953dd4f1111fa80/tpm.sock \
  -tpmdev emulator,id=tpm,chardev=tpm \
  -device tpm-crb,tpmdev=tpm)
