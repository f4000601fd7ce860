/*
 * Is what `meshtop plan -o json` printed (standard input) as
 * docs/plan.schema.json says? Prints what is not; 1 then.
 * usage: planschema SCHEMA
 */
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "lib/schema/schema.h"

static struct json *
read_json(FILE *f, const char *what)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct error err = {0};
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&b, piece, n);
    struct json *j = json_parse(buf_view(&b), NULL, &err);

    if (!j)
        die("%s: %s", what, err.msg);
    return j;
}

/* What Kubernetes' schemas have no word for. */
static const char *const notes[] = {"$schema"};

int
main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;

    if (!f)
        die("usage: planschema SCHEMA <plan.json");
    AUTO(json_free_ptr) struct json *text = read_json(f, argv[1]);
    AUTO(json_free_ptr) struct json *plan = read_json(stdin, "the plan");
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    AUTO(strlist_release) struct strlist unknown = {0};
    struct schema_findings found = {0};

    fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        json_del(text, notes[i]);
    AUTO(schema_free_ptr)
    struct schema *s = schema_compile(text, "schema", &found, NULL);

    if (s) {
        schema_prune(s, plan, true, &unknown);
        schema_validate(s, plan, &found);
    }
    schema_findings_text(&found, &why);
    if (found.n)
        printf("%s\n", buf_cstr(&why));
    for (size_t i = 0; i < unknown.n; i++)
        printf("%s is not in the schema\n", unknown.v[i]);
    bool ok = s && !found.n && !unknown.n;

    schema_findings_release(&found);
    return ok ? 0 : 1;
}
