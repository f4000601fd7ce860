#include <stdio.h>

#include "lib/base/ascii.h"

#include "lib/schema/cel_node.h"

/*
 * Kubernetes' url, ip and cidr: Go's net/url and net/netip behind them, whose
 * words the errors are.
 */

/* ---- addresses ---- */

struct reader {
    struct str in;
    struct str at; /* where it went wrong; empty: nowhere */
    const char *msg;
};

static bool
wrong(struct reader *r, const char *msg, struct str at)
{
    r->msg = msg;
    r->at = at;
    return false;
}

static bool
read_v4(struct reader *r, struct str s, unsigned char *out)
{
    unsigned value = 0, digits = 0, pos = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];

        if (ascii_digit(c)) {
            if (digits == 1 && value == 0)
                return wrong(r, "IPv4 field has octet with leading zero",
                             STR(""));
            value = value * 10 + (unsigned)(c - '0');
            digits++;
            if (value > 255)
                return wrong(r, "IPv4 field has value >255", STR(""));
        } else if (c == '.') {
            if (i == 0 || i == s.n - 1 || s.s[i - 1] == '.')
                return wrong(r, "IPv4 field must have at least one digit",
                             str_from(s, i));
            if (pos == 3)
                return wrong(r, "IPv4 address too long", STR(""));
            out[pos++] = (unsigned char)value;
            value = digits = 0;
        } else {
            return wrong(r, "unexpected character", str_from(s, i));
        }
    }
    if (pos < 3)
        return wrong(r, "IPv4 address too short", STR(""));
    out[3] = (unsigned char)value;
    return true;
}

/* One group of hexadecimal digits; *n of them. */
static bool
read_group(struct reader *r, struct str s, size_t *n, unsigned *value)
{
    *value = 0;
    for (*n = 0; *n < s.n && ascii_hex(s.s[*n]) >= 0; ++*n) {
        *value = *value * 16 + (unsigned)ascii_hex(s.s[*n]);
        if (*n > 3)
            return wrong(r, "each group must have 4 or less digits", s);
    }
    if (!*n)
        return wrong(
            r, "each colon-separated field must have at least one digit", s);
    return true;
}

/* Makes room for the zeros that :: stands for. */
static bool
expand(struct reader *r, unsigned char ip[16], size_t used, size_t gap)
{
    if (used == 16)
        return gap == SIZE_MAX ||
               wrong(r, "the :: must expand to at least one field of zeros",
                     STR(""));
    if (gap == SIZE_MAX)
        return wrong(r, "address string too short", STR(""));
    memmove(ip + 16 - (used - gap), ip + gap, used - gap);
    memset(ip + gap, 0, 16 - used);
    return true;
}

static bool
read_v4_tail(struct reader *r, struct str s, unsigned char ip[16], size_t i,
             size_t gap)
{
    if (gap == SIZE_MAX && i != 12)
        return wrong(r,
                     "embedded IPv4 address must replace the final 2 fields of "
                     "the address",
                     s);
    if (i + 4 > 16)
        return wrong(r,
                     "too many hex fields to fit an embedded IPv4 at the end "
                     "of the address",
                     s);
    return read_v4(r, s, ip + i);
}

static bool
read_v6(struct reader *r, struct str s, unsigned char ip[16])
{
    size_t i = 0, gap = SIZE_MAX, n;
    unsigned value;

    if (str_starts(s, STR("::"))) {
        gap = 0;
        s = str_from(s, 2);
    }
    while (i < 16 && (s.n || gap == SIZE_MAX || i)) {
        if (!read_group(r, s, &n, &value))
            return false;
        if (n < s.n && s.s[n] == '.') {
            if (!read_v4_tail(r, s, ip, i, gap))
                return false;
            i += 4;
            s = str_from(s, s.n);
            break;
        }
        ip[i++] = (unsigned char)(value >> 8);
        ip[i++] = (unsigned char)value;
        s = str_from(s, n);
        if (!s.n)
            break;
        if (s.s[0] != ':')
            return wrong(r, "unexpected character, want colon", s);
        if (s.n == 1)
            return wrong(r, "colon must be followed by more characters", s);
        s = str_from(s, 1);
        if (s.s[0] != ':')
            continue;
        if (gap != SIZE_MAX)
            return wrong(r, "multiple :: in address", s);
        gap = i;
        s = str_from(s, 1);
        if (!s.n)
            break;
    }
    if (s.n)
        return wrong(r, "trailing garbage after address", s);
    return expand(r, ip, i, gap);
}

