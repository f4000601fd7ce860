/* meshtop describe: one object for people, with why, tree and events. */
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/mesh/live.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/tree.h"
#include "cli/why.h"

#define WAIT_MS    20000
#define EVENTS_MAX 50

static const char *
ago(const char *stamp, char out[CLOCK_HUMAN_LEN])
{
    int64_t t;

    out[0] = '\0';
    if (clock_parse(str_of(stamp), &t))
        clock_human(clock_wall_ms(clock_system()) / 1000 - t, out);
    return out;
}

/* ---- sections ---- */

static void
field(const char *name, const char *value)
{
    if (!*value)
        return;
    printf("%-13s ", name);
    columns_text(str_of(value), false, stdout);
    putchar('\n');
}

static void
pairs(const char *name, const struct json *map)
{
    for (struct json *m = json_first(map); m; m = json_next(m)) {
        AUTO(buf_release) struct buf b = BUF_INIT(4096);

        /* kubectl's own note to itself is the whole object again. */
        if (strstr(json_key(m), "last-applied-configuration"))
            continue;
        buf_printf(&b, "%s=%s", json_key(m), json_string_or(m, ""));
        field(name, buf_cstr(&b));
        name = "";
    }
}

static void
print_head(const struct object *o)
{
    const struct json *meta = json_get(o->json, "metadata");
    char age[CLOCK_HUMAN_LEN];

    field("Name:", json_get_text(meta, "name"));
    field("Namespace:", json_get_text(meta, "namespace"));
    field("Kind:", o->kind->kind);
    field("API version:", json_get_text(o->json, "apiVersion"));
    pairs("Labels:", json_get(meta, "labels"));
    pairs("Annotations:", json_get(meta, "annotations"));
    field("Age:", ago(json_get_text(meta, "creationTimestamp"), age));
    field("Deleting for:", ago(json_get_text(meta, "deletionTimestamp"), age));
}

static void
print_conditions(const struct json *object)
{
    static const char *const heads[] = {"TYPE", "STATUS", "REASON", "SINCE",
                                        "MESSAGE"};
    const struct json *list = json_at(object, "status", "conditions", NULL);
    struct columns c;

    if (!json_len(list))
        return;
    columns_init(&c, ARRAY_LEN(heads));
    columns_row(&c, heads);
    for (struct json *j = json_first(list); j; j = json_next(j)) {
        char age[CLOCK_HUMAN_LEN];
        const char *cells[] = {json_get_text(j, "type"),
                               json_get_text(j, "status"),
                               json_get_text(j, "reason"),
                               ago(json_get_text(j, "lastTransitionTime"), age),
                               json_get_text(j, "message")};

        columns_row(&c, cells);
    }
    printf("\nConditions\n");
    columns_print(&c, "  ", stdout);
    columns_release(&c);
}

static void
print_ports(const struct mesh_item *i)
{
    static const char *const heads[] = {"PORT", "",         "VERSION",
                                        "PEER", "CONTRACT", "STATE"};
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct columns c;

    if (!i->product || !i->product->ports_n)
        return;
    columns_init(&c, ARRAY_LEN(heads));
    columns_row(&c, heads);
    for (size_t k = 0; k < i->product->ports_n; k++) {
        const struct mesh_port *p = &i->product->ports[k];
        const char *peer = p->external;
        const char *state =
            p->state == MESH_PORT_OK ? "ok" : mesh_port_word(p->state);

        if (p->input && p->peer)
            peer = arena_printf(a, "%s/%s.%s", p->peer->ns, p->peer->name,
                                p->peer_port);
        const char *cells[] = {p->name,     p->input ? "in" : "out",
                               p->version,  peer,
                               p->contract, state};

        columns_row(&c, cells);
    }
    printf("\nPorts\n");
    columns_print(&c, "  ", stdout);
    columns_release(&c);
    for (size_t k = 0; k < i->product->readers_n; k++)
        field(k ? "" : "  Read by:", mesh_item_text(i->product->readers[k], a));
}

static void
print_mesh(struct mesh_live *live, const struct mesh_item *i, bool ascii)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct mesh_causes causes;
    struct mesh_tree tree;

    field("Health:", mesh_health_word(mesh_item_health(i)));
    if (i->product)
        field("Owner:", mesh_owner(i));
    mesh_why(mesh_live_model(live), i, a, &causes);
    if (causes.n) {
        printf("\nWhy\n");
        why_print(&causes, "  ");
    }
    print_ports(i);
    mesh_tree(i, a, &tree);
    if (tree.n > 1) {
        printf("\nTree\n");
        tree_print(&tree, false, ascii, "  ");
    }
}

