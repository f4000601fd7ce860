/* What one document, or two of them, can have wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/schema/path.h"

#include "lib/compose/composition_check.h"
#include "lib/compose/xrd_check.h"

#include "devenv/xpkg.h"

#include "cli/lint.h"
#include "cli/validate_check.h"

static const char *
name_of(const struct source_doc *d)
{
    return json_string_or(json_at(d->object, "metadata", "name", NULL), "");
}

/* ---- any object ---- */

static void
check_identity(struct lint *l, const struct source_doc *d)
{
    static const char *const members[] = {"apiVersion", "kind"};
    bool named =
        *name_of(d) || json_at(d->object, "metadata", "generateName", NULL);

    if (!json_get(d->object, "apiVersion") && !json_get(d->object, "kind")) {
        lint_add(l, "no-object", d, "", false,
                 "neither apiVersion nor kind: passed over");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (!json_get_string(d->object, members[i])) {
            lint_add(l, "kind", d, "", false, "the document has no %s",
                     members[i]);
            return;
        }
    }
    if (!named && !lint_is(d, "List", NULL))
        lint_add(l, "kind", d, "metadata.name", true,
                 "%s without metadata.name",
                 json_get_string(d->object, "kind"));
}

static void
check_schema(struct lint *l, const struct source_doc *d)
{
    static const char *const rules[] = {"schema", "unknown-field", "cel"};
    struct error err = {0};
    struct check c;

    /* A schema that does not compile is told of its XRD or CRD. */
    if (!check_run(&c, d, &l->schemas, false, &err)) {
        check_release(&c);
        return;
    }
    for (size_t i = 0; i < c.n; i++) {
        AUTO(mem_free_ptr)
        char *message =
            mem_printf("%s: %s", c.faults[i].field, c.faults[i].message);

        lint_add_at(l, rules[c.faults[i].type], d, c.faults[i].at, message);
    }
    check_release(&c);
}

static void
check_twins(struct lint *l, struct map *seen, const struct source_doc *d)
{
    AUTO(mem_free_ptr)
    char *key = mem_printf(
        "%s/%s/%s/%s", json_string_or(json_get(d->object, "apiVersion"), ""),
        json_string_or(json_get(d->object, "kind"), ""),
        json_string_or(json_at(d->object, "metadata", "namespace", NULL), ""),
        name_of(d));
    const struct source_doc *first = map_get(seen, str_of(key));

    if (!first)
        map_put(seen, str_of(key), (void *)d);
    else if (*name_of(d))
        lint_add(l, "duplicate", d, "metadata.name", false,
                 "%s \"%s\" is also in %s:%u",
                 json_string_or(json_get(d->object, "kind"), ""), name_of(d),
                 first->file->name, source_where(first, "", false).line);
}

/* ---- XRDs ---- */

static void
tell(struct lint *l, const char *rule, const struct source_doc *d,
     struct schema_findings *found)
{
    for (size_t i = 0; i < found->n; i++)
        lint_add(l, rule, d, found->v[i].field, false, "%s: %s",
                 found->v[i].field, found->v[i].message);
    schema_findings_release(found);
}

static void
check_xrd(struct lint *l, size_t at)
{
    const struct source_doc *d = &l->sources.v[at];
    struct schema_findings found = {0}, taken = {0};

    xrd_check(d->object, &found);
    tell(l, "xrd", d, &found);
    for (size_t i = 0; i < at; i++) {
        if (lint_is(&l->sources.v[i], "CompositeResourceDefinition", NULL))
            xrd_check_names(d->object, l->sources.v[i].object, &taken);
    }
    tell(l, "xrd-names", d, &taken);
    if (strcmp(json_string_or(json_get(d->object, "apiVersion"), ""),
               "apiextensions.crossplane.io/v1") == 0)
        lint_add(l, "xrd-v1", d, "apiVersion", false,
                 "apiextensions.crossplane.io/v1 is deprecated");
}

