/* SPDX-License-Identifier: MIT */
/* Packs: which objects go into them, the text that tells of them, and what is read of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "base/call.h"
#include "base/error.h"
#include "one-revision.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/store.h"
#include "transfer/pack-choice.h"
#include "util/strbuf.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define F "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

#define FIRST "volt-pack-index 1\n"
static const char golden[] = FIRST "pack " D " 30\n" A " 10\n" B " 20\n"
                                   "pack " E " 9223372036854775807\n" C " 9223372036854775807\n"
                                   "end\n";

/* ---- the text ---- */

START_TEST(the_bytes_of_an_index) {
    struct oci_blob packs[] = {{{D}, 30}, {{E}, INT64_MAX}};
    struct packed_object objects[] = {{{A}, 0, 10, 0}, {{B}, 10, 20, 0}, {{C}, 0, INT64_MAX, 1}};
    const struct pack_index index = {packs, objects, 2, 3};
    _cleanup_free_ char *text = pack_index_to_text(&index);
    ck_assert_str_eq(text, golden);
}
END_TEST

static int load(const char *text, size_t object_max, struct pack_index *index,
                vqemu_error **error) {
    return pack_index_load(text, strlen(text), "text", object_max, index, error);
}

START_TEST(they_are_read_again) {
    _cleanup_pack_index_ struct pack_index index = {0};
    const struct digest b = {B}, c = {C}, d = {D};
    ck_assert_int_eq(load(golden, 3, &index, NULL), 0);
    ck_assert_uint_eq(index.pack_count, 2);
    ck_assert_uint_eq(index.object_count, 3);
    const struct packed_object *found = pack_index_find(&index, &b);
    ck_assert(found->offset == 10 && found->size == 20 && found->pack == 0);
    found = pack_index_find(&index, &c);
    ck_assert(found->offset == 0 && found->size == INT64_MAX && found->pack == 1);
    ck_assert_ptr_null(pack_index_find(&index, &d));
    _cleanup_free_ char *text = pack_index_to_text(&index);
    ck_assert_str_eq(text, golden);
}
END_TEST

static const struct {
    const char *text, *mentioned;
} bad_texts[] = {
    {"", "text:1: it ends before"},
    {"volt-pack-index 1", "text:1: it ends before"},
    {"volt-pack-index 2\nend\n", "text:1: it is no \"volt-pack-index 1\""},
    {"volt-pack-index 1\r\nend\r\n", "text:1: it is no \"volt-pack-index 1\""},
    {FIRST, "text:2: it ends before"},
    {FIRST "end", "text:2: it ends before"},
    {FIRST "end\nend\n", "behind its line \"end\""},
    {FIRST "\nend\n", "text:2: it is no object"},
    {FIRST A " 10\nend\n", "before the first pack"},
    {FIRST "pack " D "\nend\n", "text:2: it is no \"pack\""},
    {FIRST "pack  " D " 1\nend\n", "it is no \"pack\""},
    {FIRST "pack " D " 10 \n" A " 10\nend\n", "it is no \"pack\""},
    {FIRST "pack " D " 10\nend\n", "text:3: the objects of the pack before it are smaller"},
    {FIRST "pack " D " 10\n" A " 9\nend\n",
     "text:4: the objects of the pack before it are smaller"},
    {FIRST "pack " D " 10\n" A " 9\npack " E " 1\n" B " 1\nend\n",
     "text:4: the objects of the pack before it are smaller"},
    {FIRST "pack " D " 10\n" A " 11\nend\n", "text:3: the objects of the pack are larger"},
    {FIRST "pack " D " 10\n" A " 10\n" B " 1\nend\n", "text:4: the objects of the pack are larger"},
    {FIRST "pack " D " 10\n" A " 5\n" B " 9223372036854775807\nend\n", "are larger"},
    {FIRST "pack " D " 10\n" A " 0\n" B " 10\nend\n", "text:3: it is no object"},
    {FIRST "pack " D " 0\nend\n", "it is no \"pack\""},
    {FIRST "pack " D " 10\n" A " 010\nend\n", "it is no object"},
    {FIRST "pack " D " 10\n" A " +10\nend\n", "it is no object"},
    {FIRST "pack " D " 10\n" A " -1\nend\n", "it is no object"},
    {FIRST "pack " D " 10\n" A " 1e1\nend\n", "it is no object"},
    {FIRST "pack " D " 10\n" A " \nend\n", "it is no object"},
    {FIRST "pack " D " 10\n" A "\nend\n", "it is no object"},
    {FIRST "pack " D " 9223372036854775808\nend\n", "it is no \"pack\""},
    {FIRST "pack " D " 18446744073709551617\nend\n", "it is no \"pack\""},
    {FIRST "pack " D " 99999999999999999999999999\nend\n", "it is no \"pack\""},
    {FIRST "pack " D " 2\n" A " 1\n" A " 1\nend\n", "text:4: its digest does not come behind"},
    {FIRST "pack " D " 1\n" A " 1\npack " E " 1\n" A " 1\nend\n", "text:5: its digest does not"},
    {FIRST "pack " D " 2\n" B " 1\n" A " 1\nend\n", "text:4: its digest does not come behind"},
    {FIRST "pack " D " 1\n" A " 1\npack " D " 1\n" B " 1\nend\n", "two packs have the same digest"},
    {FIRST "pack " D " 10\nAAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 10\n"
           "end\n",
     "it is no object"},
    {FIRST "pack " D " 10\n../../aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 10\n"
           "end\n",
     "it is no object"},
};

