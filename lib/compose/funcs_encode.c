/* JSON, YAML, base64 and base32, hashes. */
#include "lib/base/digest.h"
#include "lib/base/yaml.h"

#include "lib/compose/funcs.h"
#include "lib/compose/gojson.h"

/* ---- JSON ---- */

static bool
to_json(struct call *c, struct value v, unsigned flags, struct value *out)
{
    return value_print_json(c->a, v, flags, &c->text, &c->work, &c->err) &&
           call_text(c, out);
}

/* What toJson does with an error: nothing. */
static bool
lenient(struct call *c, struct value *out)
{
    if (c->err.code == ERR_LIMIT)
        return false;
    c->err = (struct error){0};
    *out = value_str(STR(""));
    return true;
}

FUNC(fn_to_json)
{
    return to_json(c, v[0], JSON_HTML, out) || lenient(c, out);
}

FUNC(fn_must_to_json)
{
    return to_json(c, v[0], JSON_HTML, out);
}

FUNC(fn_to_pretty_json)
{
    return to_json(c, v[0], JSON_HTML | JSON_PRETTY, out) || lenient(c, out);
}

FUNC(fn_must_to_pretty_json)
{
    return to_json(c, v[0], JSON_HTML | JSON_PRETTY, out);
}

FUNC(fn_to_raw_json)
{
    return to_json(c, v[0], JSON_COMPACT, out);
}

/* A copy of everything below v that does not look into the tree any more. */
static struct value
own(struct call *c, struct value v)
{
    size_t n;

    if (v.type == VALUE_STRING) {
        v.s = arena_str(c->a, v.s);
    } else if (v.type == VALUE_LIST) {
        struct value *items = value_items(c->a, v, &n);

        for (size_t i = 0; i < n; i++)
            items[i] = own(c, items[i]);
    } else if (v.type == VALUE_MAP) {
        struct value_entry *e = value_entries(c->a, v, &n);

        for (size_t i = 0; i < n; i++) {
            e[i].key = arena_str(c->a, e[i].key);
            e[i].value = own(c, e[i].value);
        }
    }
    return v;
}

FUNC(fn_must_from_json)
{
    AUTO(json_free_ptr) struct json *j = json_parse(v[0].s, NULL, &c->err);

    if (!j) {
        if (c->err.code == ERR_LIMIT ||
            !gojson_syntax(v[0].s, false, &c->text, NULL))
            return false;
        return call_fail(c, "%s", buf_cstr(&c->text));
    }
    *out = own(c, value_json(c->a, j, NUMBERS_JSON));
    return true;
}

FUNC(fn_from_json)
{
    if (fn_must_from_json(c, v, n, out))
        return true;
    c->err = (struct error){0};
    *out = value_nil();
    return true;
}

/* ---- YAML ---- */

FUNC(fn_to_yaml)
{
    AUTO(json_free_ptr)
    struct json *j = value_to_tree(c->a, v[0], &c->work, &c->err);

    if (!j)
        return false;
    yaml_print(j, YAML_SORTED | YAML_INDENT4, &c->text);
    if (c->text.n && c->text.s[c->text.n - 1] != '\n')
        buf_putc(&c->text, '\n');
    return call_text(c, out);
}

FUNC(fn_from_yaml)
{
    return value_read_yaml(c->a, v[0].s, out, &c->work, &c->err);
}

/* ---- base64, base32 ---- */

FUNC(fn_b64enc)
{
    digest_base64(v[0].s, false, &c->text);
    return call_text(c, out);
}

size_t
func_base64_bad_at(struct str s)
{
    size_t good = 0, i = 0;

    for (; i < s.n; i++) {
        char x = s.s[i], low = (char)(x | 0x20);

        if (x == '\r' || x == '\n')
            continue;
        if (!((low >= 'a' && low <= 'z') || (x >= '0' && x <= '9') ||
              x == '+' || x == '/'))
            break;
        good++;
    }
    if (i < s.n && s.s[i] == '=' && good % 4 == 3 && i + 1 < s.n)
        return i + 1;
    if (i < s.n && s.s[i] == '=' && good % 4 == 2)
        return i + 1 < s.n && s.s[i + 1] == '=' ? i + 2 : MIN(i + 1, s.n);
    if (i < s.n)
        return i;
    return s.n - good % 4;
}

