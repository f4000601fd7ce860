#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "lib/schema/node.h"

/*
 * kube-openapi's SchemaValidator (validation/validate), with apiextensions'
 * words for its errors (apiserver/validation). Every validator that fits the
 * kind of the value runs, even when the type is wrong already: the API server
 * reports all of it. Of anyOf and oneOf the faults of the alternative with the
 * most validators behind it are told, so these are counted.
 *
 * Ratcheting (apiserver/validation/ratcheting.go): where the old value of the
 * same place is known and equal, faults are dropped. Values are compared only
 * when there are faults. Below allOf and its sisters nothing is dropped.
 */

#define REQUIRED "FieldValueRequired"
#define INVALID  "FieldValueInvalid"
#define TYPE     "FieldValueTypeInvalid"

/* What stood in a place before; old NULL: not known. */
struct link {
    const struct schema *schema; /* how its parts are found */
    const struct json *old;
};

struct check {
    struct schema_findings *out;
    const char *prefix; /* of field names; the texts do without */
    struct buf path;
    struct link link;
    size_t matches; /* validators that have run, as kube-openapi counts */
};

/* ---- words ---- */

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

/* The same is told once, however many schemas say it. */
static void
add_once(struct schema_findings *f, const char *field, const char *reason,
         const char *message)
{
    const char *shown = *field ? field : "<nil>";

    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->v[i].field, shown) == 0 &&
            strcmp(f->v[i].message, message) == 0)
            return;
    }
    schema_findings_add(f, field, reason, "%s", message);
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
        schema_path_key(&field, at(c) + (*at(c) == '.'));
    add_once(c->out, buf_cstr(&field), reason, message);
    free(message);
}

/* "Invalid value: V: PATH in body SHOULD". */
static void
invalid(struct check *c, const struct json *v, const char *should)
{
    AUTO(mem_free_ptr) char *value = schema_value_text(v);

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
        bool number =
            s->info.type == SCHEMA_INTEGER || s->info.type == SCHEMA_NUMBER;

        if (json_is(v, JSON_ARRAY) && !number)
            return;
        if (!json_is(v, JSON_ARRAY)) {
            want = s->info.format;
            got = json_is_integer(v)        ? "int64"
                  : json_is(v, JSON_NUMBER) ? "float64"
                                            : "";
        }
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
        add(c, "FieldValueTooLong",
            "Too long: may not be more than %lld byte%s",
            (long long)i->max_length, i->max_length == 1 ? "" : "s");
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
        AUTO(mem_free_ptr) char *value = schema_value_text(v);

        add(c, TYPE, "Invalid value: %s: %s in body must be of type %s: %s",
            value, at(c), format, value);
    }
}

/* A bound as integers are held against it: without its fraction. */
static bool
whole_bound(const struct json *bound, int64_t *out)
{
    double d;

    if (json_int64(bound, out))
        return true;
    if (!json_double(bound, &d) || fabs(d) >= 9e18)
        return false;
    *out = (int64_t)d;
    return true;
}