START_TEST(bad_texts_are_refused) {
    _cleanup_error_ vqemu_error *error = NULL;
    struct pack_index index;
    ck_assert_int_eq(load(bad_texts[_i].text, 10, &index, &error), VQEMU_ERR_MALFORMED);
    ck_assert_msg(strstr(vqemu_error_message(error), bad_texts[_i].mentioned), "%s",
                  vqemu_error_message(error));
    ck_assert_ptr_null(index.objects);
}
END_TEST

START_TEST(a_byte_of_nothing_is_none) {
    static const char text[] = FIRST "pack " D " 10\n" A " 1\0\nend\n";
    struct pack_index index;
    ck_assert_int_eq(pack_index_load(text, sizeof text - 1, "text", 10, &index, NULL),
                     VQEMU_ERR_MALFORMED);
}
END_TEST

START_TEST(limits_are_held) {
    _cleanup_error_ vqemu_error *error = NULL;
    struct strbuf text = {0};
    struct pack_index index;
    ck_assert_int_eq(load(golden, 2, &index, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-many-files");
    strbuf_add(&text, FIRST);
    for (int i = 0; i <= PACK_COUNT_MAX; i++)
        strbuf_addf(&text, "pack %064x 1\n%064x 1\n", i, i);
    strbuf_add(&text, "end\n");
    _cleanup_free_ char *many = strbuf_take(&text);
    ck_assert_int_eq(load(many, 1000, &index, &error), VQEMU_ERR_MALFORMED);
    ck_assert_str_eq(vqemu_error_message(error), "text:514: there are more than 256 packs");
    ck_assert_uint_ge(pack_index_text_limit(1000), strlen(many));
    ck_assert_uint_gt(pack_index_text_limit(SIZE_MAX), pack_index_text_limit(1000));
}
END_TEST

/* ---- the OCI manifest ---- */

#define LAYER(type, digest, size)                                                                  \
    "{\"mediaType\":\"application/vnd.volt-qemu." type ".v1\",\"digest\":\"sha256:" digest         \
    "\",\"size\":" #size "}"
#define MANIFEST(layers)                                                                           \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","           \
    "\"artifactType\":\"application/vnd.volt-qemu.profile.v1\",\"config\":{\"mediaType\":"         \
    "\"application/vnd.volt-qemu.profile.v1+json\",\"digest\":\"sha256:" A "\",\"size\":321},"     \
    "\"layers\":[" layers "],\"annotations\":{\"org.opencontainers.image.created\":"               \
    "\"2025-01-31T10:00:00Z\",\"org.opencontainers.image.title\":\"kvm-linux-aaaaaaaa\"}}"
#define PROFILE_TEXT                                                                               \
    "{\"name\": \"kvm-linux\", \"created_at\": \"2025-01-31T10:00:00Z\","                          \
    " \"objects\": {\"bin/qemu-system-x86_64\": \"" C "\"}}"

static const char packed_manifest[] = MANIFEST(LAYER("object", C, 5) "," LAYER(
    "pack-index", F, 400) "," LAYER("pack", D, 30) "," LAYER("pack", E, 7));
#define INDEX_TEXT                                                                                 \
    FIRST "pack " E " 7\n" A " 7\npack " D " 30\n" B " 30\n"                                       \
          "end\n"

START_TEST(the_bytes_of_a_manifest) {
    struct oci_blob object = {{C}, 5}, packs[] = {{{D}, 30}, {{E}, 7}};
    const struct oci_manifest manifest = {.config = {{A}, 321},
                                          .objects = &object,
                                          .object_count = 1,
                                          .packs = packs,
                                          .pack_count = 2,
                                          .pack_index = {{F}, 400}};
    _cleanup_manifest_ vqemu_manifest *profile = NULL;
    _cleanup_free_ char *text = NULL;
    ck_assert_int_eq(
        manifest_load_memory(PROFILE_TEXT, strlen(PROFILE_TEXT), "text", 10, &profile, NULL), 0);
    ck_assert_int_eq(oci_manifest_to_text(&manifest, "kvm-linux-aaaaaaaa", profile, &text, NULL),
                     0);
    ck_assert_str_eq(text, packed_manifest);
}
END_TEST

/* Read a manifest, and the text of its index, whose size is taken for the one that is told. */
static int load_both(const char *manifest, const char *text, size_t object_max,
                     struct oci_manifest *oci, vqemu_error **error) {
    int r =
        oci_manifest_load(manifest, strlen(manifest), "text", object_max, UINT64_MAX, oci, error);
    if (r < 0 || oci->pack_index.size == 0)
        return r;
    oci->pack_index.size = strlen(text);
    return oci_manifest_load_packs(oci, text, "index", object_max, error);
}

START_TEST(objects_are_where_they_are) {
    _cleanup_oci_manifest_ struct oci_manifest oci = {0};
    const struct digest b = {B}, c = {C}, d = {D};
    struct oci_place place;
    ck_assert_int_eq(load_both(packed_manifest, INDEX_TEXT, 3, &oci, NULL), 0);
    ck_assert(oci_manifest_locate(&oci, &b, &place));
    ck_assert(place.is_packed && place.offset == 0 && place.size == 30 && place.blob.size == 30);
    ck_assert_str_eq(place.blob.digest.hex, D);
    ck_assert(oci_manifest_locate(&oci, &c, &place));
    ck_assert(!place.is_packed && place.offset == 0 && place.size == 5 && place.blob.size == 5);
    ck_assert(!oci_manifest_locate(&oci, &d, &place));
}
END_TEST

static const struct {
    const char *manifest, *text, *mentioned;
    int code;
} bad_manifests[] = {
    {MANIFEST(LAYER("pack", D, 30)), "", "one is missing", VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 400)), "", "one is missing", VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 400) "," LAYER("pack-index", E, 400)), "",
     "layers[1]: there is another index", VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 0) "," LAYER("pack", D, 30)), "", "layers[0]: an index",
     VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 400) "," LAYER("pack", D, 0)), "", "layers[1]: a pack",
     VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 400) "," LAYER("pack", D, 1) "," LAYER("pack", D, 1)), "",
     "two layers have the same digest", VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 400) "," LAYER("signature", D, 1)), "",
     "a signature comes behind", VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack", F, 400) "," LAYER("signature", D, 1)), "", "a signature comes behind",
     VQEMU_ERR_MALFORMED},
    {MANIFEST(LAYER("pack-index", F, 1000000) "," LAYER("pack", D, 1)), "",
     "text has more than the 3 objects", VQEMU_ERR_INVALID},
    {packed_manifest, FIRST "pack " D " 30\n" A " 30\nend\n", "a layer is a pack that it lacks",
     VQEMU_ERR_MALFORMED},
    {packed_manifest, FIRST "pack " D " 30\n" A " 30\npack " F " 7\n" B " 7\nend\n",
     "sha256:" F " is a pack, and no layer", VQEMU_ERR_MALFORMED},
    {packed_manifest, FIRST "pack " D " 29\n" A " 29\npack " E " 7\n" B " 7\nend\n",
     "its layer has another size", VQEMU_ERR_MALFORMED},
    {packed_manifest, FIRST "pack " D " 30\n" A " 30\npack " E " 7\n" C " 7\nend\n",
     "sha256:" C " is in a pack, and a layer", VQEMU_ERR_MALFORMED},
    {packed_manifest, FIRST "pack " D " 30\n" A " 20\n" B " 10\npack " E " 7\n" D " 7\nend\n",
     "index lists more objects", VQEMU_ERR_INVALID},
};

