/* What kind is told, for every template and for hostile words. */
#include "lib/base/json.h"
#include "lib/base/yaml.h"

#include "devenv/kind_config.h"

#include "tests/unit/test.h"

static struct json *
render(const char *name, const char *template_name, const char *image)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 16);
    struct kind_config_options o = {name, template_name, image};
    struct error err = {0};

    if (!kind_config_render(&o, &b, &err))
        fail_msg("%s", err.msg);

    struct json *c = yaml_parse_one(buf_view(&b), NULL, &err);

    if (!c)
        fail_msg("%s in:\n%s", err.msg, buf_cstr(&b));
    return c;
}

static void
one_node_without_fixed_ports(void **state)
{
    AUTO(json_free_ptr) struct json *c = render("meshtop-mesh", NULL, "n@x:1");
    struct json *node = json_item(json_get(c, "nodes"), 0);
    struct json *net = json_get(c, "networking");

    (void)state;
    assert_string_equal(json_get_string(c, "name"), "meshtop-mesh");
    assert_string_equal(json_get_string(c, "apiVersion"),
                        "kind.x-k8s.io/v1alpha4");
    assert_int_equal(json_len(json_get(c, "nodes")), 1);
    assert_string_equal(json_get_string(node, "role"), "control-plane");
    assert_string_equal(json_get_string(node, "image"), "n@x:1");
    assert_null(json_get(node, "extraPortMappings"));
    assert_null(json_get(net, "apiServerPort"));
    assert_string_equal(json_get_string(net, "apiServerAddress"), "127.0.0.1");
    assert_non_null(strstr(
        json_string(json_item(json_get(c, "containerdConfigPatches"), 0)),
        "config_path = \"/etc/containerd/certs.d\"\n"));
}

static void
three_nodes_share_an_image(void **state)
{
    AUTO(json_free_ptr) struct json *c = render("a", "three-nodes", "img");
    struct json *nodes = json_get(c, "nodes");

    (void)state;
    assert_int_equal(json_len(nodes), 3);
    for (struct json *n = json_first(nodes); n; n = json_next(n))
        assert_string_equal(json_get_string(n, "image"), "img");
}

static void
published_ports_stay_on_this_machine(void **state)
{
    AUTO(json_free_ptr) struct json *c = render("a", "ingress", NULL);
    AUTO(buf_release) struct buf ports = BUF_INIT(64);
    struct json *node = json_item(json_get(c, "nodes"), 0);
    struct json *maps = json_get(node, "extraPortMappings");

    (void)state;
    assert_null(json_get(node, "image"));
    assert_int_equal(json_len(maps), 2);
    for (struct json *m = json_first(maps); m; m = json_next(m))
        assert_string_equal(json_get_string(m, "listenAddress"), "127.0.0.1");
    kind_config_ports("ingress", &ports);
    assert_string_equal(buf_cstr(&ports), "80 443");
    buf_reset(&ports);
    kind_config_ports(NULL, &ports);
    kind_config_ports("../../etc/passwd", &ports);
    assert_string_equal(buf_cstr(&ports), "");
}

static void
hostile_words_stay_words(void **state)
{
    static const char *const images[] = {
        "x\n- role: worker\n  image: y",
        "x\"\nnodes: []\n#",
        "x: {a: b}",
        "| \n  x",
        "*alias",
        "&anchor x",
        "!!binary eA==",
        "yes",
        "# comment",
        "'",
        "x\ty\r\nz",
    };
    static const char *const names[] = {"a\nb", "A",  "a b",        "",
                                        "a/b",  "a'", "a: b\nc: d", "\xc3\xa9"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        AUTO(json_free_ptr) struct json *c = render("a", NULL, images[i]);
        struct json *node = json_item(json_get(c, "nodes"), 0);

        assert_string_equal(json_get_string(node, "image"), images[i]);
        assert_int_equal(json_len(json_get(c, "nodes")), 1);
        assert_int_equal(json_len(node), 2);
        assert_int_equal(json_len(c), 6);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(1 << 16);
        struct kind_config_options o = {.name = names[i]};
        struct error err = {0};

        assert_false(kind_config_render(&o, &b, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_int_equal(b.n, 0);
    }
}

static void
an_unknown_template_lists_those_there_are(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 16);
    struct kind_config_options o = {.name = "a", .template_name = "../single"};
    struct error err = {0};

    (void)state;
    assert_false(kind_config_render(&o, &b, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "ingress, single, three-nodes"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node_without_fixed_ports),
        cmocka_unit_test(three_nodes_share_an_image),
        cmocka_unit_test(published_ports_stay_on_this_machine),
        cmocka_unit_test(hostile_words_stay_words),
        cmocka_unit_test(an_unknown_template_lists_those_there_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
