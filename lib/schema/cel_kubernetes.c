#include "lib/schema/cel_value.h"
#include "lib/schema/names.h"
#include "lib/schema/node.h"

/* Kubernetes' quantities, versions and named formats. */

/* ---- quantities ---- */

static struct cel_value
of_quantity(struct cel_eval *e, const struct quantity *q)
{
    struct cel_object *o = cel_alloc(e, sizeof(*o));
    struct quantity *copy = cel_alloc(e, sizeof(*copy));

    if (!o || !copy)
        return cel_mismatch();
    *copy = *q;
    o->quantity = copy;
    return (struct cel_value){.kind = CEL_QUANTITY, .object = o};
}

int
cel_compare_quantities(const struct cel_object *a, const struct cel_object *b)
{
    return quantity_compare(a->quantity, b->quantity);
}

static struct cel_value
quantity(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct error err = {0};
    struct quantity q;

    if (!quantity_parse(a->s, &q, &err))
        return cel_error(e, "%s", err.msg);
    return of_quantity(e, &q);
}

static struct cel_value
is_quantity(UNUSED struct cel_eval *e, const struct cel_value *a,
            UNUSED size_t n)
{
    struct quantity q;

    return cel_of_bool(quantity_parse(a->s, &q, NULL));
}

static struct cel_value
sign(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    const struct quantity *q = a->object->quantity;

    return cel_of_int(q->negative ? -1 : q->n > 0);
}

static struct cel_value
as_float(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_double(quantity_double(a->object->quantity));
}

/* Whole, and within int64. */
static bool
whole(const struct quantity *q, int64_t *i)
{
    if (!quantity_int64(q, i))
        return false;
    struct quantity back = quantity_of_int(*i);

    return quantity_compare(&back, q) == 0;
}

static struct cel_value
as_integer(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    int64_t i;

    return whole(a->object->quantity, &i)
               ? cel_of_int(i)
               : cel_error(e, "cannot convert value to integer");
}

static struct cel_value
is_integer(UNUSED struct cel_eval *e, const struct cel_value *a,
           UNUSED size_t n)
{
    int64_t i;

    return cel_of_bool(whole(a->object->quantity, &i));
}

static struct cel_value
sum(struct cel_eval *e, const struct cel_value *a, bool minus)
{
    struct quantity b =
        a[1].kind == CEL_INT ? quantity_of_int(a[1].i) : *a[1].object->quantity;
    struct quantity q;

    if (quantity_add(a->object->quantity, &b, minus, &q))
        return of_quantity(e, &q);
    e->run->stopped = true;
    return cel_mismatch();
}

static struct cel_value
add(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return sum(e, a, false);
}

static struct cel_value
subtract(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return sum(e, a, true);
}

/* ---- versions (blang/semver v4) ---- */

static bool
is_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] < '0' || s.s[i] > '9')
            return false;
    }
    return s.n > 0;
}

static bool
is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];

        if (((c | 0x20) < 'a' || (c | 0x20) > 'z') && (c < '0' || c > '9') &&
            c != '-')
            return false;
    }
    return s.n > 0;
}

static bool
read_number(struct str s, const char *lower, const char *upper, uint64_t *out,
            struct buf *why)
{
    if (!is_digits(s))
        buf_printf(why, "Invalid character(s) found in %s number \"%.*s\"",
                   lower, STR_ARG(s));
    else if (s.n > 1 && s.s[0] == '0')
        buf_printf(why, "%s number must not contain leading zeroes \"%.*s\"",
                   upper, STR_ARG(s));
    else if (!str_to_u64(s, out))
        buf_printf(why,
                   "strconv.ParseUint: parsing \"%.*s\": value out of range",
                   STR_ARG(s));
    return !why->n;
}

/* The words of a prerelease or of build metadata. */
static bool
check_words(struct str list, bool build, struct buf *why)
{
    const char *what = build ? "build meta data" : "prerelease";
    struct str word;

    while (!why->n && str_next(&list, '.', &word)) {
        if (!word.n)
            buf_printf(why, "%s",
                       build ? "Build meta data is empty"
                             : "Prerelease is empty");
        else if (!is_word(word))
            buf_printf(why, "Invalid character(s) found in %s \"%.*s\"", what,
                       STR_ARG(word));
        else if (!build && is_digits(word) && word.n > 1 && word.s[0] == '0')
            buf_printf(why,
                       "Numeric PreRelease version must not contain leading "
                       "zeroes \"%.*s\"",
                       STR_ARG(word));
    }
    return !why->n;
}

