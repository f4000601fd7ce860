/* meshtop logs: what the parts of a mesh say. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/crossplane.h"
#include "devenv/docker_container.h"
#include "devenv/engine.h"
#include "devenv/kind.h"
#include "devenv/logs.h"
#include "devenv/steplog.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/target.h"

#define TAIL_DEFAULT   500
#define FUNCTION_LABEL "pkg.crossplane.io/function"
#define PODS_SHOWN     20

struct request {
    const struct args *a;
    const char *what;
    struct target target; /* opened by the sources that ask the cluster */
    struct profile profile;
    struct loop *loop; /* of the sources that do not */
    struct logs logs;
};

/* On a terminal what could steer it is replaced. */
static void
print_line(void *unused UNUSED, struct str line)
{
    if (isatty(STDOUT_FILENO))
        columns_text(line, false, stdout);
    else
        fwrite(line.s, 1, line.n, stdout);
    putchar('\n');
    fflush(stdout);
}

/* ---- files of the profile ---- */

static bool
from_file(struct request *q, const char *name, struct error *err)
{
    AUTO(mem_free_ptr) char *folder = file_join(q->profile.dir, "logs");
    AUTO(mem_free_ptr) char *path = file_join(folder, name);

    if (logs_file(q->loop, path, &q->logs, err))
        return true;
    if (err->code == ERR_NOT_FOUND)
        error_remedy(err, "MT-NO-LOG",
                     "It is written by \"meshtop up\" of the profile \"%s\".",
                     q->profile.name);
    return false;
}

static bool
source_meshtop(struct request *q, struct error *err)
{
    return from_file(q, STEPLOG_NAME, err);
}

static bool
source_sandbox(struct request *q, struct error *err)
{
    return from_file(q, "sandbox.log", err);
}

/* ---- the node of a Kind cluster ---- */

static bool
on_docker_line(void *arg, int stream UNUSED, struct str line)
{
    print_line(arg, line);
    return true;
}

static bool
source_node(struct request *q, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct step_run run = {.loop = q->loop, .title = "logs"};
    const struct docker_logs how = {.tail = MAX(q->logs.tail, 0),
                                    .follow = q->logs.follow,
                                    .on_line = on_docker_line};
    struct kind_cluster c;

    if (strcmp(q->profile.engine, "kind") != 0)
        return error_set(err, ERR_NOT_FOUND,
                         "the profile \"%s\" has no node of its own (engine "
                         "%s)",
                         q->profile.name,
                         *q->profile.engine ? q->profile.engine : "none");
    struct docker *d = engine_docker(&q->profile, &run, err);
    bool ok = d && kind_look(d, &q->profile, &run, a, &c, err);

    if (ok && !c.control)
        ok = error_set(err, ERR_NOT_FOUND, "there is no container of %s",
                       c.name);
    ok = ok && docker_logs(d, &run, c.control->id, &how, err);
    docker_free(d);
    step_run_release(&run);
    return ok;
}

/* ---- pods ---- */

static const struct kube_gvr pods = {"", "v1", "pods"};

struct newest_pod {
    char *ns, *name, *created;
};

/* RFC 3339 in UTC sorts as text. */
static bool
on_pod(void *arg, struct str item)
{
    struct newest_pod *p = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    const struct json *meta = json_get(j, "metadata");
    const char *created =
        json_string_or(json_get(meta, "creationTimestamp"), "");

    if (p->created && strcmp(created, p->created) <= 0)
        return true;
    free(p->ns);
    free(p->name);
    free(p->created);
    p->ns = mem_strdup(json_string_or(json_get(meta, "namespace"), ""));
    p->name = mem_strdup(json_string_or(json_get(meta, "name"), ""));
    p->created = mem_strdup(created);
    return true;
}

/* The newest pod with the label. */
static bool
from_label(struct request *q, const char *label, struct error *err)
{
    struct kube_request r = {
        .gvr = pods, .ns = CROSSPLANE_NAMESPACE, .label_selector = label};
    struct newest_pod p = {0};
    bool ok = target_open(&q->target, q->a, err) &&
              kube_client_wait_list(q->target.client, &r, on_pod, &p, err);

    if (ok && !p.name) {
        ok = error_set(err, ERR_NOT_FOUND, "no pod %s runs in %s", label,
                       CROSSPLANE_NAMESPACE);
        error_remedy(err, "MT-NO-LOG",
                     "On the engine sandbox Crossplane and its functions are "
                     "inside: \"meshtop logs sandbox\".");
    }
    const struct logs_pod pod = {.ns = p.ns, .name = p.name};

    ok = ok && logs_pod(q->target.client, &pod, &q->logs, err);
    free(p.ns);
    free(p.name);
    free(p.created);
    return ok;
}

static bool
source_crossplane(struct request *q, struct error *err)
{
    return from_label(q, "app=crossplane", err);
}

static bool
source_rbac(struct request *q, struct error *err)
{
    return from_label(q, "app=crossplane-rbac-manager", err);
}

static bool
source_function(struct request *q, struct error *err)
{
    AUTO(mem_free_ptr)
    char *label = mem_printf("%s=%s", FUNCTION_LABEL, q->what);

    return from_label(q, label, err);
}

/* ---- the table ---- */

