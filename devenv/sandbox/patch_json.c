#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/body.h"
#include "devenv/sandbox/patch.h"

/* Where an operation points: the last token below its container. */
struct place {
    struct json *container; /* NULL: the whole document */
    char *token;            /* unescaped */
};

/* "~1" is "/", "~0" is "~" (RFC 6901). */
static char *
unescape(struct str s)
{
    char *out = mem_alloc(s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];

        if (c == '~' && i + 1 < s.n && (s.s[i + 1] == '0' || s.s[i + 1] == '1'))
            c = s.s[++i] == '0' ? '~' : '/';
        out[n++] = c;
    }
    out[n] = 0;
    return out;
}

/* An index of a list: also negative, from the end (as far as n elements go).
 * False: it is none. */
static bool
index_of(const char *token, size_t n, size_t *out)
{
    bool back = token[0] == '-';
    uint64_t i;

    if (!str_to_u64(str_of(token + back), &i) || (back && i > n))
        return false;
    *out = back ? n - i : i;
    return true;
}

/* The element or member called token; NULL when there is none. */
static struct json *
child(struct json *container, const char *token)
{
    size_t i;

    if (json_is(container, JSON_OBJECT))
        return json_get(container, token);
    if (!json_is(container, JSON_ARRAY) ||
        !index_of(token, json_len(container), &i))
        return NULL;
    return i < json_len(container) ? json_item(container, i) : NULL;
}

static bool
find_place(struct json *doc, const char *pointer, struct place *out)
{
    struct str rest, token;
    struct json *at = doc;
    char *name = NULL;

    *out = (struct place){0};
    if (!pointer || (*pointer && *pointer != '/'))
        return false;
    if (!*pointer)
        return true;
    rest = str_of(pointer + 1);
    while (str_next(&rest, '/', &token)) {
        if (name)
            at = child(at, name);
        free(name);
        name = unescape(token);
        if (!at)
            break;
    }
    if (!json_is(at, JSON_OBJECT) && !json_is(at, JSON_ARRAY)) {
        free(name);
        return false;
    }
    *out = (struct place){at, name};
    return true;
}

static struct json *
at_place(struct json *doc, const struct place *p)
{
    return p->container ? child(p->container, p->token) : doc;
}

/* Takes value, also on failure. */
static bool
put(struct json **doc, const struct place *p, struct json *value)
{
    size_t i;

    if (!p->container) {
        json_free(*doc);
        *doc = value;
        return true;
    }
    if (json_is(p->container, JSON_OBJECT)) {
        json_set(p->container, p->token, value);
        return true;
    }
    if (!strcmp(p->token, "-")) {
        json_append(p->container, value);
        return true;
    }
    if (!index_of(p->token, json_len(p->container) + (*p->token == '-'), &i) ||
        i > json_len(p->container)) {
        json_free(value);
        return false;
    }
    json_insert(p->container, i, value);
    return true;
}

static bool
take_away(struct json *doc, const struct place *p, struct json **taken)
{
    struct json *node = at_place(doc, p);

    if (!node || !p->container)
        return false;
    *taken = json_detach(p->container, node);
    return true;
}

static bool
replace_at(struct json **doc, const struct place *p, const struct json *value)
{
    struct json *old = at_place(*doc, p);

    /* A member that is not there is added. */
    if (!p->container || (!old && json_is(p->container, JSON_OBJECT)))
        return put(doc, p, json_copy(value));
    if (!old)
        return false;
    json_replace(p->container, old, json_copy(value));
    return true;
}

static bool
test_at(const struct json *node, const struct json *value)
{
    if (!node)
        return json_is(value, JSON_NULL);
    return json_equal(node, value);
}

/* copy and move: the source is found first, the target after its removal. */
static bool
transfer(struct json **doc, const struct json *op, bool move)
{
    struct place from = {0}, to = {0};
    struct json *value = NULL;
    bool good = find_place(*doc, json_get_string(op, "from"), &from);

    if (good && move)
        good = take_away(*doc, &from, &value);
    else if (good)
        good = (value = json_copy(at_place(*doc, &from))) != NULL;
    free(from.token);
    if (!good)
        return false;
    good = find_place(*doc, json_get_string(op, "path"), &to);
    if (good)
        good = put(doc, &to, value);
    else
        json_free(value);
    free(to.token);
    return good;
}

static bool
carry_out(struct json **doc, const struct json *op)
{
    const char *what = json_string_or(json_get(op, "op"), "");
    AUTO(json_free_ptr) struct json *null = json_new_null();
    const struct json *given = json_get(op, "value");
    const struct json *value = given ? given : null;
    struct place p;
    struct json *taken = NULL;
    bool good;

    if (!strcmp(what, "move") || !strcmp(what, "copy"))
        return transfer(doc, op, what[0] == 'm');
    if (!find_place(*doc, json_get_string(op, "path"), &p))
        return false;
    if (!strcmp(what, "add")) {
        good = put(doc, &p, json_copy(value));
    } else if (!strcmp(what, "remove")) {
        good = take_away(*doc, &p, &taken);
        json_free(taken);
    } else if (!strcmp(what, "replace")) {
        good = replace_at(doc, &p, value);
    } else if (!strcmp(what, "test")) {
        good = test_at(at_place(*doc, &p), value);
    } else {
        good = false;
    }
    free(p.token);
    return good;
}

/* An operation as Go decodes it: texts are texts. */
static bool
fits_operation(const struct json *op, struct status *st)
{
    static const char *const texts[] = {"op", "from", "path"};

    if (json_is(op, JSON_NULL))
        return true;
    if (!json_is(op, JSON_OBJECT))
        return status_bad_request(st,
                                  "error decoding patch: json: cannot "
                                  "unmarshal %s into Go value of type "
                                  "handlers.jsonPatchOp",
                                  body_go_word(op));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct json *v = json_get(op, texts[i]);

        if (v && !json_is(v, JSON_STRING) && !json_is(v, JSON_NULL))
            return status_bad_request(
                st,
                "error decoding patch: json: cannot unmarshal %s into Go "
                "struct field jsonPatchOp.%s of type string",
                body_go_word(v), texts[i]);
    }
    return true;
}

bool
patch_json(struct json **object, const struct json *ops, struct status *st)
{
    if (json_is(ops, JSON_NULL))
        return true;
    if (!json_is(ops, JSON_ARRAY))
        return status_bad_request(st,
                                  "error decoding patch: json: cannot "
                                  "unmarshal %s into Go value of type "
                                  "[]handlers.jsonPatchOp",
                                  body_go_word(ops));
    if (json_len(ops) > PATCH_OPERATIONS_MAX)
        return status_set(st, 413, "RequestEntityTooLarge",
                          "Request entity too large: The allowed maximum "
                          "operations in a JSON patch is %d, got %zu",
                          PATCH_OPERATIONS_MAX, json_len(ops));
    for (const struct json *op = json_first(ops); op; op = json_next(op)) {
        if (!fits_operation(op, st))
            return false;
    }
    for (const struct json *op = json_first(ops); op; op = json_next(op)) {
        if (carry_out(object, op))
            continue;
        status_set(st, 422, "Invalid",
                   "the server rejected our request due to an error in our "
                   "request");
        st->details = json_new_object();
        return false;
    }
    return true;
}
