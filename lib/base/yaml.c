#include "lib/base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "lib/base/json_node.h"
#include "lib/base/mem.h"
#include "lib/base/yaml_plain.h"

/*
 * libyaml's events go straight into a JSON tree. An anchor keeps a copy of its
 * value and what it costs (nodes, bytes, depth), so that an alias is checked
 * against the caps before anything is copied: a thousand laughs cost nothing.
 *
 * Merged members are added when their mapping is complete: explicit members
 * win, then earlier merges.
 */

#define TAG(name) "tag:yaml.org,2002:" name

struct anchor {
    struct json *value; /* NULL while its node is still open */
    size_t nodes, bytes;
    unsigned depth;
};

struct reader {
    yaml_parser_t parser;
    struct str text;
    struct yaml_options o;
    size_t nodes, bytes;
    unsigned depth;
    struct map anchors;
    struct buf path; /* of the node being read, for duplicate keys */
    struct error *err;
};

static bool fail(struct reader *r, yaml_mark_t at, enum err_code code,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);

static bool
fail(struct reader *r, yaml_mark_t at, enum err_code code, const char *fmt, ...)
{
    char what[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return error_set(r->err, code, "line %zu, column %zu: %s", at.line + 1,
                     at.column + 1, what);
}

/* An encoding error has an offset instead of a mark. */
static yaml_mark_t
mark_of_offset(struct reader *r, size_t offset)
{
    yaml_mark_t m = {0};

    for (size_t i = 0; i < MIN(offset, r->text.n); i++) {
        m.column++;
        if (r->text.s[i] == '\n') {
            m.line++;
            m.column = 0;
        }
    }
    return m;
}

static bool
next(struct reader *r, yaml_event_t *e)
{
    yaml_parser_t *p = &r->parser;

    if (yaml_parser_parse(p, e))
        return true;
    if (p->error == YAML_MEMORY_ERROR)
        die("out of memory");
    yaml_mark_t at = p->problem_mark;

    if (p->error == YAML_READER_ERROR)
        at = mark_of_offset(r, p->problem_offset);
    return fail(r, at, ERR_PARSE, "%s", p->problem ? p->problem : "not YAML");
}

/* Charges what a node costs against the caps. */
static bool
charge(struct reader *r, yaml_mark_t at, const struct anchor *cost)
{
    r->nodes += cost->nodes;
    r->bytes += cost->bytes;
    if (r->nodes > r->o.max_nodes || r->bytes > 2 * r->o.max_bytes)
        return fail(r, at, ERR_LIMIT, "too many values");
    if (r->depth + cost->depth > r->o.max_depth)
        return fail(r, at, ERR_LIMIT, "nested too deeply");
    return true;
}

static void
measure(const struct json *j, unsigned depth, struct anchor *a)
{
    const char *text = json_string(j);

    a->nodes++;
    a->bytes += text ? strlen(text) : 0;
    a->bytes += json_key(j) ? strlen(json_key(j)) : 0;
    if (json_is(j, JSON_OBJECT) || json_is(j, JSON_ARRAY))
        depth++;
    a->depth = MAX(a->depth, depth);
    for (struct json *c = json_first(j); c; c = json_next(c))
        measure(c, depth, a);
}

static void
anchor_free(void *p)
{
    struct anchor *a = p;

    json_free(a->value);
    free(a);
}

/* ---- anchors ---- */

static void
put_anchor(struct reader *r, const yaml_char_t *name, struct anchor *a)
{
    void *old = map_put(&r->anchors, str_of((const char *)name), a);

    if (old)
        anchor_free(old);
}

/* From here to close_anchor an alias to it would contain itself. */
static void
open_anchor(struct reader *r, const yaml_char_t *name)
{
    if (name)
        put_anchor(r, name, mem_zalloc(1, sizeof(struct anchor)));
}

static bool
close_anchor(struct reader *r, yaml_mark_t at, const yaml_char_t *name,
             const struct json *value)
{
    struct anchor a = {0};

    if (!name)
        return true;
    measure(value, 0, &a);
    if (!charge(r, at, &a))
        return false;
    a.value = json_copy(value);
    put_anchor(r, name, memcpy(mem_alloc(sizeof(a)), &a, sizeof(a)));
    return true;
}

static struct json *
alias(struct reader *r, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    struct anchor *a = map_get(&r->anchors, str_of(name));

    if (!a) {
        fail(r, e->start_mark, ERR_PARSE, "unknown anchor '%s' referenced",
             name);
        return NULL;
    }
    if (!a->value) {
        fail(r, e->start_mark, ERR_PARSE, "anchor '%s' value contains itself",
             name);
        return NULL;
    }
    return charge(r, e->start_mark, a) ? json_copy(a->value) : NULL;
}

/* ---- scalars ---- */

static const struct {
    const char *tag, *name;
    enum yaml_kind kind;
} tags[] = {
    {TAG("str"), "!!str", YAML_STRING},
    {TAG("null"), "!!null", YAML_NULL},
    {TAG("bool"), "!!bool", YAML_BOOL},
    {TAG("int"), "!!int", YAML_INT},
    {TAG("float"), "!!float", YAML_FLOAT},
    {TAG("timestamp"), "!!timestamp", YAML_TIMESTAMP},
    {TAG("merge"), "!!merge", YAML_MERGE},
};

static const char *
tag_name(enum yaml_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (tags[i].kind == kind)
            return tags[i].name;
    }
    return "?";
}

