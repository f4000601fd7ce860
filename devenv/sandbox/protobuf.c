#include "devenv/sandbox/protobuf.h"

#include "lib/base/clock.h"
#include "lib/base/digest.h"

#define DEPTH_MAX 32

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

static bool
put_map_entry(struct json *map, const struct protobuf_field *f, struct str in,
              struct error *err)
{
    struct item v[4] = {0};
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    if (!three_fields(in, v, err))
        return false;
    buf_str(&key, v[1].bytes);
    json_set(map, buf_cstr(&key),
             f->type == PB_BYTES_MAP ? base64(v[2].bytes)
                                     : json_new_str(v[2].bytes));
    return true;
}

/* NULL without an error: the zero time, which JSON leaves out. */
static bool
time_value(struct str in, bool micro, struct json **out, struct error *err)
{
    struct item v[4] = {0};
    char text[CLOCK_RFC3339_LEN];

    if (!three_fields(in, v, err))
        return false;
    if (!v[1].number_value && !v[2].number_value)
        return true;
    clock_format((int64_t)v[1].number_value, text);
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
    *out = json_parse(v[1].bytes, NULL, err);
    return *out != NULL;
}

static struct json *message(const struct protobuf_message *m, struct str in,
                            unsigned depth, struct error *err);

/* The value of one item; *out NULL: nothing to be shown. */
static bool
value_of(const struct protobuf_field *f, const struct item *it, unsigned depth,
         struct json **out, struct error *err)
{
    bool bytes = f->type != PB_INT && f->type != PB_BOOL;

    *out = NULL;
    if ((it->wire == WIRE_BYTES) != bytes)
        return malformed(err);
    if (!bytes && !it->number_value && !(f->flags & PB_KEEP_ZERO))
        return true;
    switch (f->type) {
    case PB_STRING:
        if (it->bytes.n || (f->flags & PB_LIST))
            *out = json_new_str(it->bytes);
        return true;
    case PB_INT:
        *out = json_new_int((int64_t)it->number_value);
        return true;
    case PB_BOOL:
        *out = json_new_bool(it->number_value != 0);
        return true;
    case PB_BYTES:
        *out = base64(it->bytes);
        return true;
    case PB_RAW_JSON:
        return raw_json(it->bytes, out, err);
    case PB_TIME:
    case PB_MICRO_TIME:
        return time_value(it->bytes, f->type == PB_MICRO_TIME, out, err);
    case PB_INT_OR_STRING:
        return int_or_string(it->bytes, out, err);
    default:
        *out = message(f->message, it->bytes, depth + 1, err);
        return *out != NULL;
    }
}

static bool
put_item(const struct protobuf_field *f, const struct item *it, unsigned depth,
         struct json *out, struct error *err)
{
    struct json *value;

    if (f->type == PB_STRING_MAP || f->type == PB_BYTES_MAP) {
        if (it->wire != WIRE_BYTES)
            return malformed(err);
        return put_map_entry(json_need_object(out, f->name), f, it->bytes, err);
    }
    if (!value_of(f, it, depth, &value, err))
        return false;
    if (!value)
        return true;
    if (f->flags & PB_LIST)
        json_append(json_need_array(out, f->name), value);
    else
        json_set(out, f->name, value);
    return true;
}

static struct json *
message(const struct protobuf_message *m, struct str in, unsigned depth,
        struct error *err)
{
    struct json *out = json_new_object();
    struct item it;

    if (depth > DEPTH_MAX) {
        error_set(err, ERR_LIMIT, "a message is nested too deeply");
        goto fail;
    }
    while (in.n) {
        const struct protobuf_field *f = m->fields;

        if (!next_item(&in, &it)) {
            malformed(err);
            goto fail;
        }
        while (f->number && f->number != it.number)
            f++;
        if (f->number && !put_item(f, &it, depth, out, err))
            goto fail;
    }
    return out;
fail:
    json_free(out);
    return NULL;
}

struct json *
protobuf_object(struct str body, struct error *err)
{
    struct item v[4] = {0}, meta[4] = {0};
    const struct protobuf_kind *k = protobuf_kinds;
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
    while (k->kind && (!str_eqz(meta[1].bytes, k->api_version) ||
                       !str_eqz(meta[2].bytes, k->kind)))
        k++;
    if (!k->kind) {
        error_set(err, ERR_UNSUPPORTED,
                  "no kind \"%.*s\" is registered for version \"%.*s\" in "
                  "protobuf form",
                  STR_ARG(meta[2].bytes), STR_ARG(meta[1].bytes));
        return NULL;
    }
    out = message(k->message, v[2].bytes, 0, err);
    if (out) {
        json_set_string(out, "apiVersion", k->api_version);
        json_set_string(out, "kind", k->kind);
    }
    return out;
}
