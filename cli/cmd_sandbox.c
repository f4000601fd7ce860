/* meshtop sandbox: the embedded control plane by itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "lib/kube/client.h"

#include "devenv/profile.h"

#include "devenv/sandbox/daemon.h"
#include "devenv/sandbox/server.h"

#include "cli/commands.h"
#include "cli/sandbox_fail.h"
#include "cli/sandbox_kubeconfig.h"

#define DELAY_DEFAULT_MS 300
#define ASK_MS           3000
#define DELAY_MAX_MS     3600000
#define PAST_MAX         10000000

/* What every verb works on. */
struct sandbox {
    const struct args *a;
    struct profile profile;
    struct daemon_paths paths;
    bool json;
    struct error err;
};

/* ---- saying ---- */

static void
print_json(struct json *j)
{
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    puts(text);
    json_free(j);
}

static struct json *
state_json(const struct sandbox *s, const struct daemon_state *d)
{
    struct json *j = json_new_object();
    AUTO(mem_free_ptr)
    char *url =
        mem_printf(strchr(d->host, ':') ? "https://[%s]:%u" : "https://%s:%u",
                   d->host, d->port);

    json_set_bool(j, "running", d->running);
    if (d->port) {
        json_set_int(j, "pid", d->pid);
        json_set_string(j, "server", url);
        json_set_int(j, "uptimeSeconds",
                     clock_wall_ms(clock_system()) / 1000 - d->started_s);
        json_set_string(j, "kubeconfig", d->kubeconfig);
    }
    json_set_int(j, "databaseBytes", d->file_bytes);
    json_set_string(j, "data", s->paths.data);
    json_set_string(j, "log", s->paths.log);
    return j;
}

static void
print_running(const struct sandbox *s, const struct daemon_state *d,
              const char *words)
{
    struct json *j = state_json(s, d);

    printf("meshtop sandbox: %s %s (pid %d, kubeconfig %s, log %s)\n", words,
           json_get_string(j, "server"), (int)d->pid, d->kubeconfig,
           s->paths.log);
    json_free(j);
}

/* ---- verbs ---- */

/* Which files serve uses: those of the profile, unless --data names others;
 * a server beside the profile's leaves the profile's kubeconfig alone. */
static bool
serve_options(const struct sandbox *s, struct server_options *o,
              struct error *err)
{
    const struct args *a = s->a;
    const char *given = args_get(a, "data", NULL);
    bool ours = !given || args_has(a, "background");
    const char *core = args_get(a, "crossplane", "2.0");
    int64_t delay = DELAY_DEFAULT_MS, past = 0;

    if (!str_to_i64(str_of(args_get(a, "provider-delay", "300")), &delay) ||
        delay < 0 || delay > DELAY_MAX_MS)
        return error_set(err, ERR_USAGE,
                         "--provider-delay takes 0 to %d milliseconds",
                         DELAY_MAX_MS);
    if (args_has(a, "log-events") &&
        (!str_to_i64(str_of(args_get(a, "log-events", "")), &past) ||
         past < 1 || past > PAST_MAX))
        return error_set(err, ERR_USAGE, "--log-events takes 1 to %d",
                         PAST_MAX);
    if (strcmp(core, "2.0") != 0 && strcmp(core, "2.3") != 0)
        return error_set(err, ERR_USAGE, "--crossplane takes 2.0 or 2.3");
    if (!daemon_folders(&s->paths, err))
        return false;
    *o = (struct server_options){
        .listen = args_get(a, "listen", NULL),
        .data = given ? given : s->paths.data,
        .token_file = args_get(a, "token-file", NULL),
        .pid_file = ours ? s->paths.pid_file : NULL,
        .provider_delay_ms = delay,
        .core_23 = strcmp(core, "2.3") == 0,
        .store.log_events = (size_t)past,
    };
    o->name = mem_printf("meshtop-%s", s->profile.name);
    if (args_has(a, "kubeconfig-out"))
        o->kubeconfig = mem_strdup(args_get(a, "kubeconfig-out", ""));
    else if (ours)
        o->kubeconfig = mem_strdup(s->paths.kubeconfig);
    else if (strcmp(given, ":memory:") == 0)
        o->kubeconfig = file_join(s->paths.folder, "memory.kubeconfig");
    else
        o->kubeconfig = mem_printf("%s.kubeconfig", given);
    args_list(a, "load", &o->load);
    return true;
}

static int
verb_serve(struct sandbox *s)
{
    struct server_options o = {0};
    bool good = serve_options(s, &o, &s->err) && server_run(&o, &s->err);

    strlist_release(&o.load);
    free((char *)(uintptr_t)o.name);
    free((char *)(uintptr_t)o.kubeconfig);
    return good ? EXIT_DONE : command_fail(&s->err);
}

