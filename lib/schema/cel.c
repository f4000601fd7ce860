#include "lib/schema/cel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"

/*
 * Compiling: parse, check, then what cel-go's validators and optimizer do with
 * literals: patterns are compiled, conversions are done, and what cannot be is
 * an error right away.
 */

enum { SOURCE_MAX = 100000, ERRORS_MAX = 100 };

/* ---- complaints ---- */

void
cel_complain(struct cel_compiler *c, uint32_t at, const char *fmt, ...)
{
    va_list ap;
    char *text;

    if (c->errors >= ERRORS_MAX)
        return;
    if (c->errors == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 8;
        struct cel_complaint *v = arena_array(c->arena, cap, sizeof(*v));

        if (c->errors)
            memcpy(v, c->complaints, c->errors * sizeof(*v));
        c->complaints = v;
        c->cap = cap;
    }
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    c->complaints[c->errors++] =
        (struct cel_complaint){at, arena_strdup(c->arena, text)};
    free(text);
}

static int
by_place(const void *a, const void *b)
{
    const struct cel_complaint *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* The line with the place below it; what is wide stays wide. */
static void
print_line(struct str line, size_t column, struct buf *out)
{
    uint32_t cp;

    buf_printf(out, "\n | %.*s\n | ", STR_ARG(line));
    for (size_t i = 0, at = 0; i < column; i++) {
        bool wide = at < line.n && line.s[at] & 0x80;

        buf_puts(out, wide ? "\xEF\xBC\x8E" : ".");
        if (at < line.n)
            at += utf8_decode(str_from(line, at), &cp);
    }
    buf_putc(out, '^');
}

static void
print_complaint(struct str source, const struct cel_complaint *e,
                struct buf *out)
{
    struct str before = str_sub(source, 0, MIN((size_t)e->at, source.n)), line;
    size_t number = 1, start = 0;

    if (e->at == UINT32_MAX) {
        buf_printf(out, "ERROR: <input>:-1:0: %s", e->text);
        return;
    }
    for (size_t i = 0; i < before.n; i++) {
        if (before.s[i] == '\n') {
            number++;
            start = i + 1;
        }
    }
    size_t column = utf8_count(str_from(before, start));

    line = str_sub(source, start, str_find(source, STR("\n"), start) - start);
    buf_printf(out, "ERROR: <input>:%zu:%zu: %s", number, column + 1, e->text);
    print_line(line, column, out);
}

static void
print_complaints(struct cel_compiler *c, struct buf *why)
{
    if (c->errors > 1)
        qsort(c->complaints, c->errors, sizeof(*c->complaints), by_place);
    for (size_t i = 0; i < c->errors; i++) {
        if (i)
            buf_putc(why, '\n');
        print_complaint(c->cel->source, &c->complaints[i], why);
    }
}

/* ---- literals ---- */

static bool
is_call(const struct cel_node *n, const char *name)
{
    return n->op == CEL_CALL && str_eqz(n->name, name);
}

static const struct cel_node *
literal(const struct cel_node *n, size_t i)
{
    return i < n->n && n->args[i]->op == CEL_CONST ? n->args[i] : NULL;
}

static void
check_pattern(struct cel_compiler *c, const struct cel_node *n)
{
    const struct cel_node *arg = literal(n, 1);
    AUTO(re_free_ptr) struct re *re = NULL;

    if (!arg || !is_call(n, "matches") || !n->method)
        return;
    re = re_compile(arg->value.s, NULL);
    if (!re)
        cel_complain(c, arg->at, "invalid matches argument");
}

static void
check_time(struct cel_compiler *c, const struct cel_node *n)
{
    const struct cel_node *arg = literal(n, 0);
    struct cel_value v = {.kind = CEL_TIMESTAMP};

    if (!arg)
        return;
    v.time.sec = arg->value.i;
    bool text = arg->value.kind == CEL_STRING;

    if (is_call(n, "duration") &&
        !(text && cel_parse_duration(arg->value.s, &v.i)))
        cel_complain(c, arg->at, "invalid duration argument");
    if (is_call(n, "timestamp") &&
        ((text && !cel_parse_timestamp(arg->value.s, &v)) ||
         !cel_time_in_range(&v)))
        cel_complain(c, arg->at, "invalid timestamp argument");
}

/* Complains about the first part of an argument that its clause cannot take:
 * %s looks into lists and maps. */
static bool
check_argument(struct cel_compiler *c, struct cel_clauses *clauses,
               const struct cel_node *call, const struct cel_node *arg)
{
    AUTO(buf_release) struct buf why = BUF_INIT(4096);
    bool deep = clauses->letter == 's' &&
                (arg->op == CEL_NEW_LIST || arg->op == CEL_NEW_MAP);

    if (!cel_clause_takes(clauses, arg->type, &why)) {
        cel_complain(c, clauses->broken ? call->at : arg->at, "%s",
                     buf_cstr(&why));
        return false;
    }
    for (size_t i = 0; deep && i < arg->n; i++) {
        if (!check_argument(c, clauses, call, arg->args[i]))
            return false;
    }
    return true;
}

static void
check_format(struct cel_compiler *c, const struct cel_node *n)
{
    const struct cel_node *text = literal(n, 0);
    const struct cel_node *list = n->n == 2 ? n->args[1] : NULL;
    struct cel_clauses clauses = {.rest = text ? text->value.s : STR("")};
    size_t i = 0;

    if (!is_call(n, "format") || !text || !list || list->op != CEL_NEW_LIST)
        return;
    for (; cel_next_clause(&clauses); i++) {
        if (i == list->n && !clauses.ends) {
            cel_complain(c, n->at, "index %zu out of range", i);
            return;
        }
        if (!check_argument(c, &clauses, n, i < list->n ? list->args[i] : n))
            return;
    }
    if (list->n > i)
        cel_complain(c, n->at,
                     "too many arguments supplied to string.format (expected "
                     "%zu, got %zu)",
                     i, list->n);
}

static void
check_same(struct cel_compiler *c, const struct cel_node *n, size_t from,
           size_t step)
{
    const struct cel_type *first = NULL;

    for (size_t i = from; i < n->n; i += step) {
        const struct cel_type *t = n->args[i]->type;
        AUTO(buf_release) struct buf want = BUF_INIT(4096);
        AUTO(buf_release) struct buf have = BUF_INIT(4096);

        if (n->optional[i] && t->kind == 'o')
            t = t->a;
        first = first ? first : t;
        cel_type_text(first, &want);
        cel_type_text(t, &have);
        if (str_eq(buf_view(&want), buf_view(&have)))
            continue;
        cel_complain(c, n->args[i]->at, "expected type '%s' but found '%s'",
                     buf_cstr(&want), buf_cstr(&have));
        if (step == 1)
            return;
    }
}

/* mixed: within the arguments of format(), which take anything. */
static void
check_literals(struct cel_compiler *c, struct cel_node *n, bool mixed)
{
    mixed |= is_call(n, "format");
    for (size_t i = 0; i < n->n; i++)
        check_literals(c, n->args[i], mixed);
    check_pattern(c, n);
    check_time(c, n);
    check_format(c, n);
    if (n->op == CEL_NEW_LIST && !mixed)
        check_same(c, n, 0, 1);
    if (n->op == CEL_NEW_MAP && !mixed) {
        check_same(c, n, 0, 2);
        check_same(c, n, 1, 2);
    }
}

/* Whose value is known now: conversions, lists and maps of literals. */
static bool
is_fixed(const struct cel_node *n)
{
    static const char *const names[] = {
        "bool", "bytes",  "double",    "dyn",  "duration",
        "int",  "string", "timestamp", "type", "uint"};
    bool list = n->op == CEL_NEW_LIST || n->op == CEL_NEW_MAP;
    bool known = list;

    for (size_t i = 0; i < n->n; i++) {
        if (n->args[i]->op != CEL_CONST || (list && n->optional[i]))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(names) && !known; i++)
        known = n->n == 1 && is_call(n, names[i]);
    return known;
}

static bool
compile_pattern(struct cel_compiler *c, struct cel_node *n, struct buf *why)
{
    const struct cel_node *arg = literal(n, 1);
    struct error err = {0};

    if (!arg || arg->value.kind != CEL_STRING ||
        (!is_call(n, "matches") && !is_call(n, "find") &&
         !is_call(n, "findAll")))
        return true;
    n->re = re_compile(arg->value.s, &err);
    if (!n->re)
        return !buf_puts(why, err.msg);
    struct cel_pattern *p = arena_alloc(c->arena, sizeof(*p));

    *p = (struct cel_pattern){n->re, c->cel->patterns};
    c->cel->patterns = p;
    return true;
}

/* A list of plain values, which cel-go makes a set of. */
static bool
is_hashed(const struct cel_value *v)
{
    size_t i = 0;

    if (v->kind != CEL_LIST)
        return false;
    while (i < v->list->n && v->list->v[i].kind >= CEL_BOOL &&
           v->list->v[i].kind <= CEL_STRING)
        i++;
    return i == v->list->n;
}

/* What a value that is known now can be looked up by. */
static bool
check_index(const struct cel_node *n, struct buf *why)
{
    static const char *const bad[] = {
        [CEL_NULL] = "types.Null",           [CEL_BYTES] = "types.Bytes",
        [CEL_LIST] = "*types.baseList",      [CEL_MAP] = "*types.baseMap",
        [CEL_TIMESTAMP] = "types.Timestamp", [CEL_DURATION] = "types.Duration",
        [CEL_TYPE] = "*types.Type",
    };
    const struct cel_node *key = n->op == CEL_INDEX ? n->args[1] : NULL;

    if (!key || key->op != CEL_CONST || key->value.kind >= ARRAY_LEN(bad) ||
        !bad[key->value.kind])
        return true;
    return !buf_printf(why, "invalid qualifier type: %s", bad[key->value.kind]);
}

/* Does now what needs no variables; false: it fails. */
static bool
fold(struct cel_compiler *c, struct cel_node *n, struct buf *why)
{
    struct cel_run run = {.arena = c->arena};
    struct cel whole = *c->cel;

    for (size_t i = 0; i < n->n; i++) {
        if (!fold(c, n->args[i], why))
            return false;
    }
    if (!is_fixed(n))
        return check_index(n, why) && compile_pattern(c, n, why);
    whole.root = n;
    whole.variable_count = 0;
    struct cel_value v = cel_eval(&whole, NULL, &run);

    if (v.kind == CEL_ERROR) {
        buf_printf(why, "%.*s", STR_ARG(v.s));
        return false;
    }
    n->op = CEL_CONST;
    n->hashed = is_hashed(&v);
    n->value = v;
    n->n = 0;
    return true;
}

/* ---- an expression ---- */

static bool
compile(struct cel_compiler *c, struct cel_failure *why)
{
    struct cel *cel = c->cel;

    if (cel->source.n > SOURCE_MAX && utf8_count(cel->source) > SOURCE_MAX) {
        cel_complain(c, UINT32_MAX,
                     "expression code point size exceeds limit: size: %zu, "
                     "limit %d",
                     utf8_count(cel->source), SOURCE_MAX);
    } else {
        cel->root = cel_parse(c);
        if (cel->root && cel_check(c))
            check_literals(c, cel->root, false);
    }
    print_complaints(c, why->text);
    if (c->errors || !cel->root)
        return false;
    why->instantiation = true;
    return fold(c, cel->root, why->text);
}

struct cel *
cel_compile(struct str source, const struct cel_variable *variables, size_t n,
            struct cel_failure *why)
{
    struct arena *a = arena_new();
    struct cel *cel = arena_alloc(a, sizeof(*cel));
    struct cel_compiler c = {.cel = cel, .arena = a};
    struct cel_variable *copy = arena_array(a, n + 1, sizeof(*copy));
    AUTO(buf_release) struct buf result = BUF_INIT(1 << 16);

    cel->arena = a;
    cel->source = arena_str(a, source);
    for (size_t i = 0; i < n; i++) {
        copy[i] = variables[i];
        copy[i].name = arena_strdup(a, variables[i].name);
    }
    cel->variables = copy;
    cel->variable_count = cel->slots = n;
    if (!compile(&c, why)) {
        cel_free(cel);
        return NULL;
    }
    cel_type_runtime_text(cel->root->type, &result);
    cel->result = arena_strdup(a, buf_cstr(&result));
    return cel;
}

void
cel_free(struct cel *c)
{
    if (!c)
        return;
    for (struct cel_pattern *p = c->patterns; p; p = p->next)
        re_free(p->re);
    arena_free(c->arena);
}

const char *
cel_result_type(const struct cel *c)
{
    return c->result;
}

bool
cel_uses(const struct cel *c, size_t i)
{
    return c->used >> i & 1;
}

/* ---- values as JSON ---- */

static struct json *to_json(struct cel_eval *e, const struct cel_value *v,
                            unsigned depth, struct error *err);

static struct json *
list_to_json(struct cel_eval *e, const struct cel_list *l, unsigned depth,
             struct error *err)
{
    const struct cel_value *items = cel_list_items(e, l);
    AUTO(json_free_ptr) struct json *out = json_new_array();

    for (size_t i = 0; items && i < l->n; i++) {
        struct json *j = to_json(e, &items[i], depth + 1, err);

        if (!j)
            return NULL;
        json_append(out, j);
    }
    struct json *done = out;

    out = NULL;
    return done;
}

static struct json *
map_to_json(struct cel_eval *e, const struct cel_map *m, unsigned depth,
            struct error *err)
{
    AUTO(json_free_ptr) struct json *out = json_new_object();
    const struct cel_list *keys = cel_map_keys(e, m);

    for (size_t i = 0; keys && i < keys->n; i++) {
        AUTO(buf_release) struct buf name = BUF_INIT(1 << 20);
        struct cel_value v = {.kind = CEL_NULL};

        cel_map_find(e, m, &keys->v[i], &v);
        cel_to_text(&keys->v[i], &name);
        struct json *j = to_json(e, &v, depth + 1, err);

        if (!j)
            return NULL;
        json_set(out, buf_cstr(&name), j);
    }
    struct json *done = out;

    out = NULL;
    return done;
}

static struct json *
to_json(struct cel_eval *e, const struct cel_value *v, unsigned depth,
        struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (depth > 100) {
        error_set(err, ERR_LIMIT, "the value is nested too deeply");
        return NULL;
    }
    switch (v->kind) {
    case CEL_NULL:
        return json_new_null();
    case CEL_BOOL:
        return json_new_bool(v->b);
    case CEL_INT:
        return json_new_int(v->i);
    case CEL_DOUBLE:
        return json_new_double(v->d);
    case CEL_UINT:
        cel_print(v, &b);
        return json_new_number(buf_view(&b));
    case CEL_BYTES:
        digest_base64(v->s, false, &b);
        return json_new_str(buf_view(&b));
    case CEL_STRING:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        cel_to_text(v, &b);
        return json_new_str(buf_view(&b));
    case CEL_LIST:
        return list_to_json(e, v->list, depth, err);
    case CEL_MAP:
        return map_to_json(e, v->map, depth, err);
    case CEL_OPTIONAL:
        return v->some ? to_json(e, v->some, depth + 1, err) : json_new_null();
    default:
        error_set(err, ERR_INVALID, "a %s is no JSON", cel_type_of(v));
        return NULL;
    }
}

struct json *
cel_to_json(struct cel_value v, struct error *err)
{
    struct cel_run run = {.arena = arena_new()};
    struct cel_eval e = {.run = &run};
    struct json *j = to_json(&e, &v, 0, err);

    arena_free(run.arena);
    return j;
}

/* ---- names ---- */

static bool
is_reserved(struct str name)
{
    static const char *const words[] = {
        "true",   "false",    "null",  "in",      "as",        "break",
        "const",  "continue", "else",  "for",     "function",  "if",
        "import", "let",      "loop",  "package", "namespace", "return",
        "var",    "void",     "while",
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqz(name, words[i]))
            return true;
    }
    return false;
}

