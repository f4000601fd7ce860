#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/body.h"
#include "devenv/sandbox/managed.h"
#include "devenv/sandbox/meta.h"
#include "devenv/sandbox/patch.h"
#include "devenv/sandbox/scale.h"
#include "devenv/sandbox/write.h"

static bool
is_part(const struct registry_write *w, const char *name)
{
    return w->subresource && !strcmp(w->subresource, name);
}

/* ---- merge, JSON and strategic patches ---- */

/* A patch that is parsed, and what was said of its text. */
struct patch {
    enum registry_patch type;
    struct json *tree;
    struct strlist doubles; /* texts for fieldValidation */
};

static bool
patch_tree(const struct kind *k, const struct patch *p, struct json **obj,
           struct status *st)
{
    switch (p->type) {
    case PATCH_JSON:
        return patch_json(obj, p->tree, st);
    case PATCH_STRATEGIC:
        return patch_strategic(kind_type(kind_info(k)), *obj, p->tree, st);
    default:
        patch_merge(*obj, p->tree);
        return true;
    }
}

/* A patch of the Scale view changes the replicas of the object. */
static bool
patch_scale(struct write_job *j, const struct patch *p, struct json *obj)
{
    AUTO(json_free_ptr) struct json *scale = scale_of(j->k, j->old);

    if (!scale)
        return status_not_found(j->st, j->k->group, j->k->plural,
                                stored_name(j->old));
    return patch_tree(j->k, p, &scale, j->st) &&
           scale_apply(j->k, scale, obj, j->st);
}

/* What stands twice in an operation, and what is no part of one. */
static void
check_operations(struct patch *p)
{
    static const char *const known[] = {"op", "from", "path", "value"};
    size_t i = 0;

    for (size_t n = 0; n < p->doubles.n; n++) {
        char *text = mem_printf("json patch %s", p->doubles.v[n]);

        free(p->doubles.v[n]);
        p->doubles.v[n] = text;
    }
    for (const struct json *op = json_first(p->tree); op;
         op = json_next(op), i++) {
        for (const struct json *c = json_first(op); c; c = json_next(c)) {
            size_t n = 0;

            while (n < ARRAY_LEN(known) && strcmp(known[n], json_key(c)) != 0)
                n++;
            if (n == ARRAY_LEN(known))
                strlist_addf(&p->doubles,
                             "json patch unknown field \"[%zu].%s\"", i,
                             json_key(c));
        }
    }
}

/* Only objects merge. */
static bool
is_map(const struct patch *p, const char *head, struct status *st)
{
    if (json_is(p->tree, JSON_OBJECT))
        return true;
    if (p->type == PATCH_MERGE && json_is(p->tree, JSON_NULL))
        return status_bad_request(st, "Invalid JSON Patch");
    return status_bad_request(st,
                              "%sjson: cannot unmarshal %s into Go value of "
                              "type map[string]interface {}",
                              head, body_go_word(p->tree));
}

static bool
parse_patch(struct str body, struct patch *p, struct status *st)
{
    const char *head =
        p->type == PATCH_STRATEGIC ? "" : "error decoding patch: ";
    AUTO(strlist_release) struct strlist paths = {0};
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct json_options o = {.duplicates = &paths};

    p->tree = body_json(body, &o, &why);
    if (!p->tree)
        return status_bad_request(st, "%s%s", head, buf_cstr(&why));
    for (size_t i = 0; i < paths.n; i++)
        strlist_addf(&p->doubles, "duplicate field \"%s\"", paths.v[i]);
    if (p->type != PATCH_JSON)
        return is_map(p, head, st);
    check_operations(p);
    return true;
}

/* "a \"b\"" as Go's %q has it, without the quotes around. */
static void
quote(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] == '"' || text.s[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text.s[i]);
    }
}

bool
write_bad_patch(const struct write_job *j, const struct json *obj,
                const char *why)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf shown = BUF_INIT(BUF_TEXT_MAX);

    if (j->strategic)
        patch_strategic_text(j->strategic, &text);
    else
        json_print(obj, JSON_SORTED, &text);
    quote(buf_view(&text), &shown);
    schema_findings_add(&bad, "patch", "FieldValueInvalid",
                        "Invalid value: \"%s\": %s", buf_cstr(&shown), why);
    return status_invalid(j->st, "", "", "", &bad);
}

