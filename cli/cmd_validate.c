/* meshtop validate: objects against the schemas of CRDs, XRDs and packages. */
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/validate_check.h"

struct totals {
    size_t all, valid, invalid, missing;
};

/* ---- reading ---- */

/* crank checks the inputs of a Composition's functions before it. */
static void
expand_inputs(struct sources *s)
{
    struct source_doc *v = NULL;
    size_t n = 0, cap = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct json *o = s->v[i].object;
        const struct json *steps = json_at(o, "spec", "pipeline", NULL);
        bool composition = strcmp(json_string_or(json_get(o, "kind"), ""),
                                  "Composition") == 0 &&
                           strcmp(json_string_or(json_get(o, "apiVersion"), ""),
                                  "apiextensions.crossplane.io/v1") == 0;

        v = mem_grow(v, &cap, n + json_len(steps) + 1, sizeof(*v));
        for (const struct json *p = composition ? json_first(steps) : NULL; p;
             p = json_next(p)) {
            if (json_is(json_get(p, "input"), JSON_OBJECT))
                v[n++] = (struct source_doc){s->v[i].file, json_get(p, "input"),
                                             NULL};
        }
        v[n++] = s->v[i];
    }
    free(s->v);
    s->v = v;
    s->n = n;
    s->cap = cap;
}

/* A comma-separated list of files, folders and "-". Upstream gives up at the
 * first problem. */
static bool
load(const char *list, const char *what, struct sources *out, struct error *err)
{
    struct str rest = str_of(list), part;

    while (str_next(&rest, ',', &part)) {
        AUTO(mem_free_ptr) char *path = mem_strndup(part.s, part.n);

        sources_add(out, path);
    }
    for (size_t i = 0; i < out->n && !out->problems_n; i++) {
        const struct source_doc *d = &out->v[i];
        struct json_place at = source_where(d, "", false);

        if (!json_get_string(d->object, "kind"))
            return error_set(err, ERR_INVALID,
                             "cannot load %s from \"%s\": %s:%u:%u: Object "
                             "'Kind' is missing",
                             what, list, d->file->name, at.line, at.column);
    }
    if (out->problems_n) {
        const struct source_problem *p = &out->problems[0];

        *err = p->err;
        if (p->line)
            error_wrap(err, "cannot load %s from \"%s\": %s:%u:%u", what, list,
                       p->file, p->line, p->column);
        else
            error_wrap(err, "cannot load %s from \"%s\"", what, list);
        return false;
    }
    return true;
}

/* ---- answering ---- */

static void
put_place(const struct check *c, struct json_place at, struct buf *out)
{
    if (at.line)
        buf_printf(out, "%s:%u:%u: ", c->doc->file->name, at.line, at.column);
    else
        buf_printf(out, "%s: ", c->doc->file->name);
}

/* Upstream's lines; in front of each, unless bare, its place. */
static void
put_check(const struct check *c, bool skip_success, bool bare, struct buf *out)
{
    static const char *const what[] = {"schema", "schema", "CEL"};
    struct json_place start = source_where(c->doc, "", false);
    AUTO(buf_release) struct buf gvk = BUF_INIT(4096);

    check_gvk(c, &gvk);
    if (c->status != CHECK_INVALID) {
        if (c->status == CHECK_VALID && skip_success)
            return;
        if (!bare)
            put_place(c, start, out);
        if (c->status == CHECK_VALID)
            buf_printf(out, "[✓] %s, %s validated successfully\n",
                       buf_cstr(&gvk), c->name);
        else
            buf_printf(out, "[!] could not find CRD/XRD for: %s\n",
                       buf_cstr(&gvk));
        return;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (!bare)
            put_place(c, c->faults[i].at, out);
        buf_printf(out, "[x] %s validation error %s, %s : %s: %s\n",
                   what[c->faults[i].type], buf_cstr(&gvk), c->name,
                   c->faults[i].field, c->faults[i].message);
    }
}

static void
set_place(struct json *to, const char *file, struct json_place at)
{
    json_set_string(to, "file", file);
    json_set_int(to, "line", at.line);
    json_set_int(to, "column", at.column);
}