/* The words of the process to start: ours again, with the same flags. */
static void
serve_words(const struct sandbox *s, struct strlist *words)
{
    static const char *const passed[] = {
        "listen",     "data",       "kubeconfig-out", "provider-delay",
        "crossplane", "token-file", "log-events"};
    AUTO(mem_free_ptr) char *self = process_self();
    AUTO(strlist_release) struct strlist load = {0};

    strlist_add(words, str_of(self));
    strlist_add(words, STR("sandbox"));
    strlist_add(words, STR("serve"));
    strlist_add(words, STR("--background"));
    strlist_addf(words, "--profile=%s", s->profile.name);
    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        if (args_has(s->a, passed[i]))
            strlist_addf(words, "--%s=%s", passed[i],
                         args_get(s->a, passed[i], ""));
    }
    args_list(s->a, "load", &load);
    for (size_t i = 0; i < load.n; i++)
        strlist_addf(words, "--load=%s", load.v[i]);
}

static int
verb_start(struct sandbox *s)
{
    AUTO(strlist_release) struct strlist words = {0};
    struct daemon_state d;
    bool already = false;

    serve_words(s, &words);
    strlist_add(&words, STR("")); /* room for the NULL */
    free(words.v[--words.n]);
    words.v[words.n] = NULL;
    if (!daemon_folders(&s->paths, &s->err) ||
        !daemon_start(&s->paths, (const char *const *)words.v, &d, &already,
                      &s->err))
        return command_fail(&s->err);
    if (s->json) {
        struct json *j = state_json(s, &d);

        json_set_bool(j, "already", already);
        print_json(j);
    } else {
        print_running(s, &d, already ? "already serving" : "serving");
    }
    return EXIT_DONE;
}

static int
verb_stop(struct sandbox *s)
{
    bool was = false;

    if (!daemon_stop(&s->paths, &was, &s->err))
        return command_fail(&s->err);
    if (s->json)
        printf("{\"stopped\":%s}\n", was ? "true" : "false");
    else
        printf("meshtop sandbox: %s\n", was ? "stopped" : "was not running");
    return EXIT_DONE;
}

/* What the server says of itself; NULL when it does not answer. */
static struct json *
ask(const struct daemon_state *d)
{
    struct kube_request r = {
        .verb = KUBE_RAW_GET, .path = "/sandbox/status", .timeout_ms = ASK_MS};
    struct loop *l = loop_new(NULL);
    struct kube_access *access = kube_access_open(d->kubeconfig, NULL, NULL);
    struct kube_client *c =
        access ? kube_client_new(l, access, NULL, NULL) : NULL;
    struct json *said = c ? kube_client_wait_json(c, &r, NULL) : NULL;

    kube_client_free(c);
    kube_access_free(access);
    loop_free(l);
    return said;
}

static int
print_status(const struct sandbox *s, const struct daemon_state *d)
{
    struct json *said = ask(d);
    char age[CLOCK_HUMAN_LEN];

    if (s->json) {
        struct json *j = state_json(s, d);

        if (said)
            json_set(j, "objects",
                     json_new_int(json_int64_or(json_get(said, "objects"), 0)));
        json_set_bool(j, "answers", said != NULL);
        print_json(j);
    } else {
        clock_human(clock_wall_ms(clock_system()) / 1000 - d->started_s, age);
        print_running(s, d, said ? "serving" : "DOES NOT ANSWER on");
        printf("up %s, database %" PRId64 " KiB", age, d->file_bytes / 1024);
        if (said)
            printf(", %" PRId64 " objects, %" PRId64 " watches",
                   json_int64_or(json_get(said, "objects"), 0),
                   json_int64_or(json_get(said, "watches"), 0));
        printf("\n");
    }
    json_free(said);
    return EXIT_DONE;
}

static int
verb_status(struct sandbox *s)
{
    struct daemon_state d;

    daemon_state(&s->paths, &d);
    if (d.port)
        return print_status(s, &d);
    if (s->json)
        print_json(state_json(s, &d));
    else
        printf("meshtop sandbox: %s (profile %s)\n",
               d.running ? "starting" : "not running", s->profile.name);
    return EXIT_ENGINE;
}

/* The typed name at a terminal, --yes without one. */
static bool
may_destroy(struct sandbox *s)
{
    char line[128] = "";

    if (args_has(s->a, "yes"))
        return true;
    if (!isatty(STDIN_FILENO)) {
        error_set(&s->err, ERR_USAGE,
                  "reset removes every object of the sandbox");
        error_remedy(&s->err, "MT-CONFIRM", "Say --yes.");
        return false;
    }
    fprintf(stderr,
            "This removes every object of the sandbox \"%s\".\n"
            "Type its name to go on: ",
            s->profile.name);
    if (fgets(line, sizeof(line), stdin) &&
        str_eqz(str_trim(str_of(line)), s->profile.name))
        return true;
    return error_set(&s->err, ERR_CANCELLED, "nothing was removed");
}

static int
verb_reset(struct sandbox *s)
{
    if (!may_destroy(s) || !daemon_reset(&s->paths, &s->err))
        return command_fail(&s->err);
    if (s->json)
        printf("{\"removed\":true}\n");
    else
        printf("meshtop sandbox: removed (profile %s)\n", s->profile.name);
    return EXIT_DONE;
}

static int
verb_fail(struct sandbox *s)
{
    return sandbox_fail(s->a);
}

