/* The string transforms. */
#include "lib/base/digest.h"
#include "lib/base/re.h"
#include "lib/base/utf8.h"

#include "lib/compose/fn_patch.h"
#include "lib/compose/format.h"
#include "lib/compose/funcs.h"

#define TEXT_MAX ((size_t)8 << 20)

/* What a kind of string transform gets: its member of the config (an object or
 * a string), the input, and the input as %v prints it. */
typedef bool string_fn(struct patch_work *w, const struct json *config,
                       struct value v, struct str in, struct buf *out);

/* ---- conversions ---- */

static bool
to_upper(struct patch_work *w UNUSED, struct value v UNUSED, struct str in,
         struct buf *out)
{
    func_map_case(in, func_upper, out);
    return true;
}

static bool
to_lower(struct patch_work *w UNUSED, struct value v UNUSED, struct str in,
         struct buf *out)
{
    func_map_case(in, func_lower, out);
    return true;
}

static bool
to_json(struct patch_work *w, struct value v, struct str in UNUSED,
        struct buf *out)
{
    size_t work = 0;

    return value_print_json(w->a, v, JSON_HTML, out, &work, w->err) ||
           error_wrap(w->err, "cannot marshal to JSON");
}

static bool
to_base64(struct patch_work *w UNUSED, struct value v UNUSED, struct str in,
          struct buf *out)
{
    digest_base64(in, false, out);
    return true;
}

static bool
from_base64(struct patch_work *w, struct value v UNUSED, struct str in,
            struct buf *out)
{
    return digest_unbase64(in, false, out) ||
           error_set(w->err, ERR_INVALID,
                     "string is not valid base64: illegal base64 data at input "
                     "byte %zu",
                     func_base64_bad_at(in));
}

/* What is hashed: a string's bytes, of anything else its JSON. */
static bool
hash_input(struct patch_work *w, struct value v, struct str in, struct buf *out)
{
    if (v.type != VALUE_STRING)
        return to_json(w, v, in, out);
    buf_str(out, v.s);
    return true;
}

static bool
hash(struct patch_work *w, struct value v, struct str in, enum digest_kind kind,
     struct buf *out)
{
    AUTO(buf_release) struct buf data = BUF_INIT(TEXT_MAX);
    char hex[DIGEST_HEX_MAX];

    if (!hash_input(w, v, in, &data))
        return error_wrap(w->err, "cannot generate hash");
    digest_hex(kind, buf_view(&data), hex);
    buf_puts(out, hex);
    return true;
}

static bool
to_sha1(struct patch_work *w, struct value v, struct str in, struct buf *out)
{
    return hash(w, v, in, DIGEST_SHA1, out);
}

static bool
to_sha256(struct patch_work *w, struct value v, struct str in, struct buf *out)
{
    return hash(w, v, in, DIGEST_SHA256, out);
}

static bool
to_sha512(struct patch_work *w, struct value v, struct str in, struct buf *out)
{
    return hash(w, v, in, DIGEST_SHA512, out);
}

static bool
to_adler32(struct patch_work *w, struct value v, struct str in, struct buf *out)
{
    AUTO(buf_release) struct buf data = BUF_INIT(TEXT_MAX);

    if (!hash_input(w, v, in, &data))
        return error_wrap(w->err, "unable to generate Adler checksum");
    buf_printf(out, "%u", digest_adler32(buf_view(&data)));
    return true;
}

static const struct conversion {
    const char *name;
    bool (*run)(struct patch_work *w, struct value v, struct str in,
                struct buf *out);
} conversions[] = {
    {"ToUpper", to_upper},       {"ToLower", to_lower},
    {"ToJson", to_json},         {"ToBase64", to_base64},
    {"FromBase64", from_base64}, {"ToSha1", to_sha1},
    {"ToSha256", to_sha256},     {"ToSha512", to_sha512},
    {"ToAdler32", to_adler32},
};

/* ---- one kind each ---- */

static bool
format(struct patch_work *w, const struct json *config, struct value v,
       struct str in UNUSED, struct buf *out)
{
    format_printf(w->a, str_of(json_string(config)), &v, 1, out);
    return true;
}

static bool
convert(struct patch_work *w, const struct json *config, struct value v,
        struct str in, struct buf *out)
{
    const char *name = json_string(config);

    for (size_t i = 0; i < ARRAY_LEN(conversions); i++) {
        if (strcmp(conversions[i].name, name) == 0)
            return conversions[i].run(w, v, in, out);
    }
    return error_set(w->err, ERR_INVALID,
                     "type %s is not supported for string convert", name);
}

static bool
trim_prefix(struct patch_work *w UNUSED, const struct json *config,
            struct value v UNUSED, struct str in, struct buf *out)
{
    struct str cut = str_of(json_string(config));

    return buf_str(out, str_from(in, str_starts(in, cut) ? cut.n : 0));
}

static bool
trim_suffix(struct patch_work *w UNUSED, const struct json *config,
            struct value v UNUSED, struct str in, struct buf *out)
{
    struct str cut = str_of(json_string(config));