/* A value beside a bound: integers exactly. */
static int
compare(const struct json *v, const struct json *bound)
{
    int64_t i, k;
    double x = 0, y = 0;

    if (json_is_integer(v) && json_int64(v, &i) && whole_bound(bound, &k))
        return (i > k) - (i < k);
    json_double(v, &x);
    json_double(bound, &y);
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

/* swag.IsFloat64AJSONInteger */
static bool
is_whole(double d)
{
    double whole = (double)(int64_t)d, diff = fabs(d - whole);

    if (!isfinite(d) || fabs(d) > 9007199254740991.0)
        return false;
    return d == whole || diff < 1e-9 * (fabs(d) + fabs(whole));
}

static bool
is_multiple(const struct json *v, const struct json *of)
{
    int64_t i, k;
    double x = 0, y = 0;

    if (json_is_integer(v) && json_int64(v, &i) && whole_bound(of, &k))
        return i % k == 0;
    json_double(v, &x);
    json_double(of, &y);
    return is_whole(y < 1 ? 1 / y * x : x / y);
}

/* A factor that is nothing, for integers also 0.5, divides nothing. */
static bool
is_factor(const struct json *v, const struct json *of)
{
    double d = 0;

    json_double(of, &d);
    return json_is_integer(v) ? d >= 1 : d > 0;
}

static void
check_factor(struct check *c, const struct json *v, const struct json *of)
{
    AUTO(mem_free_ptr) char *factor = bound_text(of, v);
    AUTO(mem_free_ptr)
    char *should = mem_printf("should be a multiple of %s", factor);

    if (!is_factor(v, of))
        add(c, INVALID,
            "Invalid value: %s: factor MultipleOf declared for %s must be "
            "positive: %s",
            factor, at(c), factor);
    else if (!is_multiple(v, of))
        invalid(c, v, should);
}

static void
check_number(struct check *c, const struct schema *s, const struct json *v)
{
    const struct schema_info *i = &s->info;

    if (i->multiple_of)
        check_factor(c, v, i->multiple_of);
    check_bound(c, v, i->minimum, false, i->exclusive_minimum);
    check_bound(c, v, i->maximum, true, i->exclusive_maximum);
}

/* reflect's Convert to the type of the choice: fractions go. */
static bool
is_choice(const struct json *choice, const struct json *v)
{
    int64_t i;
    double d;

    if (json_is(v, JSON_NUMBER) && !json_is_integer(v) &&
        json_is_integer(choice) && json_int64(choice, &i) &&
        json_double(v, &d) && fabs(d) < 9e18)
        return (int64_t)d == i;
    return json_equal(choice, v);
}

static void
check_enum(struct check *c, const struct schema *s, const struct json *v)
{
    AUTO(buf_release) struct buf list = BUF_INIT(8192);

    for (struct json *e = json_first(s->info.choices); e; e = json_next(e)) {
        if (is_choice(e, v))
            return;
        AUTO(mem_free_ptr) char *text = schema_value_text(e);

        buf_printf(&list, json_is(e, JSON_STRING) ? "%s%s" : "%s\"%s\"",
                   list.n ? ", " : "", text);
    }
    AUTO(mem_free_ptr) char *value = schema_value_text(v);

    add(c, "FieldValueNotSupported",
        "Unsupported value: %s: supported values: %s", value, buf_cstr(&list));
}

/* ---- lists and objects ---- */

/* The value and its parts are checked with what stood there before; false:
 * there are faults. */
static bool
check_linked(struct check *c, const struct schema *s, const struct json *v,
             struct link link)
{
    struct link around = c->link;
    size_t before = c->out->n;

    c->link = link;
    bool ok = check_value(c, s, v);

    c->link = around;
    if (ok || !link.old || !link.schema ||
        !schema_same(link.schema, link.old, v))
        return ok;
    schema_findings_truncate(c->out, before);
    return true;
}

static void
check_array(struct check *c, const struct schema *s, const struct json *v)
{
    size_t i = 0, n = json_len(v);
    struct map before = {0};

    schema_index_items(c->link.schema, c->link.old, &before);
    for (struct json *item = json_first(v); s->items && item;
         item = json_next(item)) {
        size_t mark = schema_path_index(&c->path, i++);
        struct link link = {0};

        link.old = schema_same_item(c->link.schema, &before, item);
        link.schema = link.old ? c->link.schema->items : NULL;
        check_linked(c, s->items, item, link);
        buf_truncate(&c->path, mark);
    }
    map_release(&before, NULL);
    if (s->info.min_items >= 0 && n < (size_t)s->info.min_items)
        invalid_count(c, n, "items", s->info.min_items);
    if (s->info.max_items >= 0 && n > (size_t)s->info.max_items)
        too_many(c, n, s->info.max_items);
    c->matches++;
}

/* A member's old value. The type of an object is never taken for unchanged:
 * old and new were converted to the same version. */
static struct link
member_link(const struct check *c, const char *key)
{
    struct link link = {0};
    bool type = !c->path.n && !*c->prefix &&
                (strcmp(key, "kind") == 0 || strcmp(key, "apiVersion") == 0);

    if (!c->link.old || type)
        return link;
    link.schema = schema_member(c->link.schema, key);
    if (link.schema)
        link.old = json_get(c->link.old, key);
    return link;
}

static void
check_members(struct check *c, const struct schema *s, const struct json *v)
{
    for (struct json *m = json_first(v); m; m = json_next(m)) {
        const struct schema *child = schema_member(s, json_key(m));
        size_t mark = c->path.n;

        if (child) {
            struct link link = member_link(c, json_key(m));

            /* A text begins with a dot where the path is nothing but the key
             * of a map. */
            if (!c->path.n && !schema_find(s, json_key(m)))
                buf_putc(&c->path, '.');
            if (c->path.n == 1)
                buf_puts(&c->path, json_key(m));
            else
                schema_path_key(&c->path, json_key(m));
            check_linked(c, child, m, link);
        } else if (s->closed && !schema_find(s, json_key(m))) {
            AUTO(json_free_ptr) struct json *key = json_new_string(json_key(m));
            AUTO(mem_free_ptr) char *text = schema_value_text(key);

            add(c, INVALID,
                "Invalid value: %s: %s.%s in body is a forbidden property",
                text, at(c), json_key(m));
        }
        buf_truncate(&c->path, mark);
    }
}

static void
check_object(struct check *c, const struct schema *s, const struct json *v)
{
    size_t n = json_len(v);

    if (s->info.min_properties >= 0 && n < (size_t)s->info.min_properties)
        invalid_count(c, n, "properties", s->info.min_properties);
    if (s->info.max_properties >= 0 && n > (size_t)s->info.max_properties)
        too_many(c, n, s->info.max_properties);
    check_members(c, s, v);
    for (size_t i = 0; i < s->required.n; i++) {
        if (json_get(v, s->required.v[i]))
            continue;
        size_t mark = schema_path_key(&c->path, s->required.v[i]);

        add(c, REQUIRED, "Required value");
        buf_truncate(&c->path, mark);
    }
}

/* ---- allOf, anyOf, oneOf, not ---- */

/* What the alternatives of a node say. */
struct outcome {
    size_t passed;
    struct schema_findings faults; /* of the best that failed */
    size_t matches;                /* of the first that passed, else the best */
};

static bool
try_one(struct check *c, const struct schema *s, const struct json *v,
        struct schema_findings *why, size_t *matches)
{
    struct check alone = {.out = why, .prefix = c->prefix, .path = c->path};
    bool ok = check_value(&alone, s, v);

    c->path = alone.path; /* it may have grown */
    *matches = alone.matches;
    return ok;
}

/* any: the first that passes is enough. */
static void
try_all(struct check *c, const struct schema_list_of *l, const struct json *v,
        bool any, struct outcome *o)
{
    bool failed = false;

    for (size_t i = 0; i < l->n && !(any && o->passed); i++) {
        struct schema_findings why = {0};
        size_t matches;

        if (try_one(c, l->v[i], v, &why, &matches)) {
            if (!o->passed++)
                o->matches = matches;
            schema_findings_release(&o->faults);
        } else if (!o->passed && (!failed || matches > o->matches)) {
            struct schema_findings worse = o->faults;

            o->faults = why;
            why = worse;
            o->matches = matches;
            failed = true;
        }
        schema_findings_release(&why);
    }
}

static void
adopt(struct schema_findings *to, const struct schema_findings *from)
{
    for (size_t i = 0; i < from->n; i++)
        add_once(to, from->v[i].field, from->v[i].reason, from->v[i].message);
}

static void
composite(struct check *c, const char *must)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf("Invalid value: \"\": \"%s\" %s", at(c), must);

    add_once(c->out, c->prefix, INVALID, text);
}

