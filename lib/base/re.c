#include "lib/base/re.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re_prog.h"
#include "lib/base/utf8.h"

/*
 * A Pike machine: all threads step over the text together, one list for this
 * character and one for the next. A list holds every program step once, in
 * order of priority, so a character costs at most the size of the program. A
 * thread carries its capture slots; a match cuts off the threads behind it.
 *
 * The lists are sparse sets (no clearing between characters), kept with the
 * expression, so that a search allocates nothing.
 */

/* Steps x slots a list may hold: what a search may use is bounded too. */
enum { MAX_CELLS = 8000000 };

struct thread_list {
    uint32_t n;
    uint32_t *dense, *sparse; /* program steps; sparse: where in dense */
    size_t *slots;            /* dense index x slot count */
};

/* Work put off while a thread is followed through splits: a step to visit, or
 * (slot != NO_SLOT) a slot to put back. */
struct todo {
    uint32_t step, slot;
    size_t old;
};

#define NO_SLOT UINT32_MAX

struct machine {
    struct thread_list a, b;
    struct todo *stack;
    size_t *caps; /* the thread being followed */
    size_t *best;
    size_t slots; /* that a thread carries */
};

struct re {
    struct arena *arena;
    struct re_tree tree;
    struct re_prog prog;
    struct machine *machine;
};

static void
list_init(struct thread_list *l, size_t steps, size_t slots)
{
    l->dense = mem_zalloc(steps, sizeof(*l->dense));
    l->sparse = mem_zalloc(steps, sizeof(*l->sparse));
    l->slots = mem_alloc(steps * slots * sizeof(*l->slots));
}

static void
list_release(struct thread_list *l)
{
    free(l->dense);
    free(l->sparse);
    free(l->slots);
}

static void
machine_init(struct machine *m, const struct re *re)
{
    size_t steps = re->prog.n, slots = 2 * (re->tree.groups + 1);

    list_init(&m->a, steps, slots);
    list_init(&m->b, steps, slots);
    m->stack = mem_alloc((2 * steps + 1) * sizeof(*m->stack));
    m->caps = mem_alloc(slots * sizeof(*m->caps));
    m->best = mem_alloc(slots * sizeof(*m->best));
}

static void
machine_free(struct machine *m)
{
    list_release(&m->a);
    list_release(&m->b);
    free(m->stack);
    free(m->caps);
    free(m->best);
    free(m);
}

struct re *
re_compile(struct str pattern, struct error *err)
{
    struct re *re = mem_zalloc(1, sizeof(*re));
    const char *large = "expression too large";

    re->arena = arena_new();
    if (!re_parse(pattern, re->arena, &re->tree, err)) {
        re_free(re);
        return NULL;
    }
    if (!re_compile_tree(&re->tree, &re->prog) ||
        re->prog.n * 2 * (re->tree.groups + 1) > MAX_CELLS) {
        error_set(err, ERR_LIMIT, "error parsing regexp: %s: `%.*s`", large,
                  STR_ARG(pattern));
        re_free(re);
        return NULL;
    }
    return re;
}

void
re_free(struct re *re)
{
    if (!re)
        return;
    if (re->machine)
        machine_free(re->machine);
    strlist_release(&re->tree.names);
    free(re->prog.v);
    arena_free(re->arena);
    free(re);
}

void
re_free_ptr(struct re **re)
{
    re_free(*re);
}

size_t
re_groups(const struct re *re)
{
    return re->tree.groups;
}

const char *
re_group_name(const struct re *re, size_t i)
{
    return i >= 1 && i <= re->tree.names.n ? re->tree.names.v[i - 1] : "";
}

/* ---- the search ---- */

