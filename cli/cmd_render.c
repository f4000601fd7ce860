/* meshtop render: what an XR composes, as `crossplane render` prints it,
 * without Docker. */
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/gojson.h"
#include "lib/compose/gotime.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/render.h"
#include "cli/render_files.h"

static const struct flag flags[] = {
    {"context-files", 0, "KEY=FILE", "context for the pipeline: a JSON file"},
    {"context-values", 0, "KEY=JSON", "context for the pipeline, over files"},
    {"include-function-results", 'r', NULL, "print what functions said"},
    {"include-full-xr", 'x', NULL, "print the XR's spec and metadata too"},
    {"observed-resources", 'o', "PATH", "composed resources that exist"},
    {"extra-resources", 0, "PATH", "the older name of --required-resources"},
    {"required-resources", 'e', "PATH", "resources that functions may ask for"},
    {"include-context", 'c', NULL, "print the context after the last step"},
    {"function-credentials", 0, "PATH", "Secrets for credentials of steps"},
    {"timeout", 0, "DURATION", "accepted; nothing here waits"},
    {"xrd", 0, "FILE", "set the defaults of this XRD in the XR"},
    {"compat", 0, "VERSION", "print as 2.0.2 (default), 2.0.8 or 2.3 (live)"},
    {0},
};

/* Upstream's line, word by word, then what helps. */
static int
fail(const char *fatal, const struct error *err)
{
    struct str line, remedy = str_of(err->remedy);
    struct str message = str_of(fatal ? fatal : err->msg);

    fputs("crossplane: error: ", stderr);
    while (str_next(&message, '\n', &line)) {
        columns_text(line, false, stderr);
        fputc('\n', stderr);
    }
    while (remedy.n && str_next(&remedy, '\n', &line)) {
        fputs("  ", stderr);
        columns_text(line, false, stderr);
        fputc('\n', stderr);
    }
    return EXIT_ERROR;
}

/* ---- flags ---- */

/* -o is the crossplane CLI's --observed-resources; as everywhere else in this
 * program, "-o json" is a format, unless there is such a file. */
static bool
is_format(const char *value)
{
    return value &&
           (strcmp(value, "json") == 0 || strcmp(value, "yaml") == 0) &&
           !file_exists(value);
}

static const char *
observed_path(const struct args *a)
{
    const char *path = NULL;

    for (size_t i = 0; i < a->given_n; i++) {
        if (strcmp(a->given[i].flag->name, "observed-resources") == 0 &&
            !is_format(a->given[i].value))
            path = a->given[i].value;
    }
    return path;
}

static bool
wants_json(const struct args *a)
{
    const char *format = args_get(a, "output", "");

    for (size_t i = 0; i < a->given_n; i++) {
        if (strcmp(a->given[i].flag->name, "observed-resources") == 0 &&
            is_format(a->given[i].value))
            format = a->given[i].value;
    }
    return strcmp(format, "json") == 0;
}

static bool
set_mode(const struct args *a, struct render *r, struct error *err)
{
    static const struct {
        const char *name;
        enum compose_mode mode;
    } modes[] = {{"2.0.2", COMPOSE_RENDER},
                 {"2.0.8", COMPOSE_RENDER_208},
                 {"2.3", COMPOSE_LIVE_23},
                 {"live", COMPOSE_LIVE_23}};
    const char *want = args_get(a, "compat", modes[0].name);

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (strcmp(want, modes[i].name) == 0) {
            r->mode = modes[i].mode;
            return true;
        }
    }
    return error_set(err, ERR_USAGE,
                     "--compat knows 2.0.2, 2.0.8 and 2.3 (or live), not "
                     "\"%s\"",
                     want);
}

static bool
check_timeout(const struct args *a, struct error *err)
{
    const char *text = args_get(a, "timeout", "1m");
    struct error why = {0};
    int64_t ns;

    return gotime_parse_duration(str_of(text), &ns, &why) ||
           error_set(err, ERR_USAGE,
                     "--timeout: expected duration but got \"%s\": %s", text,
                     why.msg);
}

/* ---- context ---- */

static bool
add_context(struct json *context, struct str key, struct str text,
            struct error *err)
{
    AUTO(mem_free_ptr) char *name = mem_strndup(key.s, key.n);
    AUTO(buf_release) struct buf words = BUF_INIT(400);
    struct error why = {0};
    struct json *value = json_parse(text, NULL, &why);

    if (!value && !gojson_syntax(text, false, &words, NULL))
        buf_puts(&words, why.msg);
    if (!value)
        return error_set(err, ERR_PARSE,
                         "cannot render composite resource: cannot unmarshal "
                         "JSON value for context key \"%s\": %s",
                         name, buf_cstr(&words));
    json_set(context, name, value);
    return true;
}

/* One KEY=VALUE of --context-files (VALUE is a path) or --context-values. */
static bool
read_context(const char *flag, const char *given, struct json *context,
             struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)64 << 20);
    bool files = strcmp(flag, "context-files") == 0;
    struct str key, value;

    if (!str_cut(str_of(given), '=', &key, &value))
        return error_set(err, ERR_USAGE,
                         "--%s: expected \"<key>=<value>\" but got \"%s\"",
                         flag, given);
    if (!files)
        return add_context(context, key, value, err);
    if (!render_load_text(value.s, &text, err))
        return error_wrap(err, "cannot read context value for key \"%.*s\"",
                          STR_ARG(key));
    return add_context(context, key, buf_view(&text), err);
}

