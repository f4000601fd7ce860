#include "devenv/sandbox/types_json.h"

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/quantity.h"

#define SCHEMA "apiextensions.v1.JSONSchemaProps"

/* ---- reading ---- */

struct walk {
    struct types *t;
    struct strlist *unknown;
    struct buf *why;
    struct buf path;  /* as Go says it: members only */
    struct buf exact; /* with [i] */
    const struct types_struct *owner;
    bool bad;
};

static const char *
go_kind(const struct json *v)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object"};

    return names[json_type_of(v)];
}

/* The Go type of one value of f. */
static void
go_type(const struct types_field *f, struct buf *out)
{
    static const char *const names[] = {[TYPES_STRING] = "string",
                                        [TYPES_BOOL] = "bool",
                                        [TYPES_INT32] = "int32",
                                        [TYPES_INT64] = "int64",
                                        [TYPES_NUMBER] = "float64",
                                        [TYPES_BYTES] = "[]uint8",
                                        [TYPES_TIME] = "string",
                                        [TYPES_MICRO_TIME] = "string",
                                        [TYPES_DURATION] = "string",
                                        [TYPES_INT_OR_STRING] = "int32",
                                        [TYPES_QUANTITY] = "resource.Quantity"};
    struct str package, version, rest;

    if (f->go_name) {
        buf_puts(out, f->go_name);
    } else if (f->type) {
        str_cut(str_of(f->type->name), '.', &package, &rest);
        str_cut(rest, '.', &version, &rest);
        buf_printf(out, "%.*s.%s", STR_ARG(version), types_short_name(f->type));
    } else {
        buf_puts(out, f->base < ARRAY_LEN(names) && names[f->base]
                          ? names[f->base]
                          : "interface {}");
    }
}

/* whole: the list or map itself does not fit, not what is in it. */
static bool
misfit(struct walk *w, const struct types_field *f, const struct json *v,
       bool whole)
{
    const char *number = json_number_text(v);
    bool integer = f->base == TYPES_INT32 || f->base == TYPES_INT64;

    if (w->bad)
        return false;
    w->bad = true;
    buf_printf(w->why, "json: cannot unmarshal %s%s%s into Go struct field ",
               go_kind(v), number && integer && !whole ? " " : "",
               number && integer && !whole ? number : "");
    buf_printf(w->why, "%s.%s of type ", types_short_name(w->owner),
               buf_cstr(&w->path));
    if (whole && f->shape == TYPES_LIST)
        buf_puts(w->why, "[]");
    else if (whole && f->shape >= TYPES_MAP)
        buf_puts(w->why, "map[string]");
    go_type(f, w->why);
    return false;
}

static bool
complain(struct walk *w, const char *text)
{
    if (!w->bad)
        buf_puts(w->why, text);
    w->bad = true;
    return false;
}

static bool read_struct(struct walk *w, const struct types_struct *s,
                        struct json *obj);

static bool
read_number(struct walk *w, const struct types_field *f, struct json *v)
{
    int64_t n;

    if (!json_is(v, JSON_NUMBER) ||
        (f->base != TYPES_NUMBER &&
         (!json_is_integer(v) || !json_int64(v, &n) ||
          (f->base == TYPES_INT32 && (n < INT32_MIN || n > INT32_MAX)))))
        return misfit(w, f, v, false);
    return true;
}

/* What time.Parse says of a text it cannot read. */
static bool
bad_time(struct walk *w, const char *text, const char *layout, const char *at,
         const char *want)
{
    if (!w->bad)
        buf_printf(w->why,
                   "parsing time \"%s\" as \"%s\": cannot parse \"%s\" "
                   "as \"%s\"",
                   text, layout, at, want);
    w->bad = true;
    return false;
}

static bool
read_time(struct walk *w, const struct types_field *f, struct json *v)
{
    bool micro = f->base == TYPES_MICRO_TIME;
    const char *layout = micro ? "2006-01-02T15:04:05.000000Z07:00"
                               : "2006-01-02T15:04:05Z07:00";
    const char *text = json_string(v);
    int64_t at;

    if (!text)
        return misfit(w, f, v, false);
    if (!clock_parse(str_of(text), &at))
        return bad_time(w, text, layout, text, "2006");
    if (micro && (strlen(text) < 26 || text[19] != '.' ||
                  strspn(text + 20, "0123456789") != 6))
        return bad_time(w, text, layout, strlen(text) > 19 ? text + 19 : "",
                        ".000000");
    return true;
}

