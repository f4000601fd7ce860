#include "devenv/sandbox/cells.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/cells_pod.h"

/* ---- reaching ---- */

/* The value at ".a.b". */
static const struct json *
reach(const struct json *obj, struct str path)
{
    struct str name;

    path = str_from(path, 1);
    while (obj && path.n && str_next(&path, '.', &name))
        obj = json_get_str(obj, name);
    return obj;
}

static const struct json *
first(const struct json *obj, const char *path)
{
    return reach(obj, str_of(path));
}

static const char *
text_at(const struct json *obj, const char *path)
{
    return json_string_or(first(obj, path), "");
}

static void
print_text(const char *text, struct buf *out)
{
    AUTO(json_free_ptr) struct json *s = json_new_string(text);

    json_print(s, JSON_HTML, out);
}

void
cells_put_age(const struct json *stamp, const char *none, int64_t now_s,
              struct buf *out)
{
    char text[CLOCK_HUMAN_LEN];
    int64_t at;

    if (!json_string(stamp)) {
        buf_puts(out, none);
    } else if (!clock_parse(str_of(json_string(stamp)), &at)) {
        buf_puts(out, "<invalid>");
    } else {
        clock_human(now_s - at, text);
        buf_puts(out, text);
    }
}

/* Adds one more of a list "a,b". */
static void
add(struct buf *out, const char *sep, const char *text)
{
    buf_printf(out, "%s%s", out->n ? sep : "", text);
}

static void
or_none(struct buf *out)
{
    if (!out->n)
        buf_puts(out, "<none>");
}

/* ---- workloads ---- */

static void
containers(const struct cell *c, struct buf *out)
{
    const struct json *list = json_get(reach(c->obj, c->arg), "containers");

    for (const struct json *i = json_first(list); i; i = json_next(i))
        add(out, ",", json_get_text(i, "name"));
}

static void
images(const struct cell *c, struct buf *out)
{
    const struct json *list = json_get(reach(c->obj, c->arg), "containers");

    for (const struct json *i = json_first(list); i; i = json_next(i))
        add(out, ",", json_get_text(i, "image"));
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
join_sorted(struct strlist *l, struct buf *out)
{
    if (l->n)
        qsort(l->v, l->n, sizeof(*l->v), by_text);
    for (size_t i = 0; i < l->n; i++)
        add(out, ",", l->v[i]);
    or_none(out);
}

static void
labels(const struct cell *c, struct buf *out)
{
    AUTO(strlist_release) struct strlist all = {0};

    for (const struct json *l = json_first(reach(c->obj, c->arg)); l;
         l = json_next(l))
        strlist_addf(&all, "%s=%s", json_key(l), json_string_or(l, ""));
    join_sorted(&all, out);
}

static void
add_expression(const struct json *e, struct strlist *all)
{
    static const char *const words[][2] = {{"In", "in"}, {"NotIn", "notin"}};
    const char *key = json_get_text(e, "key"),
               *op = json_get_text(e, "operator");
    AUTO(buf_release) struct buf values = BUF_INIT(BUF_TEXT_MAX);

    if (!strcmp(op, "Exists"))
        strlist_addf(all, "%s", key);
    else if (!strcmp(op, "DoesNotExist"))
        strlist_addf(all, "!%s", key);
    for (const struct json *v = json_first(json_get(e, "values")); v;
         v = json_next(v))
        add(&values, ",", json_string_or(v, ""));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!strcmp(op, words[i][0]))
            strlist_addf(all, "%s %s (%s)", key, words[i][1],
                         buf_cstr(&values));
    }
}

void
cells_put_selector(const struct json *selector, struct buf *out)
{
    AUTO(strlist_release) struct strlist all = {0};

    for (const struct json *l = json_first(json_get(selector, "matchLabels"));
         l; l = json_next(l))
        strlist_addf(&all, "%s=%s", json_key(l), json_string_or(l, ""));
    for (const struct json *e =
             json_first(json_get(selector, "matchExpressions"));
         e; e = json_next(e))
        add_expression(e, &all);
    join_sorted(&all, out);
}

static void
selector(const struct cell *c, struct buf *out)
{
    cells_put_selector(reach(c->obj, c->arg), out);
}

static int64_t
number_at(const struct json *obj, const char *path)
{
    return json_int64_or(first(obj, path), 0);
}

static void
ready_of(const struct cell *c, struct buf *out)
{
    buf_printf(out, "%lld/%lld",
               (long long)number_at(c->obj, ".status.readyReplicas"),
               (long long)number_at(c->obj, ".spec.replicas"));
}

