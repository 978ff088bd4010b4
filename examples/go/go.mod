module volt-qemu.org/go/voltqemu

go 1.19
