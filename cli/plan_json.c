#include "cli/plan_json.h"

#include "lib/base/mem.h"

const char *
plan_word(enum mesh_sign sign)
{
    static const char *const words[] = {
        [MESH_ADD] = "add",           [MESH_CHANGE] = "change",
        [MESH_DESTROY] = "destroy",   [MESH_KEEP] = "keep",
        [MESH_CONFLICT] = "conflict", [MESH_REPLACE] = "replace",
    };

    return words[sign];
}

static void
put_if(struct json *j, const char *key, const char *text)
{
    if (*text)
        json_set_string(j, key, text);
}

static struct json *
item_json(const struct mesh_plan_item *i)
{
    struct json *j = json_new_object(), *changes;

    json_set_string(j, "action", plan_word(i->sign));
    json_set_int(j, "depth", i->depth);
    json_set_string(j, "apiVersion", i->api_version);
    json_set_string(j, "kind", i->kind);
    put_if(j, "namespace", i->ns);
    json_set_string(j, "name", i->name);
    put_if(j, "resource", i->resource);
    put_if(j, "composition", i->composition);
    put_if(j, "revision", i->revision);
    put_if(j, "note", i->note);
    changes = json_need_array(j, "changes");
    for (size_t d = 0; d < i->diff_n; d++) {
        struct json *row = json_append(changes, json_new_object());

        json_set_string(row, "path", i->diff[d].path);
        if (i->diff[d].before)
            json_set_string(row, "before", i->diff[d].before);
        if (i->diff[d].after)
            json_set_string(row, "after", i->diff[d].after);
    }
    return j;
}

static struct json *
note_json(const struct mesh_note *n)
{
    static const char *const weights[] = {[MESH_INFO] = "info",
                                          [MESH_WARN] = "warning",
                                          [MESH_BLOCK] = "blocked"};
    struct json *j = json_new_object();

    json_set_string(j, "weight", weights[n->weight]);
    put_if(j, "code", n->code);
    json_set_string(j, "text", n->text);
    if (n->item != MESH_NO_ITEM)
        json_set_int(j, "item", (int64_t)n->item);
    return j;
}

static void
put_count(struct json *j, const char *key, size_t n)
{
    json_set_int(j, key, (int64_t)n);
}

static struct json *
doc_json(const struct plan_doc *d)
{
    const struct mesh_plan *p = &d->plan;
    struct json *j = json_new_object();
    struct json *items, *notes;

    json_set_string(j, "source", d->m->source);
    put_count(j, "add", p->add);
    put_count(j, "change", p->change);
    put_count(j, "replace", p->replace);
    put_count(j, "destroy", p->destroy);
    put_count(j, "blocked", p->blockers);
    json_set_bool(j, "complete", !p->incomplete);
    items = json_need_array(j, "items");
    for (size_t i = 0; i < p->items_n; i++)
        json_append(items, item_json(&p->items[i]));
    notes = json_need_array(j, "notes");
    for (size_t i = 0; i < p->notes_n; i++)
        json_append(notes, note_json(&p->notes[i]));
    return j;
}

static struct json *
total_json(const struct plan_run *r)
{
    struct plan_total t = plan_run_total(r);
    struct json *j = json_new_object();

    put_count(j, "add", t.add);
    put_count(j, "change", t.change);
    put_count(j, "replace", t.replace);
    put_count(j, "destroy", t.destroy);
    put_count(j, "keep", t.keep);
    put_count(j, "conflict", t.conflict);
    put_count(j, "blocked", t.blockers);
    put_count(j, "warnings", t.warnings);
    put_count(j, "externalLost", t.external_lost);
    json_set_bool(j, "complete", !t.incomplete);
    return j;
}

struct json *
plan_json(const struct plan_run *r)
{
    struct json *j = json_new_object();
    struct json *plans;

    json_set_string(j, "formatVersion", PLAN_FORMAT_VERSION);
    json_set_string(j, "against", r->world->against);
    json_set_string(j, "target", r->world->title);
    if (r->world->fetch)
        put_count(j, "requests", plan_fetch_requests(r->world->fetch));
    json_set(j, "summary", total_json(r));
    plans = json_need_array(j, "plans");
    for (size_t i = 0; i < r->n; i++)
        json_append(plans, doc_json(&r->docs[i]));
    return j;
}
