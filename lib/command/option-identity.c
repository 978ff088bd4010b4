/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

/* The name of the VM, and of the process: through the loader it would be the loader's. Its threads
 * are told apart as well, in top(1) and by who pins them to CPUs. */
void identity_options(const struct plan *plan, struct options *options) {
    const struct identity_plan *identity = &plan->identity;
    option_begin(options, OPTION_NAME, NULL, origin_key("name", NULL));
    option_text(options, "guest", identity->process);
    option_text(options, "process", identity->process);
    option_switch(options, "debug-threads", true);
    option_from(options, origin_none("threads are told apart by their names"));
    option_begin(options, OPTION_MSG, NULL, origin_none("for who reads several VMs in one log"));
    option_switch(options, "timestamp", true);
    option_switch(options, "guest-name", true);
    option_begin(options, OPTION_UUID, identity->uuid.value, identity->uuid.origin);
    option_begin(options, OPTION_PID_FILE, identity->pid_file,
                 origin_key("runtime_dir", "QEMU locks it, so that the VM runs once"));
}
