/*
 * Reading a review as Go's decoder does, and saying whose its fields are.
 */
#include <stdlib.h>

#include "lib/base/yaml.h"

#include "lib/compose/format.h"

#include "devenv/sandbox/protobuf.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/reviews.h"
#include "devenv/sandbox/types.h"

#define BODY_FORMS                                                             \
    "application/json, application/yaml, application/vnd.kubernetes.protobuf"

struct reading {
    struct strlist unknown; /* "spec.resourceAttributes.foo" */
    struct buf wrong;       /* what Go says of the first wrong type */
};

/* ---- types ---- */

static const char *
go_type(const struct json *j)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object"};

    return names[json_type_of(j)];
}

/* The JSON that fits, and what Go calls it. */
static void
wanted(const struct types_field *f, enum json_type *type, const char **name)
{
    *type = JSON_OBJECT;
    *name = f->type ? types_short_name(f->type) : "map[string]v1.ExtraValue";
    if (f->shape == TYPES_LIST) {
        *type = JSON_ARRAY;
        *name = "[]string";
    } else if (f->shape == TYPES_ONE && f->base == TYPES_STRING) {
        *type = JSON_STRING;
        *name = "string";
    } else if (f->shape == TYPES_ONE && f->base == TYPES_BOOL) {
        *type = JSON_BOOL;
        *name = "bool";
    } else if (f->shape == TYPES_ONE && f->base == TYPES_INT64) {
        *type = JSON_NUMBER;
        *name = "int64";
    }
}

static bool
fits(struct reading *rd, const struct types_struct *s,
     const struct types_field *f, const struct json *j, const char *path)
{
    enum json_type type;
    const char *name;

    wanted(f, &type, &name);
    if (json_is(j, type) || json_is(j, JSON_NULL))
        return true;
    if (!rd->wrong.n)
        buf_printf(&rd->wrong,
                   "json: cannot unmarshal %s into Go struct field %s.%s of "
                   "type %s",
                   go_type(j), types_short_name(s), path, name);
    return false;
}

static bool
is_empty(const struct json *j)
{
    return json_is(j, JSON_NULL) || (json_string(j) && !*json_string(j)) ||
           (json_is(j, JSON_BOOL) && !json_bool(j, true)) ||
           ((json_is(j, JSON_ARRAY) || json_is(j, JSON_OBJECT)) &&
            !json_first(j));
}

static void
shape(struct reading *rd, const struct types_struct *s, const struct json *in,
      const char *path, struct json *out)
{
    for (const struct json *c = json_first(in); c; c = json_next(c)) {
        if (!types_field(s, json_key(c)))
            strlist_addf(&rd->unknown, "%s%s", path, json_key(c));
    }
    for (size_t i = 0; i < s->fields_n; i++) {
        const struct types_field *f = &s->fields[i];
        const struct json *j = json_get(in, f->name);
        AUTO(buf_release) struct buf at = BUF_INIT(BUF_TEXT_MAX);

        buf_printf(&at, "%s%s", path, f->name);
        if (!j || !fits(rd, s, f, j, buf_cstr(&at)) || json_is(j, JSON_NULL) ||
            (is_empty(j) && !f->pointer && !f->always))
            continue;
        if (f->base == TYPES_STRUCT && f->shape == TYPES_ONE) {
            buf_putc(&at, '.');
            shape(rd, f->type, j, buf_cstr(&at),
                  json_set(out, f->name, json_new_object()));
        } else {
            json_set(out, f->name, json_copy(j));
        }
    }
}

/* ---- who set what ---- */

static void
put_fields(const struct json *part, struct json *out)
{
    for (const struct json *c = json_first(part); c; c = json_next(c)) {
        AUTO(buf_release) struct buf name = BUF_INIT(BUF_TEXT_MAX);
        struct json *f;

        buf_printf(&name, "f:%s", json_key(c));
        f = json_set(out, buf_cstr(&name), json_new_object());
        if (json_is(c, JSON_OBJECT)) {
            json_set(f, ".", json_new_object());
            put_fields(c, f);
        }
    }
}

void
reviews_note_manager(struct rest *rq, struct json *obj)
{
    static const char *const of_meta[] = {"labels", "annotations",
                                          "finalizers"};
    struct json *meta = json_get(obj, "metadata"), *entry = json_new_object();
    struct json *fields = json_new_object(), *set;
    struct registry_write w = {0};
    char now[CLOCK_RFC3339_LEN];

    registry_now(rq->r, now);
    for (size_t i = 0; i < ARRAY_LEN(of_meta); i++) {
        AUTO(json_free_ptr) struct json *one = json_new_object();

        if (!json_get(meta, of_meta[i]))
            continue;
        json_set(one, of_meta[i], json_copy(json_get(meta, of_meta[i])));
        put_fields(one, json_need_object(fields, "f:metadata"));
    }
    if (json_first(json_get(obj, "spec"))) {
        set = json_set(fields, "f:spec", json_new_object());
        put_fields(json_get(obj, "spec"), set);
        json_sort(set);
    }
    if (!json_first(fields)) {
        json_free(fields);
        json_free(entry);
        return;
    }
    rest_write_options(rq, "CreateOptions", &w);
    json_set_string(entry, "manager", w.manager);
    json_set_string(entry, "operation", "Update");
    json_set(entry, "apiVersion", json_copy(json_get(obj, "apiVersion")));
    json_set_string(entry, "time", now);
    json_set_string(entry, "fieldsType", "FieldsV1");
    json_set(entry, "fieldsV1", fields);
    if (rq->sub)
        json_set_string(entry, "subresource", rq->sub);
    json_set(meta, "managedFields", json_new_array());
    json_append(json_get(meta, "managedFields"), entry);
}

