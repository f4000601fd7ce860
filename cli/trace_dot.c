/* Traces as a graph for graphviz: nodes numbered breadth first, printed in the
 * order of their numbers' text, as the library does that upstream uses
 * (emicklei/dot). */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "cli/trace_print.h"

struct numbered {
    const struct trace_node *node;
    size_t id, first; /* from 0; of its first child */
    char key[24];     /* the id as text: what sorts */
};

static const char *
status_of(const struct json *object, const char *type)
{
    return json_get_text(condition_get(object, type), "status");
}

static void
line(struct buf *b, const char *title, const char *value)
{
    buf_printf(b, "%s: %s\n", title, value);
}

static void
line_if(struct buf *b, const char *title, const char *value)
{
    if (*value)
        line(b, title, value);
}

static void
package_label(const struct json *o, struct buf *b)
{
    bool revision = trace_is_revision(o);
    const char *image =
        json_get_text(json_get(o, "spec"), revision ? "image" : "package");

    line(b, "Package", image);
    if (!revision)
        line_if(b, "Installed", status_of(o, "Installed"));
    line(b, "Healthy", status_of(o, "Healthy"));
    if (revision)
        line_if(b, "State",
                json_get_text(condition_get(o, "Healthy"), "reason"));
    if (!*image)
        line(b, "Error",
             revision ? "spec.image: no such field"
                      : "spec.package: no such field");
}

static void
label(const struct json *o, struct buf *b)
{
    bool package = trace_is_package(o) || trace_is_revision(o);
    const char *name = json_string_or(json_at(o, "metadata", "name", NULL), "");

    if (package)
        line(b, "Name", name);
    else
        buf_printf(b, "Name: %s/%s\n", json_get_text(o, "kind"), name);
    line(b, "ApiVersion", json_get_text(o, "apiVersion"));
    if (package) {
        package_label(o, b);
        return;
    }
    line_if(b, "Namespace",
            json_string_or(json_at(o, "metadata", "namespace", NULL), ""));
    line(b, "Ready", status_of(o, "Ready"));
    line(b, "Synced", status_of(o, "Synced"));
}

/* Go's %q of a text that has no control characters but newlines. */
static void
quote(struct str s, struct buf *out)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] == '\n')
            buf_puts(out, "\\n");
        else if ((unsigned char)s.s[i] < 0x20 || s.s[i] == 0x7f)
            buf_printf(out, "\\x%02x", (unsigned char)s.s[i]);
        else if (s.s[i] == '"' || s.s[i] == '\\')
            buf_printf(out, "\\%c", s.s[i]);
        else
            buf_putc(out, s.s[i]);
    }
    buf_putc(out, '"');
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->key,
                  ((const struct numbered *)b)->key);
}

/* Breadth first; v holds t->nodes rows. */
static size_t
number(const struct trace *t, struct numbered *v)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        v[n++].node = t->roots[i];
    for (size_t i = 0; i < n; i++) {
        v[i].id = i;
        v[i].first = n;
        snprintf(v[i].key, sizeof(v[i].key), "%zu", i);
        for (size_t k = 0; k < v[i].node->n; k++)
            v[n++].node = v[i].node->children[k];
    }
    return n;
}

void
trace_print_dot(const struct trace *t, const struct trace_style *s UNUSED,
                struct buf *out)
{
    struct numbered *v = mem_zalloc(t->nodes + 1, sizeof(*v));
    struct numbered *sorted = mem_zalloc(t->nodes + 1, sizeof(*sorted));
    size_t n = number(t, v);

    memcpy(sorted, v, n * sizeof(*v));
    qsort(sorted, n, sizeof(*sorted), by_key);
    buf_puts(out, "graph  {\n\t\n");
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

        label(sorted[i].node->object, &b);
        buf_printf(out, "\tn%zu[label=", sorted[i].id + 1);
        quote(buf_view(&b), out);
        buf_puts(out, ",penwidth=\"2\"];\n");
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sorted[i].node->n; k++)
            buf_printf(out, "\tn%zu--n%zu;\n", sorted[i].id + 1,
                       sorted[i].first + k + 1);
    }
    buf_puts(out, "\t\n}\n");
    free(sorted);
    free(v);
}
