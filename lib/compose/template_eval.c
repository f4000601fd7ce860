/* Pipelines, commands, fields and calls. */
#include <stdarg.h>
#include <stdio.h>

#include "lib/compose/template_exec.h"

static bool eval_arg(struct exec *x, struct value dot, char type,
                     const struct node *n, struct value *out);

/* ---- types of parameters ---- */

static const char *
parameter_name(char type)
{
    switch (type) {
    case 's':
        return "string";
    case 'i':
        return "int";
    case 'f':
        return "float64";
    case 'b':
        return "bool";
    case 'm':
        return "map[string]interface {}";
    case 't':
        return "time.Time";
    case 'u':
        return "uint32";
    case 'L':
        return "[]interface {}";
    case 'C':
        return FUNC_CERTIFICATE;
    case 'v':
        return "reflect.Value";
    default:
        return "interface {}";
    }
}

static bool
fits(char type, struct value v)
{
    switch (type) {
    case 's':
        return v.type == VALUE_STRING && !v.name;
    case 'i':
        return v.type == VALUE_INT;
    case 'f':
        return v.type == VALUE_FLOAT;
    case 'b':
        return v.type == VALUE_BOOL;
    case 'm':
        return v.type == VALUE_MAP && v.map->elem == ELEM_ANY;
    case 't':
        return v.type == VALUE_TIME && !v.name;
    case 'u':
        return false;
    case 'L':
        return v.type == VALUE_LIST && v.list->elem == ELEM_ANY;
    case 'C':
        return v.type == VALUE_STRUCT &&
               strcmp(v.st->type, FUNC_CERTIFICATE) == 0;
    default:
        return true;
    }
}

/* text/template's validateType: what an argument may be. */
static bool
validate(struct exec *x, char type, struct value *v)
{
    if (v->type == VALUE_NONE) {
        if (type == 'a')
            *v = value_nil();
        else if (type == 'm')
            *v = value_nil_map(x->a, ELEM_ANY);
        else if (type == 'L')
            *v = value_nil_list(x->a, ELEM_ANY);
        else if (type != 'v')
            return exec_fail(x, "invalid value; expected %s",
                             parameter_name(type));
        return true;
    }
    if (!fits(type, *v))
        return exec_fail(x, "wrong type for value; expected %s; got %s",
                         parameter_name(type),
                         v->type == VALUE_NIL ? "interface {}"
                                              : value_type_name(*v));
    if (type != 'v')
        v->boxed = false;
    return true;
}

/* ---- fields ---- */

static bool
map_field(struct exec *x, struct str name, struct value map, struct value *out)
{
    if (value_get(x->a, map, name, out))
        return true;
    switch (x->run.missing_key) {
    case MISSING_DEFAULT:
        *out = value_none();
        return true;
    case MISSING_ZERO:
        *out = map.map->elem == ELEM_STRING ? value_str(STR("")) : value_nil();
        out->boxed = map.map->elem == ELEM_ANY;
        return true;
    case MISSING_ERROR:
        break;
    }
    return exec_fail(x, "map has no entry for key \"%.*s\"", STR_ARG(name));
}

/* What stands behind the last field of a chain. */
struct arguments {
    struct value dot;
    struct node *const *v;
    size_t n;
    const struct value *final;
};

static const struct arguments no_arguments;

static bool eval_call(struct exec *x, const struct arguments *args,
                      const struct func *f, const struct node *at,
                      const struct value *receiver, struct value *out);

static bool
eval_field(struct exec *x, struct str name, const struct arguments *args,
           struct value from, struct value *out)
{
    bool has_args = args->n || args->final;
    const struct func *method = func_method(from, name);

    if (method)
        return eval_call(x, args, method, x->node, &from, out);
    switch (from.type) {
    case VALUE_NONE:
        if (x->run.missing_key == MISSING_ERROR)
            return exec_fail(x, "nil data; no entry for key \"%.*s\"",
                             STR_ARG(name));
        *out = from;
        return true;
    case VALUE_NIL:
        return exec_fail(x, "nil pointer evaluating interface {}.%.*s",
                         STR_ARG(name));
    case VALUE_MAP:
        if (has_args)
            return exec_fail(x, "%.*s is not a method but has arguments",
                             STR_ARG(name));
        return map_field(x, name, from, out);
    case VALUE_STRUCT:
        for (size_t i = 0; i < from.st->n; i++) {
            if (!str_eq(from.st->fields[i].key, name))
                continue;
            *out = from.st->fields[i].value;
            return !has_args ||
                   exec_fail(x,
                             "%.*s has arguments but cannot be invoked as "
                             "function",
                             STR_ARG(name));
        }
        break;
    default:
        break;
    }
    return exec_fail(x, "can't evaluate field %.*s in type %s", STR_ARG(name),
                     from.boxed ? "interface {}" : value_type_name(from));
}

