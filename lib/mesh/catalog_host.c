/* What pipelines ask for, answered from what a plan's host knows. */
#include "lib/base/clock.h"

#include "lib/mesh/catalog.h"

#define NS_PER_MS 1000000

struct gather {
    const struct json *labels;
    struct json *out;
    const char *api_version, *kind;
};

static bool
gather(void *arg, struct str body)
{
    struct gather *g = arg;

    if (!catalog_may_match(body, g->labels))
        return true;
    struct json *j = json_parse(body, NULL, NULL);

    if (j && catalog_labels_match(j, g->labels)) {
        if (!json_get(j, "kind")) {
            json_set_string(j, "apiVersion", g->api_version);
            json_set_string(j, "kind", g->kind);
        }
        json_append(g->out, j);
    } else {
        json_free(j);
    }
    return true;
}

static struct json *
fetch_matching(struct catalog *c, const struct json *selector)
{
    const char *kind = json_get_text(selector, "kind");
    const char *api_version = json_get_text(selector, "apiVersion");
    struct gather g = {.labels =
                           json_at(selector, "matchLabels", "labels", NULL),
                       .out = json_new_array(),
                       .api_version = api_version,
                       .kind = kind};

    if (!c->host.each(c->host.arg, api_version, kind,
                      json_get_string(selector, "namespace"), g.labels, gather,
                      &g)) {
        if (!strlist_has(&c->unknown, str_of(kind)))
            strlist_add(&c->unknown, str_of(kind));
    } else if (!json_len(g.out) && json_len(g.labels) &&
               json_len(c->missed) < 100) {
        json_append(c->missed, json_copy(selector));
    }
    return g.out;
}

/* XRDs are large, change rarely, and every product asks for the same. */
static struct json *
fetch_definitions(struct catalog *c, const struct json *selector)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    size_t unknown = c->unknown.n;

    json_print(selector, JSON_SORTED, &key);
    const struct json *kept = map_get(&c->definitions_asked, buf_view(&key));

    if (kept)
        return json_copy(kept);
    struct json *all = fetch_matching(c, selector);

    if (c->unknown.n == unknown &&
        !strlist_has(&c->unknown, STR("CompositeResourceDefinition")))
        map_put(&c->definitions_asked, buf_view(&key), json_copy(all));
    return all;
}

static bool
fetch(void *arg, const struct json *selector, struct json **items,
      struct error *err)
{
    struct catalog *c = arg;
    const char *name = json_get_string(selector, "matchName");
    const char *kind = json_get_text(selector, "kind");
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    (void)err;
    if (!name) {
        *items = strcmp(kind, "CompositeResourceDefinition") == 0
                     ? fetch_definitions(c, selector)
                     : fetch_matching(c, selector);
        return true;
    }
    struct json *j = catalog_get(c, json_get_text(selector, "apiVersion"), kind,
                                 json_get_text(selector, "namespace"), name);

    if (j) {
        buf_printf(&key, "%s/%s", kind, name);
        map_put(&c->found, buf_view(&key), c);
        *items = json_new_array();
        json_append(*items, j);
    }
    return true;
}

static const struct function *
find_function(void *arg, const char *name, struct error *err)
{
    struct catalog *c = arg;

    return functions_find(&c->functions, name, err);
}

static bool
is_namespaced(void *arg, const char *api_version, const char *kind,
              bool *namespaced, struct error *err)
{
    struct catalog *c = arg;

    if (c->host.served(c->host.arg, api_version, kind, namespaced))
        return true;
    const struct definition *d = catalog_definition(c, api_version, kind);

    if (d) {
        *namespaced = strcmp(xrd_scope(d->source), "Namespaced") == 0;
        return true;
    }
    return error_set(err, ERR_NOT_FOUND,
                     "failed to get restmapping: no matches for kind \"%s\" "
                     "in version \"%s\"",
                     kind, api_version);
}

struct compose_host
catalog_compose_host(struct catalog *c)
{
    return (struct compose_host){
        .arg = c,
        .function = find_function,
        .fetch = fetch,
        .namespaced = is_namespaced,
        .world = {.now_ns = clock_wall_ms(clock_system()) * NS_PER_MS,
                  .memo = c->memo},
    };
}
