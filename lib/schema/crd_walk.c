#include "lib/schema/crd_walk.h"

#include "lib/base/mem.h"

#include "lib/schema/node.h"

void
crd_walk_problem(struct crd_walk *w, const char *field, const char *reason,
                 const char *message)
{
    size_t mark = w->path.n;

    if (*field)
        schema_path_key(&w->path, field);
    schema_findings_add(w->out, buf_cstr(&w->path), reason, "%s", message);
    buf_truncate(&w->path, mark);
}

void
crd_walk_required(struct crd_walk *w, const char *field, const char *why)
{
    AUTO(mem_free_ptr) char *m = mem_printf("Required value: %s", why);

    crd_walk_problem(w, field, "FieldValueRequired", m);
}

void
crd_walk_forbidden(struct crd_walk *w, const char *field, const char *why)
{
    AUTO(mem_free_ptr) char *m = mem_printf("Forbidden: %s", why);

    crd_walk_problem(w, field, "FieldValueForbidden", m);
}

void
crd_walk_invalid(struct crd_walk *w, const char *field, const struct json *v,
                 const char *why)
{
    AUTO(mem_free_ptr)
    char *text = v ? schema_value_text(v) : mem_strdup("null");
    AUTO(mem_free_ptr) char *m = mem_printf("Invalid value: %s: %s", text, why);

    crd_walk_problem(w, field, "FieldValueInvalid", m);
}
