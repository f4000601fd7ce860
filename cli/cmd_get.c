/* meshtop get: objects of any served kind. */
#include "lib/base/mem.h"

#include "lib/mesh/live.h"

#include "cli/commands.h"
#include "cli/mesh_table.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/table.h"

#define WAIT_MS 20000

/* What was asked for. */
struct want {
    const struct kube_kind *kind;
    const char *ns;   /* NULL: all, or cluster-scoped */
    const char *name; /* NULL: all */
    enum output how;
    struct target *t;
};

static enum mesh_role
role_of(const struct kube_kind *k)
{
    static const struct {
        const char *kind;
        enum mesh_role role;
    } roles[] = {{"DataDomain", MESH_ROLE_DOMAIN},
                 {"DataProduct", MESH_ROLE_PRODUCT},
                 {"DataContract", MESH_ROLE_CONTRACT}};

    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (strcmp(k->gvr.group, MESH_GROUP) == 0 &&
            strcmp(k->kind, roles[i].kind) == 0)
            return roles[i].role;
    }
    return MESH_ROLE_OTHER;
}

static bool
not_found(const struct want *w, struct error *err)
{
    AUTO(buf_release) struct buf kind = BUF_INIT(512);

    kube_gvr_name(&w->kind->gvr, &kind);
    return error_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", buf_cstr(&kind),
                     w->name);
}

/* ---- the mesh's own tables ---- */

static bool
get_mesh(const struct want *w, enum mesh_role role, struct error *err)
{
    AUTO(mesh_live_free_ptr)
    struct mesh_live *live =
        mesh_live_new_on(w->t->client, w->t->discovery, NULL, err);
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    const struct mesh_table_options o = {
        .width = w->how == OUTPUT_WIDE ? MESH_TABLE_WIDE : MESH_TABLE_TEXT,
        .ns = w->ns,
        .name = w->name,
        .indent = ""};
    size_t n;

    if (!live || !mesh_live_wait(live, WAIT_MS, err))
        return false;
    mesh_settle(mesh_live_model(live));
    const struct mesh_item **v =
        mesh_table_items(mesh_live_model(live), role, &o, a, &n);

    if (!n && w->name)
        return not_found(w, err);
    if (n)
        mesh_table_print(v, n, role, &o);
    else
        fprintf(stderr, "No %s found.\n", w->kind->gvr.resource);
    return true;
}

/* ---- everything else ---- */

/* One object where its place is known, else the list of those of its name. */
static void
request(const struct want *w, struct kube_request *r, struct buf *selector)
{
    bool placed = w->ns || !w->kind->namespaced;

    *r = (struct kube_request){.gvr = w->kind->gvr, .ns = w->ns};
    if (w->name && placed) {
        r->name = w->name;
    } else if (w->name) {
        buf_printf(selector, "metadata.name=%s", w->name);
        r->field_selector = buf_cstr(selector);
    }
}

static bool
get_table(const struct want *w, struct error *err)
{
    AUTO(buf_release) struct buf selector = BUF_INIT(1000);
    struct kube_request r;

    request(w, &r, &selector);
    r.accept = TABLE_ACCEPT;
    AUTO(json_free_ptr)
    struct json *answer = kube_client_wait_json(w->t->client, &r, err);

    if (!answer)
        return false;
    if (table_print(answer, w->how == OUTPUT_WIDE,
                    w->kind->namespaced && !w->ns))
        return true;
    if (w->name)
        return not_found(w, err);
    fprintf(stderr, "No %s found.\n", w->kind->gvr.resource);
    return true;
}

static bool
on_item(void *arg, struct str item)
{
    struct json *j = json_parse(item, NULL, NULL);

    if (j)
        json_append(arg, j);
    return true;
}

/* Core lists leave out what their items are. */
static void
say_kind(const struct want *w, struct json *object)
{
    AUTO(buf_release) struct buf api = BUF_INIT(512);

    if (json_get(object, "kind"))
        return;
    kube_gvr_api_version(&w->kind->gvr, &api);
    json_set_string(object, "apiVersion", buf_cstr(&api));
    json_set_string(object, "kind", w->kind->kind);
}

