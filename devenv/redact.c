/*
 * The text is walked once. At each place the rules of a table are asked in
 * order; the first that fits says how many bytes to keep and how many to
 * replace. Names that sound secret are found by their words, so that
 * dbPassword, DB_PASSWORD and db-password are one.
 */
#include "devenv/redact.h"

#include <ctype.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#define KNOWN_MIN  6
#define RUN_MIN    24
#define VALUE_MAX  ((size_t)1 << 20)
#define DEPTH_MAX  200
#define ANNOTATION "kubectl.kubernetes.io/last-applied-configuration"

static const char *const secret_words[] = {
    "password",   "passwd",        "passphrase",
    "passwort",   "pwd",           "secret",
    "token",      "apikey",        "accesskey",
    "privatekey", "secretkey",     "credential",
    "clientkey",  "authtoken",     "connectionstring",
    "signingkey", "sastoken",      "sshkey",
    "licensekey", "keydata",       "accountkey",
    "sharedkey",  "encryptionkey",
};

/* The whole name, letters and digits only. */
static const char *const secret_names[] = {
    "auth",          "auths",  "authorization", "proxyauthorization",
    "xregistryauth", "cookie", "setcookie",     "xauthtoken",
    "identitytoken", "pass",   "bearer",        "dsn",
    "registrytoken", "jwt",    "saskey",        "pgpassword",
};

/* A secret word in front of one of these names a thing, not its value. */
static const char *const harmless_ends[] = {
    "name",        "names",   "ref",      "refs",     "file",      "path",
    "namespace",   "kind",    "type",     "seconds",  "ttl",       "expiration",
    "selector",    "keyref",  "required", "policy",   "mount",     "class",
    "version",     "secrets", "tokens",   "mode",     "count",     "length",
    "secretstore", "dir",     "volume",   "audience", "audiences", "enabled",
};

static const struct {
    const char *prefix;
    size_t least; /* characters behind it */
} makes[] = {
    {"ghp_", 20},     {"gho_", 20},
    {"ghu_", 20},     {"ghs_", 20},
    {"ghr_", 20},     {"github_pat_", 20},
    {"glpat-", 16},   {"gldt-", 16},
    {"xoxb-", 16},    {"xoxp-", 16},
    {"xoxa-", 16},    {"AKIA", 16},
    {"ASIA", 16},     {"AIza", 30},
    {"ya29.", 20},    {"sk-", 20},
    {"sk_live_", 16}, {"rk_live_", 16},
    {"hvs.", 20},     {"hvb.", 20},
    {"dop_v1_", 20},  {"npm_", 20},
    {"pypi-", 20},    {"dckr_pat_", 16},
    {"sha256~", 20},  {"dapi", 32},
    {"eyJ", 30},      {"LS0tLS1CRUdJTi", 20},
    {"doo_v1_", 20},  {"SG.", 30},
};

/* What a rule found: the first keep bytes stay, the next drop bytes go. */
struct find {
    size_t keep, drop;
};

static bool
is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool
in_run(char c)
{
    return isalnum((unsigned char)c) || strchr("+/_-", c);
}

/* No letter or digit stands in front. */
static bool
begins(struct str text, size_t at)
{
    return at == 0 || !isalnum((unsigned char)text.s[at - 1]);
}

static bool
starts_i(struct str s, const char *z)
{
    size_t n = strlen(z);

    return s.n >= n && strncasecmp(s.s, z, n) == 0;
}

/* ---- names ---- */

/* Letters and digits of name in lower case, the last 127 of them. */
static size_t
plain_name(struct str name, char out[128])
{
    size_t n = 0;

    name = str_from(name, name.n > 127 ? name.n - 127 : 0);
    for (size_t i = 0; i < name.n; i++) {
        if (isalnum((unsigned char)name.s[i]))
            out[n++] = (char)tolower((unsigned char)name.s[i]);
    }
    out[n] = '\0';
    return n;
}

