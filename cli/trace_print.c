#include "cli/trace_print.h"

#include "lib/base/yaml.h"

#include "lib/compose/compose.h"
#include "lib/compose/conditions.h"

#include "cli/tabwriter.h"

#define MESSAGE_MAX 64 /* bytes: the end of a message in the narrow table */

/* ---- what a row says ---- */

/* Views and texts of the node; message NULL: none. */
struct says {
    const char *reason, *message;
};

static bool
is_true(const struct json *condition)
{
    return strcmp(json_get_text(condition, "status"), "True") == 0;
}

static struct says
of_condition(const struct json *c)
{
    return (struct says){json_get_text(c, "reason"),
                         json_get_text(c, "message")};
}

/* The first of both conditions that is not True and says why; when both are
 * True the reason of `well`, when neither speaks `mute`. */
static struct says
of_conditions(const struct json *const v[2], const struct json *well,
              const struct json *mute)
{
    if (is_true(v[0]) && is_true(v[1]))
        return (struct says){json_get_text(well, "reason"), NULL};
    for (size_t i = 0; i < 2; i++) {
        struct says s = of_condition(v[i]);

        if (!is_true(v[i]) && (*s.reason || *s.message))
            return s;
    }
    return of_condition(mute);
}

static struct says
of_resource(const struct trace_node *n)
{
    const struct json *ready = condition_get(n->object, "Ready");
    const struct json *synced = condition_get(n->object, "Synced");
    const struct json *const both[] = {synced, ready};

    if (*json_at_text(n->object, "metadata", "deletionTimestamp"))
        return (struct says){"Deleting", NULL};
    if (n->error)
        return (struct says){"Error", n->error};
    return of_conditions(both, ready, ready);
}

static struct says
of_package(const struct trace_node *n)
{
    const struct json *healthy = condition_get(n->object, "Healthy");
    const struct json *installed = condition_get(n->object, "Installed");
    const struct json *const both[] = {installed, healthy};

    if (n->error)
        return (struct says){"Error", n->error};
    if (trace_is_package(n->object))
        return of_conditions(both, healthy, installed);
    if (trace_is_revision(n->object))
        return of_condition(healthy);
    if (strcmp(json_get_text(n->object, "kind"), "DeploymentRuntimeConfig") ==
        0)
        return (struct says){"", NULL};
    return (struct says){"Unknown package type", NULL};
}

/* ---- the table ---- */

/* What leads to a node. */
struct rungs {
    const char *through, *gap, *branch, *last;
};

static const struct rungs lines = {"│  ", "   ", "├─ ", "└─ "};
static const struct rungs plain = {"|  ", "   ", "|- ", "`- "};

struct table {
    const struct trace_style *style;
    const struct rungs *rungs;
    bool packages;
    struct buf text; /* cells with tabs behind */
    bool ended[TRACE_DEPTH_MAX + 2];
};

static void
cell(struct table *t, const char *value)
{
    buf_printf(&t->text, "%s\t", value);
}

static void
status_cell(struct table *t, const struct json *object, const char *type)
{
    const char *s = json_get_text(condition_get(object, type), "status");

    cell(t, *s ? s : "-");
}

static void
put_says(struct table *t, struct says s)
{
    struct str m = str_of(s.message);
    bool cut = !t->style->wide && m.n > MESSAGE_MAX;

    buf_puts(&t->text, s.reason);
    if (m.n) {
        buf_printf(&t->text, ": %s", cut ? "..." : "");
        buf_str(&t->text, cut ? str_from(m, m.n - MESSAGE_MAX) : m);
    }
}

static void
name_cell(struct table *t, const struct trace_node *n, unsigned depth)
{
    const char *ns = json_at_text(n->object, "metadata", "namespace");

    for (unsigned d = 1; d < depth; d++)
        buf_puts(&t->text, t->ended[d] ? t->rungs->gap : t->rungs->through);
    if (depth)
        buf_puts(&t->text, t->ended[depth] ? t->rungs->last : t->rungs->branch);
    buf_printf(&t->text, "%s/%s", json_get_text(n->object, "kind"),
               json_at_text(n->object, "metadata", "name"));
    if (*ns)
        buf_printf(&t->text, " (%s)", ns);
    buf_putc(&t->text, '\t');
}

static bool
only(struct str s, const char *allowed)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!memchr(allowed, s.s[i], strlen(allowed)))
            return false;
    }
    return s.n > 0;
}

/* REGISTRY/REPOSITORY:TAG with nothing left out, as go-containerregistry's
 * strict names; anything else is shown whole, without a version. */
