#include "lib/compose/xrd_check.h"

#include "lib/base/mem.h"

#include "lib/schema/crd_check.h"

#include "lib/compose/xrd.h"

/* Fields of a definition that stand elsewhere in the XRD. */
struct moved {
    const char *crd, *xrd;
};

static const struct moved of_xr[] = {
    {"spec.validation.", "spec.versions[0].schema."},
    {"spec.additionalPrinterColumns",
     "spec.versions[0].additionalPrinterColumns"}};

static const struct moved of_claim[] = {
    {"spec.validation.", "spec.versions[0].schema."},
    {"spec.additionalPrinterColumns",
     "spec.versions[0].additionalPrinterColumns"},
    {"spec.names.", "spec.claimNames."}};

static bool
has_finding(const struct schema_findings *list, const char *field,
            const char *message)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i].field, field) == 0 &&
            strcmp(list->v[i].message, message) == 0)
            return true;
    }
    return false;
}

/* What both definitions have wrong is said once. */
static void
take_over(const struct schema_findings *from, const struct moved *moved,
          size_t n, struct schema_findings *bad)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct schema_finding *f = &from->v[i];
        AUTO(mem_free_ptr) char *field = mem_strdup(f->field);

        for (size_t k = 0; k < n; k++) {
            size_t len = strlen(moved[k].crd);

            if (strncmp(f->field, moved[k].crd, len) != 0)
                continue;
            mem_free_ptr(&field);
            field = mem_printf("%s%s", moved[k].xrd, f->field + len);
        }
        if (!has_finding(bad, field, f->message))
            schema_findings_add(bad, field, f->reason, "%s", f->message);
    }
}

static void
check_crd(struct json *crd, const struct error *err, const struct moved *moved,
          size_t n, struct schema_findings *bad)
{
    struct schema_findings found = {0};

    if (!crd) {
        schema_findings_add(bad, "spec", "FieldValueInvalid", "%s", err->msg);
        return;
    }
    crd_default(crd);
    crd_check(crd, NULL, false, &found);
    take_over(&found, moved, n, bad);
    schema_findings_release(&found);
}

void
xrd_check(const struct json *xrd, struct schema_findings *bad)
{
    struct error err = {0};
    AUTO(json_free_ptr) struct json *crd = xrd_to_crd(xrd, &err);

    check_crd(crd, &err, of_xr, ARRAY_LEN(of_xr), bad);
    if (crd && json_at(xrd, "spec", "claimNames", NULL)) {
        AUTO(json_free_ptr) struct json *claim = xrd_to_claim_crd(xrd, &err);

        check_crd(claim, &err, of_claim, ARRAY_LEN(of_claim), bad);
    }
}

/* ---- names in use ---- */

static void
check_taken(const struct json *mine, const char *path,
            const struct json *theirs, struct schema_findings *bad)
{
    static const char *const keys[] = {"plural", "singular", "kind",
                                       "listKind"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *name = json_get_text(mine, keys[i]);
        AUTO(mem_free_ptr) char *field = mem_printf("%s.%s", path, keys[i]);

        if (*name && strcmp(name, json_get_text(theirs, keys[i])) == 0)
            schema_findings_add(bad, field, "FieldValueDuplicate",
                                "\"%s\" is already in use", name);
    }
}

void
xrd_check_names(const struct json *xrd, const struct json *other,
                struct schema_findings *bad)
{
    static const char *const sets[] = {"names", "claimNames"};
    const struct json *a = json_get(xrd, "spec"), *b = json_get(other, "spec");

    if (strcmp(json_get_text(a, "group"), json_get_text(b, "group")) != 0 ||
        json_equal(json_at(xrd, "metadata", "name", NULL),
                   json_at(other, "metadata", "name", NULL)))
        return;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        AUTO(mem_free_ptr) char *path = mem_printf("spec.%s", sets[i]);

        for (size_t k = 0; k < ARRAY_LEN(sets); k++)
            check_taken(json_get(a, sets[i]), path, json_get(b, sets[k]), bad);
    }
}
