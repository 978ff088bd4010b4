/* SPDX-License-Identifier: MIT */
/*
 * A guest for q35 that does nothing but wait for its power button. QEMU starts it by the PVH entry,
 * in 32-bit protected mode without paging. It says "GUEST READY" on the first serial port; when the
 * button is pressed, "POWERDOWN SEEN", and switches the machine off. Built with DEAF defined, it
 * says "POWERDOWN IGNORED" instead, once, and stays.
 */
#define SERIAL 0x3f8
#define SERIAL_LINE_STATUS (SERIAL + 5)
#define SERIAL_CAN_SEND 0x20

/* ICH9's power management, where SeaBIOS puts it. */
#define PM1_STATUS 0x600
#define PM1_ENABLE 0x602
#define PM1_CONTROL 0x604
#define POWER_BUTTON 0x100
#define SLEEP_ENABLE 0x2000 /* with sleep type 0: off */

        .section .note.pvh, "a", @note
        .balign 4
        .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .long start

        .text
        .globl start
start:
        movl $stack, %esp
        movw $PM1_ENABLE, %dx
        movw $POWER_BUTTON, %ax
        outw %ax, %dx
        movl $ready, %esi
        call say
wait:
        pause
        movw $PM1_STATUS, %dx
        inw %dx, %ax
        testw $POWER_BUTTON, %ax
        jz wait
        movl $seen, %esi
        call say
#ifdef DEAF
        movw $PM1_ENABLE, %dx
        xorw %ax, %ax
        outw %ax, %dx
0:      hlt
        jmp 0b
#else
        movw $PM1_CONTROL, %dx
        movw $SLEEP_ENABLE, %ax
        outw %ax, %dx
0:      hlt
        jmp 0b
#endif

say:
        movw $SERIAL_LINE_STATUS, %dx
0:      inb %dx, %al
        testb $SERIAL_CAN_SEND, %al
        jz 0b
        lodsb
        testb %al, %al
        jz 1f
        movw $SERIAL, %dx
        outb %al, %dx
        jmp say
1:      ret

ready:  .asciz "GUEST READY\r\n"
#ifdef DEAF
seen:   .asciz "POWERDOWN IGNORED\r\n"
#else
seen:   .asciz "POWERDOWN SEEN\r\n"
#endif

        .bss
        .balign 16
        .skip 4096
stack:
