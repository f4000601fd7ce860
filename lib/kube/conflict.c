#include "lib/kube/conflict.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define CONFLICTS_MAX 256

/* ---- who ---- */

/* Go's %q of a name, as far as managers need it: \" and \\. Takes it off
 * *rest. */
static bool
take_quoted(struct str *rest, char **out)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);
    size_t i = 1;

    if (!str_starts(*rest, STR("\"")))
        return false;
    for (; i < rest->n && rest->s[i] != '"'; i++) {
        if (rest->s[i] == '\\' && i + 1 < rest->n)
            i++;
        buf_putc(&b, rest->s[i]);
    }
    if (i >= rest->n) {
        buf_release(&b);
        return false;
    }
    free(*out);
    *out = mem_strdup(buf_cstr(&b));
    buf_release(&b);
    *rest = str_from(*rest, i + 1);
    return true;
}

/* A word after `before`, up to a space, a newline or ':' before them. */
static void
take_word(struct str *rest, struct str before, char **out)
{
    size_t n = 0;

    if (!str_starts(*rest, before))
        return;
    *rest = str_from(*rest, before.n);
    while (n < rest->n && rest->s[n] != ' ' && rest->s[n] != '\n')
        n++;
    struct str word = str_sub(*rest, 0, n);

    *rest = str_from(*rest, n);
    if (str_ends(word, STR(":"))) {
        word.n--;
        *rest = (struct str){rest->s - 1, rest->n + 1};
    }
    free(*out);
    *out = mem_strndup(word.s, word.n);
}

/* `"name" with subresource "status" using v1 at TIME`, taken off *rest. */
static bool
take_manager(struct str *rest, struct kube_conflict *c)
{
    if (!take_quoted(rest, &c->manager))
        return false;
    if (str_starts(*rest, STR(" with subresource "))) {
        *rest = str_from(*rest, strlen(" with subresource "));
        take_quoted(rest, &c->sub);
    }
    take_word(rest, STR(" using "), &c->version);
    take_word(rest, STR(" at "), &c->time);
    return true;
}

/* ---- lists ---- */

static void
conflict_release(struct kube_conflict *c)
{
    free(c->field);
    free(c->manager);
    free(c->sub);
    free(c->version);
    free(c->time);
}

static struct kube_conflict *
add(struct kube_conflicts *out)
{
    struct kube_conflict *c;

    if (!out->v)
        out->v = mem_zalloc(CONFLICTS_MAX, sizeof(*out->v));
    if (out->n == CONFLICTS_MAX)
        return NULL;
    c = &out->v[out->n++];
    c->field = mem_strdup("");
    c->manager = mem_strdup("");
    c->sub = mem_strdup("");
    c->version = mem_strdup("");
    c->time = mem_strdup("");
    return c;
}

static void
set_field(struct kube_conflict *c, struct str field)
{
    field = str_trim(field);
    free(c->field);
    c->field = mem_strndup(field.s ? field.s : "", field.n);
}

static void
read_causes(const struct kube_status *s, struct kube_conflicts *out)
{
    struct str with = STR("conflict with ");

    for (size_t i = 0; i < s->causes_n; i++) {
        const struct kube_cause *cause = &s->causes[i];
        struct str rest = str_of(cause->message);
        struct kube_conflict *c = NULL;

        if (str_eqz(str_of(cause->reason), "FieldManagerConflict"))
            c = add(out);
        if (!c)
            continue;
        set_field(c, str_of(cause->field));
        if (str_starts(rest, with))
            rest = str_from(rest, with.n);
        take_manager(&rest, c);
    }
}

/* A copy of who, for the next field of the same manager. */
static void
same_manager(struct kube_conflict *c, const struct kube_conflict *of)
{
    char **to[] = {&c->manager, &c->sub, &c->version, &c->time};
    const char *from[] = {of->manager, of->sub, of->version, of->time};

    for (size_t i = 0; i < ARRAY_LEN(to); i++) {
        free(*to[i]);
        *to[i] = mem_strdup(from[i]);
    }
}

/* "Apply failed with 1 conflict: conflict with WHO: FIELD", or several lines:
 * "Apply failed with 3 conflicts: conflicts with WHO:\n- FIELD\n- FIELD". */
static void
read_message(struct str message, struct kube_conflicts *out)
{
    struct kube_conflict who = {0};
    struct str line, rest;
    size_t at;

    str_cut(message, ':', &line, &message);
    while (str_next(&message, '\n', &line)) {
        struct kube_conflict *c;

        line = str_trim(line);
        if (str_starts(line, STR("- "))) {
            c = who.manager ? add(out) : NULL;
            if (!c)
                continue;
            same_manager(c, &who);
            set_field(c, str_from(line, 2));
            continue;
        }
        at = str_find(line, STR(" with "), 0);
        if (!str_starts(line, STR("conflict")) || at == SIZE_MAX)
            continue;
        conflict_release(&who);
        who = (struct kube_conflict){.sub = mem_strdup(""),
                                     .version = mem_strdup(""),
                                     .time = mem_strdup("")};
        rest = str_from(line, at + strlen(" with "));
        if (!take_manager(&rest, &who) || !str_starts(rest, STR(": ")))
            continue;
        c = add(out);
        if (c) {
            same_manager(c, &who);
            set_field(c, str_from(rest, 2));
        }
    }
    conflict_release(&who);
}

bool
kube_conflicts_read(const struct kube_status *s, struct kube_conflicts *out)
{
    struct kube_conflicts c = {0};

    if (s->http != 409)
        return false;
    read_causes(s, &c);
    if (!c.n && str_starts(str_of(s->message), STR("Apply failed with ")))
        read_message(str_of(s->message), &c);
    if (!c.n)
        return false;
    *out = c;
    return true;
}

void
kube_conflicts_release(struct kube_conflicts *c)
{
    for (size_t i = 0; i < c->n; i++)
        conflict_release(&c->v[i]);
    free(c->v);
    *c = (struct kube_conflicts){0};
}

bool
kube_conflict_text(const struct kube_conflict *c, struct buf *out)
{
    buf_printf(out, "%s belongs to \"%s\"", c->field, c->manager);
    if (*c->sub)
        buf_printf(out, " through %s", c->sub);
    if (*c->version)
        buf_printf(out, " (%s%s%s)", c->version, *c->time ? ", since " : "",
                   c->time);
    return !out->over;
}
