/* A file of the store and its WAL, with bytes changed: each four bytes of the
 * input are a place (three of them) and what is added to the byte there; an
 * input that begins with "raw" is a whole file.
 * covers: devenv/sandbox/journal.c devenv/sandbox/wal.c
 * covers: devenv/sandbox/versions.c */
#include "tests/store_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* True when it hit the WAL. */
static bool
change(struct buf *db, struct buf *wal, const uint8_t edit[4])
{
    size_t at = ((size_t)edit[0] << 16 | (size_t)edit[1] << 8 | edit[2]) %
                (db->n + wal->n);
    char *p = at < db->n ? &db->s[at] : &wal->s[at - db->n];

    *p = (char)((uint8_t)*p + edit[3]);
    return at >= db->n;
}

static struct sample m;

static void
clean(void)
{
    sample_release(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf db = BUF_INIT(SAMPLE_MAX), wal = BUF_INIT(SAMPLE_MAX);
    struct error refused;
    unsigned in_wal = 0;
    const char *wrong;

    if (!m.path) {
        sample_make(&m);
        atexit(clean);
    }
    if (size > 3 && memcmp(data, "raw", 3) == 0) {
        buf_add(&db, data + 3, size - 3);
    } else {
        buf_str(&db, buf_view(&m.db));
        buf_str(&wal, buf_view(&m.log));
        for (size_t i = 0; i + 4 <= size && i < 4096; i += 4)
            in_wal += change(&db, &wal, data + i);
    }
    /* Whoever changes the WAL's last transactions in two places may hide all
     * between them; what is left must still be what was. */
    wrong = sample_try(&m, buf_view(&db), buf_view(&wal),
                       in_wal > 1 ? 0 : m.before_last, &refused);
    /* A raw file may be a whole one of ours that says something else. */
    if (wrong && (size <= 3 || memcmp(data, "raw", 3) != 0 || refused.code))
        die("%s", wrong);
    buf_release(&db);
    buf_release(&wal);
    return 0;
}
