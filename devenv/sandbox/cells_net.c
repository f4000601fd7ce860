/* Cells of services, endpoints, ingresses and autoscalers. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/cells_pod.h"

#define SHOWN 3 /* of a list; then "+ 2 more..." */

static void
add(struct buf *out, const char *sep, const char *text)
{
    buf_printf(out, "%s%s", out->n ? sep : "", text);
}

static void
or_text(struct buf *out, const char *text)
{
    if (!out->n)
        buf_puts(out, text);
}

/* ---- services ---- */

static void
cluster_ip(const struct cell *c, struct buf *out)
{
    const struct json *spec = json_get(c->obj, "spec");
    const struct json *all = json_get(spec, "clusterIPs");

    buf_puts(out, json_first(all) ? json_string_or(json_first(all), "")
                                  : json_get_text(spec, "clusterIP"));
    or_text(out, "<none>");
}

static void
put_balancer(const struct json *obj, struct buf *out)
{
    const struct json *list =
        json_at(obj, "status", "loadBalancer", "ingress", NULL);

    for (const struct json *i = json_first(list); i; i = json_next(i)) {
        const char *ip = json_get_text(i, "ip");

        add(out, ",", *ip ? ip : json_get_text(i, "hostname"));
    }
}

static void
balancer(const struct cell *c, struct buf *out)
{
    put_balancer(c->obj, out);
}

static void
external_ip(const struct cell *c, struct buf *out)
{
    const struct json *spec = json_get(c->obj, "spec");
    const char *type = json_get_text(spec, "type");

    if (!strcmp(type, "ExternalName")) {
        buf_puts(out, json_get_text(spec, "externalName"));
        return;
    }
    if (!strcmp(type, "LoadBalancer"))
        put_balancer(c->obj, out);
    for (const struct json *i = json_first(json_get(spec, "externalIPs")); i;
         i = json_next(i))
        add(out, ",", json_string_or(i, ""));
    or_text(out, strcmp(type, "LoadBalancer") ? "<none>" : "<pending>");
}

static void
service_ports(const struct cell *c, struct buf *out)
{
    for (const struct json *p =
             json_first(json_at(c->obj, "spec", "ports", NULL));
         p; p = json_next(p)) {
        int64_t node = json_int64_or(json_get(p, "nodePort"), 0);

        buf_printf(out, "%s%lld", out->n ? "," : "",
                   (long long)json_int64_or(json_get(p, "port"), 0));
        if (node > 0)
            buf_printf(out, ":%lld", (long long)node);
        buf_printf(out, "/%s", json_get_text(p, "protocol"));
    }
    or_text(out, "<none>");
}

/* ---- endpoints ---- */

static void
put_more(size_t n, struct buf *out)
{
    if (n > SHOWN)
        buf_printf(out, " + %zu more...", n - SHOWN);
}

static void
endpoints(const struct cell *c, struct buf *out)
{
    size_t n = 0;

    for (const struct json *s = json_first(json_get(c->obj, "subsets")); s;
         s = json_next(s)) {
        const struct json *list = json_get(s, "addresses");
        const struct json *p = json_first(json_get(s, "ports"));

        do {
            for (const struct json *a = json_first(list); a; a = json_next(a)) {
                if (n++ >= SHOWN)
                    continue;
                add(out, ",", json_get_text(a, "ip"));
                if (p)
                    buf_printf(
                        out, ":%lld",
                        (long long)json_int64_or(json_get(p, "port"), 0));
            }
            p = p ? json_next(p) : NULL;
        } while (p);
    }
    put_more(n, out);
    or_text(out, "<none>");
}

static void
slice_ports(const struct cell *c, struct buf *out)
{
    size_t n = 0;

    for (const struct json *p = json_first(json_get(c->obj, "ports")); p;
         p = json_next(p)) {
        int64_t port;

        if (n++ >= SHOWN)
            continue;
        if (json_int64(json_get(p, "port"), &port))
            buf_printf(out, "%s%lld", out->n ? "," : "", (long long)port);
        else
            add(out, ",", "*");
    }
    put_more(n, out);
    or_text(out, "<unset>");
}

