#include "devenv/sandbox/brought.h"

#include "lib/base/digest.h"
#include "lib/base/mem.h"

static void
hash_of(struct str bytes, char hex[DIGEST_HEX_MAX])
{
    struct digest *d = digest_new(DIGEST_SHA256);

    digest_add(d, bytes.s, bytes.n);
    digest_end(d, hex);
}

/* The revision of an object; 0: it is not there. */
static int64_t
revision(const struct store *s, struct str id)
{
    struct str kind, key;
    struct store_item it;

    str_cut(id, ' ', &kind, &key);
    return store_get(s, kind, key, 0, &it) ? it.rev : 0;
}

/* A line of a note: "revision kind key", revision 0: any. */
static bool
line_stands(const struct store *s, struct str line)
{
    struct str number, id;
    int64_t want, have;

    if (!str_cut(line, ' ', &number, &id) || !str_to_i64(number, &want))
        return false;
    have = revision(s, id);
    return have && (!want || want == have);
}

bool
brought_stands(const struct store *s, const struct brought *b)
{
    const char *note = store_note(s, b->note);
    struct str rest = str_of(note ? note : ""), line;
    char hash[DIGEST_HEX_MAX];

    hash_of(b->made_of, hash);
    if (!str_next(&rest, '\n', &line) || !str_eqz(line, hash))
        return false;
    while (str_next(&rest, '\n', &line)) {
        if (line.n && !line_stands(s, line))
            return false;
    }
    return true;
}

void
brought_note(struct store *s, const struct brought *b,
             const struct strlist *ids, bool exact)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    char hash[DIGEST_HEX_MAX];

    hash_of(b->made_of, hash);
    buf_puts(&text, hash);
    for (size_t i = 0; i < ids->n; i++)
        buf_printf(&text, "\n%lld %s",
                   exact ? (long long)revision(s, str_of(ids->v[i])) : 0,
                   ids->v[i]);
    store_keep_note(s, b->note, buf_cstr(&text));
}
