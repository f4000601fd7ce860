#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "lib/schema/node.h"

/*
 * kube-openapi's SchemaValidator (validation/validate), then apiextensions'
 * words for its errors (apiserver/validation) and its check of list types.
 * Every validator that fits the kind of the value runs, even when the type is
 * wrong already: the API server reports all of it.
 */

#define REQUIRED "FieldValueRequired"
#define INVALID  "FieldValueInvalid"
#define TYPE     "FieldValueTypeInvalid"

struct check {
    struct schema_findings *out;
    const char *prefix; /* of field names; the texts do without */
    struct buf path;
};

/* ---- values as Go prints them in errors ---- */

/* Go's %q. */
static void
put_quoted(const char *z, struct buf *out)
{
    static const char from[] = "\a\b\f\n\r\t\v\"\\";
    static const char to[] = "abfnrtv\"\\";

    buf_putc(out, '"');
    for (; *z; z++) {
        const char *hit = strchr(from, *z);

        if (hit)
            buf_printf(out, "\\%c", to[hit - from]);
        else if ((unsigned char)*z < 0x20 || *z == 0x7F)
            buf_printf(out, "\\x%02x", (unsigned)*z);
        else
            buf_putc(out, *z);
    }
    buf_putc(out, '"');
}

static void
put_value(const struct json *v, struct buf *out)
{
    double d;

    if (json_string(v))
        put_quoted(json_string(v), out);
    else if (json_is(v, JSON_NUMBER) && !json_is_integer(v) &&
             json_double(v, &d))
        json_print_float(d, false, out);
    else
        json_print(v, JSON_SORTED, out);
}

/* In fresh memory. */
static char *
value_text(const struct json *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    put_value(v, &b);
    return buf_take(&b);
}

/* A bound beside a value: as an integer when the value is one. */
static char *
bound_text(const struct json *bound, const struct json *value)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64);
    double d = 0;

    json_double(bound, &d);
    if (json_is_integer(value) && fabs(d) < 9e18)
        buf_printf(&b, "%lld", (long long)d);
    else
        json_print_float(d, false, &b);
    return buf_take(&b);
}

static const char *
type_of(const struct json *v)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "boolean",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object",
    };

    return json_is_integer(v) ? "integer" : names[json_type_of(v)];
}

/* ---- one finding ---- */

static const char *
at(const struct check *c)
{
    return buf_cstr(&c->path);
}

static void add(struct check *c, const char *reason, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A finding about where the check stands. */
static void
add(struct check *c, const char *reason, const char *fmt, ...)
{
    AUTO(buf_release) struct buf field = BUF_INIT(8192);
    char *message;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&message, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    buf_puts(&field, c->prefix);
    if (c->path.n)
        schema_path_key(&field, at(c));
    schema_findings_add(c->out, buf_cstr(&field), reason, "%s", message);
    free(message);
}

/* "Invalid value: V: PATH in body SHOULD". */
static void
invalid(struct check *c, const struct json *v, const char *should)
{
    AUTO(mem_free_ptr) char *value = value_text(v);

    add(c, INVALID, "Invalid value: %s: %s in body %s", value, at(c), should);
}

static void
invalid_count(struct check *c, size_t have, const char *what, int64_t least)
{
    add(c, INVALID,
        "Invalid value: %zu: %s in body should have at least %lld %s", have,
        at(c), (long long)least, what);
}

static void
too_many(struct check *c, size_t have, int64_t most)
{
    add(c, "FieldValueTooMany", "Too many: %zu: must have at most %lld item%s",
        have, (long long)most, most == 1 ? "" : "s");
}

/* ---- the validators ---- */

static bool check_value(struct check *c, const struct schema *s,
                        const struct json *v);

static bool
fits_type(const struct schema *s, const struct json *v)
{
    int64_t whole;

    if (s->info.int_or_string)
        return json_is(v, JSON_STRING) || json_int64(v, &whole) ||
               json_is_integer(v);
    switch (s->info.type) {
    case SCHEMA_OBJECT:
        return json_is(v, JSON_OBJECT);
    case SCHEMA_ARRAY:
        return json_is(v, JSON_ARRAY);
    case SCHEMA_STRING:
        return json_is(v, JSON_STRING);
    case SCHEMA_INTEGER:
        return json_is_integer(v) || json_int64(v, &whole);
    case SCHEMA_NUMBER:
        return json_is(v, JSON_NUMBER);
    case SCHEMA_BOOLEAN:
        return json_is(v, JSON_BOOL);
    default:
        return true;
    }
}

/* A format that the validators of strings know; those of numbers are not
 * looked at (StripUnsupportedFormatsPostProcess). */
static bool
has_string_format(const struct schema *s)
{
    static const char *const numbers[] = {"int32", "int64", "float", "double"};
    const char *format = s->info.format;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (strcmp(format, numbers[i]) == 0)
            return false;
    }
    return *format && schema_format_known(format);
}

