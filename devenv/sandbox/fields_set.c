/*
 * The fields an object names, and whether it fits its schema at all.
 */
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/fields_place.h"
#include "devenv/sandbox/fieldset.h"

/* ---- does it fit ---- */

struct check {
    struct buf path;
    struct strlist errors;
};

static void check(struct check *c, const struct place *p, const struct json *v);

/* Go's %v of a decoded value. */
static void
print_go(const struct json *v, struct buf *out)
{
    const char *sep = "";
    double d;

    switch (json_type_of(v)) {
    case JSON_STRING:
        buf_puts(out, json_string(v));
        return;
    case JSON_NULL:
        buf_puts(out, "<nil>");
        return;
    case JSON_NUMBER:
        if (json_is_integer(v) || !json_double(v, &d))
            json_print(v, JSON_COMPACT, out);
        else
            json_print_float(d, false, out);
        return;
    case JSON_BOOL:
        json_print(v, JSON_COMPACT, out);
        return;
    default:
        break;
    }
    buf_puts(out, json_is(v, JSON_OBJECT) ? "map[" : "[");
    for (const struct json *c = json_first(v); c; c = json_next(c)) {
        buf_puts(out, sep);
        if (json_key(c))
            buf_printf(out, "%s:", json_key(c));
        print_go(c, out);
        sep = " ";
    }
    buf_putc(out, ']');
}

/* Go's %#v of the same. */
static void
print_go_syntax(const struct json *v, struct buf *out)
{
    const char *sep = "";

    if (!json_is(v, JSON_OBJECT) && !json_is(v, JSON_ARRAY)) {
        json_print(v, JSON_COMPACT, out);
        return;
    }
    buf_puts(out, json_is(v, JSON_OBJECT) ? "map[string]interface {}{"
                                          : "[]interface {}{");
    for (const struct json *c = json_first(v); c; c = json_next(c)) {
        buf_puts(out, sep);
        if (json_key(c))
            buf_printf(out, "\"%s\":", json_key(c));
        print_go_syntax(c, out);
        sep = ", ";
    }
    buf_putc(out, '}');
}

static const char *
go_type(const struct json *v)
{
    static const char *const names[] = {
        [JSON_NULL] = "<nil>",
        [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "int64",
        [JSON_STRING] = "string",
        [JSON_ARRAY] = "[]interface {}",
        [JSON_OBJECT] = "map[string]interface {}",
    };

    return names[json_type_of(v)];
}

enum got { GOT_VALUE, GOT_SYNTAX, GOT_TYPE };

static void
complain(struct check *c, const char *expected, enum got got,
         const struct json *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "%s: expected %s, got ", buf_cstr(&c->path), expected);
    if (got == GOT_TYPE) {
        buf_puts(&b, go_type(v));
    } else if (got == GOT_SYNTAX) {
        buf_puts(&b, "&value.valueUnstructured{Value:");
        print_go_syntax(v, &b);
        buf_putc(&b, '}');
    } else {
        buf_puts(&b, "&{");
        print_go(v, &b);
        buf_putc(&b, '}');
    }
    strlist_add(&c->errors, buf_view(&b));
}

static void
check_scalar(struct check *c, const struct place *p, const struct json *v)
{
    enum schema_type type = p->s ? schema_info(p->s)->type : SCHEMA_ANY;
    bool plain = p->s && type == SCHEMA_STRING &&
                 (!*schema_info(p->s)->format ||
                  !strcmp(schema_info(p->s)->format, "byte"));

    if (json_is(v, JSON_NULL))
        return;
    if (type == SCHEMA_INTEGER || type == SCHEMA_NUMBER) {
        if (!json_is(v, JSON_NUMBER))
            complain(c, "numeric (int or float)", GOT_TYPE, v);
    } else if (plain) {
        if (!json_is(v, JSON_STRING))
            complain(c, "string", GOT_SYNTAX, v);
    } else if (type == SCHEMA_BOOLEAN) {
        if (!json_is(v, JSON_BOOL))
            complain(c, "boolean", GOT_VALUE, v);
    } else if (json_is(v, JSON_OBJECT) || json_is(v, JSON_ARRAY)) {
        complain(c, "any scalar", GOT_VALUE, v);
    }
}

static void
check_map(struct check *c, const struct place *p, const struct json *map)
{
    if (!json_is(map, JSON_OBJECT)) {
        if (!json_is(map, JSON_NULL))
            complain(c, "map", GOT_VALUE, map);
        return;
    }
    for (const struct json *m = json_first(map); m; m = json_next(m)) {
        size_t n = c->path.n;
        struct place child;
        bool named, known = place_member(p, json_key(m), &child, &named);

        buf_putc(&c->path, '.');
        buf_puts(&c->path, json_key(m));
        if (known)
            check(c, &child, m);
        else
            strlist_addf(&c->errors, "%s: field not declared in schema",
                         buf_cstr(&c->path));
        buf_truncate(&c->path, n);
        if (!known)
            return;
    }
}

