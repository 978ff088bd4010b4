/* SPDX-License-Identifier: MIT */
/* How requests of a session prove who they are from: Basic, or a token that a server of the
 * registry's choice gives (Bearer). */
#ifndef LIB_LOGIN_H
#define LIB_LOGIN_H

#include "remote/failure.h"
#include "remote/http.h"
#include "remote/remote.h"

struct login {
    const vqemu_remote *remote;
    const struct url *registry;
    char *scope;         /* what a token is wanted for */
    bool basic;          /* it goes with each request */
    char *authorization; /* a header; NULL while there is no token */
    unsigned generation; /* counts what was found out; 0 for nothing yet */

    /* The server for tokens, and what it is asked. */
    struct url realm;
    char *form; /* NULL: GET */
};

void login_release(struct login *login);

/* Have a request to the registry itself carry what there is. */
void login_apply(const struct login *login, struct http_transfer *transfer);

/* An answer says 401. *asks: a token is to be asked for first, by login_ask(). */
int login_challenged(struct login *login, const struct failed *failed, bool *asks,
                     vqemu_error **error);

/* Make a request the one for a token, which goes to login->realm. */
void login_ask(const struct login *login, struct http_transfer *transfer);
int login_take_token(struct login *login, const struct failed *failed, vqemu_error **error);

#endif
