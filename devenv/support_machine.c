/*
 * The parts of a bundle that need no cluster: what is secret, the profile's
 * files, our own commands' words, the engine and its containers.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"
#include "lib/base/yaml.h"

#include "lib/kube/kubeconfig.h"

#include "devenv/docker_exec.h"
#include "devenv/dockerconfig.h"
#include "devenv/engine.h"
#include "devenv/kind.h"
#include "devenv/support_part.h"

#define FILE_MAX      ((size_t)64 << 20)
#define LOG_LINES     4000
#define PROGRAM_MS    30000
#define EXEC_LIMIT_MS 15000
/* Shorter values of variables are words as likely as secrets. */
#define ENV_SECRET_MIN 8

extern char **environ;

/* ---- what is secret ---- */

static void
know_file(struct support *s, const char *folder, const char *name)
{
    AUTO(mem_free_ptr) char *path = file_join(folder, name);
    struct buf text = BUF_INIT(65536);

    if (file_read(path, &text, NULL))
        redact_know(&s->redact, buf_view(&text));
    mem_wipe(buf_take(&text));
}

static void
know_kubeconfig(struct support *s)
{
    const struct profile *p = &s->env->profile;
    AUTO(kube_access_free_ptr)
    struct kube_access *a =
        kube_access_open(p->kubeconfig, *p->context ? p->context : NULL, NULL);

    if (!a)
        return;
    redact_know(&s->redact, str_of(a->token));
    redact_know(&s->redact, str_of(a->password));
}

/* The user's registry credentials: as they stand, and decoded. */
static void
know_registries(struct support *s)
{
    struct dockerconfig *c = dockerconfig_open(NULL, NULL);
    struct buf text = BUF_INIT((size_t)1 << 20);
    struct json *j = NULL;

    if (c && dockerconfig_json_all(c, &text))
        j = json_parse(buf_view(&text), NULL, NULL);
    for (struct json *h = json_first(json_get(j, "auths")); h;
         h = json_next(h)) {
        struct buf plain = BUF_INIT(65536);
        struct str auth = str_of(json_get_string(h, "auth")), user, password;

        redact_know(&s->redact, auth);
        if (digest_unbase64(auth, false, &plain) &&
            str_cut(buf_view(&plain), ':', &user, &password))
            redact_know(&s->redact, password);
        mem_wipe(buf_take(&plain));
    }
    json_free(j);
    dockerconfig_wipe(&text);
    dockerconfig_free(c);
}

static void
know_environment(struct support *s)
{
    for (char **e = environ; *e; e++) {
        struct str name, value;

        if (str_cut(str_of(*e), '=', &name, &value) &&
            value.n >= ENV_SECRET_MIN && redact_name(name))
            redact_know(&s->redact, value);
    }
}

void
support_secrets(struct support *s)
{
    know_kubeconfig(s);
    know_file(s, s->env->profile.dir, "sandbox.token");
    know_registries(s);
    know_environment(s);
}

/* ---- the profile ---- */

/* A file of YAML or JSON as a tree. */
static void
add_tree_file(struct support *s, const char *folder, const char *name,
              const char *as)
{
    AUTO(mem_free_ptr) char *path = file_join(folder, name);
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)8 << 20);
    struct error why = {0};

    if (!file_read(path, &text, &why)) {
        if (why.code != ERR_NOT_FOUND)
            support_leave_out(s, "%s: %s", as, why.msg);
        return;
    }
    struct json *j = yaml_parse_one(buf_view(&text), NULL, &why);

    if (!j)
        support_leave_out(s, "%s: %s", as, why.msg);
    support_tree(s, as, j);
}

static void
add_log_files(struct support *s, const char *folder, const char *as)
{
    DIR *d = opendir(folder);

    for (struct dirent *e; d && (e = readdir(d));) {
        AUTO(mem_free_ptr) char *path = file_join(folder, e->d_name);
        AUTO(mem_free_ptr) char *name = mem_printf("%s/%s", as, e->d_name);
        AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
        struct stat st;
        struct error why = {0};

        if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
            !strstr(e->d_name, ".log"))
            continue;
        if (file_read(path, &text, &why))
            support_text(s, name, buf_view(&text));
        else
            support_leave_out(s, "%s: %s", name, why.msg);
    }
    if (d)
        closedir(d);
}

