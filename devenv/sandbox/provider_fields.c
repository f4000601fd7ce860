/*
 * Which fields the cloud gets, what it fills in itself, and whether it differs.
 * A field that is given only in initProvider, or that the cloud filled in, is
 * left as the cloud has it; any other that the cloud has and nobody wants any
 * more is drift, as is a field with another value. An object differs when one
 * of its wanted members does; a list, when it is another one.
 */
#include <ctype.h>
#include <string.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/provider.h"

static struct json *
parameters_of(const struct look *l, const char *part)
{
    return json_at(l->mr, "spec", part, NULL);
}

/* References, selectors and secrets are not sent. */
static bool
is_sent(const struct look *l, const char *name)
{
    static const char *const suffixes[] = {"Ref", "Refs", "Selector"};
    struct str s = str_of(name);

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (str_ends(s, str_of(suffixes[i])))
            return false;
    }
    return !l->mk || strcmp(name, "autoGeneratePassword") != 0;
}

static void
copy_sent(const struct look *l, const struct json *from, struct json *to)
{
    for (const struct json *f = json_first(from); f; f = json_next(f)) {
        if (is_sent(l, json_key(f)) && !json_get(to, json_key(f)))
            json_set(to, json_key(f), json_copy(f));
    }
}

static struct json *
fallback_of(const struct managed_field *f)
{
    return f->type == 'n' ? json_new_number(str_of(f->fallback))
                          : json_new_string(f->fallback);
}

struct json *
provider_wanted(const struct look *l)
{
    struct json *all = json_new_object();

    copy_sent(l, parameters_of(l, "forProvider"), all);
    copy_sent(l, parameters_of(l, "initProvider"), all);
    for (size_t i = 0; l->mk && i < l->mk->fields_n; i++) {
        const struct managed_field *f = &l->mk->fields[i];

        if (f->fallback && !json_get(all, f->name))
            json_set(all, f->name, fallback_of(f));
    }
    return all;
}

/* The cloud's own, or what was wanted only at its creation. */
static bool
is_left_alone(const struct look *l, const char *name)
{
    const struct managed_field *f =
        l->mk ? managed_kind_field(l->mk, name) : NULL;

    return json_get(parameters_of(l, "initProvider"), name) ||
           (f && f->fallback);
}

bool
provider_late_initialise(struct look *l, bool imported)
{
    const struct json *has = json_at(l->external, "spec", "parameters", NULL);
    const struct json *wanted = parameters_of(l, "forProvider");
    bool changed = false;

    for (const struct json *f = json_first(has); f; f = json_next(f)) {
        const char *name = json_key(f);

        if (json_get(wanted, name) || !(imported || is_left_alone(l, name)) ||
            (l->mk && !managed_kind_field(l->mk, name)))
            continue;
        json_set(
            json_need_object(json_need_object(l->mr, "spec"), "forProvider"),
            name, json_copy(f));
        changed = true;
    }
    return changed;
}

/* ---- drift ---- */

static bool
fits(const struct json *want, const struct json *has)
{
    if (!json_is(want, JSON_OBJECT))
        return json_equal(want, has);
    for (const struct json *f = json_first(want); f; f = json_next(f)) {
        const struct json *there = json_get(has, json_key(f));

        if (!there || !fits(f, there))
            return false;
    }
    return json_is(has, JSON_OBJECT);
}

/* "resource_group_name" of "resourceGroupName", as Terraform calls it. */
static void
snake(const char *name, struct buf *out)
{
    for (const char *s = name; *s; s++) {
        if (isupper((unsigned char)*s))
            buf_putc(out, '_');
        buf_putc(out, (char)tolower((unsigned char)*s));
    }
}

static void
add_value(const struct json *v, struct buf *out)
{
    AUTO(mem_free_ptr) char *text = v ? json_text(v, JSON_COMPACT) : NULL;

    if (!v || json_is(v, JSON_STRING))
        buf_printf(out, "\"%s\"", json_string_or(v, ""));
    else
        buf_printf(out, "\"%s\"", text);
}

static void
refuse(const char *name, const struct json *has, const struct json *want,
       struct buf *out)
{
    if (out->n)
        return;
    buf_puts(out, "refuse to update the external resource because the "
                  "following update requires replacing it: cannot change the "
                  "value of the argument \"");
    snake(name, out);
    buf_puts(out, "\" from ");
    add_value(has, out);
    buf_puts(out, " to ");
    add_value(want, out);
}

static void
change(const struct look *l, struct json *next, const char *name,
       const struct json *want, struct buf *refusal)
{
    const struct managed_field *f =
        l->mk ? managed_kind_field(l->mk, name) : NULL;

    if (f && f->fixed)
        refuse(name, json_get(next, name), want, refusal);
    if (want)
        json_set(next, name, json_copy(want));
    else
        json_del(next, name);
}

bool
provider_differs(const struct look *l, struct json **next, struct buf *refusal)
{
    const struct json *has = json_at(l->external, "spec", "parameters", NULL);
    const struct json *wanted = parameters_of(l, "forProvider");
    struct json *after = has ? json_copy(has) : json_new_object();
    bool differs = false;

    for (const struct json *f = json_first(wanted); f; f = json_next(f)) {
        const struct json *there = json_get(has, json_key(f));

        if (!is_sent(l, json_key(f)) || (there && fits(f, there)))
            continue;
        change(l, after, json_key(f), f, refusal);
        differs = true;
    }
    for (const struct json *f = json_first(has); f; f = json_next(f)) {
        if (json_get(wanted, json_key(f)) || is_left_alone(l, json_key(f)))
            continue;
        change(l, after, json_key(f), NULL, refusal);
        differs = true;
    }
    *next = after;
    return differs;
}
