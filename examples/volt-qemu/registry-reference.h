/* SPDX-License-Identifier: MIT */
/* What people call something in a registry: HOST[:PORT]/NAME, with a tag or digest or none. */
#ifndef REGISTRY_REFERENCE_H
#define REGISTRY_REFERENCE_H

struct registry_reference {
    char *repository;
    const char *tag;    /* NULL if there is none */
    const char *digest; /* "sha256:..."; likewise */
};

/* Take one apart; text stays borrowed. Where there is a digest, the tag is not to be used. */
void registry_reference_split(const char *text, struct registry_reference *reference);
void registry_reference_release(struct registry_reference *reference);

/* The last part of the repository's name, which as a rule is that of a profile. */
const char *registry_reference_profile(const struct registry_reference *reference);

#endif
