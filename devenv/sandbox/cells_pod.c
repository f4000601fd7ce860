/* Cells of pods, nodes and events. */
#include "devenv/sandbox/cells_pod.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

/* ---- a pod ---- */

/* What is found out about a pod on the way to its three columns. */
struct pod {
    const struct json *spec, *status;
    struct buf reason;
    int64_t restarts, last_restart, total;
    size_t ready;
    bool initializing;
};

static void
say(struct pod *p, const char *fmt, const char *text)
{
    AUTO(mem_free_ptr) char *copy = mem_strdup(text);

    buf_reset(&p->reason);
    for (; *fmt; fmt++) {
        if (*fmt == '%')
            buf_puts(&p->reason, copy);
        else
            buf_putc(&p->reason, *fmt);
    }
}

static void
note_restart(struct pod *p, const struct json *s)
{
    const char *text =
        json_string(json_at(s, "lastState", "terminated", "finishedAt", NULL));
    int64_t at;

    if (text && clock_parse(str_of(text), &at) && at > p->last_restart)
        p->last_restart = at;
}

/* Why a container stopped, behind "Init:" or nothing. */
static void
say_terminated(struct pod *p, const struct json *t, const char *head)
{
    const char *reason = json_get_text(t, "reason");
    int64_t signal = json_int64_or(json_get(t, "signal"), 0);
    AUTO(mem_free_ptr)
    char *text =
        *reason ? mem_printf("%s%s", head, reason)
        : signal
            ? mem_printf("%sSignal:%lld", head, (long long)signal)
            : mem_printf("%sExitCode:%lld", head,
                         (long long)json_int64_or(json_get(t, "exitCode"), 0));

    say(p, "%", text);
}

static bool
is_sidecar(const struct json *spec, const char *name)
{
    for (const struct json *c = json_first(json_get(spec, "initContainers")); c;
         c = json_next(c)) {
        if (!strcmp(json_get_text(c, "name"), name))
            return !strcmp(json_get_text(c, "restartPolicy"), "Always");
    }
    return false;
}

/* True: the next one may be looked at. */
static bool
look_at_init(struct pod *p, const struct json *s, size_t i)
{
    const struct json *state = json_get(s, "state");
    const struct json *ended = json_get(state, "terminated");
    const char *waits = json_get_text(json_get(state, "waiting"), "reason");
    bool sidecar = is_sidecar(p->spec, json_get_text(s, "name"));

    if (ended && !json_int64_or(json_get(ended, "exitCode"), 0))
        return true;
    if (sidecar && json_bool(json_get(s, "started"), false)) {
        p->ready += json_bool(json_get(s, "ready"), false);
        return true;
    }
    p->initializing = true;
    if (ended) {
        say_terminated(p, ended, "Init:");
    } else if (*waits && strcmp(waits, "PodInitializing") != 0) {
        say(p, "Init:%", waits);
    } else {
        AUTO(mem_free_ptr)
        char *text = mem_printf("Init:%zu/%zu", i,
                                json_len(json_get(p->spec, "initContainers")));

        say(p, "%", text);
    }
    return false;
}

static void
look_at_inits(struct pod *p)
{
    const struct json *list = json_get(p->status, "initContainerStatuses");
    bool go_on = true;
    size_t i = 0;

    for (const struct json *s = json_first(list); s && go_on;
         s = json_next(s), i++) {
        p->restarts += json_int64_or(json_get(s, "restartCount"), 0);
        note_restart(p, s);
        go_on = look_at_init(p, s, i);
    }
}

/* The first container that has something to say wins; all are counted. */
static void
look_at_containers(struct pod *p, const struct json *pod)
{
    const struct json *list = json_get(p->status, "containerStatuses");
    const struct json *told = NULL;
    bool running = false;

    p->restarts = 0;
    p->last_restart = 0;
    for (const struct json *s = json_first(list); s; s = json_next(s)) {
        const struct json *state = json_get(s, "state");
        bool waits = *json_get_text(json_get(state, "waiting"), "reason");

        p->restarts += json_int64_or(json_get(s, "restartCount"), 0);
        note_restart(p, s);
        if (!told && (waits || json_get(state, "terminated")))
            told = state;
        if (json_bool(json_get(s, "ready"), false) &&
            json_get(state, "running")) {
            running = true;
            p->ready++;
        }
    }
    if (*json_get_text(json_get(told, "waiting"), "reason"))
        say(p, "%", json_get_text(json_get(told, "waiting"), "reason"));
    else if (told)
        say_terminated(p, json_get(told, "terminated"), "");
    if (running && !strcmp(buf_cstr(&p->reason), "Completed"))
        say(p, "%", condition_true(pod, "Ready") ? "Running" : "NotReady");
}