static void
controller(const struct cell *c, struct buf *out)
{
    for (const struct json *o =
             json_first(first(c->obj, ".metadata.ownerReferences"));
         o; o = json_next(o)) {
        struct str group, version;
        bool grouped = str_cut(str_of(json_get_text(o, "apiVersion")), '/',
                               &group, &version);

        if (!json_bool(json_get(o, "controller"), false))
            continue;
        for (const char *p = json_get_text(o, "kind"); *p; p++)
            buf_putc(out, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
        if (grouped)
            buf_printf(out, ".%.*s", STR_ARG(group));
        buf_printf(out, "/%s", json_get_text(o, "name"));
        return;
    }
    buf_puts(out, "<none>");
}

static bool
job_has(const struct cell *c, const char *type)
{
    return condition_true(c->obj, type);
}

static void
job_status(const struct cell *c, struct buf *out)
{
    static const char *const words[][2] = {
        {"Complete", "Complete"},
        {"Failed", "Failed"},
        {"Suspended", "Suspended"},
        {"FailureTarget", "FailureTarget"},
        {"SuccessCriteriaMet", "SuccessCriteriaMet"}};

    for (size_t i = 0; i < 2; i++) {
        if (job_has(c, words[i][0])) {
            buf_puts(out, words[i][1]);
            return;
        }
    }
    if (first(c->obj, ".metadata.deletionTimestamp")) {
        buf_puts(out, "Terminating");
        return;
    }
    for (size_t i = 2; i < ARRAY_LEN(words); i++) {
        if (job_has(c, words[i][0])) {
            buf_puts(out, words[i][1]);
            return;
        }
    }
    buf_puts(out, "Running");
}

static void
completions(const struct cell *c, struct buf *out)
{
    const struct json *want = first(c->obj, ".spec.completions");
    int64_t width = number_at(c->obj, ".spec.parallelism"), n;

    buf_printf(out, "%lld/", (long long)number_at(c->obj, ".status.succeeded"));
    if (json_int64(want, &n))
        buf_printf(out, "%lld", (long long)n);
    else if (width > 1)
        buf_printf(out, "1 of %lld", (long long)width);
    else
        buf_puts(out, "1");
}

static void
duration(const struct cell *c, struct buf *out)
{
    const char *end = text_at(c->obj, ".status.completionTime");
    int64_t from, to = c->now_s;
    char text[CLOCK_HUMAN_LEN];

    if (!clock_parse(str_of(text_at(c->obj, ".status.startTime")), &from))
        return;
    if (*end)
        clock_parse(str_of(end), &to);
    clock_human(to - from, text);
    buf_puts(out, text);
}

static void
ago(const struct cell *c, struct buf *out)
{
    cells_put_age(reach(c->obj, c->arg), "<none>", c->now_s, out);
}

static void
truth(const struct cell *c, struct buf *out)
{
    const struct json *v = reach(c->obj, c->arg);

    buf_puts(out, !v ? "<unset>" : json_bool(v, false) ? "True" : "False");
}

/* ---- storage ---- */

static void
phase(const struct cell *c, struct buf *out)
{
    buf_puts(out, first(c->obj, ".metadata.deletionTimestamp")
                      ? "Terminating"
                      : text_at(c->obj, ".status.phase"));
}

static void
put_modes(const struct json *list, struct buf *out)
{
    static const char *const modes[][2] = {{"ReadWriteOnce", "RWO"},
                                           {"ReadOnlyMany", "ROX"},
                                           {"ReadWriteMany", "RWX"},
                                           {"ReadWriteOncePod", "RWOP"}};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        for (const struct json *m = json_first(list); m; m = json_next(m)) {
            if (!strcmp(json_string_or(m, ""), modes[i][0])) {
                add(out, ",", modes[i][1]);
                break;
            }
        }
    }
}

static void
modes(const struct cell *c, struct buf *out)
{
    put_modes(reach(c->obj, c->arg), out);
}

static void
claim_modes(const struct cell *c, struct buf *out)
{
    if (*text_at(c->obj, ".spec.volumeName"))
        put_modes(first(c->obj, ".status.accessModes"), out);
}

static void
claim_capacity(const struct cell *c, struct buf *out)
{
    if (*text_at(c->obj, ".spec.volumeName"))
        buf_puts(out, text_at(c->obj, ".status.capacity.storage"));
}

