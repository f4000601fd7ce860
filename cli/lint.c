#include "cli/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/asset.h"
#include "lib/base/mem.h"

#define FINDINGS_MAX 10000
#define IGNORE       "meshtop.dev/lint-ignore"

/* ---- findings ---- */

static void
add(struct lint *l, const char *rule, const char *file, struct json_place at,
    const char *message)
{
    const struct lint_rule *r = lint_rule_find(rule);

    if (!r)
        die("lint: no rule %s", rule);
    if (l->n >= FINDINGS_MAX)
        return;
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = (struct lint_finding){r, mem_strdup(file), at.line,
                                         at.column, mem_strdup(message)};
}

static bool
is_ignored(const struct source_doc *d, const char *rule)
{
    struct str rest = str_of(json_string(
        json_at(d->object, "metadata", "annotations", IGNORE, NULL)));
    struct str id;

    while (rest.n && str_next(&rest, ',', &id)) {
        if (str_eqz(str_trim(id), rule))
            return true;
    }
    return false;
}

void
lint_add_at(struct lint *l, const char *rule, const struct source_doc *d,
            struct json_place at, const char *message)
{
    if (!is_ignored(d, rule))
        add(l, rule, d->file->name, at, message);
}

void
lint_add(struct lint *l, const char *rule, const struct source_doc *d,
         const char *field, bool key, const char *fmt, ...)
{
    AUTO(buf_release) struct buf message = BUF_INIT(4096);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&message, fmt, ap);
    va_end(ap);
    lint_add_at(l, rule, d, source_where(d, field, key), buf_cstr(&message));
}

static int
by_place(const void *a, const void *b)
{
    const struct lint_finding *x = a, *y = b;
    int order = strcmp(x->file, y->file);

    if (order == 0 && x->line != y->line)
        order = x->line < y->line ? -1 : 1;
    if (order == 0 && x->column != y->column)
        order = x->column < y->column ? -1 : 1;
    if (order == 0)
        order = strcmp(x->rule->id, y->rule->id);
    return order ? order : strcmp(x->message, y->message);
}

static void
sort_and_fold(struct lint *l)
{
    size_t kept = 0;

    if (l->n)
        qsort(l->v, l->n, sizeof(*l->v), by_place);
    for (size_t i = 0; i < l->n; i++) {
        if (kept && by_place(&l->v[kept - 1], &l->v[i]) == 0) {
            free(l->v[i].file);
            free(l->v[i].message);
        } else {
            l->v[kept++] = l->v[i];
        }
    }
    l->n = kept;
}

size_t
lint_count(const struct lint *l, enum lint_severity s)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += l->v[i].rule->severity == s;
    return n;
}

/* ---- what is known ---- */

bool
lint_is(const struct source_doc *d, const char *kind, const char *group)
{
    const char *api = json_string_or(json_get(d->object, "apiVersion"), "");
    struct str head, version;

    if (strcmp(json_string_or(json_get(d->object, "kind"), ""), kind) != 0)
        return false;
    if (!str_cut(str_of(api), '/', &head, &version))
        head = STR("");
    return !group || str_eqz(head, group);
}

bool
lint_is_expectations(const struct source_doc *d)
{
    const char *slash = strrchr(d->file->name, '/');

    return strcmp(slash ? slash + 1 : d->file->name, "expectations.yaml") == 0;
}

static bool
defines(const struct json *xrd, const char *group, const char *kind)
{
    static const char *const sets[] = {"names", "claimNames"};
    const struct json *spec = json_get(xrd, "spec");

    if (strcmp(json_string_or(json_get(spec, "group"), ""), group) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        const char *k = json_string(json_at(spec, sets[i], "kind", NULL));

        if (k && strcmp(k, kind) == 0)
            return true;
    }
    return false;
}

const struct json *
lint_xrd(const struct lint *l, const char *group, const char *kind)
{
    const struct sources *all[] = {&l->sources, &l->builtin};

    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        for (size_t i = 0; i < all[k]->n; i++) {
            const struct source_doc *d = &all[k]->v[i];

            if (lint_is(d, "CompositeResourceDefinition",
                        "apiextensions.crossplane.io") &&
                defines(d->object, group, kind))
                return d->object;
        }
    }
    return NULL;
}

