#include "lib/schema/names.h"

#include "lib/base/buf.h"

static bool
lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
alphanumeric(char c)
{
    return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? */
static bool
is_label(struct str s)
{
    if (!s.n || !lower_or_digit(s.s[0]) || !lower_or_digit(s.s[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!lower_or_digit(s.s[i]) && s.s[i] != '-')
            return false;
    }
    return true;
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9] */
static bool
is_qualified_part(struct str s)
{
    if (!s.n || !alphanumeric(s.s[0]) || !alphanumeric(s.s[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!alphanumeric(s.s[i]) && !strchr("-_.", s.s[i]))
            return false;
    }
    return true;
}

static bool
too_long(struct str s, size_t max, const char *what, struct strlist *out)
{
    if (s.n <= max)
        return false;
    strlist_addf(out, "%smust be no more than %zu characters", what, max);
    return true;
}

static bool
subdomain(struct str value, const char *what, struct strlist *out)
{
    struct str rest = value, part;
    bool good = value.n > 0;
    bool fits = !too_long(value, 253, what, out);

    while (good && str_next(&rest, '.', &part))
        good = is_label(part);
    if (!good)
        strlist_addf(
            out,
            "%sa lowercase RFC 1123 subdomain must consist of lower case "
            "alphanumeric characters, '-' or '.', and must start and end with "
            "an alphanumeric character (e.g. 'example.com', regex used for "
            "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?"
            "(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            what);
    return good && fits;
}

bool
names_subdomain(struct str value, struct strlist *out)
{
    return subdomain(value, "", out);
}

bool
names_label(struct str value, struct strlist *out)
{
    bool good = is_label(value);
    bool fits = !too_long(value, 63, "", out);

    if (!good)
        strlist_addf(
            out,
            "a lowercase RFC 1123 label must consist of lower case "
            "alphanumeric characters or '-', and must start and end with an "
            "alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
            "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
    return good && fits;
}

bool
names_label_1035(struct str value, struct strlist *out)
{
    bool good = is_label(value) && value.s[0] >= 'a';
    bool fits = !too_long(value, 63, "", out);

    if (!good)
        strlist_addf(
            out,
            "a DNS-1035 label must consist of lower case alphanumeric "
            "characters or '-', start with an alphabetic character, and end "
            "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
            "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')");
    return good && fits;
}

bool
names_path(struct str value, struct strlist *out)
{
    static const char *const never[] = {".", ".."}, *const inside[] = {"/",
                                                                       "%"};
    size_t before = out->n;

    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        if (str_eqz(value, never[i]))
            strlist_addf(out, "may not be '%s'", never[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
        if (str_contains(value, str_of(inside[i])))
            strlist_addf(out, "may not contain '%s'", inside[i]);
    }
    return out->n == before;
}

#define QUALIFIED_RULE                                                         \
    "must consist of alphanumeric characters, '-', '_' or '.', and must "      \
    "start and end with an alphanumeric character (e.g. 'MyName',  or "        \
    "'my.name',  or '123-abc', regex used for validation is "                  \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

bool
names_qualified(struct str value, struct strlist *out)
{
    struct str prefix = {0}, name = value, rest;
    bool good = true;

    if (str_cut(value, '/', &prefix, &rest)) {
        name = rest;
        if (memchr(name.s, '/', name.n)) {
            strlist_addf(out, "a qualified name " QUALIFIED_RULE
                              " with an optional DNS subdomain prefix and '/' "
                              "(e.g. 'example.com/MyName')");
            return false;
        }
        good = prefix.n > 0;
        if (!prefix.n)
            strlist_addf(out, "prefix part must be non-empty");
        else
            good = subdomain(prefix, "prefix part ", out);
    }
    if (!name.n)
        strlist_addf(out, "name part must be non-empty");
    if (too_long(name, 63, "name part ", out))
        good = false;
    if (!is_qualified_part(name)) {
        strlist_addf(out, "name part " QUALIFIED_RULE);
        good = false;
    }
    return good;
}

bool
names_label_value(struct str value, struct strlist *out)
{
    bool fits = !too_long(value, 63, "", out);

    if (!value.n || is_qualified_part(value))
        return fits;
    strlist_addf(
        out,
        "a valid label must be an empty string or consist of alphanumeric "
        "characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
        "regex used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
    return false;
}

bool
names_config_key(struct str value, struct strlist *out)
{
    bool good = value.n > 0;
    bool fits = !too_long(value, 253, "", out);

    for (size_t i = 0; i < value.n; i++) {
        if (!alphanumeric(value.s[i]) && !strchr("-_.", value.s[i]))
            good = false;
    }
    if (!good)
        strlist_addf(out,
                     "a valid config key must consist of alphanumeric "
                     "characters, '-', '_' or '.' (e.g. 'key.name',  or "
                     "'KEY_NAME',  or 'key-name', regex used for validation "
                     "is '[-._a-zA-Z0-9]+')");
    if (str_eqz(value, ".") || str_eqz(value, "..")) {
        strlist_addf(out, "must not be '%.*s'", STR_ARG(value));
        good = false;
    }
    return good && fits;
}

char *
names_join(const struct strlist *messages)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < messages->n; i++)
        buf_printf(&b, "%s%s", i ? "; " : "", messages->v[i]);
    return buf_take(&b);
}