static bool
read_bytes(struct walk *w, const struct types_field *f, struct json *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    const char *text = json_string(v);
    bool pad;
    size_t n;

    if (!text)
        return misfit(w, f, v, false);
    if (digest_unbase64(str_of(text), false, &b))
        return true;
    n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789+/");
    pad = text[n] == '=' && n % 4 == 2 && text[n + 1] != '=';
    if (!w->bad)
        buf_printf(w->why, "illegal base64 data at input byte %zu",
                   pad       ? n + 1
                   : text[n] ? n
                             : n - n % 4);
    w->bad = true;
    return false;
}

static bool
read_quantity(struct walk *w, struct json *v, struct json *in)
{
    AUTO(mem_free_ptr) char *number = json_text(v, JSON_COMPACT);
    const char *text = json_string(v) ? json_string(v) : number;
    AUTO(buf_release) struct buf b = BUF_INIT(QUANTITY_TEXT_MAX);
    struct error err = {0};
    struct quantity q;

    if (json_is(v, JSON_NULL))
        text = "0";
    if (!quantity_parse(str_trim(str_of(text)), &q, &err))
        return complain(w, err.msg);
    quantity_print(&q, &b);
    if (!json_string(v) || strcmp(json_string(v), buf_cstr(&b)) != 0)
        json_replace(in, v, json_new_string(buf_cstr(&b)));
    return true;
}

/* A schema, or what else may stand in its place. */
static bool
read_schema(struct walk *w, const struct types_field *f, struct json *v)
{
    const struct types_struct *s = types_find(w->t, SCHEMA);
    bool list = json_is(v, JSON_ARRAY);

    if (json_is(v, JSON_OBJECT))
        return read_struct(w, s, v);
    for (struct json *c = list ? json_first(v) : NULL; c; c = json_next(c)) {
        if (f->base == TYPES_SCHEMA_OR_ARRAY && json_is(c, JSON_OBJECT))
            read_struct(w, s, c);
    }
    return true;
}

/* One value; in: the container it stands in. */
static bool
read_one(struct walk *w, const struct types_field *f, struct json *v,
         struct json *in)
{
    switch (f->base) {
    case TYPES_STRUCT:
        return json_is(v, JSON_OBJECT) ? read_struct(w, f->type, v)
                                       : misfit(w, f, v, false);
    case TYPES_STRING:
    case TYPES_DURATION:
        return json_is(v, JSON_STRING) || misfit(w, f, v, false);
    case TYPES_BOOL:
        return json_is(v, JSON_BOOL) || misfit(w, f, v, false);
    case TYPES_INT32:
    case TYPES_INT64:
    case TYPES_NUMBER:
        return read_number(w, f, v);
    case TYPES_BYTES:
        return read_bytes(w, f, v);
    case TYPES_TIME:
    case TYPES_MICRO_TIME:
        return read_time(w, f, v);
    case TYPES_QUANTITY:
        return read_quantity(w, v, in);
    case TYPES_INT_OR_STRING:
        return json_is(v, JSON_STRING) || json_is_integer(v) ||
               misfit(w, f, v, false);
    case TYPES_SCHEMA_OR_ARRAY:
    case TYPES_SCHEMA_OR_BOOL:
    case TYPES_SCHEMA_OR_STRINGS:
        return read_schema(w, f, v);
    default:
        return true;
    }
}

/* null in a list or map is Go's zero. */
static void
put_zero(const struct types_field *f, struct json *v, struct json *in)
{
    bool text = f->base == TYPES_STRING || f->base == TYPES_BYTES;
    struct json *zero = text                      ? json_new_string("")
                        : f->base == TYPES_STRUCT ? json_new_object()
                        : f->base == TYPES_BOOL   ? json_new_bool(false)
                                                  : json_new_int(0);

    json_replace(in, v, zero);
}