/* Longest first. */
static const struct {
    const char *plain, *escaped;
} escapes[] = {
    {"__", "underscores"}, {".", "dot"}, {"-", "dash"}, {"/", "slash"}};

bool
cel_escape(struct str name, struct buf *out)
{
    if (!name.n || (name.s[0] >= '0' && name.s[0] <= '9'))
        return false;
    if (is_reserved(name))
        return buf_printf(out, "__%.*s__", STR_ARG(name));
    while (name.n) {
        size_t i = 0;
        char c = name.s[0];

        while (i < ARRAY_LEN(escapes) &&
               !str_starts(name, str_of(escapes[i].plain)))
            i++;
        if (i < ARRAY_LEN(escapes)) {
            buf_printf(out, "__%s__", escapes[i].escaped);
            name = str_from(name, strlen(escapes[i].plain));
            continue;
        }
        if (((c | 0x20) < 'a' || (c | 0x20) > 'z') && (c < '0' || c > '9') &&
            c != '_')
            return false;
        buf_putc(out, c);
        name = str_from(name, 1);
    }
    return true;
}

/* __word__ at the start of s: word, without underscores. */
static bool
escape_at(struct str s, struct str *word)
{
    size_t end = 2;

    if (!str_starts(s, STR("__")))
        return false;
    while (end < s.n && s.s[end] != '_')
        end++;
    *word = str_sub(s, 2, end - 2);
    return end > 2 && str_starts(str_from(s, end), STR("__"));
}

bool
cel_unescape(struct str ident, struct buf *out)
{
    struct str word, s = ident;

    while (s.n) {
        size_t i = 0;

        if (!escape_at(s, &word)) {
            buf_putc(out, s.s[0]);
            s = str_from(s, 1);
            continue;
        }
        while (i < ARRAY_LEN(escapes) && !str_eqz(word, escapes[i].escaped))
            i++;
        if (i < ARRAY_LEN(escapes))
            buf_puts(out, escapes[i].plain);
        else if (is_reserved(word) && word.n + 4 == ident.n)
            buf_str(out, word);
        else
            return false;
        s = str_from(s, word.n + 4);
    }
    return true;
}
