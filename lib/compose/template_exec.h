/*
 * template_exec.h - the state of one execution (private to lib/compose).
 *
 * What: template_exec.c walks the nodes that make output, template_eval.c
 * computes pipelines and calls functions; both share this.
 * Invariants: node is the one evaluated last: errors name it, as in Go.
 */
#ifndef LIB_COMPOSE_TEMPLATE_EXEC_H
#define LIB_COMPOSE_TEMPLATE_EXEC_H

#include "lib/compose/template_tree.h"

struct variable {
    struct str name;
    struct value v;
};

struct exec {
    const struct template *t;
    struct template_run run; /* the defaults filled in */
    struct arena *a;
    struct call call;
    struct buf *out;
    const struct node *node;
    const struct tree *tree; /* the template that runs */
    struct variable *vars;   /* a stack; this template's start at base */
    size_t var_count, var_cap, base;
    unsigned depth; /* of templates and includes */
    size_t steps;
    const char *stack; /* where our C stack began */
    size_t memory;     /* of the arena at the start */
    struct error *err;
};

/* Fails in Go's words: "template: T:1:2: executing "T" at <.x>: ...". */
bool exec_fail(struct exec *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same with ERR_LIMIT. */
bool exec_limit(struct exec *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Counts one step; false when a cap is reached. */
bool exec_step(struct exec *x);
void exec_push(struct exec *x, struct str name, struct value v);
bool exec_set(struct exec *x, struct str name, struct value v);

/* A pipeline's value, its variables declared or assigned. pipe == NULL gives
 * VALUE_NONE. */
bool eval_pipeline(struct exec *x, struct value dot, const struct node *pipe,
                   struct value *out);

#endif
