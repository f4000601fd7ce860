/*
 * kube - lib/kube by hand and for tests/e2e/client.test.
 *
 *   kube [--kubeconfig F] get PATH             raw GET, body on stdout
 *   kube list GROUP VERSION RESOURCE NS        names, page by page
 *   kube watch GROUP VERSION RESOURCE NS [plain] [meta|table]
 *                                              one line a change or state,
 *                                              until standard input ends
 *   kube send VERB GROUP VERSION RESOURCE NS NAME [BODY] [dry] [force]
 *       [strict] [ignore] [orphan] [sub=S] [manager=M] [uid=U] [version=V]
 *       [labels=L]                             VERB create update merge json
 *                                              strategic apply delete deleteall
 *                                              get
 *   kube kind WORD                             what a word means
 *
 * "-" stands for an empty group, namespace or name. Errors: "CODE HTTP
 * message" on stderr, exit 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/base.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/cache.h"
#include "lib/kube/conflict.h"
#include "lib/kube/discovery.h"

static const char *
word(const char *z)
{
    return z && strcmp(z, "-") != 0 ? z : NULL;
}

static int
fail(const struct error *err)
{
    fprintf(stderr, "%s %d %s\n", error_name(err->code), err->http, err->msg);
    if (err->id[0])
        fprintf(stderr, "%s %s\n", err->id, err->remedy);
    return 1;
}

static int
get(struct kube_client *c, char **a, int n)
{
    struct kube_request r = {.verb = KUBE_RAW_GET, .path = a[0]};
    struct kube_answer answer;
    struct error err = {0};
    int code = 0;

    (void)n;
    if (kube_client_wait(c, &r, &answer, &err))
        printf("%s\n", answer.body);
    else
        code = fail(&err);
    kube_answer_release(&answer);
    return code;
}

static bool
print_item(void *arg, struct str item)
{
    struct json *j = json_parse(item, NULL, NULL);

    (void)arg;
    printf("%s\n", json_string_or(json_at(j, "metadata", "name", NULL), "?"));
    json_free(j);
    return true;
}

static struct kube_gvr
gvr_of(char **a)
{
    return KUBE_GVR(word(a[0]) ? a[0] : "", a[1], a[2]);
}

static int
list(struct kube_client *c, char **a, int n)
{
    struct kube_request r = {
        .gvr = gvr_of(a),
        .ns = word(a[3]),
        .page = n > 4 ? (unsigned)strtoul(a[4], NULL, 10) : 0,
    };
    struct error err = {0};

    return kube_client_wait_list(c, &r, print_item, NULL, &err) ? 0
                                                                : fail(&err);
}

/* ---- watch ---- */

static bool
has(char **a, int n, const char *flag)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(a[i], flag) == 0)
            return true;
    }
    return false;
}

/* What stands behind "name=", or NULL. */
static const char *
value_of(char **a, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (str_starts(str_of(a[i]), str_of(name)))
            return a[i] + strlen(name);
    }
    return NULL;
}

struct watch {
    struct kube_cache *k;
    struct loop *l;
};

static void
on_changes(void *arg, const struct kube_change *v, size_t n)
{
    static const char *const names[] = {"ADDED", "MODIFIED", "DELETED"};

    (void)arg;
    for (size_t i = 0; i < n; i++) {
        const struct kube_object *o = v[i].object;

        printf("%s %s/%s gen=%lld ready=%c%s%s body=%zu v=%s\n",
               names[v[i].type], o->ns.s, o->name.s, (long long)o->generation,
               o->ready.status ? o->ready.status : '-',
               o->ready.reason.n ? ":" : "", o->ready.reason.s, o->body.n,
               o->version.s);
    }
    fflush(stdout);
}

static void
on_state(void *arg)
{
    static const char *const names[] = {"SYNCING", "LIVE", "STALE"};
    struct watch *w = arg;
    const struct error *err = kube_cache_error(w->k);

    printf("STATE %s %zu%s%s\n", names[kube_cache_state(w->k)],
           kube_cache_count(w->k), err ? " " : "", err ? err->msg : "");
    fflush(stdout);
}

static void
on_stdin(void *arg, unsigned events)
{
    struct watch *w = arg;
    char line[64];
    ssize_t n = read(0, line, sizeof(line));

    (void)events;
    if (n <= 0)
        loop_stop(w->l, 0);
    else
        kube_cache_retry(w->k);
}

static int
watch(struct kube_client *c, char **a, int n)
{
    struct watch w = {.l = kube_client_loop(c)};
    struct kube_cache_options o = {
        .gvr = gvr_of(a),
        .ns = word(a[3]),
        .no_watchlist = has(a, n, "plain"),
        .form = has(a, n, "meta")    ? KUBE_META
                : has(a, n, "table") ? KUBE_TABLE
                                     : KUBE_FULL,
        .backoff_ms = 100,
    };
    struct kube_cache_fns fns = {on_changes, on_state, &w};
    struct error err = {0};

    w.k = kube_cache_new(c, &o, &fns, &err);
    if (!w.k)
        return fail(&err);
    loop_fd_add(w.l, 0, LOOP_READ, on_stdin, &w, NULL);
    loop_run(w.l);
    kube_cache_free(w.k);
    return 0;
}