/* yaml.v2's resolve(): a known tag must agree with the text, an unknown one
 * makes it a string. */
static bool
resolve(struct reader *r, const yaml_event_t *e, struct yaml_scalar *v)
{
    const char *tag = (const char *)e->data.scalar.tag;
    struct str s =
        str_n((const char *)e->data.scalar.value, e->data.scalar.length);

    *v = (struct yaml_scalar){.kind = YAML_STRING};
    if (memchr(s.s, '\0', s.n))
        return fail(r, e->start_mark, ERR_PARSE,
                    "a string may not contain NUL");
    if (!tag) {
        if (e->data.scalar.plain_implicit)
            yaml_resolve(s, v);
        return true;
    }
    if (strcmp(tag, TAG("binary")) == 0)
        return fail(r, e->start_mark, ERR_UNSUPPORTED,
                    "!!binary is not supported");
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (strcmp(tag, tags[i].tag) != 0 || tags[i].kind == YAML_STRING)
            continue;
        yaml_resolve(s, v);
        if (v->kind == tags[i].kind ||
            (v->kind == YAML_INT && tags[i].kind == YAML_FLOAT))
            return true;
        return fail(r, e->start_mark, ERR_PARSE,
                    "cannot decode %s `%.200s` as a %s", tag_name(v->kind), s.s,
                    tags[i].name);
    }
    return true;
}

static struct json *
scalar(struct reader *r, const yaml_event_t *e)
{
    struct str s =
        str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    struct anchor cost = {.nodes = 1, .bytes = s.n};
    struct yaml_scalar v;
    struct json *j;

    if (!charge(r, e->start_mark, &cost) || !resolve(r, e, &v))
        return NULL;
    j = yaml_scalar_node(&v, s, NULL);
    if (!j)
        fail(r, e->start_mark, ERR_PARSE, "%.*s is not a JSON number",
             STR_ARG(s));
    return j;
}

/* ---- places ---- */

static struct json_place
place_of(const yaml_event_t *e)
{
    return (struct json_place){
        .line = (unsigned)e->start_mark.line + 1,
        .column = (unsigned)e->start_mark.column + 1,
        .block = e->type == YAML_SCALAR_EVENT &&
                 e->data.scalar.style == YAML_LITERAL_SCALAR_STYLE,
    };
}

/* ---- collections ---- */

static struct json *node(struct reader *r, const yaml_event_t *e);