/* Printing would be most of the cost of reading an object. */
static void
step_down(struct buf *path, const char *name)
{
    if (path->n)
        buf_putc(path, '.');
    buf_puts(path, name);
}

static bool
read_many(struct walk *w, const struct types_field *f, struct json *list)
{
    struct types_field one = *f;
    size_t n = w->exact.n, i = 0;
    struct json *next;

    one.shape = f->shape == TYPES_MAP_OF_LISTS ? TYPES_LIST : TYPES_ONE;
    for (struct json *c = json_first(list); c; c = next, i++) {
        next = json_next(c);
        if (json_key(c))
            step_down(&w->exact, json_key(c));
        else
            buf_printf(&w->exact, "[%zu]", i);
        if (one.shape == TYPES_LIST)
            json_is(c, JSON_ARRAY) ? read_many(w, &one, c)
                                   : misfit(w, &one, c, true);
        else if (json_is(c, JSON_NULL) && f->base != TYPES_QUANTITY &&
                 f->base != TYPES_JSON)
            put_zero(f, c, list);
        else
            read_one(w, f, c, list);
        buf_truncate(&w->exact, n);
    }
    return !w->bad;
}

static bool
read_field(struct walk *w, const struct types_field *f, struct json *v,
           struct json *in)
{
    if (json_is(v, JSON_NULL) && f->base != TYPES_QUANTITY)
        return true;
    if (f->shape == TYPES_ONE)
        return read_one(w, f, v, in);
    if (!json_is(v, f->shape == TYPES_LIST ? JSON_ARRAY : JSON_OBJECT))
        return misfit(w, f, v, true);
    return read_many(w, f, v);
}

/* The struct of s that has the field itself: members of nameless ones are
 * their own struct's in Go's errors. */
static const struct types_struct *
owner_of(const struct types_struct *s, const char *name)
{
    for (size_t i = 0; i < s->fields_n; i++) {
        const struct types_field *f = &s->fields[i];

        if (f->name[0] == '-' && types_field(f->type, name))
            return owner_of(f->type, name);
    }
    return s;
}

static bool
read_member(struct walk *w, const struct types_struct *s, struct json *obj,
            struct json *c)
{
    const struct types_field *f = types_field(s, json_key(c));
    const struct types_struct *up = w->owner;
    size_t path = w->path.n, exact = w->exact.n;

    step_down(&w->exact, json_key(c));
    if (!f) {
        if (w->unknown)
            strlist_add(w->unknown, buf_view(&w->exact));
        json_free(json_detach(obj, c));
    } else {
        step_down(&w->path, json_key(c));
        w->owner = owner_of(s, json_key(c));
        read_field(w, f, c, obj);
        w->owner = up;
    }
    buf_truncate(&w->path, path);
    buf_truncate(&w->exact, exact);
    return !w->bad;
}

static bool
read_struct(struct walk *w, const struct types_struct *s, struct json *obj)
{
    struct json *next;

    for (struct json *c = json_first(obj); c; c = next) {
        next = json_next(c);
        if (s->kind && !w->exact.n &&
            (!strcmp(json_key(c), "apiVersion") ||
             !strcmp(json_key(c), "kind")))
            continue;
        read_member(w, s, obj, c);
    }
    return !w->bad;
}

bool
types_decode(struct types *t, const struct types_struct *s, struct json *obj,
             struct strlist *unknown, struct buf *why)
{
    struct walk w = {.t = t,
                     .unknown = unknown,
                     .why = why,
                     .path = BUF_INIT(BUF_TEXT_MAX),
                     .exact = BUF_INIT(BUF_TEXT_MAX),
                     .owner = s};

    read_struct(&w, s, obj);
    buf_release(&w.path);
    buf_release(&w.exact);
    return !w.bad;
}

/* ---- writing ---- */

static void write_struct(const struct types_struct *s, bool defaults,
                         struct json *obj, struct json *out);

