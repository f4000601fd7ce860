/*
 * References between managed resources: nameRef and nameSelector fill in name.
 * Source: crossplane-runtime 2.0.8 pkg/reference/namespaced_reference.go, and
 * the words around it that upjet generates.
 */
#include <ctype.h>
#include <string.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/provider.h"

/* One field of forProvider or initProvider. */
struct reference {
    struct look *l;
    struct json *part; /* forProvider or initProvider */
    const char *part_name;
    const struct managed_field *f;
    struct json *ref, *selector;
    struct buf *why;
};

static struct json *
companion(const struct json *part, const struct managed_field *f,
          const char *suffix)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s%s", f->name, suffix);

    return json_get(part, name);
}

static bool
policy_is(const struct json *ref, const char *what, const char *value)
{
    return strcmp(json_string_or(json_at(ref, "policy", what, NULL), ""),
                  value) == 0;
}

/* A value that is there stays, unless it is to be resolved always. */
static bool
nothing_to_do(struct reference *r)
{
    const char *now = json_string_or(json_get(r->part, r->f->name), "");
    bool always = false;

    if (r->selector) {
        always = policy_is(r->selector, "resolve", "Always");
        if (always)
            r->ref = NULL;
    } else if (r->ref) {
        always = policy_is(r->ref, "resolve", "Always");
    }
    return (*now && !always) || (!r->ref && !r->selector);
}

/* ---- words ---- */

/* The field as Go names it: "datasetId" is DatasetID. */
static void
go_name(const char *name, struct buf *out)
{
    static const char *const upper[] = {"Id", "Iam", "Kms", "Db", "Dns", "Vpc"};
    struct str rest = str_of(name);

    while (rest.n) {
        size_t n = 1, i = 0;
        AUTO(mem_free_ptr) char *word = NULL;

        while (n < rest.n && !isupper((unsigned char)rest.s[n]))
            n++;
        word = mem_strndup(rest.s, n);
        *word = (char)toupper((unsigned char)*word);
        while (i < ARRAY_LEN(upper) && strcmp(upper[i], word) != 0)
            i++;
        for (char *s = word; *s && i < ARRAY_LEN(upper); s++)
            *s = (char)toupper((unsigned char)*s);
        buf_puts(out, strcmp(word, "Filesystem") == 0 ? "FileSystem" : word);
        rest = str_from(rest, n);
    }
}

