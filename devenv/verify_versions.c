/* V-b: what runs is what the program, the packages and the lock ask for. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/package.h"
#include "devenv/verify_group.h"

#define SANDBOX_MARK "meshtop-sandbox-"

/* ---- the control plane ---- */

static void
check_server(struct verify *v)
{
    struct kube_request r = {.verb = KUBE_RAW_GET, .path = "/version"};
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *version = kube_client_wait_json(v->env->client, &r, &why);
    const char *text = json_string_or(json_get(version, "gitVersion"), "");
    const char *sandbox = strstr(text, SANDBOX_MARK);
    AUTO(mem_free_ptr) char *detail = NULL;

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
    for (size_t i = 0; i < set.n; i++)
        check_function(v, &set.v[i]);
}

void
verify_versions(struct verify *v)
{
    check_server(v);
    for (size_t i = 0; i < v->packages.n; i++)
        check_functions(v, v->packages.v[i]);
}
