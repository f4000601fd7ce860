#include "cli/overview.h"

#include "lib/base/mem.h"

#include "lib/mesh/why.h"

#include "cli/columns.h"
#include "cli/command.h"
#include "cli/mesh_table.h"

#define TURN_MS 200

static const enum mesh_role roles[] = {MESH_ROLE_DOMAIN, MESH_ROLE_CONTRACT,
                                       MESH_ROLE_PRODUCT};

bool
overview_all_ready(struct mesh_live *live)
{
    struct mesh *m = mesh_live_model(live);
    size_t n = 0;

    mesh_settle(m);
    for (size_t r = 0; r < ARRAY_LEN(roles); r++) {
        for (size_t i = 0; i < mesh_role_count(m, roles[r]); i++, n++) {
            if (mesh_item_health(mesh_role_at(m, roles[r], i)) != MESH_OK)
                return false;
        }
    }
    return n > 0;
}

bool
overview_settle(struct mesh_live *live, struct loop *loop, int64_t limit_ms,
                struct error *err)
{
    const struct clock *clock = clock_system();
    int64_t end = clock_mono_ms(clock) + limit_ms;

    if (!mesh_live_wait(live, limit_ms, err))
        return false;
    for (;;) {
        struct mesh_live_state state;
        int64_t left = end - clock_mono_ms(clock);

        mesh_live_state(live, &state);
        if ((state.synced && overview_all_ready(live)) || left <= 0)
            return true;
        loop_turn(loop, (int)MIN(left, TURN_MS));
    }
}

static const struct mesh_table_options brief = {.width = MESH_TABLE_BRIEF,
                                                .indent = "  "};

static void
print_role(const struct mesh *m, enum mesh_role role, const char *title,
           struct arena *a)
{
    size_t n;
    const struct mesh_item **v = mesh_table_items(m, role, &brief, a, &n);

    printf("%s (%zu)\n", title, n);
    mesh_table_print(v, n, role, &brief);
}

static void
print_attention(const struct mesh *m, struct arena *a)
{
    struct mesh_causes causes;

    mesh_attention(m, a, &causes);
    if (!causes.n) {
        printf("\nNothing needs attention.\n");
        return;
    }
    printf("\nNeeds attention (%zu)\n", causes.n + causes.more);
    for (size_t i = 0; i < causes.n; i++) {
        const struct mesh_cause *cause = &causes.v[i];

        printf("  %-7s ", mesh_health_word(cause->health));
        columns_text(str_of(cause->text), false, stdout);
        if (cause->hits_n > 1)
            printf("  (hits %zu)", cause->hits_n);
        putchar('\n');
        if (*cause->hint) {
            fputs("          ", stdout);
            columns_text(str_of(cause->hint), false, stdout);
            putchar('\n');
        }
    }
}

static struct json *
item_json(const struct mesh_item *i)
{
    struct json *j = json_new_object();

    json_set_string(j, "name", i->name);
    json_set_string(j, "namespace", i->ns);
    json_set_string(j, "health", mesh_health_word(mesh_item_health(i)));
    json_set_int(j, "composed", (int64_t)i->roll.total);
    json_set_int(j, "composedReady", (int64_t)i->roll.ready);
    if (i->product) {
        json_set_string(j, "domain", i->product->domain_ref);
        json_set_string(j, "version", i->product->version);
        json_set_string(j, "status", i->product->status);
        json_set_string(j, "owner", mesh_owner(i));
    }
    if (i->domain) {
        json_set_string(j, "owner", i->domain->owner);
        json_set_int(j, "products", (int64_t)i->domain->products_n);
    }
    return j;
}

static void
print_json(struct mesh_live *live, struct arena *a)
{
    static const char *const names[] = {"domains", "contracts", "products"};
    const struct mesh *m = mesh_live_model(live);
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct mesh_causes causes;

    json_set_bool(j, "ready", overview_all_ready(live));
    for (size_t r = 0; r < ARRAY_LEN(roles); r++) {
        struct json *list = json_set(j, names[r], json_new_array());
        size_t n;
        const struct mesh_item **v =
            mesh_table_items(m, roles[r], &brief, a, &n);

        for (size_t i = 0; i < n; i++)
            json_append(list, item_json(v[i]));
    }
    mesh_attention(m, a, &causes);
    struct json *list = json_set(j, "attention", json_new_array());

    for (size_t i = 0; i < causes.n; i++) {
        struct json *c = json_append(list, json_new_object());

        json_set_string(c, "health", mesh_health_word(causes.v[i].health));
        json_set_string(c, "text", causes.v[i].text);
        json_set_string(c, "hint", causes.v[i].hint);
        json_set_int(c, "hits", (int64_t)causes.v[i].hits_n);
    }
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_PRETTY);

    puts(text);
}

void
overview_print(struct mesh_live *live, bool json)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct mesh *m = mesh_live_model(live);

    mesh_settle(m);
    if (json) {
        print_json(live, a);
        return;
    }
    print_role(m, MESH_ROLE_DOMAIN, "Domains", a);
    print_role(m, MESH_ROLE_PRODUCT, "\nProducts", a);
    print_attention(m, a);
}

int
overview_run(const struct args *a, int64_t limit_ms,
             void (*heading)(const struct target *t))
{
    bool json = strcmp(args_get(a, "output", "text"), "json") == 0;
    struct error err = {0};
    struct target t;

    if (!target_open(&t, a, &err))
        return command_fail(&err);
    if (!json)
        heading(&t);
    struct mesh_live *live =
        mesh_live_new_on(t.client, t.discovery, NULL, &err);
    bool ok = live && overview_settle(live, t.loop, limit_ms, &err);
    int code = EXIT_DONE;

    if (ok) {
        overview_print(live, json);
        code = overview_all_ready(live) ? EXIT_DONE : EXIT_MESH;
    } else {
        code = command_fail(&err);
    }
    mesh_live_free(live);
    target_release(&t);
    return code;
}