/* False, unless the resolution is optional. */
static bool
unresolved(struct reference *r, const struct json *by, const char *fmt, ...)
{
    va_list ap;

    if (policy_is(by, "resolution", "Optional"))
        return true;
    buf_printf(r->why, "cannot resolve references: mg.Spec.%c%s.",
               toupper((unsigned char)*r->part_name), r->part_name + 1);
    go_name(r->f->name, r->why);
    buf_puts(r->why, ": ");
    va_start(ap, fmt);
    buf_vprintf(r->why, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- looking ---- */

/* Look again as soon as something of that kind changes. */
static void
wait_for(const struct reference *r)
{
    const struct job *j = r->l->job;
    AUTO(mem_free_ptr)
    char *kind = mem_printf("%s/%s", r->f->group, r->f->kind);
    AUTO(mem_free_ptr)
    char *who = mem_printf("%s/%s/%s/%s", j->group, j->plural, j->ns, j->name);
    struct map *m = map_get(&r->l->p->waiting, str_of(kind));

    if (!m) {
        m = mem_zalloc(1, sizeof(*m));
        map_put(&r->l->p->waiting, str_of(kind), m);
    }
    map_put(m, str_of(who), r->l->p);
}

static const struct kind *
target_kind(const struct reference *r)
{
    AUTO(mem_free_ptr)
    char *version =
        r->f->kind ? mem_printf("%s/" MANAGED_VERSION, r->f->group) : NULL;

    return version ? registry_kind(r->l->c->registry, version, r->f->kind)
                   : NULL;
}

static const char *
extract(const struct reference *r, const struct json *target)
{
    if (!r->f->extract)
        return kobj_annotation(target, EXTERNAL_NAME);
    return json_string_or(
        json_at(target, "status", "atProvider", r->f->extract, NULL), "");
}

static bool
take(struct reference *r, const struct json *by, const struct json *target)
{
    const char *value = extract(r, target);

    if (!*value) {
        wait_for(r);
        return unresolved(r, by,
                          "referenced field was empty (referenced resource may "
                          "not yet be ready)");
    }
    json_set_string(r->part, r->f->name, value);
    r->l->dirty = true;
    return true;
}

static const char *
namespace_of(const struct reference *r, const struct json *by)
{
    return json_string_or(json_get(by, "namespace"), kobj_namespace(r->l->mr));
}

static bool
by_name(struct reference *r, const struct kind *k)
{
    const char *name = json_string_or(json_get(r->ref, "name"), "");
    AUTO(json_free_ptr)
    struct json *target =
        registry_get(r->l->c->registry, k, namespace_of(r, r->ref), name);

    if (target)
        return take(r, r->ref, target);
    wait_for(r);
    return unresolved(r, r->ref,
                      "cannot get referenced resource: %s.%s \"%s\" not found",
                      k->kind, k->group, name);
}

static void
labels_text(const struct json *labels, struct buf *out)
{
    for (const struct json *c = json_first(labels); c; c = json_next(c))
        buf_printf(out, "%s%s=%s", out->n ? "," : "", json_key(c),
                   json_string_or(c, ""));
}

static bool
is_sibling(const struct reference *r, const struct json *target)
{
    const struct json *mine = kobj_controller(r->l->mr);

    return !json_bool(json_get(r->selector, "matchControllerRef"), false) ||
           (mine && kobj_is_controlled_by(
                        target, json_string_or(json_get(mine, "uid"), "")));
}

static bool
by_labels(struct reference *r, const struct kind *k)
{
    AUTO(buf_release) struct buf labels = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *all = NULL;
    const char *ns = namespace_of(r, r->selector);

    labels_text(json_get(r->selector, "matchLabels"), &labels);
    all = registry_list_json(r->l->c->registry, k, ns, buf_cstr(&labels), &st);
    for (const struct json *t = json_first(all); t; t = json_next(t)) {
        AUTO(mem_free_ptr) char *name = mem_printf("%sRef", r->f->name);
        struct json *ref;

        if (!is_sibling(r, t))
            continue;
        if (!take(r, r->selector, t))
            return false;
        ref = json_set(r->part, name, json_new_object());
        json_set_string(ref, "name", kobj_name(t));
        json_set_string(ref, "namespace", ns);
        return true;
    }
    wait_for(r);
    return unresolved(r, r->selector, "no resources matched selector");
}

static bool
resolve(struct reference *r)
{
    const struct kind *k;

    r->ref = companion(r->part, r->f, "Ref");
    r->selector = companion(r->part, r->f, "Selector");
    if (nothing_to_do(r))
        return true;
    k = target_kind(r);
    if (!k)
        return unresolved(r, r->ref ? r->ref : r->selector,
                          "cannot get referenced resource: the sandbox does "
                          "not serve the kind that %s refers to",
                          r->f->name);
    return r->ref ? by_name(r, k) : by_labels(r, k);
}

bool
provider_resolve(struct look *l, struct buf *why)
{
    static const char *const parts[] = {"forProvider", "initProvider"};

    for (size_t i = 0; l->mk && i < l->mk->fields_n; i++) {
        for (size_t p = 0; l->mk->fields[i].refers && p < ARRAY_LEN(parts);
             p++) {
            struct reference r = {.l = l,
                                  .part_name = parts[p],
                                  .f = &l->mk->fields[i],
                                  .why = why};

            r.part = json_at(l->mr, "spec", parts[p], NULL);
            if (r.part && !resolve(&r))
                return false;
        }
    }
    return true;
}
