/*
 * From a path and a method to a verb.
 *
 * Two servers answer on the real thing, and each refuses in its own words:
 * the built-in kinds are routes (go-restful's), so that what no route fits is
 * 404 or 405 with a Status about nothing; the kinds of CRDs have a handler
 * that looks at the request, so that a path that leads nowhere is 404 as text
 * and a verb that is not there is 405 about the resource.
 * Source: recorded, tests/wire/kubeapi/20-*.txt; apiserver
 * endpoints/request/requestinfo.go, apiextensions customresource_handler.go.
 */
#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/duration.h"
#include "devenv/sandbox/rest.h"

static bool
has_status(const struct kind *k)
{
    return k->has_status;
}

static bool
has_scale(const struct kind *k)
{
    return kind_info(k)->scale_spec != NULL;
}

static bool
is_namespace(const struct kind *k)
{
    return k->builtin && !strcmp(k->plural, "namespaces");
}

/* The subresources that are served; each can be read, replaced, patched. */
static const struct {
    const char *name;
    bool (*has)(const struct kind *k);
} subresources[] = {
    {"status", has_status}, {"scale", has_scale}, {"finalize", is_namespace}};

struct verb {
    const char *method;
    const char *name; /* as in "create is not supported" */
    void (*item)(struct rest *rq);
    void (*collection)(struct rest *rq);
    bool sub; /* custom kinds have it below an object, too */
};

static void
get_or_watch(struct rest *rq)
{
    if (rq->watch_path || rest_flag(rq->h, "watch"))
        rest_watch(rq);
    else
        rest_list(rq);
}

static void
no_name(struct rest *rq)
{
    status_bad_request(&rq->st, "name must be provided");
    rest_fail(rq);
}

/* The form of the patch is looked at first. */
static void
patch_nothing(struct rest *rq)
{
    static const enum body_type forms[] = {BODY_MERGE_PATCH, BODY_JSON_PATCH,
                                           BODY_APPLY};
    enum body_type body = negotiate_body(http_header(rq->h, "Content-Type"));

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (forms[i] == body) {
            no_name(rq);
            return;
        }
    }
    rest_patch(rq);
}

static const struct verb verbs[] = {
    {"GET", "get", rest_get, get_or_watch, true},
    {"HEAD", "get", rest_get, get_or_watch, true},
    {"POST", "create", rest_create, rest_create, false},
    {"PUT", "update", rest_update, no_name, true},
    {"PATCH", "patch", rest_patch, patch_nothing, true},
    {"DELETE", "delete", rest_delete, rest_delete_collection, false},
};

static const struct verb *
find_verb(const char *method)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!strcmp(verbs[i].method, method))
            return &verbs[i];
    }
    return NULL;
}

static bool
serves_sub(const struct rest *rq)
{
    for (size_t i = 0; i < ARRAY_LEN(subresources); i++) {
        if (!strcmp(subresources[i].name, rq->sub))
            return subresources[i].has(rq->k);
    }
    return false;
}

/* ---- refusals ---- */

void
rest_no_resource(struct rest *rq)
{
    status_set(&rq->st, 404, "NotFound",
               "the server could not find the requested resource");
    rq->st.details = json_new_object();
    rest_fail(rq);
}

void
rest_no_method(struct rest *rq)
{
    status_set(&rq->st, 405, "MethodNotAllowed",
               "the server does not allow this method on the requested "
               "resource");
    rq->st.details = json_new_object();
    rest_fail(rq);
}

static void
not_supported(struct rest *rq, const char *verb)
{
    const char *g = rq->k->group;

    status_set(&rq->st, 405, "MethodNotAllowed",
               "%s is not supported on resources of kind \"%s%s%s\"", verb,
               rq->k->plural, *g ? "." : "", g);
    status_about(&rq->st, g, rq->k->plural, NULL);
    rest_fail(rq);
}

/* ---- built-in kinds: routes ---- */

static const struct kind_sub *
find_sub(const struct rest *rq)
{
    const struct kind_info *k = kind_info(rq->k);

    for (size_t i = 0; i < k->subs_n; i++) {
        if (!strcmp(k->subs[i].name, rq->sub))
            return &k->subs[i];
    }
    return NULL;
}

/* There is a route for the path, whatever the method. */
static bool
builtin_path(const struct rest *rq)
{
    bool across = rq->k->namespaced && !*rq->ns;

    if (rq->sub)
        return !across && !rq->watch_path && find_sub(rq) && serves_sub(rq);
    return !across || !rq->name;
}

static bool
sub_method(const struct rest *rq, const struct verb *v)
{
    char **verb = find_sub(rq)->verbs;

    while (*verb && strcmp(*verb, v->name) != 0)
        verb++;
    return *verb != NULL;
}

static bool
builtin_method(const struct rest *rq, const struct verb *v)
{
    const struct kind_info *k = kind_info(rq->k);
    bool across = rq->k->namespaced && !*rq->ns;
    bool get = v && !strcmp(v->method, "GET");
    bool post = v && !strcmp(v->method, "POST");

    if (!v || !strcmp(v->method, "HEAD"))
        return false;
    if (rq->sub)
        return sub_method(rq, v);
    if (rq->watch_path)
        return get && builtin_serves(k, "watch");
    if (rq->name)
        return !post && builtin_serves(k, v->name);
    if (get)
        return builtin_serves(k, "list");
    if (across)
        return false;
    return post ? builtin_serves(k, "create")
                : !strcmp(v->method, "DELETE") &&
                      builtin_serves(k, "deletecollection");
}