static bool
parse_semver(struct str s, struct cel_object *o, struct buf *why)
{
    struct str major, minor, rest, patch, build = {NULL, 0};

    if (!s.n)
        return !buf_puts(why, "Version string empty");
    if (!str_cut(s, '.', &major, &rest) || !str_cut(rest, '.', &minor, &patch))
        return !buf_puts(why, "No Major.Minor.Patch elements found");
    o->text = s;
    bool built = str_cut(patch, '+', &rest, &build);
    bool early = str_cut(rest, '-', &patch, &o->extra);

    return read_number(major, "major", "Major", &o->number[0], why) &&
           read_number(minor, "minor", "Minor", &o->number[1], why) &&
           read_number(patch, "patch", "Patch", &o->number[2], why) &&
           (!early || check_words(o->extra, false, why)) &&
           (!built || check_words(build, true, why));
}

/* "v1.2" as 1.2.0, without leading zeros. */
static bool
normalize(struct str s, struct buf *out, struct buf *why)
{
    struct str part, rest = str_starts(s, STR("v")) ? str_from(s, 1) : s;
    size_t parts = 0;

    do {
        bool last = ++parts == 3 || !str_cut(rest, '.', &part, &rest);

        if (last && parts == 3)
            part = rest;
        if (parts < 3 && last &&
            (str_contains(part, STR("+")) || str_contains(part, STR("-"))))
            return !buf_puts(why, "short version cannot contain "
                                  "PreRelease/Build meta data");
        while (part.n > 1 && part.s[0] == '0' && part.s[1] >= '0' &&
               part.s[1] <= '9')
            part = str_from(part, 1);
        buf_printf(out, "%s%.*s", parts > 1 ? "." : "", STR_ARG(part));
        if (last)
            break;
    } while (true);
    for (; parts < 3; parts++)
        buf_puts(out, ".0");
    return true;
}

/* semver(text) and semver(text, true). */
static struct cel_value
semver(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    AUTO(buf_release) struct buf plain = BUF_INIT(1 << 16);
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct cel_object *o = cel_alloc(e, sizeof(*o));
    struct cel_value text = a[0];

    if (!o)
        return cel_mismatch();
    if (n > 1 && a[1].b) {
        if (!normalize(a->s, &plain, &why))
            return cel_error(e, "%s", buf_cstr(&why));
        text = cel_text(e, CEL_STRING, buf_view(&plain));
    }
    if (text.kind != CEL_STRING)
        return text;
    return parse_semver(text.s, o, &why)
               ? (struct cel_value){.kind = CEL_SEMVER, .object = o}
               : cel_error(e, "%s", buf_cstr(&why));
}

static struct cel_value
is_semver(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    return cel_of_bool(semver(e, a, n).kind == CEL_SEMVER);
}

static int
compare_words(struct str a, struct str b)
{
    uint64_t x, y;
    bool left = is_digits(a), right = is_digits(b);

    if (left && right && str_to_u64(a, &x) && str_to_u64(b, &y))
        return (x > y) - (x < y);
    if (left != right)
        return left ? -1 : 1;
    int c = str_cmp(a, b);

    return (c > 0) - (c < 0);
}

int
cel_compare_semver(const struct cel_object *a, const struct cel_object *b)
{
    struct str x = a->extra, y = b->extra, p, q;

    for (size_t i = 0; i < ARRAY_LEN(a->number); i++) {
        if (a->number[i] != b->number[i])
            return a->number[i] > b->number[i] ? 1 : -1;
    }
    if (!x.n || !y.n)
        return (x.n == 0) - (y.n == 0);
    for (;;) {
        bool left = str_next(&x, '.', &p), right = str_next(&y, '.', &q);

        if (!left || !right)
            return left - right;
        if (compare_words(p, q))
            return compare_words(p, q);
    }
}

