/* A lock of versions, a vendor's checksum file, what a program says of itself:
 * a lock that is read has what its header promises, and can be printed.
 * covers: devenv/lock.c devenv/lock_print.c devenv/fetch_sum.c */
#include <stdlib.h>

#include "devenv/fetch.h"
#include "devenv/lock.h"
#include "devenv/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_entry(const struct lock *l, const struct lock_entry *e)
{
    if (!e->name || !e->version || !lock_default(l, e->name) ||
        (e->digest && (!e->vetted || !lock_is_digest(e->digest))))
        abort();
    for (size_t i = 0; i < e->files_n; i++) {
        const struct lock_file *f = &e->files[i];

        if (strncmp(f->url, "https://", 8) != 0 ||
            (f->sha256 && (!e->vetted || strlen(f->sha256) != 64)) ||
            (e->kind == LOCK_TOOL && !f->sha256 && !f->checksum_url))
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct buf out = BUF_INIT(BUF_TEXT_MAX);
    struct lock l = {0};
    struct error err = {0};
    char hash[65] = "", version[64] = "";

    if (lock_parse(text, "lock", &l, &err)) {
        for (size_t i = 0; i < l.n; i++)
            check_entry(&l, &l.v[i]);
        if (!lock_print(&l, false, &out) || !lock_print(&l, true, &out))
            abort();
    } else if (l.n || !*err.msg) {
        abort();
    }
    if (fetch_checksum(text, "kind", hash) && strlen(hash) != 64)
        abort();
    if (tool_version_in(text, version) && !tool_in_range(version, ">=0"))
        abort();
    lock_release(&l);
    buf_release(&out);
    return 0;
}
