/*
 * function-go-templating (v0.12.2, and the ttl and connection details of its
 * main branch): renders a template over the request; what it wrote becomes the
 * response in fn_gotemplate_objects.c.
 */
#include "lib/compose/fn_gotemplate.h"

#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/gotime.h"
#include "lib/compose/manifests.h"
#include "lib/compose/strict.h"
#include "lib/compose/template.h"

#define ANNOTATION_TTL GOTEMPLATE_PREFIX "ttl"
#define CONTEXT_ENV    "apiextensions.crossplane.io/environment"

enum { TTL_S = 60 };

struct prepared {
    struct template *template; /* NULL: it is read at run time */
    char *key;                 /* of the environment, or NULL */
    char *folder;              /* of the file system, or NULL */
    struct str left, right;
    char *delims;
    int64_t ttl_s;
    struct template_run run; /* the options */
    char *refused;           /* why an option was not taken */
};

/* ---- the input ---- */

#define ONE_STRING(name, type_name, field_name)                                \
    static const struct strict_type name = {                                   \
        .kind = STRICT_STRUCT,                                                 \
        .go = (type_name),                                                     \
        .fields = (const struct strict_field[]){                               \
            {(field_name), &strict_string}, {0}}}

static const struct strict_type source_type = {.kind = STRICT_STRING,
                                               .go = "v1beta1.TemplateSource"};
STRICT_FIELDS(delims_type, "v1beta1.Delims", {"left", &strict_string},
              {"right", &strict_string});
STRICT_FIELDS(inline_type, "v1beta1.TemplateSourceInline",
              {"template", &strict_string}, {"templates", &strict_strings});
ONE_STRING(folder_type, "v1beta1.TemplateSourceFileSystem", "dirPath");
ONE_STRING(environment_type, "v1beta1.TemplateSourceEnvironment", "key");

STRICT_FIELDS(input_type, "v1beta1.GoTemplate", STRICT_TYPE_META,
              {"delims", &delims_type}, {"source", &source_type},
              {"inline", &inline_type}, {"fileSystem", &folder_type},
              {"environment", &environment_type}, {"ttl", &strict_string},
              {"options", &strict_strings});

static bool
parse(const struct prepared *p, struct str text, struct template **out,
      struct error *err)
{
    *out = template_parse("manifests", text, p->left, p->right, err);
    if (!*out)
        error_wrap(err, "invalid function input: cannot parse the provided "
                        "templates");
    return *out;
}

static bool
inline_source(struct prepared *p, const struct json *in, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEMPLATE_MAX_TEXT + 1);
    const char *one = json_string_or(json_get(in, "template"), "");
    const struct json *many = json_get(in, "templates");

    if (!*one && !json_len(many))
        return error_set(err, ERR_INVALID,
                         "invalid function input: inline.template or "
                         "inline.templates should be provided");
    for (const struct json *c = json_first(many); c && !*one;
         c = json_next(c)) {
        if (c != json_first(many))
            buf_puts(&text, "\n---\n");
        buf_puts(&text, json_string_or(c, ""));
    }
    return parse(p, *one ? str_of(one) : buf_view(&text), &p->template, err);
}

/* A source that is read at run time: only what it is called is known. */
static bool
later(const struct json *in, const char *name, const char *full, char **out,
      struct error *err)
{
    const char *v = json_string_or(json_get(in, name), "");

    if (!*v)
        return error_set(err, ERR_INVALID,
                         "invalid function input: %s should be provided", full);
    *out = mem_strdup(v);
    return true;
}

static bool
source(struct prepared *p, const struct json *in, struct error *err)
{
    const char *kind = json_string_or(json_get(in, "source"), "");

    if (strcmp(kind, "Inline") == 0)
        return inline_source(p, json_get(in, "inline"), err);
    if (strcmp(kind, "Environment") == 0)
        return later(json_get(in, "environment"), "key", "environment.key",
                     &p->key, err);
    if (strcmp(kind, "FileSystem") == 0)
        return later(json_get(in, "fileSystem"), "dirPath",
                     "fileSystem.dirPath", &p->folder, err);
    return error_set(err, ERR_INVALID,
                     *kind ? "invalid function input: invalid source: %s"
                           : "invalid function input: source is required%s",
                     kind);
}

/* They count after the template was read and parsed, and so do their errors. */
static void
options(struct prepared *p, const struct json *list)
{
    struct error err = {0};

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (template_option(&p->run, str_of(json_string_or(c, "")), &err))
            continue;
        p->refused = mem_printf("cannot apply template options: panic occurred "
                                "while applying template options: %s",
                                err.msg);
        return;
    }
}

/* Both have to be there. */
static void
delimiters(struct prepared *p, const struct json *delims)
{
    const char *left = json_get_string(delims, "left");
    const char *right = json_get_string(delims, "right");

    if (!left || !right)
        return;
    p->delims = mem_printf("%s%s", left, right);
    p->left = str_n(p->delims, strlen(left));
    p->right = str_of(p->delims + strlen(left));
}

