/* Steps told line by line: what is said when, and that both ways say the same.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "cli/progress.h"

#include "tests/tools/stepscript.h"
#include "tests/unit/test.h"

struct told {
    struct loop *l;
    struct script script;
    struct progress p;
    FILE *out;
    char *text;
    size_t n;
};

static void
begin(struct told *t, enum progress_how how)
{
    *t = (struct told){0};
    t->l = loop_new(NULL);
    t->out = open_memstream(&t->text, &t->n);
    progress_open(&t->p, how, t->out, t->l);
    t->p.heartbeat_ms = 600000;
    assert_true(script_new(&t->script, t->l,
                           &(struct step_graph_options){
                               .on_change = progress_changed, .arg = &t->p},
                           NULL));
    progress_graph(&t->p, t->script.graph);
    steps_start(t->script.graph);
}

static void
end(struct told *t)
{
    steps_free(t->script.graph);
    progress_end(&t->p);
    loop_free(t->l);
    fclose(t->out);
    free(t->text);
}

static enum step_state
state_of(struct told *t, const char *id)
{
    return steps_find(t->script.graph, id)->state;
}

/* Turns until the step is in that state. */
static void
until(struct told *t, const char *id, enum step_state s)
{
    for (int i = 0; i < 2000 && state_of(t, id) != s; i++)
        loop_turn(t->l, 20);
    assert_int_equal(state_of(t, id), s);
}

static void
turn_to_end(struct told *t)
{
    for (int i = 0; i < 2000 && steps_running(t->script.graph); i++)
        loop_turn(t->l, 20);
    assert_false(steps_running(t->script.graph));
}

static void
finish(struct told *t, const struct error *err)
{
    const char *const next[] = {"meshtop", "meshtop down", NULL};

    turn_to_end(t);
    progress_report(&t->p, err, next);
    fflush(t->out);
}

/* A run with everything in it: already there, waits, parts, bytes, a warning.
 */
static void
play(struct told *t)
{
    script_line(&t->script, "check engine");
    until(t, "host", STEP_RUNNING);
    script_line(&t->script, "detail host 4 CPU");
    script_line(&t->script, "done host");
    until(t, "image", STEP_RUNNING);
    until(t, "ports", STEP_RUNNING);
    script_line(&t->script, "bytes image 5 10");
    script_line(&t->script, "part image 3 layer 1");
    script_line(&t->script, "fail extra MT-NET no registry \033[31m answers");
    script_line(&t->script, "done image");
    script_line(&t->script, "done ports");
    until(t, "cluster", STEP_RUNNING);
    script_line(&t->script, "done cluster");
    until(t, "kinds", STEP_RUNNING);
    script_line(&t->script, "done functions");
    script_line(&t->script, "done kinds");
    until(t, "ready", STEP_RUNNING);
    script_line(&t->script, "done ready");
}

static void
plain(void **state)
{
    static const char *const lines[] = {
        "...  host: this machine\n",
        "ok   1/9 host: this machine (",
        "ok   2/9 engine: the container engine (already, ",
        "...  image: fetch the node image\n",
        "     image: layer 1 done\n",
        " extra: further functions (",
        "): no registry \xef\xbf\xbd[31m answers\n",
        "ok   9/9 ready: all is Ready (",
        " in all; slowest: ",
        "Next:\n  meshtop\n  meshtop down\n",
    };
    struct told t;

    (void)state;
    begin(&t, PROGRESS_PLAIN);
    play(&t);
    finish(&t, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (!strstr(t.text, lines[i]))
            print_message("# no \"%s\" in\n%s", lines[i], t.text);
        assert_non_null(strstr(t.text, lines[i]));
    }
    assert_null(strchr(t.text, '\033'));
    end(&t);
}

/* Every line is JSON; the ends it tells are those of the graph. */
static void
json(void **state)
{
    struct told t;
    struct str rest, line;
    size_t ends = 0, lines = 0;
    bool summary = false;

    (void)state;
    begin(&t, PROGRESS_JSON);
    play(&t);
    finish(&t, NULL);
    rest = str_n(t.text, t.n);
    while (str_cut(rest, '\n', &line, &rest)) {
        struct json *j = json_parse(line, NULL, NULL);
        const char *id = json_get_string(j, "step");
        const char *word = json_get_string(j, "state");

        assert_non_null(j);
        assert_false(summary); /* it is the last */
        lines++;
        summary = json_bool(json_get(j, "summary"), false);
        if (summary) {
            assert_true(json_bool(json_get(j, "ok"), false));
            assert_int_equal(
                json_int64_or(json_at(j, "states", "done", NULL), 0), 7);
            assert_int_equal(json_len(json_get(j, "slowest")), 3);
            assert_int_equal(json_len(json_get(j, "next")), 2);
        } else if (word && id && steptext_ended(state_of(&t, id)) &&
                   strcmp(word, steptext_word(state_of(&t, id))) == 0) {
            ends++;
            if (strcmp(id, "extra") == 0)
                assert_string_equal(
                    json_string(json_at(j, "error", "id", NULL)), "MT-NET");
            if (strcmp(id, "image") == 0)
                assert_int_equal(json_int64_or(json_get(j, "total"), 0), 10);
        }
        json_free(j);
    }
    assert_true(summary && lines > 18);
    assert_int_equal(ends, SCRIPT_STEPS);
    end(&t);
}