/* The patched tree as the decoder takes it. */
static bool
decode_patched(struct write_job *j, struct json *obj)
{
    AUTO(mem_free_ptr) char *text = NULL;
    AUTO(mem_free_ptr) char *why = NULL;

    if (json_is(obj, JSON_OBJECT) && *json_get_text(obj, "kind")) {
        if (*json_get_text(obj, "apiVersion") || j->k->builtin)
            return true;
        return status_internal(j->st, "Object 'apiVersion' is missing in "
                                      "'object has no apiVersion field'");
    }
    text = json_text(obj, JSON_SORTED);
    why = mem_printf("Object 'Kind' is missing in '%s'", text);
    return write_bad_patch(j, obj, why);
}

/* What a decoder refuses was the patch's doing. */
static bool
decode_fields(struct write_job *j, struct json *obj)
{
    AUTO(status_release) struct status st = {0};
    struct status *real = j->st;
    const char *why;
    bool good;

    j->st = &st;
    good = write_check_type(j, obj) && meta_decode(j->k, obj, &st) &&
           write_prune(j, obj);
    j->st = real;
    if (good)
        return true;
    why = strstr(st.message, ": ");
    if (st.code == 400 && strstr(st.message, "cannot be handled as"))
        return write_bad_patch(j, obj, why ? why + 2 : st.message);
    *real = st;
    st = (struct status){0};
    return false;
}

static bool
patch_object(struct write_job *j, const char *ns, const char *name,
             const struct patch *p, struct json **obj)
{
    if (is_part(j->w, "scale"))
        return patch_scale(j, p, *obj);
    return patch_tree(j->k, p, obj, j->st) && decode_patched(j, *obj) &&
           decode_fields(j, *obj) && write_check_name(*obj, name, j->st) &&
           write_check_namespace(j, ns, *obj) && write_check_version(j, *obj);
}

static struct json *
patched(struct write_job *j, const char *ns, const char *name,
        enum registry_patch type, struct str body)
{
    struct patch p = {.type = type};
    struct registry_write w = *j->w;
    struct json *obj = NULL, *out = NULL;

    if (!write_load(j, ns, name) || !parse_patch(body, &p, j->st))
        goto done;
    w.doubles = &p.doubles;
    j->w = &w;
    j->strategic = type == PATCH_STRATEGIC ? p.tree : NULL;
    obj = json_copy(j->old);
    if (patch_object(j, ns, name, &p, &obj)) {
        out = write_finish(j, obj);
        obj = NULL;
    }
done:
    json_free(obj);
    json_free(p.tree);
    strlist_release(&p.doubles);
    return out;
}

/* ---- server-side apply ---- */

static bool
check_config(const struct write_job *j, const struct json *config)
{
    const char *version = json_get_text(config, "apiVersion");
    const char *kind = json_get_text(config, "kind");

    if (!j->k->builtin && j->w->subresource &&
        !strcmp(j->w->subresource, "scale"))
        return status_set(j->st, 500, NULL,
                          "failed to create manager for existing fields: "
                          "failed to convert live object (/; %s, Kind=%s) to "
                          "proper version: request to convert CR to an invalid "
                          "group/version: %s",
                          version, kind, version);
    return (!strcmp(version, j->k->api_version) && !strcmp(kind, j->k->kind)) ||
           status_bad_request(j->st, "invalid object type: %s%s, Kind=%s",
                              strchr(version, '/') ? "" : "/", version, kind);
}

/* The object that config is merged into. */
static struct json *
live_object(const struct write_job *j)
{
    struct json *live;

    if (j->old)
        return json_copy(j->old);
    live = json_new_object();
    json_set_string(live, "apiVersion", j->k->api_version);
    json_set_string(live, "kind", j->k->kind);
    return live;
}

