/*
 * The objects of Crossplane's chart. The asset is one YAML document with
 * placeholders (its head says which); what is made here is the tree of it with
 * the values put in and what has no place in this version taken out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/asset.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/crossplane.h"

#define OBJECTS_ASSET "assets/crossplane-chart/objects.yaml"
#define TEXT_MAX      ((size_t)1 << 20)

struct version {
    int64_t part[3];
};

/* "2.3.4", "v2.3.4"; what follows a '-' does not count. */
static bool
version_parse(const char *text, struct version *out)
{
    struct str rest = str_of(text), piece, tail;
    struct version v;

    if (str_starts(rest, STR("v")))
        rest = str_from(rest, 1);
    str_cut(rest, '-', &rest, &tail);
    for (size_t i = 0; i < ARRAY_LEN(v.part); i++) {
        if (!str_next(&rest, '.', &piece) || !str_to_i64(piece, &v.part[i]) ||
            v.part[i] < 0)
            return false;
    }
    if (rest.s && rest.n)
        return false;
    *out = v;
    return true;
}

static int
version_cmp(const struct version *a, const struct version *b)
{
    for (size_t i = 0; i < ARRAY_LEN(a->part); i++) {
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    }
    return 0;
}

bool
crossplane_version_ok(const char *version, struct error *err)
{
    struct version v;

    if (!version_parse(version, &v))
        return error_set(err, ERR_USAGE, "\"%s\" is no version", version);
    if (v.part[0] == 2 && v.part[1] <= 3)
        return true;
    error_set(err, ERR_UNSUPPORTED,
              "Crossplane %s is not one that can be put up here", version);
    error_remedy(err, "MT-CROSSPLANE-VERSION",
                 "Choose one of 2.0.x to 2.3.x; the default is %s.",
                 CROSSPLANE_VERSION);
    return false;
}

/* ---- the template ---- */

struct filling {
    struct version version;
    struct json *values;
};

static bool
holds(const struct filling *f, const char *condition)
{
    struct version since;

    if (version_parse(condition, &since))
        return version_cmp(&f->version, &since) >= 0;
    return json_get(f->values, condition) != NULL;
}

/* "${name}" as a whole is the value itself, whatever its type. */
static struct json *
filled_text(const struct filling *f, const char *text)
{
    AUTO(mem_free_ptr) char *name = NULL;
    struct str s = str_of(text);
    const struct json *value;

    if (!str_starts(s, STR("${")) || !str_ends(s, STR("}")))
        return NULL;
    name = mem_strndup(text + 2, s.n - 3);
    value = json_get(f->values, name);
    return value ? json_copy(value) : NULL;
}

static struct json *filled(const struct filling *f, const struct json *from);

static struct json *
filled_list(const struct filling *f, const struct json *from)
{
    struct json *out = json_new_array();

    for (const struct json *c = json_first(from); c; c = json_next(c)) {
        const char *condition = json_get_string(c, "?");

        if (!condition || holds(f, condition))
            json_append(out, filled(f, c));
    }
    return out;
}

static struct json *
filled_object(const struct filling *f, const struct json *from)
{
    struct json *out = json_new_object();

    for (const struct json *c = json_first(from); c; c = json_next(c)) {
        struct str key = str_of(json_key(c)), name, condition;
        AUTO(mem_free_ptr) char *plain = NULL;

        if (str_eqz(key, "?"))
            continue;
        if (str_cut(key, '?', &name, &condition) && !holds(f, condition.s))
            continue;
        name = str_trim(name);
        plain = mem_strndup(name.s, name.n);
        json_set(out, plain, filled(f, c));
    }
    return out;
}

static struct json *
filled(const struct filling *f, const struct json *from)
{
    const char *text = json_string(from);
    struct json *value = text ? filled_text(f, text) : NULL;

    if (value)
        return value;
    if (json_is(from, JSON_OBJECT))
        return filled_object(f, from);
    if (json_is(from, JSON_ARRAY))
        return filled_list(f, from);
    return json_copy(from);
}

static struct json *
values_of(const struct crossplane_values *v, const char *version)
{
    struct json *j = json_new_object();
    AUTO(mem_free_ptr)
    char *image =
        mem_printf("%s:v%s", v->image ? v->image : CROSSPLANE_IMAGE, version);

    json_set_string(j, "version", version);
    json_set_string(j, "image", image);
    json_set_int(j, "replicas", v->replicas ? (int64_t)v->replicas : 1);
    if (v->pull_secret)
        json_set_string(j, "pull_secret", v->pull_secret);
    if (v->ca_config) {
        const char *key = v->ca_key ? v->ca_key : "ca.crt";
        AUTO(mem_free_ptr) char *path = mem_printf("/certs/%s", key);

        json_set_string(j, "ca_config", v->ca_config);
        json_set_string(j, "ca_key", key);
        json_set_string(j, "ca_path", path);
    }
    return j;
}

void
crossplane_mark(struct json *object, const char *run)
{
    struct json *meta = json_need_object(object, "metadata");
    AUTO(mem_free_ptr) char *text = NULL;
    char hex[DIGEST_HEX_MAX];

    json_set_string(json_need_object(meta, "labels"), MARK_RUN, run);
    text = json_text(object, JSON_COMPACT | JSON_SORTED);
    digest_hex(DIGEST_SHA256, str_of(text), hex);
    hex[16] = '\0';
    json_set_string(json_need_object(meta, "annotations"), MARK_DIGEST, hex);
}

/* Prints the objects as a stream and reads it back, so that the set owns
 * objects with a place each. */
static bool
to_set(struct json *objects, const char *run, struct manifest_set *out,
       struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);

    for (struct json *o = json_first(objects); o; o = json_next(o)) {
        if (run)
            crossplane_mark(o, run);
        json_print(o, JSON_COMPACT, &text);
        buf_puts(&text, "\n---\n");
    }
    return manifest_parse(out, buf_view(&text), "Crossplane", err);
}

bool
crossplane_objects(const struct crossplane_values *v, struct manifest_set *out,
                   struct error *err)
{
    const char *version = v->version ? v->version : CROSSPLANE_VERSION;
    struct filling f = {0};
    struct asset a;

    if (!crossplane_version_ok(version, err))
        return false;
    if (*version == 'v')
        version++;
    if (!asset_find(OBJECTS_ASSET, &a))
        return error_set(err, ERR_INTERNAL, "%s is missing", OBJECTS_ASSET);
    AUTO(json_free_ptr) struct json *asset = yaml_parse_one(a.data, NULL, err);

    if (!asset)
        return error_wrap(err, "%s", OBJECTS_ASSET);
    version_parse(version, &f.version);
    f.values = values_of(v, version);
    AUTO(json_free_ptr)
    struct json *objects = filled_list(&f, json_get(asset, "items"));

    json_free(f.values);
    return to_set(objects, v->run, out, err);
}