static void
check_any_of(struct check *c, const struct schema *s, const struct json *v)
{
    struct outcome o = {0};

    if (!s->any_of.n)
        return;
    try_all(c, &s->any_of, v, true, &o);
    if (!o.passed)
        composite(c, "must validate at least one schema (anyOf)");
    adopt(c->out, &o.faults);
    c->matches += o.matches;
    schema_findings_release(&o.faults);
}

static void
check_one_of(struct check *c, const struct schema *s, const struct json *v)
{
    struct outcome o = {0};
    char must[128];

    if (!s->one_of.n)
        return;
    try_all(c, &s->one_of, v, false, &o);
    snprintf(must, sizeof(must),
             "must validate one and only one schema (oneOf). Found %zu valid "
             "alternatives",
             o.passed);
    if (!o.passed)
        composite(c, "must validate one and only one schema (oneOf). Found "
                     "none valid");
    else if (o.passed > 1)
        composite(c, must);
    adopt(c->out, &o.faults);
    c->matches += o.passed <= 1 ? o.matches : 0;
    schema_findings_release(&o.faults);
}

static void
check_all_of(struct check *c, const struct schema *s, const struct json *v)
{
    size_t passed = 0;

    for (size_t i = 0; i < s->all_of.n; i++) {
        AUTO(schema_findings_release) struct schema_findings why = {0};
        size_t matches;

        passed += try_one(c, s->all_of.v[i], v, &why, &matches);
        adopt(c->out, &why);
        c->matches += matches;
    }
    if (passed < s->all_of.n)
        composite(c, passed ? "must validate all the schemas (allOf)"
                            : "must validate all the schemas (allOf). None "
                              "validated");
}

