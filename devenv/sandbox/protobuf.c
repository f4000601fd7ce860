#include "devenv/sandbox/protobuf.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/types.h"

#define DEPTH_MAX 100
#define SCHEMA    "apiextensions.v1.JSONSchemaProps"

enum wire { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };

/* One field as it stands in the input. */
struct item {
    unsigned number;
    enum wire wire;
    uint64_t number_value;
    struct str bytes;
};

static bool
varint(struct str *in, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b;

        if (!in->n)
            return false;
        b = (uint8_t)in->s[0];
        *in = str_from(*in, 1);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool
next_item(struct str *in, struct item *out)
{
    uint64_t tag, n;

    if (!varint(in, &tag) || !(tag >> 3) || tag >> 3 > 0x1fffffff)
        return false;
    *out = (struct item){.number = (unsigned)(tag >> 3), .wire = tag & 7};
    switch (out->wire) {
    case WIRE_VARINT:
        return varint(in, &out->number_value);
    case WIRE_64:
    case WIRE_32:
        n = out->wire == WIRE_64 ? 8 : 4;
        break;
    case WIRE_BYTES:
        if (!varint(in, &n))
            return false;
        break;
    default:
        return false;
    }
    if (n > in->n)
        return false;
    out->bytes = str_sub(*in, 0, n);
    *in = str_from(*in, n);
    return true;
}

static bool
malformed(struct error *err)
{
    return error_set(err, ERR_PARSE,
                     "proto: cannot parse invalid wire-format "
                     "data");
}

/* The two fields of a map entry, or of a time, or of an IntOrString. */
static bool
three_fields(struct str in, struct item out[4], struct error *err)
{
    struct item it;

    while (in.n) {
        if (!next_item(&in, &it))
            return malformed(err);
        if (it.number <= 3)
            out[it.number] = it;
    }
    return true;
}

static struct json *
base64(struct str bytes)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    digest_base64(bytes, false, &b);
    return json_new_str(buf_view(&b));
}

/* What all steps share. */
struct reader {
    struct types *t;
    struct error *err;
};

static bool read_message(struct reader *r, const struct types_struct *s,
                         struct str in, unsigned depth, struct json *out);

/* NULL without an error: the zero time, which JSON leaves out. */
static bool
time_value(struct str in, bool micro, struct json **out, struct error *err)
{
    struct item v[4] = {0};
    char text[CLOCK_RFC3339_LEN];
    int64_t at;

    if (!three_fields(in, v, err))
        return false;
    if (!v[1].number_value && !v[2].number_value)
        return true;
    at = (int64_t)v[1].number_value;
    /* The year 0 to the year 9999: what RFC 3339 can say. */
    if (at < -62167219200 || at > 253402300799)
        return malformed(err);
    clock_format(at, text);
    if (micro) {
        struct buf b = BUF_INIT(64);

        text[CLOCK_RFC3339_LEN - 2] = 0;
        buf_printf(&b, "%s.%06uZ", text,
                   (unsigned)(v[2].number_value / 1000 % 1000000));
        *out = json_new_string(buf_cstr(&b));
        buf_release(&b);
        return true;
    }
    *out = json_new_string(text);
    return true;
}

/* Nanoseconds as Go prints them: "1m30s", "1.5s". */
static bool
duration_value(struct str in, struct json **out, struct error *err)
{
    struct item v[4] = {0};
    struct buf b = BUF_INIT(64);
    uint64_t n, s;

    if (!three_fields(in, v, err))
        return false;
    n = v[1].number_value;
    if (n >> 63) {
        buf_putc(&b, '-');
        n = -n;
    }
    s = n / 1000000000;
    if (s >= 3600)
        buf_printf(&b, "%lluh", (unsigned long long)(s / 3600));
    if (s >= 60)
        buf_printf(&b, "%llum", (unsigned long long)(s / 60 % 60));
    buf_printf(&b, "%llu", (unsigned long long)(s % 60));
    n %= 1000000000;
    if (n) {
        buf_printf(&b, ".%09llu", (unsigned long long)n);
        while (b.s[b.n - 1] == '0')
            buf_truncate(&b, b.n - 1);
    }
    buf_putc(&b, 's');
    *out = json_new_string(buf_cstr(&b));
    buf_release(&b);
    return true;
}