    return buf_str(out, str_sub(in, 0, in.n - (str_ends(in, cut) ? cut.n : 0)));
}

#define GROUPS_MAX 64

static bool
regexp(struct patch_work *w, const struct json *config, struct value v UNUSED,
       struct str in, struct buf *out)
{
    const char *match = json_get_text(config, "match");
    AUTO(re_free_ptr) struct re *re = re_compile(str_of(match), w->err);
    int64_t group = json_int64_or(json_get(config, "group"), 0);
    struct re_span spans[GROUPS_MAX];

    if (!re)
        return error_wrap(w->err, "could not compile regexp");
    if (group >= GROUPS_MAX && group <= (int64_t)re_groups(re))
        return error_set(w->err, ERR_LIMIT, "a regexp group beyond %d",
                         GROUPS_MAX - 1);
    if (group < 0 || group > (int64_t)re_groups(re) ||
        !re_search(re, in, 0, spans, (size_t)group + 1)) {
        AUTO(buf_release) struct buf quoted = BUF_INIT(TEXT_MAX);

        format_quote(str_of(match), false, &quoted);
        return error_set(w->err, ERR_INVALID,
                         "regexp %s had no matches for group %lld",
                         buf_cstr(&quoted), (long long)group);
    }
    struct re_span s = spans[group];

    return s.start == SIZE_MAX ||
           buf_str(out, str_sub(in, s.start, s.end - s.start));
}

/* Upstream drops one byte at the end, however long the separator is. */
static bool
join(struct patch_work *w, const struct json *config, struct value v,
     struct str in UNUSED, struct buf *out)
{
    const char *separator = json_get_text(config, "separator");
    size_t n;

    if (v.type != VALUE_LIST)
        return error_set(w->err, ERR_INVALID, "could not parse input array");
    const struct value *items = value_items(w->a, v, &n);

    for (size_t i = 0; i < n; i++) {
        format_value(w->a, items[i], out);
        buf_puts(out, separator);
    }
    if (n && *separator)
        buf_truncate(out, out->n - 1);
    return true;
}

static bool
replace(struct patch_work *w UNUSED, const struct json *config,
        struct value v UNUSED, struct str in, struct buf *out)
{
    func_replace_all(in, str_of(json_get_text(config, "search")),
                     str_of(json_get_text(config, "replace")), out);
    return true;
}

/* ---- the table ---- */

static const struct patch_need types[] = {
    {"Format", "fmt", "format transform requires a format"},
    {"Convert", "convert", "convert transform requires a conversion type"},
    {"TrimPrefix", "trim", "trim transform requires a trim value"},
    {"TrimSuffix", "trim", "trim transform requires a trim value"},
    {"Regexp", "regexp", "regexp transform requires a regexp"},
    {"Join", "join", "join transform requires a join"},
    {"Replace", "replace", "replace transform requires a replace"},
};
static string_fn *const runs[ARRAY_LEN(types)] = {
    format, convert, trim_prefix, trim_suffix, regexp, join, replace,
};

bool
patch_string_check(const struct json *config, struct error *err)
{
    const char *match = json_get_text(json_get(config, "regexp"), "match");
    const char *type = json_get_text(config, "type");

    if (!patch_check_need(types, ARRAY_LEN(types), config,
                          "string transform type is required",
                          "unknown string transform type", err))
        return false;
    if (strcmp(type, "Replace") == 0)
        return *json_get_text(json_get(config, "replace"), "search") ||
               patch_required(err, "replace.search",
                              "replace transform requires a search");
    if (strcmp(type, "Regexp") != 0)
        return true;
    if (!*match)
        return patch_required(err, "regexp.match",
                              "regexp transform requires a match");
    AUTO(re_free_ptr) struct re *re = re_compile(str_of(match), NULL);

    return re || patch_invalid(err, "regexp.match", match, "invalid regexp");
}

bool
patch_string_run(struct patch_work *w, const struct json *config,
                 struct value *v)
{
    AUTO(buf_release) struct buf in = BUF_INIT(TEXT_MAX);
    AUTO(buf_release) struct buf out = BUF_INIT(TEXT_MAX);
    const struct patch_need *t = patch_need_of(types, ARRAY_LEN(types), config);

    if (!t)
        return error_set(w->err, ERR_INVALID,
                         "type %s is not supported for string transform type",
                         json_get_text(config, "type"));
    if (!patch_has(config, t->member))
        return error_set(w->err, ERR_INVALID,
                         "string transform of type %s %s is not set", t->type,
                         t->member);
    format_value(w->a, *v, &in);
    if (!runs[t - types](w, json_get(config, t->member), *v, buf_view(&in),
                         &out))
        return false;
    if (in.over || out.over)
        return error_set(w->err, ERR_LIMIT, "a text of more than %zu MiB",
                         TEXT_MAX >> 20);
    *v = value_str(arena_str(w->a, buf_view(&out)));
    return true;
}
