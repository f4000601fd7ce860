/* What words, kinds and categories mean (discovery.h), over the list alone. */
#include <stdlib.h>
#include <strings.h>

#include "lib/base/mem.h"

#include "lib/kube/discovery.h"

#define MATCHES_MAX 16

/* ---- exact ---- */

const struct kube_kind *
kube_discovery_of(const struct kube_discovery *d, struct str api_version,
                  struct str kind)
{
    struct str group, version;
    const struct kube_kind *k;

    if (!kube_api_version_split(api_version, &group, &version))
        return NULL;
    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        if (str_eqz(kind, k->kind) && str_eqz(group, k->gvr.group) &&
            str_eqz(version, k->gvr.version))
            return k;
    }
    return NULL;
}

const struct kube_kind *
kube_discovery_gvr(const struct kube_discovery *d, const struct kube_gvr *gvr)
{
    const struct kube_kind *k;

    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        if (kube_gvr_eq(&k->gvr, gvr))
            return k;
    }
    return NULL;
}

const struct kube_kind *
kube_discovery_category(const struct kube_discovery *d, const char *category,
                        size_t nth)
{
    const struct kube_kind *k;

    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        for (const char *const *c = k->categories; k->preferred && *c; c++) {
            if (strcmp(*c, category) == 0 && nth-- == 0)
                return k;
        }
    }
    return NULL;
}

/* ---- words ---- */

/* What a word is compared with; a kind is written in any case. */
enum part { PLURAL_OR_KIND, SHORT_NAME };

static bool
is_name(const struct kube_kind *k, const char *head, enum part part)
{
    if (part == PLURAL_OR_KIND)
        return strcasecmp(head, k->gvr.resource) == 0 ||
               strcasecmp(head, k->singular) == 0 ||
               strcasecmp(head, k->kind) == 0;
    for (const char *const *s = k->short_names; *s; s++) {
        if (strcasecmp(head, *s) == 0)
            return true;
    }
    return false;
}

struct want {
    const char *head;
    const struct str *group, *version; /* NULL: any; the preferred one */
    bool prefix;                       /* group is how it begins */
    bool any_version; /* of a kind that only an older one has */
};

static bool
is_wanted(const struct want *w, const struct kube_kind *k, enum part part)
{
    struct str group = str_of(k->gvr.group);

    if (w->version && !str_eqz(*w->version, k->gvr.version))
        return false;
    if (!w->version && !w->any_version && !k->preferred)
        return false;
    if (w->group &&
        !(w->prefix ? str_starts(group, *w->group) : str_eq(group, *w->group)))
        return false;
    return is_name(k, w->head, part);
}

/* Collects in order; names before short names. */
static size_t
collect(const struct kube_discovery *d, const struct want *w,
        const struct kube_kind **out, size_t max)
{
    const struct kube_kind *k;
    size_t n = 0;

    for (int part = 0; part < 2 && n == 0; part++) {
        for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
            if (!is_wanted(w, k, (enum part)part))
                continue;
            if (n < max)
                out[n] = k;
            n++;
        }
    }
    return n;
}

/* "things", "things.group", "things.gro" (DefaultRESTMapper.ResourcesFor),
 * "things.version.group": in this order. */
size_t
kube_discovery_matches(const struct kube_discovery *d, const char *word,
                       const struct kube_kind **out, size_t max)
{
    struct str head, group, version, rest;
    bool dotted = str_cut(str_of(word), '.', &head, &group);
    AUTO(mem_free_ptr) char *name = mem_strndup(head.s, head.n);
    bool full = str_cut(group, '.', &version, &rest);
    const struct want rows[] = {
        {.head = name, .group = dotted ? &group : NULL},
        {.head = name, .group = dotted ? &group : NULL, .any_version = true},
        {.head = name, .group = &rest, .version = &version},
        {.head = name, .group = &group, .prefix = true},
    };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows) && n == 0; i++) {
        if ((i == 2 && !full) || (i == 3 && (!dotted || !group.n)))
            continue;
        n = collect(d, &rows[i], out, max);
    }
    return n;
}

static bool
unknown_word(const struct kube_discovery *d, const char *word,
             struct error *err)
{
    const struct kube_kind *k;
    const char *best = NULL;
    size_t near = 3;

    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        const char *words[] = {k->gvr.resource, k->singular, k->kind};

        for (size_t j = 0; j < ARRAY_LEN(words); j++) {
            size_t far = str_distance(word, words[j]);

            if (far < near) {
                near = far;
                best = words[j];
            }
        }
    }
    error_set(err, ERR_NOT_FOUND, "the server has no kind \"%s\"", word);
    if (best)
        error_remedy(err, "MT-NO-KIND", "Did you mean \"%s\"?", best);
    return false;
}

/* Two resources of one group and version that a word means equally
 * (AmbiguousResourceError); "things" beside "widgets.things" of other groups is
 * none, the order decides. */
static bool
is_ambiguous(const struct kube_kind **v, size_t n, const char *word,
             struct error *err)
{
    AUTO(buf_release) struct buf all = BUF_INIT(800);
    size_t same = 0, plural = 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(v[i]->gvr.group, v[0]->gvr.group) != 0 ||
            strcmp(v[i]->gvr.version, v[0]->gvr.version) != 0)
            continue;
        plural += strcasecmp(v[i]->gvr.resource, word) == 0;
        buf_printf(&all, "%s%s.%s.%s", same++ ? ", " : "", v[i]->gvr.resource,
                   v[i]->gvr.version, v[i]->gvr.group);
    }
    if (same < 2 || plural)
        return false;
    error_set(err, ERR_CONFLICT, "%s matches multiple resources: %s", word,
              buf_cstr(&all));
    return true;
}

/* A plural beats what is only called so by its kind or singular. */
static const struct kube_kind *
best_of(const struct kube_kind **v, size_t n, const char *word)
{
    size_t head = strcspn(word, ".");

    for (size_t i = 0; i < n; i++) {
        if (strcmp(v[i]->gvr.group, v[0]->gvr.group) == 0 &&
            strlen(v[i]->gvr.resource) == head &&
            strncasecmp(v[i]->gvr.resource, word, head) == 0)
            return v[i];
    }
    return v[0];
}

const struct kube_kind *
kube_discovery_find(const struct kube_discovery *d, const char *word,
                    struct error *err)
{
    const struct kube_kind *v[MATCHES_MAX];
    size_t n = kube_discovery_matches(d, word, v, ARRAY_LEN(v));

    n = MIN(n, ARRAY_LEN(v));
    if (n && !is_ambiguous(v, n, word, err))
        return best_of(v, n, word);
    if (!n)
        unknown_word(d, word, err);
    return NULL;
}
