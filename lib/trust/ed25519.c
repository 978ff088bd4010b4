/* SPDX-License-Identifier: MIT */
#include "trust/ed25519.h"

#include <assert.h>

#include <nettle/eddsa.h>

#include "base/dlopen-note.h"
#include "base/error.h"
#include "base/optional-library.h"

static_assert(ED25519_KEY_BYTES == ED25519_KEY_SIZE &&
                  ED25519_SIGNATURE_BYTES == ED25519_SIGNATURE_SIZE,
              "they are those of nettle");

DLOPEN_NOTE(hogweed, "[{\"feature\":\"signatures\",\"description\":\"Signatures of profiles\","
                     "\"priority\":\"recommended\",\"soname\":[\"" HOGWEED_SONAME "\"]}]");

/* nettle's header gives the function its name in the library. */
#define TEXT(word) #word
#define NAME(word) TEXT(word)

int ed25519_load(ed25519_verify_fn *verify, vqemu_error **error) {
    __typeof__(ed25519_sha512_verify) *loaded;
    const struct optional_function functions[] = {{NAME(ed25519_sha512_verify), &loaded}};
    const char *problem;
    if (optional_library_load(HOGWEED_SONAME, functions, 1, &problem)) {
        *verify = loaded;
        return 0;
    }
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "signatures need nettle's hogweed, but %s cannot be loaded%s%s",
                      HOGWEED_SONAME, problem ? ": " : "", problem ? problem : "");
    return error_because(r, error, "library-missing", NULL);
}
