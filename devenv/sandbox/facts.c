/*
 * facts.c - what lists, selectors and the collector ask of a stored object,
 * read from its bytes in one pass and kept with them in one piece of memory.
 *
 * The bytes are of our own printing and proven by the store, so that steps
 * over what nobody asked for need not check it; what is kept is parsed.
 */
#include <stddef.h>

#include "devenv/sandbox/registry_state.h"

/* ---- walking over members ---- */

/* The rest behind the string at the beginning of s. */
static struct str
skip_string(struct str s)
{
    size_t at = 1, slashes;

    while (at < s.n) {
        const char *end = memchr(s.s + at, '"', s.n - at);

        if (!end)
            break;
        at = (size_t)(end - s.s) + 1;
        for (slashes = 0; end[-1 - (ptrdiff_t)slashes] == '\\'; slashes++)
            ;
        if (slashes % 2 == 0)
            return str_from(s, at);
    }
    return str_from(s, s.n);
}

/* The rest behind the value at the beginning of s. */
static struct str
skip_value(struct str s)
{
    unsigned depth = 0;

    while (s.n) {
        char c = s.s[0];

        if (c == '"') {
            s = skip_string(s);
        } else {
            if (!depth && (c == ',' || c == '}' || c == ']'))
                break;
            depth += c == '{' || c == '[';
            depth -= c == '}' || c == ']';
            s = str_from(s, 1);
        }
        if (!depth && s.n && (s.s[0] == ',' || s.s[0] == '}'))
            break;
    }
    return s;
}

/* Takes the next member off the inside of an object; key with its quotes. */
static bool
next_member(struct str *s, struct str *key, struct str *value)
{
    struct str rest;

    if (s->n && (s->s[0] == '{' || s->s[0] == ','))
        *s = str_from(*s, 1);
    if (!s->n || s->s[0] != '"')
        return false;
    rest = skip_string(*s);
    *key = str_sub(*s, 0, s->n - rest.n);
    *s = str_from(rest, 1); /* the colon */
    rest = skip_value(*s);
    *value = str_sub(*s, 0, s->n - rest.n);
    *s = rest;
    return true;
}

/* ---- facts ---- */

struct found {
    struct str uid, labels, owners, finalizers;
    bool deleting;
};

static struct found
find(struct str object)
{
    struct found f = {0};
    struct str key, value, meta = {0};

    while (!meta.n && next_member(&object, &key, &value)) {
        if (str_eqz(key, "\"metadata\""))
            meta = value;
    }
    while (next_member(&meta, &key, &value)) {
        if (str_eqz(key, "\"uid\""))
            f.uid = value;
        else if (str_eqz(key, "\"labels\""))
            f.labels = value;
        else if (str_eqz(key, "\"ownerReferences\""))
            f.owners = value;
        else if (str_eqz(key, "\"finalizers\""))
            f.finalizers = value;
        else if (str_eqz(key, "\"deletionTimestamp\""))
            f.deleting = value.n && value.s[0] == '"';
    }
    return f;
}

static const char *const owner_members[] = {"uid", "apiVersion", "kind",
                                            "name"};

/* A copy of z at *at, which moves on. */
static char *
place(char **at, const char *z)
{
    size_t n = strlen(z) + 1;
    char *to = memcpy(*at, z, n);

    *at += n;
    return to;
}

static void
place_owner(char **at, const struct json *o, struct stored_owner *to)
{
    char **const texts[] = {&to->uid, &to->api_version, &to->kind, &to->name};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] =
            place(at, json_string_or(json_get(o, owner_members[i]), ""));
    to->block = json_bool(json_get(o, "blockOwnerDeletion"), false);
}

static struct stored_facts *
facts_of(struct str object)
{
    struct found found = find(object);
    AUTO(json_free_ptr)
    struct json *owners = json_parse(found.owners, NULL, NULL);
    AUTO(json_free_ptr) struct json *uid = json_parse(found.uid, NULL, NULL);
    size_t n = json_len(owners), texts = strlen(json_string_or(uid, "")) + 1;
    struct stored_facts *f;
    struct blob *room;
    char *at;

    for (const struct json *o = json_first(owners); o; o = json_next(o)) {
        for (size_t i = 0; i < ARRAY_LEN(owner_members); i++)
            texts +=
                strlen(json_string_or(json_get(o, owner_members[i]), "")) + 1;
    }
    room = blob_room(sizeof(*f) + n * sizeof(*f->owners) + texts);
    f = (struct stored_facts *)(void *)room->data;
    *f = (struct stored_facts){0};
    at = (char *)(f->owners + n);
    f->uid = place(&at, json_string_or(uid, ""));
    for (const struct json *o = json_first(owners); o; o = json_next(o))
        place_owner(&at, o, &f->owners[f->owners_n++]);
    f->labels = found.labels;
    f->deleting = found.deleting;
    f->foreground =
        str_contains(found.finalizers, STR("\"foregroundDeletion\""));
    f->orphan = str_contains(found.finalizers, STR("\"orphan\""));
    return f;
}

/* They live in a blob's room (blob.c says why). */
static void
facts_free(void *aux)
{
    blob_drop(
        (struct blob *)(void *)((char *)aux - offsetof(struct blob, data)));
}

const struct stored_facts *
stored_facts(struct blob *b)
{
    if (!b->aux)
        blob_set_aux(b, facts_of(blob_view(b)), facts_free);
    return b->aux;
}

bool
stored_labels_match(const struct selector *labels, struct blob *b)
{
    AUTO(json_free_ptr)
    struct json *j = json_parse(stored_facts(b)->labels, NULL, NULL);

    return selector_labels_match(labels, j);
}
