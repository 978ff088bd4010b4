/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

static void log_options(const struct plan *plan, struct options *options) {
    if (!plan->vm->console_log)
        return;
    option_text(options, "logfile", plan->vm->console_log);
    option_from(options, origin_key("console_log", NULL));
    option_switch(options, "logappend", true);
    option_from(options, origin_key("console_log", "what was said before is kept"));
}

static void chardev_options(const struct plan *plan, struct options *options) {
    const struct console_plan *console = &plan->console;
    option_begin(options, OPTION_CHARDEV, console->name.value, console->name.origin);
    option_text(options, "id", "console");
    if (is_on(plan->vm->console_monitor)) { /* as -serial mon:stdio */
        option_switch(options, "mux", true);
        option_from(options, origin_key("console_monitor", NULL));
    }
    if (console->kind == CONSOLE_STDIO) {
        option_switch(options, "signal", false);
        option_from(options, origin_none("Ctrl-C is the guest's"));
    }
    if (console->path.value) {
        option_text(options, "path", console->path.value);
        option_from(options, console->path.origin);
    }
    if (console->kind == CONSOLE_FILE)
        option_switch(options, "append", true);
    if (console->kind == CONSOLE_SOCKET) {
        option_switch(options, "server", true);
        option_switch(options, "wait", false);
    }
    log_options(plan, options);
}

void console_options(const struct plan *plan, struct options *options) {
    const struct console_plan *console = &plan->console;
    if (console->kind == CONSOLE_NONE) {
        option_begin(options, OPTION_SERIAL, "none", console->name.origin);
        return;
    }
    chardev_options(plan, options);
    option_begin(options, OPTION_SERIAL, "chardev:console", console->name.origin);
    if (!is_on(plan->vm->console_monitor))
        return;
    option_begin(options, OPTION_MON, NULL, origin_key("console_monitor", NULL));
    option_text(options, "chardev", "console");
    option_text(options, "mode", "readline");
}