static bool
sequence(struct reader *r, struct json *array)
{
    size_t mark = r->path.n;

    for (size_t i = 0;; i++) {
        yaml_event_t e;

        if (!next(r, &e))
            return false;
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&e);
            return true;
        }
        r->path.over = false; /* one key too long must not spoil the others */
        buf_printf(&r->path, "[%zu]", i);
        struct json_place at = place_of(&e);
        struct json *item = node(r, &e);

        yaml_event_delete(&e);
        buf_truncate(&r->path, mark);
        if (!item)
            return false;
        json_places_add(r->o.places, item, at);
        json_append(array, item);
    }
}

/* As Go prints a 32-bit float: sigs.k8s.io/yaml does so for keys. */
static char *
float_key(double d)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64);

    json_print_float(d, true, &b);
    return buf_take(&b);
}

/* The text of a key as sigs.k8s.io/yaml writes it, fresh. */
static char *
key_text(struct reader *r, const yaml_event_t *e, const struct json *key)
{
    struct yaml_scalar v = {0};

    if (json_is(key, JSON_STRING))
        return mem_strdup(json_string(key));
    if (json_is(key, JSON_BOOL))
        return mem_strdup(json_bool(key, false) ? "true" : "false");
    if (e->type == YAML_SCALAR_EVENT && resolve(r, e, &v) &&
        v.kind == YAML_FLOAT)
        return float_key(v.number);
    if (json_is(key, JSON_NUMBER))
        return mem_strdup(json_number_text(key));
    fail(r, e->start_mark, ERR_PARSE, "unsupported map key: %s",
         json_is(key, JSON_NULL) ? "null" : "not a scalar");
    return NULL;
}

static bool
is_merge(const yaml_event_t *e)
{
    const char *tag = (const char *)e->data.scalar.tag;

    return e->type == YAML_SCALAR_EVENT &&
           str_eqz(
               str_n((const char *)e->data.scalar.value, e->data.scalar.length),
               "<<") &&
           (tag ? strcmp(tag, TAG("merge")) == 0
                : e->data.scalar.plain_implicit);
}

static bool
duplicate(struct reader *r, yaml_mark_t at, const char *key)
{
    struct strlist *list = r->o.duplicates;

    if (!list)
        return r->o.last_key_wins ||
               fail(r, at, ERR_PARSE, "key \"%s\" already set in map", key);
    if (list->n >= 100)
        return true;
    if (r->o.duplicate_lines)
        strlist_addf(list, "line %zu: key \"%s\" already set in map",
                     at.line + 1, key);
    else if (!strlist_has(list, buf_view(&r->path)))
        strlist_add(list, buf_view(&r->path));
    return true;
}

/* Reads the value of a key and puts both into the object. */
static bool
member(struct reader *r, yaml_mark_t at, const char *key, struct json *object,
       struct json_keys *keys)
{
    size_t mark = r->path.n;
    struct json *old = json_keys_find(keys, object, str_of(key));
    yaml_event_t e;

    r->path.over = false;
    if (mark)
        buf_putc(&r->path, '.');
    buf_puts(&r->path, key);
    if (old && !duplicate(r, at, key))
        return false;
    if (!next(r, &e))
        return false;
    struct json_place place = place_of(&e);
    struct json *value = node(r, &e);

    yaml_event_delete(&e);
    buf_truncate(&r->path, mark);
    if (!value)
        return false;
    place.key_line = (unsigned)at.line + 1;
    place.key_column = (unsigned)at.column + 1;
    json_places_add(r->o.places, value, place);
    if (old)
        json_keys_replace(keys, object, old, value);
    else
        json_keys_add(keys, object, json_link_as(object, key, value));
    return true;
}

/* The value of "<<": a mapping or a list of them, collected in merges. */
static bool
merge(struct reader *r, struct json *merges)
{
    yaml_event_t e;

    if (!next(r, &e))
        return false;
    yaml_mark_t at = e.start_mark;
    struct json *value = node(r, &e);

    yaml_event_delete(&e);
    if (!value)
        return false;
    if (!json_is(value, JSON_ARRAY)) {
        json_append(merges, value);
    } else {
        while (json_first(value))
            json_append(merges, json_detach(value, json_first(value)));
        json_free(value);
    }
    for (struct json *m = json_first(merges); m; m = json_next(m)) {
        if (!json_is(m, JSON_OBJECT))
            return fail(
                r, at, ERR_PARSE,
                "map merge requires map or sequence of maps as the value");
    }
    return true;
}