static bool
accepted(struct rest *rq)
{
    return negotiate_accept(http_header(rq->h, "Accept"), ALLOW_TRANSFORMS,
                            &rq->accept, &rq->st);
}

static void
dispatch_builtin(struct rest *rq, const struct verb *v)
{
    enum route_forms forms =
        !rq->name || rq->watch_path ? ROUTE_LIST : ROUTE_OBJECT;

    if (!builtin_path(rq))
        rest_no_resource(rq);
    else if (!builtin_method(rq, v))
        rest_no_method(rq);
    else if (!negotiate_route(http_header(rq->h, "Accept"),
                              !strcmp(v->method, "GET") ? forms : ROUTE_OBJECT,
                              &rq->st) ||
             !accepted(rq))
        rest_fail(rq);
    else if (rq->name && !rq->watch_path)
        v->item(rq);
    else
        v->collection(rq);
}

/* ---- kinds of CRDs: a handler ---- */

static void
dispatch_custom(struct rest *rq, const struct verb *v)
{
    bool get = v && !strcmp(v->name, "get");

    /* All namespaces at once can only be listed and watched. */
    if (rq->k->namespaced && !*rq->ns &&
        (!get || (rq->name && !rq->watch_path))) {
        rest_no_page(rq->h);
    } else if (!accepted(rq)) {
        rest_fail(rq);
    } else if (rq->sub && !serves_sub(rq)) {
        status_not_found(&rq->st, rq->k->group, rq->k->plural, rq->name);
        rest_fail(rq);
    } else if (!v || (rq->sub && !v->sub)) {
        not_supported(rq, v ? v->name : "");
    } else if (rq->name && !rq->watch_path) {
        v->item(rq);
    } else {
        v->collection(rq);
    }
}

/* ---- paths ---- */

/* The segments after the group and version. False: nothing is served there. */
static bool
take_path(struct rest *rq, const char *group, const char *version, size_t i)
{
    const struct url *u = &rq->h->url;
    const char *const *s = u->segments + i;
    size_t n = u->segments_n - i;

    if (n && !strcmp(s[0], "watch")) {
        rq->watch_path = true;
        s++;
        n--;
    }
    rq->ns = "";
    if (n >= 3 && !strcmp(s[0], "namespaces") &&
        !(n == 3 && !*group &&
          (!strcmp(s[2], "status") || !strcmp(s[2], "finalize")))) {
        rq->ns = s[1];
        s += 2;
        n -= 2;
    }
    if (!n)
        return false;
    rq->k = registry_resource(rq->r, group, version, s[0]);
    rq->name = n > 1 ? s[1] : NULL;
    rq->sub = n > 2 ? s[2] : NULL;
    /* Longer paths: routes do not know them, the handler looks no further. */
    return rq->k && (n <= 3 || !rq->k->builtin) &&
           (!*rq->ns || rq->k->namespaced);
}

struct in_group {
    const char *group;
    bool found;
};

static void
see_kind(void *arg, const struct kind *k)
{
    struct in_group *g = arg;

    g->found |= k->builtin && !strcmp(k->group, g->group);
}

bool
rest_is_builtin_group(struct registry *r, const char *group)
{
    struct in_group g = {group, !*group};

    registry_each_kind(r, see_kind, &g);
    return g.found;
}

/* ?timeout is looked at before anybody knows what is asked. */
bool
rest_check_timeout(struct rest *rq)
{
    const char *timeout = http_param(rq->h, "timeout");
    struct error err = {0};
    int64_t ns;

    if (!timeout || !*timeout || duration_parse(str_of(timeout), &ns, &err))
        return true;
    return status_bad_request(
        &rq->st, "invalid timeout specified in the request URL - %s", err.msg);
}

void
rest_nowhere(struct rest *rq)
{
    const struct url *u = &rq->h->url;
    const char *const *s = u->segments;
    bool routes =
        u->segments_n && (!strcmp(s[0], "api") || !strcmp(s[0], "version"));

    if (u->segments_n > 1 && !strcmp(s[0], "apis"))
        routes = rest_is_builtin_group(rq->r, s[1]);
    if (routes && !str_starts(str_of(u->path), STR("//")))
        rest_no_resource(rq);
    else
        rest_no_page(rq->h);
}

void
rest_route(struct rest *rq, const char *group, const char *version, size_t i)
{
    const struct verb *v = find_verb(rq->h->method);

    if (!take_path(rq, group, version, i)) {
        rest_nowhere(rq);
        return;
    }
    /* Whatever comes of it. */
    if (kind_info(rq->k)->deprecation)
        rest_warn(rq, kind_info(rq->k)->deprecation);
    if (rq->k->builtin)
        dispatch_builtin(rq, v);
    else
        dispatch_custom(rq, v);
}