/* ---- bodies ---- */

static bool
unreadable(struct rest *rq, const char *kind, const struct error *err)
{
    AUTO(buf_release) struct buf hex = BUF_INIT(BUF_TEXT_MAX);
    struct str body = str_sub(rq->h->body, 0, 1024);
    bool empty = !str_trim(body).n;

    for (size_t i = 0; i < body.n; i++)
        buf_printf(&hex, "%02x", (unsigned char)body.s[i]);
    return status_bad_request(
        &rq->st,
        "the object provided is unrecognized (must be of type %s): couldn't "
        "get version/kind; json parse error: %s (%s)",
        kind, empty ? "unexpected end of JSON input" : err->msg,
        empty ? "<empty>" : buf_cstr(&hex));
}

static struct json *
parse(struct rest *rq, const char *kind)
{
    enum body_type type = negotiate_body(http_header(rq->h, "Content-Type"));
    struct error err = {0};
    struct json *j = NULL;

    if (type == BODY_PROTOBUF)
        j = protobuf_object(rq->r->kinds.types, rq->h->body, &err);
    else if (type == BODY_JSON)
        j = json_parse(rq->h->body, NULL, &err);
    else if (type == BODY_YAML)
        j = yaml_parse_one(rq->h->body, NULL, &err);
    else
        status_unsupported_media(&rq->st, BODY_FORMS);
    if (json_is(j, JSON_OBJECT))
        return j;
    if (!rq->st.code)
        unreadable(rq, kind, &err);
    json_free(j);
    return NULL;
}

/* The version and kind that the body names are those of the path. */
static bool
check_kind(struct rest *rq, const struct json *j, const char *api_version,
           const char *kind)
{
    const char *given = json_get_text(j, "apiVersion");
    const char *called = json_get_text(j, "kind");

    if (*given && strcmp(given, api_version) != 0)
        return status_bad_request(
            &rq->st,
            "the API version in the data (%s) does not match the expected API "
            "version (%s)",
            given, api_version);
    if (*called && strcmp(called, kind) != 0)
        return status_bad_request(
            &rq->st,
            "%s in version \"v1\" cannot be handled as a %s: converting "
            "(v1.%s) to (%.*s.%s): unknown conversion",
            called, kind, called, (int)strcspn(api_version, "."), api_version,
            kind);
    return true;
}

/* What is wrong, or only to be warned of. */
static bool
judge(struct rest *rq, const struct reading *rd, const struct registry_write *w,
      const char *kind)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (rd->wrong.n)
        buf_str(&b, buf_view(&rd->wrong));
    for (size_t i = 0; !rd->wrong.n && i < rd->unknown.n; i++) {
        if (w->validation == VALIDATE_WARN)
            strlist_addf(&rq->warnings, "unknown field \"%s\"",
                         rd->unknown.v[i]);
        else if (w->validation == VALIDATE_STRICT)
            buf_printf(
                &b, "%sunknown field \"%s\"",
                b.n ? ", " : "strict decoding error: ", rd->unknown.v[i]);
    }
    return !b.n ||
           status_bad_request(
               &rq->st, "%s in version \"v1\" cannot be handled as a %s: %s",
               kind, kind, buf_cstr(&b));
}

static struct json *
shaped(struct rest *rq, struct types *types, const struct json *in,
       const char *api_version, const char *kind)
{
    struct reading rd = {.wrong = BUF_INIT(BUF_TEXT_MAX)};
    AUTO(json_free_ptr) struct json *body = json_copy(in);
    struct json *out = json_new_object();
    struct registry_write w = {0};
    bool good = rest_write_options(rq, "CreateOptions", &w);

    json_del(body, "apiVersion");
    json_del(body, "kind");
    json_set_string(out, "kind", kind);
    json_set_string(out, "apiVersion", api_version);
    json_set(out, "metadata", json_new_object());
    shape(&rd, types_kind(types, api_version, kind), body, "", out);
    json_del(json_get(out, "metadata"), "managedFields");
    good = good && judge(rq, &rd, &w, kind);
    strlist_release(&rd.unknown);
    buf_release(&rd.wrong);
    if (good)
        return out;
    json_free(out);
    return NULL;
}

struct json *
reviews_read(const struct reviews *v, struct rest *rq, const char *api_version,
             const char *kind)
{
    AUTO(json_free_ptr) struct json *in = parse(rq, kind);

    return in && check_kind(rq, in, api_version, kind)
               ? shaped(rq, v->types, in, api_version, kind)
               : NULL;
}
