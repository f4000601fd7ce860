/* Where images and packages come from, and what registries say. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane.h"

char *
crossplane_mirrored(const char *ref, const char *mirror)
{
    struct str host, path, m = str_of(mirror);

    while (str_ends(m, STR("/")))
        m.n--;
    if (!m.n || !str_cut(str_of(ref), '/', &host, &path))
        return mem_strdup(ref);
    return mem_printf("%.*s/%.*s", STR_ARG(m), STR_ARG(path));
}

struct json *
crossplane_image_config(const char *host, const char *mirror,
                        const char *pull_secret, const char *run)
{
    struct json *o = json_new_object(), *spec, *match;
    AUTO(mem_free_ptr) char *name = mem_printf("meshtop-%s", host);
    struct str m = str_of(mirror);

    while (str_ends(m, STR("/")))
        m.n--;
    for (char *c = name; *c; c++) {
        if (*c == ':' || *c == '_')
            *c = '-';
    }
    json_set_string(o, "apiVersion", "pkg.crossplane.io/v1beta1");
    json_set_string(o, "kind", "ImageConfig");
    json_set_string(json_need_object(o, "metadata"), "name", name);
    spec = json_need_object(o, "spec");
    match =
        json_append(json_need_array(spec, "matchImages"), json_new_object());
    json_set_string(match, "type", "Prefix");
    json_set_string(match, "prefix", host);
    if (m.n)
        json_set(json_need_object(spec, "rewriteImage"), "prefix",
                 json_new_str(m));
    if (pull_secret) {
        struct json *auth = json_need_object(json_need_object(spec, "registry"),
                                             "authentication");

        json_set_string(json_need_object(auth, "pullSecretRef"), "name",
                        pull_secret);
    }
    crossplane_mark(o, run);
    return o;
}

static const struct kube_gvr image_configs = {"pkg.crossplane.io", "v1beta1",
                                              "imageconfigs"};

/* Does the server hold it as it would be applied? */
static bool
in_place(struct env *e, const struct json *config)
{
    const struct json *meta = json_get(config, "metadata");
    struct kube_request r = {.gvr = image_configs,
                             .name = json_get_string(meta, "name")};
    AUTO(json_free_ptr)
    struct json *there = kube_client_wait_json(e->client, &r, NULL);

    return there && json_equal(json_at(meta, "annotations", MARK_DIGEST, NULL),
                               json_at(there, "metadata", "annotations",
                                       MARK_DIGEST, NULL));
}

static bool
apply(struct env *e, const struct json *config, struct error *err)
{
    AUTO(mem_free_ptr) char *text = json_text(config, JSON_COMPACT);
    struct kube_request r = {
        .verb = KUBE_PATCH,
        .patch = KUBE_PATCH_APPLY,
        .force = true,
        .gvr = image_configs,
        .name = json_string(json_at(config, "metadata", "name", NULL)),
        .body = str_of(text)};

    return kube_client_wait(e->client, &r, NULL, err) ||
           error_wrap(err, "ImageConfig/%s", r.name);
}

/* One after the other; write false only looks. */
static bool
each_source(struct env *e, const struct manifest_set *functions, bool write,
            struct error *err)
{
    const char *mirror = profile_fact(&e->profile, FACT_MIRROR);
    const char *secret = profile_fact(&e->profile, FACT_PULL_SECRET);
    AUTO(strlist_release) struct strlist hosts = {0};
    bool ok = true;

    for (size_t i = 0; (mirror || secret) && ok && i < functions->n; i++) {
        const char *package = json_string_or(
            json_at(functions->v[i].object, "spec", "package", NULL), "");
        AUTO(json_free_ptr) struct json *config = NULL;
        struct str host, path;

        if (!str_cut(str_of(package), '/', &host, &path) ||
            strlist_has(&hosts, host))
            continue;
        strlist_add(&hosts, host);
        config = crossplane_image_config(hosts.v[hosts.n - 1], mirror, secret,
                                         e->profile.name);
        ok = write ? apply(e, config, err) : in_place(e, config);
    }
    return ok;
}

bool
crossplane_apply_sources(struct env *e, const struct manifest_set *functions,
                         struct error *err)
{
    return each_source(e, functions, true, err);
}

bool
crossplane_sources_in_place(struct env *e, const struct manifest_set *functions)
{
    return each_source(e, functions, false, NULL);
}

/* ---- what registries say ---- */

