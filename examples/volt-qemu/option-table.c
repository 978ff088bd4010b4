/* SPDX-License-Identifier: MIT */
#include "option-table.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

#define FIELD(name) offsetof(struct options, name)

const struct option_row option_rows[] = {
    {"root", "DIR", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(root),
     "the store (default " DEFAULT_ROOT ")"},
    {"objects", "DIR", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(objects),
     "instead of --root: its objects,"},
    {"refs", "DIR", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(refs), "  its manifests,"},
    {"trees", "DIR", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(trees), "  its assembled trees,"},
    {"links", "DIR", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(links), "  and, if wanted, links to them"},
    {"read-only", NULL, OPTIONS_GLOBAL, OPTION_SWITCH, FIELD(read_only),
     "write nothing to the store"},
    {"allow-others", NULL, OPTIONS_GLOBAL, OPTION_SWITCH, FIELD(allow_others),
     "use a store that other users than root and you may write to"},
    {"threads", "COUNT", OPTIONS_GLOBAL, OPTION_NUMBER, FIELD(threads),
     "how many threads may work on the store (default 1)"},
    {"max-objects", "COUNT", OPTIONS_GLOBAL, OPTION_NUMBER, FIELD(max_objects),
     "how many files a profile may have (default 10000)"},
    {"timeout", "SECONDS", OPTIONS_GLOBAL, OPTION_NUMBER, FIELD(timeout),
     "give up after this time (default: never); of stop, the guest's time (default 90)"},
    {"lock-timeout", "SECONDS", OPTIONS_GLOBAL, OPTION_NUMBER, FIELD(lock_timeout),
     "how long to wait for others that use the store (default 120)"},
    {"host-arch", "ARCH", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(host_arch),
     "plan for a host of this architecture (without KVM)"},
    {"kvm", "STATE", OPTIONS_GLOBAL, OPTION_KVM_STATE, FIELD(kvm),
     "plan for KVM usable, absent, denied, broken, software or unseen"},
    {"vhost-net", "STATE", OPTIONS_GLOBAL, OPTION_TEXT, FIELD(vhost_net),
     "plan for vhost-net usable, absent, denied, broken, private or unseen"},
    {"json", NULL, OPTIONS_GLOBAL, OPTION_SWITCH, FIELD(json), "print JSON, also errors"},
    {"help", NULL, OPTIONS_GLOBAL, OPTION_SWITCH, FIELD(help), "print help"},
    {"version", NULL, OPTIONS_GLOBAL, OPTION_SWITCH, FIELD(version), "print the version"},

    {"profile", "NAME", OPTIONS_PROFILE, OPTION_TEXT, FIELD(profile), "the profile"},
    {"mode", "MODE", OPTIONS_WORKLOAD, OPTION_TEXT, FIELD(mode),
     "hybrid-kvm or hybrid-emulated (default: KVM if it works)"},
    {"accel", "ACCEL", OPTIONS_WORKLOAD | OPTIONS_INGEST, OPTION_TEXT, FIELD(accel),
     "kvm or tcg: what guests run by"},
    {"guest-arch", "ARCH", OPTIONS_WORKLOAD, OPTION_TEXT, FIELD(guest_arch),
     "the guest's architecture (default: the host's)"},
    {"guest-os", "OS", OPTIONS_WORKLOAD, OPTION_TEXT, FIELD(guest_os),
     "windows, other, uefi or linux (default: as the VM says, else linux)"},

    {"revision", "NAME", OPTIONS_RESOLVE, OPTION_TEXT, FIELD(revision),
     "this revision of a profile (default: the one that is set to be used, else the newest)"},
    {"ref", "NAME", OPTIONS_RESOLVE, OPTION_TEXT, FIELD(revision), NULL},
    {"verify", NULL, OPTIONS_RESOLVE, OPTION_SWITCH, FIELD(verify),
     "read and check every file and object"},
    {"trust", NULL, OPTIONS_RESOLVE, OPTION_SWITCH, FIELD(trust),
     "use a tree that is there without looking at its files"},

    {"key", "FILE", OPTIONS_RESOLVE | OPTIONS_KEY, OPTION_SETTING, SETTING_SIGNER,
     "refuse what is not signed by this public key, or another --key"},
    {"any-kind", NULL, OPTIONS_SIGNATURE, OPTION_SWITCH, FIELD(any_kind),
     "also a signature that this program cannot verify"},

    {"vm", "FILE", OPTIONS_VM, OPTION_TEXT, FIELD(vm),
     "read the VM from a JSON file (-: standard input); the options below override it"},
    {"name", "NAME", OPTIONS_VM, OPTION_TEXT, FIELD(name),
     "its name (default " DEFAULT_VM_NAME ")"},
    {"memory", "SIZE", OPTIONS_VM, OPTION_MEMORY, FIELD(memory),
     "its memory in MiB, or with suffix M or G (0: the default)"},
    {"cpus", "COUNT", OPTIONS_VM, OPTION_NUMBER, FIELD(cpus), "its CPUs (0: the default, 1)"},
    {"rootfs", "DIR", OPTIONS_VM, OPTION_ABSOLUTE_PATH, FIELD(rootfs),
     "the root file system, shared read-only over 9p"},
    {"kernel", "FILE", OPTIONS_VM, OPTION_ABSOLUTE_PATH, FIELD(kernel), "the kernel to boot"},
    {"initrd", "FILE", OPTIONS_VM, OPTION_ABSOLUTE_PATH, FIELD(initrd), "its initial RAM disk"},
    {"append", "TEXT", OPTIONS_VM, OPTION_TEXT, FIELD(append), "its whole command line"},
    {"disk", "FILE[,KEY=VALUE...]", OPTIONS_VM, OPTION_SETTING, SETTING_DISK,
     "one disk more, such as web.qcow2,format=qcow2"},
    {"forward", "[tcp:|udp:][ADDRESS:]HOST-PORT:GUEST-PORT", OPTIONS_VM, OPTION_SETTING,
     SETTING_FORWARD, "a port of this host that leads to one of the guest; makes a network"},
    {"share", "DIR[:TAG][:rw]", OPTIONS_VM, OPTION_SETTING, SETTING_SHARE,
     "a directory that the guest can mount by its tag (default share0, ...)"},
    {"set", "KEY=VALUE", OPTIONS_VM, OPTION_SETTING, SETTING_KEY,
     "set any key of the VM, such as disks[0].cache=none; without a value, its default"},
    {"fd", "NAME=NUMBER", OPTIONS_RUN, OPTION_SETTING, SETTING_FD,
     "the descriptor of this process that the VM knows by a name (fd_name)"},
    {"policy", "FILE", OPTIONS_POLICY, OPTION_TEXT, FIELD(policy),
     "deny what a policy, a JSON file, does not allow of the VM (default: all is allowed)"},
    {"no-check", NULL, OPTIONS_POLICY, OPTION_SWITCH, FIELD(no_check),
     "do not ask the profile's QEMU whether it has what the command asks for"},

    {"explain", NULL, OPTIONS_EXPLAIN, OPTION_SWITCH, FIELD(explain),
     "tell of each argument which key of the VM it comes from, or why it is there"},

    {"commands", NULL, OPTIONS_COMMANDS, OPTION_SWITCH, FIELD(commands),
     "compare the commands that run the VMs"},

    {"qemu-version", "TEXT", OPTIONS_INGEST, OPTION_TEXT, FIELD(qemu_version), "QEMU's version"},
    {"build-date", "TEXT", OPTIONS_INGEST, OPTION_TEXT, FIELD(build_date), "when it was built"},
    {"build-host", "TEXT", OPTIONS_INGEST, OPTION_TEXT, FIELD(build_host), "where it was built"},
    {"created-at", "TIME", OPTIONS_INGEST, OPTION_TEXT, FIELD(created_at),
     "the time of creation that it tells, such as 2024-05-01T12:00:00Z (default: now)"},
    {"description", "TEXT", OPTIONS_INGEST, OPTION_TEXT, FIELD(description),
     "what the profile is for"},
    {"guests", "ARCH,...", OPTIONS_INGEST, OPTION_TEXT, FIELD(guests),
     "of a profile of your own: the guest architectures it serves"},
    {"whole", NULL, OPTIONS_WHOLE, OPTION_SWITCH, FIELD(whole),
     "refuse a profile in which something is missing or would come from the host"},
    {"abilities", "NAME,...", OPTIONS_INGEST, OPTION_TEXT, FIELD(abilities),
     "of a profile of your own: display, usb, tpm, uefi, storage, nics, hyperv"},

    {"manifest", "FILE", OPTIONS_SHOW, OPTION_TEXT, FIELD(manifest),
     "a manifest outside of the store"},
    {"text", NULL, OPTIONS_SHOW, OPTION_SWITCH, FIELD(text),
     "print the manifest itself, byte for byte: what is signed"},
    {"files", NULL, OPTIONS_FILES, OPTION_SWITCH, FIELD(files), "also list the files"},

    {"sizes", NULL, OPTIONS_SIZES, OPTION_SWITCH, FIELD(sizes),
     "what they take on disk, and with which others they share it"},

    {"digest", "SHA256", OPTIONS_IMPORT, OPTION_TEXT, FIELD(digest),
     "the revision that it must be"},
    {"any-profile", NULL, OPTIONS_IMPORT, OPTION_SWITCH, FIELD(any_profile),
     "it may say itself of which profile it is"},
    {"max-size", "SIZE", OPTIONS_INGEST | OPTIONS_COPY | OPTIONS_VERIFY | OPTIONS_PULL,
     OPTION_BYTES, FIELD(max_size),
     "the most that may come into the store, in bytes, or with suffix K, M or G (default 4G)"},
    {"output", "PATH", OPTIONS_EXPORT | OPTIONS_UNIT, OPTION_TEXT, FIELD(output),
     "file of the archive, directory of the units (default: standard output)"},
    {"layout", "DIR", OPTIONS_LAYOUT, OPTION_TEXT, FIELD(layout),
     "instead of an archive: an OCI image layout, which skopeo copies to and from registries"},
    {"tag", "TAG", OPTIONS_LAYOUT, OPTION_TEXT, FIELD(tag),
     "what it is called in the layout (default: its name; of import, the only one)"},
    {"max-layers", "COUNT", OPTIONS_EXPORT | OPTIONS_PUSH, OPTION_NUMBER, FIELD(max_layers),
     "how many layers it may have there, before small objects go into packs (default 400)"},
    {"user-manager", NULL, OPTIONS_USER, OPTION_SWITCH, FIELD(user_manager),
     "for the manager of a user (systemctl --user)"},
    {"stop-timeout", "SECONDS", OPTIONS_UNIT, OPTION_NUMBER, FIELD(stop_timeout),
     "the guest's time to switch itself off when the service is stopped (default 90)"},
    {"closure", NULL, OPTIONS_VERIFY, OPTION_SWITCH, FIELD(closure),
     "also check that all that the files ask for is there"},
    {"repair", NULL, OPTIONS_VERIFY, OPTION_SWITCH, FIELD(repair),
     "put right what can be put right"},
    {"from", "SOURCE", OPTIONS_VERIFY, OPTION_TEXT, FIELD(from),
     "where good copies are: a directory, a tar archive, or the root of another store"},
    {"dry-run", NULL, OPTIONS_COLLECT | OPTIONS_PULL | OPTIONS_PUSH, OPTION_SWITCH, FIELD(dry_run),
     "change nothing, only tell"},
    {"keep", "COUNT", OPTIONS_COLLECT, OPTION_NUMBER, FIELD(keep),
     "of each profile, also remove all but the newest revisions"},
    {"keep-variables", NULL, OPTIONS_PREPARE, OPTION_SWITCH, FIELD(keep_variables),
     "UEFI variables of other firmware: keep them, they are good for this one"},
    {"reset-variables", NULL, OPTIONS_PREPARE, OPTION_SWITCH, FIELD(reset_variables),
     "UEFI variables: start anew; the old ones stay as FILE.old"},
    {"to", "DIR", OPTIONS_COPY, OPTION_TEXT, FIELD(to), "the root of the other store"},
    {"force", NULL, OPTIONS_PUSH, OPTION_SWITCH, FIELD(force),
     "send all, also what the registry says that it has"},
    {"mount-from", "NAME", OPTIONS_PUSH, OPTION_TEXT, FIELD(mount_from),
     "another repository there, which may have some of it already"},
    {"delete", "TAG", OPTIONS_TAGS, OPTION_TEXT, FIELD(deleted),
     "delete what a tag names, or \"sha256:...\", with all tags that name the same"},
    {"authfile", "FILE", OPTIONS_REMOTE, OPTION_TEXT, FIELD(authfile),
     "where logins are (default: where podman, skopeo and docker keep them)"},
    {"user", "NAME", OPTIONS_REMOTE, OPTION_TEXT, FIELD(user), "who logs in, with"},
    {"password-stdin", NULL, OPTIONS_REMOTE, OPTION_SWITCH, FIELD(password_stdin),
     "  the password that is read from standard input,"},
    {"login-file", "FILE", OPTIONS_REMOTE, OPTION_TEXT, FIELD(login_file),
     "  or both from a file, NAME:PASSWORD, such as a credential of systemd"},
    {"ca-file", "FILE", OPTIONS_REMOTE, OPTION_ABSOLUTE_PATH, FIELD(ca_file),
     "certificates that the registry's must be signed by (default: as in certs.d, the system's)"},
    {"cert", "FILE", OPTIONS_REMOTE, OPTION_ABSOLUTE_PATH, FIELD(certificate),
     "the client's certificate (default: as in certs.d)"},
    {"cert-key", "FILE", OPTIONS_REMOTE, OPTION_ABSOLUTE_PATH, FIELD(certificate_key),
     "its key, if that is not in the same file"},
    {"plain-http", NULL, OPTIONS_REMOTE, OPTION_SWITCH, FIELD(plain_http),
     "the registry talks HTTP, not HTTPS"},
    {"holder", "KIND:NAME", OPTIONS_PIN, OPTION_TEXT, FIELD(holder),
     "for whom it is pinned, such as unit:volt-web (default: nobody in particular)"},
};

const size_t option_count = sizeof option_rows / sizeof *option_rows;

void options_print_help(unsigned groups) {
    enum { COLUMN = 24 };
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (!(row->groups & groups) || !row->help)
            continue;
        int width = printf("  --%s %s", row->name, row->argument ? row->argument : "");
        if (width > COLUMN - 1) {
            putchar('\n');
            width = 0;
        }
        printf("%*s%s\n", COLUMN - width, "", row->help);
    }
}