static void
print_names(const struct json *items)
{
    for (struct json *i = json_first(items); i; i = json_next(i)) {
        AUTO(buf_release) struct buf line = BUF_INIT(1000);

        objects_title(json_string_or(json_get(i, "apiVersion"), ""),
                      json_string_or(json_get(i, "kind"), ""),
                      json_string_or(json_at(i, "metadata", "name", NULL), ""),
                      &line);
        buf_putc(&line, '\n');
        output_text(buf_view(&line));
    }
}

/* One object by name as it is, several as kubectl's List. */
static void
print_trees(const struct want *w, struct json *items)
{
    struct json *one = json_first(items);

    if (w->name && json_len(items) == 1) {
        output_tree(one, w->how);
        return;
    }
    AUTO(json_free_ptr) struct json *list = json_new_object();

    json_set_string(list, "apiVersion", "v1");
    json_set(list, "items", json_copy(items));
    json_set_string(list, "kind", "List");
    json_set_string(json_need_object(list, "metadata"), "resourceVersion", "");
    output_tree(list, w->how);
}

static bool
get_objects(const struct want *w, struct error *err)
{
    AUTO(buf_release) struct buf selector = BUF_INIT(1000);
    AUTO(json_free_ptr) struct json *items = json_new_array();
    struct kube_request r;

    request(w, &r, &selector);
    if (r.name) {
        struct json *one = kube_client_wait_json(w->t->client, &r, err);

        if (!one)
            return false;
        json_append(items, one);
    } else if (!kube_client_wait_list(w->t->client, &r, on_item, items, err)) {
        return false;
    }
    if (w->name && !json_len(items))
        return not_found(w, err);
    for (struct json *i = json_first(items); i; i = json_next(i)) {
        say_kind(w, i);
        /* As kubectl: nobody who asks for an object wants to read these. */
        json_del(json_get(i, "metadata"), "managedFields");
    }
    if (w->how == OUTPUT_NAME)
        print_names(items);
    else
        print_trees(w, items);
    return true;
}

/* ---- the command ---- */

static bool
is_mesh_group(const char *group)
{
    return str_eqz(str_of(group), MESH_GROUP) ||
           str_ends(str_of(group), STR("." MESH_GROUP));
}

/* "KIND NAME", "KIND/NAME" or "KIND". */
static bool
read_words(const struct args *a, struct want *w, struct error *err)
{
    struct str word, name;
    bool slash = str_cut(str_of(args_word(a, 0)), '/', &word, &name);
    AUTO(mem_free_ptr) char *kind = mem_strndup(word.s, word.n);

    w->name = slash ? name.s : args_word(a, 1);
    if (slash && (args_word(a, 1) || !name.n))
        return error_set(err, ERR_USAGE, "say KIND/NAME, or KIND NAME");
    w->kind = kube_discovery_seek(w->t->discovery, kind, err);
    if (!w->kind)
        return false;
    w->ns = target_ns(a, is_mesh_group(w->kind->gvr.group)
                             ? NULL
                             : kube_client_access(w->t->client)->ns);
    if (!w->kind->namespaced)
        w->ns = NULL;
    return true;
}

static bool
get(const struct args *a, struct target *t, struct error *err)
{
    struct want w = {.t = t};

    if (!output_of(a, &w.how, err) || !read_words(a, &w, err))
        return false;
    if (w.how != OUTPUT_TEXT && w.how != OUTPUT_WIDE)
        return get_objects(&w, err);
    enum mesh_role role = role_of(w.kind);

    return role == MESH_ROLE_OTHER ? get_table(&w, err)
                                   : get_mesh(&w, role, err);
}

static int
run(const struct args *a)
{
    return target_run(a, get);
}

const struct command cmd_get = {
    .name = "get",
    .args = "KIND [NAME]",
    .summary = "domains, products, contracts, or any served kind",
    .help = "KIND is a plural, singular, short name or kind, with .group where "
            "needed:\n  meshtop get products\n  meshtop get dp web-orders -o "
            "yaml\n  meshtop get configmaps -n dm-shop\nKinds of the mesh are "
            "listed over all namespaces unless -n says otherwise.",
    .group = "Look",
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