/* kube-openapi's typeValidator: where a format is asked for, it is told instead
 * of the type, and lists pass as strings do. */
static void
check_type(struct check *c, const struct schema *s, const struct json *v)
{
    const char *want = s->info.int_or_string ? "integer,string"
                                             : schema_type_name(s->info.type);
    const char *got = type_of(v);

    if (fits_type(s, v))
        return;
    if (has_string_format(s) && !json_is(v, JSON_NULL)) {
        if (json_is(v, JSON_ARRAY) && s->info.type != SCHEMA_INTEGER &&
            s->info.type != SCHEMA_NUMBER)
            return;
        want = s->info.format;
        got = json_is_integer(v)        ? "int64"
              : json_is(v, JSON_NUMBER) ? "float64"
                                        : "";
    }
    add(c, TYPE, "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"",
        got, at(c), want, got);
}

/* kube-openapi's stringValidator: of length and pattern only the first fault
 * is told. */
static void
check_text(struct check *c, const struct schema *s, const struct json *v)
{
    struct str text = str_of(json_string(v));
    const struct schema_info *i = &s->info;
    AUTO(buf_release) struct buf should = BUF_INIT(8192);

    if (i->max_length >= 0 && utf8_count(text) > (size_t)i->max_length) {
        add(c, "FieldValueTooLong", "Too long: may not be more than %lld bytes",
            (long long)i->max_length);
        return;
    }
    if (i->min_length >= 0 && utf8_count(text) < (size_t)i->min_length)
        buf_printf(&should, "should be at least %lld chars long",
                   (long long)i->min_length);
    else if (s->pattern && !re_match(s->pattern, text))
        buf_printf(&should, "should match '%s'", i->pattern);
    if (should.n)
        invalid(c, v, buf_cstr(&should));
}

static void
check_string(struct check *c, const struct schema *s, const struct json *v)
{
    const char *format = s->info.format;

    check_text(c, s, v);
    if (*format && !schema_format_ok(format, str_of(json_string(v)))) {
        AUTO(mem_free_ptr) char *value = value_text(v);

        add(c, TYPE, "Invalid value: %s: %s in body must be of type %s: %s",
            value, at(c), format, value);
    }
}

/* Exact for integers, so that no bound is lost in a double. */
static int
compare(const struct json *a, const struct json *b)
{
    int64_t i, k;
    double x = 0, y = 0;

    if (json_int64(a, &i) && json_int64(b, &k))
        return (i > k) - (i < k);
    json_double(a, &x);
    json_double(b, &y);
    return (x > y) - (x < y);
}

static void
check_bound(struct check *c, const struct json *v, const struct json *bound,
            bool upper, bool exclusive)
{
    int order = bound ? compare(v, bound) : 0;
    char should[128];

    if (!bound || (order == 0 ? !exclusive : (order < 0) == upper))
        return;
    AUTO(mem_free_ptr) char *limit = bound_text(bound, v);

    snprintf(should, sizeof(should), "should be %s than %s%s",
             upper ? "less" : "greater", exclusive ? "" : "or equal to ",
             limit);
    invalid(c, v, should);
}

