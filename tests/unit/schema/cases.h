/*
 * cases.h - tables of what the real libraries answered, and schemas as text.
 *
 * What: a table is a file of JSON, one case a line; findings are compared as
 * "field|reason|message", sorted, since no order is promised. All of it fails
 * the test that asks.
 */
#ifndef TESTS_UNIT_SCHEMA_CASES_H
#define TESTS_UNIT_SCHEMA_CASES_H

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/schema/schema.h"

#include "tests/unit/test.h"

static UNUSED void
cases_load(const char *path, struct buf *out)
{
    struct error err = {0};

    if (!file_read(path, out, &err))
        fail_msg("%s", err.msg);
}

/* The next line as JSON, the caller's; NULL at an empty line and at the end. */
static UNUSED struct json *
cases_next(struct str *rest)
{
    struct error err = {0};
    struct str text;

    if (!str_next(rest, '\n', &text) || !text.n)
        return NULL;
    struct json *j = json_parse(text, NULL, &err);

    if (!j)
        fail_msg("%s: %.*s", err.msg, STR_ARG(text));
    return j;
}

/* One a line, sorted; "" for none. */
static UNUSED char *
cases_findings(const struct schema_findings *f)
{
    AUTO(strlist_release) struct strlist lines = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 16);

    for (size_t i = 0; i < f->n; i++)
        strlist_addf(&lines, "%s|%s|%s", f->v[i].field, f->v[i].reason,
                     f->v[i].message);
    strlist_sort(&lines);
    for (size_t i = 0; i < lines.n; i++)
        buf_printf(&b, "%s%s", i ? "\n" : "", lines.v[i]);
    return buf_take(&b);
}

/* The strings of a list, one a line. */
static UNUSED char *
cases_lines(const struct json *list)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 16);

    for (struct json *e = json_first(list); e; e = json_next(e))
        buf_printf(&b, "%s%s", b.n ? "\n" : "", json_string(e));
    return buf_take(&b);
}

static UNUSED void
cases_same(const struct json *row, const char *what, const char *want,
           const char *got)
{
    AUTO(mem_free_ptr) char *text = json_text(row, JSON_COMPACT);

    if (strcmp(want, got) != 0)
        fail_msg("%s\n%s: wanted\n%s\ngot\n%s", text, what, want, got);
}

/* The findings are those of the case's "errs". */
static UNUSED void
cases_errors(const struct json *row, const struct schema_findings *f)
{
    AUTO(mem_free_ptr) char *got = cases_findings(f);
    AUTO(mem_free_ptr) char *want = cases_lines(json_get(row, "errs"));

    cases_same(row, "errors", want, got);
}

static UNUSED struct json *
cases_yaml(const char *text)
{
    struct error err = {0};
    struct json *j = yaml_parse_one(str_of(text), NULL, &err);

    if (!j)
        fail_msg("%s in %s", err.msg, text);
    return j;
}

/* Of YAML that has no problem. */
static UNUSED struct schema *
cases_schema(const char *text)
{
    AUTO(json_free_ptr) struct json *j = cases_yaml(text);
    struct schema_findings problems = {0};
    struct schema *s = schema_compile(j, "", &problems, NULL);

    if (!s) {
        AUTO(mem_free_ptr) char *why = cases_findings(&problems);

        fail_msg("%s: %s", text, why);
    }
    return s;
}

#endif
