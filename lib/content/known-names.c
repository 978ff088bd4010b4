/* SPDX-License-Identifier: MIT */
#include "content/known-names.h"

#include <string.h>

#include <volt-qemu/profile.h>

#include "util/word.h"

/* ---- what the library's commands lead to ---- */

static bool is_video(const struct arch *guest, const char *device) {
    return strcmp(guest->video, device) == 0 ||
           (guest->plain_video && strcmp(guest->plain_video, device) == 0);
}

static bool always(const struct arch *guest, uint64_t abilities) {
    (void)guest;
    (void)abilities;
    return true;
}

/* On other machines, network and graphics devices are told to have no ROM. */
static bool x86(const struct arch *guest, uint64_t abilities) {
    (void)abilities;
    return guest->x86;
}

static bool x86_nics(const struct arch *guest, uint64_t abilities) {
    return guest->x86 && abilities & VQEMU_ABILITY_NICS;
}

static bool x86_vga(const struct arch *guest, uint64_t abilities) {
    return guest->x86 && abilities & VQEMU_ABILITY_DISPLAY;
}

static bool ramfb(const struct arch *guest, uint64_t abilities) {
    return guest->ramfb && abilities & VQEMU_ABILITY_DISPLAY;
}

static bool is_ppc(const struct arch *guest, uint64_t abilities) {
    (void)abilities;
    return strcmp(guest->name, "ppc") == 0;
}

static bool virtio_video(const struct arch *guest, uint64_t abilities) {
    (void)guest;
    return abilities & VQEMU_ABILITY_DISPLAY;
}

static bool virtio_vga(const struct arch *guest, uint64_t abilities) {
    return is_video(guest, "virtio-vga") && abilities & VQEMU_ABILITY_DISPLAY;
}

static bool virtio_gpu_pci(const struct arch *guest, uint64_t abilities) {
    return is_video(guest, "virtio-gpu-pci") && abilities & VQEMU_ABILITY_DISPLAY;
}

static bool virtio_gpu_ccw(const struct arch *guest, uint64_t abilities) {
    return is_video(guest, "virtio-gpu-ccw") && abilities & VQEMU_ABILITY_DISPLAY;
}

/* ---- firmware ---- */

#define X86 "x86_64 i386"
#define ARM "aarch64 arm"
#define PPC "ppc ppc64"
#define BIG_MIPS "mips mips64"
#define LITTLE_MIPS "mipsel mips64el"
#define OLD_X86 "the oldest versions of the machine pc"