static bool
is_multiple(const struct json *v, const struct json *of)
{
    int64_t i, k;
    double x = 0, y = 0;

    if (json_int64(v, &i) && json_int64(of, &k))
        return k == 0 || i % k == 0;
    json_double(v, &x);
    json_double(of, &y);
    return y == 0 || x / y == floor(x / y);
}

static void
check_number(struct check *c, const struct schema *s, const struct json *v)
{
    const struct schema_info *i = &s->info;

    if (i->multiple_of && !is_multiple(v, i->multiple_of)) {
        AUTO(mem_free_ptr) char *of = bound_text(i->multiple_of, NULL);
        char should[128];

        snprintf(should, sizeof(should), "should be a multiple of %s", of);
        invalid(c, v, should);
    }
    check_bound(c, v, i->maximum, true, i->exclusive_maximum);
    check_bound(c, v, i->minimum, false, i->exclusive_minimum);
}

static void
check_enum(struct check *c, const struct schema *s, const struct json *v)
{
    AUTO(buf_release) struct buf list = BUF_INIT(8192);

    for (struct json *e = json_first(s->info.choices); e; e = json_next(e)) {
        if (json_equal(e, v))
            return;
        AUTO(mem_free_ptr) char *text = value_text(e);

        buf_printf(&list, json_is(e, JSON_STRING) ? "%s%s" : "%s\"%s\"",
                   list.n ? ", " : "", text);
    }
    AUTO(mem_free_ptr) char *value = value_text(v);

    add(c, "FieldValueNotSupported",
        "Unsupported value: %s: supported values: %s", value, buf_cstr(&list));
}

/* ---- lists ---- */

/* What must be unique about an item: itself, or its keys. NULL: nothing. */
static char *
identity(const struct schema *s, const struct json *item)
{
    if (s->info.list == SCHEMA_LIST_SET)
        return value_text(item);
    if (!json_is(item, JSON_OBJECT))
        return NULL;
    AUTO(json_free_ptr) struct json *keys = json_new_object();

    for (size_t i = 0; i < s->info.list_keys->n; i++) {
        const char *key = s->info.list_keys->v[i];
        struct json *v = json_get(item, key);

        if (v)
            json_set(keys, key, json_copy(v));
    }
    return value_text(keys);
}

static void
check_unique(struct check *c, const struct schema *s, const struct json *v)
{
    static char once[] = "once", twice[] = "twice";
    struct map seen = {0};
    size_t i = 0;

    for (struct json *item = json_first(v); item; item = json_next(item)) {
        AUTO(mem_free_ptr) char *id = identity(s, item);
        size_t mark = schema_path_index(&c->path, i++);

        /* The second one is reported, further ones are not. */
        if (id && map_get(&seen, str_of(id)) == once)
            add(c, "FieldValueDuplicate", "Duplicate value: %s", id);
        if (id)
            map_put(&seen, str_of(id),
                    map_has(&seen, str_of(id)) ? twice : once);
        buf_truncate(&c->path, mark);
    }
    map_release(&seen, NULL);
}

static void
check_array(struct check *c, const struct schema *s, const struct json *v)
{
    size_t i = 0, n = json_len(v);

    for (struct json *item = json_first(v); s->items && item;
         item = json_next(item)) {
        size_t mark = schema_path_index(&c->path, i++);

        check_value(c, s->items, item);
        buf_truncate(&c->path, mark);
    }
    if (s->info.min_items >= 0 && n < (size_t)s->info.min_items)
        invalid_count(c, n, "items", s->info.min_items);
    if (s->info.max_items >= 0 && n > (size_t)s->info.max_items)
        too_many(c, n, s->info.max_items);
    if (s->info.list != SCHEMA_LIST_ATOMIC)
        check_unique(c, s, v);
}