bool
redact_name(struct str name)
{
    char z[128];
    size_t n = plain_name(name, z);
    bool secret = false;

    for (size_t i = 0; i < ARRAY_LEN(secret_names); i++) {
        if (strcmp(z, secret_names[i]) == 0)
            return true;
    }
    if (strcmp(z, "pwd") == 0 || strcmp(z, "oldpwd") == 0)
        return false; /* the shell's folder */
    for (size_t i = 0; i < ARRAY_LEN(secret_words) && !secret; i++)
        secret = strstr(z, secret_words[i]) != NULL;
    for (size_t i = 0; i < ARRAY_LEN(harmless_ends) && secret; i++) {
        if (str_ends(str_n(z, n), str_of(harmless_ends[i])))
            return false;
    }
    return secret;
}

/* Header lines whose whole rest is secret. */
static bool
to_line_end(struct str name)
{
    static const char *const headers[] = {"authorization", "cookie",
                                          "registryauth"};
    char z[128];

    plain_name(name, z);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        if (str_ends(str_of(z), str_of(headers[i])))
            return true;
    }
    return false;
}

/* ---- rules ---- */

static bool
harmless_value(struct str v)
{
    static const char *const words[] = {
        "true", "false", "null", "nil", "none", "<none>", "{}",
        "[]",   "{",     "[",    "|",   ">",    "-",      REDACT_MARK};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqz(v, words[i]))
            return true;
    }
    for (size_t i = 0; i < v.n; i++) {
        if (!isdigit((unsigned char)v.s[i]))
            return false;
    }
    return v.n <= 3;
}

/* The quote (with the backslash in front of it) at offset, or "". */
static struct str
quote_at(struct str s, size_t at)
{
    size_t n = at;

    while (n < s.n && n < at + 4 && s.s[n] == '\\')
        n++;
    if (n < s.n && (s.s[n] == '"' || s.s[n] == '\''))
        return str_sub(s, at, n + 1 - at);
    return str_sub(s, at, 0);
}

static size_t
skip_blank(struct str s, size_t at)
{
    while (at < s.n && (s.s[at] == ' ' || s.s[at] == '\t'))
        at++;
    return at;
}

/* Where the value that begins at `at` ends. */
static size_t
value_end(struct str s, size_t at, struct str quote, bool line)
{
    size_t end = at;

    for (; end < s.n && s.s[end] != '\n' && s.s[end] != '\r'; end++) {
        /* A quote behind a further backslash is part of the value. */
        if (quote.n && str_starts(str_from(s, end), quote) &&
            (end == at || s.s[end - 1] != '\\'))
            break;
        if (!quote.n && !line && strchr(" \t,;&|}])\"'", s.s[end]))
            break;
    }
    return end;
}

/* NAME=V, NAME: V, "NAME": "V", --NAME V. */
static bool
rule_named(struct str text, size_t from, struct find *out)
{
    struct str s = str_from(text, from);
    size_t n = 0;

    if (!begins(text, from) || !is_word(s.s[0]))
        return false;
    while (n < s.n && n < 256 && is_word(s.s[n]))
        n++;
    struct str name = str_sub(s, 0, n), quote = quote_at(s, n);
    size_t at = skip_blank(s, n + quote.n);
    bool flag = str_starts(name, STR("--")) && at > n;

    if (at < s.n && (s.s[at] == ':' || s.s[at] == '='))
        at = skip_blank(s, at + 1 + (at + 1 < s.n && s.s[at + 1] == '='));
    else if (!flag || at >= s.n || s.s[at] == '-')
        return false;
    if (!redact_name(name))
        return false;
    quote = quote_at(s, at);
    at += quote.n;
    size_t end = value_end(s, at, quote, to_line_end(name));

    if (end == at || harmless_value(str_sub(s, at, end - at)))
        return false;
    *out = (struct find){at, end - at};
    return true;
}

/* Bearer V, Basic V. */
static bool
rule_scheme(struct str text, size_t from, struct find *out)
{
    static const char *const schemes[] = {"bearer ", "basic "};
    struct str s = str_from(text, from);

    for (size_t i = 0; begins(text, from) && i < ARRAY_LEN(schemes); i++) {
        if (!starts_i(s, schemes[i]))
            continue;
        size_t at = strlen(schemes[i]), end = at;

        while (end < s.n &&
               (in_run(s.s[end]) || s.s[end] == '.' || s.s[end] == '~'))
            end++;
        if (end - at < 8)
            return false;
        *out = (struct find){at, end - at};
        return true;
    }
    return false;
}

