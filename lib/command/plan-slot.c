/* SPDX-License-Identifier: MIT */
#include "command/plan-slot.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/refusal.h"
#include "util/cleanup.h"
#include "util/similar.h"

/* ---- errors ---- */

static const struct named_value *value_of(const struct plan *plan, const char *id) {
    return named_values_find(&plan->vm->slots, id);
}

int slot_refuse(const struct plan *plan, const char *id, int code, const char *reason,
                const char *choices, vqemu_error **error, const char *format, ...) {
    _cleanup_strbuf_ struct strbuf value = {0}, text = {0};
    va_list arguments;
    value_add_text(&value_of(plan, id)->value, &value);
    va_start(arguments, format);
    strbuf_addv(&text, format, arguments);
    va_end(arguments);
    if (value.failed || text.failed)
        return error_no_memory(error);
    int r = refuse(error, code, "slots.%s: \"%s\" %s", id, value.text, text.text);
    return error_because(r, error, reason, VQEMU_DETAIL_VALUE, value.text, VQEMU_DETAIL_CHOICES,
                         choices, NULL);
}

int slot_refuse_taken(const struct plan *plan, const char *id, const char *owner,
                      vqemu_error **error) {
    return slot_refuse(plan, id, VQEMU_ERR_INVALID, "place-taken", NULL, error,
                       "is the place of %s", owner);
}

/* ---- spelling ---- */

const char *slot_text(struct arena *texts, const struct place *place) {
    if (place->kind == PLACE_CHANNEL)
        return arena_textf(texts, "fe.0.%04x", place->channel);
    if (place->kind == PLACE_UNIT)
        return arena_textf(texts, "%s:%u", place->bus, place->unit);
    if (place->bridge >= 0)
        return arena_textf(texts, "bridge%d:0x%x", place->bridge, place->slot);
    if (place->function > 0 || place->multifunction)
        return arena_textf(texts, "0x%x.%u", place->slot, place->function);
    return arena_textf(texts, "0x%x", place->slot);
}

static const char *word_of_bus(const char *word) {
    return strcmp(word, "scsi") == 0 ? "scsi" : strcmp(word, "ide") == 0 ? "ide" : "usb";
}

/* The key's pattern is matched already. A function is said where there are several. */
static struct place read_text(const char *text) {
    struct place place = {.kind = PLACE_SLOT, .bridge = -1};
    char bus[5];
    if (sscanf(text, "bridge%1d:%x", &place.bridge, &place.slot) == 2)
        return place;
    if (sscanf(text, "fe.0.%4x", &place.channel) == 1)
        place.kind = PLACE_CHANNEL;
    else if (sscanf(text, "%4[a-z]:%3u", bus, &place.unit) == 2)
        place.kind = PLACE_UNIT;
    if (place.kind == PLACE_UNIT)
        place.bus = word_of_bus(bus);
    if (place.kind == PLACE_SLOT)
        place.multifunction =
            sscanf(text, "%x.%1u", &place.slot, &place.function) == 2 && place.function == 0;
    return place;
}

/* A number is a slot, or on s390x that of the device. */
static struct place read_value(const struct value *value, enum place_kind kind) {
    if (value->kind == VALUE_TEXT)
        return read_text(value->text);
    return (struct place){.kind = kind == PLACE_CHANNEL ? PLACE_CHANNEL : PLACE_SLOT,
                          .bridge = -1,
                          .slot = (unsigned)value->number,
                          .channel = (unsigned)value->number};
}

/* ---- asking ---- */

int slots_begin(struct plan *plan, vqemu_error **error) {
    size_t count = plan->vm->slots.count;
    plan->slots_used = arena_add(&plan->texts, count * sizeof *plan->slots_used);
    return count > 0 && !plan->slots_used ? error_no_memory(error) : 0;
}

static int refuse_kind(const struct plan *plan, const char *id, enum place_kind kind,
                       const char *bus, vqemu_error **error) {
    if (kind == PLACE_UNIT)
        return slot_refuse(plan, id, VQEMU_ERR_INVALID, "no-such-place", NULL, error,
                           "is no place on the bus %s, such as \"%s:3\"", bus, bus);
    return slot_refuse(plan, id, VQEMU_ERR_INVALID, "no-such-place", NULL, error, "is no %s",
                       kind == PLACE_CHANNEL ? "number of a channel device, such as \"fe.0.2000\""
                                             : "slot of PCI, such as \"0x10\" or \"bridge0:0x3\"");
}

int slot_find(struct plan *plan, const struct device *device, enum place_kind kind, const char *bus,
              struct place *place, vqemu_error **error) {
    const char *id = device->id.value;
    const struct named_value *item = value_of(plan, id);
    if (!item)
        return 0;
    plan->slots_used[item - plan->vm->slots.items] = true;
    struct place given = read_value(&item->value, kind);
    if (given.kind != kind || (kind == PLACE_UNIT && strcmp(given.bus, bus) != 0))
        return refuse_kind(plan, id, kind, bus, error);
    *place = given;
    place->origin = origin_named("slots", id, NULL);
    return 1;
}

/* ---- what is left ---- */

/* All that have a place: of the machine's bus, of another, and bridges. */
static void list_placed(const struct plan *plan, struct strv *ids) {
    for (size_t i = 0; i < plan->device_count; i++)
        strv_add(ids, plan->devices[i]->id.value);
    for (size_t i = 0; i < plan->vm->disks.count; i++)
        if (plan->drives[i].device.place.kind == PLACE_UNIT)
            strv_add(ids, plan->drives[i].device.id.value);
    if (plan->usb.controller && plan->usb.tablet)
        strv_add(ids, plan->usb.tablet_device.id.value);
    if (plan->usb.controller && plan->usb.keyboard)
        strv_add(ids, plan->usb.keyboard_device.id.value);
}

#define CHOICES_SHOWN 200 /* bytes; details have them all */

static int refuse_unknown(const struct plan *plan, const char *id, vqemu_error **error) {
    _cleanup_strv_ struct strv ids = {0};
    _cleanup_strbuf_ struct strbuf choices = {0}, alike = {0};
    struct similar similar = {.wanted = id};
    list_placed(plan, &ids);
    for (size_t i = 0; !ids.failed && i < ids.count; i++) {
        strbuf_addf(&choices, "%s%s", i > 0 ? ", " : "", ids.items[i]);
        similar_look_at(&similar, ids.items[i]);
    }
    similar_add(&similar, &alike);
    if (ids.failed || choices.failed || alike.failed)
        return error_no_memory(error);
    bool is_short = choices.length > 0 && choices.length <= CHOICES_SHOWN;
    int r = refuse(error, VQEMU_ERR_INVALID,
                   "slots.%s: the VM has no such device with a place of its own%s%s", id,
                   alike.length ? "; similar: "
                   : is_short   ? "; it has "
                                : "",
                   alike.length ? alike.text
                   : is_short   ? choices.text
                                : "");
    return error_because(r, error, "no-such-device", VQEMU_DETAIL_VALUE, id, VQEMU_DETAIL_CHOICES,
                         choices.length ? choices.text : NULL, NULL);
}

int slots_check_used(const struct plan *plan, vqemu_error **error) {
    for (size_t i = 0; i < plan->vm->slots.count; i++)
        if (!plan->slots_used[i])
            return refuse_unknown(plan, plan->vm->slots.items[i].name, error);
    return 0;
}
