// SPDX-License-Identifier: MIT
/*
 * How long libvirt takes to turn a domain into the command that runs it, in process, without a
 * daemon:
 *
 *     libvirt COUNT ROOT         ROOT: a new directory, where its driver keeps what it keeps
 *
 * Prints the median of so many calls in nanoseconds. Compiled only where libvirt is installed.
 */
#include "bench.h"

#include <pthread.h>
#include <sys/stat.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/* The VM that ours.c describes. */
static const char domain[] =
    "<domain type='qemu'><name>bench</name><memory unit='MiB'>512</memory><vcpu>2</vcpu>"
    "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>/srv/guests/vmlinuz</kernel>"
    "<cmdline>root=rootfs rootfstype=9p console=ttyS0</cmdline></os>"
    "<features><acpi/></features><on_reboot>destroy</on_reboot>"
    "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
    "<filesystem type='mount'><source dir='/srv/guests/bench'/><target dir='rootfs'/>"
    "<readonly/></filesystem><serial type='pty'/><memballoon model='none'/>"
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
    "</devices></domain>";

_Noreturn static void fail(const char *what) {
    die_text(what, virGetLastErrorMessage());
}

/* The embedded driver talks to QEMU, to learn what it can do, through an event loop of its caller.
 */
static void *run_events(void *unused) {
    while (virEventRunDefaultImpl() == 0)
        continue;
    return unused;
}

static virConnectPtr connect_to(const char *root) {
    char uri[4096];
    pthread_t thread;
    if (virEventRegisterDefaultImpl() < 0)
        fail("event loop");
    if ((errno = pthread_create(&thread, NULL, run_events, NULL)))
        die("thread");
    mkdir(root, 0700);
    snprintf(uri, sizeof uri, "qemu:///embed?root=%s", root);
    virConnectPtr connection = virConnectOpen(uri);
    if (!connection)
        fail(uri);
    return connection;
}

static void convert(virConnectPtr connection) {
    char *command = virConnectDomainXMLToNative(connection, "qemu-argv", domain, 0);
    if (!command)
        fail("domain");
    free(command);
}

int main(int argc, char **argv) {
    if (argc != 3)
        die_text("usage", "libvirt COUNT ROOT");
    struct samples samples = samples_of(parse_count(argv[1]));
    virConnectPtr connection = connect_to(argv[2]);
    convert(connection); /* the first one asks QEMU what it can do */
    while (sample_more(&samples)) {
        sample_start(&samples);
        convert(connection);
        sample_end(&samples);
    }
    samples_print(&samples);
    /* Not closed: the event loop still runs. */
    return 0;
}