/* ---- Compositions ---- */

static const struct json *
find_xrd(void *lint, const char *group, const char *kind)
{
    return lint_xrd(lint, group, kind);
}

/* "template: manifests:12:" is line 12 of the template; "resources[0].base:"
 * behind "invalid Function input: " is a field of the input. */
static struct json_place
place_of_input(const struct source_doc *d, const char *field,
               const char *message)
{
    static const char in_template[] = "template: manifests:";
    static const char in_input[] = "invalid Function input: ";
    const char *t = strstr(message, in_template);
    const char *p = strstr(message, in_input);
    AUTO(mem_free_ptr) char *below = NULL;

    if (t) {
        below = mem_printf("%s.inline.template", field);
        return lint_text_line(
            d, below, (unsigned)strtoul(t + strlen(in_template), NULL, 10));
    }
    if (!p)
        return source_where(d, field, true);
    p += strlen(in_input);
    below = mem_printf("%s.%.*s", field, (int)strcspn(p, ": "), p);
    return source_where(d, below, false);
}

static void
check_composition(struct lint *l, const struct source_doc *d)
{
    static const struct {
        const char *reason, *rule;
    } rules[] = {
        {COMPOSITION_TYPE_UNDEFINED, "composition-type"},
        {COMPOSITION_TYPE_INCOMPATIBLE, "composition-type"},
        {COMPOSITION_FUNCTION_MISSING, "function-missing"},
        {COMPOSITION_FUNCTION_FOREIGN, "function-foreign"},
        {COMPOSITION_INPUT_REFUSED, "function-input"},
    };
    struct composition_world w = {l, find_xrd, lint_function};
    struct schema_findings found = {0};

    composition_check(d->object, &w, &found);
    for (size_t i = 0; i < found.n; i++) {
        const struct schema_finding *f = &found.v[i];
        size_t k = 0;
        struct json_place at = strcmp(f->reason, COMPOSITION_INPUT_REFUSED) == 0
                                   ? place_of_input(d, f->field, f->message)
                                   : source_where(d, f->field, false);

        while (strcmp(rules[k].reason, f->reason) != 0)
            k++;
        lint_add_at(l, rules[k].rule, d, at, f->message);
    }
    schema_findings_release(&found);
}

/* ---- packages ---- */

static void
check_package(struct lint *l, const struct source_doc *d)
{
    AUTO(mem_free_ptr) char *folder = mem_strdup(d->file->name);
    AUTO(mem_free_ptr) char *examples = NULL;
    char *slash = strrchr(folder, '/');
    struct xpkg_source from = {.root = "."};
    struct xpkg built = {0};
    struct error err = {0};

    /* Read from standard input, there is no folder. */
    if (strcmp(slash ? slash + 1 : folder, "crossplane.yaml") != 0)
        return;
    if (slash) {
        *slash = '\0';
        from.root = folder;
    }
    examples = file_join(from.root, "examples");
    if (file_exists(examples))
        from.examples = examples;
    if (!xpkg_build(&from, &built, &err))
        lint_add(l, "package", d, "", false, "%s", err.msg);
    xpkg_release(&built);
}

/* ---- all ---- */

void
lint_objects(struct lint *l)
{
    struct map seen = {0};

    for (size_t i = 0; i < l->sources.n; i++) {
        const struct source_doc *d = &l->sources.v[i];

        if (lint_is_expectations(d))
            continue;
        check_identity(l, d);
        check_schema(l, d);
        check_twins(l, &seen, d);
        if (lint_is(d, "CompositeResourceDefinition",
                    "apiextensions.crossplane.io"))
            check_xrd(l, i);
        if (lint_is(d, "Composition", "apiextensions.crossplane.io"))
            check_composition(l, d);
        if (lint_is(d, "Configuration", "meta.pkg.crossplane.io"))
            check_package(l, d);
    }
    map_release(&seen, NULL);
}
