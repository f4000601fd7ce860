/*
 * genmesh - prints a mesh of any size, always the same for the same numbers.
 *
 * usage: genmesh DOMAINS PRODUCTS_PER_DOMAIN [--contracts]
 * Prints YAML documents (JSON bodies): namespaces, domains, products. The rule
 * is integers and FNV-1a only: domains are source-aligned, aggregate or
 * consumer-aligned by number, and a product reads products of the layer before
 * it, chosen by the hash of its name. All run on the target local.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

struct mesh_rule {
    unsigned domains, per_domain;
    bool contracts;
    unsigned *layer[3]; /* products by layer, ascending */
    size_t n[3];
    unsigned *position; /* of a product in its layer */
};

static unsigned
layer_of(unsigned domain)
{
    unsigned k = domain % 10;

    return k < 5 ? 0 : k < 8 ? 1 : 2;
}

/* FNV-1a of "m", the product's name and ":TAG[NUMBER]". */
static uint32_t
hash(const struct mesh_rule *r, unsigned product, const char *tag)
{
    char text[64];

    snprintf(text, sizeof(text), "md%03u-p%02u:%s", product / r->per_domain,
             product % r->per_domain, tag);
    return digest_fnv32(str_of(text));
}

static const char *
status_of(const struct mesh_rule *r, unsigned product)
{
    uint32_t h = hash(r, product, "s") % 20;

    return h < 14   ? "active"
           : h < 17 ? "draft"
           : h < 19 ? "deprecated"
                    : "retired";
}

struct inputs {
    unsigned from[8];
    size_t n;
};

static void
add_input(struct inputs *in, unsigned from)
{
    for (size_t i = 0; i < in->n; i++) {
        if (in->from[i] == from)
            return;
    }
    in->from[in->n++] = from;
}

static void
choose_inputs(const struct mesh_rule *r, unsigned product, struct inputs *in)
{
    unsigned layer = layer_of(product / r->per_domain);
    unsigned position = r->position[product];
    uint32_t h = hash(r, product, "n"), count = 1 + h % 4;

    if (layer == 0)
        return;
    if (layer == 1)
        count = 2 + h % 3;
    for (uint32_t i = 0; i < count; i++) {
        char tag[16];

        snprintf(tag, sizeof(tag), "%u", i);
        add_input(in,
                  r->layer[layer - 1][hash(r, product, tag) % r->n[layer - 1]]);
    }
    if (layer == 1 && position > 0 && hash(r, product, "x") % 4 == 0)
        add_input(in, r->layer[1][hash(r, product, "y") % position]);
}

static void
print_inputs(const struct mesh_rule *r, unsigned product)
{
    struct inputs in = {.n = 0};

    choose_inputs(r, product, &in);
    printf("\"inputPorts\":[");
    if (!in.n)
        printf("{\"name\":\"source\",\"external\":{\"system\":\"erp\"}}");
    for (size_t i = 0; i < in.n; i++)
        printf("%s{\"name\":\"in%zu\",\"product\":{\"name\":\"d%03u-p%02u\","
               "\"namespace\":\"dm-d%03u\",\"port\":\"out\"}}",
               i ? "," : "", i, in.from[i] / r->per_domain,
               in.from[i] % r->per_domain, in.from[i] / r->per_domain);
    printf("],");
}

static void
print_product(const struct mesh_rule *r, unsigned g)
{
    unsigned d = g / r->per_domain, p = g % r->per_domain;

    if (r->contracts)
        printf("---\n{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":"
               "\"DataContract\",\"metadata\":{\"name\":\"d%03u-p%02u-v1\","
               "\"namespace\":\"dm-d%03u\"},\"spec\":{\"version\":\"1.0.0\","
               "\"status\":\"active\",\"productRef\":\"d%03u-p%02u\","
               "\"port\":\"out\"}}\n",
               d, p, d, d, p);
    printf("---\n{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":"
           "\"DataProduct\",\"metadata\":{\"name\":\"d%03u-p%02u\","
           "\"namespace\":\"dm-d%03u\"},\"spec\":{\"id\":\"d%03u-p%02u\","
           "\"name\":\"Product %u of domain %u\",\"description\":\"made by "
           "genmesh\",\"dataDomainRef\":\"d%03u\",\"status\":\"%s\",",
           d, p, d, d, p, p, d, d, status_of(r, g));
    print_inputs(r, g);
    printf("\"outputPorts\":[{\"name\":\"out\",\"capability\":\"lake\"");
    if (r->contracts)
        printf(",\"contractRef\":\"d%03u-p%02u-v1\"", d, p);
    printf("}],\"capabilities\":[{\"name\":\"lake\",\"type\":\"storage\"}]}}"
           "\n");
}

static void
print_namespace(unsigned d)
{
    printf("---\n{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":"
           "{\"name\":\"dm-d%03u\"}}\n",
           d);
}

static void
print_domain(unsigned d)
{
    printf("---\n{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":"
           "\"DataDomain\",\"metadata\":{\"name\":\"d%03u\",\"namespace\":"
           "\"dm-d%03u\"},\"spec\":{\"description\":\"made by genmesh\","
           "\"owner\":\"team-%u@example.com\"}}\n",
           d, d, d);
}

static void
fill_layers(struct mesh_rule *r)
{
    unsigned products = r->domains * r->per_domain;

    r->position = mem_zalloc(products, sizeof(unsigned));
    for (unsigned k = 0; k < 3; k++)
        r->layer[k] = mem_zalloc(products, sizeof(unsigned));
    for (unsigned g = 0; g < products; g++) {
        unsigned k = layer_of(g / r->per_domain);

        r->position[g] = (unsigned)r->n[k];
        r->layer[k][r->n[k]++] = g;
    }
}

int
main(int argc, char **argv)
{
    struct mesh_rule r = {0};
    uint64_t d = 0, p = 0;

    if (argc < 3 || !str_to_u64(str_of(argv[1]), &d) ||
        !str_to_u64(str_of(argv[2]), &p) || !d || !p || d > 999 || p > 99) {
        fputs("usage: genmesh DOMAINS(1-999) PRODUCTS(1-99) [--contracts]\n",
              stderr);
        return 2;
    }
    r.domains = (unsigned)d;
    r.per_domain = (unsigned)p;
    r.contracts = argc > 3 && strcmp(argv[3], "--contracts") == 0;
    fill_layers(&r);
    for (unsigned i = 0; i < r.domains; i++)
        print_namespace(i);
    for (unsigned i = 0; i < r.domains; i++)
        print_domain(i);
    for (unsigned g = 0; g < r.domains * r.per_domain; g++)
        print_product(&r, g);
    for (unsigned k = 0; k < 3; k++)
        free(r.layer[k]);
    free(r.position);
    return 0;
}