static bool
is_word(struct str text, size_t i)
{
    unsigned char c = i < text.n ? (unsigned char)text.s[i] : ' ';
    unsigned char low = c | 0x20;

    return c == '_' || (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z');
}

static bool
holds(enum re_op assertion, struct str text, size_t at)
{
    bool word_before = at > 0 && is_word(text, at - 1);

    switch (assertion) {
    case RE_BEGIN_TEXT:
        return at == 0;
    case RE_END_TEXT:
        return at == text.n;
    case RE_BEGIN_LINE:
        return at == 0 || text.s[at - 1] == '\n';
    case RE_END_LINE:
        return at == text.n || text.s[at] == '\n';
    case RE_WORD:
        return word_before != is_word(text, at);
    case RE_NOT_WORD:
        return word_before == is_word(text, at);
    default:
        return false;
    }
}

/* Puts the steps that consume a character (or match), reached from step with
 * m->caps, on the list. */
static void
follow(const struct re *re, struct thread_list *l, uint32_t step,
       struct str text, size_t at)
{
    struct machine *m = re->machine;
    size_t n = 0;

    m->stack[n++] = (struct todo){step, NO_SLOT, 0};
    while (n) {
        struct todo t = m->stack[--n];

        if (t.slot != NO_SLOT) {
            m->caps[t.slot] = t.old;
            continue;
        }
        uint32_t where = l->sparse[t.step];

        if (where < l->n && l->dense[where] == t.step)
            continue;
        l->sparse[t.step] = l->n;
        l->dense[l->n] = t.step;
        const struct re_inst *i = &re->prog.v[t.step];

        switch (i->code) {
        case RE_I_SPLIT:
            m->stack[n++] = (struct todo){i->y, NO_SLOT, 0};
            m->stack[n++] = (struct todo){i->x, NO_SLOT, 0};
            break;
        case RE_I_ASSERT:
            if (holds((enum re_op)i->arg, text, at))
                m->stack[n++] = (struct todo){i->x, NO_SLOT, 0};
            break;
        case RE_I_SAVE:
            if (i->arg < m->slots) {
                m->stack[n++] = (struct todo){0, i->arg, m->caps[i->arg]};
                m->caps[i->arg] = at;
            }
            m->stack[n++] = (struct todo){i->x, NO_SLOT, 0};
            break;
        default:
            if (m->slots)
                memcpy(l->slots + l->n * m->slots, m->caps,
                       m->slots * sizeof(*m->caps));
            break;
        }
        l->n++;
    }
}

static bool
eats(const struct re_inst *i, uint32_t cp)
{
    switch (i->code) {
    case RE_I_CHAR:
        return cp == i->arg;
    case RE_I_CLASS:
        return re_class_has(i->class, cp);
    case RE_I_ANY:
        return true;
    case RE_I_ANY_NOT_NL:
        return cp != '\n';
    default:
        return false;
    }
}

/* One character: threads of now that eat cp go on to then. True when a match
 * was found (and kept in m->best); threads of lower priority are dropped. */
static bool
step(const struct re *re, struct thread_list *now, struct thread_list *then,
     uint32_t cp, struct str text, size_t at, size_t after)
{
    struct machine *m = re->machine;

    then->n = 0;
    for (uint32_t k = 0; k < now->n; k++) {
        const struct re_inst *i = &re->prog.v[now->dense[k]];

        if (i->code == RE_I_MATCH) {
            if (m->slots) {
                memcpy(m->best, now->slots + k * m->slots,
                       m->slots * sizeof(*m->best));
                m->best[1] = at;
            }
            return true;
        }
        if (at == text.n || !eats(i, cp))
            continue;
        if (m->slots)
            memcpy(m->caps, now->slots + k * m->slots,
                   m->slots * sizeof(*m->caps));
        follow(re, then, i->x, text, after);
    }
    return false;
}

static bool
run(const struct re *re, struct str text, size_t from)
{
    struct machine *m = re->machine;
    struct thread_list *now = &m->a, *then = &m->b;
    bool found = false;

    now->n = 0;
    for (size_t at = from;;) {
        uint32_t cp = at < text.n ? (unsigned char)text.s[at] : 0;
        size_t width = at < text.n;

        if (cp >= 0x80)
            width = utf8_decode(str_from(text, at), &cp);
        if (!found && (!re->prog.anchored || at == 0)) {
            for (size_t i = 0; i < m->slots; i++)
                m->caps[i] = SIZE_MAX;
            if (m->slots)
                m->caps[0] = at;
            follow(re, now, re->prog.start, text, at);
        }
        if (!now->n)
            return found;
        if (step(re, now, then, cp, text, at, at + width)) {
            found = true;
            if (!m->slots)
                return true;
        }
        if (at == text.n)
            return found;
        at += width;
        struct thread_list *swap = now;

        now = then;
        then = swap;
    }
}

bool
re_search(const struct re *re, struct str text, size_t from,
          struct re_span *spans, size_t n)
{
    if (from > text.n)
        return false;
    if (!text.s)
        text = STR("");
    if (!re->machine) {
        struct re *mutable = (struct re *)re;

        mutable->machine = mem_zalloc(1, sizeof(struct machine));
        machine_init(re->machine, re);
    }
    struct machine *m = re->machine;
    size_t take = MIN(n, re->tree.groups + 1);

    m->slots = spans ? 2 * take : 0;
    if (!run(re, text, from))
        return false;
    for (size_t i = 0; spans && i < n; i++) {
        spans[i] = (struct re_span){SIZE_MAX, SIZE_MAX};
        if (i < take && m->best[2 * i] != SIZE_MAX &&
            m->best[2 * i + 1] != SIZE_MAX)
            spans[i] = (struct re_span){m->best[2 * i], m->best[2 * i + 1]};
    }
    return true;
}

bool
re_match(const struct re *re, struct str text)
{
    return re_search(re, text, 0, NULL, 0);
}

/* ---- replacing ---- */

/* What the group with this name or number matched; nothing when there is no
 * such group or it took no part. */
static struct str
group_text(const struct re *re, struct str name, struct str text,
           const struct re_span *spans)
{
    bool numeric = name.n == 1 || name.s[0] != '0';
    uint64_t number;
    size_t g = SIZE_MAX;

    if (numeric && str_to_u64(name, &number)) {
        g = number <= re->tree.groups ? (size_t)number : SIZE_MAX;
    } else {
        for (size_t i = re->tree.names.n; i > 0; i--) {
            if (spans[i].start != SIZE_MAX &&
                str_eqz(name, re->tree.names.v[i - 1]))
                g = i;
        }
    }
    if (g == SIZE_MAX || spans[g].start == SIZE_MAX)
        return STR("");
    return str_sub(text, spans[g].start, spans[g].end - spans[g].start);
}

/* Behind "$": takes "name" or "{name}" off *rest; false when it is neither. */
static bool
take_name(struct str *rest, struct str *name)
{
    bool brace = rest->n && rest->s[0] == '{';
    size_t i = brace;

    while (is_word(*rest, i))
        i++;
    *name = str_sub(*rest, brace, i - brace);
    if (!name->n || (brace && (i == rest->n || rest->s[i] != '}')))
        return false;
    *rest = str_from(*rest, i + brace);
    return true;
}

static void
expand_into(const struct re *re, struct str text, struct str with,
            const struct re_span *spans, struct buf *out)
{
    while (with.n) {
        struct str head, rest, name;
        bool dollar = str_cut(with, '$', &head, &rest);

        buf_str(out, head);
        if (!dollar)
            return;
        if (rest.n && rest.s[0] == '$') {
            buf_putc(out, '$');
            with = str_from(rest, 1);
            continue;
        }
        if (!take_name(&rest, &name)) {
            buf_putc(out, '$');
            with = rest;
            continue;
        }
        buf_str(out, group_text(re, name, text, spans));
        with = rest;
    }
}

bool
re_replace_all(const struct re *re, struct str text, struct str with,
               bool expand, struct buf *out)
{
    size_t n = re->tree.groups + 1, copied = 0, at = 0;
    AUTO(mem_free_ptr) struct re_span *spans = mem_zalloc(n, sizeof(*spans));

    if (!text.s)
        text = STR("");
    while (at <= text.n && !out->over && re_search(re, text, at, spans, n)) {
        struct re_span hit = spans[0];
        uint32_t cp;

        buf_str(out, str_sub(text, copied, hit.start - copied));
        /* An empty match right behind a match does not count. */
        if (hit.end > copied || hit.start == 0) {
            if (expand)
                expand_into(re, text, with, spans, out);
            else
                buf_str(out, with);
        }
        copied = hit.end;
        if (hit.end > at)
            at = hit.end;
        else
            at += at < text.n ? utf8_decode(str_from(text, at), &cp) : 1;
    }
    return buf_str(out, str_from(text, copied));
}
