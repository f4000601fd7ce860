#include "lib/compose/template_exec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re.h"

#define MAX_STEPS  ((size_t)2000000)
#define MAX_OUTPUT ((size_t)8 << 20)
#define MAX_MEMORY ((size_t)128 << 20)
#define MAX_DEPTH  1000 /* templates within templates */
#define MAX_STACK  ((ptrdiff_t)4 << 20)

/* walk() calls itself once a level of template: what it would inline makes
 * each level's frame as large as all of its cases together. */
#define OWN_FRAME __attribute__((noinline))

enum walk { WALK_ON, WALK_FAIL, WALK_BREAK, WALK_CONTINUE };

static enum walk walk(struct exec *x, struct value dot, const struct node *n);

/* ---- errors and caps ---- */

/* "NAME:LINE:COLUMN" of a position, as Go counts: column from 0 in bytes. */
static void
location(const struct template *t, size_t pos, struct buf *out)
{
    size_t line = 1, start = 0;

    for (size_t i = 0; i < pos && i < t->text.n; i++) {
        if (t->text.s[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    buf_printf(out, "%.*s:%zu:%zu", STR_ARG(t->name), line, pos - start);
}

static bool
set_error(struct exec *x, enum err_code code, const char *fmt, va_list ap)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

    buf_puts(&text, "template: ");
    location(x->t, x->node->pos, &text);
    buf_puts(&text, ": executing ");
    format_quote(x->tree->name, false, &text);
    buf_puts(&text, " at <");
    template_node_text(x->node, &text);
    buf_puts(&text, ">: ");
    buf_vprintf(&text, fmt, ap);
    return error_set(x->err, code, "%s", buf_cstr(&text));
}

bool
exec_fail(struct exec *x, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_error(x, ERR_INVALID, fmt, ap);
    va_end(ap);
    return false;
}

bool
exec_limit(struct exec *x, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_error(x, ERR_LIMIT, fmt, ap);
    va_end(ap);
    return false;
}

bool
exec_step(struct exec *x)
{
    const char *here = __builtin_frame_address(0);

    if (++x->steps > x->run.max_steps)
        return exec_limit(x, "more than %zu steps", x->run.max_steps);
    if (x->stack - here > MAX_STACK)
        return exec_limit(x, "the template nests too deeply");
    return true;
}

/* ---- variables ---- */

void
exec_push(struct exec *x, struct str name, struct value v)
{
    x->vars =
        mem_grow(x->vars, &x->var_cap, x->var_count + 1, sizeof(*x->vars));
    x->vars[x->var_count++] = (struct variable){name, v};
}

bool
exec_set(struct exec *x, struct str name, struct value v)
{
    for (size_t i = x->var_count; i > x->base; i--) {
        if (str_eq(x->vars[i - 1].name, name)) {
            x->vars[i - 1].v = v;
            return true;
        }
    }
    return exec_fail(x, "undefined variable: %.*s", STR_ARG(name));
}

/* ---- output ---- */

static bool
write_text(struct exec *x, struct str s)
{
    return (buf_str(x->out, s) && x->out->n <= x->run.max_output) ||
           exec_limit(x, "the output is larger than %zu bytes",
                      x->run.max_output);
}

static bool
print_value(struct exec *x, const struct node *n, struct value v)
{
    x->node = n;
    if (v.type == VALUE_NONE)
        return write_text(x, STR("<no value>"));
    if (v.type == VALUE_STRING)
        return write_text(x, v.s);
    format_value(x->a, v, x->out);
    return write_text(x, STR(""));
}

/* ---- control ---- */

static OWN_FRAME enum walk
walk_if(struct exec *x, struct value dot, const struct node *n)
{
    size_t mark = x->var_count;
    enum walk how = WALK_ON;
    struct value v;

    if (!eval_pipeline(x, dot, n->pipe, &v))
        return WALK_FAIL;
    if (value_true(v))
        how = walk(x, n->type == NODE_WITH ? v : dot, n->list);
    else if (n->other)
        how = walk(x, dot, n->other);
    x->var_count = mark;
    return how;
}

/* One turn of a range; mark: the variables to keep after it. */
static enum walk
turn(struct exec *x, const struct node *n, size_t mark, struct value index,
     struct value elem)
{
    const struct node *pipe = n->pipe;
    size_t decls = pipe->decl_count;

    if (decls && pipe->assign) {
        bool ok = decls > 1 ? exec_set(x, pipe->decl[0]->names[0], index) &&
                                  exec_set(x, pipe->decl[1]->names[0], elem)
                            : exec_set(x, pipe->decl[0]->names[0], elem);

        if (!ok)
            return WALK_FAIL;
    } else if (decls) {
        x->vars[x->var_count - 1].v = elem;
        if (decls > 1)
            x->vars[x->var_count - 2].v = index;
    }
    enum walk how = walk(x, elem, n->list);

    x->var_count = mark;
    return how == WALK_CONTINUE ? WALK_ON : how;
}

static enum walk
range_list(struct exec *x, const struct node *n, struct value v, size_t mark)
{
    size_t count;
    const struct value *items = value_items(x->a, v, &count);
    enum walk how = WALK_ON;

    for (size_t i = 0; i < count && how == WALK_ON; i++) {
        struct value elem = items[i];

        elem.boxed = v.list->elem == ELEM_ANY;
        how = turn(x, n, mark, value_int((int64_t)i), elem);
    }
    return how;
}

/* Over a copy: the body may change the map. */
static enum walk
range_map(struct exec *x, const struct node *n, struct value v, size_t mark)
{
    size_t count;
    const struct value_entry *live = value_entries(x->a, v, &count);
    struct value_entry *e = arena_array(x->a, count, sizeof(*e));
    enum walk how = WALK_ON;

    memcpy(e, live, count * sizeof(*e));
    for (size_t i = 0; i < count && how == WALK_ON; i++) {
        e[i].value.boxed =
            v.map->elem == ELEM_ANY || v.map->elem == ELEM_GENERAL;
        how = turn(x, n, mark, value_str(e[i].key), e[i].value);
    }
    return how;
}

static enum walk
range_integer(struct exec *x, const struct node *n, struct value v, size_t mark)
{
    enum walk how = WALK_ON;

    if (n->pipe->decl_count > 1) {
        exec_fail(x, "can't use %lld to iterate over more than one variable",
                  (long long)v.i);
        return WALK_FAIL;
    }
    for (int64_t i = 0; i < v.i && how == WALK_ON; i++) {
        struct value elem = v;

        elem.i = i;
        how = turn(x, n, mark, value_none(), elem);
    }
    return how;
}

static OWN_FRAME enum walk
range_over(struct exec *x, const struct node *n, struct value v, size_t mark,
           bool *empty)
{
    *empty = v.type == VALUE_NONE;
    if (v.type == VALUE_NONE)
        return WALK_ON;
    if (value_is_integer(v)) {
        *empty = v.i <= 0;
        return range_integer(x, n, v, mark);
    }
    if (v.type == VALUE_LIST || v.type == VALUE_MAP) {
        *empty = value_len(v) == 0;
        if (*empty)
            return WALK_ON;
        return v.type == VALUE_LIST ? range_list(x, n, v, mark)
                                    : range_map(x, n, v, mark);
    }
    AUTO(buf_release) struct buf text = BUF_INIT(900);

    format_value(x->a, v, &text);
    exec_fail(x, "range can't iterate over %s", buf_cstr(&text));
    return WALK_FAIL;
}

static OWN_FRAME enum walk
walk_range(struct exec *x, struct value dot, const struct node *n)
{
    size_t before = x->var_count;
    struct value v;
    bool empty;

    if (!eval_pipeline(x, dot, n->pipe, &v))
        return WALK_FAIL;
    enum walk how = range_over(x, n, v, x->var_count, &empty);

    if (how == WALK_ON && empty && n->other)
        how = walk(x, dot, n->other);
    x->var_count = before;
    return how == WALK_BREAK && !empty ? WALK_ON : how;
}

/* Runs tree with a variable stack of its own, where only $ is known. */
static bool
run_tree(struct exec *x, const struct tree *tree, struct value dot)
{
    const struct tree *outer = x->tree;
    size_t base = x->base, mark = x->var_count;

    x->depth++;
    x->tree = tree;
    x->base = mark;
    exec_push(x, STR("$"), dot);
    bool ok = walk(x, dot, tree->root) != WALK_FAIL;

    x->depth--;
    x->tree = outer;
    x->base = base;
    x->var_count = mark;
    return ok;
}

static OWN_FRAME enum walk
walk_template(struct exec *x, struct value dot, const struct node *n)
{
    const struct tree *tree = template_tree(x->t, n->text);
    struct value v;

    if (!tree) {
        AUTO(buf_release) struct buf name = BUF_INIT(900);

        format_quote(n->text, false, &name);
        exec_fail(x, "template %s not defined", buf_cstr(&name));
        return WALK_FAIL;
    }
    if (x->depth >= MAX_DEPTH) {
        exec_limit(x, "exceeded maximum template depth (%d)", MAX_DEPTH);
        return WALK_FAIL;
    }
    if (!eval_pipeline(x, dot, n->pipe, &v) || !run_tree(x, tree, v))
        return WALK_FAIL;
    return WALK_ON;
}

static OWN_FRAME enum walk
walk_action(struct exec *x, struct value dot, const struct node *n)
{
    struct value v;

    if (!eval_pipeline(x, dot, n->pipe, &v) ||
        (!n->pipe->decl_count && !print_value(x, n, v)))
        return WALK_FAIL;
    return WALK_ON;
}

static enum walk
walk(struct exec *x, struct value dot, const struct node *n)
{
    enum walk how = WALK_ON;

    x->node = n;
    if (!exec_step(x))
        return WALK_FAIL;
    switch (n->type) {
    case NODE_TEXT:
        return write_text(x, n->text) ? WALK_ON : WALK_FAIL;
    case NODE_ACTION:
        return walk_action(x, dot, n);
    case NODE_IF:
    case NODE_WITH:
        return walk_if(x, dot, n);
    case NODE_RANGE:
        return walk_range(x, dot, n);
    case NODE_TEMPLATE:
        return walk_template(x, dot, n);
    case NODE_BREAK:
        return WALK_BREAK;
    case NODE_CONTINUE:
        return WALK_CONTINUE;
    default: /* NODE_LIST */
        for (size_t i = 0; i < n->n && how == WALK_ON; i++)
            how = walk(x, dot, n->kids[i]);
        return how;
    }
}

bool
exec_include(struct call *c, struct str name, struct value data,
             struct buf *out)
{
    struct exec *x = c->exec;
    const struct tree *tree = template_tree(x->t, name);
    const struct node *node = x->node;
    struct error *err = x->err;
    struct buf *outer = x->out;

    if (!tree) {
        buf_puts(&c->text, "template: no template ");
        format_quote(name, false, &c->text);
        buf_puts(&c->text, " associated with template ");
        format_quote(x->t->name, false, &c->text);
        return call_fail(c, "%s", buf_cstr(&c->text));
    }
    if (x->depth >= MAX_DEPTH)
        return call_limit(c,
                          "rendering template has a nested reference name: "
                          "%.*s: unable to execute template",
                          STR_ARG(name));
    x->out = out;
    x->err = &c->err;
    bool ok = run_tree(x, tree, data);

    x->out = outer;
    x->err = err;
    x->node = node;
    return ok;
}

/* ---- the door ---- */

static void
free_pattern(void *re)
{
    re_free(re);
}

static void
defaults(struct template_run *run)
{
    if (!run->max_steps)
        run->max_steps = MAX_STEPS;
    if (!run->max_output)
        run->max_output = MAX_OUTPUT;
    if (!run->max_memory)
        run->max_memory = MAX_MEMORY;
}

bool
template_option(struct template_run *run, struct str option, struct error *err)
{
    static const struct {
        const char *text;
        enum template_missing how;
    } known[] = {
        {"missingkey=default", MISSING_DEFAULT},
        {"missingkey=invalid", MISSING_DEFAULT},
        {"missingkey=zero", MISSING_ZERO},
        {"missingkey=error", MISSING_ERROR},
    };

    if (!option.n)
        return error_set(err, ERR_INVALID, "empty option string");
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_eqz(option, known[i].text)) {
            run->missing_key = known[i].how;
            return true;
        }
    }
    return error_set(err, ERR_INVALID, "unrecognized option: %.*s",
                     STR_ARG(option));
}

bool
template_execute(const struct template *t, struct value data,
                 const struct template_run *run, struct buf *out,
                 struct error *err)
{
    struct exec x = {.t = t, .run = *run, .a = run->arena, .out = out};

    x.tree = template_tree(t, t->name);
    x.err = err;
    x.stack = __builtin_frame_address(0);
    x.memory = arena_size(x.a);
    defaults(&x.run);
    x.call = (struct call){.a = x.a,
                           .run = &x.run,
                           .exec = &x,
                           .random = run->seed,
                           .max_text = x.run.max_output,
                           .max_work = x.run.max_steps * 8};
    x.call.text = BUF_INIT(x.run.max_output);
    x.base = 0;
    /* Go's first state has depth 0: a template in it has depth 1. */
    x.depth = 0;
    exec_push(&x, STR("$"), data);
    bool ok = walk(&x, data, x.tree->root) != WALK_FAIL;

    buf_release(&x.call.text);
    map_release(&x.call.patterns, free_pattern);
    free(x.vars);
    return ok;
}
