#include "cli/sandbox_fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/gotime.h"

#include "devenv/sandbox/cloud.h"

#include "cli/columns.h"
#include "cli/target.h"

#define FAULTS     KUBE_GVR(CLOUD_GROUP, CLOUD_VERSION, CLOUD_FAULTS)
#define SECOND_NS  INT64_C(1000000000)
#define FOR_MAX_S  (24 * 3600)
#define REASON_MAX 1024

static const char *const steps[] = {"connect", "observe", "create",
                                    "update",  "delete",  "ready"};

/* What the words on the command line mean. */
struct wish {
    const struct args *a;
    struct target *t;
    char *kind; /* "" any */
    const char *name, *ns, *step, *reason;
    char until[CLOCK_RFC3339_LEN]; /* "" no end */
};

/* ---- reading the words ---- */

static bool
read_step(struct wish *w, struct error *err)
{
    w->step = args_get(w->a, "step", "");
    for (size_t i = 0; *w->step; i++) {
        if (i == ARRAY_LEN(steps))
            return error_set(err, ERR_USAGE,
                             "--step: no step \"%s\"; there are connect, "
                             "observe, create, update, delete and ready",
                             w->step);
        if (strcmp(steps[i], w->step) == 0)
            break;
    }
    return true;
}

static bool
read_end(struct wish *w, struct error *err)
{
    const char *text = args_get(w->a, "for", NULL);
    struct error why = {0};
    int64_t ns = 0;

    if (!text)
        return true;
    if (!gotime_parse_duration(str_of(text), &ns, &why))
        return error_set(err, ERR_USAGE, "--for: %s", why.msg);
    if (ns < SECOND_NS || ns > FOR_MAX_S * SECOND_NS)
        return error_set(err, ERR_USAGE, "--for takes 1s to 24h");
    clock_format(clock_wall_ms(clock_system()) / 1000 + ns / SECOND_NS,
                 w->until);
    return true;
}

static bool
read_wish(struct wish *w, struct error *err)
{
    const char *word = args_word(w->a, 1);
    const char *slash = word ? strrchr(word, '/') : NULL;

    w->ns = target_ns(w->a, "");
    w->reason = args_get(w->a, "reason", "");
    w->name = slash ? slash + 1 : word;
    w->kind =
        slash ? mem_strndup(word, (size_t)(slash - word)) : mem_strdup("");
    if (strlen(w->reason) > REASON_MAX)
        return error_set(err, ERR_LIMIT, "--reason takes %d bytes", REASON_MAX);
    return read_step(w, err) && read_end(w, err);
}

/* ---- the cluster ---- */

/* The one question every other cluster answers with 404. */
static bool
no_sandbox(struct error *err)
{
    if (err->code != ERR_NOT_FOUND)
        return false;
    error_set(err, ERR_UNSUPPORTED,
              "this cluster is no sandbox: nothing can be made to fail");
    error_remedy(err, "", "Start one: meshtop sandbox start.");
    return false;
}

static struct json *
all_faults(const struct wish *w, struct error *err)
{
    const struct kube_request r = {.verb = KUBE_GET, .gvr = FAULTS};
    struct json *list = kube_client_wait_json(w->t->client, &r, err);
    struct json *items =
        list ? json_detach(list, json_get(list, "items")) : NULL;

    json_free(list);
    if (!items)
        no_sandbox(err);
    return items;
}

static const char *
spec_of(const struct json *fault, const char *key)
{
    return json_string_or(json_at(fault, "spec", key, NULL), "");
}

/* ---- showing ---- */

static void
show_rows(const struct json *items)
{
    static const char *const head[] = {"RESOURCE", "KIND",  "NAMESPACE",
                                       "STEP",     "UNTIL", "REASON"};
    static const char *const keys[] = {"name", "kind",  "namespace",
                                       "step", "until", "reason"};
    struct columns c;

    columns_init(&c, ARRAY_LEN(head));
    columns_row(&c, head);
    for (const struct json *f = json_first(items); f; f = json_next(f)) {
        const char *cells[ARRAY_LEN(head)];

        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            cells[i] = spec_of(f, keys[i]);
            if (!*cells[i])
                cells[i] = NULL;
        }
        columns_row(&c, cells);
    }
    columns_print(&c, "", stdout);
    columns_release(&c);
}

/* The server deletes one that is over when something it means is looked at. */
static void
drop_ended(struct json *items)
{
    char now[CLOCK_RFC3339_LEN];
    size_t i = 0;

    clock_format(clock_wall_ms(clock_system()) / 1000, now);
    for (struct json *f = json_first(items), *next; f; f = next) {
        const char *until = spec_of(f, "until");

        next = json_next(f);
        if (*until && strcmp(until, now) <= 0)
            json_del_item(items, i);
        else
            i++;
    }
}

