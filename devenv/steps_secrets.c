/*
 * The step of `up` that lends Crossplane the user's credentials for the
 * registries it fetches from: the plain ones of the docker configuration, for
 * those hosts alone. They are never printed and wiped from memory.
 */
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "devenv/crossplane_steps.h"
#include "devenv/dockerconfig.h"

#define SECRET_BYTES ((size_t)256 << 10)

static const struct kube_gvr secrets = {"", "v1", "secrets"};

/* Hosts that images and packages are fetched from. */
static bool
hosts_of(const struct up *up, struct strlist *out, struct error *err)
{
    AUTO(strlist_release) struct strlist refs = {0};

    if (!up_images_needed(up, &refs, err))
        return false;
    for (size_t i = 0; i < refs.n; i++) {
        struct str host, path;

        str_cut(str_of(refs.v[i]), '/', &host, &path);
        if (!strlist_has(out, host))
            strlist_add(out, host);
    }
    return true;
}

/* One document with the credentials of all hosts that have one, into out;
 * helper names a host whose credential another program keeps. */
static size_t
credentials(const struct dockerconfig *c, const struct strlist *hosts,
            struct buf *out, char *helper, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < hosts->n; i++) {
        AUTO(dockerconfig_wipe) struct buf one = BUF_INIT(SECRET_BYTES);
        struct str inner;

        if (dockerconfig_helper(c, hosts->v[i]))
            snprintf(helper, size, "%s", hosts->v[i]);
        if (!dockerconfig_json_for(c, hosts->v[i], &one))
            continue;
        /* {"auths":{ ... }} */
        inner = buf_view(&one);
        inner = str_sub(inner, 10, inner.n - 12);
        buf_printf(out, "%s%.*s", n++ ? "," : "{\"auths\":{", STR_ARG(inner));
    }
    if (n)
        buf_puts(out, "}}");
    return n;
}

/* The Secret's text into out; false without err: there is no credential. */
static bool
secret_text(struct up *up, struct step_run *run, struct buf *out,
            struct error *err)
{
    AUTO(strlist_release) struct strlist hosts = {0};
    AUTO(dockerconfig_wipe) struct buf plain = BUF_INIT(SECRET_BYTES);
    AUTO(dockerconfig_wipe) struct buf coded = BUF_INIT(SECRET_BYTES);
    char helper[200] = "";
    size_t n = 0;

    if (!hosts_of(up, &hosts, err))
        return false;
    struct error why = {0};
    struct dockerconfig *c = dockerconfig_open(NULL, &why);

    if (!c) { /* whoever needs one is told by the registry */
        step_detail(run, "none: %s", why.msg);
        return false;
    }
    n = credentials(c, &hosts, &plain, helper, sizeof(helper));
    dockerconfig_free(c);
    if (n)
        step_detail(run, "for %zu of %zu registries", n, hosts.n);
    else if (*helper)
        step_detail(run, "another program keeps those of %s: not asked",
                    helper);
    else
        step_detail(run, "none");
    if (!n)
        return false;
    digest_base64(buf_view(&plain), false, &coded);
    buf_printf(out,
               "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{"
               "\"name\":\"" PULL_SECRET
               "\",\"namespace\":\"" CROSSPLANE_NAMESPACE
               "\",\"labels\":{\"" MARK_RUN
               "\":\"%s\"}},\"type\":\"kubernetes.io/dockerconfigjson\","
               "\"data\":{\".dockerconfigjson\":\"%s\"}}",
               up->env->profile.name, buf_cstr(&coded));
    return true;
}

enum step_verdict
up_pull_secrets_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(dockerconfig_wipe) struct buf text = BUF_INIT(SECRET_BYTES);
    struct kube_request r = {
        .gvr = secrets, .ns = CROSSPLANE_NAMESPACE, .name = PULL_SECRET};
    struct error why = {0};
    bool same;

    if (!secret_text(up, run, &text, &why))
        return why.code ? STEP_IS_TODO : STEP_IS_DONE;
    AUTO(json_free_ptr)
    struct json *want = json_parse(buf_view(&text), NULL, NULL);
    AUTO(json_free_ptr)
    struct json *have = kube_client_wait_json(up->env->client, &r, NULL);

    same = json_equal(json_get(want, "data"), json_get(have, "data"));
    return same ? STEP_IS_DONE : STEP_IS_TODO;
}

bool
up_pull_secrets(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(dockerconfig_wipe) struct buf text = BUF_INIT(SECRET_BYTES);
    AUTO(manifest_release) struct manifest_set set = {0};
    struct error why = {0};
    const struct manifest_apply a = {.client = up->env->client,
                                     .discovery = up->env->discovery,
                                     .force = true};
    struct up_found f;

    if (!secret_text(up, run, &text, &why)) {
        if (why.code && err)
            *err = why;
        return !why.code;
    }
    if (!up_find_crossplane(up, &f, err) ||
        !up_crossplane_objects(up, &set, err))
        return false;
    if (f.any && !f.ours) /* a foreign one has its own */
        return true;
    struct manifest_set first = {.v = set.v, .n = 1};
    struct kube_request r = {.verb = KUBE_PATCH,
                             .patch = KUBE_PATCH_APPLY,
                             .force = true,
                             .gvr = secrets,
                             .ns = CROSSPLANE_NAMESPACE,
                             .name = PULL_SECRET,
                             .body = buf_view(&text)};

    if (!manifest_apply(&first, &a, err) ||
        !kube_client_wait(up->env->client, &r, NULL, err))
        return false;
    profile_set_fact(&up->env->profile, FACT_PULL_SECRET, PULL_SECRET);
    return profile_save(&up->env->profile, err);
}
