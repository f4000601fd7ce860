#include "cli/target.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/discovery_disk.h"
#include "lib/kube/kubeconfig.h"

#include "cli/columns.h"
#include "cli/command.h"

static bool
use_profile(struct target *t, const char *name, struct error *err)
{
    profile_release(&t->profile);
    if (!profile_open(name, &t->profile, err))
        return false;
    if (!profile_is_up(&t->profile))
        return true;
    t->of_profile = true;
    t->kubeconfig = mem_strdup(t->profile.kubeconfig);
    if (*t->profile.context)
        t->context = mem_strdup(t->profile.context);
    t->title =
        mem_printf("profile %s (%s)", t->profile.name, t->profile.engine);
    return true;
}

/* Neither named nor the default one is up: the only one that is, if so. */
static bool
use_only_profile(struct target *t, struct error *err)
{
    AUTO(strlist_release) struct strlist names = {0};
    const char *up = NULL;

    if (!profile_list(&names, err))
        return false;
    for (size_t i = 0; i < names.n; i++) {
        struct profile p;

        if (!profile_open(names.v[i], &p, NULL))
            continue;
        bool is_up = profile_is_up(&p);

        profile_release(&p);
        if (is_up && up)
            return true; /* several: the user must say which */
        if (is_up)
            up = names.v[i];
    }
    return !up || use_profile(t, up, err);
}

/* What the profile says is not of this cluster: only its folder is used. */
static void
keep_folder(struct profile *p)
{
    p->engine[0] = p->context[0] = '\0';
    strlist_release(&p->packages);
    strlist_release(&p->examples);
    json_free(p->facts);
    p->facts = json_new_object();
}

static bool
use_current_context(struct target *t, struct error *err)
{
    struct error why = {0};
    AUTO(kube_access_free_ptr)
    struct kube_access *access = kube_access_open(NULL, NULL, &why);

    if (!access) {
        error_set(err, ERR_NOT_FOUND, "there is no cluster to look at (%s)",
                  why.msg);
        error_remedy(err, "MT-NO-CLUSTER",
                     "\"meshtop up\" brings one up; --kubeconfig and "
                     "--context name another.");
        return false;
    }
    keep_folder(&t->profile);
    t->context = mem_strdup(access->context);
    t->title = mem_printf("context %s", access->context);
    fprintf(stderr,
            "meshtop: no profile is up, using your current context "
            "\"%s\"\n",
            access->context);
    return true;
}

bool
target_choose(struct target *t, const struct args *a, struct error *err)
{
    const char *file = args_get(a, "kubeconfig", NULL);
    const char *context = args_get(a, "context", NULL);
    const char *profile = args_get(a, "profile", NULL);
    bool ok = true;

    *t = (struct target){.profile.lock_fd = -1};
    if (file || context) {
        ok = profile_open(profile, &t->profile, err);
        if (ok)
            keep_folder(&t->profile);
        t->kubeconfig = mem_strdup(file);
        t->context = mem_strdup(context);
        t->title = mem_printf("%s %s", context ? "context" : "kubeconfig",
                              context ? context : file);
    } else {
        ok = use_profile(t, profile, err);
        if (ok && !t->of_profile && !profile)
            ok = use_only_profile(t, err);
        if (ok && !t->of_profile && profile) {
            ok = error_set(err, ERR_NOT_FOUND, "the profile \"%s\" is not up",
                           profile);
            error_remedy(err, "MT-NOT-UP", "meshtop up --profile %s", profile);
        } else if (ok && !t->of_profile) {
            ok = use_current_context(t, err);
        }
    }
    if (!ok)
        target_release(t);
    return ok;
}

/* What the server warns of, once a command, as kubectl shows it. */
static void
say_warning(void *arg, const char *text)
{
    (void)arg;
    fputs("Warning: ", stderr);
    columns_text(str_of(text), false, stderr);
    fputc('\n', stderr);
}

/* A plugin asks the user to log in. */
static void
say_line(void *arg, struct str line)
{
    (void)arg;
    columns_text(line, false, stderr);
    fputc('\n', stderr);
}

bool
target_open(struct target *t, const struct args *a, struct error *err)
{
    AUTO(mem_free_ptr) char *cache = kube_disk_home();
    struct kube_client_options o = {.read_only = args_has(a, "read-only"),
                                    .cache_dir = cache};

    if (!target_choose(t, a, err))
        return false;
    AUTO(kube_access_free_ptr)
    struct kube_access *access =
        kube_access_open(t->kubeconfig, t->context, err);

    t->loop = access ? loop_new(err) : NULL;
    t->client = t->loop ? kube_client_new(t->loop, access, &o, err) : NULL;
    if (!t->client) {
        target_release(t);
        return false;
    }
    kube_client_on_warning(t->client, say_warning, NULL);
    kube_client_on_plugin(t->client, say_line, NULL);
    t->discovery = kube_discovery_new(t->client);
    return true;
}

void
target_release(struct target *t)
{
    kube_discovery_free(t->discovery);
    kube_client_free(t->client);
    loop_free(t->loop);
    profile_release(&t->profile);
    free(t->kubeconfig);
    free(t->context);
    free(t->title);
    *t = (struct target){.profile.lock_fd = -1};
}

struct env
target_env(const struct target *t)
{
    return (struct env){.loop = t->loop,
                        .profile = t->profile,
                        .client = t->client,
                        .discovery = t->discovery};
}

int
target_run(const struct args *a, target_fn *fn)
{
    struct error err = {0};
    struct target t;

    if (!target_open(&t, a, &err))
        return command_fail(&err);
    bool ok = fn(a, &t, &err);

    target_release(&t);
    return ok ? EXIT_DONE : command_fail(&err);
}

const char *
target_ns(const struct args *a, const char *fallback)
{
    if (args_has(a, "all-namespaces"))
        return NULL;
    return args_get(a, "namespace", fallback);
}