/* A Go duration in whole seconds, at least one; false: it is none. */
static bool
read_ttl(const char *text, int64_t *out)
{
    int64_t ns;

    if (!text || !gotime_parse_duration(str_of(text), &ns, NULL))
        return false;
    *out = MAX((int64_t)1, ns / 1000000000);
    return true;
}

static void
discard(void *prepared)
{
    struct prepared *p = prepared;

    if (!p)
        return;
    template_free(p->template);
    free(p->key);
    free(p->folder);
    free(p->delims);
    free(p->refused);
    free(p);
}

static void *
prepare(const struct json *input, struct error *err)
{
    struct prepared *p = mem_zalloc(1, sizeof(*p));

    p->ttl_s = TTL_S;
    read_ttl(json_get_string(input, "ttl"), &p->ttl_s);
    delimiters(p, json_get(input, "delims"));
    options(p, json_get(input, "options"));
    if (!strict_input(input, &input_type, err))
        error_wrap(err, "cannot get Function input from "
                        "*v1.RunFunctionRequest");
    else if (source(p, input, err))
        return p;
    discard(p);
    return NULL;
}

/* ---- rendering ---- */

/* Randomness that stays the same for one composite resource. */
static uint64_t
seed_of(const struct fn_request *req)
{
    const struct json *meta = json_get(fn_observed_composite(req), "metadata");
    const char *uid = json_get_string(meta, "uid");
    const char *name = json_get_string(meta, "name");

    return (uint64_t)digest_fnv32(str_of(uid)) << 32 |
           digest_fnv32(str_of(name));
}

static bool
from_environment(const struct prepared *p, const struct fn_request *req,
                 struct template **out, struct error *err)
{
    const struct json *env = json_get(fn_context(req), CONTEXT_ENV);
    const struct json *text = json_get(env, p->key);
    const char *what = "invalid function input: cannot read tmpl from the "
                       "environment";

    if (!json_is(env, JSON_OBJECT))
        return error_set(err, ERR_INVALID,
                         "%s: " CONTEXT_ENV " key does not exist in context",
                         what);
    if (!text)
        return error_set(err, ERR_INVALID, "%s: key: %s does not exist", what,
                         p->key);
    if (!json_string(text))
        return error_set(err, ERR_INVALID, "%s: key: %s value is not a string",
                         what, p->key);
    return parse(p, str_of(json_string(text)), out, err);
}

static bool
from_folder(const struct prepared *p, const struct fn_request *req,
            struct template **out, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEMPLATE_MAX_TEXT + 1);
    const struct fn_world *world = req->world;
    struct error why = {0};

    if (!world || !world->files)
        error_set(&why, ERR_UNSUPPORTED,
                  "the folder is in the function's own image, and its files "
                  "were not given");
    else if (world->files(world->arg, p->folder, &text, &why))
        return parse(p, buf_view(&text), out, err);
    error_set(err, why.code,
              "invalid function input: cannot read tmpl from the folder {%s}: "
              "%s",
              p->folder, why.msg);
    if (err && *why.remedy)
        error_remedy(err, why.id, "%s", why.remedy);
    return false;
}

static bool
render(const struct prepared *p, const struct fn_request *req, struct buf *out,
       struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(template_free_ptr) struct template *fetched = NULL;
    struct value data = value_json(a, req->data, NUMBERS_K8S), required;
    struct template_run run = p->run;

    if ((p->key && !from_environment(p, req, &fetched, err)) ||
        (p->folder && !from_folder(p, req, &fetched, err)))
        return false;
    if (p->refused)
        return error_set(err, ERR_INVALID, "%s", p->refused);
    run.arena = a;
    run.seed = seed_of(req);
    run.now_ns = req->world ? req->world->now_ns : 0;
    if (!value_has(a, data, STR("extraResources")) &&
        value_get(a, data, STR("requiredResources"), &required))
        value_set(a, data, STR("extraResources"), required);
    if (template_execute(fetched ? fetched : p->template, data, &run, out, err))
        return true;
    return error_wrap(err, "cannot execute template");
}

/* ---- the whole ---- */

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    const struct prepared *p = req->prepared;
    const struct json *notes =
        json_at(fn_observed_composite(req), "metadata", "annotations", NULL);
    struct manifests objects;
    struct error err = {0};
    bool ok = true;

    rsp->ttl_s = p->ttl_s;
    read_ttl(json_get_string(notes, ANNOTATION_TTL), &rsp->ttl_s);

    if (!render(p, req, &text, &err) ||
        !manifests_read(buf_view(&text), req->world ? req->world->memo : NULL,
                        &objects, &err)) {
        fn_resultf(rsp, FN_FATAL, "%s", err.msg);
        return;
    }
    for (size_t i = 0; i < objects.n && ok; i++)
        ok = gotemplate_take(req, rsp, &objects.v[i]);
    if (ok)
        gotemplate_context(req, rsp);
    manifests_release(&objects);
}

const struct function fn_gotemplate = {
    .name = "function-go-templating",
    .prepare = prepare,
    .discard = discard,
    .run = run,
};