static bool
int_or_string(struct str in, struct json **out, struct error *err)
{
    struct item v[4] = {0};

    if (!three_fields(in, v, err))
        return false;
    *out = v[1].number_value ? json_new_str(v[3].bytes)
                             : json_new_int((int32_t)v[2].number_value);
    return true;
}

static bool
raw_json(struct str in, struct json **out, struct error *err)
{
    struct item v[4] = {0};

    if (!three_fields(in, v, err))
        return false;
    if (!v[1].bytes.n)
        return true;
    *out = json_parse(v[1].bytes, NULL, err);
    return *out != NULL;
}

static bool
text_inside(struct str in, struct json **out, struct error *err)
{
    struct item v[4] = {0};

    if (!three_fields(in, v, err))
        return false;
    *out = json_new_str(v[1].bytes);
    return true;
}

static struct json *
new_message(struct reader *r, const struct types_struct *s, struct str in,
            unsigned depth)
{
    struct json *out = json_new_object();

    if (read_message(r, s, in, depth + 1, out))
        return out;
    json_free(out);
    return NULL;
}

/* A schema or what may stand in its place: {schema, others} or {bool, schema}.
 */
static bool
schema_value(struct reader *r, enum types_base base, struct str in,
             unsigned depth, struct json **out)
{
    const struct types_struct *s = types_find(r->t, SCHEMA);
    bool flag = base == TYPES_SCHEMA_OR_BOOL, allows = false;
    struct item it;

    while (in.n) {
        struct json *v = NULL;

        if (!next_item(&in, &it))
            return malformed(r->err);
        if (flag && it.number == 1) {
            allows = it.number_value != 0;
            continue;
        }
        if (it.wire != WIRE_BYTES || it.number > 2)
            continue;
        v = base == TYPES_SCHEMA_OR_STRINGS && it.number == 2
                ? json_new_str(it.bytes)
                : new_message(r, s, it.bytes, depth);
        if (!v)
            return false;
        if (it.number == 1 || flag) {
            json_free(*out);
            *out = v;
            continue;
        }
        if (!json_is(*out, JSON_ARRAY)) {
            json_free(*out);
            *out = json_new_array();
        }
        json_append(*out, v);
    }
    if (!*out && flag)
        *out = json_new_bool(allows);
    return true;
}

static bool
number_value(const struct types_field *f, const struct item *it,
             struct json **out, struct error *err)
{
    double d;

    if (f->base == TYPES_NUMBER) {
        if (it->wire != WIRE_64)
            return malformed(err);
        memcpy(&d, it->bytes.s, sizeof(d));
        *out = json_new_double(d);
        return true;
    }
    if (it->wire != WIRE_VARINT)
        return malformed(err);
    if (f->base == TYPES_BOOL)
        *out = json_new_bool(it->number_value != 0);
    else if (f->base == TYPES_INT32)
        *out = json_new_int((int32_t)it->number_value);
    else
        *out = json_new_int((int64_t)it->number_value);
    return true;
}

/* The value of one item; *out NULL: nothing to be shown. */
static bool
value_of(struct reader *r, const struct types_field *f, const struct item *it,
         unsigned depth, struct json **out)
{
    *out = NULL;
    if (f->base >= TYPES_BOOL && f->base <= TYPES_NUMBER)
        return number_value(f, it, out, r->err);
    if (it->wire != WIRE_BYTES)
        return malformed(r->err);
    switch (f->base) {
    case TYPES_STRING:
        *out = json_new_str(it->bytes);
        return true;
    case TYPES_BYTES:
        *out = base64(it->bytes);
        return true;
    case TYPES_TIME:
    case TYPES_MICRO_TIME:
        return time_value(it->bytes, f->base == TYPES_MICRO_TIME, out, r->err);
    case TYPES_DURATION:
        return duration_value(it->bytes, out, r->err);
    case TYPES_QUANTITY:
        return text_inside(it->bytes, out, r->err);
    case TYPES_INT_OR_STRING:
        return int_or_string(it->bytes, out, r->err);
    case TYPES_RAW:
    case TYPES_JSON:
    case TYPES_FIELDS:
        return raw_json(it->bytes, out, r->err);
    case TYPES_SCHEMA_OR_ARRAY:
    case TYPES_SCHEMA_OR_BOOL:
    case TYPES_SCHEMA_OR_STRINGS:
        return schema_value(r, f->base, it->bytes, depth, out);
    default:
        *out = new_message(r, f->type, it->bytes, depth);
        return *out != NULL;
    }
}

