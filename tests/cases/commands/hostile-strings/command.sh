(cd / && exec env -i \
  QEMU_MODULE_DIR=/volt/tree/lib/qemu \
  /volt/tree/lib/ld-linux-x86-64.so.2 \
  --inhibit-cache \
  --library-path /volt/tree/lib \
  /volt/tree/bin/qemu-system-x86_64 \
  -name 'guest=volt-a,,b=c "d" '\''e'\'' %n $HOME; f\,process=volt-a,,b=c "d" '\''e'\'' %n $HOME; f\,debug-threads=on' \
  -msg timestamp=on,guest-name=on \
  -uuid 2af74985-c9ac-8bfa-8457-8a0d3f175d6a \
  -pidfile /run/volt/a_b_c__d___e___n__HOME__f_-65d54735fe146f21/qemu.pid \
  -nodefaults \
  -no-user-config \
  -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
  -L /volt/tree/firmware \
  -machine q35,hpet=off,vmport=off,dump-guest-core=off \
  -accel tcg \
  -cpu max \
  -smp 1,sockets=1,cores=1,threads=1 \
  -m 256 \
  -rtc base=utc \
  -global ICH9-LPC.disable_s3=1 \
  -global ICH9-LPC.disable_s4=1 \
  -no-reboot \
  -display none \
  -chardev stdio,id=console,signal=off \
  -serial chardev:console \
  -fsdev 'local,id=rootfs,path=/srv/a,,,,b c
d,security_model=none,multidevs=remap,readonly=on' \
  -device virtio-9p-pci,id=rootfs,fsdev=rootfs,mount_tag=rootfs,addr=0x9 \
  -nic none \
  -kernel '/boot/ä %i' \
  -append 'x=$y %% "z"' \
  '' \
  ';' \
  '	\' \
  -device 'a'"$(printf '\177')"'b')