static struct cel_value
major(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_int((int64_t)a->object->number[0]);
}

static struct cel_value
minor(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_int((int64_t)a->object->number[1]);
}

static struct cel_value
patch(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_int((int64_t)a->object->number[2]);
}

/* ---- order, of both ---- */

static int
order(const struct cel_value *a)
{
    return a->kind == CEL_SEMVER
               ? cel_compare_semver(a[0].object, a[1].object)
               : cel_compare_quantities(a[0].object, a[1].object);
}

static struct cel_value
is_greater(UNUSED struct cel_eval *e, const struct cel_value *a,
           UNUSED size_t n)
{
    return cel_of_bool(order(a) > 0);
}

static struct cel_value
is_less(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(order(a) < 0);
}

static struct cel_value
compare_to(UNUSED struct cel_eval *e, const struct cel_value *a,
           UNUSED size_t n)
{
    return cel_of_int(order(a));
}

/* ---- named formats ---- */

static bool
uri(struct str s, struct strlist *out)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);

    if (cel_url_ok(s, &why))
        return true;
    strlist_add(out, buf_view(&why));
    return false;
}

static const struct format {
    const char *name, *printed;
    bool (*check)(struct str s, struct strlist *out);
    const char *schema, *wrong; /* checked by a format of schemas instead */
    bool prefix;                /* of a name: may end in a dash */
    int cost;                   /* for ten characters */
} formats[] = {
    {"dns1123Label", "DNS1123Label", names_label, NULL, NULL, false, 8},
    {"dns1123Subdomain", "DNS1123Subdomain", names_subdomain, NULL, NULL, false,
     15},
    {"dns1035Label", "DNS1035Label", names_label_1035, NULL, NULL, false, 8},
    {"qualifiedName", "QualifiedName", names_qualified, NULL, NULL, false, 15},
    {"dns1123LabelPrefix", "DNS1123LabelPrefix", names_label, NULL, NULL, true,
     8},
    {"dns1123SubdomainPrefix", "DNS1123SubdomainPrefix", names_subdomain, NULL,
     NULL, true, 15},
    {"dns1035LabelPrefix", "DNS1035LabelPrefix", names_label_1035, NULL, NULL,
     true, 8},
    {"labelValue", "LabelValue", names_label_value, NULL, NULL, false, 10},
    {"uri", "URI", uri, NULL, NULL, false, 276},
    {"uuid", "uuid", NULL, "uuid", "does not match the UUID format", false, 18},
    {"byte", "byte", NULL, "byte", "invalid base64", false, 21},
    {"date", "date", NULL, "date", "invalid date", false, 18},
    {"datetime", "datetime", NULL, "datetime", "invalid datetime", false, 18},
};

static struct cel_value
of_format(struct cel_eval *e, struct str name)
{
    struct cel_object *o = cel_alloc(e, sizeof(*o));

    for (size_t i = 0; o && i < ARRAY_LEN(formats); i++) {
        if (!str_eqz(name, formats[i].name))
            continue;
        o->definition = &formats[i];
        o->text = str_of(formats[i].printed);
        o->bits = formats[i].cost;
        return (struct cel_value){.kind = CEL_FORMAT, .object = o};
    }
    return cel_mismatch();
}

static struct cel_value
named(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = of_format(e, a->s);

    return cel_optional(e->run->arena, v.kind == CEL_FORMAT ? &v : NULL);
}

/* A name that is to be continued may end in a dash. */
static struct str
masked(struct arena *a, struct str s)
{
    if (s.n < 2 || s.s[s.n - 1] != '-')
        return s;
    return str_of(arena_printf(a, "%.*sa", (int)s.n - 1, s.s));
}

static struct cel_value
validate(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(strlist_release) struct strlist why = {0};
    const struct format *f = a->object->definition;
    struct str s = f->prefix ? masked(e->run->arena, a[1].s) : a[1].s;

    if (f->check)
        f->check(s, &why);
    else if (!schema_format_ok(f->schema, s))
        strlist_add(&why, str_of(f->wrong));
    struct cel_list *l = cel_list_new(e, why.n);

    for (size_t i = 0; l && i < why.n; i++)
        l->v[l->n++] = cel_text(e, CEL_STRING, str_of(why.v[i]));
    struct cel_value list = cel_of_list(l);

    return cel_optional(e->run->arena, why.n ? &list : NULL);
}

