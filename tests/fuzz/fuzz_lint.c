/* Any text as manifests: every document is looked at, every finding has a rule
 * and a place inside the text.
 * covers: cli/lint.c cli/lint_objects.c cli/lint_compose.c cli/lint_reads.c
 * cli/lint_mesh.c cli/lint_sample.c cli/sources.c lib/schema/path.c
 * lib/base/json_place.c lib/compose/props.c lib/compose/xrd.c
 * lib/compose/xrd_check.c lib/compose/composition_check.c lib/compose/claim.c
 * lib/compose/mrd.c */
#include <stdlib.h>

#include "lib/compose/claim.h"
#include "lib/compose/mrd.h"

#include "cli/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pure conversions take any object (and nothing else). */
static void
convert(const struct json *o)
{
    struct claim_sync s = {o, o, "name"};
    struct json *claim = json_copy(o);
    struct json *patch = claim_to_xr(o, &s, NULL);
    struct json *mrd = mrd_of_crd(o, true);

    if (patch) {
        claim_bind(claim, &s, patch);
        if (claim_bind(claim, &s, patch))
            abort();
    }
    if (mrd)
        json_free(mrd_to_crd(mrd));
    mrd_activated_by(o, "a.b");
    json_free(mrd);
    json_free(patch);
    json_free(claim);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct lint l = {0};
    unsigned lines = 2;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
    sources_add_text(&l.sources, "fuzz.yaml", text);
    for (size_t i = 0; i < l.sources.n; i++) {
        if (json_is(l.sources.v[i].object, JSON_OBJECT))
            convert(l.sources.v[i].object);
    }
    lint_run(&l);
    for (size_t i = 0; i < l.n; i++) {
        if (!l.v[i].rule || !*l.v[i].message || l.v[i].line > lines)
            abort();
    }
    lint_release(&l);
    return 0;
}
