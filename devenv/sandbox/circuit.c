#include "devenv/sandbox/circuit.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define TOKENS_MAX  100
#define TOKEN_MS    1000 /* until there is one more */
#define OPEN_MS     300000
#define PROBE_MS    30000
#define SOURCES_MAX 16

struct circuit {
    int64_t ms; /* of tokens, in time: TOKEN_MS each */
    int64_t last_ms;
    char *recent[SOURCES_MAX]; /* a ring */
    size_t next;
    bool open;
    int64_t opened_ms, passed_ms;
    char *trigger;
};

static void
forget_sources(struct circuit *c)
{
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        free(c->recent[i]);
        c->recent[i] = NULL;
    }
    c->next = 0;
}

void
circuit_free(struct circuit *c)
{
    if (!c)
        return;
    forget_sources(c);
    free(c->trigger);
    free(c);
}

static size_t
count(const struct circuit *c, const char *source)
{
    size_t n = 0;

    for (size_t i = 0; i < SOURCES_MAX && c->recent[i]; i++)
        n += strcmp(c->recent[i], source) == 0;
    return n;
}

/* Of several that sent as many, the one whose turn was last in the ring. */
static void
blame(struct circuit *c)
{
    const char *most = "";
    size_t n = 0;

    for (size_t i = 0; i < SOURCES_MAX && c->recent[i]; i++) {
        size_t sent = count(c, c->recent[i]);

        if (sent >= n) {
            most = c->recent[i];
            n = sent;
        }
    }
    free(c->trigger);
    c->trigger = mem_strdup(most);
}

static void
spend(struct circuit *c, int64_t now_ms, const char *source)
{
    free(c->recent[c->next]);
    c->recent[c->next] = mem_strdup(source);
    c->next = (c->next + 1) % SOURCES_MAX;
    if (c->open && now_ms - c->opened_ms < OPEN_MS)
        return;
    if (c->open)
        forget_sources(c);
    c->open = false;
    if (c->ms >= TOKEN_MS) {
        c->ms -= TOKEN_MS;
        return;
    }
    c->open = true;
    c->opened_ms = c->passed_ms = now_ms;
    blame(c);
}

/* Asked before the token is taken, as upstream: the event that opens it still
 * passes. */
static bool
may_pass(struct circuit *c, int64_t now_ms)
{
    if (c->open && now_ms - c->passed_ms <= PROBE_MS)
        return false;
    if (c->open)
        c->passed_ms = now_ms;
    return true;
}

bool
circuit_pass(struct circuit **c, int64_t now_ms, const char *source,
             unsigned tokens)
{
    bool passed = false;

    if (!*c) {
        *c = mem_zalloc(1, sizeof(**c));
        (*c)->ms = TOKENS_MAX * TOKEN_MS;
        (*c)->last_ms = now_ms;
    }
    (*c)->ms =
        MIN((*c)->ms + now_ms - (*c)->last_ms, (int64_t)TOKENS_MAX * TOKEN_MS);
    (*c)->last_ms = now_ms;
    for (unsigned i = 0; i < tokens; i++) {
        passed = may_pass(*c, now_ms) || passed;
        spend(*c, now_ms, source);
    }
    return passed;
}

const char *
circuit_open_by(const struct circuit *c)
{
    return c && c->open ? c->trigger : NULL;
}
