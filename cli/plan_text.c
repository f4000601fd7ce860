#include "cli/plan_text.h"

#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "cli/columns.h"
#include "cli/inplace.h"

static const struct {
    const char *sign, *color;
} signs[] = {
    [MESH_ADD] = {"+", "\033[32m"},      [MESH_CHANGE] = {"~", "\033[33m"},
    [MESH_DESTROY] = {"-", "\033[31m"},  [MESH_KEEP] = {"=", "\033[2m"},
    [MESH_CONFLICT] = {"!", "\033[31m"}, [MESH_REPLACE] = {"-/+", "\033[35m"},
};

static const struct {
    const char *text, *color;
} weights[] = {
    [MESH_INFO] = {"note: ", "\033[2m"},
    [MESH_WARN] = {"warning: ", "\033[33m"},
    [MESH_BLOCK] = {"blocked: ", "\033[31m"},
};

/* ---- style ---- */

bool
plan_style_of(struct plan_style *s, const struct args *a, FILE *out,
              struct error *err)
{
    static const char *const words[] = {
        [PLAN_ROWS] = "none", [PLAN_CHANGES] = "changes", [PLAN_FULL] = "full"};
    const char *word = args_get(a, "diff", words[PLAN_CHANGES]);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        *s = (struct plan_style){
            .color = isatty(fileno(out)) &&
                     inplace_colors(args_has(a, "no-color")) > 0,
            .width = columns_of_terminal(),
            .depth = (enum plan_depth)i,
            .out = out,
        };
        return true;
    }
    return error_set(err, ERR_USAGE,
                     "--diff %s: there are none, changes and full", word);
}

const char *
plan_sign(enum mesh_sign sign)
{
    return signs[sign].sign;
}

const char *
plan_color(const struct plan_style *s, enum mesh_sign sign)
{
    return s->color ? signs[sign].color : "";
}

const char *
plan_color_end(const struct plan_style *s)
{
    return s->color ? "\033[0m" : "";
}

static void
put(const char *z, const struct plan_style *s)
{
    columns_text(str_of(z), false, s->out);
}

/* ---- fields ---- */

static size_t
width_of(const char *z)
{
    return z ? utf8_columns(str_of(z)) : 0;
}

/* The first part of s that fits in room columns, a character at least. */
static struct str
fitting(struct str s, size_t room)
{
    size_t n = 0, used = 0;
    uint32_t cp;

    while (n < s.n) {
        size_t bytes = utf8_decode(str_from(s, n), &cp);
        int width = utf8_width(cp);

        used += width > 0 ? (size_t)width : 0;
        if (n && used > room)
            break;
        n += MAX(bytes, (size_t)1);
    }
    return str_sub(s, 0, n);
}

/* A value below its path, broken where it must be. */
static void
put_below(const char *sign, const char *value, size_t indent,
          const struct plan_style *s)
{
    if (!value)
        return;
    size_t room = s->width > indent + 22 ? s->width - indent - 2 : 20;
    struct str rest = str_of(value);

    do {
        struct str line = fitting(rest, room);

        fprintf(s->out, "%*s%s ", (int)indent, "", sign);
        columns_text(line, false, s->out);
        fputc('\n', s->out);
        rest = str_from(rest, line.n);
        sign = " ";
    } while (rest.n);
}

void
plan_text_diff(const struct mesh_diff *d, size_t indent,
               const struct plan_style *s)
{
    size_t n = indent + width_of(d->path) + 6 + width_of(d->before) +
               MAX(width_of(d->after), sizeof("(removed)"));

    fprintf(s->out, "%*s", (int)indent, "");
    put(d->path, s);
    if (n > s->width) {
        fputs(!d->after ? ": (removed)\n" : ":\n", s->out);
        put_below("-", d->before, indent + 2, s);
        put_below("+", d->after, indent + 2, s);
        return;
    }
    fputs(": ", s->out);
    if (d->before)
        put(d->before, s);
    if (d->before && d->after)
        fputs(" -> ", s->out);
    if (d->after)
        put(d->after, s);
    fputs(!d->after ? " (removed)\n" : "\n", s->out);
}

/* A new object's fields only repeat the manifest, unless asked for. */
static void
print_fields(const struct mesh_plan *p, const struct mesh_plan_item *i,
             const struct plan_style *s)
{
    const struct mesh_diff *diff = i->diff;
    size_t n = i->diff_n;
    bool secret = strcmp(i->kind, "Secret") == 0;

    if (s->depth == PLAN_ROWS || (i->sign == MESH_ADD && s->depth < PLAN_FULL))
        return;
    if (i->sign == MESH_ADD && !secret)
        diff = mesh_diff_of(NULL, i->object, p->a, &n);
    for (size_t d = 0; d < n; d++)
        plan_text_diff(&diff[d], 6 + 2 * i->depth, s);
}

/* ---- objects ---- */

static void
print_item(const struct mesh_plan_item *i, const struct plan_style *s)
{
    fprintf(s->out, "%*s%s%s%s ", (int)(2 + 2 * i->depth), "",
            plan_color(s, i->sign), signs[i->sign].sign, plan_color_end(s));
    put(i->kind, s);
    fputs(" ", s->out);
    if (*i->ns) {
        put(i->ns, s);
        fputs("/", s->out);
    }
    put(i->name, s);
    if (*i->resource) {
        fputs("  [", s->out);
        put(i->resource, s);
        fputs("]", s->out);
    }
    if (*i->note) {
        fputs("  (", s->out);
        put(i->note, s);
        fputs(")", s->out);
    }
    fputs("\n", s->out);
}

static void
print_note(const struct mesh_note *n, const struct plan_style *s)
{
    const char *word = weights[n->weight].text;

    fprintf(s->out, "  %s%s%s", s->color ? weights[n->weight].color : "", word,
            plan_color_end(s));
    columns_wrap(str_of(n->text), 2 + strlen(word), s->width, s->out);
}

void
plan_text(const struct mesh_plan *p, const struct plan_style *s)
{
    for (size_t i = 0; i < p->items_n; i++) {
        const struct mesh_plan_item *item = &p->items[i];
        bool quiet = item->sign == MESH_KEEP && item->depth && !*item->note;

        /* What stays below as it is says nothing, unless there is a why. */
        if (quiet && s->depth < PLAN_FULL)
            continue;
        print_item(item, s);
        print_fields(p, item, s);
    }
    for (size_t i = 0; i < p->notes_n; i++)
        print_note(&p->notes[i], s);
}

void
plan_text_total(const struct plan_total *t, const struct plan_style *s)
{
    fprintf(s->out, "Plan: %zu to add, %zu to change, %zu to destroy", t->add,
            t->change, t->destroy);
    if (t->replace)
        fprintf(s->out, ", %zu to replace", t->replace);
    fputs(".\n", s->out);
    if (t->incomplete)
        fputs("The plan is not complete: see the warnings above.\n", s->out);
}
