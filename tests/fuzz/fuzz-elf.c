/* SPDX-License-Identifier: MIT */
/* Programs and flash images of others: the ELF header, and that of qcow2. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/elf-file.h"
#include "choice/arch.h"
#include "command/flash-image.h"
#include "command/qcow2.h"
#include "fuzz.h"
#include "store/ingest.h"
#include "util/fd.h"

static void check_elf(int fd, const uint8_t *data, size_t size) {
    struct elf_info info;
    memset(&info, 0xff, sizeof info);
    elf_read(fd, &info);
    FUZZ_CHECK(info.is_elf == (size >= 64 && memcmp(data, "\177ELF", 4) == 0), "is_elf is wrong");
    FUZZ_CHECK(info.is_elf || (!info.is_program && !info.arch && !*info.loader),
               "more is known of no ELF file");
    FUZZ_CHECK(memchr(info.loader, '\0', sizeof info.loader), "a loader without an end");
    FUZZ_CHECK(!*info.loader || memmem(data, size, info.loader, strlen(info.loader) + 1),
               "a loader that is not in the file");
    const char *arch;
    FUZZ_CHECK(ingest_find_arch("bin/qemu-system-x86_64", fd, &arch) == 0, "it cannot be read");
    FUZZ_CHECK(!arch || info.is_elf, "the architecture %s of no ELF file", arch);
    FUZZ_CHECK(lseek(fd, 0, SEEK_CUR) == 0, "the file's offset was moved");
}

/* All that is told of a file is in it, and a text is followed by a NUL. */
struct content {
    const uint8_t *data;
    size_t size;
    uint64_t length; /* of the texts together */
};

static int check_text(const char *text, size_t length, void *userdata) {
    struct content *content = userdata;
    FUZZ_CHECK(length >= 4 && length <= ELF_STRING_MAX && strlen(text) == length, "a bad text");
    FUZZ_CHECK(memmem(content->data, content->size, text, length + 1), "\"%s\" is not there", text);
    content->length += length;
    return 0;
}

static void check_elf_content(int fd, const uint8_t *data, size_t size) {
    struct content content = {data, size, 0};
    struct elf_needs needs;
    bool is_elf = size >= 64 && memcmp(data, "\177ELF", 4) == 0;
    int r = elf_read_needs(fd, &needs);
    FUZZ_CHECK(r == 0 || r == -EINVAL, "reading what it needs: %d", r);
    FUZZ_CHECK(r == -EINVAL || is_elf, "what no ELF file needs");
    FUZZ_CHECK(r == 0 || (needs.libraries.count == 0 && !needs.rpath && !needs.runpath),
               "something is left of a broken file");
    for (size_t i = 0; i < needs.libraries.count; i++)
        FUZZ_CHECK(
            memmem(data, size, needs.libraries.items[i], strlen(needs.libraries.items[i]) + 1),
            "a library that is not in the file");
    elf_needs_release(&needs);
    r = elf_for_each_string(fd, NULL, check_text, &content);
    FUZZ_CHECK(r == 0 || r == -EINVAL, "reading its texts: %d", r);
    FUZZ_CHECK(content.length <= 256 * (uint64_t)size, "texts without end");
    FUZZ_CHECK(is_elf || content.length == 0, "texts of no ELF file");
    FUZZ_CHECK(lseek(fd, 0, SEEK_CUR) == 0, "the file's offset was moved");
}

static void check_image(int fd, const uint8_t *data, size_t size) {
    uint64_t flash_size = 0;
    vqemu_error *error = NULL;
    int qcow2 = qcow2_is_one(fd);
    FUZZ_CHECK(qcow2 == (size >= 4 && memcmp(data, "QFI\xfb", 4) == 0), "qcow2: %d", qcow2);
    if (fuzz_check_result(flash_image_size(fd, "input", false, &flash_size, &error), &error) == 0)
        FUZZ_CHECK(flash_size == size, "a raw image of %ju bytes", (uintmax_t)flash_size);
    fuzz_check_result(flash_image_size(fd, "input", true, &flash_size, &error), &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("input", MFD_CLOEXEC);
    fuzz_begin(data, size);
    FUZZ_CHECK(fd >= 0 && write_all(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0,
               "cannot write the file");
    check_elf(fd, data, size);
    check_elf_content(fd, data, size);
    check_image(fd, data, size);
    close(fd);
    return 0;
}