static void
list_folder(struct support *s, const char *folder)
{
    AUTO(buf_release) struct buf text = BUF_INIT(65536);
    DIR *d = opendir(folder);

    for (struct dirent *e; d && (e = readdir(d));) {
        AUTO(mem_free_ptr) char *path = file_join(folder, e->d_name);
        struct stat st;

        if (lstat(path, &st) == 0)
            buf_printf(&text, "%06o %10lld %s\n", (unsigned)st.st_mode,
                       (long long)st.st_size, e->d_name);
    }
    if (d)
        closedir(d);
    support_text(s, "profile/files.txt", buf_view(&text));
}

static void
add_environment(struct support *s)
{
    static const char *const names[] = {
        "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "KUBECONFIG",
        "HTTP_PROXY",  "HTTPS_PROXY",    "NO_PROXY",      "http_proxy",
        "https_proxy", "no_proxy",       "LANG",          "LC_ALL",
        "TERM",        "XDG_STATE_HOME", "XDG_CACHE_HOME"};
    AUTO(buf_release) struct buf text = BUF_INIT(65536);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (getenv(names[i]))
            buf_printf(&text, "%s=%s\n", names[i], getenv(names[i]));
    }
    support_text(s, "environment.txt", buf_view(&text));
}

void
support_profile(struct support *s)
{
    const struct profile *p = &s->env->profile;
    AUTO(mem_free_ptr) char *logs = file_join(p->dir, "logs");
    const char *docker = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    AUTO(mem_free_ptr)
    char *config =
        docker ? mem_strdup(docker) : file_join(home ? home : "/", ".docker");

    add_environment(s);
    if (!file_exists(p->dir))
        support_leave_out(s, "the profile \"%s\": it is not there", p->name);
    list_folder(s, p->dir);
    add_tree_file(s, p->dir, "state.json", "profile/state.yaml");
    add_tree_file(s, p->dir, "kubeconfig", "profile/kubeconfig.yaml");
    add_tree_file(s, p->dir, "kind.yaml", "profile/kind.yaml");
    add_tree_file(s, config, "config.json", "profile/docker-config.yaml");
    add_log_files(s, p->dir, "profile");
    add_log_files(s, logs, "profile/logs");
}

/* ---- our own commands ---- */

static void
add_program(struct support *s, const char *name, const char *const *words)
{
    AUTO(mem_free_ptr) char *self = process_self();
    AUTO(buf_release) struct buf out = BUF_INIT((size_t)4 << 20);
    const char *argv[8] = {self};
    /* A run of its own: its lines are not of this command's log. */
    struct step_run run = {
        .loop = s->run->loop, .title = "debug", .cancelled = s->run->cancelled};
    const struct step_program p = {.argv = argv, .limit_ms = PROGRAM_MS};
    struct error why = {0};
    int status;

    for (size_t i = 0; words[i] && i + 2 < ARRAY_LEN(argv); i++)
        argv[i + 1] = words[i];
    if (!support_goes_on(s))
        return;
    if (!step_program(&run, &p, &status, &out, &why)) {
        support_leave_out(s, "%s: %s", name, why.msg);
    } else {
        for (size_t i = 0; i < run.log.n && !out.n; i++)
            buf_printf(&out, "%s\n", run.log.v[i]);
        buf_printf(&out, "\nexit code %d\n", status);
        support_text(s, name, buf_view(&out));
    }
    step_run_release(&run);
}

void
support_programs(struct support *s)
{
    const char *profile = s->env->profile.name;
    const char *const doctor[] = {"doctor", "--all", "--profile", profile,
                                  NULL};
    const char *const verify[] = {"verify", "--all", "--profile", profile,
                                  NULL};

    add_program(s, "doctor.txt", doctor);
    if (s->env->client)
        add_program(s, "verify.txt", verify);
}

/* ---- the engine ---- */

