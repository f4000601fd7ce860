#include "devenv/status.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/status_probe.h"

#define LIMIT_MS 2000
#define LOOK_MS  50

/* ---- what probes share ---- */

static int64_t
now_ms(void)
{
    return clock_mono_ms(clock_system());
}

int64_t
probe_left(const struct probing *s)
{
    return MAX(s->end_ms - now_ms(), 1);
}

void
probe_error(struct probing *s, const char *key, const struct error *err)
{
    struct json *j = json_need_object(s->doc, key);

    json_set_string(j, "error", err->msg);
    if (*err->id)
        json_set_string(j, "id", err->id);
}

void
probe_trouble(struct probing *s, enum trouble_rank rank, const char *state,
              int64_t since_s, const char *trouble, const char *remedy)
{
    char since[CLOCK_RFC3339_LEN];

    if (s->trouble >= rank)
        return;
    s->trouble = rank;
    json_set_string(s->doc, "state", state);
    json_set_string(s->doc, "where",
                    rank == TROUBLE_OF_ENGINE ? "engine" : "cluster");
    json_set_string(s->doc, "trouble", trouble);
    json_set_string(s->doc, "remedy", remedy);
    json_del(s->doc, "since");
    if (since_s) {
        clock_format(since_s, since);
        json_set_string(s->doc, "since", since);
    }
}

/* ---- versions ---- */

/* Three numbers; false when it begins with none. */
static bool
numbers(const char *text, int64_t out[3])
{
    text += *text == 'v';
    out[0] = out[1] = out[2] = 0;
    for (size_t i = 0; i < 3; i++) {
        char *end;

        if (*text < '0' || *text > '9')
            return i > 0;
        out[i] = strtoll(text, &end, 10);
        text = *end == '.' ? end + 1 : "";
    }
    return true;
}

int
env_version_compare(const char *a, const char *b)
{
    int64_t x[3], y[3];

    if (!numbers(a, x) || !numbers(b, y))
        return 2;
    for (size_t i = 0; i < 3; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

char *
env_image_tag(const char *ref)
{
    struct str rest, name;

    str_cut(str_of(ref), '@', &name, &rest);
    for (size_t i = name.n; i-- > 0 && name.s[i] != '/';) {
        if (name.s[i] == ':')
            return mem_strndup(name.s + i + 1, name.n - i - 1);
    }
    return mem_strdup("");
}

void
probe_version(struct probing *s, const char *thing, const char *have,
              const char *want)
{
    static const char *const relations[] = {"older", "same", "newer", "other"};
    struct json *j =
        json_append(json_need_array(s->doc, "versions"), json_new_object());

    json_set_string(j, "thing", thing);
    json_set_string(j, "have", have);
    if (want)
        json_set_string(j, "want", want);
    json_set_string(j, "relation",
                    !want ? ""
                    : strcmp(have, want) == 0
                        ? "same"
                        : relations[env_version_compare(have, want) + 1]);
}

/* ---- the document ---- */

static void
add_list(struct json *doc, const char *key, const struct strlist *list)
{
    struct json *array = json_set(doc, key, json_new_array());

    for (size_t i = 0; i < list->n; i++)
        json_append(array, json_new_string(list->v[i]));
}

static void
add_log(struct json *doc, const char *dir, const char *name)
{
    AUTO(mem_free_ptr) char *path = file_join(dir, name);

    if (file_exists(path))
        json_append(json_need_array(doc, "logs"), json_new_string(path));
}

/* What state.json says. */
static void
add_profile(struct json *doc, const struct profile *p)
{
    const char *last = profile_fact(p, "last-error");

    json_set_string(doc, "profile", p->name);
    json_set_string(doc, "engine", p->engine);
    add_list(doc, "packages", &p->packages);
    add_list(doc, "examples", &p->examples);
    if (last) {
        struct json *j = json_need_object(doc, "lastError");
        const char *id = profile_fact(p, "last-error-id");

        json_set_string(j, "message", last);
        json_set_string(j, "id", id ? id : "");
    }
    json_need_array(doc, "logs");
    add_log(doc, p->dir, "meshtop.log");
    add_log(doc, p->dir, "logs/sandbox.log");
}

/* ---- probes side by side ---- */

struct probe {
    probe_fn *fn;
    struct probing *s;
    struct step_run run;
    struct task *task;
};

static void
run_probe(void *arg)
{
    struct probe *p = arg;

    p->fn(p->s, &p->run);
}

static void
run_probes(struct probing *s)
{
    probe_fn *const fns[] = {probe_engine, probe_cluster, probe_disk};
    struct probe probes[ARRAY_LEN(fns)] = {0};
    bool busy = true;

    for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
        struct error err = {0};

        probes[i] = (struct probe){.fn = fns[i],
                                   .s = s,
                                   .run = {.loop = s->ask->loop,
                                           .title = "status",
                                           .cancelled = &s->stop}};
        probes[i].task = task_start(s->ask->loop, run_probe, &probes[i], &err);
        if (!probes[i].task)
            probe_trouble(s, TROUBLE_OF_ENGINE, "unknown", 0, err.msg, "");
    }
    while (busy) {
        loop_turn(s->ask->loop, LOOK_MS);
        if (now_ms() >= s->end_ms)
            s->stop = 2;
        busy = false;
        for (size_t i = 0; i < ARRAY_LEN(fns); i++)
            busy |= probes[i].task && !task_done(probes[i].task);
    }
    for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
        task_free(probes[i].task);
        step_run_release(&probes[i].run);
    }
}

struct json *
env_status_read(const struct env_status_ask *ask)
{
    const struct profile *p = ask->profile;
    struct probing s = {.ask = ask,
                        .doc = json_new_object(),
                        .engine = p ? p->engine : "",
                        .limit_ms = ask->limit_ms ? ask->limit_ms : LIMIT_MS};

    s.end_ms = now_ms() + s.limit_ms;
    json_set_string(s.doc, "title", ask->title);
    json_set_string(s.doc, "state", "running");
    if (p)
        add_profile(s.doc, p);
    if (p && !*p->engine)
        probe_trouble(&s, TROUBLE_OF_ENGINE, "absent", 0,
                      "nothing was brought up", "meshtop up");
    else
        run_probes(&s);
    return s.doc;
}
