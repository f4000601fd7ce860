/* meshtop lint: what is wrong with manifests and packages, without a cluster.
 */
#include "lib/base/mem.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/lint.h"
#include "cli/output.h"

/* ---- one rule ---- */

static void
put_rule(const struct lint_rule *r, struct buf *out)
{
    buf_printf(out, "%s (%s)\n  %s\n  On a cluster: %s\n  Remedy: %s\n", r->id,
               lint_severity_name(r->severity), r->what, r->why, r->remedy);
}

static int
explain(const char *id)
{
    const struct lint_rule *r = lint_rule_find(id);
    AUTO(buf_release) struct buf out = BUF_INIT(1 << 16);
    AUTO(buf_release) struct buf ids = BUF_INIT(4096);
    struct error err = {0};

    for (size_t i = 0; lint_rule_at(i); i++) {
        buf_printf(&ids, "%s%s", i ? ", " : "", lint_rule_at(i)->id);
        if (strcmp(id, "all") == 0)
            put_rule(lint_rule_at(i), &out);
    }
    if (r)
        put_rule(r, &out);
    if (!out.n) {
        error_set(&err, ERR_USAGE, "no rule \"%s\"", id);
        error_remedy(&err, "", "The rules are: %s.", buf_cstr(&ids));
        return command_fail(&err);
    }
    output_text(buf_view(&out));
    return EXIT_DONE;
}

/* ---- findings ---- */

static void
put_counts(const struct lint *l, struct buf *out)
{
    buf_printf(out,
               "%zu documents in %zu files: %zu errors, %zu warnings, %zu "
               "notes\n",
               l->sources.n, l->sources.files_n, lint_count(l, LINT_ERROR),
               lint_count(l, LINT_WARNING), lint_count(l, LINT_INFO));
}

static void
put_text(const struct lint *l, struct buf *out)
{
    const struct lint_rule *told = NULL;

    for (size_t i = 0; i < l->n; i++) {
        const struct lint_finding *f = &l->v[i];

        if (f->line)
            buf_printf(out, "%s:%u:%u: ", f->file, f->line, f->column);
        else
            buf_printf(out, "%s: ", f->file);
        buf_printf(out, "%s: %s (%s)\n", lint_severity_name(f->rule->severity),
                   f->message, f->rule->id);
        if (f->rule != told)
            buf_printf(out, "    %s\n", f->rule->remedy);
        told = f->rule;
    }
    put_counts(l, out);
}

static struct json *
tree_of(const struct lint *l)
{
    static const char *const names[] = {"errors", "warnings", "notes"};
    struct json *tree = json_new_object();
    struct json *list = json_need_array(tree, "findings"), *sum;

    for (size_t i = 0; i < l->n; i++) {
        const struct lint_finding *f = &l->v[i];
        struct json *j = json_append(list, json_new_object());

        json_set_string(j, "file", f->file);
        json_set_int(j, "line", f->line);
        json_set_int(j, "column", f->column);
        json_set_string(j, "severity", lint_severity_name(f->rule->severity));
        json_set_string(j, "rule", f->rule->id);
        json_set_string(j, "message", f->message);
        json_set_string(j, "remedy", f->rule->remedy);
    }
    sum = json_need_object(tree, "summary");
    json_set_int(sum, "files", (int64_t)l->sources.files_n);
    json_set_int(sum, "documents", (int64_t)l->sources.n);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        json_set_int(sum, names[i],
                     (int64_t)lint_count(l, (enum lint_severity)i));
    return tree;
}

static bool
print(const struct lint *l, enum output how, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    AUTO(json_free_ptr) struct json *tree = NULL;

    if (how == OUTPUT_JSON || how == OUTPUT_YAML) {
        tree = tree_of(l);
        output_tree(tree, how);
    } else {
        put_text(l, &text);
        output_text(buf_view(&text));
    }
    return output_flush(err);
}

static int
run(const struct args *a)
{
    struct lint l = {0};
    struct error err = {0};
    enum output how;
    bool bad = true;

    if (args_has(a, "explain"))
        return explain(args_get(a, "explain", ""));
    if (!a->words_n)
        error_set(&err, ERR_USAGE, "say which files or folders");
    if (!a->words_n || !output_of(a, &how, &err))
        return command_fail(&err);
    for (size_t i = 0; i < a->words_n; i++)
        lint_read(&l, args_word(a, i));
    lint_run(&l);
    if (print(&l, how, &err))
        bad = lint_count(&l, LINT_ERROR) ||
              (args_has(a, "strict") && lint_count(&l, LINT_WARNING));
    else
        command_fail(&err);
    lint_release(&l);
    return bad ? EXIT_ERROR : EXIT_DONE;
}

static const struct flag flags[] = {
    {"strict", 0, NULL, "warnings fail, too"},
    {"explain", 0, "RULE", "what a rule means and what to do (all: every one)"},
    {0}};

const struct command cmd_lint = {
    .name = "lint",
    .args = "PATH...",
    .summary = "check manifests and packages, without a cluster",
    .help = "PATH is a file, a folder (*.yaml, *.yml, *.json, folders below "
            "too) or - for standard input: XRDs, Compositions, Functions, "
            "package folders, composite resources, the mesh's objects. Each "
            "finding says FILE:LINE:COLUMN, its severity, its rule and the "
            "remedy.\n\n"
            "Exit code 1 when there are errors (--strict: or warnings). "
            "docs/VALIDATE.md lists the rules.",
    .flags = flags,
    .group = "Foresee",
    .min_words = 0,
    .max_words = 1000,
    .run = run,
};