/* Puts the item's element behind the path; false: it has none. */
static bool
check_element(struct check *c, const struct place *p, const struct json *item,
              size_t i, struct map *seen)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf shown = BUF_INIT(BUF_TEXT_MAX);

    if (place_list(p) == SCHEMA_LIST_ATOMIC) {
        buf_printf(&c->path, "[%zu]", i);
        return true;
    }
    if (!place_element(p, item, &e, &why)) {
        strlist_addf(&c->errors, "%s: element %zu: %s", buf_cstr(&c->path), i,
                     buf_cstr(&why));
        return false;
    }
    fieldset_print_element(buf_cstr(&e), &shown);
    if (map_has(seen, buf_view(&e)))
        strlist_addf(&c->errors, "%s: duplicate entries for key %s",
                     buf_cstr(&c->path), buf_cstr(&shown));
    map_put(seen, buf_view(&e), c);
    buf_str(&c->path, buf_view(&shown));
    return true;
}

static void
check_list(struct check *c, const struct place *p, const struct json *list)
{
    struct place child = place_item(p);
    struct map seen = {0};
    size_t n = c->path.n, i = 0;

    if (!json_is(list, JSON_ARRAY)) {
        if (!json_is(list, JSON_NULL))
            complain(c, "list", GOT_VALUE, list);
        return;
    }
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (!check_element(c, p, v, i++, &seen))
            break;
        check(c, &child, v);
        buf_truncate(&c->path, n);
    }
    map_release(&seen, NULL);
}

static void
check(struct check *c, const struct place *p, const struct json *v)
{
    switch (place_first(place_forms(p, v))) {
    case FORM_MAP:
        check_map(c, p, v);
        break;
    case FORM_LIST:
        check_list(c, p, v);
        break;
    default:
        check_scalar(c, p, v);
    }
}

bool
fields_fit(const struct fields_types *t, const struct json *config,
           struct buf *why)
{
    struct place root = place_root(t);
    struct check c = {.path = BUF_INIT(BUF_TEXT_MAX)};
    bool good;

    check(&c, &root, config);
    good = c.errors.n == 0;
    if (c.errors.n == 1)
        buf_puts(why, c.errors.v[0]);
    for (size_t i = 0; c.errors.n > 1 && i < c.errors.n; i++)
        buf_printf(why, "%s\n  %s", i ? "" : "errors:", c.errors.v[i]);
    strlist_release(&c.errors);
    buf_release(&c.path);
    return good;
}

/* ---- its fields ---- */

/* True: the place itself is a path; what is below it goes to set. */
static bool collect(const struct place *p, const struct json *v,
                    struct json *set);

static void
collect_child(const struct place *p, const char *element, const struct json *v,
              bool member, struct json *set)
{
    struct json *below = json_new_object();

    member |= collect(p, v, below);
    if (!member && !json_first(below)) {
        json_free(below);
        return;
    }
    if (member)
        fieldset_mark(below);
    json_set(set, element, below);
}

static void
collect_map(const struct place *p, const struct json *map, struct json *set)
{
    AUTO(buf_release) struct buf element = BUF_INIT(BUF_TEXT_MAX);

    for (const struct json *m = json_first(map); m; m = json_next(m)) {
        struct place child;
        bool named, bare;

        place_member(p, json_key(m), &child, &named);
        bare = json_is(m, JSON_NULL) ||
               (json_is(m, JSON_OBJECT) && !json_first(m));
        buf_reset(&element);
        buf_puts(&element, "f:");
        buf_puts(&element, json_key(m));
        collect_child(&child, buf_cstr(&element), m, bare || !named, set);
    }
}

/* An element that stands twice is one path with nothing below. */
static void
collect_list(const struct place *p, const struct json *list, struct json *set)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);
    struct place child = place_item(p);
    struct map twice = {0};

    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (place_element(p, v, &e, NULL))
            map_put(&twice, buf_view(&e),
                    map_has(&twice, buf_view(&e)) ? set : NULL);
    }
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (!place_element(p, v, &e, NULL))
            continue;
        if (map_get(&twice, buf_view(&e)))
            json_set(set, buf_cstr(&e), json_new_object());
        else
            collect_child(&child, buf_cstr(&e), v, true, set);
    }
    map_release(&twice, NULL);
}

static bool
collect(const struct place *p, const struct json *v, struct json *set)
{
    switch (place_first(place_forms(p, v))) {
    case FORM_MAP:
        if (place_map_atomic(p))
            return true;
        if (json_is(v, JSON_OBJECT))
            collect_map(p, v, set);
        return false;
    case FORM_LIST:
        if (place_list(p) == SCHEMA_LIST_ATOMIC)
            return true;
        if (json_is(v, JSON_ARRAY))
            collect_list(p, v, set);
        return false;
    default:
        return true;
    }
}

void
fields_of(const struct fields_types *t, const struct json *object,
          struct json *set)
{
    struct place root = place_root(t);

    collect(&root, object, set);
}
