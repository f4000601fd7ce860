#include "devenv/kind_watch.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"

#include "devenv/docker_exec.h"
#include "devenv/failure.h"
#include "devenv/kind.h"

#define LOOK_MS        500
#define LOG_LINES      60
#define KUBELET_TURNS  5 /* its restarts are asked for every so many looks */
#define KUBELET_DEATHS 8
#define EXEC_LIMIT_MS  10000
#define TEXT_MAX       ((size_t)64 << 10)

/* Runs a program in a node; what it printed into out. */
static bool
ask_node(struct docker *d, const char *node, const char *const *argv,
         struct step_run *run, struct buf *out)
{
    struct docker_exec x = {.argv = argv, .limit_ms = EXEC_LIMIT_MS};
    int status = -1;

    return docker_exec(d, run, node, &x, &status, out, NULL, NULL) &&
           status == 0;
}

static void
add_section(struct str text, const char *title, struct buf *out)
{
    if (text.n)
        buf_printf(out, "---- %s\n%.*s%s", title, STR_ARG(text),
                   str_ends(text, STR("\n")) ? "" : "\n");
}

static const char *const journal[] = {
    "journalctl", "--no-pager", "-o", "cat", "-u", "kubelet", "-n", "60", NULL};

void
kind_evidence(struct docker *d, const char *node, struct step_run *run,
              struct buf *out)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
    AUTO(mem_free_ptr) char *title = mem_printf("log of %s", node);

    docker_log_tail(d, run, node, LOG_LINES, &text, NULL);
    add_section(buf_view(&text), title, out);
    buf_reset(&text);
    if (ask_node(d, node, journal, run, &text))
        add_section(buf_view(&text), "its kubelet", out);
}

/* ---- one look ---- */

static void
say_fatal(struct kind_watch *w, enum err_code code, const char *id,
          const char *text, struct str proof)
{
    error_set(&w->fatal, code, "%s%s%.*s", text, proof.n ? ": " : "",
              (int)MIN(proof.n, 400), proof.s ? proof.s : "");
    failure_remedy(&w->fatal, id);
}

/* The first known last word of the node's log; ended: causes count too. */
static void
read_log(struct kind_watch *w, const struct docker_container *n, bool ended)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
    AUTO(mem_free_ptr) char *sentence = NULL;
    struct str rest, line;

    if (!docker_log_tail(w->docker, &w->run, n->id, LOG_LINES, &text, NULL))
        return;
    rest = buf_view(&text);
    while (rest.n && str_next(&rest, '\n', &line)) {
        const struct kind_last_words *words = kind_last_words(line);

        if (!words || (!words->final && !ended))
            continue;
        sentence = mem_printf("%s: %s", n->name, words->why);
        say_fatal(w, ERR_IO, words->id, sentence, str_trim(line));
        return;
    }
}

static void
look_at_node(struct kind_watch *w, const struct docker_container *n)
{
    bool ended = strcmp(n->state, "exited") == 0;
    AUTO(mem_free_ptr) char *sentence = NULL;
    struct docker_container full = {0};
    AUTO(arena_free_ptr) struct arena *a = arena_new();

    read_log(w, n, ended);
    if (w->fatal.code || !ended ||
        !docker_container(w->docker, &w->run, n->id, a, &full, NULL))
        return;
    sentence = mem_printf("the node container %s ended during its start "
                          "(exit %lld%s)",
                          n->name, (long long)full.exit_code,
                          full.oom_killed ? ", out of memory" : "");
    say_fatal(w, ERR_IO, full.oom_killed ? "MT-HOST-MEM" : "MT-NODE-BOOT",
              sentence, str_of(full.error));
}

/* The kubelet's last line that tells an error, else its last. systemd's own
 * lines in the journal only say that it died. */
static struct str
last_error(struct str text)
{
    struct str line, last = {0}, error = {0};

    while (text.n && str_next(&text, '\n', &line)) {
        line = str_trim(line);
        if (!line.n || str_contains(line, STR("kubelet.service")))
            continue;
        last = line;
        if (str_contains(line, STR("rror")) || str_contains(line, STR("fail")))
            error = line;
    }
    return error.n ? error : last;
}