static void
storage_class(const struct cell *c, struct buf *out)
{
    const struct json *old =
        json_get(first(c->obj, ".metadata.annotations"),
                 "volume.beta.kubernetes.io/storage-class");

    buf_puts(out, old ? json_string_or(old, "")
                      : text_at(c->obj, ".spec.storageClassName"));
}

static void
claim(const struct cell *c, struct buf *out)
{
    const struct json *ref = first(c->obj, ".spec.claimRef");

    if (ref)
        buf_printf(out, "%s/%s", json_get_text(ref, "namespace"),
                   json_get_text(ref, "name"));
}

static void
quota(const struct cell *c, struct buf *out)
{
    const struct json *used = first(c->obj, ".status.used");
    bool limits = !str_eqz(c->arg, "-");
    AUTO(strlist_release) struct strlist all = {0};

    for (const struct json *h = json_first(first(c->obj, ".status.hard")); h;
         h = json_next(h)) {
        const char *in = json_get_string(used, json_key(h));

        if (str_starts(str_of(json_key(h)), STR("limits.")) == limits)
            strlist_addf(&all, "%s: %s/%s", json_key(h), in ? in : "0",
                         json_string_or(h, ""));
    }
    strlist_sort(&all);
    for (size_t i = 0; i < all.n; i++)
        add(out, ", ", all.v[i]);
}

static void
data(const struct cell *c, struct buf *out)
{
    buf_printf(out, "%zu",
               json_len(json_get(c->obj, "data")) +
                   json_len(json_get(c->obj, "binaryData")));
}

/* ---- rights ---- */

static void
role(const struct cell *c, struct buf *out)
{
    buf_printf(out, "%s/%s", text_at(c->obj, ".roleRef.kind"),
               text_at(c->obj, ".roleRef.name"));
}

static void
subjects(const struct cell *c, struct buf *out)
{
    for (const struct json *s = json_first(json_get(c->obj, "subjects")); s;
         s = json_next(s)) {
        if (!str_eqz(c->arg, json_get_text(s, "kind")))
            continue;
        if (str_eqz(c->arg, "ServiceAccount"))
            buf_printf(out, "%s%s/%s", out->n ? ", " : "",
                       json_get_text(s, "namespace"), json_get_text(s, "name"));
        else
            add(out, ", ", json_get_text(s, "name"));
    }
}

static void
param_kind(const struct cell *c, struct buf *out)
{
    const struct json *k = first(c->obj, ".spec.paramKind");

    if (k)
        buf_printf(out, "%s/%s", json_get_text(k, "apiVersion"),
                   json_get_text(k, "kind"));
    else
        buf_puts(out, "<unset>");
}

static void
param_ref(const struct cell *c, struct buf *out)
{
    const struct json *r = first(c->obj, ".spec.paramRef");
    const char *ns = json_get_text(r, "namespace");

    if (!r)
        buf_puts(out, "<unset>");
    else if (*json_get_text(r, "name"))
        buf_printf(out, "%s/%s", *ns ? ns : "*", json_get_text(r, "name"));
    else
        cells_put_selector(json_get(r, "selector"), out);
}

static void
api_service(const struct cell *c, struct buf *out)
{
    const struct json *s = first(c->obj, ".spec.service");

    if (s)
        buf_printf(out, "%s/%s", json_get_text(s, "namespace"),
                   json_get_text(s, "name"));
    else
        buf_puts(out, "Local");
}

static void
api_available(const struct cell *c, struct buf *out)
{
    for (const struct json *i = json_first(first(c->obj, ".status.conditions"));
         i; i = json_next(i)) {
        if (strcmp(json_get_text(i, "type"), "Available") != 0)
            continue;
        buf_puts(out, json_get_text(i, "status"));
        if (strcmp(json_get_text(i, "status"), "True") != 0)
            buf_printf(out, " (%s)", json_get_text(i, "reason"));
        return;
    }
    buf_puts(out, "Unknown");
}

static void
requested(const struct cell *c, struct buf *out)
{
    int64_t s;
    char text[CLOCK_HUMAN_LEN];

    if (!json_int64(first(c->obj, ".spec.expirationSeconds"), &s)) {
        buf_puts(out, "<none>");
        return;
    }
    clock_human(s, text);
    buf_puts(out, text);
}