static bool
read_address(struct reader *r, struct cel_object *o)
{
    size_t i = 0;

    while (i < r->in.n && !memchr(".:%", r->in.s[i], 3))
        i++;
    o->prefix = -1;
    if (i == r->in.n)
        return wrong(r, "unable to parse IP", STR(""));
    if (r->in.s[i] == '%')
        return wrong(r, "missing IPv6 address", STR(""));
    o->bits = r->in.s[i] == '.' ? 32 : 128;
    return o->bits == 32 ? read_v4(r, r->in, o->ip) : read_v6(r, r->in, o->ip);
}

static bool
is_mapped(const struct cel_object *o)
{
    static const unsigned char head[12] = {[10] = 0xFF, [11] = 0xFF};

    return o->bits == 128 && memcmp(o->ip, head, sizeof(head)) == 0;
}

static void
explain(const struct reader *r, struct buf *out)
{
    buf_printf(out, "ParseAddr(\"%.*s\"): %s", STR_ARG(r->in), r->msg);
    if (r->at.n)
        buf_printf(out, " (at \"%.*s\")", STR_ARG(r->at));
}

/* Reads an address as Kubernetes allows it; false and why. */
static bool
parse_ip(struct str s, struct cel_object *o, struct buf *why)
{
    struct str address = s, zone;
    bool zoned = str_contains(s, STR(":")) && str_cut(s, '%', &address, &zone);
    struct reader r = {.in = zoned ? address : s};

    if (zoned && !zone.n) {
        r.in = s;
        wrong(&r, "zone must be a non-empty string", STR(""));
    } else if (read_address(&r, o)) {
        if (zoned)
            buf_printf(why,
                       "IP address \"%.*s\" with zone value is not allowed",
                       STR_ARG(s));
        else if (is_mapped(o))
            buf_printf(why, "IPv4-mapped IPv6 address \"%.*s\" is not allowed",
                       STR_ARG(s));
        return !why->n;
    }
    buf_printf(
        why, "IP Address \"%.*s\" parse error during conversion from string: ",
        STR_ARG(s));
    explain(&r, why);
    return false;
}

static bool
bad_prefix(struct buf *why, struct str s, const char *fmt, struct str part)
{
    buf_printf(why, "netip.ParsePrefix(\"%.*s\"): ", STR_ARG(s));
    buf_puts(why, fmt);
    if (part.s)
        buf_printf(why, "\"%.*s\"", STR_ARG(part));
    return false;
}

static bool
parse_cidr(struct str s, struct cel_object *o, struct buf *why)
{
    size_t slash = s.n;
    struct reader r = {.at = STR("")};
    uint64_t bits;

    while (slash && s.s[slash - 1] != '/')
        slash--;
    if (!slash)
        return bad_prefix(why, s, "no '/'", str_n(NULL, 0));
    struct str after = str_from(s, slash);

    r.in = str_sub(s, 0, slash - 1);
    if (!read_address(&r, o)) {
        buf_printf(why, "netip.ParsePrefix(\"%.*s\"): ", STR_ARG(s));
        explain(&r, why);
        return false;
    }
    if (str_contains(r.in, STR("%")))
        return bad_prefix(why, s, "IPv6 zones cannot be present in a prefix",
                          str_n(NULL, 0));
    if (!after.n || (after.n > 1 && (after.s[0] < '1' || after.s[0] > '9')) ||
        !str_to_u64(after, &bits))
        return bad_prefix(why, s, "bad bits after slash: ", after);
    if (bits > (uint64_t)o->bits)
        return bad_prefix(why, s, "prefix length out of range", str_n(NULL, 0));
    o->prefix = (int)bits;
    if (!is_mapped(o))
        return true;
    buf_printf(why, "IPv4-mapped IPv6 address \"%.*s\" is not allowed",
               STR_ARG(s));
    return false;
}

