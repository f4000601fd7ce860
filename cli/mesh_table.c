#include "cli/mesh_table.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "cli/columns.h"

typedef const char *cell_fn(const struct mesh_item *i, struct arena *a);

struct column {
    const char *title;
    enum mesh_table_width from; /* the narrowest table it stands in */
    cell_fn *cell;
};

static const char *
health(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return mesh_health_word(mesh_item_health(i));
}

static const char *
name(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->name;
}

static const char *namespace(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->ns;
}

static const char *
owner(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->domain ? i->domain->owner : mesh_owner(i);
}

static const char *
type(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->domain->type;
}

static const char *
products(const struct mesh_item *i, struct arena *a)
{
    return arena_printf(a, "%zu/%zu", i->domain->by_health[MESH_OK],
                        i->domain->products_n);
}

static const char *
ago(int64_t since_s, struct arena *a)
{
    char text[CLOCK_HUMAN_LEN];

    if (!since_s)
        return "";
    clock_human(clock_wall_ms(clock_system()) / 1000 - since_s, text);
    return arena_strdup(a, text);
}

static const char *
age(const struct mesh_item *i, struct arena *a)
{
    return ago(i->created_s, a);
}

static const char *
changed(const struct mesh_item *i, struct arena *a)
{
    return ago(i->roll.changed_s, a);
}

static const char *
domain(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->product->domain_ref;
}

static const char *
version(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->product ? i->product->version : i->contract->version;
}

static const char *
status(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->product ? i->product->status : i->contract->status;
}

static const char *
ports(const struct mesh_item *i, struct arena *a)
{
    const struct mesh_product *p = i->product;

    return arena_printf(a, "%zu/%zu", p->inputs_n, p->ports_n - p->inputs_n);
}

static const char *
composed(const struct mesh_item *i, struct arena *a)
{
    return arena_printf(a, "%zu/%zu", i->roll.ready, i->roll.total);
}

static const char *
synced(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    switch (i->roll.synced) {
    case 'T':
        return "True";
    case 'F':
        return "False";
    default:
        return i->roll.synced ? "Unknown" : "";
    }
}

static const char *
classification(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->product->classification;
}

static const char *
target(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->product->target;
}

static const char *
readers(const struct mesh_item *i, struct arena *a)
{
    return arena_printf(
        a, "%zu", i->product ? i->product->readers_n : i->contract->users_n);
}

static const char *
of_product(const struct mesh_item *i, struct arena *a)
{
    (void)a;
    return i->contract->product_ref;
}

static const struct column domain_columns[] = {
    {"HEALTH", MESH_TABLE_BRIEF, health},
    {"DOMAIN", MESH_TABLE_BRIEF, name},
    {"NAMESPACE", MESH_TABLE_BRIEF, namespace},
    {"OWNER", MESH_TABLE_BRIEF, owner},
    {"TYPE", MESH_TABLE_TEXT, type},
    {"PRODUCTS", MESH_TABLE_BRIEF, products},
    {"COMPOSED", MESH_TABLE_TEXT, composed},
    {"SYNCED", MESH_TABLE_WIDE, synced},
    {"CHANGED", MESH_TABLE_WIDE, changed},
    {"AGE", MESH_TABLE_BRIEF, age},
    {0},
};

static const struct column product_columns[] = {
    {"HEALTH", MESH_TABLE_BRIEF, health},
    {"PRODUCT", MESH_TABLE_BRIEF, name},
    {"NAMESPACE", MESH_TABLE_TEXT, namespace},
    {"DOMAIN", MESH_TABLE_BRIEF, domain},
    {"OWNER", MESH_TABLE_WIDE, owner},
    {"VERSION", MESH_TABLE_BRIEF, version},
    {"STATUS", MESH_TABLE_BRIEF, status},
    {"CLASS", MESH_TABLE_WIDE, classification},
    {"TARGET", MESH_TABLE_WIDE, target},
    {"IN/OUT", MESH_TABLE_BRIEF, ports},
    {"READERS", MESH_TABLE_TEXT, readers},
    {"COMPOSED", MESH_TABLE_BRIEF, composed},
    {"SYNCED", MESH_TABLE_TEXT, synced},
    {"CHANGED", MESH_TABLE_WIDE, changed},
    {"AGE", MESH_TABLE_BRIEF, age},
    {0},
};

static const struct column contract_columns[] = {
    {"HEALTH", MESH_TABLE_BRIEF, health},
    {"CONTRACT", MESH_TABLE_BRIEF, name},
    {"NAMESPACE", MESH_TABLE_BRIEF, namespace},
    {"PRODUCT", MESH_TABLE_BRIEF, of_product},
    {"VERSION", MESH_TABLE_BRIEF, version},
    {"STATUS", MESH_TABLE_BRIEF, status},
    {"USED-BY", MESH_TABLE_TEXT, readers},
    {"AGE", MESH_TABLE_BRIEF, age},
    {0},
};

static const struct column *const tables[MESH_ROLES] = {
    [MESH_ROLE_DOMAIN] = domain_columns,
    [MESH_ROLE_PRODUCT] = product_columns,
    [MESH_ROLE_CONTRACT] = contract_columns,
};

static int
by_name(const void *a, const void *b)
{
    const struct mesh_item *x = *(const struct mesh_item *const *)a;
    const struct mesh_item *y = *(const struct mesh_item *const *)b;
    int c = strcmp(x->ns, y->ns);

    return c ? c : strcmp(x->name, y->name);
}

const struct mesh_item **
mesh_table_items(const struct mesh *m, enum mesh_role role,
                 const struct mesh_table_options *o, struct arena *a, size_t *n)
{
    size_t all = mesh_role_count(m, role);
    const struct mesh_item **v = arena_array(a, all + 1, sizeof(*v));

    *n = 0;
    for (size_t i = 0; i < all; i++) {
        const struct mesh_item *item = mesh_role_at(m, role, i);

        if ((!o->ns || strcmp(item->ns, o->ns) == 0) &&
            (!o->name || strcmp(item->name, o->name) == 0))
            v[(*n)++] = item;
    }
    qsort(v, *n, sizeof(*v), by_name);
    return v;
}

static size_t
add_heads(struct columns *c, const struct column *of,
          enum mesh_table_width width)
{
    const char *heads[COLUMNS_MAX];
    size_t n = 0;

    for (; of->title; of++) {
        if (of->from <= width)
            heads[n++] = of->title;
    }
    columns_init(c, n);
    columns_row(c, heads);
    return n;
}

void
mesh_table_print(const struct mesh_item *const *v, size_t n,
                 enum mesh_role role, const struct mesh_table_options *o)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    const char *cells[COLUMNS_MAX];
    struct columns c;

    add_heads(&c, tables[role], o->width);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        for (const struct column *of = tables[role]; of->title; of++) {
            if (of->from <= o->width)
                cells[at++] = of->cell(v[i], a);
        }
        columns_row(&c, cells);
    }
    columns_print(&c, o->indent, stdout);
    columns_release(&c);
}
