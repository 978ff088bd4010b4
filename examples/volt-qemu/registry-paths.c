/* SPDX-License-Identifier: MIT */
#include "registry-paths.h"

#include <stdlib.h>
#include <unistd.h>

#include "text.h"

/* The value of a variable that names a directory; NULL if it does not. */
static const char *directory_of(const char *variable) {
    const char *directory = getenv(variable);
    return directory && directory[0] == '/' ? directory : NULL;
}

static const char *home(void) {
    const char *directory = directory_of("HOME");
    return directory ? directory : "/root";
}

static char *runtime_login(void) {
    const char *directory = directory_of("XDG_RUNTIME_DIR");
    return directory ? format_text("%s/containers/auth.json", directory)
                     : format_text("/run/containers/%u/auth.json", (unsigned)getuid());
}

static char *config_login(void) {
    const char *directory = directory_of("XDG_CONFIG_HOME");
    return directory ? format_text("%s/containers/auth.json", directory)
                     : format_text("%s/.config/containers/auth.json", home());
}

static char *docker_login(void) {
    const char *directory = directory_of("DOCKER_CONFIG");
    return directory ? format_text("%s/config.json", directory)
                     : format_text("%s/.docker/config.json", home());
}

char *registry_login_path(size_t index) {
    const char *only = getenv("REGISTRY_AUTH_FILE");
    if (only && *only)
        return index == 0 ? format_text("%s", only) : NULL;
    switch (index) {
    case 0:
        return runtime_login();
    case 1:
        return config_login();
    case 2:
        return docker_login();
    default:
        return NULL;
    }
}

char *registry_certificate_directory(size_t index, const char *host) {
    switch (index) {
    case 0:
        return format_text("%s/.config/containers/certs.d/%s", home(), host);
    case 1:
        return format_text("/etc/containers/certs.d/%s", host);
    case 2:
        return format_text("/etc/docker/certs.d/%s", host);
    default:
        return NULL;
    }
}