static bool
split_tag(struct str image, struct str *package, struct str *tag)
{
    static const char low[] = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
    static const char any[] = "abcdefghijklmnopqrstuvwxyz0123456789_-."
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct str registry, path;
    size_t colon = image.n;

    while (colon > 0 && image.s[colon - 1] != ':' && image.s[colon - 1] != '/')
        colon--;
    if (!colon || image.s[colon - 1] != ':')
        return false;
    *package = str_sub(image, 0, colon - 1);
    *tag = str_from(image, colon);
    return str_cut(*package, '/', &registry, &path) &&
           (str_contains(registry, STR(".")) ||
            str_contains(registry, STR(":")) ||
            str_eqz(registry, "localhost")) &&
           only(path, low) && only(*tag, any);
}

static void
package_cells(struct table *t, const struct trace_node *n)
{
    bool revision = trace_is_revision(n->object);
    const struct json *spec = json_get(n->object, "spec");
    const char *key = revision ? "image" : "package";
    const char *image = json_get_text(spec, key), *state = "";
    struct str package = str_of(image), tag = {0};
    bool named = revision || trace_is_package(n->object);

    if (!split_tag(str_of(image), &package, &tag)) {
        package = str_of(image);
        tag = (struct str){0};
    }
    if (t->style->wide)
        buf_printf(&t->text, "%.*s\t", STR_ARG(package));
    buf_printf(&t->text, "%.*s\t", STR_ARG(tag));
    status_cell(t, n->object, "Installed");
    status_cell(t, n->object, "Healthy");
    if (revision)
        state = json_get_text(spec, "desiredState");
    if (named && !n->error && !*image)
        state = revision ? "spec.image: no such field"
                         : "spec.package: no such field";
    cell(t, *state ? state : "-");
    put_says(t, of_package(n));
    buf_putc(&t->text, '\t');
}

static void
resource_cells(struct table *t, const struct trace_node *n)
{
    if (t->style->wide)
        cell(t, json_string_or(json_at(n->object, "metadata", "annotations",
                                       COMPOSE_ANNOTATION_NAME, NULL),
                               ""));
    status_cell(t, n->object, "Synced");
    status_cell(t, n->object, "Ready");
    put_says(t, of_resource(n));
}

static void
rows(struct table *t, const struct trace_node *n, unsigned depth)
{
    name_cell(t, n, depth);
    if (t->packages)
        package_cells(t, n);
    else
        resource_cells(t, n);
    buf_putc(&t->text, '\n');
    for (size_t i = 0; i < n->n; i++) {
        t->ended[depth + 1] = i + 1 == n->n;
        rows(t, n->children[i], depth + 1);
    }
}

void
trace_print_table(const struct trace *t, const struct trace_style *s,
                  struct buf *out)
{
    static const struct tabwriter writer = {.min_width = 6, .padding = 3};
    struct table table = {.style = s,
                          .rungs = s->ascii ? &plain : &lines,
                          .text = BUF_INIT(out->max)};

    table.packages = t->n && (trace_is_package(t->roots[0]->object) ||
                              trace_is_revision(t->roots[0]->object));
    cell(&table, "NAME");
    if (s->wide)
        cell(&table, table.packages ? "PACKAGE" : "RESOURCE");
    buf_puts(&table.text, table.packages
                              ? "VERSION\tINSTALLED\tHEALTHY\tSTATE\tSTATUS\t\n"
                              : "SYNCED\tREADY\tSTATUS\n");
    for (size_t i = 0; i < t->n; i++)
        rows(&table, t->roots[i], 0);
    out->over = out->over || table.text.over;
    tabwriter_align(&writer, buf_view(&table.text), out);
    buf_release(&table.text);
}

/* ---- JSON and YAML ---- */

static struct json *
node_json(const struct trace_node *n)
{
    struct json *j = json_new_object();

    json_sort(json_set(j, "object", json_copy(n->object)));
    if (n->error)
        json_set(j, "error",
                 n->details ? json_copy(n->details) : json_new_object());
    for (size_t i = 0; i < n->n; i++)
        json_append(json_need_array(j, "children"), node_json(n->children[i]));
    return j;
}

static struct json *
trace_json(const struct trace *t, const struct trace_style *s)
{
    struct json *list;

    if (!s->list)
        return node_json(t->roots[0]);
    list = json_new_object();
    json_need_array(list, "items");
    for (size_t i = 0; i < t->n; i++)
        json_append(json_get(list, "items"), node_json(t->roots[i]));
    return list;
}

void
trace_print_json(const struct trace *t, const struct trace_style *s,
                 struct buf *out)
{
    AUTO(json_free_ptr) struct json *j = trace_json(t, s);

    json_print(j, JSON_PRETTY | JSON_HTML, out);
    buf_putc(out, '\n');
}

void
trace_print_yaml(const struct trace *t, const struct trace_style *s,
                 struct buf *out)
{
    AUTO(json_free_ptr) struct json *j = trace_json(t, s);

    yaml_print(j, YAML_SORTED, out);
    buf_putc(out, '\n');
}
