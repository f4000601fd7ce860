#include "cli/up_plan.h"

#include <stdio.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

static void
print_json(struct up *up)
{
    const struct step_graph *g = up_graph(up);
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct json *steps = NULL;

    json_set_string(j, "engine", up_chosen(up)->name);
    json_set_int(j, "estimateMs", steps_estimate_ms(g));
    steps = json_need_array(j, "steps");
    for (size_t i = 0; i < steps_count(g); i++) {
        const struct step_run *r = steps_at(g, i);
        struct json *s = json_append(steps, json_new_object());

        json_set_string(s, "id", r->id);
        json_set_string(s, "title", r->title);
        json_set_string(s, "lane", r->step->lane);
        json_set_bool(s, "done", r->state == STEP_ALREADY);
    }
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    puts(text);
}

void
up_plan_print(struct up *up, bool json)
{
    const struct step_graph *g = up_graph(up);

    if (json) {
        print_json(up);
        return;
    }
    printf("engine %s\n", up_chosen(up)->name);
    for (size_t i = 0; i < steps_count(g); i++) {
        const struct step_run *r = steps_at(g, i);

        printf("  %-6s %-13s %s\n", r->state == STEP_ALREADY ? "done" : "to do",
               r->id, r->title);
    }
}