/* ---- objects ---- */

static void
missing(struct check *c, const char *key, const char *detail)
{
    size_t mark = schema_path_key(&c->path, key);

    add(c, REQUIRED, "Required value%s", detail);
    buf_truncate(&c->path, mark);
}

static void
check_embedded(struct check *c, const struct json *v)
{
    static const char *const needed[] = {"apiVersion", "kind"};

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const char *text = json_get_string(v, needed[i]);

        if (!json_get(v, needed[i]))
            missing(c, needed[i], "");
        else if (text && !*text)
            missing(c, needed[i], ": must not be empty");
    }
    const char *version = json_string_or(json_get(v, needed[0]), "");
    const char *slash = strchr(version, '/');
    size_t mark = schema_path_key(&c->path, needed[0]);

    if (slash && strchr(slash + 1, '/'))
        add(c, INVALID,
            "Invalid value: \"%s\": unexpected GroupVersion string: %s",
            version, version);
    buf_truncate(&c->path, mark);
}

static void
check_object(struct check *c, const struct schema *s, const struct json *v)
{
    size_t n = json_len(v);

    if (s->info.min_properties >= 0 && n < (size_t)s->info.min_properties)
        invalid_count(c, n, "properties", s->info.min_properties);
    if (s->info.max_properties >= 0 && n > (size_t)s->info.max_properties)
        too_many(c, n, s->info.max_properties);
    for (size_t i = 0; i < s->required.n; i++) {
        if (!json_get(v, s->required.v[i]))
            missing(c, s->required.v[i], "");
    }
    if (s->info.embedded_resource)
        check_embedded(c, v);
    for (struct json *m = json_first(v); m; m = json_next(m)) {
        const struct schema *child = schema_member(s, json_key(m));
        size_t mark = schema_path_key(&c->path, json_key(m));

        if (child)
            check_value(c, child, m);
        buf_truncate(&c->path, mark);
    }
}

/* ---- allOf, anyOf, oneOf, not ---- */

/* Does v pass the alternative? Its findings go to *why. */
static bool
passes(struct check *c, const struct schema *s, const struct json *v,
       struct schema_findings *why)
{
    struct schema_findings *out = c->out;

    c->out = why;
    bool ok = check_value(c, s, v);

    c->out = out;
    return ok;
}

static void
adopt(struct schema_findings *to, const struct schema_findings *from)
{
    for (size_t i = 0; i < from->n; i++)
        schema_findings_add(to, from->v[i].field, from->v[i].reason, "%s",
                            from->v[i].message);
}

/* How many alternatives v passes; the findings of the first are kept in
 * *first, to be shown when there is none. */
static size_t
count_passing(struct check *c, const struct schema_list_of *l,
              const struct json *v, struct schema_findings *first)
{
    size_t passed = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct schema_findings why = {0};

        passed += passes(c, l->v[i], v, i ? &why : first);
        schema_findings_release(&why);
    }
    return passed;
}

static void
composite(struct check *c, const char *must)
{
    schema_findings_add(c->out, "", INVALID, "Invalid value: \"\": \"%s\" %s",
                        at(c), must);
}

static void
check_any_of(struct check *c, const struct schema *s, const struct json *v)
{
    struct schema_findings first = {0};

    if (s->any_of.n && !count_passing(c, &s->any_of, v, &first)) {
        composite(c, "must validate at least one schema (anyOf)");
        adopt(c->out, &first);
    }
    schema_findings_release(&first);
}

static void
check_one_of(struct check *c, const struct schema *s, const struct json *v)
{
    struct schema_findings first = {0};
    size_t passed = s->one_of.n ? count_passing(c, &s->one_of, v, &first) : 1;
    char must[128];

    if (passed == 0) {
        composite(c, "must validate one and only one schema (oneOf). Found "
                     "none valid");
        adopt(c->out, &first);
    } else if (passed > 1) {
        snprintf(must, sizeof(must),
                 "must validate one and only one schema (oneOf). Found %zu "
                 "valid alternatives",
                 passed);
        composite(c, must);
    }
    schema_findings_release(&first);
}