/* systemd starts a kubelet that died again each second. It is started only
 * when its configuration is there, so no death is normal. */
static void
look_at_kubelet(struct kind_watch *w, const struct docker_container *n)
{
    static const char *const deaths[] = {
        "systemctl", "show", "kubelet", "-p", "NRestarts", "--value", NULL};
    AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
    AUTO(mem_free_ptr) char *sentence = NULL;
    int64_t count = 0;

    if (!ask_node(w->docker, n->id, deaths, &w->run, &text) ||
        !str_to_i64(str_trim(buf_view(&text)), &count) ||
        count < KUBELET_DEATHS)
        return;
    buf_reset(&text);
    ask_node(w->docker, n->id, journal, &w->run, &text);
    sentence = mem_printf("Kubernetes does not start: the kubelet of %s died "
                          "%lld times",
                          n->name, (long long)count);
    struct str proof = last_error(buf_view(&text));
    const struct kind_last_words *words = kind_last_words(proof);

    say_fatal(w, ERR_TIMEOUT, words ? words->id : "MT-KUBEADM", sentence,
              proof);
}

static bool
kubeadm_runs(const struct kind_output *o)
{
    return str_starts(str_of(o->step), STR("Starting control-plane")) ||
           str_starts(str_of(o->step), STR("Joining"));
}

static void
look(struct kind_watch *w)
{
    AUTO(mem_free_ptr)
    char *label = mem_printf(KIND_LABEL_CLUSTER "=%s", w->cluster);
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_containers nodes;

    if (!docker_containers(w->docker, &w->run, label, a, &nodes, NULL))
        return;
    bool ask = kubeadm_runs(w->output) && w->turn++ % KUBELET_TURNS == 0;

    for (size_t i = 0; i < nodes.n && !w->fatal.code; i++) {
        const struct docker_container *n = &nodes.v[i];

        look_at_node(w, n);
        if (!w->fatal.code && docker_is_running(n) && ask)
            look_at_kubelet(w, n);
    }
}

/* ---- the task ---- */

static void
take_user_flag(struct kind_watch *w)
{
    if (w->user && *w->user > w->stop)
        w->stop = *w->user;
}

/* Short pauses: the user's word and the end of kind count at once. */
#define PAUSE_MS 100

static void
pause_between(struct kind_watch *w)
{
    for (int ms = 0; ms < LOOK_MS && !w->over && !w->stop; ms += PAUSE_MS) {
        take_user_flag(w);
        step_pause(&w->run, PAUSE_MS, NULL);
    }
    take_user_flag(w);
}

static void
watch(void *arg)
{
    struct kind_watch *w = arg;

    while (!w->over) {
        pause_between(w);
        if (w->over)
            return;
        if (w->stop) { /* kind ends by itself or is ended: only listen */
            loop_turn(w->run.loop, PAUSE_MS);
            continue;
        }
        look(w);
        if (w->fatal.code)
            w->stop = 2;
    }
}

bool
kind_watch_begin(struct kind_watch *w, struct docker *d, const char *cluster,
                 const struct kind_output *output, struct step_run *run,
                 struct error *err)
{
    *w = (struct kind_watch){.docker = d,
                             .cluster = cluster,
                             .output = output,
                             .user = run->cancelled,
                             .run = {.loop = run->loop}};
    w->run.cancelled = &w->stop;
    w->task = task_start(run->loop, watch, w, err);
    if (!w->task)
        return false;
    run->cancelled = &w->stop;
    return true;
}

void
kind_watch_end(struct kind_watch *w, struct step_run *run)
{
    w->over = true;
    while (!task_done(w->task))
        loop_turn(run->loop, PAUSE_MS);
    task_free(w->task);
    step_run_release(&w->run);
    run->cancelled = w->user;
}