static void
check_not(struct check *c, const struct schema *s, const struct json *v)
{
    AUTO(schema_findings_release) struct schema_findings why = {0};
    size_t matches;

    if (s->negated && try_one(c, s->negated, v, &why, &matches))
        composite(c, "must not validate the schema (not)");
}

/* The validators that always run count one, those of a kind of value another,
 * and the end of them one more. */
static bool
check_value(struct check *c, const struct schema *s, const struct json *v)
{
    size_t before = c->out->n;

    if (!json_is(v, JSON_NULL) || !s->info.nullable)
        check_type(c, s, v);
    c->matches += c->out->n == before;
    if (json_is(v, JSON_NULL)) {
        if (s->info.choices)
            check_enum(c, s, v);
        return c->out->n == before;
    }
    c->matches += 4 + (s->info.type != SCHEMA_ANY || s->info.int_or_string ||
                       *s->info.format);
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
    c->matches += !json_is(v, JSON_BOOL) + json_is(v, JSON_NUMBER);
    return c->out->n == before;
}

bool
schema_check(const struct schema *node, const struct json *value,
             const char *prefix, const char *path,
             struct schema_findings *findings)
{
    struct check c = {
        .out = findings, .prefix = prefix, .path = BUF_INIT(4096)};

    buf_puts(&c.path, path);
    bool ok = check_value(&c, node, value);

    buf_release(&c.path);
    return ok;
}

bool
schema_validate_value(const struct schema *node, const struct json *value,
                      const char *path, struct schema_findings *findings)
{
    size_t before = findings->n;

    schema_check(node, value, "", path, findings);
    schema_check_invariants(node, value, NULL, path, findings);
    return findings->n == before;
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

/* What stood there before is only looked at when there are faults. */
static void
check_update(const struct schema *s, const struct json *v,
             const struct json *old, const char *prefix,
             struct schema_findings *findings)
{
    struct check c = {
        .out = findings, .prefix = prefix, .path = BUF_INIT(4096)};
    size_t before = findings->n;

    if (!check_value(&c, s, v) && old) {
        schema_findings_truncate(findings, before);
        check_linked(&c, s, v, (struct link){s, old});
    }
    buf_release(&c.path);
}

bool
schema_validate(const struct schema *root, const struct json *object,
                struct schema_findings *findings)
{
    return schema_validate_update(root, object, NULL, findings);
}

/* What follows the check of the schema itself. */
static bool
validate_rest(const struct schema *root, const struct json *object,
              const struct json *old, size_t before,
              struct schema_findings *findings)
{
    schema_check_invariants(root, object, old, "", findings);
    if (!root->has_rules)
        return findings->n == before;
    if (blocks_rules(findings, before))
        schema_findings_add(
            findings, "", INVALID,
            "Invalid value: null: some validation rules were not checked "
            "because the object was invalid; correct the existing errors to "
            "complete validation");
    else
        schema_rules_check(root, object, old, "", findings);
    return findings->n == before;
}

bool
schema_validate_update(const struct schema *root, const struct json *object,
                       const struct json *old, struct schema_findings *findings)
{
    size_t before = findings->n;

    check_update(root, object, old, "", findings);
    return validate_rest(root, object, old, before, findings);
}

bool
schema_validate_status(const struct schema *root, const struct json *object,
                       const struct json *old, struct schema_findings *findings)
{
    const struct schema_property *status = schema_find(root, "status");
    const struct json *value = json_get(object, "status");
    size_t before = findings->n;

    if (status && value)
        check_update(status->schema, value, json_get(old, "status"), "status",
                     findings);
    return validate_rest(root, object, old, before, findings);
}

bool
schema_validate_rules(const struct schema *root, const struct json *object,
                      struct schema_findings *findings)
{
    size_t before = findings->n;

    if (root->has_rules)
        schema_rules_check(root, object, NULL, "", findings);
    return findings->n == before;
}