/* As QEMU 7.2 has them in its programs; who asks, in hw/ of its sources. */
static const struct known_name firmware[] = {
    {"bios-256k.bin", X86, always, "the machines pc and q35"},
    {"kvmvapic.bin", X86, always, "the interrupt controller of x86 machines"},
    {"linuxboot_dma.bin", X86, always, "a machine that boots a Linux kernel"},
    {"multiboot_dma.bin", X86, always, "a machine that boots a multiboot kernel"},
    {"pvh.bin", X86, always, "a machine that boots a PVH kernel (vmlinux)"},
    {"linuxboot.bin", X86, NULL, OLD_X86},
    {"multiboot.bin", X86, NULL, OLD_X86},
    {"bios.bin", X86, NULL, "the machine isapc"},
    {"bios-microvm.bin", X86, NULL, "the machine microvm"},
    {"qboot.rom", X86, NULL, "the machine microvm"},
    {"sgabios.bin", X86, NULL, "the device sga"},
    {"efi-virtio.rom", NULL, x86, "the device virtio-net-pci"},
    {"efi-e1000.rom", NULL, x86_nics, "the device e1000"},
    {"efi-e1000e.rom", NULL, x86_nics, "the device e1000e"},
    {"efi-rtl8139.rom", NULL, x86_nics, "the device rtl8139"},
    {"efi-vmxnet3.rom", NULL, x86_nics, "the device vmxnet3"},
    {"efi-pcnet.rom", NULL, x86_nics, "the device pcnet"},
    {"efi-ne2k_pci.rom", NULL, x86_nics, "the device ne2k_pci"},
    {"pxe-eepro100.rom", NULL, NULL, "the devices i82550 to i82801"},
    {"pxe-virtio.rom", X86, NULL, OLD_X86},
    {"pxe-e1000.rom", X86, NULL, OLD_X86},
    {"pxe-rtl8139.rom", X86, NULL, OLD_X86},
    {"pxe-pcnet.rom", X86, NULL, OLD_X86},
    {"pxe-ne2k_pci.rom", X86, NULL, OLD_X86},
    {"vgabios-stdvga.bin", NULL, x86_vga, "the device VGA"},
    {"vgabios-virtio.bin", NULL, x86_vga, "the device virtio-vga"},
    {"vgabios-ramfb.bin", NULL, ramfb, "the device ramfb"},
    {"vgabios.bin", X86 " " BIG_MIPS " " LITTLE_MIPS, NULL, "the device isa-vga"},
    {"vgabios-ati.bin", NULL, NULL, "the device ati-vga"},
    {"vgabios-bochs-display.bin", NULL, NULL, "the device bochs-display"},
    {"vgabios-cirrus.bin", NULL, NULL, "the device cirrus-vga"},
    {"vgabios-qxl.bin", NULL, NULL, "the device qxl-vga"},
    {"vgabios-vmware.bin", NULL, NULL, "the device vmware-svga"},
    {"npcm7xx_bootrom.bin", ARM, NULL, "the machines npcm750-evb and quanta-gsj"},
    {"canon-a1100-rom1.bin", ARM, NULL, "the machine canon-a1100"},
    {"opensbi-riscv64-generic-fw_dynamic.bin", "riscv64", always, "every machine without -bios"},
    {"opensbi-riscv32-generic-fw_dynamic.bin", "riscv32", always, "every machine without -bios"},
    {"hss.bin", "riscv64", NULL, "the machine microchip-icicle-kit"},
    {"mips_bios.bin", BIG_MIPS, NULL, "the machine malta without a kernel"},
    {"mipsel_bios.bin", LITTLE_MIPS, NULL, "the machine malta without a kernel"},
    {"bios_loongson3.bin", "mips64el", NULL, "the machine loongson3-virt"},
    {"pmon_2e.bin", "mips64el", NULL, "the machine fuloong2e"},
    {"openbios-ppc", PPC, is_ppc, "the machines mac99 and g3beige"},
    {"qemu_vga.ndrv", PPC, NULL, "Mac OS, for the device VGA"},
    {"slof.bin", "ppc64", always, "the machine pseries"},
    {"vof.bin", PPC, NULL, "the machines pseries with x-vof, and pegasos2"},
    {"skiboot.lid", "ppc64", NULL, "the machine powernv"},
    {"bamboo.dtb", PPC, NULL, "the machine bamboo"},
    {"canyonlands.dtb", PPC, NULL, "the machine sam460ex"},
    {"u-boot-sam460-20100605.bin", PPC, NULL, "the machine sam460ex"},
    {"u-boot.e500", PPC, NULL, "the machine ppce500"},
    {"ppc.dtb", PPC, NULL, "the machine virtex-ml507"},
    {"virtex-ml507.dtb", PPC, NULL, "the machine virtex-ml507"},
    {"s390-ccw.img", "s390x", always, "a machine that boots from a disk"},
    {"s390-netboot.img", "s390x", always, "a machine that boots from the network"},
};

size_t known_firmware_count(void) {
    return sizeof firmware / sizeof firmware[0];
}

const struct known_name *known_firmware_at(size_t index) {
    return &firmware[index];
}

/* ---- modules ---- */