static void
print_yaml(const char *title, const struct json *j, const char *without)
{
    AUTO(json_free_ptr) struct json *copy = j ? json_copy(j) : NULL;
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    struct str rest, line;

    if (without)
        json_del(copy, without);
    if (!json_len(copy))
        return;
    yaml_print(copy, YAML_SORTED, &text);
    printf("\n%s\n", title);
    rest = str_trim(buf_view(&text));
    while (str_next(&rest, '\n', &line)) {
        fputs("  ", stdout);
        columns_text(line, false, stdout);
        putchar('\n');
    }
}

/* ---- events ---- */

static bool
on_event(void *arg, struct str item)
{
    struct json *list = arg;
    struct json *j = json_parse(item, NULL, NULL);

    if (j)
        json_append(list, j);
    return json_len(list) < EVENTS_MAX;
}

static void
print_events(struct target *t, const struct object *o)
{
    AUTO(json_free_ptr) struct json *events = json_new_array();
    AUTO(buf_release) struct buf selector = BUF_INIT(2000);
    struct kube_request r = {.gvr = KUBE_GVR("", "v1", "events"), .ns = o->ns};

    buf_printf(&selector, "involvedObject.kind=%s,involvedObject.name=%s",
               o->kind->kind, o->name);
    r.field_selector = buf_cstr(&selector);
    /* Who may not read events still gets the rest. */
    if (!kube_client_wait_list(t->client, &r, on_event, events, NULL) ||
        !json_len(events))
        return;
    static const char *const heads[] = {"TYPE", "REASON", "AGE", "COUNT",
                                        "MESSAGE"};
    struct columns c;

    columns_init(&c, ARRAY_LEN(heads));
    columns_row(&c, heads);
    for (struct json *e = json_first(events); e; e = json_next(e)) {
        const char *last = json_get_text(e, "lastTimestamp");
        const char *count = json_number_text(json_get(e, "count"));
        char age[CLOCK_HUMAN_LEN];
        const char *cells[] = {
            json_get_text(e, "type"), json_get_text(e, "reason"),
            ago(*last ? last : json_get_text(e, "eventTime"), age),
            count ? count : "1", json_get_text(e, "message")};

        columns_row(&c, cells);
    }
    printf("\nEvents\n");
    columns_print(&c, "  ", stdout);
    columns_release(&c);
}

/* ---- the command ---- */

static bool
is_composite(const struct object *o)
{
    const struct json *spec = json_get(o->json, "spec");

    return json_is(json_get(spec, "crossplane"), JSON_OBJECT) ||
           json_is(json_get(spec, "resourceRefs"), JSON_ARRAY) ||
           strcmp(o->kind->gvr.group, MESH_GROUP) == 0;
}

static bool
describe_mesh(struct target *t, const struct object *o, bool ascii,
              struct error *err)
{
    AUTO(mesh_live_free_ptr)
    struct mesh_live *live =
        mesh_live_new_on(t->client, t->discovery, NULL, err);
    const struct mesh_item *i;

    if (!live || !mesh_live_wait(live, WAIT_MS, err) ||
        !mesh_live_follow(live, o->kind, err) ||
        !mesh_live_wait(live, WAIT_MS, err))
        return false;
    mesh_settle(mesh_live_model(live));
    i = mesh_find(mesh_live_model(live), json_get_text(o->json, "apiVersion"),
                  o->kind->kind, o->ns, o->name);
    if (i)
        print_mesh(live, i, ascii);
    return true;
}

static bool
describe(const struct args *a, struct target *t, struct error *err)
{
    AUTO(object_release) struct object o = {0};

    if (!object_find(t, a, args_word(a, 0), args_word(a, 1), &o, err))
        return false;
    bool secret = strcmp(o.kind->kind, "Secret") == 0;

    print_head(&o);
    if (is_composite(&o) && !describe_mesh(t, &o, args_has(a, "ascii"), err))
        return false;
    print_conditions(o.json);
    print_yaml("Spec", json_get(o.json, "spec"), "crossplane");
    print_yaml("Crossplane", json_at(o.json, "spec", "crossplane", NULL),
               "resourceRefs");
    print_yaml("Status", json_get(o.json, "status"), "conditions");
    for (struct json *d = json_first(secret ? json_get(o.json, "data") : NULL);
         d; d = json_next(d))
        printf("%s  %s: (hidden; \"meshtop get secret %s -o yaml\" shows it)\n",
               d == json_first(json_get(o.json, "data")) ? "\nData\n" : "",
               json_key(d), o.name);
    if (!secret)
        print_yaml("Data", json_get(o.json, "data"), NULL);
    print_events(t, &o);
    return true;
}

static int
run(const struct args *a)
{
    return target_run(a, describe);
}

const struct command cmd_describe = {
    .name = "describe",
    .args = "KIND NAME",
    .summary = "one object: conditions, why, ports, tree, spec, events",
    .group = "Look",
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