static bool
show(const struct wish *w, struct error *err)
{
    AUTO(json_free_ptr) struct json *items = all_faults(w, err);

    if (!items)
        return false;
    drop_ended(items);
    if (strcmp(args_get(w->a, "output", "text"), "json") == 0) {
        AUTO(mem_free_ptr) char *text = json_text(items, JSON_PRETTY);

        puts(text);
    } else if (!json_len(items)) {
        puts("Nothing is set to fail.");
    } else {
        show_rows(items);
    }
    return true;
}

/* ---- setting and clearing ---- */

/* One object for each resource and step, so that setting again replaces. */
static char *
object_name(const struct wish *w)
{
    AUTO(mem_free_ptr)
    char *who = mem_printf("%s/%s/%s/%s", w->kind, w->ns, w->name, w->step);

    return mem_printf("fault-%08" PRIx32, digest_fnv32(str_of(who)));
}

static void
add(struct json *spec, const char *key, const char *value)
{
    if (*value)
        json_set_string(spec, key, value);
}

static struct json *
fault_of(const struct wish *w, const char *name)
{
    struct json *f = json_new_object();
    struct json *spec;

    json_set_string(f, "apiVersion", CLOUD_GROUP "/" CLOUD_VERSION);
    json_set_string(f, "kind", CLOUD_FAULT);
    json_set_string(json_need_object(f, "metadata"), "name", name);
    spec = json_need_object(f, "spec");
    json_set_string(spec, "name", w->name);
    add(spec, "kind", w->kind);
    add(spec, "namespace", w->ns);
    add(spec, "step", w->step);
    add(spec, "until", w->until);
    json_set_string(spec, "reason", w->reason);
    return f;
}

static bool
set(const struct wish *w, struct error *err)
{
    AUTO(mem_free_ptr) char *name = object_name(w);
    AUTO(json_free_ptr) struct json *fault = fault_of(w, name);
    AUTO(mem_free_ptr) char *body = json_text(fault, JSON_COMPACT);
    const struct kube_request r = {.verb = KUBE_PATCH,
                                   .gvr = FAULTS,
                                   .name = name,
                                   .body = str_of(body),
                                   .patch = KUBE_PATCH_APPLY,
                                   .force = true};

    if (!kube_client_wait(w->t->client, &r, NULL, err))
        return no_sandbox(err);
    printf("%s%s%s: ", w->kind, *w->kind ? "/" : "", w->name);
    columns_text(str_of(w->reason), false, stdout);
    if (*w->step)
        printf(", at %s", w->step);
    if (*w->until)
        printf(", until %s", w->until);
    printf("\n");
    return true;
}

static bool
is_wanted(const struct wish *w, const struct json *fault)
{
    return (!w->name || strcmp(w->name, spec_of(fault, "name")) == 0) &&
           (!*w->kind || strcmp(w->kind, spec_of(fault, "kind")) == 0) &&
           (!*w->ns || strcmp(w->ns, spec_of(fault, "namespace")) == 0) &&
           (!*w->step || strcmp(w->step, spec_of(fault, "step")) == 0);
}

static bool
clear(const struct wish *w, struct error *err)
{
    AUTO(json_free_ptr) struct json *items = all_faults(w, err);
    size_t n = 0;

    if (!items)
        return false;
    for (const struct json *f = json_first(items); f; f = json_next(f)) {
        const struct kube_request r = {
            .verb = KUBE_DELETE,
            .gvr = FAULTS,
            .name = json_string_or(json_at(f, "metadata", "name", NULL), "")};

        if (!is_wanted(w, f))
            continue;
        /* One whose time was over may be gone already. */
        if (!kube_client_wait(w->t->client, &r, NULL, err) &&
            err->code != ERR_NOT_FOUND)
            return false;
        n++;
    }
    printf("%zu cleared\n", n);
    return true;
}

static bool
fail_on(const struct args *a, struct target *t, struct error *err)
{
    struct wish w = {.a = a, .t = t};
    bool good = read_wish(&w, err);

    if (good && args_has(a, "clear"))
        good = clear(&w, err);
    else if (good && !w.name)
        good = show(&w, err);
    else if (good && !*w.reason)
        good =
            error_set(err, ERR_USAGE, "fail %s: --reason or --clear", w.name);
    else if (good)
        good = set(&w, err);
    free(w.kind);
    return good;
}

int
sandbox_fail(const struct args *a)
{
    return target_run(a, fail_on);
}
