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

/* Every function that is built in, in the order help names them. */
static const struct function *const all[] = {
    &fn_gotemplate,         &fn_patch,
    &fn_autoready,          &fn_extraresources,
    &fn_environmentconfigs, &fn_sequencer,
    &fn_statustransformer,
};

const struct function *
function_builtin(struct str package)
{
    struct str name = package_name(package);

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_eqz(name, all[i]->name))
            return all[i];
    }
    return NULL;
}

const struct function *
function_builtin_in(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_contains(name, str_of(all[i]->name)))
            return all[i];
    }
    return NULL;
}

void
function_builtin_names(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_printf(out, "%s%s", i ? ", " : "", all[i]->name);
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

bool
functions_has(const struct functions *f, const char *name)
{
    return map_has(&f->by_name, str_of(name));
}

void
functions_names(const struct functions *f, struct buf *out)
{
    const char *comma = "";

    for (struct map_entry *e = map_first(&f->by_name); e;
         e = map_next(&f->by_name, e), comma = ", ")
        buf_printf(out, "%s%s", comma, e->key.s);
}

const struct function *
functions_find(void *arg, const char *name, struct error *err)
{
    const struct functions *f = arg;
    const struct functions_entry *e = map_get(&f->by_name, str_of(name));
    AUTO(buf_release) struct buf names = BUF_INIT(400);

    if (!e) {
        error_set(err, ERR_NOT_FOUND,
                  "cannot get gRPC client connection for Function \"%s\": "
                  "cannot find an active FunctionRevision (a "
                  "FunctionRevision with spec.desiredState: Active)",
                  name);
        functions_names(f, &names);
        error_remedy(err, "", "Functions that are there: %s.",
                     names.n ? buf_cstr(&names) : "none");
        return NULL;
    }
    if (!e->fn) {
        struct str what = package_name(str_of(e->package));

        function_builtin_names(&names);
        error_set(err, ERR_UNSUPPORTED,
                  "%.*s is not built in, it runs on a cluster: Function \"%s\" "
                  "of package \"%s\"; built in are %s",
                  (int)(what.n ? what.n : strlen(name)), what.n ? what.s : name,
                  name, e->package, buf_cstr(&names));
    }
    return e->fn;
}

void
functions_release(struct functions *f)
{
    map_release(&f->by_name, entry_free);
}
