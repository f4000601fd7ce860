/*
 * meshtop tree: what an object is composed of, as `crossplane resource trace`
 * prints it. Upstream's words for what a user names wrong (crossplane CLI 2.5
 * cmd/crossplane/trace/trace.go); ours on top: a bare name is a product, a
 * domain or a contract, and kinds of the mesh are found in any namespace.
 */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/inplace.h"
#include "cli/objects.h"
#include "cli/trace_watch.h"

/* How -o names a form. */
static const struct form {
    const char *word;
    trace_print_fn *print;
    bool wide;
    bool some; /* nothing at all is an error */
} forms[] = {
    {"text", trace_print_table, false, true},
    {"default", trace_print_table, false, true},
    {"wide", trace_print_table, true, true},
    {"json", trace_print_json, false, false},
    {"yaml", trace_print_yaml, false, false},
    {"dot", trace_print_dot, false, true},
};

/* What a bare name may be, in this order. */
static const char *const mesh_kinds[] = {"dataproducts.meshifi.io",
                                         "datadomains.meshifi.io",
                                         "datacontracts.meshifi.io"};

static const struct form *
form_of(const struct args *a, struct error *err)
{
    const char *word = args_get(a, "output", "text");

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (strcmp(forms[i].word, word) == 0)
            return &forms[i];
    }
    error_set(err, ERR_USAGE, "-o %s: there are text, wide, json, yaml and dot",
              word);
    return NULL;
}

static bool
show_of(const struct args *a, const char *flag, const char *few,
        enum trace_show *out, struct error *err)
{
    const char *const words[] = {few, "all", "none"};
    const char *word = args_get(a, flag, few);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (enum trace_show)i;
            return true;
        }
    }
    return error_set(err, ERR_USAGE, "--%s %s: there are %s, all and none",
                     flag, word, few);
}

/* ---- which roots ---- */

struct list {
    struct trace *t;
    const struct kube_kind *kind;
    struct error *err;
    bool ok;
};

static bool
add_item(void *arg, struct str item)
{
    struct list *l = arg;
    AUTO(buf_release) struct buf api = BUF_INIT(512);
    struct json *j = json_parse(item, NULL, l->err);

    if (!j)
        return l->ok = false;
    kube_gvr_api_version(&l->kind->gvr, &api);
    json_set_string(j, "apiVersion", buf_cstr(&api));
    json_set_string(j, "kind", l->kind->kind);
    trace_node_new(l->t, NULL, j);
    return true;
}

/* Every object of a kind, then what is below each. */
static bool
add_all(struct trace *t, struct target *target, const struct args *a,
        const char *word, struct error *err)
{
    const struct kube_kind *k = kube_discovery_find(t->discovery, word, err);
    struct trace found = *t;
    struct list l = {&found, k, err, true};
    bool ok = k != NULL;

    if (ok) {
        struct kube_request q = {.gvr = k->gvr};

        if (k->namespaced)
            q.ns = target_ns(a, kube_client_access(target->client)->ns);
        ok = kube_client_wait_list(t->client, &q, add_item, &l, err) && l.ok;
    }
    for (size_t i = 0; ok && i < found.n; i++) {
        ok = trace_add(t, found.roots[i]->object, err);
        found.roots[i]->object = NULL;
    }
    trace_release(&found);
    return ok;
}

static bool
add_found(struct trace *t, struct target *target, const struct args *a,
          const char *word, const char *name, struct error *err)
{
    AUTO(object_release) struct object o = {0};

    if (!object_find(target, a, word, name, &o, err))
        return false;
    AUTO(buf_release) struct buf api = BUF_INIT(512);

    kube_gvr_api_version(&o.kind->gvr, &api);
    json_set_string(o.json, "apiVersion", buf_cstr(&api));
    json_set_string(o.json, "kind", o.kind->kind);
    struct json *root = o.json;

    o.json = NULL;
    return trace_add(t, root, err);
}

/* A product, a domain or a contract of that name, or NS/NAME. */
static bool
add_named(struct trace *t, struct target *target, const struct args *a,
          const char *name, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(mesh_kinds); i++) {
        struct error why = {0};

        if (!kube_discovery_find(t->discovery, mesh_kinds[i], NULL))
            continue;
        if (add_found(t, target, a, mesh_kinds[i], name, &why))
            return true;
        if (why.code != ERR_NOT_FOUND) {
            *err = why;
            return false;
        }
    }
    return error_set(err, ERR_NOT_FOUND,
                     "no product, domain or contract named %s", name);
}

