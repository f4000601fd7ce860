/* Vendors' checksum files (devenv.md 4.1). */
#include <ctype.h>

#include "devenv/fetch.h"

/* 64 hex digits into out, lower case. */
static bool
read_hash(struct str s, char out[65])
{
    if (s.n != 64)
        return false;
    for (size_t i = 0; i < 64; i++) {
        if (!isxdigit((unsigned char)s.s[i]))
            return false;
        out[i] = (char)tolower((unsigned char)s.s[i]);
    }
    out[64] = '\0';
    return true;
}

/* "hash  name", "hash *name"; the name without its folder. */
static bool
read_line(struct str line, struct str *name, char hash[65])
{
    size_t slash = SIZE_MAX;

    if (line.n < 66 || line.s[64] != ' ' ||
        !read_hash(str_sub(line, 0, 64), hash))
        return false;
    *name = str_trim(str_from(line, 65));
    if (name->n && name->s[0] == '*')
        *name = str_from(*name, 1);
    for (size_t i = 0; i < name->n; i++) {
        if (name->s[i] == '/')
            slash = i;
    }
    if (slash != SIZE_MAX)
        *name = str_from(*name, slash + 1);
    return true;
}

bool
fetch_checksum(struct str text, const char *name, char out[65])
{
    struct str rest = str_trim(text), line, of;
    char hash[65], found[65] = "";

    if (read_hash(rest, found)) {
        memcpy(out, found, sizeof(found));
        return true;
    }
    *found = '\0';
    while (rest.n && str_next(&rest, '\n', &line)) {
        if (!read_line(str_trim(line), &of, hash) || !str_eqz(of, name))
            continue;
        if (*found && strcmp(found, hash) != 0)
            return false;
        memcpy(found, hash, sizeof(found));
    }
    if (*found)
        memcpy(out, found, sizeof(found));
    return *found;
}
