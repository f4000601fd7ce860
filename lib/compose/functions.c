#include "lib/compose/functions.h"

#include <stdlib.h>

#include "lib/base/mem.h"

/* The last path segment of a package reference, without tag and digest. */
static struct str
package_name(struct str ref)
{
    struct str head, tail;

    str_cut(ref, '@', &head, &tail);
    while (str_contains(head, STR("/"))) {
        str_cut(head, '/', &tail, &ref);
        head = ref;
    }
    str_cut(head, ':', &head, &tail);
    return head;
}

const struct function *
function_builtin(struct str package)
{
    static const struct function *const all[] = {&fn_gotemplate, &fn_autoready,
                                                 &fn_extraresources};
    struct str name = package_name(package);

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_eqz(name, all[i]->name))
            return all[i];
    }
    return NULL;
}

struct functions_entry {
    const struct function *fn; /* NULL: not built in */
    char *package;
};

static void
entry_free(void *p)
{
    struct functions_entry *e = p;

    if (e)
        free(e->package);
    free(e);
}

void
functions_add(struct functions *f, const struct json *function)
{
    const char *name = json_string(json_at(function, "metadata", "name", NULL));
    const char *ref = json_string(json_at(function, "spec", "package", NULL));
    struct functions_entry *e = mem_zalloc(1, sizeof(*e));

    if (!ref)
        ref = json_string_or(json_at(function, "spec", "image", NULL), "");
    e->package = mem_strdup(ref);
    e->fn = function_builtin(str_of(ref));
    entry_free(map_put(&f->by_name, str_of(name ? name : ""), e));
}

void
functions_del(struct functions *f, const char *name)
{
    entry_free(map_del(&f->by_name, str_of(name)));
}

const struct function *
functions_find(void *arg, const char *name, struct error *err)
{
    const struct functions *f = arg;
    const struct functions_entry *e = map_get(&f->by_name, str_of(name));

    if (!e) {
        error_set(err, ERR_NOT_FOUND,
                  "cannot get gRPC client connection for Function \"%s\": "
                  "cannot find an active FunctionRevision (a "
                  "FunctionRevision with spec.desiredState: Active)",
                  name);
        return NULL;
    }
    if (!e->fn)
        error_set(err, ERR_UNSUPPORTED,
                  "Function \"%s\" is not built in: package %s is none of "
                  "function-go-templating, function-auto-ready, "
                  "function-extra-resources",
                  name, *e->package ? e->package : "\"\"");
    return e->fn;
}

void
functions_release(struct functions *f)
{
    map_release(&f->by_name, entry_free);
}