static bool
add_roots(struct trace *t, struct target *target, const struct args *a,
          struct error *err)
{
    const char *word = args_word(a, 0), *name = args_word(a, 1);
    struct str kind, rest;
    bool slash = str_cut(str_of(word), '/', &kind, &rest);
    AUTO(mem_free_ptr) char *kind_word = mem_strndup(kind.s, kind.n);
    bool served = kube_discovery_find(t->discovery, kind_word, NULL) != NULL;

    if (slash && str_contains(rest, STR("/")))
        return error_set(err, ERR_USAGE,
                         "invalid resource, must be provided in the "
                         "'TYPE[.VERSION][.GROUP][/NAME]' format");
    if (slash && name)
        return error_set(err, ERR_USAGE,
                         "name provided twice, must be provided separately "
                         "'TYPE[.VERSION][.GROUP] [NAME]' or in the "
                         "'TYPE[.VERSION][.GROUP][/NAME]' format");
    if (name || (slash && served))
        return add_found(t, target, a, word, name, err);
    return served && !slash ? add_all(t, target, a, word, err)
                            : add_named(t, target, a, word, err);
}

/* ---- the command ---- */

static bool
print_once(const struct trace *t, const struct trace_watch_options *how,
           struct error *err)
{
    AUTO(buf_release) struct buf out = BUF_INIT((size_t)1 << 30);

    how->print(t, &how->style, &out);
    if (out.over)
        return error_set(err, ERR_LIMIT, "the tree is too big to be printed");
    if (isatty(STDOUT_FILENO))
        columns_text(buf_view(&out), true, stdout);
    else
        fwrite(out.s, 1, out.n, stdout);
    return true;
}

static bool
tree(const struct args *a, struct target *target, struct error *err)
{
    const struct form *form = form_of(a, err);
    struct trace t = {
        .client = target->client,
        .discovery = target->discovery,
        .options = {.secrets = args_has(a, "show-connection-secrets"),
                    .runtime_configs =
                        args_has(a, "show-package-runtime-configs")}};
    struct trace_watch_options how = {
        .style = {.ascii = args_has(a, "ascii") || inplace_ascii(),
                  .list =
                      args_word(a, 1) == NULL && !strchr(args_word(a, 0), '/')},
        .plain = args_has(a, "no-color")};
    bool ok = form &&
              show_of(a, "show-package-dependencies", "unique",
                      &t.options.dependencies, err) &&
              show_of(a, "show-package-revisions", "active",
                      &t.options.revisions, err) &&
              kube_discovery_wait(target->discovery, false, err) &&
              add_roots(&t, target, a, err);

    if (ok) {
        how.print = form->print;
        how.style.wide = form->wide;
        how.style.list =
            how.style.list &&
            kube_discovery_find(target->discovery, args_word(a, 0), NULL);
        if (!t.n && form->some)
            ok = error_set(err, ERR_NOT_FOUND,
                           "cannot print resource tree: resource list is "
                           "empty");
        else if (args_has(a, "watch") && how.style.list)
            ok = error_set(err, ERR_USAGE,
                           "you may only watch a single resource at a time");
        else
            ok = args_has(a, "watch") ? trace_watch(&t, &how, err)
                                      : print_once(&t, &how, err);
    }
    trace_release(&t);
    return ok;
}

static int
run(const struct args *a)
{
    return target_run(a, tree);
}

static const struct flag flags[] = {
    {"watch", 'w', NULL, "stay and show every change, until it is deleted"},
    {"show-connection-secrets", 's', NULL,
     "connection secrets of claims and legacy composites too"},
    {"show-package-dependencies", 0, "WHICH", "unique (default), all or none"},
    {"show-package-revisions", 0, "WHICH", "active (default), all or none"},
    {"show-package-runtime-configs", 0, NULL, "runtime configs of packages"},
    {0},
};

const struct command cmd_tree = {
    .name = "tree",
    .args = "TYPE[.VERSION][.GROUP][/NAME] [NAME] | NAME",
    .summary = "what an object is composed of, and how each part is",
    .help = "Prints what `crossplane resource trace` prints, for composite "
            "resources, claims and\npackages; -o text, wide, json, yaml or "
            "dot. A TYPE alone shows all of them.\nNAME alone is a product, a "
            "domain or a contract.",
    .group = "Look",
    .flags = flags,
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
