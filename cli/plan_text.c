#include "cli/plan_text.h"

#include "lib/base/mem.h"

#include "cli/columns.h"

static const struct {
    char sign;
    const char *word;
} signs[] = {
    [MESH_ADD] = {'+', "add"},           [MESH_CHANGE] = {'~', "change"},
    [MESH_DESTROY] = {'-', "destroy"},   [MESH_KEEP] = {'=', "keep"},
    [MESH_CONFLICT] = {'!', "conflict"},
};

static const struct {
    const char *text, *word;
} weights[] = {
    [MESH_INFO] = {"note: ", "info"},
    [MESH_WARN] = {"warning: ", "warning"},
    [MESH_BLOCK] = {"blocked: ", "blocked"},
};

static void
put(const char *z, FILE *out)
{
    columns_text(str_of(z), false, out);
}

static bool
is_secret(const struct mesh_plan_item *i)
{
    return strcmp(i->kind, "Secret") == 0 && strcmp(i->api_version, "v1") == 0;
}

static void
print_diff(const struct mesh_plan_item *i, const struct mesh_diff *d, FILE *out)
{
    bool hide =
        is_secret(i) && (str_starts(str_of(d->path), STR("data")) ||
                         str_starts(str_of(d->path), STR("stringData")));
    const char *before = hide && d->before ? "(secret)" : d->before;
    const char *after = hide && d->after ? "(secret)" : d->after;

    fprintf(out, "%*s", (int)(6 + 2 * i->depth), "");
    put(d->path, out);
    fputs(": ", out);
    if (before)
        put(before, out);
    if (before && after)
        fputs(" -> ", out);
    if (after)
        put(after, out);
    fputs(!after ? " (removed)\n" : "\n", out);
}

static void
print_item(const struct mesh_plan_item *i, FILE *out)
{
    fprintf(out, "%*s%c ", (int)(2 + 2 * i->depth), "", signs[i->sign].sign);
    put(i->kind, out);
    fputs(" ", out);
    if (*i->ns) {
        put(i->ns, out);
        fputs("/", out);
    }
    put(i->name, out);
    if (*i->resource) {
        fputs("  [", out);
        put(i->resource, out);
        fputs("]", out);
    }
    if (*i->note) {
        fputs("  (", out);
        put(i->note, out);
        fputs(")", out);
    }
    fputs("\n", out);
    /* A new object is all new: its fields would only repeat the manifest. */
    for (size_t d = 0; d < i->diff_n && i->sign != MESH_ADD; d++)
        print_diff(i, &i->diff[d], out);
}

void
plan_text(const struct mesh_plan *p, FILE *out)
{
    for (size_t i = 0; i < p->items_n; i++) {
        const struct mesh_plan_item *item = &p->items[i];

        /* What stays below as it is says nothing, unless there is a why. */
        if (item->sign != MESH_KEEP || item->depth == 0 || *item->note)
            print_item(item, out);
    }
    for (size_t i = 0; i < p->notes_n; i++) {
        fprintf(out, "  %s", weights[p->notes[i].weight].text);
        put(p->notes[i].text, out);
        fputs("\n", out);
    }
}

static struct json *
item_json(const struct mesh_plan_item *i)
{
    struct json *j = json_new_object();

    json_set_string(j, "action", signs[i->sign].word);
    json_set_int(j, "depth", i->depth);
    json_set_string(j, "apiVersion", i->api_version);
    json_set_string(j, "kind", i->kind);
    if (*i->ns)
        json_set_string(j, "namespace", i->ns);
    json_set_string(j, "name", i->name);
    if (*i->resource)
        json_set_string(j, "resource", i->resource);
    if (*i->note)
        json_set_string(j, "note", i->note);
    for (size_t d = 0; d < i->diff_n && !is_secret(i); d++) {
        struct json *row =
            json_append(json_need_array(j, "changes"), json_new_object());

        json_set_string(row, "path", i->diff[d].path);
        if (i->diff[d].before)
            json_set_string(row, "before", i->diff[d].before);
        if (i->diff[d].after)
            json_set_string(row, "after", i->diff[d].after);
    }
    return j;
}

struct json *
plan_json(const struct mesh_plan *p)
{
    struct json *j = json_new_object();
    struct json *items = json_need_array(j, "items");
    struct json *notes = json_need_array(j, "notes");

    json_set_int(j, "add", (int64_t)p->add);
    json_set_int(j, "change", (int64_t)p->change);
    json_set_int(j, "destroy", (int64_t)p->destroy);
    for (size_t i = 0; i < p->items_n; i++)
        json_append(items, item_json(&p->items[i]));
    for (size_t i = 0; i < p->notes_n; i++) {
        struct json *n = json_append(notes, json_new_object());

        json_set_string(n, "weight", weights[p->notes[i].weight].word);
        json_set_string(n, "text", p->notes[i].text);
    }
    return j;
}