static struct json *
apply(struct write_job *j, const char *ns, const char *name,
      const struct json *config)
{
    struct json *live = live_object(j);
    char now[CLOCK_RFC3339_LEN];
    struct managed_by by = write_managed_by(j, now);

    if (!managed_apply(&by, &live, config, j->w->force, j->st) ||
        !write_check_name(live, name, j->st) ||
        !write_check_namespace(j, ns, live) || !meta_decode(j->k, live, j->st))
        goto fail;
    j->applied = true;
    if (!j->old) {
        if (!write_may_create(j, ns, name))
            goto fail;
        json_del(json_get(live, "metadata"), "resourceVersion");
        write_stamp_new(j, live);
    } else if (!write_check_version(j, live)) {
        goto fail;
    }
    return write_finish(j, live);
fail:
    json_free(live);
    return NULL;
}

/* name: of the URL. */
static struct json *
apply_named(struct registry *r, const struct kind *k,
            const struct registry_write *w, const char *ns, const char *name,
            const struct json *config, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .st = st};
    struct json *out = NULL;
    struct store_item it;

    if (w->created)
        *w->created = false;
    if ((!w->subresource && !stored_find(r, k, ns, name, &it)) ||
        write_load(&j, ns, name)) {
        if (check_config(&j, config))
            out = apply(&j, ns, name, config);
    }
    if (out && w->created)
        *w->created = !j.old;
    json_free(j.old);
    return out;
}

struct json *
registry_apply(struct registry *r, const struct kind *k,
               const struct registry_write *w, const char *ns,
               const struct json *config, struct status *st)
{
    return apply_named(r, k, w, ns, stored_name(config), config, st);
}

/* go-yaml's words, without the column. */
static bool
bad_yaml(const struct error *err, struct status *st)
{
    const char *comma = strstr(err->msg, ", column ");
    const char *rest = comma ? strchr(comma, ':') : NULL;

    return status_bad_request(
        st, "error decoding YAML: error converting YAML to JSON: yaml: %.*s%s",
        rest ? (int)(comma - err->msg) : (int)strlen(err->msg), err->msg,
        rest ? rest : "");
}

static bool
note_doubles(const struct registry_write *w, const struct strlist *doubles,
             struct status *st)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < doubles->n; i++) {
        buf_printf(&b, "\n  %s", doubles->v[i]);
        if (w->validation == VALIDATE_WARN && w->warnings)
            strlist_add(w->warnings, str_of(doubles->v[i]));
    }
    return !doubles->n || w->validation != VALIDATE_STRICT ||
           status_bad_request(st,
                              "error strict decoding YAML: error converting "
                              "YAML to JSON: yaml: unmarshal errors:%s",
                              buf_cstr(&b));
}

/* An apply as it comes over HTTP. */
static struct json *
apply_text(struct registry *r, const struct kind *k,
           const struct registry_write *w, const char *ns, const char *name,
           struct str body, struct status *st)
{
    AUTO(strlist_release) struct strlist doubles = {0};
    AUTO(json_free_ptr) struct json *config = NULL;
    struct yaml_options o = {.duplicates = &doubles, .duplicate_lines = true};
    struct error err = {0};

    config =
        str_trim(body).n ? yaml_parse_one(body, &o, &err) : json_new_object();
    if (!config) {
        bad_yaml(&err, st);
        return NULL;
    }
    if (!json_is(config, JSON_OBJECT)) {
        status_bad_request(
            st,
            "error decoding YAML: error unmarshaling JSON: "
            "while decoding JSON: json: cannot unmarshal %s into "
            "Go value of type map[string]interface {}",
            body_go_word(config));
        return NULL;
    }
    if (!note_doubles(w, &doubles, st))
        return NULL;
    return apply_named(r, k, w, ns, name, config, st);
}

struct json *
registry_patch(struct registry *r, const struct kind *k,
               const struct registry_write *w, const char *ns, const char *name,
               enum registry_patch type, struct str body, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .patched = true, .st = st};
    struct json *out;

    if (type == PATCH_STRATEGIC && !k->builtin) {
        status_unsupported_media(
            st, "application/json-patch+json, application/merge-patch+json, "
                "application/apply-patch+yaml");
        return NULL;
    }
    if (!write_check_manager(w, st))
        return NULL;
    if (type == PATCH_APPLY)
        return apply_text(r, k, w, ns, name, body, st);
    out = patched(&j, ns, name, type, body);
    json_free(j.old);
    return out;
}