START_TEST(bad_manifests_are_refused) {
    _cleanup_oci_manifest_ struct oci_manifest oci = {0};
    _cleanup_error_ vqemu_error *error = NULL;
    int r = load_both(bad_manifests[_i].manifest, bad_manifests[_i].text, 3, &oci, &error);
    ck_assert_int_eq(r, bad_manifests[_i].code);
    ck_assert_msg(strstr(vqemu_error_message(error), bad_manifests[_i].mentioned), "%s",
                  vqemu_error_message(error));
}
END_TEST

START_TEST(packs_count_towards_the_size) {
    struct oci_manifest oci;
    vqemu_error *error = NULL;
    size_t size = strlen(packed_manifest);
    uint64_t total = 321 + 5 + 400 + 30 + 7;
    ck_assert_int_eq(oci_manifest_load(packed_manifest, size, "text", 3, total - 1, &oci, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-large");
    ck_assert_int_eq(oci_manifest_load(packed_manifest, size, "text", 3, total, &oci, &error), 0);
    oci_manifest_release(&oci);
    vqemu_error_free(error);
}
END_TEST

/* ---- which objects go into packs ---- */

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

/* So many objects, as evenly over all digests as there are, of one size. */
static struct oci_manifest make_objects(size_t count, uint64_t size) {
    struct oci_manifest oci = {.objects = calloc(count, sizeof *oci.objects),
                               .object_count = count};
    ck_assert_ptr_nonnull(oci.objects);
    for (size_t i = 0; i < count; i++) {
        char number[32];
        snprintf(number, sizeof number, "%zu", i);
        oci.objects[i] = (struct oci_blob){digest_of_bytes(number, strlen(number)), size};
    }
    oci_blobs_sort(oci.objects, count);
    return oci;
}

static size_t count_layers(const struct oci_manifest *oci) {
    size_t packs = oci->packed.pack_count;
    return oci->signature_count + oci->object_count + packs + (packs > 0);
}

/* Each object is a layer, or in the pack of its first bits, behind the one before it. */
static void check_choice(const struct oci_manifest *before, const struct oci_manifest *after,
                         size_t layer_max) {
    const struct pack_index *packed = &after->packed;
    uint64_t offset = 0;
    ck_assert_uint_le(count_layers(after), layer_max);
    ck_assert_uint_eq(before->object_count, after->object_count + packed->object_count);
    for (size_t i = 0; i < before->object_count; i++) {
        struct oci_place place;
        ck_assert(oci_manifest_locate(after, &before->objects[i].digest, &place));
        ck_assert_uint_eq(place.size, before->objects[i].size);
    }
    for (size_t i = 0; i < packed->object_count; i++) {
        const struct packed_object *object = &packed->objects[i];
        bool is_first = i == 0 || object[-1].pack != object->pack;
        ck_assert_uint_eq(object->pack,
                          is_first ? (i == 0 ? 0 : object[-1].pack + 1) : object[-1].pack);
        ck_assert_uint_eq(object->offset, is_first ? 0 : offset);
        offset = object->offset + object->size;
        if (i + 1 == packed->object_count || object[1].pack != object->pack)
            ck_assert_uint_eq(packed->packs[object->pack].size, offset);
    }
}

static const struct {
    size_t count;
    uint64_t size;
    size_t signature_count, layer_max, layers, packs;
} choices[] = {
    {400, 1, 0, 400, 400, 0},             /* as many as are allowed */
    {401, 1, 0, 400, 0, 1},               /* one more: all are small */
    {399, 1, 1, 400, 399, 0},             /* signatures are layers, too */
    {400, 1, 1, 400, 0, 1},               /* */
    {401, 256 * KIB + 1, 0, 400, 200, 9}, /* those of the first digests are layers */
    {401, 256 * KIB, 0, 400, 0, 32},      /* 100 MiB, and 32 times 4 are enough */
    {10000, 4 * KIB, 0, 400, 0, 16},      /* 39 MiB */
    {10000, 100 * KIB, 0, 400, 0, 128},   /* 976 MiB: no more packs than 128 */
    {10000, 100 * KIB, 16, 100, 0, 64},   /* 83 are left */
    {10000, MIB, 0, 8, 4, 2},             /* 3 are left, which makes 1 bit */
    {10000, MIB, 16, 18, 0, 1},           /* the index, and a pack of all */
    {3, MIB, 0, 2, 0, 1},                 /* half is a layer, but there is no room */
    {4, MIB, 0, 3, 1, 1},                 /* */
    {20000, 1, 0, 20000, 20000, 0},
};

START_TEST(what_is_packed) {
    size_t layer_max = choices[_i].layer_max;
    _cleanup_oci_manifest_ struct oci_manifest before = make_objects(choices[_i].count,
                                                                     choices[_i].size),
                                               oci = make_objects(choices[_i].count,
                                                                  choices[_i].size);
    oci.signature_count = choices[_i].signature_count;
    ck_assert_int_eq(pack_choose(&oci, layer_max, "revision", NULL), 0);
    ck_assert_uint_eq(oci.object_count, choices[_i].layers);
    ck_assert_uint_eq(oci.packed.pack_count, choices[_i].packs);
    check_choice(&before, &oci, layer_max);
}
END_TEST

START_TEST(the_largest_stay_layers) {
    _cleanup_oci_manifest_ struct oci_manifest oci = make_objects(1000, 1);
    for (size_t i = 0; i < 1000; i++)
        oci.objects[i].size = (i * 7919 % 1000 + 1) * KIB; /* each number once */
    ck_assert_int_eq(pack_choose(&oci, 400, "revision", NULL), 0);
    ck_assert_uint_eq(oci.object_count, 200);
    for (size_t i = 0; i < oci.object_count; i++)
        ck_assert_uint_gt(oci.objects[i].size, 800 * KIB);
}
END_TEST

START_TEST(where_no_pack_is_allowed) {
    static const struct {
        size_t count, signature_count, layer_max;
        const char *mentioned;
    } cases[] = {{3, 0, 1, "at least 2 layers of an OCI manifest, more than the 1 that"},
                 {3, 16, 17, "at least 18 layers"},
                 {1, 2, 2, "at least 3 layers"},
                 {1, 16, 2, "at least 17 layers"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_oci_manifest_ struct oci_manifest oci = make_objects(cases[i].count, 1);
        oci.signature_count = cases[i].signature_count;
        ck_assert_int_eq(pack_choose(&oci, cases[i].layer_max, "kvm-linux-1", &error),
                         VQEMU_ERR_INVALID);
        ck_assert_str_eq(vqemu_error_reason(error), "too-many-layers");
        ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), cases[i].mentioned));
        ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_REVISION), "kvm-linux-1");
    }
}
END_TEST