static bool
on_line(void *arg, int stream UNUSED, struct str line)
{
    struct buf *text = arg;

    return buf_str(text, line) && buf_putc(text, '\n');
}

static void
add_answer(struct support *s, struct docker *d, const char *path,
           const char *name)
{
    struct error why = {0};
    struct json *j = docker_get(d, s->run, path, &why);

    if (!j)
        support_leave_out(s, "%s: %s", name, why.msg);
    support_tree(s, name, j);
}

static void
add_container(struct support *s, struct docker *d,
              const struct docker_container *c)
{
    AUTO(mem_free_ptr)
    char *inspect = mem_printf("engine/%s/inspect.yaml", c->name);
    AUTO(mem_free_ptr) char *log = mem_printf("engine/%s/log.txt", c->name);
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)16 << 20);
    const struct docker_logs how = {.tail = LOG_LINES,
                                    .limit_ms = EXEC_LIMIT_MS,
                                    .on_line = on_line,
                                    .arg = &text};
    struct error why = {0};

    support_tree(s, inspect, docker_inspect(d, s->run, c->id, NULL));
    if (docker_logs(d, s->run, c->id, &how, &why))
        support_text(s, log, buf_view(&text));
    else
        support_leave_out(s, "%s: %s", log, why.msg);
}

/* What runs in a node, as its own programs say. */
static void
add_node(struct support *s, struct docker *d, const struct docker_container *c)
{
    static const struct {
        const char *file, *argv[8];
    } rows[] = {
        {"journal.log", {"journalctl", "--no-pager", "-n", "4000"}},
        {"kubelet.log",
         {"journalctl", "--no-pager", "-n", "2000", "-u", "kubelet"}},
        {"containerd.log",
         {"journalctl", "--no-pager", "-n", "2000", "-u", "containerd"}},
        {"containers.txt", {"crictl", "ps", "-a"}},
        {"images.txt", {"crictl", "images", "--digests"}},
        {"kubernetes-version.txt", {"cat", "/kind/version"}},
        {"memory.txt", {"cat", "/proc/meminfo"}},
    };

    if (!docker_is_running(c))
        support_leave_out(s, "node/%s: it does not run", c->name);
    for (size_t i = 0; i < ARRAY_LEN(rows) && docker_is_running(c); i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("node/%s/%s", c->name, rows[i].file);
        AUTO(buf_release) struct buf out = BUF_INIT((size_t)16 << 20);
        AUTO(buf_release) struct buf errors = BUF_INIT(65536);
        const struct docker_exec x = {.argv = rows[i].argv,
                                      .limit_ms = EXEC_LIMIT_MS};
        struct error why = {0};
        int status;

        if (!support_goes_on(s))
            return;
        if (docker_exec(d, s->run, c->id, &x, &status, &out, &errors, &why))
            support_text(s, name, buf_view(out.n ? &out : &errors));
        else
            support_leave_out(s, "%s: %s", name, why.msg);
    }
}

static void
add_containers(struct support *s, struct docker *d, struct arena *a)
{
    struct kind_cluster c;
    struct error why = {0};

    if (!kind_look(d, &s->env->profile, s->run, a, &c, &why)) {
        support_leave_out(s, "containers: %s", why.msg);
        return;
    }
    for (size_t i = 0; i < c.nodes.n && support_goes_on(s); i++) {
        add_container(s, d, &c.nodes.v[i]);
        add_node(s, d, &c.nodes.v[i]);
    }
}

void
support_engine(struct support *s)
{
    static const struct {
        const char *path, *name;
    } answers[] = {{"/version", "engine/version.yaml"},
                   {"/info", "engine/info.yaml"},
                   {"/networks", "engine/networks.yaml"}};
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct error why = {0};

    if (strcmp(s->env->profile.engine, "kind") != 0)
        return;
    struct docker *d = engine_docker(&s->env->profile, s->run, &why);

    if (!d) {
        support_leave_out(s, "the engine: %s", why.msg);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(answers) && support_goes_on(s); i++)
        add_answer(s, d, answers[i].path, answers[i].name);
    add_containers(s, d, a);
    docker_free(d);
}