static void
csr(const struct cell *c, struct buf *out)
{
    static const char *const types[] = {"Approved", "Denied", "Failed"};
    size_t n = 0;

    for (const struct json *i = json_first(first(c->obj, ".status.conditions"));
         i; i = json_next(i)) {
        for (size_t t = 0; t < ARRAY_LEN(types); t++) {
            if (!strcmp(json_get_text(i, "type"), types[t]))
                n |= (size_t)1 << t;
        }
    }
    buf_puts(out, n & 2 ? "Denied" : n & 1 ? "Approved" : n ? "" : "Pending");
    if (n & 4)
        add(out, ",", "Failed");
    if (*text_at(c->obj, ".status.certificate"))
        add(out, ",", "Issued");
}

static const struct {
    const char *name;
    cell_fn *fn;
} functions[] = {
    {"data", data},
    {"containers", containers},
    {"images", images},
    {"labels", labels},
    {"selector", selector},
    {"of", ready_of},
    {"controller", controller},
    {"job_status", job_status},
    {"completions", completions},
    {"duration", duration},
    {"ago", ago},
    {"bool", truth},
    {"phase", phase},
    {"modes", modes},
    {"claim_modes", claim_modes},
    {"claim_capacity", claim_capacity},
    {"class", storage_class},
    {"claim", claim},
    {"quota", quota},
    {"role", role},
    {"subjects", subjects},
    {"param_kind", param_kind},
    {"param_ref", param_ref},
    {"api_service", api_service},
    {"api_available", api_available},
    {"requested", requested},
    {"csr", csr},
};

/* ---- printing ---- */

static void
print_function(struct str name, struct cell *c, struct buf *out)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    cell_fn *fn = NULL;

    str_cut(name, ' ', &name, &c->arg);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (str_eqz(name, functions[i].name))
            fn = functions[i].fn;
    }
    if (!fn)
        fn = cells_pod_function(name);
    if (!fn)
        fn = cells_net_function(name);
    if (fn)
        fn(c, &text);
    /* Counts are numbers there. */
    if (str_eqz(name, "data") || str_eqz(name, "count"))
        buf_puts(out, buf_cstr(&text));
    else
        print_text(buf_cstr(&text), out);
}

static void
print_member(struct str cell, const struct json *obj, struct buf *out)
{
    struct str path = cell, fallback = {0};
    const struct json *v;

    if (!str_cut(cell, '?', &path, &fallback)) {
        path = cell;
        fallback = (struct str){0};
    }
    v = reach(obj, path);
    if (v && !json_is(v, JSON_NULL) &&
        !(json_string(v) && !*json_string(v) && fallback.n)) {
        AUTO(mem_free_ptr) char *number = json_text(v, JSON_COMPACT);

        print_text(json_string(v) ? json_string(v) : number, out);
    } else {
        AUTO(mem_free_ptr) char *z = mem_strndup(fallback.s, fallback.n);

        print_text(z, out);
    }
}

static void
print_age(const struct json *obj, int64_t now_s, struct buf *out)
{
    AUTO(buf_release) struct buf text = BUF_INIT(64);

    cells_put_age(first(obj, ".metadata.creationTimestamp"), "<unknown>", now_s,
                  &text);
    print_text(buf_cstr(&text), out);
}

void
cells_print(const char *cell, const struct json *obj, int64_t now_s,
            struct buf *out)
{
    struct cell c = {.obj = obj, .now_s = now_s};
    struct str rest = str_from(str_of(cell), 1);

    switch (*cell) {
    case '~':
        print_age(obj, now_s, out);
        break;
    case '+':
        buf_printf(out, "%lld", (long long)json_int64_or(reach(obj, rest), 0));
        break;
    case '#':
        buf_printf(out, "%zu", json_len(reach(obj, rest)));
        break;
    case '^':
        buf_puts(out, json_bool(reach(obj, rest), false) ? "true" : "false");
        break;
    case '=':
        print_function(rest, &c, out);
        break;
    default:
        print_member(str_of(cell), obj, out);
    }
}

void
cells_print_name(const char *kind, const struct json *obj, struct buf *out)
{
    static const char *const keys[] = {
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class"};
    const struct json *notes = first(obj, ".metadata.annotations");
    AUTO(buf_release) struct buf text = BUF_INIT(4096);

    buf_puts(&text, text_at(obj, ".metadata.name"));
    for (size_t i = 0; !strcmp(kind, "StorageClass") && i < ARRAY_LEN(keys);
         i++) {
        if (!strcmp(json_get_text(notes, keys[i]), "true")) {
            buf_puts(&text, " (default)");
            break;
        }
    }
    print_text(buf_cstr(&text), out);
}
