/*
 * The parameters of a write, all judged before one complaint is made
 * (apimachinery apis/meta/v1/validation).
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "devenv/sandbox/rest.h"

#define MANAGER_MAX 128

/* What a request without fieldManager is called: its User-Agent up to "/". */
static const char *
default_manager(struct rest *rq)
{
    const char *agent = http_header(rq->h, "User-Agent");
    struct str head, tail;

    str_cut(str_of(agent ? agent : ""), '/', &head, &tail);
    head = str_sub(head, 0, MANAGER_MAX);
    return head.n ? arena_dup(rq->h->arena, head) : "unknown";
}

static void
check_manager(const char *manager, struct schema_findings *bad)
{
    AUTO(buf_release) struct buf shown = BUF_INIT(4096);
    size_t at = 0;

    if (!manager)
        return;
    if (strlen(manager) > MANAGER_MAX)
        schema_findings_add(bad, "fieldManager", "FieldValueTooLong",
                            "Too long: may not be more than %d bytes",
                            MANAGER_MAX);
    while (manager[at] && (unsigned char)manager[at] >= ' ' &&
           manager[at] != 0x7f)
        at++;
    if (!manager[at])
        return;
    for (const char *c = manager; *c; c++) {
        static const char escapes[] = "abtnvfr";
        unsigned char x = (unsigned char)*c;

        if (x >= 7 && x <= 13)
            buf_printf(&shown, "\\%c", escapes[x - 7]);
        else if (x < ' ' || x == 0x7f)
            buf_printf(&shown, "\\x%02x", x);
        else
            buf_putc(&shown, *c);
    }
    schema_findings_add(bad, "fieldManager", "FieldValueInvalid",
                        "Invalid value: \"%s\": invalid character U+%04X (at "
                        "position %zu)",
                        buf_cstr(&shown), (unsigned char)manager[at], at);
}

/* Each value of dryRun has to be "All". */
static bool
check_dry_run(struct rest *rq, struct schema_findings *bad)
{
    const struct url *u = &rq->h->url;
    AUTO(buf_release) struct buf all = BUF_INIT(4096);
    bool dry = false, good = true;

    for (size_t i = 0; i < u->params_n; i++) {
        const struct url_param *p = &u->params[i];

        if (strcmp(p->name, "dryRun") != 0)
            continue;
        good = good && !strcmp(p->value, "All");
        buf_printf(&all, "%s\"%s\"", dry ? "," : "", p->value);
        dry = true;
    }
    if (!good)
        schema_findings_add(bad, "dryRun", "FieldValueNotSupported",
                            "Unsupported value: [%s]: supported values: "
                            "\"All\"",
                            buf_cstr(&all));
    return dry;
}

static enum registry_validation
check_validation(const char *mode, struct schema_findings *bad)
{
    static const struct {
        const char *text;
        enum registry_validation v;
    } modes[] = {{"", VALIDATE_WARN},
                 {"Ignore", VALIDATE_IGNORE},
                 {"Strict", VALIDATE_STRICT},
                 {"Warn", VALIDATE_WARN}};

    for (size_t i = 0; mode && i < ARRAY_LEN(modes); i++) {
        if (!strcmp(mode, modes[i].text))
            return modes[i].v;
    }
    if (mode)
        schema_findings_add(
            bad, "fieldValidation", "FieldValueNotSupported",
            "Unsupported value: \"%s\": supported values: \"\", "
            "\"Ignore\", \"Strict\", \"Warn\"",
            mode);
    return VALIDATE_WARN;
}

bool
rest_write_options(struct rest *rq, const char *options,
                   struct registry_write *w)
{
    const char *manager = http_param(rq->h, "fieldManager");
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    bool apply =
        negotiate_body(http_header(rq->h, "Content-Type")) == BODY_APPLY;

    *w = (struct registry_write){
        .manager = manager && *manager ? manager : default_manager(rq),
        .who = rq->h->who,
        .subresource = rq->sub,
        .force = rest_flag(rq->h, "force"),
        .warnings = &rq->warnings,
    };
    if (!strcmp(options, "PatchOptions")) {
        if (apply && (!manager || !*manager))
            schema_findings_add(&bad, "fieldManager", "FieldValueRequired",
                                "Required value: is required for apply patch");
        if (!apply && http_param(rq->h, "force"))
            schema_findings_add(&bad, "force", "FieldValueForbidden",
                                "Forbidden: may not be specified for non-apply "
                                "patch");
    }
    check_manager(manager, &bad);
    w->dry_run = check_dry_run(rq, &bad);
    w->validation =
        check_validation(http_param(rq->h, "fieldValidation"), &bad);
    return !bad.n || status_invalid(&rq->st, "meta.k8s.io", options, "", &bad);
}
