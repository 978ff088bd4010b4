/* SPDX-License-Identifier: MIT */
/*
 * What registries say: each input is read as a challenge, as links, as a Location, and as the body
 * of a refusal. What a URL is read as says the same when it is read again, and leads to no host
 * that its text does not have.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "remote/answer.h"
#include "remote/challenge.h"
#include "remote/link.h"
#include "remote/url.h"
#include "util/word.h"

static void check_url(const struct url *url) {
    struct url again;
    char *text = url_to_text(url);
    FUZZ_CHECK(text && fuzz_is_printable(text) && !strchr(text, ' '), "the URL \"%s\"", text);
    FUZZ_CHECK(begins_with(text, url->is_https ? "https://" : "http://"), "the URL \"%s\"", text);
    FUZZ_CHECK(*url->host && !strpbrk(url->host, "/@?#\\"), "the host \"%s\"", url->host);
    FUZZ_CHECK(url->port > 0 && url->port <= 65535 && url->path[0] == '/', "the URL \"%s\"", text);
    if (strlen(text) <= URL_MAX) {
        FUZZ_CHECK(url_parse(text, &again) == 0, "it is not read again: \"%s\"", text);
        FUZZ_CHECK(url_same_origin(url, &again) && strcmp(url->path, again.path) == 0,
                   "it is another when it is read again: \"%s\"", text);
        url_release(&again);
    }
    free(text);
}

/* A path stays where it was said; a path that is one cannot lead to another host. */
static void check_location(const char *input) {
    struct url base, url;
    FUZZ_CHECK(url_parse("https://r.example:5000/v2/a?b", &base) == 0, "the base");
    int r = url_resolve(&base, input, &url);
    FUZZ_CHECK(r == 0 || (r == -EINVAL && !url.host && !url.path), "resolved: %d", r);
    if (r == 0) {
        check_url(&url);
        if (input[0] == '/' && input[1] != '/')
            FUZZ_CHECK(url_same_origin(&base, &url), "the path \"%s\" leads elsewhere", input);
    }
    url_release(&url);
    url_release(&base);
}

static void check_challenge(const char *input) {
    struct challenge challenge = {0};
    FUZZ_CHECK(challenge_add(&challenge, input) == 0, "no memory");
    FUZZ_CHECK(challenge.bearer || (!challenge.realm && !challenge.service && !challenge.scope),
               "fields of no Bearer");
    challenge_release(&challenge);
}

static void check_links(const char *input) {
    char *next;
    FUZZ_CHECK(link_find_next(input, &next) == 0, "no memory");
    FUZZ_CHECK(!next || (strstr(input, next) && !strchr(next, '>')), "the link \"%s\"", next);
    free(next);
}

static void check_words(const char *input) {
    struct answer answer = {0};
    strbuf_add(&answer.body, input);
    char *words = answer_words(&answer);
    FUZZ_CHECK(words && strlen(words) <= 200 && fuzz_is_printable(words), "the words \"%s\"",
               words);
    free(words);
    answer_release(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *input = fuzz_text(data, size);
    fuzz_begin(data, size);
    check_location(input);
    check_challenge(input);
    check_links(input);
    check_words(input);
    free(input);
    return 0;
}
