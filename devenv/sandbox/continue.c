#include "devenv/sandbox/continue.h"

#include <stdio.h>

#include "lib/base/digest.h"

void
continue_encode(int64_t rev, bool slash, struct str start, struct buf *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8192);

    buf_printf(&b, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%lld,\"start\":\"%s",
               (long long)rev, slash ? "/" : "");
    buf_str(&b, start);
    buf_puts(&b, "\\u0000\"}");
    digest_base64(buf_view(&b), true, out);
}

static bool
refuse(struct status *st, const char *why)
{
    return status_bad_request(
        st, "invalid continue token: continue key is not valid: %s", why);
}

/* The NUL at the end of start is no text for our JSON reader. */
static bool
cut_end(struct str json, struct buf *out)
{
    struct str mark = STR("\\u0000\"");
    size_t at = str_find(json, mark, 0);

    if (at == SIZE_MAX)
        return false;
    buf_str(out, str_sub(json, 0, at));
    buf_str(out, str_from(json, at + mark.n - 1));
    return true;
}

/* The first byte, as Go quotes the rune of its number. */
static bool
refuse_start(struct status *st, unsigned char c)
{
    char shown[8], why[80];

    if (c >= ' ' && c < 127)
        snprintf(shown, sizeof(shown), "%c", c);
    else if (c > 0xa0 && c != 0xad)
        snprintf(shown, sizeof(shown), "%c%c", 0xc0 | c >> 6, 0x80 | (c & 63));
    else
        snprintf(shown, sizeof(shown), c < 0x80 ? "\\x%02x" : "\\u%04x", c);
    snprintf(why, sizeof(why),
             "invalid character '%s' looking for beginning of value", shown);
    return refuse(st, why);
}

bool
continue_decode(struct str token, int64_t *rev, struct buf *start,
                struct status *st)
{
    AUTO(buf_release) struct buf text = BUF_INIT(8192), cut = BUF_INIT(8192);
    AUTO(json_free_ptr) struct json *j = NULL;
    struct error err = {0};
    const char *key;

    if (!digest_unbase64(token, true, &text))
        return refuse(st, "illegal base64 data");
    if (text.n && text.s[0] != '{') {
        return refuse_start(st, (unsigned char)text.s[0]);
    }
    if (!cut_end(buf_view(&text), &cut))
        return refuse(st, "invalid continue start key");
    j = json_parse(buf_view(&cut), NULL, &err);
    if (!j)
        return refuse(st, err.msg);
    if (strcmp(json_string_or(json_get(j, "v"), ""), "meta.k8s.io/v1") != 0)
        return refuse(st, "server does not recognize this encoded version");
    key = json_string_or(json_get(j, "start"), "");
    if (*key == '/')
        key++;
    if (!*key || strstr(key, "..") || !json_int64(json_get(j, "rv"), rev) ||
        *rev == 0)
        return refuse(st, "incorrect encoded start resourceVersion "
                          "(version meta.k8s.io/v1)");
    buf_puts(start, key);
    return true;
}
