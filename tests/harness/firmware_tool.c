/* SPDX-License-Identifier: MIT */
/*
 * Calls of the library's firmware.h and nvram.h, for tests that run them as a process:
 *
 *     firmware_tool find DIRECTORY ARCH MACHINE SECURE_BOOT      prints code image and template
 *     firmware_tool prepare PATH CODE TEMPLATE FLAGS
 *
 * Exit status 1, with the message on standard error, if the call fails.
 */
#define _GNU_SOURCE /* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "command/firmware.h"
#include "run/nvram.h"
#include "util/fd.h"

static int find(char **words, vqemu_error **error) {
    struct firmware firmware;
    int r = firmware_find(words[0], "test", words[1], words[2], strcmp(words[3], "true") == 0,
                          &firmware, error);
    if (r == 0)
        printf("%s\n%s\nsecure_boot=%d smm=%d\n", firmware.code, firmware.vars_template,
               firmware.secure_boot, firmware.smm);
    firmware_release(&firmware);
    return r;
}

static int prepare(char **words, vqemu_error **error) {
    const struct nvram nvram = {words[0], words[1], words[2]};
    struct owner owner = {.vm_id = "vm"};
    int r = owner_find(NULL, &owner, error);
    char *directory = strdup(words[0]);
    int fd = directory ? open_at(AT_FDCWD, dirname(directory), O_PATH, 0) : -ENOMEM;
    const struct nvram_home home = {.fd = fd, .owner = &owner};
    if (r == 0 && fd == -ENOMEM)
        r = error_no_memory(error);
    else if (r == 0 && fd < 0)
        r = error_system(error, -fd, "cannot open the directory of %s", words[0]);
    if (r == 0)
        r = nvram_prepare(&nvram, &home, (uint32_t)strtoul(words[3], NULL, 0), NULL, error);
    free(directory);
    if (fd >= 0)
        close(fd);
    return r;
}

int main(int argc, char **argv) {
    vqemu_error *error = NULL;
    if (argc != 6) {
        fputs("usage: firmware_tool find|prepare ...\n", stderr);
        return 2;
    }
    int r = strcmp(argv[1], "find") == 0 ? find(argv + 2, &error) : prepare(argv + 2, &error);
    if (r < 0)
        fprintf(stderr, "firmware_tool: %s: %s\n", vqemu_result_name(r),
                vqemu_error_message(error));
    vqemu_error_free(error);
    return r < 0 ? 1 : 0;
}
