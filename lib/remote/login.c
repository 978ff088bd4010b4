/* SPDX-License-Identifier: MIT */
#include "remote/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "remote/challenge.h"
#include "util/strbuf.h"

#define TOKEN_MAX ((size_t)16 * 1024)
#define TOKEN_ANSWER_MAX ((size_t)64 * 1024)

static void free_secret(char *text) {
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void login_release(struct login *login) {
    free(login->scope);
    free_secret(login->authorization);
    free_secret(login->form);
    url_release(&login->realm);
}

void login_apply(const struct login *login, struct http_transfer *transfer) {
    transfer->authorization = login->authorization;
    if (login->basic) {
        transfer->user = login->remote->user;
        transfer->password = login->remote->password;
    }
}

/* ---- the server for tokens ---- */

/* Whether it is the registry's own host, or both are here. */
static bool is_at_home(const struct login *login) {
    const char *realm = login->realm.host, *registry = login->registry->host;
    return strcmp(realm, registry) == 0 || (host_is_loopback(realm) && host_is_loopback(registry));
}

/* Why no login goes there, as a phrase; NULL if one may. */
static const char *find_realm_fault(const struct login *login) {
    const vqemu_remote *remote = login->remote;
    const struct url *realm = &login->realm;
    if (login->registry->is_https && !realm->is_https)
        return "over plain HTTP, which the registry does not talk itself";
    if (!realm->is_https && remote_has_login(remote) && !host_is_loopback(realm->host))
        return "over plain HTTP to another host";
    if (is_at_home(login))
        return NULL;
    if (remote->token_host && strcmp(remote->token_host, realm->host) != 0)
        return "to another host than the one that was set for it";
    return host_is_local_address(realm->host) ? "to an address of this host or its link" : NULL;
}

static int check_realm(const struct login *login, const struct failed *failed,
                       vqemu_error **error) {
    const char *fault = find_realm_fault(login);
    if (!fault)
        return 0;
    int r = error_set(error, VQEMU_ERR_DENIED, 0,
                      "cannot %s %s: the registry sends for a token to %s, %s", failed->doing,
                      login->remote->repository, login->realm.host, fault);
    return error_because(r, error, "token-server", VQEMU_DETAIL_HOST, login->realm.host, NULL);
}

/* "name=value", with what is not plain as %XX (RFC 3986). */
static void add_parameter(struct strbuf *text, char separator, const char *name,
                          const char *value) {
    if (separator)
        strbuf_add_char(text, separator);
    strbuf_addf(text, "%s=", name);
    for (const char *c = value; *c; c++) {
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
            strchr("-._~", *c))
            strbuf_add_char(text, *c);
        else
            strbuf_addf(text, "%%%02X", (unsigned char)*c);
    }
}

/* Whether each resource of a scope, "repository:NAME:ACTIONS", is one of those that are wanted. */
static bool is_within(const char *scope, const char *wanted) {
    for (size_t length; *(scope += strspn(scope, " ")); scope += length) {
        length = strcspn(scope, " ");
        const char *colon = memrchr(scope, ':', length);
        _cleanup_free_ char *resource =
            strndup(scope, colon ? (size_t)(colon - scope) + 1 : length);
        if (!resource || !strstr(wanted, resource))
            return false;
    }
    return true;
}

/* What all requests of the call need: a token for the one at hand alone would be too little for
 * those beside it, which ask for no further one. A registry can have another name for it, though.
 */
static const char *scope_of(const struct login *login, const struct challenge *challenge) {
    const char *scope = challenge->scope;
    return scope && !is_within(scope, login->scope) ? scope : login->scope;
}

static void add_wish(const struct login *login, const struct challenge *challenge, char separator,
                     struct strbuf *text) {
    if (challenge->service)
        add_parameter(text, separator, "service", challenge->service);
    add_parameter(text, challenge->service ? '&' : separator, "scope", scope_of(login, challenge));
}