/* ---- the whole ---- */

/* A profile of which all is fixed has the same bytes for ever. */
#define GOLDEN_OCI_DIGEST "sha256:3a9127cedb693568164a7a1070f9fbc576c3c8173b76eee6671add37c34ad497"

static int export(const char *layout, size_t layers, char **digest, vqemu_error **error) {
    _cleanup_call_ vqemu_call *call = make_call("max_layers", layers);
    return vqemu_store_export_layout(store, layout, revision, "v1", 0, call, digest, error);
}

START_TEST(there_and_back) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_free_ char *layout = scratch_path("layout");
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    char *digest = NULL;
    ck_assert_int_eq(export(layout, 2, &digest, NULL), 0);
    ck_assert_str_eq(digest, GOLDEN_OCI_DIGEST);
    /* A pack, its index, the manifest, the OCI manifest. */
    ck_assert_int_eq(count_entries("layout/blobs/sha256"), 4);
    ck_assert_int_eq(vqemu_store_import_layout(other, layout, digest, NULL,
                                               VQEMU_IMPORT_ANY_PROFILE, NULL, &ingest, NULL),
                     0);
    ck_assert_str_eq(vqemu_revision_name(vqemu_ingest_revision(ingest)),
                     vqemu_revision_name(revision));
    ck_assert_uint_eq(vqemu_ingest_new_object_count(ingest), 5);
    ck_assert_uint_eq(count_problems(other, NULL, 0, NULL, 0), 0);
    vqemu_free(digest);
}
END_TEST

