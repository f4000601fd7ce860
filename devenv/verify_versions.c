/* V-b: what runs is what the program, the packages and the lock ask for. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/drift.h"
#include "devenv/lock.h"
#include "devenv/package.h"
#include "devenv/status.h"
#include "devenv/verify_group.h"

#define SANDBOX_MARK "meshtop-sandbox-"

/* ---- the control plane ---- */

static void
check_server(struct verify *v)
{
    struct kube_request r = {.verb = KUBE_RAW_GET,
                             .path = "/version",
                             .timeout_ms = VERIFY_ANSWER_MS};
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *version = kube_client_wait_json(v->env->client, &r, &why);
    const char *text = json_string_or(json_get(version, "gitVersion"), "");
    const char *sandbox = strstr(text, SANDBOX_MARK);
    AUTO(mem_free_ptr) char *detail = NULL;

    verify_heed(v, &why);
    v->sandbox = sandbox != NULL;
    if (!version || !sandbox) {
        verify_say(v, *text, why.msg, "the API says its version (%s)",
                   *text ? text : "none");
        return;
    }
    sandbox += strlen(SANDBOX_MARK);
    detail =
        mem_printf("it is %s; meshtop sandbox stop, then meshtop up", sandbox);
    verify_say(v, strcmp(sandbox, MESHTOP_VERSION) == 0, detail,
               "the sandbox is version %s", MESHTOP_VERSION);
}

/* ---- Crossplane ---- */

bool
verify_wants_crossplane(const struct verify *v)
{
    return !v->sandbox || profile_fact(&v->env->profile, "version/crossplane");
}

/* The version the profile was brought up with, else the lock's. */
static char *
wanted_crossplane(struct verify *v)
{
    const char *fact = profile_fact(&v->env->profile, "version/crossplane");
    const struct lock_entry *entry;
    struct lock lock = {0};
    char *want = NULL;

    if (fact)
        return mem_printf("%s%s", *fact == 'v' ? "" : "v", fact);
    if (lock_load(&lock, NULL) && (entry = lock_default(&lock, "crossplane")))
        want = mem_strdup(entry->version);
    lock_release(&lock);
    return want ? want : mem_strdup("");
}

static void
check_crossplane(struct verify *v)
{
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *d = verify_get(v, "apps/v1", "Deployment", "crossplane-system",
                                "crossplane", &why);
    const struct json *containers =
        json_at(d, "spec", "template", "spec", "containers", NULL);
    AUTO(mem_free_ptr)
    char *tag = env_image_tag(
        json_string_or(json_get(json_first(containers), "image"), ""));
    AUTO(mem_free_ptr) char *want = wanted_crossplane(v);
    AUTO(mem_free_ptr) char *detail = mem_printf("it is %s", tag);

    if (!d && !verify_wants_crossplane(v))
        return;
    if (d && !profile_fact(&v->env->profile, "version/crossplane") &&
        strcmp(tag, want) != 0)
        /* Somebody else's is what it is. */
        verify_note(v, "we did not put it there", "Crossplane is %s, not %s",
                    tag, want);
    else
        verify_say(v, d && strcmp(tag, want) == 0, d ? detail : why.msg,
                   "Crossplane is %s", want);
}

/* ---- nodes ---- */

/* A Kind node runs the Kubernetes its image is named after. */
static void
check_node(struct verify *v, const struct json *node)
{
    const char *name = verify_name_of(node);
    const char *runs = json_string_or(
        json_at(node, "status", "nodeInfo", "kubeletVersion", NULL), "");
    AUTO(mem_free_ptr) char *detail = mem_printf("it runs %s", runs);

    for (size_t i = 0; i < v->nodes.n; i++) {
        struct str container, image;

        if (!str_cut(str_of(v->nodes.v[i]), ' ', &container, &image) ||
            !str_eqz(container, name))
            continue;
        AUTO(mem_free_ptr) char *tag = env_image_tag(image.s);

        if (env_version_compare(tag, tag) == 0)
            verify_say(v, strcmp(runs, tag) == 0, detail,
                       "node %s is Kubernetes %s", name, tag);
    }
}

static void
check_nodes(struct verify *v)
{
    struct kube_request r = {.gvr = {"", "v1", "nodes"}};
    AUTO(json_free_ptr) struct json *nodes = NULL;

    if (v->nodes.n)
        nodes = verify_list(v, &r, NULL); /* V-a says when it cannot */
    for (const struct json *n = json_first(nodes); n; n = json_next(n))
        check_node(v, n);
}

/* ---- functions ---- */

/* The package that runs is the one our manifest names: Healthy may be that of
 * the one before. */
static void
check_function(struct verify *v, const struct manifest *m)
{
    const char *want =
        json_string_or(json_at(m->object, "spec", "package", NULL), "?");
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *f =
        verify_get(v, m->api_version, m->kind, NULL, m->name, &why);
    const char *runs =
        json_string_or(json_at(f, "status", "currentIdentifier", NULL), "");
    AUTO(mem_free_ptr)
    char *detail = mem_printf("it runs %s", *runs ? runs : "nothing yet");

    if (f && strcmp(runs, want) != 0 && drift_is_foreign(f))
        verify_note(v, detail, "function %s is somebody else's", m->name);
    else
        verify_say(v, f && strcmp(runs, want) == 0, f ? detail : why.msg,
                   "function %s runs %s", m->name, want);
}

static void
check_functions(struct verify *v, const char *package)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    struct error why = {0};

    v->subject = package;
    if (!package_load(&set, package, PACKAGE_FUNCTIONS, &why)) {
        verify_say(v, false, why.msg, "the package %s can be read", package);
        return;
    }
    for (size_t i = 0; i < set.n && !verify_stopped(v); i++)
        check_function(v, &set.v[i]);
}

void
verify_versions(struct verify *v)
{
    check_server(v);
    if (verify_stopped(v))
        return;
    check_crossplane(v);
    check_nodes(v);
    for (size_t i = 0; i < v->packages.n && !verify_stopped(v); i++)
        check_functions(v, v->packages.v[i]);
}