/* What is posted for an identity token (OAuth 2.0, as registries have it). */
static int make_form(struct login *login, const struct challenge *challenge) {
    struct strbuf text = {0};
    strbuf_add(&text, "grant_type=refresh_token&client_id=volt-qemu");
    add_wish(login, challenge, '&', &text);
    add_parameter(&text, '&', "refresh_token", login->remote->identity_token);
    free_secret(login->form);
    login->form = strbuf_take(&text);
    return login->form ? 0 : -ENOMEM;
}

/* Else the wish is in the query. */
static int extend_realm(struct login *login, const struct challenge *challenge) {
    struct strbuf path = {0};
    strbuf_add(&path, login->realm.path);
    add_wish(login, challenge, strchr(login->realm.path, '?') ? '&' : '?', &path);
    char *extended = strbuf_take(&path);
    if (!extended)
        return -ENOMEM;
    free(login->realm.path);
    login->realm.path = extended;
    return 0;
}

static int prepare_question(struct login *login, const struct challenge *challenge,
                            const struct failed *failed, vqemu_error **error) {
    url_release(&login->realm);
    int r = challenge->realm ? url_parse(challenge->realm, &login->realm) : -EINVAL;
    if (r == -EINVAL)
        return failure_of_sense(
            failed, "that a token is needed, and names no server that gives any", error);
    int checked = r == 0 ? check_realm(login, failed, error) : 0;
    if (checked < 0)
        return checked;
    if (r == 0)
        r = login->remote->identity_token ? make_form(login, challenge)
                                          : extend_realm(login, challenge);
    return r < 0 ? error_no_memory(error) : 0;
}

void login_ask(const struct login *login, struct http_transfer *transfer) {
    const vqemu_remote *remote = login->remote;
    transfer->method = login->form ? "POST" : "GET";
    transfer->form = login->form;
    transfer->accept = "application/json";
    transfer->body_max = TOKEN_ANSWER_MAX;
    if (!login->form) {
        transfer->user = remote->user;
        transfer->password = remote->password;
    }
}

/* ---- answers ---- */

static int read_challenge(const struct answer *answer, struct challenge *challenge) {
    const char *header;
    int r = 0;
    for (size_t i = 0; r == 0 && (header = answer_header(answer, "WWW-Authenticate", i)); i++)
        r = challenge_add(challenge, header);
    return r;
}

/* A token is worth more than a password that travels each time. */
int login_challenged(struct login *login, const struct failed *failed, bool *asks,
                     vqemu_error **error) {
    _cleanup_(challenge_release) struct challenge challenge = {0};
    *asks = false;
    if (read_challenge(failed->answer, &challenge) < 0)
        return error_no_memory(error);
    if (challenge.bearer) {
        *asks = true;
        return prepare_question(login, &challenge, failed, error);
    }
    if (!challenge.basic || !login->remote->user)
        return failure_of_answer(failed, error);
    login->basic = true;
    login->generation++;
    return 0;
}

/* It becomes a line of a request. */
static bool token_is_good(const char *token) {
    size_t length = strlen(token);
    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] >= 0x7f)
            return false;
    return length > 0 && length <= TOKEN_MAX;
}

int login_take_token(struct login *login, const struct failed *failed, vqemu_error **error) {
    _cleanup_json_ json_t *object = NULL;
    const struct strbuf *body = &failed->answer->body;
    if (failed->answer->status == 404) /* it says nothing of the repository */
        return failure_of_sense(failed, "with status 404 when it is asked for a token", error);
    if (!answer_is_good(failed->answer))
        return failure_of_answer(failed, error);
    int r = json_parse_object(body->text ? body->text : "", body->length, "the token's answer",
                              &object, NULL);
    if (r == VQEMU_ERR_NO_MEMORY)
        return error_no_memory(error);
    const char *token = json_text(object, "token");
    if (!*token)
        token = json_text(object, "access_token");
    if (!token_is_good(token))
        return failure_of_sense(failed, "without a token, when it is asked for one", error);
    free_secret(login->authorization);
    login->authorization = format_string("Authorization: Bearer %s", token);
    explicit_bzero((char *)(uintptr_t)token, strlen(token));
    login->generation++;
    return login->authorization ? 0 : error_no_memory(error);
}