/* The first that stands in a message decides. */
static const struct {
    const char *words;
    enum pull_verdict verdict;
} verdicts[] = {
    {"toomanyrequests", PULL_REFUSED},
    {"429 Too Many Requests", PULL_REFUSED},
    {"DENIED", PULL_REFUSED},
    {"UNAUTHORIZED", PULL_REFUSED},
    {"401 Unauthorized", PULL_REFUSED},
    {"403 Forbidden", PULL_REFUSED},
    {"insufficient_scope", PULL_REFUSED},
    {"authorization failed", PULL_REFUSED},
    {"pull access denied", PULL_REFUSED},
    {"MANIFEST_UNKNOWN", PULL_REFUSED},
    {"NAME_UNKNOWN", PULL_REFUSED},
    {"manifest unknown", PULL_REFUSED},
    {"404 Not Found", PULL_REFUSED},
    {"x509:", PULL_REFUSED},
    {"tls: failed to verify", PULL_REFUSED},
    {"server gave HTTP response to HTTPS client", PULL_REFUSED},
    {"failed to get pre-cached package", PULL_REFUSED},
    {"InvalidImageName", PULL_REFUSED},
    {"ErrImageNeverPull", PULL_REFUSED},
    {"is not present with pull policy of Never", PULL_REFUSED},
    {"no such host", PULL_TRANSIENT},
    {"server misbehaving", PULL_TRANSIENT},
    {"connection refused", PULL_TRANSIENT},
    {"connection reset", PULL_TRANSIENT},
    {"no route to host", PULL_TRANSIENT},
    {"network is unreachable", PULL_TRANSIENT},
    {"i/o timeout", PULL_TRANSIENT},
    {"deadline exceeded", PULL_TRANSIENT},
    {"handshake timeout", PULL_TRANSIENT},
    {"unexpected EOF", PULL_TRANSIENT},
    {"502 Bad Gateway", PULL_TRANSIENT},
    {"503 Service Unavailable", PULL_TRANSIENT},
    {"504 Gateway", PULL_TRANSIENT},
    {"not found", PULL_REFUSED},
    /* A failure to fetch whose words are new to us. */
    {"cannot unpack package", PULL_TRANSIENT},
    {"failed to fetch package", PULL_TRANSIENT},
    {"Failed to pull image", PULL_TRANSIENT},
    {"failed to pull", PULL_TRANSIENT},
};

/* Only these speak of fetching; others may say "not found" of anything. */
static const char *const fetching[] = {
    "cannot unpack package",    "failed to fetch package", "failed to pull",
    "Failed to pull",           "failed to resolve",       "pre-cached package",
    "package meta type is not", "InvalidImageName",        "ErrImageNeverPull",
    "pull policy of Never",     "pull access denied",      "toomanyrequests",
};

static bool
has(const char *text, const char *words)
{
    return str_contains(str_of(text), str_of(words));
}

enum pull_verdict
crossplane_pull_verdict(const char *message)
{
    bool speaks = false;

    for (size_t i = 0; message && i < ARRAY_LEN(fetching) && !speaks; i++)
        speaks = has(message, fetching[i]);
    for (size_t i = 0; speaks && i < ARRAY_LEN(verdicts); i++) {
        if (has(message, verdicts[i].words))
            return verdicts[i].verdict;
    }
    return PULL_FINE;
}

/* What stands behind the last URL that was asked, else behind the long way the
 * request took: the registry's, or the network's, own words. */
static struct str
own_words(const char *message)
{
    static const char *const asked[] = {"GET http", "Get \"http", "HEAD http",
                                        "Head \"http"};
    struct str all = str_of(message), words = all;
    size_t best = 0;

    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        size_t at = 0, end;

        while ((at = str_find(all, str_of(asked[i]), at)) != SIZE_MAX) {
            end = str_find(all, STR(": "), at);
            if (end != SIZE_MAX && end + 2 > best)
                best = end + 2;
            at += strlen(asked[i]);
        }
    }
    words = str_from(all, best);
    if (!best && str_starts(words, STR("cannot unpack package: ")))
        words = str_from(words, 23);
    return words;
}

bool
crossplane_pull_error(const char *what, const char *message, struct error *err)
{
    struct str words = own_words(message ? message : "no reason was given");
    struct str host, path;

    str_cut(str_of(what), '/', &host, &path);
    error_set(err, ERR_NETWORK, "%s cannot be fetched: %.*s", what,
              STR_ARG(words));
    if (message && (has(message, "toomanyrequests") || has(message, "429 Too")))
        error_remedy(err, "MT-NET-RATELIMIT",
                     "%.*s counts pulls: docker login raises the limit, "
                     "--registry-mirror HOST takes another way, or wait.",
                     STR_ARG(host));
    else if (message && has(message, "x509:"))
        error_remedy(err, "MT-PKG-PULL",
                     "%.*s shows a certificate that is not trusted: give its "
                     "CA with --registry-mirror HOST --registry-ca FILE.",
                     STR_ARG(host));
    else if (str_contains(host, STR("xpkg.upbound.io")))
        error_remedy(err, "MT-PKG-PULL",
                     "Older official packages of xpkg.upbound.io are for "
                     "subscribers: use %s%.*s.",
                     CROSSPLANE_HOST "/", STR_ARG(path));
    else
        error_remedy(err, "MT-PKG-PULL",
                     "Does this machine reach %.*s, and is the name right? "
                     "Without that registry: --registry-mirror HOST[/PREFIX] "
                     "--registry-ca FILE.",
                     STR_ARG(host));
    return false;
}