static bool
eval_names(struct exec *x, const struct str *names, size_t n,
           const struct arguments *args, struct value from, struct value *out)
{
    for (size_t i = 0; i < n; i++) {
        if (!eval_field(x, names[i], i + 1 == n ? args : &no_arguments, from,
                        &from))
            return false;
    }
    *out = from;
    return true;
}

static bool
eval_variable(struct exec *x, const struct node *n,
              const struct arguments *args, struct value *out)
{
    x->node = n;
    size_t i = x->var_count;

    while (i > x->base && !str_eq(x->vars[i - 1].name, n->names[0]))
        i--;
    if (i == x->base)
        return exec_fail(x, "undefined variable: %.*s", STR_ARG(n->names[0]));
    if (n->name_count == 1 && (args->n || args->final)) {
        return exec_fail(x, "can't give argument to non-function %.*s",
                         STR_ARG(n->text));
    }
    return eval_names(x, n->names + 1, n->name_count - 1, args,
                      x->vars[i - 1].v, out);
}

static bool
eval_chain(struct exec *x, struct value dot, const struct node *n,
           const struct arguments *args, struct value *out)
{
    struct value from;

    x->node = n;
    if (n->kids[0]->type == NODE_NIL)
        return exec_fail(x, "indirection through explicit nil in nil%.*s",
                         STR_ARG(n->text));
    return eval_arg(x, dot, 'v', n->kids[0], &from) &&
           eval_names(x, n->names, n->name_count, args, from, out);
}

/* ---- calls ---- */

/* The letter of parameter i; '\0' past the last. */
static char
parameter(const char *signature, size_t i)
{
    size_t n = strlen(signature);
    bool variadic = n && signature[n - 1] == '+';

    n -= variadic;
    if (i < n)
        return signature[i];
    return variadic ? signature[n - 1] : '\0';
}

static bool
check_count(struct exec *x, const struct func *f, size_t given,
            size_t with_final)
{
    size_t want = strlen(f->signature);
    bool variadic = want && f->signature[want - 1] == '+';

    want -= variadic ? 2 : 0;
    if (variadic && with_final < want)
        return exec_fail(
            x, "wrong number of args for %s: want at least %zu got %zu",
            f->name, want, given);
    if (!variadic && with_final != want)
        return exec_fail(x, "wrong number of args for %s: want %zu got %zu",
                         f->name, want, with_final);
    return true;
}

/* and, or: stop at the first operand that decides. */
static bool
short_circuit(struct exec *x, const struct arguments *args,
              const struct func *f, struct value *out)
{
    bool stop_at = f->name[0] == 'o';

    for (size_t i = 0; i < args->n; i++) {
        if (!eval_arg(x, args->dot, 'v', args->v[i], out))
            return false;
        if (value_true(*out) == stop_at)
            return true;
    }
    if (args->final)
        *out = *args->final;
    return true;
}

static bool call_failed(struct exec *x, const struct func *f,
                        const struct node *at);

/* call: templates have no function values. */
static bool
call_value(struct exec *x, const struct arguments *args, const struct func *f,
           const struct node *at)
{
    AUTO(buf_release) struct buf name = BUF_INIT(900);
    struct value fn = value_none(), unused;

    for (size_t i = 0; i < args->n; i++) {
        if (!eval_arg(x, args->dot, 'v', args->v[i], i ? &unused : &fn))
            return false;
    }
    if (args->n)
        template_node_text(args->v[0], &name);
    else
        fn = *args->final;
    if (!args->n && fn.type == VALUE_STRING)
        buf_str(&name, fn.s);
    else if (!args->n)
        buf_printf(&name, "<%s Value>", value_type_name(fn));
    if (fn.type == VALUE_NIL || fn.type == VALUE_NONE)
        call_fail(&x->call, "call of nil");
    else
        call_fail(&x->call, "non-function %s of type %s", buf_cstr(&name),
                  value_type_name(fn));
    return call_failed(x, f, at);
}

/* Puts the call's error into ours. What an include met at a cap stands as it
 * is; a thousand of them would only wrap it. */
