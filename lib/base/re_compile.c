#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re_prog.h"

/*
 * The tree is emitted backwards: every function gets the step to go on with
 * and answers the step to begin with, so that nothing needs patching but
 * loops. Counted repeats are written out.
 */

enum { MAX_STEPS = 100000 };

/* More than any step: the program has grown too large. */
#define TOO_LARGE UINT32_MAX

static uint32_t
emit(struct re_prog *p, struct re_inst i)
{
    if (p->n >= MAX_STEPS)
        return TOO_LARGE;
    p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
    p->v[p->n] = i;
    return (uint32_t)p->n++;
}

static uint32_t
emit_split(struct re_prog *p, uint32_t into, uint32_t out, bool lazy)
{
    return emit(p, (struct re_inst){.code = RE_I_SPLIT,
                                    .x = lazy ? out : into,
                                    .y = lazy ? into : out});
}

static uint32_t put(struct re_prog *p, const struct re_node *n, uint32_t next);

static bool
nullable(const struct re_node *n)
{
    switch (n->op) {
    case RE_CHAR:
    case RE_CLASS:
    case RE_ANY:
    case RE_ANY_NOT_NL:
        return false;
    case RE_CAPTURE:
        return nullable(n->first);
    case RE_REPEAT:
        return n->min == 0 || nullable(n->first);
    case RE_CONCAT:
        for (const struct re_node *c = n->first; c; c = c->next) {
            if (!nullable(c))
                return false;
        }
        return true;
    case RE_ALTERNATE:
        for (const struct re_node *c = n->first; c; c = c->next) {
            if (nullable(c))
                return true;
        }
        return false;
    default:
        return true;
    }
}

/* x+ : the body, then a split back to it. */
static uint32_t
put_plus(struct re_prog *p, const struct re_node *n, uint32_t next)
{
    uint32_t loop = emit_split(p, TOO_LARGE, next, n->lazy);

    if (loop == TOO_LARGE)
        return loop;
    uint32_t body = put(p, n->first, loop);

    if (n->lazy)
        p->v[loop].y = body;
    else
        p->v[loop].x = body;
    return body;
}

static uint32_t
put_star(struct re_prog *p, const struct re_node *n, uint32_t next)
{
    /* (x+)? when x may be empty, for the right priority: golang.org/issue/46123
     */
    if (nullable(n->first)) {
        uint32_t plus = put_plus(p, n, next);

        return plus == TOO_LARGE ? plus : emit_split(p, plus, next, n->lazy);
    }
    uint32_t loop = emit_split(p, TOO_LARGE, next, n->lazy);

    if (loop == TOO_LARGE)
        return loop;
    uint32_t body = put(p, n->first, loop);

    if (n->lazy)
        p->v[loop].y = body;
    else
        p->v[loop].x = body;
    return body == TOO_LARGE ? body : loop;
}

/* x{n,m} as n times x, then (x(x(x)?)?)?, or x* or x+ without an end. */
static uint32_t
put_repeat(struct re_prog *p, const struct re_node *n, uint32_t next)
{
    uint32_t at = next;
    int fixed = n->min;

    if (n->max < 0 && n->min == 0)
        return put_star(p, n, next);
    if (n->max < 0) {
        at = put_plus(p, n, next);
        fixed--;
    }
    for (int i = n->min; i < n->max && at != TOO_LARGE; i++) {
        at = put(p, n->first, at);
        if (at != TOO_LARGE)
            at = emit_split(p, at, next, n->lazy);
    }
    for (int i = 0; i < fixed && at != TOO_LARGE; i++)
        at = put(p, n->first, at);
    return at;
}

static uint32_t
put_list(struct re_prog *p, const struct re_node *n, uint32_t next)
{
    size_t count = 0, i = 0;

    for (const struct re_node *c = n->first; c; c = c->next)
        count++;
    AUTO(mem_free_ptr)
    const struct re_node **v =
        mem_zalloc(count, sizeof(const struct re_node *));
    uint32_t at = next;

    for (const struct re_node *c = n->first; c; c = c->next)
        v[i++] = c;
    for (i = count; i > 0 && at != TOO_LARGE; i--) {
        if (n->op == RE_CONCAT || i == count) {
            at = put(p, v[i - 1], at);
        } else {
            uint32_t one = put(p, v[i - 1], next);

            at = one == TOO_LARGE ? one : emit_split(p, one, at, false);
        }
    }
    return at;
}

static uint32_t
put_capture(struct re_prog *p, const struct re_node *n, uint32_t next)
{
    uint32_t slot = 2 * (uint32_t)n->index;
    uint32_t at = emit(
        p, (struct re_inst){.code = RE_I_SAVE, .x = next, .arg = slot + 1});

    if (at != TOO_LARGE)
        at = put(p, n->first, at);
    if (at != TOO_LARGE)
        at = emit(p, (struct re_inst){.code = RE_I_SAVE, .x = at, .arg = slot});
    return at;
}

static uint32_t
put(struct re_prog *p, const struct re_node *n, uint32_t next)
{
    struct re_inst i = {.x = next};

    switch (n->op) {
    case RE_EMPTY:
        return next;
    case RE_CHAR:
        i.code = RE_I_CHAR;
        i.arg = n->cp;
        return emit(p, i);
    case RE_CLASS:
        i.code = RE_I_CLASS;
        i.class = n->class;
        return emit(p, i);
    case RE_ANY:
    case RE_ANY_NOT_NL:
        i.code = n->op == RE_ANY ? RE_I_ANY : RE_I_ANY_NOT_NL;
        return emit(p, i);
    case RE_CAPTURE:
        return put_capture(p, n, next);
    case RE_REPEAT:
        return put_repeat(p, n, next);
    case RE_CONCAT:
    case RE_ALTERNATE:
        return put_list(p, n, next);
    default:
        i.code = RE_I_ASSERT;
        i.arg = n->op;
        return emit(p, i);
    }
}

/* Does every way through n pass the start of the text first? */
static bool
anchored(const struct re_node *n)
{
    if (n->op == RE_BEGIN_TEXT)
        return true;
    if (n->op == RE_CAPTURE)
        return anchored(n->first);
    if (n->op == RE_CONCAT)
        return n->first && anchored(n->first);
    if (n->op != RE_ALTERNATE)
        return false;
    for (const struct re_node *c = n->first; c; c = c->next) {
        if (!anchored(c))
            return false;
    }
    return true;
}

bool
re_compile_tree(const struct re_tree *t, struct re_prog *p)
{
    uint32_t match = emit(p, (struct re_inst){.code = RE_I_MATCH});

    p->start = put(p, t->root, match);
    p->anchored = anchored(t->root);
    return p->start != TOO_LARGE;
}