static bool
is_zero(const struct types_field *f, const struct json *v)
{
    double d;

    if (!v || json_is(v, JSON_NULL))
        return true;
    if (f->shape != TYPES_ONE)
        return !json_first(v);
    if (f->pointer)
        return false;
    switch (json_type_of(v)) {
    case JSON_STRING:
        return f->base != TYPES_QUANTITY && !*json_string(v);
    case JSON_BOOL:
        return !json_bool(v, false);
    case JSON_NUMBER:
        return f->base != TYPES_INT_OR_STRING && json_double(v, &d) && d == 0;
    default:
        return false;
    }
}

/* `=x` as a value of f. */
static struct json *
fallback_of(const struct types_field *f)
{
    const char *text = f->fallback;

    if (f->base == TYPES_STRING || f->base == TYPES_DURATION ||
        f->base == TYPES_QUANTITY)
        if (f->shape == TYPES_ONE)
            return json_new_string(text);
    return json_parse(str_of(text), NULL, NULL);
}

/* What stands there when nothing was given; NULL: nothing does. */
static struct json *
empty_of(const struct types_field *f)
{
    if (f->shape != TYPES_ONE || f->pointer)
        return f->always ? json_new_null() : NULL;
    switch (f->base) {
    case TYPES_STRUCT:
        return json_new_object();
    case TYPES_TIME:
    case TYPES_MICRO_TIME:
    case TYPES_RAW:
        return f->omit_zero ? NULL : json_new_null();
    case TYPES_QUANTITY:
        return json_new_string("0");
    case TYPES_DURATION:
        return json_new_string("0s");
    case TYPES_INT_OR_STRING:
        return json_new_int(0);
    case TYPES_STRING:
        return f->always ? json_new_string("") : NULL;
    case TYPES_BOOL:
        return f->always ? json_new_bool(false) : NULL;
    case TYPES_INT32:
    case TYPES_INT64:
    case TYPES_NUMBER:
        return f->always ? json_new_int(0) : NULL;
    default:
        return f->always ? json_new_null() : NULL;
    }
}

static void
write_below(const struct types_field *f, bool defaults, struct json *v)
{
    struct types_field one = *f;
    struct json *next;

    if (f->shape == TYPES_ONE) {
        struct json *out = json_new_object();

        write_struct(f->type, defaults, v, out);
        while ((next = json_first(out)))
            json_move(out, next, v);
        json_free(out);
        return;
    }
    one.shape = TYPES_ONE;
    for (struct json *c = json_first(v); c; c = next) {
        next = json_next(c);
        if (json_is(c, JSON_OBJECT))
            write_below(&one, defaults, c);
    }
}

static void
write_field(const struct types_field *f, bool defaults, struct json *obj,
            struct json *out)
{
    struct json *given = json_get(obj, f->name), *v = given;
    bool kept = v && f->always && !json_is(v, JSON_NULL);
    bool fallback = defaults && f->fallback;

    if (v && is_zero(f, v) && (fallback || !kept)) {
        json_free(json_detach(obj, v));
        given = v = NULL;
    }
    if (!v)
        v = fallback ? fallback_of(f) : empty_of(f);
    if (!v)
        return;
    if (f->type && !json_is(v, JSON_NULL))
        write_below(f, defaults, v);
    if (f->omit_zero && f->type && !json_first(v))
        json_free(given ? json_detach(obj, v) : v);
    else if (given)
        json_move(obj, v, out);
    else
        json_set(out, f->name, v);
}

/* Moves the members of obj to out, in order; what is left in obj is none of
 * the type's. */
static void
write_struct(const struct types_struct *s, bool defaults, struct json *obj,
             struct json *out)
{
    for (size_t i = 0; i < s->fields_n; i++) {
        const struct types_field *f = &s->fields[i];

        if (f->name[0] == '-')
            write_struct(f->type, defaults, obj, out);
        else
            write_field(f, defaults, obj, out);
    }
}

struct json *
types_empty(const struct types_struct *s)
{
    struct types_field root = {.name = "", .type = s};
    struct json *obj = json_new_object();

    write_below(&root, false, obj);
    return obj;
}

void
types_complete(const struct types_struct *s, struct json *obj)
{
    struct types_field root = {.name = "", .type = s};

    write_below(&root, true, obj);
}