/* Values take precedence over files. */
static bool
load_context(const struct args *a, struct render *r, struct error *err)
{
    static const char *const names[] = {"context-files", "context-values"};

    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        for (size_t i = 0; i < a->given_n; i++) {
            if (strcmp(a->given[i].flag->name, names[n]) == 0 &&
                !read_context(names[n], a->given[i].value, r->context, err))
                return false;
        }
    }
    return true;
}

/* ---- the files, in upstream's order ---- */

static bool
load_xr(const struct args *a, struct render *r, struct error *err)
{
    const char *xrd = args_get(a, "xrd", NULL);

    if (!render_file_exists("<composite-resource>", args_word(a, 0), err) ||
        !render_file_exists("<composition>", args_word(a, 1), err) ||
        (xrd && !render_file_exists("--xrd", xrd, err)))
        return false;
    r->xr = render_load_xr(args_word(a, 0), err);
    if (r->xr)
        r->composition = render_load_composition(args_word(a, 1), err);
    return r->composition && render_check(r, err);
}

static bool
load_xrd(const struct args *a, struct render *r, struct error *err)
{
    const char *path = args_get(a, "xrd", NULL);
    AUTO(json_free_ptr)
    struct json *xrd = path ? render_load_xrd(path, err) : NULL;

    return !path || (xrd && render_default(r, xrd, err));
}

static bool
load_objects(const char *what, const char *path, struct json *out,
             struct error *err)
{
    return !path || render_load_objects(what, path, out, err);
}

/* The newer CLI takes such a flag more than once, for the older one the last
 * counts. */
static bool
load_required(const struct args *a, const char *flag, const char *what,
              const struct render *r, struct json *out, struct error *err)
{
    const char *last = args_get(a, flag, NULL);

    for (size_t i = 0; i < a->given_n; i++) {
        const char *path = a->given[i].value;

        if (strcmp(a->given[i].flag->name, flag) == 0 &&
            (path == last || compose_is_live(r->mode)) &&
            !render_load_objects(what, path, out, err))
            return false;
    }
    return true;
}

static bool
load(const struct args *a, struct render *r, struct error *err)
{
    const char *functions = args_word(a, 2);

    r->with_results = args_has(a, "include-function-results");
    r->with_full_xr = args_has(a, "include-full-xr");
    r->with_context = args_has(a, "include-context");
    r->no_functions = !functions;
    return load_xr(a, r, err) &&
           (!functions ||
            render_load_functions(functions, &r->functions, err)) &&
           load_xrd(a, r, err) &&
           load_objects("secrets", args_get(a, "function-credentials", NULL),
                        r->secrets, err) &&
           load_objects("observed composed resources", observed_path(a),
                        r->observed, err) &&
           load_required(a, "extra-resources", "extra resources", r, r->extra,
                         err) &&
           load_required(a, "required-resources", "required resources", r,
                         r->required, err) &&
           load_context(a, r, err);
}

/* ---- the command ---- */

/* YAML documents, or with -o json one List. */
static bool
print(const struct args *a, struct json *docs, struct error *err)
{
    AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);

    if (wants_json(a)) {
        AUTO(json_free_ptr) struct json *list = json_new_object();

        json_set_string(list, "apiVersion", "v1");
        json_set(list, "items", json_copy(docs));
        json_set_string(list, "kind", "List");
        json_print(list, JSON_PRETTY | JSON_SORTED, &out);
        buf_putc(&out, '\n');
    } else {
        for (const struct json *d = json_first(docs); d; d = json_next(d)) {
            buf_puts(&out, "---\n");
            yaml_print(d, YAML_SORTED, &out);
        }
    }
    if (out.over)
        return error_set(err, ERR_LIMIT, "more than %zu bytes of output",
                         out.max);
    output_text(buf_view(&out));
    return output_flush(err);
}

static int
run(const struct args *a)
{
    AUTO(render_release) struct render r;
    AUTO(json_free_ptr) struct json *docs = NULL;
    AUTO(mem_free_ptr) char *fatal = NULL;
    struct error err = {0};

    render_init(&r);
    if (!set_mode(a, &r, &err) || !check_timeout(a, &err))
        return command_fail(&err);
    if (!load(a, &r, &err))
        return err.code == ERR_USAGE ? command_fail(&err) : fail(NULL, &err);
    docs = render_run(&r, &fatal, &err);
    if (!docs)
        return fail(fatal, &err);
    return print(a, docs, &err) ? EXIT_DONE : command_fail(&err);
}

const struct command cmd_render = {
    .name = "render",
    .args = "XR.yaml COMPOSITION.yaml [FUNCTIONS.yaml]",
    .min_words = 2,
    .max_words = 3,
    .summary = "what an XR composes, as crossplane render prints it",
    .help =
        "Runs the Composition's pipeline with the functions that are built "
        "in: no\ncluster, no Docker. Files are streams or folders as for the "
        "crossplane CLI,\n\"-\" is standard input. Without FUNCTIONS the names "
        "in the pipeline tell which\nfunctions are meant.",
    .group = "Foresee",
    .flags = flags,
    .run = run,
};