static bool
call_failed(struct exec *x, const struct func *f, const struct node *at)
{
    struct error *cause = &x->call.err;
    const char *why = arena_strdup(x->a, cause->msg);
    bool limit = cause->code == ERR_LIMIT;

    *cause = (struct error){0};
    if (limit && strncmp(why, "template: ", 10) == 0)
        return error_set(x->err, ERR_LIMIT, "%s", why);
    x->node = at;
    if (limit)
        return exec_limit(x, "error calling %s: %s", f->name, why);
    return exec_fail(x, "error calling %s: %s", f->name, why);
}

static bool
run_function(struct exec *x, const struct func *f, const struct node *at,
             const struct value *argv, size_t n, struct value *out)
{
    struct call *c = &x->call;
    size_t bytes = 0;

    buf_reset(&c->text);
    for (size_t i = 0; i < n; i++)
        bytes += argv[i].type == VALUE_STRING ? argv[i].s.n : 0;
    if (!call_work(c, bytes / 16) || !f->fn(c, argv, n, out) ||
        !call_work(c, c->text.n / 16))
        return call_failed(x, f, at);
    if (arena_size(x->a) - x->memory > x->run.max_memory) {
        x->node = at;
        return exec_limit(x, "more than %zu bytes of memory used",
                          x->run.max_memory);
    }
    return true;
}

#define FEW 8 /* arguments that need no arena */

/* at: the node an error names. */
static bool
eval_call(struct exec *x, const struct arguments *args, const struct func *f,
          const struct node *at, const struct value *receiver,
          struct value *out)
{
    struct value few[FEW], *argv = few;
    size_t n = args->n, count = n + (args->final != NULL);

    if (!check_count(x, f, n, count))
        return false;
    if (!f->fn && f->name[0] == 'c')
        return call_value(x, args, f, at);
    if (!f->fn)
        return short_circuit(x, args, f, out);
    if (count > FEW)
        argv = arena_array(x->a, count, sizeof(*argv));
    for (size_t i = 0; i < n; i++) {
        if (!eval_arg(x, args->dot, parameter(f->signature, i), args->v[i],
                      &argv[i]))
            return false;
    }
    if (args->final) {
        argv[n] = *args->final;
        if (!validate(x, parameter(f->signature, n), &argv[n]))
            return false;
    }
    if (receiver)
        x->call.receiver = *receiver;
    *out = value_none();
    return run_function(x, f, at, argv, count, out);
}

/* ---- constants ---- */

static bool
bad_constant(struct exec *x, const char *fmt_type, const struct node *n)
{
    AUTO(buf_release) struct buf text = BUF_INIT(900);

    template_node_text(n, &text);
    return exec_fail(x, "expected %s; found %s", fmt_type, buf_cstr(&text));
}

/* A number by its look: 1 is an int, 1.0 a float64. */
static bool
ideal_number(struct exec *x, const struct node *n, struct value *out)
{
    bool hex = n->text.n > 2 && n->text.s[0] == '0' &&
               (n->text.s[1] | 0x20) == 'x' &&
               !memchr(n->text.s, 'p', n->text.n) &&
               !memchr(n->text.s, 'P', n->text.n);
    bool floating = false;

    x->node = n;
    for (size_t i = 0; i < n->text.n && !hex && n->text.s[0] != '\''; i++)
        floating |= strchr(".eEpP", n->text.s[i]) != NULL;
    if (n->is_float && floating)
        *out = value_float(n->f);
    else if (n->is_int)
        *out = value_int(n->i);
    else
        return exec_fail(x, "%.*s overflows int", STR_ARG(n->text));
    return true;
}

static bool
any_constant(struct exec *x, const struct node *n, struct value *out)
{
    x->node = n;
    switch (n->type) {
    case NODE_BOOL:
        *out = value_bool(n->truth);
        return true;
    case NODE_STRING:
        *out = value_str(n->unquoted);
        return true;
    default:
        return ideal_number(x, n, out);
    }
}

static bool
typed_constant(struct exec *x, char type, const struct node *n,
               struct value *out)
{
    AUTO(buf_release) struct buf text = BUF_INIT(900);

