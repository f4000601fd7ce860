#include "lib/compose/strict.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/mem.h"

/* ---- types that many inputs share ---- */

#define SCALAR(KIND, name)                                                     \
    {                                                                          \
        .kind = (KIND), .go = (name)                                           \
    }

const struct strict_type strict_any = SCALAR(STRICT_ANY, "v1.JSON");
const struct strict_type strict_string = SCALAR(STRICT_STRING, "string");
const struct strict_type strict_bool = SCALAR(STRICT_BOOL, "bool");
const struct strict_type strict_int64 = SCALAR(STRICT_INT, "int64");
const struct strict_type strict_uint64 = SCALAR(STRICT_UINT, "uint64");
const struct strict_type strict_strings = {
    .kind = STRICT_LIST, .go = "[]string", .item = &strict_string};
const struct strict_type strict_string_map = {
    .kind = STRICT_MAP, .go = "map[string]string", .item = &strict_string};
const struct strict_type strict_object = {
    .kind = STRICT_MAP, .go = "map[string]interface {}", .item = &strict_any};

static const struct strict_type uid = SCALAR(STRICT_STRING, "types.UID");
STRICT_FIELDS(owner, "v1.OwnerReference", {"apiVersion", &strict_string},
              {"kind", &strict_string}, {"name", &strict_string}, {"uid", &uid},
              {"controller", &strict_bool},
              {"blockOwnerDeletion", &strict_bool});
STRICT_LIST_OF(owners, "[]v1.OwnerReference", owner);
STRICT_LIST_OF(managed_fields, "[]v1.ManagedFieldsEntry", strict_any);

const struct strict_type strict_object_meta = {
    .kind = STRICT_STRUCT,
    .go = "v1.ObjectMeta",
    .fields = (const struct strict_field[]){
        {"name", &strict_string},
        {"generateName", &strict_string},
        {"namespace", &strict_string},
        {"selfLink", &strict_string},
        {"uid", &uid},
        {"resourceVersion", &strict_string},
        {"generation", &strict_int64},
        {"creationTimestamp", &strict_any},
        {"deletionTimestamp", &strict_any},
        {"deletionGracePeriodSeconds", &strict_int64},
        {"labels", &strict_string_map},
        {"annotations", &strict_string_map},
        {"ownerReferences", &owners},
        {"finalizers", &strict_strings},
        {"managedFields", &managed_fields},
        {0}}};

/* ---- what is refused ---- */

/* The JSON types that each kind takes; null is always fine. */
static const enum json_type taken[] = {
    [STRICT_STRING] = JSON_STRING, [STRICT_BOOL] = JSON_BOOL,
    [STRICT_INT] = JSON_NUMBER,    [STRICT_UINT] = JSON_NUMBER,
    [STRICT_FLOAT] = JSON_NUMBER,  [STRICT_LIST] = JSON_ARRAY,
    [STRICT_MAP] = JSON_OBJECT,    [STRICT_STRUCT] = JSON_OBJECT,
};

static bool
refuse(const struct json *j, const struct strict_type *t, struct error *err)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "boolean",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object"};

    error_set(err, ERR_INVALID,
              "json: unable to unmarshal JSON %s into Go value of type %s",
              names[json_type_of(j)], t->go);
    if (t->own) {
        struct error outer = *err;

        /* encoding/json says bool where the other decoder says boolean. */
        error_set(
            err, outer.code,
            "%s: json: cannot unmarshal %s into Go value of type %s", outer.msg,
            json_is(j, JSON_BOOL) ? "bool" : names[json_type_of(j)], t->own);
    }
    return false;
}

/* The number's text is what protojson makes of a double. */
static bool
check_integer(const struct json *j, const struct strict_type *t,
              struct error *err)
{
    bool is_signed = t->kind == STRICT_INT;
    double d = 0;

    json_double(j, &d);
    AUTO(json_free_ptr) struct json *number = json_new_double(d);
    const char *text = json_number_text(number);
    bool digits = text && !strpbrk(text, is_signed ? ".e" : ".e-");

    errno = 0;
    if (digits && is_signed)
        (void)strtoll(text, NULL, 10);
    else if (digits)
        (void)strtoull(text, NULL, 10);
    if (digits && errno != ERANGE)
        return true;
    return error_set(err, ERR_INVALID,
                     "json: unable to unmarshal JSON number into Go value of "
                     "type %s: cannot parse \"%s\" as %ssigned integer: %s",
                     t->go, text ? text : "", is_signed ? "" : "un",
                     digits ? "value out of range" : "invalid syntax");
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(json_key(*(const struct json *const *)a),
                  json_key(*(const struct json *const *)b));
}

static const struct strict_type *
field_type(const struct strict_type *t, const char *name)
{
    for (const struct strict_field *f = t->fields; f && f->name; f++) {
        if (strcmp(f->name, name) == 0)
            return f->type;
    }
    return NULL;
}

static bool
check_members(const struct json *j, const struct strict_type *t,
              struct error *err)
{
    size_t n = json_len(j), at = 0;
    AUTO(mem_free_ptr)
    const struct json **v = mem_zalloc(n + 1, sizeof(struct json *));

    for (const struct json *c = json_first(j); c; c = json_next(c))
        v[at++] = c;
    qsort(v, n, sizeof(*v), by_key);
    for (size_t i = 0; i < n; i++) {
        const struct strict_type *of =
            t->kind == STRICT_MAP ? t->item : field_type(t, json_key(v[i]));

        if (!of) {
            AUTO(json_free_ptr)
            struct json *name = json_new_string(json_key(v[i]));
            AUTO(mem_free_ptr) char *quoted = json_text(name, JSON_COMPACT);

            return error_set(err, ERR_INVALID,
                             "json: unable to unmarshal Go value of type %s: "
                             "unknown name %s",
                             t->go, quoted);
        }
        if (!strict_check(v[i], of, err))
            return false;
    }
    return true;
}

bool
strict_check(const struct json *j, const struct strict_type *t,
             struct error *err)
{
    if (t->kind == STRICT_ANY || json_type_of(j) == JSON_NULL)
        return true;
    if (json_type_of(j) != taken[t->kind])
        return refuse(j, t, err);
    switch (t->kind) {
    case STRICT_INT:
    case STRICT_UINT:
        return check_integer(j, t, err);
    case STRICT_MAP:
    case STRICT_STRUCT:
        return check_members(j, t, err);
    case STRICT_LIST:
        for (const struct json *c = json_first(j); c; c = json_next(c)) {
            if (!strict_check(c, t->item, err))
                return false;
        }
        return true;
    default:
        return true;
    }
}

bool
strict_input(const struct json *input, const struct strict_type *t,
             struct error *err)
{
    if (strict_check(input, t, err))
        return true;
    return error_wrap(err,
                      "cannot get function input *%s from "
                      "*v1.RunFunctionRequest: cannot unmarshal JSON from "
                      "*structpb.Struct into *%s",
                      t->go, t->go);
}
