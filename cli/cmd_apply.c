/* meshtop apply: manifests onto the cluster, server-side. */
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/objects.h"

#define KIND_WAIT_MS 15000

static const char *const result_words[] = {
    [MANIFEST_CREATED] = "created",
    [MANIFEST_CONFIGURED] = "configured",
    [MANIFEST_SAME] = "unchanged",
};

struct answers {
    bool dry_run;
};

static void
on_object(void *arg, const struct manifest *m, enum manifest_result result,
          const struct strlist *warnings)
{
    const struct answers *w = arg;
    AUTO(buf_release) struct buf title = BUF_INIT(1024);

    objects_title(m->api_version, m->kind, m->name, &title);
    for (size_t i = 0; i < warnings->n; i++) {
        fprintf(stderr, "Warning: %s: ", m->source);
        columns_text(str_of(warnings->v[i]), false, stderr);
        fputc('\n', stderr);
    }
    /* A dry run answers with the version that is there: it cannot tell
     * "unchanged". */
    printf("%s %s\n", buf_cstr(&title),
           w->dry_run && result != MANIFEST_CREATED ? "accepted (dry run)"
           : w->dry_run                             ? "created (dry run)"
                                                    : result_words[result]);
    fflush(stdout);
}

static int
run(const struct args *a)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    struct answers answers = {.dry_run = args_has(a, "dry-run")};
    struct error err = {0};
    struct target t;
    bool ok;

    if (!objects_load(a, &set, &err) || !target_open(&t, a, &err))
        return command_fail(&err);
    struct manifest_apply how = {
        .client = t.client,
        .discovery = t.discovery,
        .ns = target_ns(a, kube_client_access(t.client)->ns),
        .force = args_has(a, "force"),
        .dry_run = answers.dry_run,
        .kind_wait_ms = KIND_WAIT_MS,
        .on_object = on_object,
        .arg = &answers,
    };

    ok = manifest_apply(&set, &how, &err);
    if (!ok && err.code == ERR_CONFLICT && !*err.id)
        error_remedy(&err, "MT-FIELD-CONFLICT",
                     "Others manage these fields; --force takes them over.");
    target_release(&t);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    {"filename", 'f', "FILE", "file, folder or - (repeatable)"},
    {"force", 0, NULL, "take over fields that others manage"},
    {"dry-run", 0, NULL, "let the server check, change nothing"},
    {0},
};

const struct command cmd_apply = {
    .name = "apply",
    .args = "-f FILE",
    .summary = "create or change objects from manifests",
    .help = "Server-side apply in an order that works: namespaces, CRDs and "
            "XRDs first, then\nthe rest as given; waits until new kinds are "
            "served. \"meshtop plan -f\" shows before\nwhat would be composed.",
    .group = "Change",
    .flags = flags,
    .run = run,
};
