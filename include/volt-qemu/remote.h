/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_REMOTE_H
#define VOLT_QEMU_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A repository of an OCI registry, and how it is talked to. Source of the protocol: the OCI
 * distribution specification 1.1.
 *
 * libcurl is loaded when a registry is first asked (libcurl.so.4 or libcurl-gnutls.so.4), and stays
 * loaded. No proxy, login or certificate is looked for anywhere: what is not set here is not used.
 * libcurl itself, and the TLS library that it uses, do read a few variables of the environment
 * (SSLKEYLOGFILE, OPENSSL_CONF), and make descriptors for their own threads that are not
 * close-on-exec for the duration of a call; sockets are. Looking a name up cannot be cut short: it
 * takes as long as resolv.conf(5) allows, whatever the deadline.
 *
 * A login goes to the registry itself, and to the server for tokens that it names, but never over
 * http to another host, nor to an address of this host or its link, unless the registry is there.
 *
 * Set it up in one thread; after that any number of calls may use it at the same time. Since 1.0.
 */
typedef struct vqemu_remote vqemu_remote;

/**
 * Make one. repository: "host/name" or "host:port/name", such as "registry.example/volt/kvm-linux":
 * without a scheme and without a tag; the host has a dot or port, or is "localhost". The caller
 * frees *remote with vqemu_remote_free(). Nobody is asked yet.
 *
 * Errors: VQEMU_ERR_INVALID (reason "repository"), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_remote_new(const char *repository, vqemu_remote **remote, vqemu_error **error);

/** Free it; what is secret in it is wiped. NULL is allowed. Since 1.0. */
void vqemu_remote_free(vqemu_remote *remote);

/* ---- texts ---- */

/** The user who logs in; NULL, the default, for nobody. Without ":". Since 1.0. */
#define VQEMU_REMOTE_USER "user"

/** The user's password. In no message. Since 1.0. */
#define VQEMU_REMOTE_PASSWORD "password"

/** Instead of user and password: a token that the registry's own server for tokens has given
 * ("identitytoken" in files of logins). In no message. Since 1.0. */
#define VQEMU_REMOTE_IDENTITY_TOKEN "identity_token"

/** The file of certificates, PEM, that the registry's must be signed by, instead of those that the
 * system trusts. An absolute path. Since 1.0. */
#define VQEMU_REMOTE_CA_FILE "ca_file"

/** The file of the client's certificate, PEM. An absolute path. Since 1.0. */
#define VQEMU_REMOTE_CERTIFICATE "certificate"

/** The file of its key, PEM, if that is another one. An absolute path. Since 1.0. */
#define VQEMU_REMOTE_KEY "key"

/** The proxy, such as "http://proxy.example:3128"; NULL, the default, for none, whatever the
 * environment says. It may have a login in it, which is in no message. Since 1.0. */
#define VQEMU_REMOTE_PROXY "proxy"

/** The one host that may be asked for tokens besides the registry's own; NULL, the default, for any
 * that the registry names. Since 1.0. */
#define VQEMU_REMOTE_TOKEN_HOST "token_host"

/** The name of another repository of the same registry, without the host, which may have some of
 * what vqemu_store_push() has to send: then it need not travel. NULL, the default, for none.
 * Since 1.0. */
#define VQEMU_REMOTE_MOUNT_FROM "mount_from"

/**
 * Set a text by its key, one of the macros above; it is copied. NULL unsets it. Errors:
 * VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (reason "relative-path"; a control character),
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_remote_set_string(vqemu_remote *remote, const char *key, const char *value,
                            vqemu_error **error);

/* ---- numbers ---- */

/** 1 for a registry that talks http instead of https; 0 is the default. A login is sent so only to
 * this host itself. Since 1.0. */
#define VQEMU_REMOTE_PLAIN_HTTP "plain_http"

/** Seconds for making a connection, at most 3,600; 0 sets the default of 30. Since 1.0. */
#define VQEMU_REMOTE_CONNECT_SECONDS "connect_seconds"

/** Seconds in which less than 1,000 bytes a second arrive, after which a connection is given up, at
 * most 3,600; 0 sets the default of 60. Since 1.0. */
#define VQEMU_REMOTE_STALL_SECONDS "stall_seconds"

/** How many requests are made at the same time, at most 32; 0 sets the default of 8. Since 1.0. */
#define VQEMU_REMOTE_CONNECTIONS "connections"

/** How often a request is tried, the first time included, at most 100; 0 sets the default of 6. The
 * pauses between grow from a quarter of a second; one that the registry asks for is kept, up to a
 * minute. Since 1.0. */
#define VQEMU_REMOTE_TRIES "tries"

/** Set a number by its key, one of the macros above. Errors: VQEMU_ERR_UNKNOWN_KEY,
 * VQEMU_ERR_INVALID (too large), VQEMU_ERR_USAGE. Since 1.0. */
int vqemu_remote_set_number(vqemu_remote *remote, const char *key, uint64_t value,
                            vqemu_error **error);

/* ---- tags ---- */

/** Tags of a repository, sorted, each once. Immutable. Since 1.0. */
typedef struct vqemu_tag_list vqemu_tag_list;

/**
 * List the tags of the repository: all pages, of which 100 are read. flags: 0. call: may be NULL;
 * its progress has the step "list", in tags. The caller frees *list with vqemu_tag_list_free().
 *
 * Errors: VQEMU_ERR_NETWORK (reasons "unreachable": no such host, or it does not answer, was cut
 * off, or is too slow; "certificate": the registry's is not trusted, or one that was set cannot be
 * used; "no-tls": that cannot be agreed on; "server-failed"; "throttled": it wants fewer requests,
 * or longer pauses than a minute), VQEMU_ERR_DENIED (reasons "login-missing", "login-refused",
 * "forbidden"; "token-server": the login would go where it must not), VQEMU_ERR_NOT_FOUND (reason
 * "no-repository": there is none of this name, or it is hidden from who is not logged in),
 * VQEMU_ERR_MALFORMED (reason "not-a-registry": what answers makes no sense, or too much of it),
 * VQEMU_ERR_UNSUPPORTED (reason "library-missing": libcurl), VQEMU_ERR_INVALID (reason
 * "plain-login": the login would be sent readably to another host; reason "missing-value": a user
 * without a password, or the like), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_remote_list_tags(const vqemu_remote *remote, uint32_t flags, vqemu_call *call,
                           vqemu_tag_list **list, vqemu_error **error);

/** How many there are; 0 for NULL. Since 1.0. */
size_t vqemu_tag_list_count(const vqemu_tag_list *list);

/** The tag at an index. Borrowed from the list; NULL beyond the count. Since 1.0. */
const char *vqemu_tag_list_at(const vqemu_tag_list *list, size_t index);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_tag_list_free(vqemu_tag_list *list);

#ifdef __cplusplus
}
#endif

#endif