static void
say_gated(struct pod *p)
{
    for (const struct json *c = json_first(json_get(p->status, "conditions"));
         c; c = json_next(c)) {
        if (!strcmp(json_get_text(c, "type"), "PodScheduled") &&
            !strcmp(json_get_text(c, "reason"), "SchedulingGated"))
            say(p, "%", "SchedulingGated");
    }
}

static void
look_at_pod(const struct json *pod, struct pod *p)
{
    const char *phase;

    *p = (struct pod){.spec = json_get(pod, "spec"),
                      .status = json_get(pod, "status")};
    buf_init(&p->reason, BUF_TEXT_MAX);
    phase = json_get_text(p->status, "phase");
    say(p, "%", phase);
    if (*json_get_text(p->status, "reason"))
        say(p, "%", json_get_text(p->status, "reason"));
    say_gated(p);
    p->total = (int64_t)json_len(json_get(p->spec, "containers"));
    for (const struct json *c = json_first(json_get(p->spec, "initContainers"));
         c; c = json_next(c))
        p->total += !strcmp(json_get_text(c, "restartPolicy"), "Always");
    look_at_inits(p);
    if (!p->initializing || condition_true(pod, "Initialized"))
        look_at_containers(p, pod);
    if (!json_at(pod, "metadata", "deletionTimestamp", NULL))
        return;
    if (!strcmp(json_get_text(p->status, "reason"), "NodeLost"))
        say(p, "%", "Unknown");
    else if (strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0)
        say(p, "%", "Terminating");
}

static void
pod_ready(const struct cell *c, struct buf *out)
{
    struct pod p;

    look_at_pod(c->obj, &p);
    buf_printf(out, "%zu/%lld", p.ready, (long long)p.total);
    buf_release(&p.reason);
}

static void
pod_status(const struct cell *c, struct buf *out)
{
    struct pod p;

    look_at_pod(c->obj, &p);
    buf_puts(out, buf_cstr(&p.reason));
    buf_release(&p.reason);
}

static void
pod_restarts(const struct cell *c, struct buf *out)
{
    char text[CLOCK_HUMAN_LEN];
    struct pod p;

    look_at_pod(c->obj, &p);
    buf_printf(out, "%lld", (long long)p.restarts);
    if (p.restarts && p.last_restart) {
        clock_human(c->now_s - p.last_restart, text);
        buf_printf(out, " (%s ago)", text);
    }
    buf_release(&p.reason);
}

static void
gates(const struct cell *c, struct buf *out)
{
    const struct json *list = json_at(c->obj, "spec", "readinessGates", NULL);
    size_t n = 0;

    if (!json_first(list)) {
        buf_puts(out, "<none>");
        return;
    }
    for (const struct json *g = json_first(list); g; g = json_next(g))
        n += condition_true(c->obj, json_get_text(g, "conditionType"));
    buf_printf(out, "%zu/%zu", n, json_len(list));
}

/* ---- a node ---- */

static void
node_status(const struct cell *c, struct buf *out)
{
    const struct json *list = json_at(c->obj, "status", "conditions", NULL);
    const char *word = "Unknown";

    for (const struct json *i = json_first(list); i; i = json_next(i)) {
        if (!strcmp(json_get_text(i, "type"), "Ready"))
            word = !strcmp(json_get_text(i, "status"), "True") ? "Ready"
                                                               : "NotReady";
    }
    buf_puts(out, word);
    if (json_bool(json_at(c->obj, "spec", "unschedulable", NULL), false))
        buf_puts(out, ",SchedulingDisabled");
}

