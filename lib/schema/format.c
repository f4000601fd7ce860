#include <stdlib.h>

#include "lib/base/ascii.h"

#include "lib/schema/node.h"

/*
 * The formats of apiextensions-apiserver/pkg/apiserver/validation/formats.go
 * that say something about strings; kube-openapi's strfmt is the source of
 * each rule. Where strfmt leans on a Go parser (URLs, mail addresses) the rule
 * here takes what that parser takes, short of its odd corners.
 */

static bool
is_hex(char c)
{
    return ascii_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* 'd' a digit, 'x' a hexadecimal digit, anything else itself. */
static bool
fits(struct str s, const char *shape)
{
    size_t i = 0;

    for (; shape[i]; i++) {
        if (i == s.n)
            return false;
        bool ok = shape[i] == 'd'   ? ascii_digit(s.s[i])
                  : shape[i] == 'x' ? is_hex(s.s[i])
                                    : s.s[i] == shape[i];

        if (!ok)
            return false;
    }
    return i == s.n;
}

static int
number(struct str s, size_t at, size_t n)
{
    int v = 0;

    for (size_t i = at; i < at + n; i++)
        v = v * 10 + (s.s[i] - '0');
    return v;
}

static bool
is_date(struct str s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (!fits(s, "dddd-dd-dd"))
        return false;
    int year = number(s, 0, 4), month = number(s, 5, 2), day = number(s, 8, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap);
}

static bool
is_date_time(struct str s)
{
    if (s.n < 20 || (s.s[10] | 0x20) != 't' || !is_date(str_sub(s, 0, 10)) ||
        !fits(str_sub(s, 11, 8), "dd:dd:dd"))
        return false;
    if (number(s, 11, 2) > 23 || number(s, 14, 2) > 59 || number(s, 17, 2) > 59)
        return false;
    struct str zone = str_from(s, 19);

    if (zone.s[0] == '.') {
        size_t n = 1;

        while (n < zone.n && ascii_digit(zone.s[n]))
            n++;
        if (n == 1)
            return false;
        zone = str_from(zone, n);
    }
    if (zone.n == 1)
        return (zone.s[0] | 0x20) == 'z';
    return fits(zone, "+dd:dd") || fits(zone, "-dd:dd");
}

static bool
is_ipv4(struct str s)
{
    struct str part;
    uint64_t v;
    size_t n = 0;

    while (str_next(&s, '.', &part)) {
        if (part.n > 3 || !str_to_u64(part, &v) || v > 255 ||
            (part.n > 1 && part.s[0] == '0'))
            return false;
        n++;
    }
    return n == 4;
}

static bool
is_ipv6(struct str s)
{
    size_t groups = 0, gap = str_find(s, STR("::"), 0);
    size_t zone = str_find(s, STR("%"), 0);
    struct str part;

    if (s.n < 2 || zone != SIZE_MAX)
        return false;
    if (gap != SIZE_MAX && str_find(s, STR("::"), gap + 1) != SIZE_MAX)
        return false;
    if ((s.s[0] == ':' && gap != 0) || (s.s[s.n - 1] == ':' && gap != s.n - 2))
        return false;
    for (struct str rest = s; str_next(&rest, ':', &part);) {
        if (!rest.s && str_contains(part, STR("."))) {
            if (!is_ipv4(part))
                return false;
            groups += 2;
            continue;
        }
        for (size_t i = 0; i < part.n; i++) {
            if (!is_hex(part.s[i]))
                return false;
        }
        if (part.n > 4)
            return false;
        groups += part.n > 0;
    }
    return gap != SIZE_MAX ? groups < 8 : groups == 8;
}

static bool
is_ip(struct str s)
{
    return is_ipv4(s) || is_ipv6(s);
}

static bool
is_cidr(struct str s)
{
    struct str address, bits;
    uint64_t n;

    if (!str_cut(s, '/', &address, &bits) || !str_to_u64(bits, &n))
        return false;
    return (is_ipv4(address) && n <= 32) || (is_ipv6(address) && n <= 128);
}

static bool
is_mac(struct str s)
{
    return fits(s, "xx:xx:xx:xx:xx:xx") || fits(s, "xx-xx-xx-xx-xx-xx") ||
           fits(s, "xxxx.xxxx.xxxx") || fits(s, "xx:xx:xx:xx:xx:xx:xx:xx") ||
           fits(s, "xx-xx-xx-xx-xx-xx-xx-xx");
}

static bool
is_uuid(struct str s)
{
    return fits(s, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") ||
           fits(s, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static bool
is_uuid_version(struct str s, char version)
{
    return is_uuid(s) && s.s[s.n == 36 ? 14 : 12] == version;
}

static bool
is_uuid3(struct str s)
{
    return is_uuid_version(s, '3');
}

static bool
is_uuid4(struct str s)
{
    return is_uuid_version(s, '4');
}

static bool
is_uuid5(struct str s)
{
    return is_uuid_version(s, '5');
}

/* Base64 with padding. */
static bool
is_byte(struct str s)
{
    size_t pad = 0;

    while (pad < 2 && pad < s.n && s.s[s.n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < s.n - pad; i++) {
        char c = s.s[i];

        if (!ascii_letter(c) && !ascii_digit(c) && c != '+' && c != '/')
            return false;
    }
    return s.n && s.n % 4 == 0;
}

static bool
is_hostname(struct str s)
{
    struct str label;

    if (!s.n || s.n > 255)
        return false;
    if (s.s[s.n - 1] == '.')
        s.n--;
    while (str_next(&s, '.', &label)) {
        if (!label.n || label.n > 63 || label.s[0] == '-' ||
            label.s[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            char c = label.s[i];

            if (!ascii_letter(c) && !ascii_digit(c) && c != '-' && c != '_' &&
                (unsigned char)c < 0x80)
                return false;
        }
    }
    return true;
}

static bool
is_email(struct str s)
{
    struct str user, host;

    if (!str_cut(s, '@', &user, &host) || !user.n || !host.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.s[i] <= ' ' || strchr("<>(),;:\\\"", s.s[i]))
            return false;
    }
    return user.s[0] != '.' && user.s[user.n - 1] != '.' && host.s[0] != '.' &&
           host.s[host.n - 1] != '.' && !str_contains(host, STR("@")) &&
           !str_contains(s, STR(".."));
}

/* Go's url.ParseRequestURI: absolute, or a path from the root. */
static bool
is_uri(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if (c < 0x20 || c == 0x7F)
            return false;
        if (c == '%' &&
            (i + 2 >= s.n || !is_hex(s.s[i + 1]) || !is_hex(s.s[i + 2])))
            return false;
    }
    if (s.n && s.s[0] == '/')
        return true;
    while (n < s.n && (ascii_letter(s.s[n]) ||
                       (n && (ascii_digit(s.s[n]) || strchr("+-.", s.s[n])))))
        n++;
    return n > 0 && n < s.n && s.s[n] == ':' &&
           (n + 1 == s.n || s.s[n + 1] != ' ');
}

/* Go's ParseDuration ("1h30m"), or Scala's ("5 minutes"). */
static bool
is_duration(struct str s)
{
    static const char *const units[] = {
        "ns",
        "us",
        "\xC2\xB5s",
        "\xCE\xBCs",
        "ms",
        "s",
        "m",
        "h",
        "d",
        "w",
        "seconds",
        "second",
        "minutes",
        "minute",
        "hours",
        "hour",
        "days",
        "day",
        "weeks",
        "week",
        "milliseconds",
        "microseconds",
        "nanoseconds",
    };

    if (s.n && (s.s[0] == '-' || s.s[0] == '+'))
        s = str_from(s, 1);
    if (str_eqz(s, "0"))
        return true;
    if (!s.n)
        return false;
    while (s.n) {
        size_t n = 0, unit = 0;
        bool known = false, digit = false;

        for (; n < s.n && (ascii_digit(s.s[n]) || s.s[n] == '.'); n++)
            digit |= ascii_digit(s.s[n]);
        while (n < s.n && s.s[n] == ' ')
            n++;
        s = str_from(s, n);
        while (unit < s.n && !ascii_digit(s.s[unit]) && s.s[unit] != '.' &&
               s.s[unit] != ' ')
            unit++;
        for (size_t i = 0; i < ARRAY_LEN(units) && !known; i++)
            known = str_eqz(str_sub(s, 0, unit), units[i]);
        if (!digit || !known)
            return false;
        s = str_trim(str_from(s, unit));
    }
    return true;
}

static bool
is_hexcolor(struct str s)
{
    struct str digits = s.n && s.s[0] == '#' ? str_from(s, 1) : s;

    return fits(digits, "xxx") || fits(digits, "xxxxxx");
}

static bool
is_bsonobjectid(struct str s)
{
    return fits(s, "xxxxxxxxxxxxxxxxxxxxxxxx");
}

static bool
is_ssn(struct str s)
{
    return fits(s, "ddd-dd-dddd") || fits(s, "ddd dd dddd") ||
           fits(s, "ddddddddd");
}

/* NULL: known, but says nothing about a string. */
static const struct {
    const char *name;
    bool (*ok)(struct str s);
} formats[] = {
    {"bsonobjectid", is_bsonobjectid},
    {"uri", is_uri},
    {"email", is_email},
    {"hostname", is_hostname},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"cidr", is_cidr},
    {"mac", is_mac},
    {"uuid", is_uuid},
    {"uuid3", is_uuid3},
    {"uuid4", is_uuid4},
    {"uuid5", is_uuid5},
    {"isbn", NULL},
    {"isbn10", NULL},
    {"isbn13", NULL},
    {"creditcard", NULL},
    {"ssn", is_ssn},
    {"hexcolor", is_hexcolor},
    {"rgbcolor", NULL},
    {"byte", is_byte},
    {"password", NULL},
    {"date", is_date},
    {"duration", is_duration},
    {"date-time", is_date_time},
    {"datetime", is_date_time},
    {"int32", NULL},
    {"int64", NULL},
    {"float", NULL},
    {"double", NULL},
    {"k8s-short-name", NULL},
    {"k8s-long-name", NULL},
    {"ip", is_ip},
};

bool
schema_format_known(const char *format)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcmp(formats[i].name, format) == 0)
            return true;
    }
    return false;
}

bool
schema_format_ok(const char *format, struct str s)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcmp(formats[i].name, format) == 0)
            return !formats[i].ok || formats[i].ok(s);
    }
    return true;
}
