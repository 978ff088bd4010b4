/* SPDX-License-Identifier: MIT */
#include "command/args-socket.h"

#include "command/args-claim.h"
#include "command/qemu-opt.h"

void args_listen(struct args *args, const char *id, const char *key, const char *path) {
    struct strbuf chardev = {0};
    strbuf_addf(&chardev, "socket,id=%s", id);
    qemu_opt_add(&chardev, "path", path);
    strbuf_add(&chardev, ",server=on,wait=off");
    args_option_buffer(args, "-chardev", &chardev);
    args_claim(args, key, path);
    resources_add_socket(&args->resources, path);
}

void args_connect(struct args *args, const char *id, const char *key, const char *path) {
    struct strbuf chardev = {0};
    strbuf_addf(&chardev, "socket,id=%s", id);
    qemu_opt_add(&chardev, "path", path);
    args_option_buffer(args, "-chardev", &chardev);
    args_claim(args, key, path);
    resources_add_connect(&args->resources, path);
}