START_TEST(too_many_are_refused_before_the_first_byte) {
    _cleanup_free_ char *layout = scratch_path("layout");
    _cleanup_error_ vqemu_error *error = NULL;
    char *digest = NULL;
    ck_assert_int_eq(export(layout, 1, &digest, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-many-layers");
    ck_assert(!exists("layout"));
}
END_TEST

/* How often each step was told of, by its first letter. */
static int note_step(const vqemu_progress *progress, void *userdata) {
    struct strbuf *steps = userdata;
    strbuf_addf(steps, "%s %u/%u %llu/%llu\n", vqemu_progress_step(progress),
                vqemu_progress_phase(progress), vqemu_progress_phase_count(progress),
                (unsigned long long)vqemu_progress_done(progress),
                (unsigned long long)vqemu_progress_total(progress));
    return 0;
}

START_TEST(progress_tells_of_both_steps) {
    _cleanup_free_ char *layout = scratch_path("layout");
    struct strbuf steps = {0};
    _cleanup_call_ vqemu_call *call = make_watched_call(note_step, &steps);
    char *digest = NULL;
    ck_assert_int_eq(vqemu_call_set_number(call, VQEMU_CALL_MAX_LAYERS, 2, NULL), 0);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, layout, revision, "v1", 0, call, &digest, NULL), 0);
    _cleanup_free_ char *text = strbuf_take(&steps);
    ck_assert_ptr_nonnull(strstr(text, "hash 1/2 39/39\n"));
    ck_assert_ptr_nonnull(strstr(text, "export 2/2 39/39\n"));
    vqemu_free(digest);
}
END_TEST