static size_t
count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

/* Reasons that change faster than they are wanted: the first at once, the last
 * when its time has come, those between never. */
static void
reasons(void **state)
{
    struct told t;
    char line[64];

    (void)state;
    begin(&t, PROGRESS_PLAIN);
    t.p.reason_ms = 50;
    until(&t, "host", STEP_RUNNING);
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof(line), "detail host reason %d.", i);
        script_line(&t.script, line);
    }
    fflush(t.out);
    assert_null(strstr(t.text, "reason 99."));
    for (int i = 0; i < 500 && !strstr(t.text, "reason 99."); i++) {
        loop_turn(t.l, 20);
        fflush(t.out);
    }
    assert_int_equal(count(t.text, "host: reason 99.\n"), 1);
    assert_true(count(t.text, "host: reason ") < 10);
    steps_stop(t.script.graph);
    turn_to_end(&t);
    progress_report(&t.p, NULL, NULL);
    end(&t);
}

/* Silence is broken by a line about all that runs. */
static void
heartbeat(void **state)
{
    static const enum progress_how ways[] = {PROGRESS_PLAIN, PROGRESS_JSON};
    static const char *const said[] = {"...  ", "{\"running\":[\"host\"],"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct told t;

        begin(&t, ways[i]);
        until(&t, "host", STEP_RUNNING);
        fflush(t.out);
        size_t before = t.n;

        t.p.heartbeat_ms = 10;
        script_line(&t.script, "detail host once more, so that it is timed");
        for (int k = 0; k < 500 && count(t.text + before, said[i]) < 2; k++) {
            loop_turn(t.l, 20);
            fflush(t.out);
        }
        assert_true(count(t.text + before, said[i]) >= 2);
        steps_stop(t.script.graph);
        turn_to_end(&t);
        progress_report(&t.p, NULL, NULL);
        end(&t);
    }
}

/* Ctrl-C: the first ends waits, what never began is skipped. */
static void
interrupt(void **state)
{
    struct error err = {0};
    struct told t;

    (void)state;
    begin(&t, PROGRESS_PLAIN);
    until(&t, "host", STEP_RUNNING);
    raise(SIGINT);
    turn_to_end(&t);
    assert_int_equal(t.p.cancelled, 1);
    assert_int_equal(state_of(&t, "host"), STEP_CANCELLED);
    assert_int_equal(state_of(&t, "ready"), STEP_SKIPPED);
    error_set(&err, ERR_CANCELLED, "stopped");
    finish(&t, &err);
    assert_non_null(strstr(t.text, "stop 1/9 host"));
    assert_null(strstr(t.text, "Next:"));
    end(&t);
}

/* Work outside of a graph, and a graph nobody showed. */
static void
single(void **state)
{
    struct told t = {.l = loop_new(NULL)};
    struct step_run own, other = {.id = "x", .title = "the other"};

    (void)state;
    t.out = open_memstream(&t.text, &t.n);
    progress_open(&t.p, PROGRESS_PLAIN, t.out, t.l);
    own = (struct step_run){
        .loop = t.l, .on_change = progress_changed, .arg = &t.p};
    t.p.own = &own;
    t.p.reason_ms = 0;
    step_detail(&own, "2 of 3 are there");
    other.on_change = progress_changed;
    other.arg = &t.p;
    step_detail(&other, "waits");
    fflush(t.out);
    assert_string_equal(t.text,
                        "     2 of 3 are there\n     the other: waits\n");
    progress_end(&t.p);
    loop_free(t.l);
    fclose(t.out);
    free(t.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),     cmocka_unit_test(json),
        cmocka_unit_test(reasons),   cmocka_unit_test(heartbeat),
        cmocka_unit_test(interrupt), cmocka_unit_test(single)};

    return cmocka_run_group_tests_name("cli/progress", tests, NULL, NULL);
}