/* The longest run of zero groups (two or more) is written ::. */
static void
print_v6(const unsigned char ip[16], struct buf *out)
{
    size_t from = 8, length = 1;

    for (size_t i = 0; i < 8; i++) {
        size_t n = 0;

        while (i + n < 8 && !ip[2 * (i + n)] && !ip[2 * (i + n) + 1])
            n++;
        if (n > length) {
            from = i;
            length = n;
        }
    }
    for (size_t i = 0; i < 8; i++) {
        if (i == from) {
            buf_puts(out, "::");
            i += length - 1;
            continue;
        }
        buf_printf(out, "%s%x", i && i != from + length ? ":" : "",
                   (unsigned)(ip[2 * i] << 8 | ip[2 * i + 1]));
    }
}

void
cel_print_address(const struct cel_object *o, struct buf *out)
{
    if (o->bits == 32)
        buf_printf(out, "%u.%u.%u.%u", o->ip[0], o->ip[1], o->ip[2], o->ip[3]);
    else
        print_v6(o->ip, out);
    if (o->prefix >= 0)
        buf_printf(out, "/%d", o->prefix);
}

static struct cel_value
of_object(struct cel_eval *e, enum cel_kind kind, const struct cel_object *o)
{
    struct cel_object *copy = cel_alloc(e, sizeof(*copy));

    if (!copy)
        return cel_mismatch();
    *copy = *o;
    return (struct cel_value){.kind = kind, .object = copy};
}

static struct cel_value
ip(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct cel_object o = {.prefix = -1};

    if (a->kind == CEL_CIDR) {
        o = *a->object;
        o.prefix = -1;
    } else if (!parse_ip(a->s, &o, &why)) {
        return cel_error(e, "%s", buf_cstr(&why));
    }
    return of_object(e, CEL_IP, &o);
}

static struct cel_value
is_ip(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct cel_object o = {0};

    return cel_of_bool(parse_ip(a->s, &o, &why));
}

static struct cel_value
is_canonical(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct cel_object o = {0};

    if (!parse_ip(a->s, &o, &why))
        return cel_error(e, "%s", buf_cstr(&why));
    cel_print_address(&o, &why);
    return cel_of_bool(str_eq(buf_view(&why), a->s));
}

/* ---- what an address is ---- */

static bool
is_v4(const struct cel_object *o)
{
    return o->bits == 32;
}

static bool
all_bytes(const struct cel_object *o, unsigned char value, unsigned char last)
{
    size_t n = (size_t)o->bits / 8;

    for (size_t i = 0; i + 1 < n; i++) {
        if (o->ip[i] != value)
            return false;
    }
    return o->ip[n - 1] == last;
}

static bool
unspecified(const struct cel_object *o)
{
    return all_bytes(o, 0, 0);
}

static bool
loopback(const struct cel_object *o)
{
    return is_v4(o) ? o->ip[0] == 127 : all_bytes(o, 0, 1);
}

static bool
link_multicast(const struct cel_object *o)
{
    return is_v4(o) ? o->ip[0] == 224 && !o->ip[1] && !o->ip[2]
                    : o->ip[0] == 0xFF && (o->ip[1] & 15) == 2;
}

static bool
link_unicast(const struct cel_object *o)
{
    return is_v4(o) ? o->ip[0] == 169 && o->ip[1] == 254
                    : o->ip[0] == 0xFE && (o->ip[1] & 0xC0) == 0x80;
}

static bool
global_unicast(const struct cel_object *o)
{
    bool multicast = is_v4(o) ? o->ip[0] >> 4 == 14 : o->ip[0] == 0xFF;

    return !unspecified(o) && !loopback(o) && !multicast && !link_unicast(o) &&
           !(is_v4(o) && all_bytes(o, 255, 255));
}

#define OF_ADDRESS(name, test)                                                 \
    static struct cel_value name(UNUSED struct cel_eval *e,                    \
                                 const struct cel_value *a, UNUSED size_t n)   \
    {                                                                          \
        return cel_of_bool(test(a->object));                                   \
    }