/* As QEMU 6.1 to 10 can be built; a program has the names of those that it was built with. */
static const struct known_name modules[] = {
    {"hw-display-virtio-gpu", NULL, virtio_video, "virtio graphics"},
    {"hw-display-virtio-gpu-pci", NULL, virtio_gpu_pci, "the device virtio-gpu-pci"},
    {"hw-display-virtio-vga", NULL, virtio_vga, "the device virtio-vga"},
    {"hw-s390x-virtio-gpu-ccw", "s390x", virtio_gpu_ccw, "the device virtio-gpu-ccw"},
    {"hw-display-virtio-gpu-gl", NULL, NULL, "the device virtio-gpu-gl-device"},
    {"hw-display-virtio-gpu-pci-gl", NULL, NULL, "the device virtio-gpu-gl-pci"},
    {"hw-display-virtio-gpu-rutabaga", NULL, NULL, "the device virtio-gpu-rutabaga-device"},
    {"hw-display-virtio-gpu-pci-rutabaga", NULL, NULL, "the device virtio-gpu-rutabaga-pci"},
    {"hw-display-virtio-vga-gl", NULL, NULL, "the device virtio-vga-gl"},
    {"hw-display-virtio-vga-rutabaga", NULL, NULL, "the device virtio-vga-rutabaga"},
    {"hw-display-qxl", NULL, NULL, "the devices qxl and qxl-vga"},
    {"hw-usb-host", NULL, NULL, "the device usb-host"},
    {"hw-usb-redirect", NULL, NULL, "the device usb-redir"},
    {"hw-usb-smartcard", NULL, NULL, "the devices ccid-card-emulated and ccid-card-passthru"},
    {"hw-uefi-vars", NULL, NULL, "the device uefi-vars-x64"},
    {"audio-alsa", NULL, NULL, "sound on ALSA"},
    {"audio-dbus", NULL, NULL, "sound on D-Bus"},
    {"audio-jack", NULL, NULL, "sound on JACK"},
    {"audio-oss", NULL, NULL, "sound on OSS"},
    {"audio-pa", NULL, NULL, "sound on PulseAudio"},
    {"audio-pipewire", NULL, NULL, "sound on PipeWire"},
    {"audio-sdl", NULL, NULL, "sound on SDL"},
    {"audio-sndio", NULL, NULL, "sound on sndio"},
    {"audio-spice", NULL, NULL, "sound on SPICE"},
    {"block-blkio", NULL, NULL, "images by libblkio"},
    {"block-curl", NULL, NULL, "images by HTTP and FTP"},
    {"block-dmg-bz2", NULL, NULL, "dmg images with bzip2"},
    {"block-dmg-lzfse", NULL, NULL, "dmg images with lzfse"},
    {"block-gluster", NULL, NULL, "images on Gluster"},
    {"block-iscsi", NULL, NULL, "images by iSCSI"},
    {"block-nfs", NULL, NULL, "images by NFS"},
    {"block-rbd", NULL, NULL, "images on Ceph"},
    {"block-ssh", NULL, NULL, "images by SSH"},
    {"chardev-baum", NULL, NULL, "the character device braille"},
    {"chardev-spice", NULL, NULL, "the character devices spicevmc and spiceport"},
    {"ui-curses", NULL, NULL, "the display curses"},
    {"ui-dbus", NULL, NULL, "the display dbus"},
    {"ui-egl-headless", NULL, NULL, "the display egl-headless"},
    {"ui-gtk", NULL, NULL, "the display gtk"},
    {"ui-opengl", NULL, NULL, "displays with OpenGL"},
    {"ui-sdl", NULL, NULL, "the display sdl"},
    {"ui-spice-app", NULL, NULL, "the display spice-app"},
    {"ui-spice-core", NULL, NULL, "SPICE"},
};

size_t known_modules_count(void) {
    return sizeof modules / sizeof modules[0];
}

const struct known_name *known_modules_at(size_t index) {
    return &modules[index];
}

/* ---- others ---- */

/* Names of memory regions end in ".rom", too. */
bool looks_like_firmware(const char *name) {
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-";
    if (name[strspn(name, characters)] || *name == '.' || *name == '-')
        return false;
    if (ends_with(name, ".rom"))
        return begins_with(name, "efi-") || begins_with(name, "pxe-");
    return ends_with(name, ".bin") || ends_with(name, ".img") || ends_with(name, ".dtb") ||
           ends_with(name, ".lid") || ends_with(name, ".ndrv") || begins_with(name, "openbios-") ||
           begins_with(name, "opensbi-");
}