static int stop_at_hashing(const vqemu_progress *progress, void *userdata) {
    (void)userdata;
    return strcmp(vqemu_progress_step(progress), "hash") == 0;
}

START_TEST(cancelled_while_hashing_it_leaves_nothing) {
    _cleanup_free_ char *layout = scratch_path("layout");
    _cleanup_call_ vqemu_call *call = make_watched_call(stop_at_hashing, NULL);
    char *digest = NULL;
    ck_assert_int_eq(vqemu_call_set_number(call, VQEMU_CALL_MAX_LAYERS, 2, NULL), 0);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, layout, revision, "v1", 0, call, &digest, NULL),
        VQEMU_ERR_CANCELLED);
    ck_assert(!exists("layout"));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void) {
    Suite *suite = suite_create("pack");
    TCase *tests = tcase_create("pack");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_bytes_of_an_index);
    tcase_add_test(tests, they_are_read_again);
    tcase_add_loop_test(tests, bad_texts_are_refused, 0, COUNT(bad_texts));
    tcase_add_test(tests, a_byte_of_nothing_is_none);
    tcase_add_test(tests, limits_are_held);
    tcase_add_test(tests, the_bytes_of_a_manifest);
    tcase_add_test(tests, objects_are_where_they_are);
    tcase_add_loop_test(tests, bad_manifests_are_refused, 0, COUNT(bad_manifests));
    tcase_add_test(tests, packs_count_towards_the_size);
    tcase_add_loop_test(tests, what_is_packed, 0, COUNT(choices));
    tcase_add_test(tests, the_largest_stay_layers);
    tcase_add_test(tests, where_no_pack_is_allowed);
    tcase_add_test(tests, there_and_back);
    tcase_add_test(tests, too_many_are_refused_before_the_first_byte);
    tcase_add_test(tests, progress_tells_of_both_steps);
    tcase_add_test(tests, cancelled_while_hashing_it_leaves_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
