#include "devenv/sandbox/body.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/gojson.h"

#include "devenv/sandbox/protobuf.h"

#define BODY_FORMS                                                             \
    "application/json, application/yaml, application/vnd.kubernetes.protobuf"
#define SUMMARY_MAX 30
const char *
body_go_word(const struct json *j)
{
    static const char *const words[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object",
    };

    return words[json_type_of(j)];
}

struct json *
body_json(struct str text, const struct json_options *o, struct buf *why)
{
    struct error err = {0};
    struct json *j = json_parse(text, o, &err);

    if (!j && !gojson_syntax(text, false, why, NULL))
        buf_puts(why, err.msg);
    return j;
}

/* How the server cites data: JSON objects as they are, others in hex. */
static void
summarize(struct str data, struct buf *out)
{
    struct str head = str_sub(data, 0, SUMMARY_MAX);

    if (!data.n) {
        buf_puts(out, "<empty>");
        return;
    }
    if (data.s[0] == '{') {
        buf_str(out, head);
    } else {
        for (size_t i = 0; i < head.n; i++)
            buf_printf(out, "%02x", (unsigned char)head.s[i]);
    }
    if (data.n > SUMMARY_MAX)
        buf_puts(out, " ...");
}

static struct json *
unrecognized(struct rest *rq, const char *why)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);

    summarize(rq->h->body, &b);
    status_bad_request(&rq->st,
                       "the object provided is unrecognized (must be of type "
                       "%s): %s (%s)",
                       rq->k->kind, why, buf_cstr(&b));
    return NULL;
}

static struct json *
no_json(struct rest *rq, const char *why)
{
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("couldn't get version/kind; json parse error: %s", why);

    return unrecognized(rq, text);
}

static struct json *
read_json(struct rest *rq, struct strlist *doubles)
{
    AUTO(strlist_release) struct strlist paths = {0};
    AUTO(buf_release) struct buf why = BUF_INIT(1024);
    struct json_options o = {.duplicates = &paths};
    struct json *j = body_json(rq->h->body, &o, &why);

    if (!j)
        return no_json(rq, buf_cstr(&why));
    for (size_t i = 0; i < paths.n; i++)
        strlist_addf(doubles, "duplicate field \"%s\"", paths.v[i]);
    return j;
}

/* "line 3, column 10: what" as go-yaml has it: "line 3: what". */
static struct json *
bad_yaml(struct rest *rq, const struct error *err)
{
    const char *comma = strstr(err->msg, ", column "), *rest;
    AUTO(mem_free_ptr) char *text = NULL;

    rest = comma ? strchr(comma, ':') : NULL;
    text = rest ? mem_printf("yaml: %.*s%s", (int)(comma - err->msg), err->msg,
                             rest)
                : mem_printf("yaml: %s", err->msg);
    return unrecognized(rq, text);
}

static struct json *
read_yaml(struct rest *rq, struct strlist *doubles)
{
    AUTO(strlist_release) struct strlist paths = {0};
    struct yaml_options o = {.duplicates = &paths, .duplicate_lines = true};
    struct error err = {0};
    struct json *j = yaml_parse_one(rq->h->body, &o, &err);

    if (!j)
        return bad_yaml(rq, &err);
    for (size_t i = 0; i < paths.n; i++)
        strlist_add(doubles, str_of(paths.v[i]));
    return j;
}

static struct json *
read_protobuf(struct rest *rq)
{
    struct error err = {0};
    struct json *j = protobuf_object(rq->r->kinds.types, rq->h->body, &err);

    if (j)
        return j;
    if (err.code == ERR_UNSUPPORTED)
        status_bad_request(&rq->st, "%s", err.msg);
    else
        unrecognized(rq, err.msg);
    return NULL;
}

static struct json *
without_kind(struct rest *rq, const struct json *j)
{
    AUTO(mem_free_ptr) char *yaml = NULL;
    AUTO(mem_free_ptr) char *text = NULL;
    struct str raw = rq->h->body;

    if (negotiate_body(http_header(rq->h, "Content-Type")) == BODY_YAML) {
        yaml = json_text(j, JSON_SORTED);
        raw = str_of(yaml);
    }
    text = mem_printf("Object 'Kind' is missing in '%.*s'", STR_ARG(raw));
    return unrecognized(rq, text);
}

/* "a/b/c" is no version. */
static bool
is_version(const char *version)
{
    const char *slash = strchr(version, '/');

    return !slash || !strchr(slash + 1, '/');
}

/* What custom kinds must say of themselves and built-in ones may. */
static struct json *
check_type(struct rest *rq, struct json *j)
{
    const char *version = json_get_text(j, "apiVersion");
    struct json *out = NULL;

    if (!json_is(j, JSON_OBJECT) && !json_is(j, JSON_NULL)) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("json: cannot unmarshal %s into Go value of "
                               "type " BODY_TYPE_META,
                               body_go_word(j));

        no_json(rq, why);
    } else if (!rq->k->builtin && !rq->sub && !*json_get_text(j, "kind")) {
        without_kind(rq, j);
    } else if (json_is(j, JSON_NULL)) {
        out = json_new_object();
    } else if (!is_version(version)) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("unexpected GroupVersion string: %s", version);

        unrecognized(rq, why);
    } else {
        out = j;
    }
    if (out != j)
        json_free(j);
    return out;
}

struct json *
body_object(struct rest *rq, struct strlist *doubles)
{
    struct json *j;

    switch (negotiate_body(http_header(rq->h, "Content-Type"))) {
    case BODY_JSON:
        j = read_json(rq, doubles);
        break;
    case BODY_YAML:
        j = read_yaml(rq, doubles);
        break;
    case BODY_PROTOBUF:
        j = read_protobuf(rq);
        break;
    default:
        status_unsupported_media(&rq->st, BODY_FORMS);
        return NULL;
    }
    return j ? check_type(rq, j) : NULL;
}
