#include "devenv/kind_config.h"

#include <stdio.h>

#include "lib/base/asset.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#define FOLDER "kind-config/"
#define SUFFIX ".yaml"

/* Images of kind before 0.27 do not read certs.d without being told. */
static const char certs_d[] =
    "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n"
    "  config_path = \"/etc/containerd/certs.d\"\n";

static bool
name_is_fine(const char *name)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

    return name && *name && name[strspn(name, fine)] == '\0';
}

void
kind_config_templates(struct strlist *out)
{
    struct asset a;

    for (unsigned i = 0; asset_under(FOLDER, i, &a); i++) {
        struct str name = str_from(str_of(a.path), sizeof(FOLDER) - 1);

        if (str_ends(name, STR(SUFFIX)))
            strlist_add(out, str_n(name.s, name.n - (sizeof(SUFFIX) - 1)));
    }
}

static bool
no_template(const char *name, struct error *err)
{
    AUTO(strlist_release) struct strlist all = {0};
    AUTO(buf_release) struct buf text = BUF_INIT(1024);

    kind_config_templates(&all);
    for (size_t i = 0; i < all.n; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", all.v[i]);
    return error_set(err, ERR_USAGE,
                     "no cluster template \"%s\"; there are: %s", name,
                     buf_cstr(&text));
}

static bool
find_template(const char *name, struct asset *out, struct error *err)
{
    AUTO(mem_free_ptr) char *path = mem_printf(FOLDER "%s" SUFFIX, name);

    return asset_find(path, out) || no_template(name, err);
}

bool
kind_config_known(const char *template_name, struct error *err)
{
    struct asset a;

    return find_template(template_name, &a, err);
}

static struct json *
template_of(const char *name, struct error *err)
{
    struct asset a;

    if (!find_template(name ? name : KIND_TEMPLATE_DEFAULT, &a, err))
        return NULL;
    return yaml_parse_one(a.data, NULL, err);
}

static void
fill_node(struct json *node, const char *image)
{
    struct json *ports = json_get(node, "extraPortMappings");

    if (image)
        json_set_string(node, "image", image);
    for (struct json *p = json_first(ports); p; p = json_next(p))
        json_set_string(p, "listenAddress", "127.0.0.1");
}

bool
kind_config_render(const struct kind_config_options *o, struct buf *out,
                   struct error *err)
{
    AUTO(json_free_ptr) struct json *c = NULL;

    if (!name_is_fine(o->name))
        return error_set(err, ERR_USAGE,
                         "\"%.80s\" is no name of a Kind cluster: a-z, 0-9, "
                         "\".\" and \"-\" make one",
                         o->name ? o->name : "");
    c = template_of(o->template_name, err);
    if (!c)
        return false;
    json_set_string(c, "name", o->name);
    json_set_string(json_need_object(c, "networking"), "apiServerAddress",
                    "127.0.0.1");
    for (struct json *n = json_first(json_get(c, "nodes")); n; n = json_next(n))
        fill_node(n, o->image);
    json_append(json_need_array(c, "containerdConfigPatches"),
                json_new_string(certs_d));
    return yaml_print(c, 0, out) ||
           error_set(err, ERR_LIMIT, "the cluster's configuration is too long");
}

void
kind_config_ports(const char *template_name, struct buf *out)
{
    AUTO(json_free_ptr) struct json *c = template_of(template_name, NULL);
    struct json *nodes = json_get(c, "nodes");

    for (struct json *n = json_first(nodes); n; n = json_next(n)) {
        struct json *ports = json_get(n, "extraPortMappings");

        for (struct json *p = json_first(ports); p; p = json_next(p))
            buf_printf(out, "%s%lld", out->n ? " " : "",
                       (long long)json_int64_or(json_get(p, "hostPort"), 0));
    }
}