    switch (type) {
    case 'b':
        *out = value_bool(n->type == NODE_BOOL && n->truth);
        return n->type == NODE_BOOL || bad_constant(x, "bool", n);
    case 's':
        if (n->type != NODE_STRING)
            return bad_constant(x, "string", n);
        *out = value_str(n->unquoted);
        return true;
    case 'i':
        if (n->type != NODE_NUMBER || !n->is_int)
            return bad_constant(x, "integer", n);
        *out = value_int(n->i);
        return true;
    case 'f':
        if (n->type != NODE_NUMBER || !n->is_float)
            return bad_constant(x, "float", n);
        *out = value_float(n->f);
        return true;
    case 'u':
        if (n->type != NODE_NUMBER || !n->is_uint)
            return bad_constant(x, "unsigned integer", n);
        *out = value_int((int64_t)(n->u & UINT32_MAX));
        return true;
    case 'm':
    case 't':
    case 'L':
    case 'C':
        template_node_text(n, &text);
        return exec_fail(x, "can't handle %s for arg of type %s",
                         buf_cstr(&text), parameter_name(type));
    default:
        return any_constant(x, n, out);
    }
}

/* ---- arguments ---- */

static bool
nil_arg(struct exec *x, char type, struct value *out)
{
    if (type == 'a')
        *out = value_nil();
    else if (type == 'v')
        *out = value_none();
    else if (type == 'm')
        *out = value_nil_map(x->a, ELEM_ANY);
    else if (type == 'L')
        *out = value_nil_list(x->a, ELEM_ANY);
    else
        return exec_fail(x, "cannot assign nil to %s", parameter_name(type));
    return true;
}

static bool
eval_arg(struct exec *x, struct value dot, char type, const struct node *n,
         struct value *out)
{
    const struct arguments none = {.dot = dot};
    bool ok;

    x->node = n;
    switch (n->type) {
    case NODE_DOT:
        *out = dot;
        ok = true;
        break;
    case NODE_NIL:
        return nil_arg(x, type, out);
    case NODE_FIELD:
        ok = eval_names(x, n->names, n->name_count, &none, dot, out);
        break;
    case NODE_VARIABLE:
        ok = eval_variable(x, n, &none, out);
        break;
    case NODE_PIPE:
        ok = eval_pipeline(x, dot, n, out);
        break;
    case NODE_IDENTIFIER:
        ok = eval_call(x, &none, n->func, n, NULL, out);
        break;
    case NODE_CHAIN:
        ok = eval_chain(x, dot, n, &none, out);
        break;
    default:
        return typed_constant(x, type, n, out);
    }
    return ok && validate(x, type, out);
}

/* ---- commands and pipelines ---- */

static bool
eval_command(struct exec *x, struct value dot, const struct node *cmd,
             const struct value *final, struct value *out)
{
    const struct node *first = cmd->kids[0];
    const struct arguments args = {dot, cmd->kids + 1, cmd->n - 1, final};

    switch (first->type) {
    case NODE_FIELD:
        x->node = first;
        return eval_names(x, first->names, first->name_count, &args, dot, out);
    case NODE_CHAIN:
        return eval_chain(x, dot, first, &args, out);
    case NODE_IDENTIFIER:
        x->node = first;
        return eval_call(x, &args, first->func, cmd, NULL, out);
    case NODE_VARIABLE:
        return eval_variable(x, first, &args, out);
    default:
        break;
    }
    if (first->type != NODE_PIPE)
        x->node = first;
    if (args.n || final) {
        AUTO(buf_release) struct buf text = BUF_INIT(900);

        template_node_text(first, &text);
        return exec_fail(x, "can't give argument to non-function %s",
                         buf_cstr(&text));
    }
    switch (first->type) {
    case NODE_PIPE:
        return eval_pipeline(x, dot, first, out);
    case NODE_DOT:
        *out = dot;
        return true;
    case NODE_NIL:
        return exec_fail(x, "nil is not a command");
    default:
        return any_constant(x, first, out);
    }
}

bool
eval_pipeline(struct exec *x, struct value dot, const struct node *pipe,
              struct value *out)
{
    struct value v = value_none(), final;

    *out = v;
    if (!pipe)
        return true;
    x->node = pipe;
    for (size_t i = 0; i < pipe->n; i++) {
        final = v;
        if (!exec_step(x) ||
            !eval_command(x, dot, pipe->kids[i], i ? &final : NULL, &v))
            return false;
        v.boxed = false;
        if (v.type == VALUE_NIL)
            v.type = VALUE_NONE;
    }
    for (size_t i = 0; i < pipe->decl_count; i++) {
        struct str name = pipe->decl[i]->names[0];

        if (!pipe->assign)
            exec_push(x, name, v);
        else if (!exec_set(x, name, v))
            return false;
    }
    *out = v;
    return true;
}
