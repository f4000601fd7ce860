#include "devenv/failure.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* The exit code of each error code that has a family of its own. */
static const int exit_of[] = {
    [ERR_USAGE] = 2,
    [ERR_NETWORK] = 30,
    [ERR_CANCELLED] = 130,
};

static const struct {
    int from;
    const char *name, *about;
} families[] = {
    {0, "Other",
     "an id without a family: the exit code is the error's own "
     "(1, 2 usage, 30 network, 130 cancelled)"},
    {10, "Host", "this machine"},
    {20, "Engine", "the container engine"},
    {30, "Network", "what has to be fetched"},
    {40, "Integrity", "what was fetched is not what was expected"},
    {50, "Cluster", "the Kubernetes cluster"},
    {60, "Crossplane", "Crossplane itself"},
    {70, "Packages", "Crossplane packages and functions"},
    {80, "Mesh", "the mesh does not work"},
    {90, "Clean-up", "something is left"},
    {130, "Cancelled", "somebody asked for a stop"},
};

const struct failure *
failure_find(const char *id)
{
    for (const struct failure *f = failure_table; f->id; f++) {
        if (strcasecmp(f->id, id) == 0)
            return f;
    }
    return NULL;
}

int
failure_exit(const struct error *err)
{
    const struct failure *f = *err->id ? failure_find(err->id) : NULL;
    int code = (size_t)err->code < ARRAY_LEN(exit_of) ? exit_of[err->code] : 0;

    if (f && f->exit)
        return f->exit;
    return code ? code : 1;
}

void
failure_remedy(struct error *err, const char *id)
{
    const struct failure *f = failure_find(id);

    assert(f);
    error_remedy(err, f->id, "%s", f->remedy);
}

void
failure_anchor(const char *id, struct buf *out)
{
    buf_puts(out, "docs/FAILURES.md#");
    for (const char *c = id; *c; c++)
        buf_putc(out, (char)tolower((unsigned char)*c));
}

static void
add_lines(struct json *array, struct str text)
{
    struct str line;

    while (text.n && str_next(&text, '\n', &line)) {
        if (line.n)
            json_append(array, json_new_str(line));
    }
}

struct json *
failure_json(const struct error *err, const char *step,
             const struct strlist *evidence)
{
    const struct failure *f = *err->id ? failure_find(err->id) : NULL;
    AUTO(buf_release) struct buf docs = BUF_INIT(256);
    struct json *j = json_new_object();

    json_set_string(j, "id", err->id);
    json_set_string(j, "message", err->msg);
    if (step)
        json_set_string(j, "step", step);
    json_set_int(j, "exit", failure_exit(err));
    json_set_bool(j, "retryable", f && f->retryable);
    if (f) {
        failure_anchor(f->id, &docs);
        json_set_string(j, "docs", buf_cstr(&docs));
    }
    struct json *seen = json_set(j, "evidence", json_new_array());

    for (size_t i = 0; evidence && i < evidence->n; i++)
        json_append(seen, json_new_string(evidence->v[i]));
    add_lines(json_set(j, "remedy", json_new_array()), str_of(err->remedy));
    return j;
}

void
failure_evidence(const struct step_run *run, struct strlist *out)
{
    size_t n = 0, from;

    for (size_t i = 0; i < run->parts_n && n < FAILURE_EVIDENCE / 2; i++) {
        const struct step_part *p = &run->parts[i];

        if (p->state != STEP_FAILED && p->state != STEP_WARNED)
            continue;
        strlist_addf(out, "%s: %s", p->name, p->detail ? p->detail : "");
        n++;
    }
    from = run->log.n > FAILURE_EVIDENCE - n
               ? run->log.n - (FAILURE_EVIDENCE - n)
               : 0;
    for (size_t i = from; i < run->log.n; i++)
        strlist_add(out, str_of(run->log.v[i]));
}

struct json *
failure_of_step(const struct step_run *run)
{
    AUTO(strlist_release) struct strlist evidence = {0};

    failure_evidence(run, &evidence);
    return failure_json(&run->error, run->id, &evidence);
}

