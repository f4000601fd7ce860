#include "lib/kube/http_head.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"

#define WARNINGS_MAX 64

void
http_head_release(struct http_head *h)
{
    free(h->content_type);
    free(h->etag);
    free(h->location);
    free(h->date);
    free(h->wanted);
    strlist_release(&h->warnings);
    *h = (struct http_head){.want = h->want, .retry_after_s = -1};
}

/* RFC 7234 5.5: 299 agent "text". The text may hold \" and \\. */
static void
add_warning(struct http_head *h, struct str v)
{
    struct buf text;
    size_t at = str_find(v, STR("\""), 0);

    if (at == SIZE_MAX || h->warnings.n >= WARNINGS_MAX)
        return;
    buf_init(&text, 4096);
    for (size_t i = at + 1; i < v.n && v.s[i] != '"'; i++) {
        if (v.s[i] == '\\' && i + 1 < v.n)
            i++;
        buf_putc(&text, v.s[i]);
    }
    if (!strlist_has(&h->warnings, buf_view(&text)))
        strlist_add(&h->warnings, buf_view(&text));
    buf_release(&text);
}

static bool
is_name(struct str key, const char *name)
{
    return key.n == strlen(name) && strncasecmp(key.s, name, key.n) == 0;
}

static void
add_field(struct http_head *h, struct str key, struct str value)
{
    const struct {
        const char *name;
        char **slot;
    } texts[] = {
        {"content-type", &h->content_type},   {"etag", &h->etag},
        {"location", &h->location},           {"date", &h->date},
        {h->want ? h->want : "", &h->wanted},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!texts[i].name[0] || !is_name(key, texts[i].name))
            continue;
        free(*texts[i].slot);
        *texts[i].slot = mem_strndup(value.s ? value.s : "", value.n);
    }
    if (is_name(key, "retry-after"))
        str_to_i64(value, &h->retry_after_s);
    else if (is_name(key, "warning") && str_starts(value, STR("299")))
        add_warning(h, value);
}

bool
http_head_line(struct http_head *h, struct str line)
{
    struct str key, value;
    uint64_t status;

    if (str_starts(line, STR("HTTP/"))) {
        http_head_release(h);
        str_cut(line, ' ', &key, &value);
        if (str_to_u64(str_sub(value, 0, 3), &status))
            h->status = (int)status;
    } else if (line.n == 0) {
        return true;
    } else if (str_cut(line, ':', &key, &value)) {
        add_field(h, key, str_trim(value));
    }
    return false;
}