static void
node_roles(const struct cell *c, struct buf *out)
{
    static const char prefix[] = "node-role.kubernetes.io/";
    AUTO(strlist_release) struct strlist roles = {0};

    for (const struct json *l =
             json_first(json_at(c->obj, "metadata", "labels", NULL));
         l; l = json_next(l)) {
        if (str_starts(str_of(json_key(l)), STR(prefix)))
            strlist_add(&roles, str_of(json_key(l) + sizeof(prefix) - 1));
        else if (!strcmp(json_key(l), "kubernetes.io/role"))
            strlist_add(&roles, str_of(json_string_or(l, "")));
    }
    strlist_sort(&roles);
    for (size_t i = 0; i < roles.n; i++)
        buf_printf(out, "%s%s", i ? "," : "", roles.v[i]);
    if (!roles.n)
        buf_puts(out, "<none>");
}

static void
address(const struct cell *c, struct buf *out)
{
    for (const struct json *a =
             json_first(json_at(c->obj, "status", "addresses", NULL));
         a; a = json_next(a)) {
        if (str_eqz(c->arg, json_get_text(a, "type"))) {
            buf_puts(out, json_get_text(a, "address"));
            return;
        }
    }
    buf_puts(out, "<none>");
}

/* ---- an event, by either of its faces ---- */

static const struct json *
member(const struct json *obj, const char *core, const char *other)
{
    const struct json *v = json_get(obj, core);

    return v ? v : json_get(obj, other);
}

static const struct json *
first_time(const struct json *e)
{
    const struct json *at =
        member(e, "firstTimestamp", "deprecatedFirstTimestamp");

    return json_string(at) ? at : json_get(e, "eventTime");
}

static void
first_seen(const struct cell *c, struct buf *out)
{
    cells_put_age(first_time(c->obj), "<unknown>", c->now_s, out);
}

static void
last_seen(const struct cell *c, struct buf *out)
{
    const struct json *at = json_at(c->obj, "series", "lastObservedTime", NULL);

    if (!at)
        at = member(c->obj, "lastTimestamp", "deprecatedLastTimestamp");
    cells_put_age(json_string(at) ? at : first_time(c->obj), "<unknown>",
                  c->now_s, out);
}

static void
count(const struct cell *c, struct buf *out)
{
    const struct json *n = json_at(c->obj, "series", "count", NULL);

    if (!n)
        n = member(c->obj, "count", "deprecatedCount");
    buf_printf(out, "%lld", (long long)MAX(1, json_int64_or(n, 1)));
}

static void
involved(const struct cell *c, struct buf *out)
{
    const struct json *ref = member(c->obj, "involvedObject", "regarding");
    const char *name = json_get_text(ref, "name");

    for (const char *p = json_get_text(ref, "kind"); *p; p++)
        buf_putc(out, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
    if (*name)
        buf_printf(out, "/%s", name);
}

static void
subobject(const struct cell *c, struct buf *out)
{
    buf_puts(out, json_get_text(member(c->obj, "involvedObject", "regarding"),
                                "fieldPath"));
}

static void
source(const struct cell *c, struct buf *out)
{
    const struct json *s = member(c->obj, "source", "deprecatedSource");
    const char *who = json_get_text(s, "component");
    const char *where = json_get_text(s, "host");

    if (!*who)
        who = json_string_or(
            member(c->obj, "reportingComponent", "reportingController"), "");
    if (!*where)
        where = json_get_text(c->obj, "reportingInstance");
    buf_puts(out, who);
    if (*where)
        buf_printf(out, ", %s", where);
}

static void
message(const struct cell *c, struct buf *out)
{
    buf_str(out, str_trim(str_of(
                     json_string_or(member(c->obj, "message", "note"), ""))));
}

cell_fn *
cells_pod_function(struct str name)
{
    static const struct {
        const char *name;
        cell_fn *fn;
    } functions[] = {
        {"pod_ready", pod_ready},
        {"pod_status", pod_status},
        {"pod_restarts", pod_restarts},
        {"gates", gates},
        {"node_status", node_status},
        {"node_roles", node_roles},
        {"address", address},
        {"first_seen", first_seen},
        {"last_seen", last_seen},
        {"count", count},
        {"involved", involved},
        {"subobject", subobject},
        {"source", source},
        {"message", message},
    };

    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (str_eqz(name, functions[i].name))
            return functions[i].fn;
    }
    return NULL;
}
