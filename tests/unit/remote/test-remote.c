/* SPDX-License-Identifier: MIT */
/* What registries say: URLs, challenges, links; and what is set of a remote. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "remote/answer.h"
#include "remote/challenge.h"
#include "remote/link.h"
#include "remote/remote.h"
#include "remote/url.h"
#include "run.h"

/* ---- repositories ---- */

START_TEST(repositories) {
    static const char *const good[] = {
        "localhost/a",
        "registry.example/volt/kvm-linux",
        "127.0.0.1:5000/a__b/c.d/e--f",
        "[::1]:5000/a",
        "HOST.example:443/a",
    };
    static const char *const bad[] = {
        "",
        "a",
        "volt/kvm-linux",
        "registry.example",
        "registry.example/",
        "r.example/A",
        "r.example/a:latest",
        "r.example/a@sha256:00",
        "https://r.example/a",
        "r.example/a//b",
        "r.example/-a",
        "r.example/a-",
        "r.example/a___b",
        "r.example/a..b",
        "r.example/a/../b",
        "r.example:0/a",
        "r.example:65536/a",
        "r.example:/a",
        "u@r.example/a",
        "r.example /a",
        "[::1/a",
        "-r.example/a",
        "r.example/a\n",
        "r.example?/a",
        "r.example#/a",
        "../a",
        "..:80/a",
        "r..example/a",
        ".r.example/a",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        vqemu_remote *remote;
        ck_assert_msg(vqemu_remote_new(good[i], &remote, NULL) == 0, "%s", good[i]);
        vqemu_remote_free(remote);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_remote *remote;
        ck_assert_msg(vqemu_remote_new(bad[i], &remote, &error) == VQEMU_ERR_INVALID, "%s", bad[i]);
        ck_assert_str_eq(vqemu_error_reason(error), "repository");
        ck_assert_ptr_null(remote);
    }
}
END_TEST

static void set(vqemu_remote *remote, const char *key, const char *value) {
    ck_assert_int_eq(vqemu_remote_set_string(remote, key, value, NULL), 0);
}