OF_ADDRESS(is_unspecified, unspecified)
OF_ADDRESS(is_loopback, loopback)
OF_ADDRESS(is_link_multicast, link_multicast)
OF_ADDRESS(is_link_unicast, link_unicast)
OF_ADDRESS(is_global_unicast, global_unicast)

static struct cel_value
family(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_int(is_v4(a->object) ? 4 : 6);
}

/* ---- networks ---- */

#define CIDR_ERROR "network address parse error during conversion from string: "

static struct cel_value
cidr(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct cel_object o = {0};

    if (parse_cidr(a->s, &o, &why))
        return of_object(e, CEL_CIDR, &o);
    return cel_error(e, CIDR_ERROR "%s%s",
                     str_starts(buf_view(&why), STR("netip")) ? CIDR_ERROR : "",
                     buf_cstr(&why));
}

static struct cel_value
is_cidr(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct cel_object o = {0};

    return cel_of_bool(parse_cidr(a->s, &o, &why));
}

static void
mask(struct cel_object *o, int bits)
{
    for (int i = 0; i < o->bits / 8; i++) {
        int keep = MAX(0, MIN(8, bits - i * 8));

        o->ip[i] &= (unsigned char)(0xFF00 >> keep);
    }
}

static bool
covers(const struct cel_object *net, const struct cel_object *o)
{
    struct cel_object a = *net, b = *o;

    mask(&a, net->prefix);
    mask(&b, net->prefix);
    return a.bits == b.bits && memcmp(a.ip, b.ip, sizeof(a.ip)) == 0;
}

static struct cel_value
contains_ip(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    struct cel_value v = a[1].kind == CEL_STRING ? ip(e, &a[1], n) : a[1];

    return v.kind == CEL_ERROR ? cel_mismatch()
                               : cel_of_bool(covers(a->object, v.object));
}

static struct cel_value
contains_cidr(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    struct cel_value v = a[1].kind == CEL_STRING ? cidr(e, &a[1], n) : a[1];

    if (v.kind == CEL_ERROR)
        return v;
    return cel_of_bool(a->object->prefix <= v.object->prefix &&
                       covers(a->object, v.object));
}

static struct cel_value
masked(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_object o = *a->object;

    mask(&o, o.prefix);
    return of_object(e, CEL_CIDR, &o);
}

static struct cel_value
prefix_length(UNUSED struct cel_eval *e, const struct cel_value *a,
              UNUSED size_t n)
{
    return cel_of_int(a->object->prefix);
}

static const struct cel_overload rows[] = {
    {"ip", "s>I", ip, CEL_COST_TEXT},
    {"ip", "C.>I", ip, CEL_COST_ONE},
    {"isIP", "s>b", is_ip, CEL_COST_TEXT},
    {"ip.isCanonical", "s>b", is_canonical, CEL_COST_TEXT2},
    {"family", "I.>i", family, CEL_COST_ONE},
    {"isUnspecified", "I.>b", is_unspecified, CEL_COST_ONE},
    {"isLoopback", "I.>b", is_loopback, CEL_COST_ONE},
    {"isLinkLocalMulticast", "I.>b", is_link_multicast, CEL_COST_ONE},
    {"isLinkLocalUnicast", "I.>b", is_link_unicast, CEL_COST_ONE},
    {"isGlobalUnicast", "I.>b", is_global_unicast, CEL_COST_ONE},
    {"cidr", "s>C", cidr, CEL_COST_TEXT},
    {"isCIDR", "s>b", is_cidr, CEL_COST_TEXT},
    {"containsIP", "C.s>b", contains_ip, CEL_COST_CIDR},
    {"containsIP", "C.I>b", contains_ip, CEL_COST_CIDR},
    {"containsCIDR", "C.s>b", contains_cidr, CEL_COST_CIDR2},
    {"containsCIDR", "C.C>b", contains_cidr, CEL_COST_CIDR2},
    {"masked", "C.>C", masked, CEL_COST_ONE},
    {"prefixLength", "C.>i", prefix_length, CEL_COST_ONE},
};

const struct cel_library cel_network = {rows, ARRAY_LEN(rows)};
