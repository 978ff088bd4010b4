(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name guest=volt-big,process=volt-big,debug-threads=on \
  -msg timestamp=on,guest-name=on \
  -uuid d6c2de9e-9e39-8ea3-87c3-3292ae50c2da \
  -pidfile /run/volt/big/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,memory-backend=memory,dump-guest-core=off \
  -accel kvm \
  -cpu Skylake-Server,pcid=on,hle=off \
  -smp 32,sockets=2,cores=8,threads=2 \
  -m 65536 \
  -object memory-backend-memfd,id=memory,size=65536M,share=off,hugetlb=on,hugetlbsize=1G,prealloc=on \
  -rtc base=utc \
  -global ICH9-LPC.disable_s3=1 \
  -global ICH9-LPC.disable_s4=1 \
  -boot strict=on \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -blockdev driver=raw,node-name=disk0,read-only=off,file.driver=file,file.filename=/a.img \
  -device nvme,id=drive0,drive=disk0,serial=disk0,bootindex=1,addr=0x18 \
  -nic none)