static const struct source {
    const char *name, *about;
    bool (*run)(struct request *q, struct error *err);
} sources[] = {
    {"meshtop", "the steps of the last up", source_meshtop},
    {"sandbox", "the embedded control plane", source_sandbox},
    {"node", "the node of the Kind cluster", source_node},
    {"crossplane", "Crossplane's core", source_crossplane},
    {"rbac-manager", "Crossplane's RBAC manager", source_rbac},
};

static void
print_sources(void)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        printf("%-14s %s\n", sources[i].name, sources[i].about);
    printf("%-14s %s\n", "function-NAME", "a composition function");
    printf("%-14s %s\n", "POD, NS/POD", "any pod");
}

static bool
on_pod_name(void *arg, struct str item)
{
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    const struct json *meta = json_get(j, "metadata");
    struct strlist *l = arg;

    strlist_addf(l, "%s/%s", json_string_or(json_get(meta, "namespace"), ""),
                 json_string_or(json_get(meta, "name"), ""));
    return l->n < PODS_SHOWN;
}

/* What it could have been: the nearest name, else all there is. */
static void
suggest(struct request *q, struct error *err)
{
    AUTO(strlist_release) struct strlist names = {0};
    AUTO(buf_release) struct buf all = BUF_INIT(400);
    struct kube_request r = {.gvr = pods};

    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        strlist_add(&names, str_of(sources[i].name));
    kube_client_wait_list(q->target.client, &r, on_pod_name, &names, NULL);
    const char *near =
        args_nearest(q->what, (const char *const *)names.v, names.n);

    for (size_t i = 0; i < names.n; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", names.v[i]);
    if (near)
        error_remedy(err, "MT-NO-LOG", "Did you mean \"meshtop logs %s\"?",
                     near);
    else
        error_remedy(err, "MT-NO-LOG", "There are %s.", buf_cstr(&all));
}

/* NS/POD, or POD in the namespace of -n. */
static bool
source_pod(struct request *q, struct error *err)
{
    struct str ns, name;
    bool both = str_cut(str_of(q->what), '/', &ns, &name);
    AUTO(mem_free_ptr) char *first = mem_strndup(ns.s, ns.n);
    struct logs_pod pod = {.ns = both ? first
                                      : args_get(q->a, "namespace", "default"),
                           .name = both ? name.s : q->what,
                           .container = args_get(q->a, "container", NULL),
                           .previous = args_has(q->a, "previous")};

    if (!target_open(&q->target, q->a, err))
        return false;
    if (logs_pod(q->target.client, &pod, &q->logs, err))
        return true;
    if (err->code == ERR_NOT_FOUND)
        suggest(q, err);
    return false;
}

static bool
tell(struct request *q, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        if (strcmp(sources[i].name, q->what) == 0)
            return sources[i].run(q, err);
    }
    if (str_starts(str_of(q->what), STR("function-")))
        return source_function(q, err);
    return source_pod(q, err);
}

/* ---- the command ---- */

static bool
read_tail(const struct args *a, int64_t *tail, struct error *err)
{
    const char *word = args_get(a, "tail", NULL);

    *tail = TAIL_DEFAULT;
    if (!word)
        return true;
    if (strcmp(word, "all") == 0 || strcmp(word, "-1") == 0) {
        *tail = LOGS_ALL;
        return true;
    }
    return (str_to_i64(str_of(word), tail) && *tail >= 0) ||
           error_set(err, ERR_USAGE, "--tail takes a number of lines, or all");
}

/* The profile that is named, else the one other commands would choose. */
static bool
open_profile(struct request *q, struct error *err)
{
    const char *name = args_get(q->a, "profile", NULL);
    struct target t;

    if (!name && target_choose(&t, q->a, NULL)) {
        bool ok = profile_open(t.of_profile ? t.profile.name : NULL,
                               &q->profile, err);

        target_release(&t);
        return ok;
    }
    return profile_open(name, &q->profile, err);
}

static int
run(const struct args *a)
{
    struct request q = {
        .a = a,
        .what = args_word(a, 0),
        .target.profile.lock_fd = -1,
        .profile.lock_fd = -1,
        .logs = {.follow = args_has(a, "follow"), .on_line = print_line}};
    struct error err = {0};

    if (!q.what) {
        print_sources();
        return EXIT_DONE;
    }
    q.loop = loop_new(&err);
    bool ok = q.loop && read_tail(a, &q.logs.tail, &err) &&
              open_profile(&q, &err) && tell(&q, &err);

    target_release(&q.target);
    profile_release(&q.profile);
    loop_free(q.loop);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    {"follow", 'f', NULL, "go on with what comes"},
    {"tail", 0, "N", "the newest N lines, or all (default 500)"},
    {"container", 'c', "NAME", "of a pod: this container"},
    {"previous", 'p', NULL, "of a pod: of the container that ended before"},
    {0},
};

const struct command cmd_logs = {
    .name = "logs",
    .args = "[WHAT]",
    .summary = "what the parts of a mesh say",
    .help = "WHAT is meshtop (the steps of the last up), sandbox, node, "
            "crossplane,\nrbac-manager, function-NAME, POD or NS/POD. Without "
            "it, what there is. On a\nterminal characters that could steer it "
            "are replaced.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .max_words = 1,
    .run = run,
};