static void
apply_merges(struct json *object, struct json_keys *keys, struct json *merges)
{
    for (struct json *m = json_first(merges); m; m = json_next(m)) {
        struct json *c;

        while ((c = json_first(m))) {
            json_detach(m, c);
            if (json_keys_find(keys, object, str_of(json_key(c)))) {
                json_free(c);
                continue;
            }
            json_link(object, c);
            json_keys_add(keys, object, c);
        }
    }
}

/* One key event: reads its value too. */
static bool
key(struct reader *r, const yaml_event_t *e, struct json *object,
    struct json_keys *keys, struct json *merges)
{
    if (is_merge(e))
        return merge(r, merges);
    AUTO(json_free_ptr) struct json *k = node(r, e);
    AUTO(mem_free_ptr) char *text = k ? key_text(r, e, k) : NULL;

    return text && member(r, e->start_mark, text, object, keys);
}

static bool
mapping(struct reader *r, struct json *object)
{
    AUTO(json_free_ptr) struct json *merges = json_new_array();
    struct json_keys keys = {0};
    bool ok, more = true;

    do {
        yaml_event_t e;

        ok = next(r, &e);
        if (!ok)
            break;
        more = e.type != YAML_MAPPING_END_EVENT;
        if (more)
            ok = key(r, &e, object, &keys, merges);
        yaml_event_delete(&e);
    } while (ok && more);
    if (ok)
        apply_merges(object, &keys, merges);
    json_keys_release(&keys);
    return ok;
}

static struct json *
collection(struct reader *r, const yaml_event_t *e)
{
    bool map = e->type == YAML_MAPPING_START_EVENT;
    struct anchor cost = {.nodes = 1, .depth = 1};

    if (!charge(r, e->start_mark, &cost))
        return NULL;
    struct json *j = map ? json_new_object() : json_new_array();

    r->depth++;
    bool ok = map ? mapping(r, j) : sequence(r, j);

    r->depth--;
    if (ok)
        return j;
    json_free(j);
    return NULL;
}

/* The node that begins with e. */
static struct json *
node(struct reader *r, const yaml_event_t *e)
{
    const yaml_char_t *name;

    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return alias(r, e);
    case YAML_SCALAR_EVENT:
        name = e->data.scalar.anchor;
        break;
    case YAML_SEQUENCE_START_EVENT:
        name = e->data.sequence_start.anchor;
        break;
    case YAML_MAPPING_START_EVENT:
        name = e->data.mapping_start.anchor;
        break;
    default:
        fail(r, e->start_mark, ERR_PARSE, "expected a value");
        return NULL;
    }
    open_anchor(r, name);
    struct json *j =
        e->type == YAML_SCALAR_EVENT ? scalar(r, e) : collection(r, e);

    if (j && !close_anchor(r, e->start_mark, name, j)) {
        json_free(j);
        return NULL;
    }
    return j;
}

/* ---- streams ---- */

/* Behind DOCUMENT-START. */
static bool
document(struct reader *r, struct yaml_docs *docs)
{
    yaml_event_t e;

    if (!next(r, &e))
        return false;
    struct json_place at = place_of(&e);
    struct json *value = node(r, &e);

    yaml_event_delete(&e);
    map_release(&r->anchors, anchor_free);
    if (!value)
        return false;
    if (json_is(value, JSON_NULL)) {
        json_free(value);
        return true;
    }
    if (docs->n == r->o.max_documents) {
        json_free(value);
        return error_set(r->err, ERR_LIMIT, "line %u: more than %zu documents",
                         at.line, docs->n);
    }
    json_places_add(r->o.places, value, at);
    docs->v = mem_grow(docs->v, &docs->cap, docs->n + 1, sizeof(*docs->v));
    docs->v[docs->n++] = (struct yaml_doc){value, at.line};
    return true;
}