/* ---- writes ---- */

static int
send_one(struct kube_client *c, char **a, int n)
{
    static const struct {
        const char *name;
        enum kube_verb verb;
        enum kube_patch patch;
    } verbs[] = {
        {"create", KUBE_CREATE, 0},
        {"update", KUBE_UPDATE, 0},
        {"merge", KUBE_PATCH, KUBE_PATCH_MERGE},
        {"json", KUBE_PATCH, KUBE_PATCH_JSON},
        {"apply", KUBE_PATCH, KUBE_PATCH_APPLY},
        {"strategic", KUBE_PATCH, KUBE_PATCH_STRATEGIC},
        {"delete", KUBE_DELETE, 0},
        {"deleteall", KUBE_DELETE_ALL, 0},
        {"get", KUBE_GET, 0},
    };
    struct kube_request r = {
        .gvr = gvr_of(a + 1),
        .ns = word(a[4]),
        .name = word(a[5]),
        .body = str_of(n > 6 ? a[6] : NULL),
        .dry_run = has(a, n, "dry"),
        .force = has(a, n, "force"),
        .strict = has(a, n, "strict"),
        .validation =
            has(a, n, "ignore") ? KUBE_VALIDATION_IGNORE : KUBE_VALIDATION_WARN,
        .propagation = has(a, n, "orphan") ? KUBE_PROPAGATE_ORPHAN
                                           : KUBE_PROPAGATE_DEFAULT,
        .sub = value_of(a, n, "sub="),
        .field_manager = value_of(a, n, "manager="),
        .if_uid = value_of(a, n, "uid="),
        .if_version = value_of(a, n, "version="),
        .label_selector = value_of(a, n, "labels="),
    };
    struct kube_conflicts conflicts;
    struct kube_answer answer;
    struct error err = {0};
    int code = 0;

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(a[0], verbs[i].name) == 0) {
            r.verb = verbs[i].verb;
            r.patch = verbs[i].patch;
        }
    }
    if (kube_client_wait(c, &r, &answer, &err))
        printf("%d %s\n", answer.http, answer.body);
    else
        code = fail(&err);
    for (size_t i = 0; i < answer.warnings.n; i++)
        fprintf(stderr, "Warning: %s\n", answer.warnings.v[i]);
    if (kube_conflicts_read(&answer.status, &conflicts)) {
        for (size_t i = 0; i < conflicts.n; i++) {
            struct buf line = BUF_INIT(BUF_TEXT_MAX);

            kube_conflict_text(&conflicts.v[i], &line);
            fprintf(stderr, "%s\n", buf_cstr(&line));
            buf_release(&line);
        }
        kube_conflicts_release(&conflicts);
    }
    for (size_t i = 0; i < answer.status.causes_n; i++)
        fprintf(stderr, "cause %s %s\n", answer.status.causes[i].reason,
                answer.status.causes[i].field);
    kube_answer_release(&answer);
    return code;
}

static int
kind(struct kube_client *c, char **a, int n)
{
    struct kube_discovery *d = kube_discovery_new(c);
    struct error err = {0};
    int code = 0;

    if (!kube_discovery_wait(d, false, &err))
        code = fail(&err);
    for (int i = 0; code == 0 && i < n; i++) {
        const struct kube_kind *k = kube_discovery_find(d, a[i], &err);

        if (!k)
            code = fail(&err);
        else
            printf("%s %s/%s %s %s\n", k->gvr.resource, k->gvr.group,
                   k->gvr.version, k->kind,
                   k->namespaced ? "Namespaced" : "Cluster");
    }
    kube_discovery_free(d);
    return code;
}

static const struct {
    const char *name;
    int min;
    int (*run)(struct kube_client *c, char **a, int n);
} commands[] = {
    {"get", 1, get},       {"list", 4, list}, {"watch", 4, watch},
    {"send", 6, send_one}, {"kind", 1, kind},
};

int
main(int argc, char **argv)
{
    struct error err = {0};
    const char *file = NULL;
    struct kube_access *access;
    struct kube_client *c = NULL;
    struct loop *l;
    int code = 2, at = 1;

    if (argc > 2 && strcmp(argv[1], "--kubeconfig") == 0) {
        file = argv[2];
        at = 3;
    }
    access = kube_access_open(file, NULL, &err);
    if (!access)
        return fail(&err);
    l = loop_new(&err);
    c = kube_client_new(l, access, NULL, &err);
    if (!c)
        return fail(&err);
    for (size_t i = 0; i < ARRAY_LEN(commands) && at < argc; i++) {
        if (strcmp(argv[at], commands[i].name) == 0 &&
            argc - at - 1 >= commands[i].min)
            code = commands[i].run(c, argv + at + 1, argc - at - 1);
    }
    if (code == 2)
        fprintf(stderr, "usage: see the top of tests/tools/kube.c\n");
    kube_client_free(c);
    loop_free(l);
    kube_access_free(access);
    return code;
}