/* "https://github.com/kubernetes-sigs/kind/issues/2586" for "kind#2586". */
static const struct {
    const char *name, *repository;
} trackers[] = {
    {"kind", "kubernetes-sigs/kind"},
    {"k3d", "k3d-io/k3d"},
    {"minikube", "kubernetes/minikube"},
    {"crossplane", "crossplane/crossplane"},
    {"colima", "abiosoft/colima"},
    {"kubernetes", "kubernetes/kubernetes"},
    {"moby", "moby/moby"},
    {"idpbuilder", "cnoe-io/idpbuilder"},
};

static void
issue_link(struct str issue, struct buf *out)
{
    struct str name, number;

    str_cut(issue, '#', &name, &number);
    for (size_t i = 0; i < ARRAY_LEN(trackers); i++) {
        if (str_eqz(name, trackers[i].name)) {
            buf_printf(out, "https://github.com/%s/issues/%.*s",
                       trackers[i].repository, STR_ARG(number));
            return;
        }
    }
    buf_str(out, issue);
}

static void
add_issues(const struct failure *f, bool markdown, struct buf *out)
{
    struct str issue, rest = str_of(f->issues);

    while (rest.n && str_next(&rest, ' ', &issue)) {
        buf_puts(out, markdown ? " [" : "  ");
        if (markdown)
            buf_printf(out, "%.*s](", STR_ARG(issue));
        issue_link(issue, out);
        buf_puts(out, markdown ? ")" : "\n");
    }
}

static void
add_indented(struct str text, struct buf *out)
{
    struct str line;

    while (text.n && str_next(&text, '\n', &line))
        buf_printf(out, "  %.*s\n", STR_ARG(line));
}

void
failure_explain(const struct failure *f, struct buf *out)
{
    buf_printf(out, "%s", f->id);
    if (f->exit)
        buf_printf(out, " (exit code %d)", f->exit);
    buf_printf(out, "\n  %s\n", f->sentence);
    if (*f->remedy) {
        buf_puts(out, "\nWhat to do\n");
        add_indented(str_of(f->remedy), out);
    }
    if (f->retryable)
        buf_puts(out, "\nTrying again may help.\n");
    if (*f->issues) {
        buf_puts(out, "\nUpstream\n");
        add_issues(f, false, out);
    }
    buf_puts(out, "\nMore: ");
    failure_anchor(f->id, out);
    buf_putc(out, '\n');
}

static int
family_of(int code)
{
    int at = 0;

    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (code >= families[i].from)
            at = (int)i;
    }
    return at;
}

static void
page_row(const struct failure *f, struct buf *out)
{
    buf_printf(out, "\n### %s\n\n", f->id);
    if (f->exit)
        buf_printf(out, "Exit code %d. ", f->exit);
    buf_printf(out, "`%s`\n", f->sentence);
    if (*f->remedy) {
        buf_puts(out, "\n```\n");
        buf_puts(out, f->remedy);
        buf_puts(out, "\n```\n");
    }
    if (f->retryable)
        buf_puts(out, "\nTrying again may help.\n");
    if (*f->issues) {
        buf_puts(out, "\nUpstream:");
        add_issues(f, true, out);
        buf_putc(out, '\n');
    }
}

void
failure_page(struct buf *out)
{
    buf_puts(out,
             "# What can fail, and what to do\n\n"
             "Written from `devenv/failure_table.c` by `GENERATE=1` and the "
             "test test_failure; edit that file, not this one.\n"
             "Every failure has an id, an exit code, one sentence, evidence "
             "and a remedy; `meshtop help ID` prints what stands here, `-o "
             "json` gives it to programs. Words in `<>` stand for what was "
             "seen.\n");
    for (size_t i = 1; i <= ARRAY_LEN(families); i++) {
        size_t at = i % ARRAY_LEN(families); /* the others last */
        bool begun = false;

        for (const struct failure *f = failure_table; f->id; f++) {
            if (family_of(f->exit) != (int)at)
                continue;
            if (!begun)
                buf_printf(out, "\n## %s: %s\n", families[at].name,
                           families[at].about);
            begun = true;
            page_row(f, out);
        }
    }
}
