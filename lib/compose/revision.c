#include "lib/compose/revision.h"

#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

static struct json *
stored_spec(const struct json *composition)
{
    const struct json *spec = json_get(composition, "spec");
    struct json *s =
        json_is(spec, JSON_OBJECT) ? json_copy(spec) : json_new_object();

    if (!json_get(s, "mode"))
        json_set_string(s, "mode", "Pipeline");
    return s;
}

/* Go's nil map prints as null, an empty one as {}; the typed object never
 * holds an empty map that came from JSON without one. */
static void
add_yaml(struct buf *b, const struct json *j)
{
    if (j)
        yaml_print(j, YAML_SORTED, b);
    else
        buf_puts(b, "null\n");
}

void
revision_hash(const struct json *composition, char out[REVISION_HASH_LEN])
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(json_free_ptr) struct json *spec = stored_spec(composition);
    const struct json *meta = json_get(composition, "metadata");
    char hex[DIGEST_HEX_MAX];

    add_yaml(&b, json_get(meta, "labels"));
    add_yaml(&b, json_get(meta, "annotations"));
    add_yaml(&b, spec);
    digest_hex(DIGEST_SHA256, buf_view(&b), hex);
    memcpy(out, hex, REVISION_HASH_LEN);
}

struct json *
revision_new(const struct json *composition, int64_t n)
{
    const struct json *meta = json_get(composition, "metadata");
    const char *name = json_string_or(json_get(meta, "name"), "");
    char hash[REVISION_HASH_LEN];
    struct json *r = json_new_object();
    struct json *m, *labels, *owner;

    revision_hash(composition, hash);
    json_set_string(r, "apiVersion", "apiextensions.crossplane.io/v1");
    json_set_string(r, "kind", "CompositionRevision");
    m = json_need_object(r, "metadata");
    AUTO(mem_free_ptr) char *full = mem_printf("%s-%.7s", name, hash);

    json_set_string(m, "name", full);
    labels = json_need_object(m, "labels");
    json_set_string(labels, "crossplane.io/composition-name", name);
    hash[63] = '\0';
    json_set_string(labels, "crossplane.io/composition-hash", hash);
    for (const struct json *l = json_first(json_get(meta, "labels")); l;
         l = json_next(l))
        json_set(labels, json_key(l), json_copy(l));
    owner =
        json_append(json_need_array(m, "ownerReferences"), json_new_object());
    json_set_string(owner, "apiVersion", "apiextensions.crossplane.io/v1");
    json_set_string(owner, "kind", "Composition");
    json_set_string(owner, "name", name);
    json_set_string(owner, "uid", json_string_or(json_get(meta, "uid"), ""));
    json_set_bool(owner, "controller", true);
    json_set_bool(owner, "blockOwnerDeletion", true);
    json_set_int(json_set(r, "spec", stored_spec(composition)), "revision", n);
    return r;
}