/* ://USER:PASSWORD@ */
static bool
rule_url(struct str text, size_t from, struct find *out)
{
    struct str s = str_from(text, from);
    size_t at = 3, end = SIZE_MAX;

    if (!str_starts(s, STR("://")))
        return false;
    for (size_t i = at; i < s.n && i < 4096; i++) {
        if (strchr(" \t\r\n\"'/?#<>", s.s[i]))
            break;
        if (s.s[i] == '@')
            end = i;
    }
    if (end == SIZE_MAX || end == at ||
        str_eqz(str_sub(s, at, end - at), REDACT_MARK))
        return false;
    *out = (struct find){at, end - at};
    return true;
}

static bool
rule_pem(struct str text, size_t from, struct find *out)
{
    struct str s = str_from(text, from);

    if (!str_starts(s, STR("-----BEGIN ")))
        return false;
    struct str line, rest;

    str_cut(str_sub(s, 0, 80), '\n', &line, &rest);
    if (!str_contains(line, STR("PRIVATE KEY")))
        return false;
    size_t end = str_find(s, STR("-----END "), 11);

    *out = (struct find){0, end == SIZE_MAX ? s.n : end};
    return true;
}

static bool
rule_make(struct str text, size_t from, struct find *out)
{
    struct str s = str_from(text, from);

    for (size_t i = 0; begins(text, from) && i < ARRAY_LEN(makes); i++) {
        size_t n = strlen(makes[i].prefix), end = n;

        if (!str_starts(s, str_of(makes[i].prefix)))
            continue;
        while (end < s.n && (in_run(s.s[end]) || s.s[end] == '.'))
            end++;
        if (end - n < makes[i].least)
            continue;
        *out = (struct find){0, end};
        return true;
    }
    return false;
}

static int
class_of(char c)
{
    return islower((unsigned char)c)   ? 0
           : isupper((unsigned char)c) ? 1
           : isdigit((unsigned char)c) ? 2
                                       : 3;
}

/* Letters and digits that change class all the time: drawn by lot. Names
 * change rarely, hexadecimal has one case. */
static bool
drawn_by_lot(struct str s)
{
    size_t changes = 0, seen[4] = {0};

    for (size_t i = 0; i < s.n; i++) {
        int c = class_of(s.s[i]);

        seen[c]++;
        changes += i && c != class_of(s.s[i - 1]);
    }
    return s.n >= RUN_MIN && seen[0] >= 3 && seen[1] >= 3 && seen[2] >= 2 &&
           seen[3] * 8 <= s.n && changes * 3 >= s.n;
}

/* Such a piece anywhere in a run takes the run with it (base64 has '/'). */
static bool
rule_run(struct str text, size_t from, struct find *out)
{
    struct str s = str_from(text, from), rest, piece;
    size_t n = 0;

    if (!in_run(s.s[0]) || (from && in_run(text.s[from - 1])))
        return false;
    while (n < s.n && in_run(s.s[n]))
        n++;
    rest = str_sub(s, 0, n);
    *out = (struct find){0, n};
    while (n >= RUN_MIN && str_next(&rest, '/', &piece)) {
        if (drawn_by_lot(piece))
            return true;
    }
    return false;
}

typedef bool rule_fn(struct str text, size_t from, struct find *out);
static rule_fn *const rules[] = {rule_pem,  rule_scheme, rule_url,
                                 rule_make, rule_named,  rule_run};

static bool
rule_known(const struct redact *r, struct str s, struct find *out)
{
    for (size_t i = 0; i < r->known.n; i++) {
        struct str k = str_of(r->known.v[i]);

        if (str_starts(s, k)) {
            *out = (struct find){0, k.n};
            return true;
        }
    }
    return false;
}

static bool
find_here(const struct redact *r, struct str text, size_t at, struct find *out)
{
    if (rule_known(r, str_from(text, at), out))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i](text, at, out))
            return true;
    }
    return false;
}

bool
redact_text(struct redact *r, struct str text, struct buf *out)
{
    size_t at = 0, from = 0;

    while (at < text.n) {
        struct find f;

        if (!find_here(r, text, at, &f)) {
            at++;
            continue;
        }
        buf_str(out, str_sub(text, from, at - from));
        buf_str(out, str_sub(text, at, f.keep));
        buf_puts(out, REDACT_MARK);
        r->count++;
        at += f.keep + f.drop;
        from = at;
    }
    return buf_str(out, str_from(text, from));
}