/* The identity lies beside the data. */
static int
verb_kubeconfig(struct sandbox *s)
{
    const char *data = args_get(s->a, "data", NULL);
    const char *slash = data ? strrchr(data, '/') : NULL;
    AUTO(mem_free_ptr)
    char *folder = !data   ? mem_strdup(s->paths.folder)
                   : slash ? mem_strndup(data, (size_t)(slash - data))
                           : mem_strdup(".");
    AUTO(mem_free_ptr)
    char *admin = data ? mem_printf("%s.kubeconfig", data)
                       : mem_strdup(s->paths.kubeconfig);
    AUTO(mem_free_ptr) char *name = mem_printf("meshtop-%s", s->profile.name);

    return sandbox_kubeconfig(s->a, folder, admin, name);
}

static const struct {
    const char *name;
    int (*run)(struct sandbox *s);
    size_t words; /* behind the verb, at most */
} verbs[] = {
    {"serve", verb_serve, 0},
    {"start", verb_start, 0},
    {"stop", verb_stop, 0},
    {"status", verb_status, 0},
    {"reset", verb_reset, 0},
    {"fail", verb_fail, 1},
    {"kubeconfig", verb_kubeconfig, 0},
};

/* The exit code; -1: no such verb. */
static int
run_verb(struct sandbox *s)
{
    const char *word = args_word(s->a, 0);

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(word, verbs[i].name) != 0)
            continue;
        if (args_count(s->a, 1, 1 + verbs[i].words, &s->err))
            return verbs[i].run(s);
        return command_fail(&s->err);
    }
    return -1;
}

static int
run(const struct args *a)
{
    struct sandbox s = {.a = a};
    int code;

    if (!profile_open(args_get(a, "profile", PROFILE_DEFAULT), &s.profile,
                      &s.err))
        return command_fail(&s.err);
    daemon_paths(s.profile.dir, &s.paths);
    s.json = strcmp(args_get(a, "output", "text"), "json") == 0;
    code = run_verb(&s);
    if (code < 0) {
        error_set(&s.err, ERR_USAGE, "no verb \"%s\"", args_word(a, 0));
        error_remedy(&s.err, "",
                     "There are serve, start, stop, status, reset, "
                     "kubeconfig and fail.");
        code = command_fail(&s.err);
    }
    daemon_paths_release(&s.paths);
    profile_release(&s.profile);
    return code;
}

static const struct flag flags[] = {
    {"listen", 0, "ADDRESS:PORT",
     "where (loopback only; default the port of the last start, else any)"},
    {"data", 0, "FILE", "database, or :memory: (default the profile's)"},
    {"load", 0, "PATH", "apply these manifests at the start (repeatable)"},
    {"kubeconfig-out", 0, "FILE", "where to write the kubeconfig"},
    {"provider-delay", 0, "MS",
     "until a simulated resource turns Ready (default 300)"},
    {"crossplane", 0, "VERSION", "whose core it acts as: 2.0 (default) or 2.3"},
    {"token-file", 0, "FILE",
     "more users: lines of token,user,uid,\"group,group\""},
    {"log-events", 0, "N",
     "how many past events are kept; older ones are gone (default 200000)"},
    {"user", 0, "NAME", "kubeconfig: whose (a client certificate)"},
    {"group", 0, "GROUP", "kubeconfig: a group of the user (repeatable)"},
    {"yes", 'y', NULL, "reset without asking"},
    {"reason", 0, "REASON",
     "fail: forbidden, quota, timeout, slow, notfound, unavailable, or the "
     "message itself"},
    {"step", 0, "STEP",
     "fail: connect, observe, create, update, delete or ready (default the "
     "next call; unavailable: ready)"},
    {"for", 0, "DURATION", "fail: it ends by itself (30s, 5m)"},
    {"clear", 0, NULL, "fail: no more (without a name: nothing at all)"},
    {"background", 0, NULL, "used by start"},
    {0},
};

const struct command cmd_sandbox = {
    .name = "sandbox",
    .args = "serve|start|stop|status|reset|kubeconfig|fail [[KIND/]NAME]",
    .summary = "the embedded control plane by itself",
    .help = "serve stays in the foreground and prints one line when it is "
            "ready; start does the same in the background; stop ends it and "
            "keeps its data; reset removes the data.\n"
            "status answers 0 while it runs and 20 when it does not.\n"
            "kubeconfig prints (or writes with --kubeconfig-out) one for "
            "another user than the admin; its rights are those of roles and "
            "bindings:\n"
            "    meshtop sandbox kubeconfig --read-only >reader.kubeconfig\n"
            "    meshtop sandbox kubeconfig --user jane --group dev\n"
            "fail makes calls of the simulated clouds fail for a managed "
            "resource, or for all that a composite of that name composes, in "
            "each cloud's own words; without a name it shows what is set:\n"
            "    meshtop sandbox fail sales-data --reason quota --for 1m\n"
            "    meshtop sandbox fail buckets/raw --reason forbidden --step "
            "delete\n"
            "    meshtop sandbox fail sales-data --clear",
    .flags = flags,
    .min_words = 1,
    .max_words = 2,
    .run = run,
    .group = "Bring up, prove, remove",
};
