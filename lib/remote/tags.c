/* SPDX-License-Identifier: MIT */
/* The tags of a repository. */
#include <volt-qemu/remote.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "remote/link.h"
#include "remote/session.h"
#include "transfer/oci-layout.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "util/strv.h"

#define PAGE_MAX ((size_t)4 * 1024 * 1024)
#define PAGES_MAX 100
#define TAGS_MAX ((size_t)1000 * 1000) /* pages full of the same would fill the memory */

struct vqemu_tag_list {
    struct strv tags;
};

VQEMU_EXPORT void vqemu_tag_list_free(vqemu_tag_list *list) {
    if (!list)
        return;
    strv_release(&list->tags);
    free(list);
}

DEFINE_CLEANUP(vqemu_tag_list, tag_list, vqemu_tag_list_free);

VQEMU_EXPORT size_t vqemu_tag_list_count(const vqemu_tag_list *list) {
    return list ? list->tags.count : 0;
}

VQEMU_EXPORT const char *vqemu_tag_list_at(const vqemu_tag_list *list, size_t index) {
    return list && index < list->tags.count ? list->tags.items[index] : NULL;
}

/* ---- pages ---- */

#define NO_LIST                                                                                    \
    "with something else than a list of tags: it is no registry, or somebody is in the way"

/* Without tags, some say null. */
static int take_tags(const json_t *page, vqemu_tag_list *list) {
    size_t i;
    json_t *tag, *tags = json_object_get(page, "tags");
    if (!tags || !(json_is_array(tags) || json_is_null(tags)))
        return -EINVAL;
    if (json_array_size(tags) > TAGS_MAX - list->tags.count)
        return -EFBIG;
    json_array_foreach(tags, i, tag) {
        const char *text = json_string_value(tag);
        if (!text || oci_layout_find_tag_fault(text))
            return -EINVAL;
        strv_add(&list->tags, text);
    }
    return list->tags.failed ? -ENOMEM : 0;
}

static int read_page(const struct session *session, const struct exchange *exchange,
                     vqemu_tag_list *list, vqemu_error **error) {
    _cleanup_json_ json_t *page = NULL;
    const struct strbuf *body = &exchange->answer.body;
    if (!answer_is_good(&exchange->answer))
        return session_refused(session, exchange, error);
    int r = json_parse_object(body->text ? body->text : "", body->length, "the list of tags", &page,
                              NULL);
    if (r < 0)
        return r == VQEMU_ERR_NO_MEMORY ? error_no_memory(error)
                                        : session_misled(session, exchange, NO_LIST, error);
    r = take_tags(page, list);
    return r == -EINVAL  ? session_misled(session, exchange, NO_LIST, error)
           : r == -EFBIG ? session_misled(session, exchange, "with more tags than are read", error)
           : r < 0       ? error_no_memory(error)
                         : 0;
}

/* Where the next page is; NULL if this was the last. */
static int find_next(const struct session *session, const struct exchange *exchange, char **target,
                     vqemu_error **error) {
    _cleanup_free_ char *link = NULL;
    _cleanup_url_ struct url url = {0};
    const char *header = answer_header(&exchange->answer, "Link", 0);
    *target = NULL;
    if (header && link_find_next(header, &link) < 0)
        return error_no_memory(error);
    if (!link)
        return 0;
    int r = session_resolve(session, exchange, "a next page", link, &url, error);
    if (r == 0)
        *target = url_to_text(&url);
    return r == 0 && !*target ? error_no_memory(error) : r;
}

/* Ask for a page; *target becomes that of the next one. */
static int ask_page(struct session *session, bool is_last, char **target, vqemu_tag_list *list,
                    vqemu_error **error) {
    _cleanup_(exchange_release) struct exchange exchange = {
        .request = {.method = "GET",
                    .target = *target,
                    .accept = "application/json",
                    .body_max = PAGE_MAX},
    };
    int r = session_run(session, &exchange, error);
    if (r == 0)
        r = read_page(session, &exchange, list, error);
    if (r < 0)
        return r;
    free(TAKE_POINTER(*target));
    r = find_next(session, &exchange, target, error);
    if (r == 0 && is_last && *target)
        return session_misled(session, &exchange, "with more pages of tags than are read", error);
    return r;
}

static int ask_pages(struct session *session, vqemu_tag_list *list, vqemu_error **error) {
    _cleanup_free_ char *target = format_string("/v2/%s/tags/list?n=1000", session->remote->name);
    int r = target ? 0 : error_no_memory(error);
    for (int i = 0; r == 0 && target && i < PAGES_MAX; i++) {
        size_t before = list->tags.count;
        r = ask_page(session, i == PAGES_MAX - 1, &target, list, error);
        if (r == 0)
            r = progress_advance(session->progress, 0, "", list->tags.count - before, error);
    }
    return r;
}

/* ---- the list ---- */

/* A tag that moves while pages are asked for can be on two of them. */
static void sort(struct strv *tags) {
    size_t kept = 0;
    strv_sort(tags, 0);
    for (size_t i = 0; i < tags->count; i++) {
        if (kept > 0 && strcmp(tags->items[kept - 1], tags->items[i]) == 0)
            free(tags->items[i]);
        else
            tags->items[kept++] = tags->items[i];
    }
    tags->count = kept;
    if (tags->items)
        tags->items[kept] = NULL;
}

VQEMU_EXPORT int vqemu_remote_list_tags(const vqemu_remote *remote, uint32_t flags,
                                        vqemu_call *call, vqemu_tag_list **list,
                                        vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_ARGUMENT(remote, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vqemu_progress progress = {.call = call, .phase_count = 1};
    _cleanup_(session_close) struct session session = {
        .remote = remote, .doing = "list the tags of", .progress = &progress};
    _cleanup_(cleanup_tag_list) vqemu_tag_list *new = calloc(1, sizeof *new);
    progress_start(&progress, "list", "tags", 0);
    int r = new ? session_open(&session, "pull", error) : error_no_memory(error);
    if (r == 0)
        r = ask_pages(&session, new, error);
    if (r < 0)
        return r;
    sort(&new->tags);
    *list = TAKE_POINTER(new);
    return 0;
}