/* {key, value}; a value that is a list of texts is {texts}. */
static bool
put_entry(struct reader *r, const struct types_field *f, struct str in,
          unsigned depth, struct json *map)
{
    struct item v[4] = {0}, it;
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct json *value = NULL;

    if (!three_fields(in, v, r->err))
        return false;
    buf_str(&key, v[1].bytes);
    if (f->shape == TYPES_MAP_OF_LISTS) {
        struct str rest = v[2].bytes;
        struct json *list = json_set(map, buf_cstr(&key), json_new_array());

        while (rest.n) {
            if (!next_item(&rest, &it))
                return malformed(r->err);
            json_append(list, json_new_str(it.bytes));
        }
        return true;
    }
    if (!v[2].number && f->base != TYPES_STRING && f->base != TYPES_BYTES)
        return true;
    if (!v[2].number)
        value = json_new_string("");
    else if (!value_of(r, f, &v[2], depth, &value))
        return false;
    if (value)
        json_set(map, buf_cstr(&key), value);
    return true;
}

/* Zero is not written where Go's omitempty leaves it out. */
static bool
is_nothing(const struct types_field *f, const struct item *it)
{
    if (f->pointer || f->shape != TYPES_ONE || f->always)
        return false;
    if (it->wire == WIRE_VARINT)
        return !it->number_value;
    return f->base == TYPES_STRING && !it->bytes.n;
}

static bool
put_item(struct reader *r, const struct types_field *f, const struct item *it,
         unsigned depth, struct json *out)
{
    struct json *value = NULL;

    if (f->name[0] == '-')
        return it->wire == WIRE_BYTES
                   ? read_message(r, f->type, it->bytes, depth + 1, out)
                   : malformed(r->err);
    if (f->shape >= TYPES_MAP)
        return it->wire == WIRE_BYTES
                   ? put_entry(r, f, it->bytes, depth,
                               json_need_object(out, f->name))
                   : malformed(r->err);
    if (!value_of(r, f, it, depth, &value))
        return false;
    if (!value)
        return true;
    if (f->shape == TYPES_LIST)
        json_append(json_need_array(out, f->name), value);
    else if (is_nothing(f, it))
        json_free(value);
    else
        json_set(out, f->name, value);
    return true;
}

static bool
read_message(struct reader *r, const struct types_struct *s, struct str in,
             unsigned depth, struct json *out)
{
    struct item it;

    if (depth > DEPTH_MAX)
        return error_set(r->err, ERR_LIMIT, "a message is nested too deeply");
    while (in.n) {
        size_t i = 0;

        if (!next_item(&in, &it))
            return malformed(r->err);
        while (i < s->fields_n && s->fields[i].number != it.number)
            i++;
        if (i < s->fields_n && !put_item(r, &s->fields[i], &it, depth, out))
            return false;
    }
    return true;
}

/* Options of deletes come under every group's version. */
static const struct types_struct *
type_of(struct types *t, const char *version, const char *kind)
{
    if (!strcmp(kind, "DeleteOptions"))
        return types_kind(t, "v1", kind);
    return types_kind(t, version, kind);
}

struct json *
protobuf_object(struct types *t, struct str body, struct error *err)
{
    struct item v[4] = {0}, meta[4] = {0};
    AUTO(mem_free_ptr) char *version = NULL, *kind = NULL;
    const struct types_struct *s;
    struct reader r = {t, err};
    struct json *out;

    if (!str_starts(body, str_n("k8s\0", 4))) {
        error_set(err, ERR_PARSE,
                  "provided data does not appear to be a protobuf message, "
                  "expected prefix [107 56 115 0]");
        return NULL;
    }
    if (!three_fields(str_from(body, 4), v, err) ||
        !three_fields(v[1].bytes, meta, err))
        return NULL;
    version = mem_strndup(meta[1].bytes.s, meta[1].bytes.n);
    kind = mem_strndup(meta[2].bytes.s, meta[2].bytes.n);
    s = type_of(t, version, kind);
    if (!s) {
        error_set(err, ERR_UNSUPPORTED,
                  "no kind \"%s\" is registered for version \"%s\" in "
                  "scheme \"pkg/api/legacyscheme/scheme.go:30\"",
                  kind, version);
        return NULL;
    }
    out = json_new_object();
    json_set_string(out, "apiVersion", version);
    json_set_string(out, "kind", kind);
    if (read_message(&r, s, v[2].bytes, 0, out))
        return out;
    json_free(out);
    return NULL;
}
