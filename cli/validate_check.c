#include "cli/validate_check.h"

#include <stdlib.h>

#include "lib/base/mem.h"

static const char composed_name[] = "crossplane.io/composition-resource-name";

static const char *
name_of(const struct json *object)
{
    const char *name = json_string(json_at(object, "metadata", "name", NULL));

    if (!name || !*name)
        name = json_string(
            json_at(object, "metadata", "annotations", composed_name, NULL));
    return name ? name : "";
}

static void
add_fault(struct check *c, enum check_type type, const char *field,
          const char *message)
{
    struct check_fault *f;

    c->faults = mem_grow(c->faults, &c->cap, c->n + 1, sizeof(*c->faults));
    f = &c->faults[c->n++];
    f->type = type;
    f->field = mem_strdup(field);
    f->message = mem_strdup(message);
    f->at = source_where(c->doc, field, type == CHECK_UNKNOWN_FIELD);
}

/* ---- the three parts ---- */

/* crank's validator sees every number as a float. */
static void
numbers_as_crank(struct json *container)
{
    struct json *next;

    for (struct json *j = json_first(container); j; j = next) {
        AUTO(buf_release) struct buf text = BUF_INIT(64);
        double d;

        next = json_next(j);
        numbers_as_crank(j);
        if (!json_is(j, JSON_NUMBER) || !json_double(j, &d) ||
            !json_print_float(d, false, &text))
            continue;
        if (!strpbrk(buf_cstr(&text), ".e"))
            buf_puts(&text, ".0");
        json_replace(container, j, json_new_number(buf_view(&text)));
    }
}

/* crank does not drop nulls when it sets defaults, the API server does. */
static void
restore_nulls(const struct json *was, struct json *object)
{
    struct json *now = json_is(was, JSON_ARRAY) ? json_first(object) : NULL;

    for (const struct json *j = json_first(was); j; j = json_next(j)) {
        struct json *other =
            json_is(was, JSON_OBJECT) ? json_get(object, json_key(j)) : now;

        if (!other && json_is(j, JSON_NULL) && json_is(was, JSON_OBJECT))
            json_set(object, json_key(j), json_new_null());
        else if (other)
            restore_nulls(j, other);
        now = now ? json_next(now) : NULL;
    }
}

static void
check_schema(struct check *c, const struct schema *s, const struct json *object,
             bool crank)
{
    AUTO(json_free_ptr) struct json *copy = crank ? json_copy(object) : NULL;
    struct schema_findings found = {0};

    numbers_as_crank(copy);
    schema_validate_value(s, copy ? copy : object, "", &found);
    for (size_t i = 0; i < found.n; i++) {
        if (!crank || strcmp(found.v[i].reason, "FieldValueDuplicate") != 0)
            add_fault(c, CHECK_SCHEMA, found.v[i].field, found.v[i].message);
    }
    schema_findings_release(&found);
}

/* Also takes the fields away, as upstream does before the CEL rules. */
static void
check_unknown(struct check *c, const struct schema *s, struct json *object,
              bool crank)
{
    AUTO(strlist_release) struct strlist unknown = {0};

    schema_prune(s, object, false, &unknown);
    for (size_t i = 0; i < unknown.n; i++) {
        const char *dot = strrchr(unknown.v[i], '.');
        const char *last = dot ? dot + 1 : unknown.v[i];
        AUTO(mem_free_ptr)
        char *message = mem_printf(
            "Invalid value: \"%s\": unknown field: \"%s\"", last, last);

        /* crank does not look into metadata. */
        if (!crank || strncmp(unknown.v[i], "metadata.", 9) != 0)
            add_fault(c, CHECK_UNKNOWN_FIELD, unknown.v[i], message);
    }
}

/* The API server leaves rules alone that read what is wrong already; crank
 * does not. */
static void
check_rules(struct check *c, const struct schema *s, const struct json *object,
            bool crank)
{
    struct schema_findings found = {0};
    bool sound = true;

    for (size_t i = 0; i < c->n; i++)
        sound &= c->faults[i].type != CHECK_SCHEMA;
    if (sound || crank)
        schema_validate_rules(s, object, &found);
    for (size_t i = 0; i < found.n; i++)
        add_fault(c, CHECK_CEL, found.v[i].field, found.v[i].message);
    schema_findings_release(&found);
}

bool
check_run(struct check *c, const struct source_doc *doc,
          struct schema_set *schemas, bool crank, struct error *err)
{
    AUTO(json_free_ptr) struct json *object = json_copy(doc->object);
    struct error problem = {0};
    const struct schema *s;

    *c = (struct check){
        .doc = doc,
        .api_version = json_string_or(json_get(doc->object, "apiVersion"), ""),
        .kind = json_string_or(json_get(doc->object, "kind"), ""),
        .name = name_of(doc->object),
        .status = CHECK_MISSING};
    s = schema_set_find(schemas, c->api_version, c->kind, &problem);
    if (!s && problem.code == ERR_NONE)
        return true;
    if (!s) {
        *err = problem;
        return false;
    }
    schema_default(s, object);
    if (crank)
        restore_nulls(doc->object, object);
    check_schema(c, s, object, crank);
    check_unknown(c, s, object, crank);
    check_rules(c, s, object, crank);
    c->status = c->n ? CHECK_INVALID : CHECK_VALID;
    return true;
}

void
check_release(struct check *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->faults[i].field);
        free(c->faults[i].message);
    }
    free(c->faults);
    *c = (struct check){0};
}

void
check_gvk(const struct check *c, struct buf *out)
{
    buf_printf(out, "%s%s, Kind=%s", strchr(c->api_version, '/') ? "" : "/",
               c->api_version, c->kind);
}
