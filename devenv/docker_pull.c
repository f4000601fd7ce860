#include "devenv/docker_pull.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

#define LAYERS_MAX 4096
#define LOADED_MAX 1024
#define ERROR_MAX  8192

void
docker_pull_init(struct docker_pull *p)
{
    *p = (struct docker_pull){0};
    buf_init(&p->error, ERROR_MAX);
}

void
docker_pull_release(struct docker_pull *p)
{
    map_release(&p->layers, free);
    strlist_release(&p->loaded);
    buf_release(&p->error);
}

static struct docker_layer *
layer_of(struct docker_pull *p, const char *id)
{
    struct docker_layer *l = map_get(&p->layers, str_of(id));

    if (l || map_count(&p->layers) >= LAYERS_MAX)
        return l;
    l = mem_zalloc(1, sizeof(*l));
    map_put(&p->layers, str_of(id), l);
    p->moves++;
    return l;
}

static void
to_phase(struct docker_pull *p, struct docker_layer *l, enum docker_phase to)
{
    l->retries = false;
    if (l->phase >= to)
        return;
    l->phase = to;
    p->moves++;
}

/* A figure only grows: a layer that is fetched again starts from 0. */
static void
grow(struct docker_pull *p, uint64_t *figure, int64_t to)
{
    if (to <= 0 || (uint64_t)to <= *figure)
        return;
    *figure = (uint64_t)to;
    p->moves++;
}

static void
downloading(struct docker_pull *p, struct docker_layer *l,
            const struct json *detail)
{
    int64_t total = json_int64_or(json_get(detail, "total"), 0);

    if (total > 0)
        l->total = (uint64_t)total;
    grow(p, &l->done, json_int64_or(json_get(detail, "current"), 0));
    l->done = l->total ? MIN(l->done, l->total) : l->done;
    to_phase(p, l, LAYER_DOWNLOADS);
}

static void
layer_line(struct docker_pull *p, const char *id, const char *status,
           const struct json *detail)
{
    static const struct {
        const char *status;
        enum docker_phase phase;
    } known[] = {
        {"Pulling fs layer", LAYER_WAITS},
        {"Waiting", LAYER_WAITS},
        {"Verifying Checksum", LAYER_DOWNLOADS},
        {"Download complete", LAYER_FETCHED},
        {"Extracting", LAYER_UNPACKS},
        {"Pull complete", LAYER_DONE},
        {"Already exists", LAYER_DONE},
    };
    struct str s = str_of(status);
    struct docker_layer *l;

    if (str_starts(s, STR("Pulling from")))
        return;
    l = layer_of(p, id);
    if (!l)
        return;
    if (str_starts(s, STR("Retrying in"))) {
        l->retries = true;
        snprintf(p->retry, sizeof(p->retry), "%s", status);
        return;
    }
    if (strcmp(status, "Downloading") == 0)
        downloading(p, l, detail);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(status, known[i].status) == 0)
            to_phase(p, l, known[i].phase);
    if (l->phase >= LAYER_FETCHED)
        l->done = l->total;
    if (l->phase == LAYER_UNPACKS)
        grow(p, &l->unpacked, json_int64_or(json_get(detail, "current"), 0));
}

/* "Loaded image: a/b:1\n", "Loaded image ID: sha256:..." */
static void
stream_line(struct docker_pull *p, const char *text)
{
    static const struct str heads[] = {{"Loaded image: ", 14},
                                       {"Loaded image ID: ", 17}};
    struct str s = str_of(text);

    p->moves++;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (str_starts(s, heads[i]) && p->loaded.n < LOADED_MAX)
            strlist_add(&p->loaded, str_trim(str_from(s, heads[i].n)));
}

static void
status_line(struct docker_pull *p, const char *status)
{
    if (str_starts(str_of(status), STR("Digest: sha256:")))
        snprintf(p->digest, sizeof(p->digest), "%s", status + 8);
    p->moves++;
}

void
docker_pull_line(struct docker_pull *p, struct str line)
{
    AUTO(json_free_ptr) struct json *j = NULL;
    const char *id, *status, *words;

    line = str_trim(line);
    if (!line.n)
        return;
    p->lines++;
    j = json_parse(line, NULL, NULL);
    if (!json_is(j, JSON_OBJECT)) {
        p->strange++;
        return;
    }
    words = json_string(json_at(j, "errorDetail", "message", NULL));
    if (!words)
        words = json_get_string(j, "error");
    if (words && !p->error.n) {
        buf_puts(&p->error, words[0] ? words : "no reason given");
        return;
    }
    id = json_get_string(j, "id");
    status = json_get_string(j, "status");
    if (status && id && id[0])
        layer_line(p, id, status, json_get(j, "progressDetail"));
    else if (status)
        status_line(p, status);
    else if (json_get_string(j, "stream"))
        stream_line(p, json_get_string(j, "stream"));
}

void
docker_pull_progress(const struct docker_pull *p, struct docker_progress *out)
{
    *out = (struct docker_progress){0};
    for (struct map_entry *e = map_first(&p->layers); e;
         e = map_next(&p->layers, e)) {
        const struct docker_layer *l = e->value;

        out->layers++;
        out->fetched += l->phase >= LAYER_FETCHED;
        out->finished += l->phase == LAYER_DONE;
        out->done += l->done;
        out->total += MAX(l->total, l->done);
    }
    out->fetching = out->fetched < out->layers || out->layers == 0;
}

void
docker_pull_words(const struct docker_pull *p, struct buf *out)
{
    struct docker_progress g;

    for (struct map_entry *e = map_first(&p->layers); e;
         e = map_next(&p->layers, e)) {
        const struct docker_layer *l = e->value;

        if (!l->retries)
            continue;
        buf_printf(out, "the registry's connection broke; %s", p->retry);
        return;
    }
    docker_pull_progress(p, &g);
    if (!g.layers)
        buf_puts(out, "asking the registry");
    else if (g.fetching)
        buf_printf(out, "%zu of %zu layers fetched", g.fetched, g.layers);
    else
        buf_printf(out, "%zu of %zu layers unpacked", g.finished, g.layers);
}
