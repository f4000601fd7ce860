#include "devenv/engine.h"

#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#define WORDS_MAX     16
#define SELF_LIMIT_MS 30000

struct self_run {
    bool done;
    int status;
    char *out, *err;
};

static void
on_exit_of_self(void *arg, const struct process_result *r)
{
    struct self_run *s = arg;

    s->done = true;
    s->status = r->status;
    s->out = mem_strndup(r->out.s, r->out.n);
    s->err = mem_strndup(r->err.s, r->err.n);
}

static bool
self_done(void *arg)
{
    return ((struct self_run *)arg)->done;
}

/* The sentence after "meshtop: " of what a command of ours said. */
static struct str
sentence(const char *text)
{
    struct str line, tail, s = str_trim(str_of(text));

    str_cut(s, '\n', &line, &tail);
    if (str_starts(line, STR("meshtop: ")))
        line = str_from(line, strlen("meshtop: "));
    return line;
}

bool
engine_self(struct step_run *run, const char *const *words, char **output,
            struct error *err)
{
    AUTO(mem_free_ptr) char *self = process_self();
    const char *argv[WORDS_MAX] = {self};
    struct self_run s = {0};
    struct process_options o = {
        .argv = argv, .on_exit = on_exit_of_self, .arg = &s};

    for (size_t i = 0; words[i] && i + 2 < WORDS_MAX; i++)
        argv[i + 1] = words[i];
    struct process *p = process_start(run->loop, &o, err);

    if (!p)
        return false;
    bool ok = step_wait(run, SELF_LIMIT_MS, self_done, &s, err);

    process_free(p);
    if (ok && s.status != 0) {
        struct str said = sentence(s.err);

        ok = error_set(err, ERR_INTERNAL, "%.*s",
                       STR_ARG(said.n ? said : STR("the sandbox failed")));
    }
    if (ok && output)
        *output = mem_strdup(s.out);
    free(s.out);
    free(s.err);
    return ok;
}

static bool
sandbox_start(struct env *e, struct step_run *run, struct error *err)
{
    const char *const words[] = {"sandbox", "start", "--profile",
                                 e->profile.name, NULL};
    AUTO(mem_free_ptr) char *said = NULL;

    if (!engine_self(run, words, &said, err))
        return false;
    step_detail(run, "%.*s", STR_ARG(sentence(said)));
    return true;
}

static bool
sandbox_remove(struct env *e, struct step_run *run, struct error *err)
{
    const char *const stop[] = {"sandbox", "stop", "--profile", e->profile.name,
                                NULL};
    const char *const reset[] = {"sandbox",   "reset",         "--yes",
                                 "--profile", e->profile.name, NULL};

    return engine_self(run, stop, NULL, err) &&
           engine_self(run, reset, NULL, err);
}

static const struct engine engines[] = {
    {"sandbox", sandbox_start, sandbox_remove},
    /* steps of their own: steps_kind.c, steps_context.c */
    {"kind", NULL, NULL},
    {"context", NULL, NULL},
};

const struct engine *
engine_find(const char *name, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i].name, name) == 0)
            return &engines[i];
    }
    error_set(err, ERR_USAGE, "no engine \"%s\"", name);
    error_remedy(err, "", "There are sandbox, kind and context.");
    return NULL;
}
