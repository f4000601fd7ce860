#include "cli/why.h"

#include <stdio.h>

#include "cli/columns.h"

#define NAMED_MAX 8 /* objects named in one line */

static void
line(const char *indent, const char *head, const char *text)
{
    if (!*text)
        return;
    printf("%s   %s", indent, head);
    columns_text(str_of(text), false, stdout);
    putchar('\n');
}

/* "a, b and 3 more"; lives in a. */
static const char *
names(const struct mesh_item *const *v, size_t n, struct arena *a)
{
    const char *text = "";

    for (size_t i = 0; i < MIN(n, NAMED_MAX); i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "",
                            mesh_item_text(v[i], a));
    if (n > NAMED_MAX)
        text = arena_printf(a, "%s and %zu more", text, n - NAMED_MAX);
    return text;
}

static const char *
age(int64_t since_s, struct arena *a)
{
    char text[CLOCK_HUMAN_LEN];

    if (!since_s)
        return "";
    clock_human(clock_wall_ms(clock_system()) / 1000 - since_s, text);
    return arena_strdup(a, text);
}

void
why_print(const struct mesh_causes *c, const char *indent)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();

    if (!c->n)
        printf("%snothing is wrong that we can see\n", indent);
    for (size_t i = 0; i < c->n; i++) {
        const struct mesh_cause *cause = &c->v[i];

        printf("%s%zu. %s ", indent, i + 1, mesh_health_word(cause->health));
        columns_text(str_of(cause->text), false, stdout);
        putchar('\n');
        line(indent, "since ", age(cause->since_s, a));
        line(indent, "holds up ", names(cause->blocks, cause->blocks_n, a));
        if (cause->items_n > 1)
            line(indent, "the same on ",
                 names(cause->items + 1, cause->items_n - 1, a));
        if (cause->hits_n > 1)
            line(indent, "hits ", names(cause->hits, cause->hits_n, a));
        line(indent, "-> ", cause->hint);
    }
    if (c->more)
        printf("%sand %zu more\n", indent, c->more);
}

static struct json *
names_json(const struct mesh_item *const *v, size_t n)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct json *list = json_new_array();

    for (size_t i = 0; i < n; i++)
        json_append(list, json_new_string(mesh_item_text(v[i], a)));
    return list;
}

struct json *
why_json(const struct mesh_item *of, const struct mesh_causes *c)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct json *j = json_new_object();
    struct json *list;

    json_set_string(j, "object", mesh_item_text(of, a));
    json_set_string(j, "health", mesh_health_word(mesh_item_health(of)));
    list = json_set(j, "causes", json_new_array());
    for (size_t i = 0; i < c->n; i++) {
        const struct mesh_cause *cause = &c->v[i];
        struct json *o = json_append(list, json_new_object());

        json_set_string(o, "health", mesh_health_word(cause->health));
        json_set_string(o, "text", cause->text);
        json_set_string(o, "hint", cause->hint);
        if (cause->problem) {
            json_set_string(o, "condition", cause->problem->type);
            json_set_string(o, "reason", cause->problem->reason);
            json_set_string(o, "message", cause->problem->message);
        }
        json_set_int(o, "since", cause->since_s);
        json_set(o, "on", names_json(cause->items, cause->items_n));
        json_set(o, "holdsUp", names_json(cause->blocks, cause->blocks_n));
        json_set(o, "hits", names_json(cause->hits, cause->hits_n));
    }
    return j;
}