void
redact_know(struct redact *r, struct str secret)
{
    AUTO(buf_release) struct buf b = BUF_INIT(VALUE_MAX);

    secret = str_trim(secret);
    if (secret.n < KNOWN_MIN || strlist_has(&r->known, secret))
        return;
    strlist_add(&r->known, secret);
    if (digest_base64(secret, false, &b)) {
        /* without the end, which depends on what follows */
        while (b.n && b.s[b.n - 1] == '=')
            buf_truncate(&b, b.n - 1);
        strlist_add(&r->known, buf_view(&b));
    }
}

void
redact_release(struct redact *r)
{
    for (size_t i = 0; i < r->known.n; i++) {
        mem_wipe(r->known.v[i]);
        r->known.v[i] = NULL;
    }
    strlist_release(&r->known);
}

/* ---- trees ---- */

static void
mask(struct redact *r, struct json *parent, struct json *child)
{
    r->count++;
    json_replace(parent, child, json_new_string(REDACT_MARK));
}

/* Every member of an object becomes the mark; keys stay. */
static void
mask_members(struct redact *r, struct json *object)
{
    for (struct json *c = json_first(object), *next; c; c = next) {
        next = json_next(c);
        mask(r, object, c);
    }
}

static void
redact_string(struct redact *r, struct json *parent, struct json *child)
{
    AUTO(buf_release) struct buf b = BUF_INIT((size_t)64 << 20);
    size_t before = r->count;

    redact_text(r, str_of(json_string(child)), &b);
    if (r->count != before)
        json_replace(parent, child, json_new_str(buf_view(&b)));
}

/* {name: DB_PASSWORD, value: hunter2}: an environment's entry. */
static void
redact_pair(struct redact *r, struct json *pair)
{
    const char *name = json_get_string(pair, "name");
    struct json *value = json_get(pair, "value");

    if (name && json_is(value, JSON_STRING) && redact_name(str_of(name)) &&
        !harmless_value(str_of(json_string(value))))
        mask(r, pair, value);
}

/* What repeats the object, or holds values that nobody needs to read. */
static void
redact_object(struct redact *r, struct json *o)
{
    static const char *const payloads[] = {"data", "stringData", "binaryData"};
    const char *kind = json_string_or(json_get(o, "kind"), "");
    struct json *meta = json_get(o, "metadata");

    if (json_is(meta, JSON_OBJECT)) {
        json_del(meta, "managedFields");
        json_del(json_get(meta, "annotations"), ANNOTATION);
    }
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        if (strcmp(kind, "Secret") == 0 || strcmp(kind, "ConfigMap") == 0)
            mask_members(r, json_get(o, payloads[i]));
    }
    mask_members(r, json_get(o, "auths"));
    redact_pair(r, o);
}

/* A word like --token: the next of the list is its value. */
static bool
is_secret_flag(struct str word)
{
    return str_starts(word, STR("--")) && !memchr(word.s, '=', word.n) &&
           redact_name(word);
}

/* above: the name of the list j, or NULL. */
static void
walk(struct redact *r, struct json *j, const char *above, unsigned depth)
{
    bool flagged = false;

    if (json_is(j, JSON_OBJECT))
        redact_object(r, j);
    for (struct json *c = json_first(j), *next; c; c = next) {
        const char *key = json_key(c) ? json_key(c) : above;
        struct str text = str_of(json_string(c));
        bool secret = flagged || (key && redact_name(str_of(key)));

        next = json_next(c);
        flagged = text.n && !json_key(c) && is_secret_flag(text);
        if (!json_is(c, JSON_STRING) && depth < DEPTH_MAX)
            walk(r, c, json_is(c, JSON_ARRAY) ? key : NULL, depth + 1);
        else if (secret && text.n && !harmless_value(text))
            mask(r, j, c);
        else if (text.n)
            redact_string(r, j, c);
    }
}

void
redact_json(struct redact *r, struct json *j)
{
    walk(r, j, NULL, 0);
}