static bool
stream(struct reader *r, struct yaml_docs *docs)
{
    yaml_event_type_t type;
    bool ok = true;

    do {
        yaml_event_t e;

        if (!next(r, &e))
            return false;
        type = e.type;
        yaml_event_delete(&e);
        if (type == YAML_DOCUMENT_START_EVENT)
            ok = document(r, docs);
    } while (ok && type != YAML_STREAM_END_EVENT);
    return ok;
}

static struct yaml_options
with_defaults(const struct yaml_options *o)
{
    struct yaml_options full = o ? *o : (struct yaml_options){0};

    if (!full.max_bytes)
        full.max_bytes = (size_t)16 << 20;
    if (!full.max_depth)
        full.max_depth = 100;
    if (!full.max_nodes)
        full.max_nodes = 1000000;
    if (!full.max_documents)
        full.max_documents = 10000;
    return full;
}

/* JSON may be indented with tabs, which YAML forbids; so it is tried first, as
 * the API server does. Equal keys are left to the YAML reader, which knows
 * what to do with them. */
static struct json *
try_json(struct str text, const struct yaml_options *o)
{
    struct strlist dups = {0};
    struct json_options jo = {
        .max_depth = o->max_depth,
        .max_nodes = o->max_nodes,
        .duplicates = &dups,
        .places = o->places,
    };
    size_t known = o->places ? o->places->n : 0;
    struct str body = str_trim(text);

    if (!body.n || body.s[0] != '{')
        return NULL;
    struct json *j = json_parse(text, &jo, NULL);

    if (j && dups.n) {
        json_free(j);
        j = NULL;
    }
    if (!j && o->places)
        o->places->n = known; /* of a tree that is gone */
    strlist_release(&dups);
    return j;
}

bool
yaml_parse(struct str text, const struct yaml_options *o, struct yaml_docs *out,
           struct error *err)
{
    struct reader r = {.o = with_defaults(o),
                       .text = text,
                       .path = BUF_INIT(4096),
                       .err = err};
    struct yaml_docs docs = {0};

    if (text.n > r.o.max_bytes)
        return error_set(err, ERR_LIMIT,
                         "the YAML text has %zu bytes, more than the %zu "
                         "allowed",
                         text.n, r.o.max_bytes);
    struct json *j = try_json(text, &r.o);

    if (j) {
        size_t skip = (size_t)((char *)memchr(text.s, '{', text.n) - text.s);

        docs.v = mem_grow(NULL, &docs.cap, 1, sizeof(*docs.v));
        docs.v[docs.n++] =
            (struct yaml_doc){j, (unsigned)mark_of_offset(&r, skip).line + 1};
        *out = docs;
        return true;
    }
    if (yaml_plain(text, &r.o, out))
        return true;
    if (!yaml_parser_initialize(&r.parser))
        die("out of memory");
    yaml_parser_set_input_string(
        &r.parser, (const unsigned char *)(text.s ? text.s : ""), text.n);
    bool ok = stream(&r, &docs);

    yaml_parser_delete(&r.parser);
    map_release(&r.anchors, anchor_free);
    buf_release(&r.path);
    if (ok)
        *out = docs;
    else
        yaml_docs_release(&docs);
    return ok;
}

void
yaml_docs_release(struct yaml_docs *d)
{
    for (size_t i = 0; i < d->n; i++)
        json_free(d->v[i].value);
    free(d->v);
    *d = (struct yaml_docs){0};
}

struct json *
yaml_parse_one(struct str text, const struct yaml_options *o, struct error *err)
{
    AUTO(yaml_docs_release) struct yaml_docs docs = {0};

    if (!yaml_parse(text, o, &docs, err))
        return NULL;
    if (docs.n != 1) {
        error_set(err, ERR_PARSE, "expected one document, found %zu", docs.n);
        return NULL;
    }
    struct json *j = docs.v[0].value;

    docs.v[0].value = NULL;
    return j;
}
