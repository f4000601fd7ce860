#include "devenv/doctor.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/doctor_fix.h"
#include "devenv/failure.h"

struct doctor {
    struct loop *loop;
    struct host host;
    const char *engine;
    doctor_fn *on_row;
    void *arg;
    const struct host_row **rows;
    struct host_check *checks;
    bool *done;
    size_t n;
    struct step *steps; /* a row each, and a zero row */
    struct step_graph *graph;
    char *distribution;
};

static bool
run_row(void *context, struct step_run *run, struct error *err)
{
    struct doctor *d = context;
    size_t i = 0;

    (void)err;
    while (strcmp(d->rows[i]->id, run->id) != 0)
        i++;
    host_run(&d->host, d->rows[i], run, &d->checks[i]);
    d->done[i] = true;
    if (d->on_row)
        d->on_row(d->arg, i);
    return true; /* a machine that is not ready is a result, no accident */
}

struct doctor *
doctor_new(struct loop *l, const struct host_options *o, doctor_fn *on_row,
           void *arg)
{
    struct doctor *d = mem_zalloc(1, sizeof(*d));
    size_t all = 0;

    d->loop = l;
    d->engine = o->engine ? o->engine : "kind";
    d->on_row = on_row;
    d->arg = arg;
    host_open(&d->host, o);
    while (host_rows[all].id)
        all++;
    d->rows = mem_zalloc(all, sizeof(*d->rows));
    d->checks = mem_zalloc(all, sizeof(*d->checks));
    d->done = mem_zalloc(all, sizeof(*d->done));
    d->steps = mem_zalloc(all + 1, sizeof(*d->steps));
    for (size_t i = 0; i < all; i++) {
        const struct host_row *r = &host_rows[i];

        if (!host_row_is_for(r, d->engine))
            continue;
        d->rows[d->n] = r;
        d->steps[d->n++] = (struct step){.id = r->id,
                                         .title = r->title,
                                         .needs = r->needs,
                                         .act = run_row,
                                         .flags = STEP_SOFT};
    }
    d->distribution = fix_distribution(&d->host);
    return d;
}

void
doctor_free(struct doctor *d)
{
    if (!d)
        return;
    steps_free(d->graph);
    for (size_t i = 0; i < d->n; i++)
        host_check_release(&d->checks[i]);
    free(d->rows);
    free(d->checks);
    free(d->done);
    free(d->steps);
    free(d->distribution);
    host_release(&d->host);
    free(d);
}

bool
doctor_run(struct doctor *d, struct error *err)
{
    struct step_graph_options o = {0};

    d->graph = steps_new(d->loop, d->steps, d, &o, err);
    return d->graph && steps_wait(d->graph, err);
}

size_t
doctor_count(const struct doctor *d)
{
    return d->n;
}

const struct host_row *
doctor_row(const struct doctor *d, size_t i)
{
    return d->rows[i];
}

const struct host_check *
doctor_check(const struct doctor *d, size_t i)
{
    return d->done[i] ? &d->checks[i] : NULL;
}

size_t
doctor_sum(const struct doctor *d, enum host_verdict v)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        n += d->done[i] && d->checks[i].verdict == v;
    return n;
}

int
doctor_exit(const struct doctor *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->done[i] && d->checks[i].verdict == HOST_FAIL)
            return failure_exit(&d->checks[i].error);
    }
    return 0;
}

bool
doctor_sandbox_works(const struct doctor *d)
{
    struct host_options o = *d->host.o;
    struct step_run run = {.loop = d->loop};
    bool works = true;
    struct host h;

    o.engine = "sandbox";
    o.needs = NULL;
    host_open(&h, &o);
    for (const struct host_row *r = host_rows; r->id; r++) {
        struct host_check c;

        if (!host_row_is_for(r, o.engine))
            continue;
        host_run(&h, r, &run, &c);
        works &= c.verdict != HOST_FAIL;
        host_check_release(&c);
    }
    host_release(&h);
    step_run_release(&run);
    return works;
}

static struct json *
check_json(const struct host_row *r, const struct host_check *c)
{
    struct json *j = json_new_object();

    json_set_string(j, "id", r->id);
    json_set_string(j, "title", r->title);
    json_set_string(j, "verdict", host_verdict_name(c->verdict));
    json_set_string(j, "found", c->found);
    json_set_string(j, "needed", c->needed);
    struct json *seen = json_set(j, "evidence", json_new_array());

    for (size_t i = 0; i < c->evidence.n; i++)
        json_append(seen, json_new_string(c->evidence.v[i]));
    if (c->error.code)
        json_set(j, "failure", failure_json(&c->error, r->id, &c->evidence));
    return j;
}

struct json *
doctor_json(const struct doctor *d)
{
    struct json *j = json_new_object();

    json_set_string(j, "engine", d->engine);
    json_set_bool(j, "ready", doctor_exit(d) == 0);
    json_set_int(j, "exit", doctor_exit(d));
    json_set_string(j, "distribution", d->distribution);
    struct json *checks = json_set(j, "checks", json_new_array());

    for (size_t i = 0; i < d->n; i++) {
        if (d->done[i])
            json_append(checks, check_json(d->rows[i], &d->checks[i]));
    }
    return j;
}

const char *
doctor_distribution(const struct doctor *d)
{
    return d->distribution;
}

size_t
doctor_fixes(const struct doctor *d, bool root, struct doctor_fix *out,
             size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++) {
        const struct host_check *c = &d->checks[i];

        if (d->done[i] && c->error.code && c->verdict != HOST_OK)
            n += fix_find(&d->host, c->error.id, root, out + n, max - n);
    }
    return n;
}