static void
check_all_of(struct check *c, const struct schema *s, const struct json *v)
{
    size_t passed = 0;

    for (size_t i = 0; i < s->all_of.n; i++)
        passed += check_value(c, s->all_of.v[i], v);
    if (passed < s->all_of.n)
        composite(c, passed ? "must validate all the schemas (allOf)"
                            : "must validate all the schemas (allOf). None "
                              "validated");
}

static void
check_not(struct check *c, const struct schema *s, const struct json *v)
{
    struct schema_findings why = {0};

    if (s->negated && passes(c, s->negated, v, &why))
        composite(c, "must not validate the schema (not)");
    schema_findings_release(&why);
}

static bool
check_value(struct check *c, const struct schema *s, const struct json *v)
{
    size_t before = c->out->n;

    if (!json_is(v, JSON_NULL) || !s->info.nullable)
        check_type(c, s, v);
    if (json_is(v, JSON_NULL)) {
        if (s->info.choices)
            check_enum(c, s, v);
        return c->out->n == before;
    }
    check_any_of(c, s, v);
    check_one_of(c, s, v);
    check_all_of(c, s, v);
    check_not(c, s, v);
    if (json_is(v, JSON_STRING))
        check_string(c, s, v);
    if (json_is(v, JSON_NUMBER))
        check_number(c, s, v);
    if (json_is(v, JSON_ARRAY))
        check_array(c, s, v);
    if (s->info.choices)
        check_enum(c, s, v);
    if (json_is(v, JSON_OBJECT))
        check_object(c, s, v);
    return c->out->n == before;
}

bool
schema_check(const struct schema *node, const struct json *value,
             const char *prefix, const char *path,
             struct schema_findings *findings)
{
    struct check c = {findings, prefix, BUF_INIT(4096)};

    buf_puts(&c.path, path);
    bool ok = check_value(&c, node, value);

    buf_release(&c.path);
    return ok;
}

bool
schema_validate_value(const struct schema *node, const struct json *value,
                      const char *path, struct schema_findings *findings)
{
    return schema_check(node, value, "", path, findings);
}

/* Findings after which the API server does not run the CEL rules. */
static bool
blocks_rules(const struct schema_findings *f, size_t from)
{
    static const char *const reasons[] = {
        REQUIRED,
        "FieldValueNotSupported",
        TYPE,
        "FieldValueTooLong",
        "FieldValueTooMany",
    };

    for (size_t i = from; i < f->n; i++) {
        for (size_t k = 0; k < ARRAY_LEN(reasons); k++) {
            if (strcmp(f->v[i].reason, reasons[k]) == 0)
                return true;
        }
    }
    return false;
}

bool
schema_validate(const struct schema *root, const struct json *object,
                struct schema_findings *findings)
{
    return schema_validate_update(root, object, NULL, findings);
}

bool
schema_validate_update(const struct schema *root, const struct json *object,
                       const struct json *old, struct schema_findings *findings)
{
    size_t before = findings->n;

    schema_validate_value(root, object, "", findings);
    if (!root->has_rules)
        return findings->n == before;
    if (blocks_rules(findings, before))
        schema_findings_add(
            findings, "", INVALID,
            "Invalid value: null: some validation rules were not checked "
            "because the object was invalid; correct the existing errors to "
            "complete validation");
    else
        schema_rules_check(root, object, old, findings);
    return findings->n == before;
}

bool
schema_validate_rules(const struct schema *root, const struct json *object,
                      struct schema_findings *findings)
{
    size_t before = findings->n;

    if (root->has_rules)
        schema_rules_check(root, object, NULL, findings);
    return findings->n == before;
}
