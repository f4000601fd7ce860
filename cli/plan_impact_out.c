/* The upgrade impact as text and as JSON. */
#include "lib/base/mem.h"

#include "cli/columns.h"
#include "cli/plan_impact.h"
#include "cli/plan_json.h"

static void
put(const char *z, const struct plan_style *s)
{
    columns_text(str_of(z), false, s->out);
}

/* ---- text ---- */

static void
print_examples(const struct mesh_impact_group *g, const struct plan_style *s)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    for (size_t i = 0; i < g->examples_n; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", g->examples[i]);
    if (g->composites > g->examples_n)
        buf_printf(&b, ", ... (%zu in all)", g->composites);
    fputs("        in ", s->out);
    columns_wrap(buf_view(&b), 11, s->width, s->out);
}

static void
print_group(const struct mesh_impact_group *g, const struct plan_style *s)
{
    const struct mesh_diff d = {g->path, g->before, g->after};

    fprintf(s->out, "    %s%s%s ", plan_color(s, g->sign), plan_sign(g->sign),
            plan_color_end(s));
    put(g->kind, s);
    if (*g->resource) {
        fputs("  [", s->out);
        put(g->resource, s);
        fputs("]", s->out);
    }
    fprintf(s->out, "  x %zu", g->objects);
    if (g->external_lost)
        fprintf(s->out, "  (external data lost: %zu)", g->external_lost);
    if (g->varies)
        fputs("  (values differ)", s->out);
    fputs("\n", s->out);
    if (*g->why) {
        fputs("        ", s->out);
        AUTO(mem_free_ptr)
        char *text =
            mem_printf("%s%s%s", g->path, *g->path ? ": " : "", g->why);

        columns_wrap(str_of(text), 8, s->width, s->out);
    } else if (*g->path) {
        plan_text_diff(&d, 8, s);
    }
    print_examples(g, s);
}

static void
print_composites(const struct plan_impact *p, const struct plan_style *s)
{
    for (struct json *j = json_first(p->composites); j; j = json_next(j)) {
        const char *ns = json_get_string(j, "namespace");

        fputs("    ", s->out);
        put(json_string_or(json_get(j, "kind"), ""), s);
        fputs(" ", s->out);
        put(ns ? ns : "", s);
        fputs(ns ? "/" : "", s->out);
        put(json_string_or(json_get(j, "name"), ""), s);
        fprintf(s->out, ": %lld to add, %lld to change, %lld to destroy\n",
                (long long)json_int64_or(json_get(j, "add"), 0),
                (long long)json_int64_or(json_get(j, "change"), 0),
                (long long)json_int64_or(json_get(j, "destroy"), 0));
    }
}

static void
print_sum(const struct plan_impact *p, const struct mesh_impact_sum *i,
          const struct plan_style *s)
{
    fprintf(s->out, "  %zu of %zu composites change", i->changed,
            i->composites);
    if (i->kept)
        fprintf(s->out, ", %zu stay on an older revision", i->kept);
    if (i->failing)
        fprintf(s->out, ", %zu cannot be composed any more", i->failing);
    if (i->refused)
        fprintf(s->out, ", %zu are not valid any more", i->refused);
    fprintf(s->out, ".\n  Objects: %zu to add, %zu to change, %zu to destroy",
            i->add, i->change, i->destroy);
    if (i->replace)
        fprintf(s->out, ", %zu to replace", i->replace);
    if (i->external_lost)
        fprintf(s->out, ", external data lost: %zu", i->external_lost);
    fputs(".\n", s->out);
    if (p->cancelled)
        fputs("  Stopped before all composites were looked at.\n", s->out);
}

void
plan_impact_text(const struct plan_impact *p, const struct plan_style *s)
{
    const struct mesh_impact_group *g;

    if (!p->impact)
        return;
    fputs("Upgrade impact of ", s->out);
    for (size_t i = 0; i < p->because.n; i++) {
        fputs(i ? ", " : "", s->out);
        put(p->because.v[i], s);
    }
    fputs(":\n", s->out);
    for (size_t i = 0; (g = mesh_impact_at(p->impact, i)); i++)
        print_group(g, s);
    const struct mesh_impact_sum *sum = mesh_impact_sum(p->impact);

    if (sum->dropped)
        fprintf(s->out, "    ... and %zu more changes\n", sum->dropped);
    print_composites(p, s);
    print_sum(p, sum, s);
}

/* ---- JSON ---- */

static struct json *
group_json(const struct mesh_impact_group *g)
{
    struct json *j = json_new_object(), *examples;

    json_set_string(j, "action", plan_word(g->sign));
    json_set_string(j, "kind", g->kind);
    if (*g->resource)
        json_set_string(j, "resource", g->resource);
    if (*g->path)
        json_set_string(j, "path", g->path);
    if (*g->why)
        json_set_string(j, "why", g->why);
    if (g->before)
        json_set_string(j, "before", g->before);
    if (g->after)
        json_set_string(j, "after", g->after);
    json_set_bool(j, "varies", g->varies);
    json_set_int(j, "composites", (int64_t)g->composites);
    json_set_int(j, "objects", (int64_t)g->objects);
    json_set_int(j, "externalLost", (int64_t)g->external_lost);
    examples = json_need_array(j, "examples");
    for (size_t i = 0; i < g->examples_n; i++)
        json_append(examples, json_new_string(g->examples[i]));
    return j;
}

static void
put_sum(struct json *j, const struct mesh_impact_sum *s)
{
    const struct {
        const char *key;
        size_t n;
    } rows[] = {
        {"composites", s->composites},
        {"changed", s->changed},
        {"kept", s->kept},
        {"failing", s->failing},
        {"refused", s->refused},
        {"add", s->add},
        {"change", s->change},
        {"replace", s->replace},
        {"destroy", s->destroy},
        {"externalLost", s->external_lost},
        {"dropped", s->dropped},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        json_set_int(j, rows[i].key, (int64_t)rows[i].n);
}

struct json *
plan_impact_json(const struct plan_impact *p)
{
    const struct mesh_impact_group *g;
    struct json *j, *list;

    if (!p->impact)
        return NULL;
    j = json_new_object();
    list = json_need_array(j, "because");
    for (size_t i = 0; i < p->because.n; i++)
        json_append(list, json_new_string(p->because.v[i]));
    json_set_bool(j, "complete", !p->cancelled);
    list = json_need_array(j, "groups");
    for (size_t i = 0; (g = mesh_impact_at(p->impact, i)); i++)
        json_append(list, group_json(g));
    put_sum(json_need_object(j, "summary"), mesh_impact_sum(p->impact));
    if (p->composites)
        json_set(j, "composites", json_copy(p->composites));
    return j;
}