static struct json *
check_json(const struct check *c)
{
    static const char *const status[] = {"valid", "invalid", "missingSchema"};
    static const char *const type[] = {"schema", "unknownField", "cel"};
    const char *ns =
        json_string(json_at(c->doc->object, "metadata", "namespace", NULL));
    struct json *j = json_new_object(), *errors;

    json_set_string(j, "apiVersion", c->api_version);
    json_set_string(j, "kind", c->kind);
    json_set_string(j, "name", c->name);
    if (ns && *ns)
        json_set_string(j, "namespace", ns);
    json_set_string(j, "status", status[c->status]);
    set_place(j, c->doc->file->name, source_where(c->doc, "", false));
    if (c->n == 0)
        return j;
    errors = json_need_array(j, "errors");
    for (size_t i = 0; i < c->n; i++) {
        const struct check_fault *f = &c->faults[i];
        struct json *e = json_append(errors, json_new_object());
        AUTO(mem_free_ptr)
        char *message = mem_printf("%s: %s", f->field, f->message);

        json_set_string(e, "type", type[f->type]);
        json_set_string(e, "field", f->field);
        json_set_string(e, "message", message);
        set_place(e, c->doc->file->name, f->at);
    }
    return j;
}

static void
count(const struct check *c, struct totals *t)
{
    t->all++;
    t->valid += c->status == CHECK_VALID;
    t->invalid += c->status == CHECK_INVALID;
    t->missing += c->status == CHECK_MISSING;
}

static void
put_totals(const struct totals *t, struct json *to)
{
    struct json *s = json_need_object(to, "summary");

    json_set_int(s, "total", (int64_t)t->all);
    json_set_int(s, "valid", (int64_t)t->valid);
    json_set_int(s, "invalid", (int64_t)t->invalid);
    json_set_int(s, "missingSchemas", (int64_t)t->missing);
}

/* ---- the command ---- */

static bool
check_all(const struct args *a, const struct sources *from,
          struct schema_set *schemas, struct totals *t, struct error *err)
{
    bool skip = args_has(a, "skip-success-results");
    bool bare = args_has(a, "compat");
    AUTO(json_free_ptr) struct json *tree = NULL;
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    enum output how;

    if (!output_of(a, &how, err))
        return false;
    tree = json_new_object();
    json_need_array(tree, "resources");
    for (size_t i = 0; i < from->n; i++) {
        struct check c;

        if (!check_run(&c, &from->v[i], schemas, bare, err))
            return error_wrap(err, "cannot validate resources");
        count(&c, t);
        if (how == OUTPUT_JSON || how == OUTPUT_YAML)
            json_append(json_get(tree, "resources"), check_json(&c));
        else
            put_check(&c, skip, bare, &text);
        check_release(&c);
    }
    put_totals(t, tree);
    if (how == OUTPUT_JSON || how == OUTPUT_YAML) {
        output_tree(tree, how);
    } else {
        buf_printf(&text,
                   "Total %zu resources: %zu missing schemas, %zu success "
                   "cases, %zu failure cases\n",
                   t->all, t->missing, t->valid, t->invalid);
        output_text(buf_view(&text));
    }
    return output_flush(err);
}

static char *
cache_folder(const struct args *a)
{
    const char *given = args_get(a, "cache-dir", "~/.crossplane/cache");
    const char *home = getenv("HOME");

    if (strncmp(given, "~/", 2) == 0 && home)
        return file_join(home, given + 2);
    return mem_strdup(given);
}

static void
tell_missing(const struct schema_set *s)
{
    for (size_t i = 0; i < s->missing.n; i++) {
        fputs("meshtop: package ", stderr);
        columns_text(str_of(s->missing.v[i]), false, stderr);
        fputs(" is not at hand: what it defines is not checked\n", stderr);
    }
    if (s->missing.n)
        fputs("  Name its folder or .xpkg file with --packages, or run "
              "\"crossplane beta validate\" once, which fetches it.\n",
              stderr);
}