/* "crossplane-contrib-function-x" or "function-x" of
 * "host/crossplane-contrib/function-x": Crossplane names what it installs for
 * dependsOn after the repository. */
static bool
names_package(const char *name, const char *package)
{
    const char *slash = strchr(package, '/');
    AUTO(mem_free_ptr) char *path = mem_strdup(slash ? slash + 1 : package);
    const char *last;

    for (char *p = path; *p; p++) {
        if (*p == '/')
            *p = '-';
    }
    last = strrchr(package, '/');
    return strcmp(name, path) == 0 || (last && strcmp(name, last + 1) == 0);
}

const struct function *
lint_function(void *lint, const char *name, struct error *err)
{
    struct lint *l = lint;
    const struct function *fn = function_builtin_in(str_of(name));

    if (functions_has(&l->functions, name))
        return functions_find(&l->functions, name, err);
    for (size_t i = 0; i < l->depends.n; i++) {
        if (!names_package(name, l->depends.v[i]))
            continue;
        if (!function_builtin(str_of(l->depends.v[i])))
            error_set(err, ERR_UNSUPPORTED, "%s is not built in",
                      l->depends.v[i]);
        return function_builtin(str_of(l->depends.v[i]));
    }
    /* Files that name no functions at all leave them to others. */
    if (fn && !map_count(&l->functions.by_name) && !l->depends.n)
        return fn;
    functions_find(&l->functions, name, err);
    return NULL;
}

struct json_place
lint_text_line(const struct source_doc *d, const char *field, unsigned k)
{
    struct json_place at = source_where(d, field, false);

    if (at.block && k) {
        at.line += k;
        at.column = 1;
    }
    return at;
}

/* ---- reading ---- */

void
lint_read(struct lint *l, const char *path)
{
    l->sources.json = true;
    sources_add(&l->sources, path);
}

static void
read_builtin(struct lint *l)
{
    static const char *const parts[] = {"assets/mesh-core/xrds/",
                                        "assets/mesh-core/compositions/"};
    struct asset a;

    for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
        for (unsigned i = 0; asset_under(parts[p], i, &a); i++)
            sources_add_text(&l->builtin, a.path, a.data);
    }
}

static void
take_depends(struct lint *l, const struct json *meta)
{
    static const char *const keys[] = {"package", "function"};
    const struct json *all = json_at(meta, "spec", "dependsOn", NULL);

    for (const struct json *d = json_first(all); d; d = json_next(d)) {
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            if (json_get_string(d, keys[i]))
                strlist_add(&l->depends, str_of(json_get_string(d, keys[i])));
        }
    }
}

/* What the documents define; what is wrong in it is found by the rules. */
static void
take_definitions(struct lint *l)
{
    for (size_t i = 0; i < l->sources.n; i++) {
        const struct source_doc *d = &l->sources.v[i];

        if (lint_is(d, "Configuration", "meta.pkg.crossplane.io"))
            take_depends(l, d->object);
        else if (lint_is(d, "CustomResourceDefinition", NULL) ||
                 lint_is(d, "CompositeResourceDefinition", NULL))
            schema_set_add(&l->schemas, d->object, NULL);
        if (lint_is(d, "Function", "pkg.crossplane.io"))
            functions_add(&l->functions, d->object);
    }
    schema_set_add_builtin(&l->schemas, true);
}

static void
tell_problems(struct lint *l)
{
    for (size_t i = 0; i < l->sources.problems_n; i++) {
        const struct source_problem *p = &l->sources.problems[i];
        bool text = p->err.code == ERR_PARSE || p->line;

        add(l, text ? "yaml" : "unreadable", p->file,
            (struct json_place){.line = p->line, .column = p->column},
            p->err.msg);
    }
}

void
lint_run(struct lint *l)
{
    read_builtin(l);
    take_definitions(l);
    tell_problems(l);
    lint_objects(l);
    lint_compositions(l);
    lint_mesh(l);
    sort_and_fold(l);
}

void
lint_release(struct lint *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].file);
        free(l->v[i].message);
    }
    free(l->v);
    sources_release(&l->sources);
    sources_release(&l->builtin);
    schema_set_release(&l->schemas);
    functions_release(&l->functions);
    strlist_release(&l->depends);
    *l = (struct lint){0};
}