START_TEST(settings) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_remote *remote;
    ck_assert_int_eq(vqemu_remote_new("r.example/a", &remote, NULL), 0);
    ck_assert_int_eq(vqemu_remote_set_string(remote, "password", "a\r\nHost: b", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_null(strstr(vqemu_error_message(error), "Host"));
    ck_assert_int_eq(vqemu_remote_set_string(remote, "user", "a:b", &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_remote_set_string(remote, "ca_file", "ca.pem", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "relative-path");
    ck_assert_int_eq(vqemu_remote_set_string(remote, "pasword", "x", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_int_eq(vqemu_remote_set_number(remote, "user", 1, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_remote_set_string(remote, "tries", "x", &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_remote_set_number(remote, "connections", 33, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_remote_set_number(remote, "connections", 32, &error), 0);
    set(remote, "user", "me");
    ck_assert_int_eq(remote_check(remote, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "missing-value");
    set(remote, "password", "secret");
    ck_assert_int_eq(remote_check(remote, &error), 0);
    ck_assert_int_eq(vqemu_remote_set_number(remote, "plain_http", 1, &error), 0);
    ck_assert_int_eq(remote_check(remote, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "plain-login");
    set(remote, "password", NULL);
    set(remote, "user", NULL);
    ck_assert_int_eq(remote_check(remote, &error), 0);
    vqemu_remote_free(remote);
}
END_TEST

/* What is in a value may be a password, also where it has no business. */
START_TEST(logins_are_in_no_message) {
    static const char *const good[] = {
        "http://proxy.example:3128", "proxy.example", "HTTPS://me:secret@10.0.0.1:8080/",
        "socks5h://[::1]:1080",      "me@x:1",        "",
    };
    static const char *const bad[] = {
        "foo://me:secret@h:1",    "http://me:secret@[::1",    "http://me:secret@h:99999",
        "http://me:secret@h o/",  "file:///secret",           "http://me:secret@",
        "://me:secret@h",         "http://me:sec/secret@h:1", "http://me:secret@h:1/a",
        "http://me:sec\nret@h:1", "http://me secret@h:1",     "unix://me:secret@h/x",
    };
    vqemu_remote *remote;
    ck_assert_int_eq(vqemu_remote_new("r.example/a", &remote, NULL), 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        set(remote, "proxy", good[i]);
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        bool is_user = i == sizeof bad / sizeof *bad;
        const char *value = is_user ? "me:secret" : bad[i];
        ck_assert_int_eq(vqemu_remote_set_string(remote, is_user ? "user" : "proxy", value, &error),
                         VQEMU_ERR_INVALID);
        ck_assert_ptr_null(strstr(vqemu_error_message(error), "secret"));
        ck_assert_ptr_null(vqemu_error_detail(error, VQEMU_DETAIL_VALUE));
    }
    vqemu_remote_free(remote);
}
END_TEST

/* ---- URLs ---- */

START_TEST(urls_are_read) {
    static const struct {
        const char *text, *normal; /* NULL: none */
    } urls[] = {
        {"https://R.example", "https://r.example/"},
        {"HTTP://r.example:80/a?b#c", "http://r.example/a?b"},
        {"https://r.example:5000?x", "https://r.example:5000/?x"},
        {"https://[::1]:443/", "https://[::1]/"},
        {"file:///etc/passwd", NULL},
        {"https://user@r.example/", NULL},
        {"https://r.example\\@e.example/", NULL},
        {"https://r.example/a b", NULL},
        {"https://r.example/\n", NULL},
        {"https:///a", NULL},
        {"https://r.example:99999/", NULL},
        {"https://r.example:80x/", NULL},
        {"https://-o/", NULL},
        {"https://../", NULL},
        {"https://a..b/", NULL},
        {"https://r.example./", "https://r.example./"},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        _cleanup_url_ struct url url = {0};
        ck_assert_msg(url_parse(urls[i].text, &url) == (urls[i].normal ? 0 : -EINVAL), "%s",
                      urls[i].text);
        if (!urls[i].normal)
            continue;
        _cleanup_free_ char *text = url_to_text(&url);
        ck_assert_str_eq(text, urls[i].normal);
    }
}
END_TEST

START_TEST(references_are_read) {
    static const struct {
        const char *reference, *meaning;
    } references[] = {
        {"/v2/b", "https://r.example:5000/v2/b"},
        {"b?c=/d", "https://r.example:5000/v2/b?c=/d"},
        {"?n=2", "https://r.example:5000/v2/a?n=2"},
        {"//o.example/b", "https://o.example/b"},
        {"http://o.example/b", "http://o.example/b"},
        {"javascript:x", NULL},
        {"/a b", NULL},
    };
    _cleanup_url_ struct url base = {0};
    ck_assert_int_eq(url_parse("https://r.example:5000/v2/a?x=/y", &base), 0);
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        _cleanup_url_ struct url url = {0};
        int r = url_resolve(&base, references[i].reference, &url);
        ck_assert_msg(r == (references[i].meaning ? 0 : -EINVAL), "%s", references[i].reference);
        _cleanup_free_ char *text = r == 0 ? url_to_text(&url) : NULL;
        if (text)
            ck_assert_str_eq(text, references[i].meaning);
    }
}
END_TEST

START_TEST(local_addresses) {
    static const char *const local[] = {"127.0.0.1",      "127.1",           "0x7f000001",
                                        "2130706433",     "localhost",       "a.localhost",
                                        "0.0.0.0",        "169.254.169.254", "[::1]",
                                        "[::]",           "[fe80::1]",       "[::ffff:127.0.0.1]",
                                        "[fd00:ec2::254]"};
    static const char *const other[] = {"10.0.0.1",  "192.168.1.1",       "[2001:db8::1]",
                                        "r.example", "localhost.example", "[fd00::1]"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        ck_assert_msg(host_is_local_address(local[i]), "%s", local[i]);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        ck_assert_msg(!host_is_local_address(other[i]), "%s", other[i]);
    ck_assert(host_is_loopback("[::1]") && !host_is_loopback("169.254.169.254"));
}
END_TEST

/* ---- headers ---- */

START_TEST(challenges_are_read) {
    static const struct {
        const char *header;
        bool basic, bearer;
        const char *realm, *service, *scope;
    } challenges[] = {
        {"Basic realm=\"x\"", true, false, NULL, NULL, NULL},
        {"Bearer realm=\"https://a/t\",service=\"r\",scope=\"repository:a:pull,push\"", false, true,
         "https://a/t", "r", "repository:a:pull,push"},
        {"Negotiate abc==, basic REALM=x , bearer Realm = \"a\\\"b\" , service=s", true, true,
         "a\"b", "s", NULL},
        {"Bearer realm=a, Bearer realm=b, service=c", false, true, "a", NULL, NULL},
        {"Bearer", false, true, NULL, NULL, NULL},
        {"Bearer realm=\"unfinished", false, true, "unfinished", NULL, NULL},
        {"Bearer realm=\"a\\", false, true, "a\\", NULL, NULL},
        {"=,=,\"", false, false, NULL, NULL, NULL},
        {"", false, false, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof challenges / sizeof *challenges; i++) {
        struct challenge challenge = {0};
        ck_assert_int_eq(challenge_add(&challenge, challenges[i].header), 0);
        ck_assert_msg(challenge.basic == challenges[i].basic, "%s", challenges[i].header);
        ck_assert_msg(challenge.bearer == challenges[i].bearer, "%s", challenges[i].header);
        ck_assert_pstr_eq(challenge.realm, challenges[i].realm);
        ck_assert_pstr_eq(challenge.service, challenges[i].service);
        ck_assert_pstr_eq(challenge.scope, challenges[i].scope);
        challenge_release(&challenge);
    }
}
END_TEST

START_TEST(links_are_read) {
    static const struct {
        const char *header, *next;
    } links[] = {
        {"</v2/a?last=b>; rel=\"next\"", "/v2/a?last=b"},
        {"</p>; rel=prev, </n,;x>; title=\"a, <b>; rel=next\"; REL=\"first Next\"", "/n,;x"},
        {"</p>; rel=\"nextish\"", NULL},
        {"</p>; relnext", NULL},
        {"</p>", NULL},
        {"</p; rel=next", NULL},
        {"</p>; rel=\"next", "/p"},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        _cleanup_free_ char *next = NULL;
        ck_assert_int_eq(link_find_next(links[i].header, &next), 0);
        ck_assert_pstr_eq(next, links[i].next);
    }
}
END_TEST

START_TEST(words_of_a_refusal) {
    static const struct {
        const char *body, *words;
    } refusals[] = {
        {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"},{\"code\":\"X\"}]}",
         "DENIED: no; X"},
        {"{\"details\":\"incorrect username or password\"}", "incorrect username or password"},
        {"{\"errors\":[{\"code\":\"A\\u001b[2J\"}]}", "A\\x1B[2J"},
        {"{\"errors\":[1,null]}", ""},
        {"<html>", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct answer answer = {0};
        strbuf_add(&answer.body, refusals[i].body);
        _cleanup_free_ char *words = answer_words(&answer);
        ck_assert_str_eq(words, refusals[i].words);
        answer_release(&answer);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("remote");
    TCase *tests = tcase_create("remote");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, repositories);
    tcase_add_test(tests, settings);
    tcase_add_test(tests, logins_are_in_no_message);
    tcase_add_test(tests, urls_are_read);
    tcase_add_test(tests, references_are_read);
    tcase_add_test(tests, local_addresses);
    tcase_add_test(tests, challenges_are_read);
    tcase_add_test(tests, links_are_read);
    tcase_add_test(tests, words_of_a_refusal);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