static void
slice_endpoints(const struct cell *c, struct buf *out)
{
    size_t n = 0;

    for (const struct json *e = json_first(json_get(c->obj, "endpoints")); e;
         e = json_next(e)) {
        for (const struct json *a = json_first(json_get(e, "addresses")); a;
             a = json_next(a)) {
            if (n++ < SHOWN)
                add(out, ",", json_string_or(a, ""));
        }
    }
    put_more(n, out);
    or_text(out, "<unset>");
}

/* ---- ingresses ---- */

static void
hosts(const struct cell *c, struct buf *out)
{
    size_t n = 0;

    for (const struct json *r =
             json_first(json_at(c->obj, "spec", "rules", NULL));
         r; r = json_next(r)) {
        const char *host = json_get_text(r, "host");

        if (*host && n++ < SHOWN)
            add(out, ",", host);
    }
    put_more(n, out);
    or_text(out, "*");
}

static void
ingress_ports(const struct cell *c, struct buf *out)
{
    buf_puts(out, json_first(json_at(c->obj, "spec", "tls", NULL)) ? "80, 443"
                                                                   : "80");
}

static void
parameters(const struct cell *c, struct buf *out)
{
    const struct json *p = json_at(c->obj, "spec", "parameters", NULL);
    const char *group = json_get_text(p, "apiGroup");

    if (p)
        buf_printf(out, "%s%s%s/%s", json_get_text(p, "kind"),
                   *group ? "." : "", group, json_get_text(p, "name"));
    else
        buf_puts(out, "<none>");
}

/* ---- autoscalers ---- */

static void
scaled(const struct cell *c, struct buf *out)
{
    const struct json *ref = json_at(c->obj, "spec", "scaleTargetRef", NULL);

    buf_printf(out, "%s/%s", json_get_text(ref, "kind"),
               json_get_text(ref, "name"));
}

/* "80%", or the amount. */
static void
put_target(const struct json *t, struct buf *out)
{
    static const char *const amounts[] = {"averageValue", "value"};
    int64_t n;

    if (json_int64(json_get(t, "averageUtilization"), &n)) {
        buf_printf(out, "%lld%%", (long long)n);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
        const char *text = json_get_string(t, amounts[i]);

        if (!text)
            continue;
        buf_printf(out, "%s%s", text, i == 0 ? " (avg)" : "");
        return;
    }
    buf_puts(out, "<auto>");
}

static void
put_metric(const struct json *m, struct buf *out)
{
    static const struct {
        const char *type, *member;
    } kinds[] = {{"Resource", "resource"},
                 {"ContainerResource", "containerResource"},
                 {"Pods", "pods"},
                 {"Object", "object"},
                 {"External", "external"}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct json *s = json_get(m, kinds[i].member);

        if (strcmp(json_get_text(m, "type"), kinds[i].type) != 0)
            continue;
        if (i < 2)
            buf_printf(out, "%s: ", json_get_text(s, "name"));
        buf_puts(out, "<unknown>/");
        put_target(json_get(s, "target"), out);
        return;
    }
    buf_puts(out, "<unknown type>");
}

static void
targets(const struct cell *c, struct buf *out)
{
    const struct json *spec = json_get(c->obj, "spec");
    int64_t old;
    size_t n = 0;

    if (json_int64(json_get(spec, "targetCPUUtilizationPercentage"), &old))
        buf_printf(out, "cpu: <unknown>/%lld%%", (long long)old);
    for (const struct json *m = json_first(json_get(spec, "metrics")); m;
         m = json_next(m), n++) {
        if (n >= 2)
            continue;
        buf_puts(out, n ? ", " : "");
        put_metric(m, out);
    }
    if (n > 2)
        buf_printf(out, " + %zu more...", n - 2);
    or_text(out, "<none>");
}

cell_fn *
cells_net_function(struct str name)
{
    static const struct {
        const char *name;
        cell_fn *fn;
    } functions[] = {
        {"cluster_ip", cluster_ip},
        {"external_ip", external_ip},
        {"service_ports", service_ports},
        {"balancer", balancer},
        {"endpoints", endpoints},
        {"slice_ports", slice_ports},
        {"slice_endpoints", slice_endpoints},
        {"hosts", hosts},
        {"ingress_ports", ingress_ports},
        {"parameters", parameters},
        {"scaled", scaled},
        {"targets", targets},
    };

    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (str_eqz(name, functions[i].name))
            return functions[i].fn;
    }
    return NULL;
}
