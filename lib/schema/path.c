#include "lib/schema/path.h"

#include <stdlib.h>

/* How much of path key takes when it stands first: key, then an end, a dot or
 * a bracket. 0: it does not. */
static size_t
key_takes(const char *path, const char *key)
{
    size_t n = strlen(key);

    if (!n || strncmp(path, key, n) != 0)
        return 0;
    return !path[n] || path[n] == '.' || path[n] == '[' ? n : 0;
}

static size_t
longest_key(const struct json *object, const char *path,
            const struct json **found)
{
    size_t best = 0;

    if (!json_is(object, JSON_OBJECT))
        return 0;
    for (const struct json *j = json_first(object); j; j = json_next(j)) {
        size_t n = key_takes(path, json_key(j));

        if (n > best) {
            best = n;
            *found = j;
        }
    }
    return best;
}

/* At "[": an index of a list, or a key that may hold anything. */
static size_t
in_brackets(const struct json *at, const char *path, const struct json **found)
{
    const char *end;
    unsigned long i;

    if (json_is(at, JSON_ARRAY)) {
        i = strtoul(path + 1, (char **)&end, 10);
        *found = end > path + 1 && *end == ']' ? json_item(at, i) : NULL;
        return *found ? (size_t)(end + 1 - path) : 0;
    }
    if (!json_is(at, JSON_OBJECT))
        return 0;
    for (const struct json *j = json_first(at); j; j = json_next(j)) {
        size_t n = strlen(json_key(j));

        if (strncmp(path + 1, json_key(j), n) == 0 && path[n + 1] == ']') {
            *found = j;
            return n + 2;
        }
    }
    return 0;
}

const struct json *
schema_path_find(const struct json *root, const char *field, const char **rest)
{
    const struct json *at = root;

    while (*field) {
        const char *step = field + (*field == '.');
        const struct json *next = NULL;
        size_t n = *step == '[' ? in_brackets(at, step, &next)
                                : longest_key(at, step, &next);

        if (!n)
            break;
        at = next;
        field = step + n;
    }
    if (rest)
        *rest = field;
    return at;
}
