#include "lib/compose/names.h"

#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"

enum { CHILD_MAX = 63, HASH_LEN = 12 };

void
name_child(struct str prefix, struct str uid, struct str name,
           char out[NAME_CHILD_MAX])
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    char hex[DIGEST_HEX_MAX];
    size_t room = CHILD_MAX - HASH_LEN;
    bool dash = prefix.n && prefix.s[prefix.n - 1] != '-';

    buf_str(&b, uid);
    buf_str(&b, name);
    digest_hex(DIGEST_SHA256, buf_view(&b), hex);
    if (prefix.n + dash > room) {
        prefix = str_sub(prefix, 0, room);
        dash = prefix.s[room - 1] != '-';
        prefix.n -= dash;
    }
    snprintf(out, NAME_CHILD_MAX, "%.*s%s%.*s", STR_ARG(prefix),
             dash ? "-" : "", (int)HASH_LEN, hex);
}

static bool
is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_dns_part(struct str s)
{
    if (!s.n || !is_alphanumeric(s.s[0]) || !is_alphanumeric(s.s[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alphanumeric(s.s[i]) && s.s[i] != '-')
            return false;
    }
    return true;
}

bool
name_is_subdomain(struct str name)
{
    struct str part;

    if (!name.n || name.n > 253)
        return false;
    while (str_next(&name, '.', &part)) {
        if (!is_dns_part(part))
            return false;
    }
    return true;
}
