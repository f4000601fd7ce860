#include "cli/up_plan.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "tui/steptext.h"

#include "cli/columns.h"

/* From so many columns on, and in a pipe, a row says its lane and what it
 * needs; below, what it does is cut to the columns that are left. */
enum { WIDE_FROM = 140, TEXT_MAX = 1024, BEFORE_WHAT = 42, WHAT_LEAST = 20 };

static bool
to_do(const struct step_run *run)
{
    return run->state != STEP_ALREADY && run->state != STEP_DONE;
}

static uint64_t
bytes_of(struct up *up, const struct step_run *run)
{
    return to_do(run) && run->step && run->step->bytes ? run->step->bytes(up)
                                                       : 0;
}

struct sum {
    size_t steps, to_do;
    uint64_t bytes;
};

static struct sum
add_up(struct up *up)
{
    const struct step_graph *g = up_graph(up);
    struct sum s = {.steps = steps_count(g)};

    for (size_t i = 0; i < s.steps; i++) {
        s.to_do += to_do(steps_at(g, i));
        s.bytes += bytes_of(up, steps_at(g, i));
    }
    return s;
}

static const char *
text_of(const char *s)
{
    return s ? s : "";
}

/* ---- text ---- */

/* Cuts text to so many columns, with an ellipsis where something is missing. */
static void
cut(char *text, size_t columns)
{
    struct str rest = str_of(text);
    size_t used = 0;

    if (utf8_columns(rest) <= columns)
        return;
    while (rest.n) {
        uint32_t cp;
        size_t n = utf8_decode(rest, &cp);

        used += (size_t)utf8_width(cp);
        if (used + 3 > columns)
            break;
        rest = str_from(rest, n);
    }
    memcpy(text + (rest.s - text), "...", sizeof("..."));
}

static void
add_row(struct up *up, const struct step_run *run, size_t width,
        struct columns *out)
{
    char usual[STEPTEXT_LEN], bytes[STEPTEXT_LEN], what[TEXT_MAX];
    const struct step *s = run->step;
    uint64_t n = bytes_of(up, run);
    const char *cells[] = {
        run->id,
        to_do(run) ? "to do" : "done",
        to_do(run) ? steptext_ms(run->usual_ms, usual) : "",
        n ? steptext_bytes(n, bytes) : "",
        what,
        text_of(s ? s->lane : NULL),
        text_of(run->needs),
    };

    snprintf(what, sizeof(what) - 4, "%s%s%s", steptext_title(run),
             *run->detail ? ": " : "", run->detail);
    if (width < WIDE_FROM)
        cut(what, width > BEFORE_WHAT + WHAT_LEAST ? width - BEFORE_WHAT
                                                   : WHAT_LEAST);
    columns_row(out, cells);
}

static void
print_text(struct up *up, const char *profile, const struct sum *s)
{
    static const char *const head[] = {"STEP", "STATE", "USUAL", "FETCH",
                                       "WHAT", "LANE",  "NEEDS"};
    size_t width = columns_of_terminal(), all = ARRAY_LEN(head);
    const struct step_graph *g = up_graph(up);
    char about[STEPTEXT_LEN], bytes[STEPTEXT_LEN];
    struct columns c;

    printf("engine %s, profile %s\n\n", up_chosen(up)->name, profile);
    columns_init(&c, width < WIDE_FROM ? all - 2 : all);
    columns_row(&c, head);
    for (size_t i = 0; i < s->steps; i++)
        add_row(up, steps_at(g, i), width, &c);
    columns_print(&c, "", stdout);
    columns_release(&c);
    printf("\n%zu steps, %zu to do", s->steps, s->to_do);
    if (s->to_do)
        printf(", about %s, %s to fetch",
               steptext_ms(steps_estimate_ms(g), about),
               s->bytes ? steptext_bytes(s->bytes, bytes) : "nothing");
    puts("");
}

/* ---- JSON ---- */

static struct json *
words_of(const char *text)
{
    struct json *list = json_new_array();
    struct str rest = str_of(text), word;

    while (rest.n && str_next(&rest, ' ', &word)) {
        if (word.n)
            json_append(list, json_new_str(word));
    }
    return list;
}

static struct json *
row_of(struct up *up, const struct step_run *run)
{
    struct json *j = json_new_object();
    const struct step *s = run->step;

    json_set_string(j, "step", run->id);
    json_set_string(j, "title", steptext_title(run));
    json_set_string(j, "lane", text_of(s ? s->lane : NULL));
    json_set_string(j, "state", to_do(run) ? "pending" : "already");
    json_set_string(j, "detail", run->detail);
    json_set(j, "needs", words_of(text_of(run->needs)));
    json_set_int(j, "usualMs", run->usual_ms);
    json_set_int(j, "bytes", (int64_t)bytes_of(up, run));
    json_set_bool(j, "soft", s && s->flags & STEP_SOFT);
    return j;
}

static void
print_json(struct up *up, const char *profile, const struct sum *s)
{
    const struct step_graph *g = up_graph(up);
    AUTO(json_free_ptr) struct json *j = json_new_object();
    AUTO(mem_free_ptr) char *text = NULL;
    struct json *rows;

    json_set_string(j, "engine", up_chosen(up)->name);
    json_set_string(j, "profile", profile);
    rows = json_set(j, "steps", json_new_array());
    for (size_t i = 0; i < s->steps; i++)
        json_append(rows, row_of(up, steps_at(g, i)));
    json_set_int(j, "toDo", (int64_t)s->to_do);
    json_set_int(j, "bytes", (int64_t)s->bytes);
    json_set_int(j, "estimateMs", steps_estimate_ms(g));
    text = json_text(j, JSON_COMPACT);
    puts(text);
}

void
up_plan_print(struct up *up, const char *profile, bool json)
{
    struct sum s = add_up(up);

    if (json)
        print_json(up, profile, &s);
    else
        print_text(up, profile, &s);
}