/* One list: the resources are their own extensions, beside what is built in. */
static bool
prepare(const struct args *a, const char *extensions,
        const struct sources *resources, struct schema_set *schemas,
        struct error *err)
{
    struct sources own = {0};
    const struct sources *from = extensions ? &own : resources;
    bool ok = !extensions || load(extensions, "extensions", &own, err);

    args_list(a, "packages", &schemas->places);
    for (size_t i = 0; ok && i < from->n; i++)
        ok = schema_set_add(schemas, from->v[i].object, err) ||
             error_wrap(err, "cannot prepare extensions");
    if (ok) {
        schema_set_add_builtin(schemas, !extensions);
        ok = schema_set_compile(schemas, err) ||
             error_wrap(err, "cannot validate resources");
    }
    sources_release(&own);
    return ok;
}

static bool
verdict(const struct args *a, const struct totals *t, struct error *err)
{
    if (t->invalid)
        return error_set(err, ERR_INVALID,
                         "cannot validate resources: could not validate all "
                         "resources");
    if (t->missing && args_has(a, "error-on-missing-schemas"))
        return error_set(err, ERR_INVALID,
                         "cannot validate resources: could not validate all "
                         "resources, schema(s) missing");
    return true;
}

static bool
validate(const struct args *a, struct error *err)
{
    const char *extensions = a->words_n > 1 ? args_word(a, 0) : NULL;
    const char *list = args_word(a, a->words_n - 1);
    AUTO(mem_free_ptr) char *cache = cache_folder(a);
    struct schema_set schemas = {.cache = cache,
                                 .as_crank = args_has(a, "compat")};
    struct sources resources = {0};
    struct totals t = {0};
    bool ok;

    if (extensions && strcmp(extensions, "-") == 0 && strcmp(list, "-") == 0)
        return error_set(err, ERR_USAGE,
                         "cannot use stdin for both extensions and resources");
    ok = load(list, "resources", &resources, err) &&
         prepare(a, extensions, &resources, &schemas, err);
    if (ok) {
        tell_missing(&schemas);
        expand_inputs(&resources);
        ok = check_all(a, &resources, &schemas, &t, err) && verdict(a, &t, err);
    }
    sources_release(&resources);
    schema_set_release(&schemas);
    return ok;
}

static int
run(const struct args *a)
{
    struct error err = {0};

    if (validate(a, &err))
        return EXIT_DONE;
    command_fail(&err);
    return err.code == ERR_USAGE ? EXIT_USAGE : EXIT_ERROR;
}

static const struct flag flags[] = {
    {"skip-success-results", 0, NULL, "do not print what is valid"},
    {"error-on-missing-schemas", 0, NULL, "fail when a kind has no schema"},
    {"compat", 0, NULL, "crossplane beta validate's lines: no places in front"},
    {"packages", 0, "PATH", "folders and .xpkg files that packages are in"},
    {"cache-dir", 0, "DIR",
     "where the crossplane CLI keeps packages (~/.crossplane/cache)"},
    {"clean-cache", 0, NULL, "accepted; nothing is fetched here"},
    {"crossplane-image", 0, "REF", "accepted; Crossplane's kinds are built in"},
    {"update-cache", 0, NULL, "accepted; nothing is fetched here"},
    {0}};

const struct command cmd_validate = {
    .name = "validate",
    .args = "[EXTENSIONS] RESOURCES",
    .summary = "check objects against CRDs, XRDs and packages",
    .help =
        "EXTENSIONS and RESOURCES are comma-separated lists of files, folders "
        "and - for standard input, as of `crossplane beta validate`, whose "
        "lines are printed, each behind FILE:LINE:COLUMN. Without EXTENSIONS "
        "the mesh's own kinds and what RESOURCES define are known.\n\n"
        "Nothing is fetched: packages are taken from the crossplane CLI's "
        "cache and from --packages; what is missing is said.\n\n"
        "Exit code 1 when an object is invalid. docs/VALIDATE.md.",
    .flags = flags,
    .group = "Foresee",
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