FUNC(fn_b64dec)
{
    if (!digest_unbase64(v[0].s, false, &c->text)) {
        if (c->text.over)
            return call_text(c, out);
        buf_reset(&c->text);
        buf_printf(&c->text, "illegal base64 data at input byte %zu",
                   func_base64_bad_at(v[0].s));
    }
    return call_text(c, out);
}

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

FUNC(fn_b32enc)
{
    static const uint8_t letters[] = {0, 2, 4, 5, 7, 8};

    for (struct str s = v[0].s; s.n; s = str_from(s, 5)) {
        size_t have = MIN(s.n, (size_t)5);
        uint64_t bits = 0;

        for (size_t i = 0; i < 5; i++)
            bits = bits << 8 | (i < have ? (unsigned char)s.s[i] : 0);
        for (size_t i = 0; i < 8; i++)
            buf_putc(&c->text, i < letters[have]
                                   ? base32[bits >> (35 - 5 * i) & 31]
                                   : '=');
    }
    return call_text(c, out);
}

FUNC(fn_b32dec)
{
    struct str s = v[0].s;
    uint64_t bits = 0;
    unsigned have = 0;
    size_t i = 0;

    for (; i < s.n && s.s[i] != '='; i++) {
        const char *at = s.s[i] ? strchr(base32, s.s[i]) : NULL;

        if (s.s[i] == '\n' || s.s[i] == '\r')
            continue;
        if (!at)
            break;
        bits = bits << 5 | (uint64_t)(at - base32);
        have += 5;
        if (have >= 8) {
            have -= 8;
            buf_putc(&c->text, (char)(bits >> have & 0xFF));
        }
    }
    if (s.n % 8 || (i < s.n && s.s[i] != '=')) {
        /* A quantum cut short is told by its start. */
        buf_reset(&c->text);
        buf_printf(&c->text, "illegal base32 data at input byte %zu",
                   i < s.n ? i : i - i % 8);
    }
    return call_text(c, out);
}

/* ---- hashes ---- */

static bool
hash(struct call *c, enum digest_kind kind, struct str s, struct value *out)
{
    char hex[DIGEST_HEX_MAX];

    digest_hex(kind, s, hex);
    *out = value_str(str_of(arena_strdup(c->a, hex)));
    return true;
}

FUNC(fn_sha1)
{
    return hash(c, DIGEST_SHA1, v[0].s, out);
}

FUNC(fn_sha256)
{
    return hash(c, DIGEST_SHA256, v[0].s, out);
}

FUNC(fn_sha512)
{
    return hash(c, DIGEST_SHA512, v[0].s, out);
}

FUNC(fn_adler32)
{
    buf_printf(&c->text, "%u", digest_adler32(v[0].s));
    return call_text(c, out);
}

static const struct func rows[] = {
    {"toJson", "a", fn_to_json},
    {"mustToJson", "a", fn_must_to_json},
    {"toPrettyJson", "a", fn_to_pretty_json},
    {"mustToPrettyJson", "a", fn_must_to_pretty_json},
    {"toRawJson", "a", fn_to_raw_json},
    {"mustToRawJson", "a", fn_to_raw_json},
    {"fromJson", "s", fn_from_json},
    {"mustFromJson", "s", fn_must_from_json},
    {"toYaml", "a", fn_to_yaml},
    {"fromYaml", "s", fn_from_yaml},
    {"b64enc", "s", fn_b64enc},
    {"b64dec", "s", fn_b64dec},
    {"b32enc", "s", fn_b32enc},
    {"b32dec", "s", fn_b32dec},
    {"sha1sum", "s", fn_sha1},
    {"sha256sum", "s", fn_sha256},
    {"sha512sum", "s", fn_sha512},
    {"adler32sum", "s", fn_adler32},
};

const struct func_table funcs_encode = {rows, ARRAY_LEN(rows)};
