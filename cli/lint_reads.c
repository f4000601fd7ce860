/*
 * What a template reads of the composite resource, and whether its schema has
 * it. No template is run: operands are read from the text between {{ and }},
 * `.observed.composite.resource.spec.x` and variables that stand for a part of
 * it ({{ $spec := $xr.spec }}). What is computed otherwise is left alone.
 */
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "cli/lint.h"

#define XR_PATH "observed.composite.resource"

struct reads {
    struct lint *l;
    const struct source_doc *doc;
    const char *field; /* of the template in the document */
    const struct schema *schema;
    const char *kind;
    struct map vars; /* "$x" -> its path below the XR, fresh */
    unsigned line;   /* of the text, from 1 */
};

/* ---- the schema ---- */

/* Does the schema know what path ("spec.a.b") says? *missing: up to where it
 * does not. */
static bool
knows(const struct schema *s, struct str path, size_t *missing)
{
    const char *start = path.s;
    struct str key;
    bool top = true;

    for (; str_next(&path, '.', &key); top = false) {
        AUTO(mem_free_ptr) char *name = mem_strndup(key.s, key.n);
        const struct schema *next = schema_member(s, name);

        if (top && (str_eqz(key, "apiVersion") || str_eqz(key, "kind") ||
                    str_eqz(key, "metadata")))
            return true;
        if (!next &&
            (schema_info(s)->type != SCHEMA_OBJECT ||
             schema_info(s)->preserve_unknown || !schema_property_count(s)))
            return true;
        if (!next) {
            *missing = (size_t)(key.s + key.n - start);
            return false;
        }
        s = next;
    }
    return true;
}

/* ---- operands ---- */

static bool
is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The dotted operand at text ("$xr.spec.a", ".observed.x"); 0: none. */
static size_t
operand_length(struct str text)
{
    size_t n = 0;

    if (!text.n || (text.s[0] != '$' && text.s[0] != '.'))
        return 0;
    for (n = 1; n < text.n && (is_name(text.s[n]) || text.s[n] == '.'); n++)
        ;
    while (n && text.s[n - 1] == '.')
        n--;
    return n;
}

/* The operand's path below the XR in fresh memory, NULL when it is none. */
static char *
path_of(const struct reads *r, struct str op)
{
    struct str var = op, rest = STR("");
    const char *base;

    if (str_starts(op, STR("$.")))
        op = str_n(op.s + 1, op.n - 1);
    if (str_starts(op, STR("." XR_PATH))) {
        size_t n = sizeof("." XR_PATH) - 1;

        if (op.n > n && op.s[n] != '.')
            return NULL;
        return op.n > n ? mem_strndup(op.s + n + 1, op.n - n - 1)
                        : mem_strdup("");
    }
    if (!op.n || op.s[0] != '$')
        return NULL;
    str_cut(op, '.', &var, &rest);
    base = map_get(&r->vars, var);
    if (!base)
        return NULL;
    return mem_printf("%s%s%.*s", base, *base && rest.n ? "." : "",
                      STR_ARG(rest));
}

static void
check_operand(struct reads *r, struct str op)
{
    AUTO(mem_free_ptr) char *path = path_of(r, op);
    AUTO(mem_free_ptr) char *message = NULL;
    struct json_place at;
    size_t missing;

    if (!path || !*path || knows(r->schema, str_of(path), &missing))
        return;
    at = lint_text_line(r->doc, r->field, r->line);
    message = mem_printf("the template reads %.*s, which the schema of %s does "
                         "not have: it is always absent",
                         (int)missing, path, r->kind);
    lint_add_at(r->l, "unknown-read", r->doc, at, message);
}

/* ---- actions ---- */

/* `$x := $xr.spec`, `$m := default dict $spec.metadata`: what $x stands for;
 * any other assignment makes it unknown. */
static void
take_assignment(struct reads *r, struct str action)
{
    struct str var, value, head, tail;
    char *path = NULL;

    if (!action.n || action.s[0] != '$' || !str_cut(action, '=', &var, &value))
        return;
    var = str_trim(var);
    if (var.n && var.s[var.n - 1] == ':')
        var = str_trim(str_n(var.s, var.n - 1));
    value = str_trim(value);
    if (str_starts(value, STR("default "))) {
        str_cut(value, ' ', &head, &tail);
        str_cut(str_trim(tail), ' ', &head, &value);
        value = str_trim(value);
    }
    if (operand_length(var) == var.n && operand_length(value) == value.n)
        path = path_of(r, value);
    free(path ? map_put(&r->vars, var, path) : map_del(&r->vars, var));
}

static void
check_action(struct reads *r, struct str action)
{
    struct str whole = action;
    unsigned first = r->line;

    /* A comment reads nothing. */
    if (str_starts(str_trim(action), STR("/*")))
        return;
    for (size_t i = 0; i < action.n;) {
        size_t n = operand_length(str_n(action.s + i, action.n - i));
        bool inside = i && (is_name(action.s[i - 1]) || action.s[i - 1] == ')');

        if (action.s[i] == '\n')
            r->line++;
        if (action.s[i] == '"' || action.s[i] == '`') {
            char quote = action.s[i++];

            while (i < action.n && action.s[i] != quote)
                i += action.s[i] == '\\' && quote == '"' ? 2 : 1;
        } else if (n > 1 && !inside) {
            check_operand(r, str_n(action.s + i, n));
            i += n - 1;
        }
        i++;
    }
    r->line = first;
    take_assignment(r, str_trim(whole));
}

static unsigned
newlines(struct str s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.s[i] == '\n';
    return n;
}

/* {{- $a := .b -}}: without braces and trim markers. */
static struct str
inner(struct str action)
{
    if (action.n && action.s[0] == '-')
        action = str_n(action.s + 1, action.n - 1);
    if (action.n && action.s[action.n - 1] == '-')
        action.n--;
    return action;
}

static void
check_text(struct reads *r, struct str text)
{
    size_t at = 0, open, close;

    r->line = 1;
    while ((open = str_find(text, STR("{{"), at)) != SIZE_MAX) {
        struct str action;

        r->line += newlines(str_sub(text, at, open - at));
        close = str_find(text, STR("}}"), open);
        if (close == SIZE_MAX)
            return;
        action = str_sub(text, open + 2, close - open - 2);
        check_action(r, inner(action));
        r->line += newlines(action);
        at = close + 2;
    }
}

void
lint_reads(struct lint *l, const struct source_doc *d)
{
    const struct json *type =
        json_at(d->object, "spec", "compositeTypeRef", NULL);
    const struct json *steps = json_at(d->object, "spec", "pipeline", NULL);
    struct reads r = {
        .l = l, .doc = d, .kind = json_string_or(json_get(type, "kind"), "")};
    size_t i = 0;

    r.schema = schema_set_find(&l->schemas,
                               json_string_or(json_get(type, "apiVersion"), ""),
                               r.kind, NULL);
    for (const struct json *s = json_first(steps); r.schema && s;
         s = json_next(s), i++) {
        const struct json *input = json_get(s, "input");
        const char *text =
            json_string(json_at(input, "inline", "template", NULL));
        AUTO(mem_free_ptr)
        char *field = mem_printf("spec.pipeline[%zu].input.inline.template", i);

        /* Other delimiters are left alone. */
        if (!text || json_get(input, "delims"))
            continue;
        r.field = field;
        check_text(&r, str_of(text));
        map_release(&r.vars, free);
    }
}