#define FORMAT(name)                                                           \
    static struct cel_value name(                                              \
        struct cel_eval *e, UNUSED const struct cel_value *a, UNUSED size_t n) \
    {                                                                          \
        return of_format(e, STR(#name));                                       \
    }

FORMAT(dns1123Label)
FORMAT(dns1123Subdomain)
FORMAT(dns1035Label)
FORMAT(qualifiedName)
FORMAT(dns1123LabelPrefix)
FORMAT(dns1123SubdomainPrefix)
FORMAT(dns1035LabelPrefix)
FORMAT(labelValue)
FORMAT(uuid)
FORMAT(byte)
FORMAT(date)
FORMAT(datetime)

static struct cel_value
format_uri(struct cel_eval *e, UNUSED const struct cel_value *a,
           UNUSED size_t n)
{
    return of_format(e, STR("uri"));
}

static const struct cel_overload rows[] = {
    {"quantity", "s>q", quantity, CEL_COST_TEXT},
    {"isQuantity", "s>b", is_quantity, CEL_COST_TEXT},
    {"sign", "q>i", sign, CEL_COST_ONE},
    {"asApproximateFloat", "q.>d", as_float, CEL_COST_ONE},
    {"asInteger", "q.>i", as_integer, CEL_COST_ONE},
    {"isInteger", "q.>b", is_integer, CEL_COST_ONE},
    {"add", "q.q>q", add, CEL_COST_ONE},
    {"add", "q.i>q", add, CEL_COST_ONE},
    {"sub", "q.q>q", subtract, CEL_COST_ONE},
    {"sub", "q.i>q", subtract, CEL_COST_ONE},
    {"isGreaterThan", "q.q>b", is_greater, CEL_COST_ONE},
    {"isLessThan", "q.q>b", is_less, CEL_COST_ONE},
    {"compareTo", "q.q>i", compare_to, CEL_COST_ONE},
    {"semver", "s>V", semver, CEL_COST_TEXT},
    {"semver", "sb>V", semver, CEL_COST_TEXT},
    {"isSemver", "s>b", is_semver, CEL_COST_TEXT},
    {"isSemver", "sb>b", is_semver, CEL_COST_TEXT},
    {"major", "V.>i", major, CEL_COST_ONE},
    {"minor", "V.>i", minor, CEL_COST_ONE},
    {"patch", "V.>i", patch, CEL_COST_ONE},
    {"isGreaterThan", "V.V>b", is_greater, CEL_COST_ONE},
    {"isLessThan", "V.V>b", is_less, CEL_COST_ONE},
    {"compareTo", "V.V>i", compare_to, CEL_COST_ONE},
    {"format.named", "s>oF", named, CEL_COST_ONE},
    {"validate", "F.s>ols", validate, CEL_COST_FORMAT},
    {"format.dns1123Label", ">F", dns1123Label, CEL_COST_ONE},
    {"format.dns1123Subdomain", ">F", dns1123Subdomain, CEL_COST_ONE},
    {"format.dns1035Label", ">F", dns1035Label, CEL_COST_ONE},
    {"format.qualifiedName", ">F", qualifiedName, CEL_COST_ONE},
    {"format.dns1123LabelPrefix", ">F", dns1123LabelPrefix, CEL_COST_ONE},
    {"format.dns1123SubdomainPrefix", ">F", dns1123SubdomainPrefix,
     CEL_COST_ONE},
    {"format.dns1035LabelPrefix", ">F", dns1035LabelPrefix, CEL_COST_ONE},
    {"format.labelValue", ">F", labelValue, CEL_COST_ONE},
    {"format.uri", ">F", format_uri, CEL_COST_ONE},
    {"format.uuid", ">F", uuid, CEL_COST_ONE},
    {"format.byte", ">F", byte, CEL_COST_ONE},
    {"format.date", ">F", date, CEL_COST_ONE},
    {"format.datetime", ">F", datetime, CEL_COST_ONE},
};

const struct cel_library cel_kubernetes = {rows, ARRAY_LEN(rows)};
