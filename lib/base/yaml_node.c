#include "lib/base/yaml_node.h"

#include <stdlib.h>
#include <yaml.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#define MAX_BYTES ((size_t)16 << 20)
#define MAX_DEPTH 100
#define MAX_NODES ((size_t)1000000)

struct reader {
    struct arena *a;
    yaml_parser_t parser;
    struct map anchors; /* name -> struct yaml_node, or &open */
    size_t nodes;
    unsigned depth;
    struct error *err;
};

/* Stands for an anchor whose node is not complete yet. */
static const struct yaml_node open;

static const struct yaml_node *node(struct reader *r, const yaml_event_t *e);

/* Go tells the line of the context where there is one; what its scanner finds
 * is one line further. Line 0 is not told. */
static bool
syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    size_t line =
        p->context_mark.line ? p->context_mark.line : p->problem_mark.line;
    const char *what = p->problem ? p->problem : "not YAML";

    if (p->error == YAML_MEMORY_ERROR)
        die("out of memory");
    if (p->error == YAML_READER_ERROR || !line)
        return error_set(r->err, ERR_PARSE, "%s", what);
    return error_set(r->err, ERR_PARSE, "line %zu: %s",
                     line + (p->error == YAML_SCANNER_ERROR), what);
}

static bool
next(struct reader *r, yaml_event_t *e)
{
    return yaml_parser_parse(&r->parser, e) || syntax(r);
}

static const struct yaml_node *
alias(struct reader *r, const char *name)
{
    const struct yaml_node *n = map_get(&r->anchors, str_of(name));

    if (n && n != &open)
        return n;
    error_set(r->err, ERR_PARSE,
              n ? "anchor '%s' value contains itself"
                : "unknown anchor '%s' referenced",
              name);
    return NULL;
}

static struct yaml_node *
new_node(struct reader *r, enum yaml_node_kind kind, const yaml_event_t *e,
         const yaml_char_t *tag)
{
    struct yaml_node *n = arena_alloc(r->a, sizeof(*n));

    n->kind = kind;
    n->line = (unsigned)e->start_mark.line + 1;
    n->tag = tag ? arena_strdup(r->a, (const char *)tag) : NULL;
    return n;
}

static const struct yaml_node *
scalar(struct reader *r, const yaml_event_t *e)
{
    struct yaml_node *n = new_node(r, YAML_NODE_SCALAR, e, e->data.scalar.tag);

    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    n->text = arena_str(
        r->a, str_n((const char *)e->data.scalar.value, e->data.scalar.length));
    return n;
}

/* The nodes up to the event that ends the collection. */
static const struct yaml_node *
collection(struct reader *r, struct yaml_node *n, yaml_event_type_t end)
{
    AUTO(mem_free_ptr) const struct yaml_node **kids = NULL;
    size_t cap = 0;

    for (;;) {
        yaml_event_t e;

        if (!next(r, &e))
            return NULL;
        bool last = e.type == end;
        const struct yaml_node *kid = last ? NULL : node(r, &e);

        yaml_event_delete(&e);
        if (last)
            break;
        if (!kid)
            return NULL;
        kids = mem_grow(kids, &cap, n->n + 1, sizeof(*kids));
        kids[n->n++] = kid;
    }
    n->kids = arena_array(r->a, n->n, sizeof(*kids));
    if (n->n)
        memcpy(n->kids, kids, n->n * sizeof(*kids));
    return n;
}

static const struct yaml_node *
container(struct reader *r, const yaml_event_t *e)
{
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    const yaml_char_t *tag =
        list ? e->data.sequence_start.tag : e->data.mapping_start.tag;
    const yaml_char_t *anchor =
        list ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    struct str name = str_of((const char *)anchor);

    if (r->depth >= MAX_DEPTH) {
        error_set(r->err, ERR_LIMIT, "nested too deeply");
        return NULL;
    }
    if (anchor)
        map_put(&r->anchors, name, (void *)&open);
    r->depth++;
    struct yaml_node *fresh =
        new_node(r, list ? YAML_NODE_LIST : YAML_NODE_MAP, e, tag);
    const struct yaml_node *n = collection(
        r, fresh, list ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT);

    r->depth--;
    if (anchor && n)
        map_put(&r->anchors, name, (void *)n);
    return n;
}

static const struct yaml_node *
node(struct reader *r, const yaml_event_t *e)
{
    const struct yaml_node *n;

    if (++r->nodes > MAX_NODES) {
        error_set(r->err, ERR_LIMIT, "too many values");
        return NULL;
    }
    if (e->type == YAML_ALIAS_EVENT)
        return alias(r, (const char *)e->data.alias.anchor);
    if (e->type != YAML_SCALAR_EVENT)
        return container(r, e);
    n = scalar(r, e);
    if (e->data.scalar.anchor)
        map_put(&r->anchors, str_of((const char *)e->data.scalar.anchor),
                (void *)n);
    return n;
}

/* The root of the first document; *out stays NULL when there is none. */
static bool
first_document(struct reader *r, const struct yaml_node **out)
{
    yaml_event_type_t type = YAML_NO_EVENT, before;

    do {
        yaml_event_t e;

        if (!next(r, &e))
            return false;
        before = type;
        type = e.type;
        if (before == YAML_DOCUMENT_START_EVENT)
            *out = node(r, &e);
        yaml_event_delete(&e);
    } while (type != YAML_STREAM_END_EVENT &&
             before != YAML_DOCUMENT_START_EVENT);
    return *out || type == YAML_STREAM_END_EVENT;
}

bool
yaml_node_read(struct arena *a, struct str text, const struct yaml_node **out,
               struct error *err)
{
    struct reader r = {.a = a, .err = err};
    const struct yaml_node *found = NULL;

    if (text.n > MAX_BYTES)
        return error_set(err, ERR_LIMIT,
                         "the YAML text has %zu bytes, more "
                         "than the %zu allowed",
                         text.n, MAX_BYTES);
    if (!yaml_parser_initialize(&r.parser))
        die("out of memory");
    yaml_parser_set_input_string(
        &r.parser, (const unsigned char *)(text.s ? text.s : ""), text.n);
    bool ok = first_document(&r, &found);

    yaml_parser_delete(&r.parser);
    map_release(&r.anchors, NULL);
    if (ok)
        *out = found;
    return ok;
}
