#include "devenv/sandbox/table.h"

#include "lib/base/mem.h"

#include "devenv/sandbox/cells.h"

#define NAME_DESCRIPTION                                                       \
    "Name must be unique within a namespace. Is required when creating "       \
    "resources, although some resources may allow a client to request the "    \
    "generation of an appropriate name automatically. Name is primarily "      \
    "intended for creation idempotence and configuration definition. Cannot "  \
    "be updated. More info: "                                                  \
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/"       \
    "names#names"

bool
sandbox_table_include(const char *text, enum table_include *out,
                      struct status *st)
{
    static const char *const words[] = {[INCLUDE_METADATA] = "Metadata",
                                        [INCLUDE_OBJECT] = "Object",
                                        [INCLUDE_NONE] = "None"};

    *out = INCLUDE_METADATA;
    if (!text || !*text)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!strcmp(text, words[i])) {
            *out = (enum table_include)i;
            return true;
        }
    }
    return status_bad_request(
        st,
        "Unable to convert to Table as requested: includeObject: Invalid "
        "value: \"%s\": must be 'Metadata', 'Object', 'None', or empty",
        text);
}

static void
put_text(struct buf *out, const char *text)
{
    AUTO(json_free_ptr) struct json *s = json_new_string(text);

    json_print(s, JSON_HTML, out);
}

static void
put_column(struct buf *out, const struct kind_column *c, const char *type)
{
    buf_puts(out, "{\"name\":");
    put_text(out, c->name);
    buf_puts(out, ",\"type\":");
    put_text(out, type);
    buf_puts(out, ",\"format\":");
    put_text(out, c->format);
    buf_puts(out, ",\"description\":");
    put_text(out, c->description);
    buf_printf(out, ",\"priority\":%lld}", (long long)c->priority);
}

/* An Event's row begins with when it was seen, not with its name. */
static bool
name_first(const struct kind_info *k)
{
    return !k->pub.builtin || strcmp(k->pub.kind, "Event") != 0;
}

void
sandbox_table_columns(const struct kind_info *k, struct buf *out)
{
    static const struct kind_column name = {
        .name = "Name", .format = "name", .description = NAME_DESCRIPTION};
    const char *sep = "";

    buf_puts(out, "\"columnDefinitions\":[");
    if (name_first(k)) {
        put_column(out, &name, "string");
        sep = ",";
    }
    for (size_t i = 0; i < k->columns_n; i++, sep = ",") {
        const char *type = k->columns[i].type;

        buf_puts(out, sep);
        put_column(out, &k->columns[i], type);
    }
    buf_putc(out, ']');
}

/* ---- cells ---- */

static void
put_age(const struct json *v, int64_t now_s, struct buf *out)
{
    char text[CLOCK_HUMAN_LEN];
    int64_t at;

    if (!json_string(v)) {
        buf_puts(out, "\"<unknown>\"");
        return;
    }
    if (!clock_parse(str_of(json_string(v)), &at)) {
        buf_puts(out, "\"<invalid>\"");
        return;
    }
    clock_human(now_s - at, text);
    buf_printf(out, "\"%s\"", text);
}

static void
put_string(const struct json *v, struct buf *out)
{
    AUTO(mem_free_ptr) char *text = NULL;

    if (json_is(v, JSON_STRING)) {
        json_print(v, JSON_HTML, out);
        return;
    }
    text = json_text(v, JSON_COMPACT);
    put_text(out, text);
}

static void
put_value(const struct kind_column *c, const struct json *v, int64_t now_s,
          struct buf *out)
{
    double d;
    int64_t n;

    if (!v || json_is(v, JSON_NULL)) {
        buf_puts(out, "null");
    } else if (!strcmp(c->type, "date")) {
        put_age(v, now_s, out);
    } else if (!strcmp(c->type, "string")) {
        put_string(v, out);
    } else if (!strcmp(c->type, "integer") && json_double(v, &d)) {
        n = json_int64(v, &n) ? n : (int64_t)d;
        buf_printf(out, "%lld", (long long)n);
    } else if (!strcmp(c->type, "number") && json_is(v, JSON_NUMBER)) {
        json_print(v, JSON_COMPACT, out);
    } else if (!strcmp(c->type, "boolean") && json_is(v, JSON_BOOL)) {
        json_print(v, JSON_COMPACT, out);
    } else {
        buf_puts(out, "null");
    }
}

static void
put_cell(const struct kind_info *k, size_t i, const struct json *obj,
         int64_t now_s, struct buf *out)
{
    if (k->columns[i].cell) {
        cells_print(k->columns[i].cell, obj, now_s, out);
        return;
    }
    put_value(&k->columns[i], jsonpath_first(k->columns[i].path, obj), now_s,
              out);
}

void
sandbox_table_metadata(const struct json *obj, const char *version,
                       struct buf *out)
{
    buf_printf(out,
               "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
               "\"meta.k8s.io/%s\",\"metadata\":",
               version);
    json_print(json_get(obj, "metadata"), JSON_COMPACT, out);
    buf_putc(out, '}');
}

void
sandbox_table_row(const struct kind_info *k, const struct json *obj,
                  enum table_include include, const char *version,
                  int64_t now_s, struct buf *out)
{
    const char *sep = "";

    buf_puts(out, "{\"cells\":[");
    if (name_first(k)) {
        cells_print_name(k->pub.kind, obj, out);
        sep = ",";
    }
    for (size_t i = 0; i < k->columns_n; i++, sep = ",") {
        buf_puts(out, sep);
        put_cell(k, i, obj, now_s, out);
    }
    buf_puts(out, "],\"object\":");
    if (include == INCLUDE_NONE)
        buf_puts(out, "null");
    else if (include == INCLUDE_OBJECT)
        json_print(obj, JSON_COMPACT, out);
    else
        sandbox_table_metadata(obj, version, out);
    buf_putc(out, '}');
}
