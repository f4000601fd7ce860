#include "devenv/docker_tar.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* POSIX 1003.1 ustar header; numbers are octal text. */
struct field {
    size_t at, n;
};

static const struct field NAME = {0, 100}, MODE = {100, 8}, UID = {108, 8},
                          GID = {116, 8}, SIZE = {124, 12}, MTIME = {136, 12},
                          SUM = {148, 8};
#define TYPE_AT  156
#define MAGIC_AT 257

static const char zeros[TAR_BLOCK];

static void
put_octal(char *head, struct field f, uint64_t value)
{
    for (size_t i = f.n - 1; i-- > 0; value >>= 3)
        head[f.at + i] = (char)('0' + (value & 7));
}

/* GNU's form for what does not fit into 11 octal digits: base 256. */
static void
put_size(char *head, uint64_t value)
{
    if (value >> 33 == 0) {
        put_octal(head, SIZE, value);
        return;
    }
    for (size_t i = SIZE.n; i-- > 0; value >>= 8)
        head[SIZE.at + i] = (char)(value & 0xff);
    head[SIZE.at] |= (char)0x80;
}

static unsigned
sum_of(const char *head)
{
    unsigned sum = 0;

    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= SUM.at && i < SUM.at + SUM.n ? ' ' : (unsigned char)head[i];
    return sum;
}

static uint64_t
padded(uint64_t n)
{
    return (n + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

bool
docker_tar_init(struct docker_tar *t, const char *name, unsigned mode,
                uint64_t size, struct error *err)
{
    size_t n = strlen(name);

    if (n == 0 || n >= TAR_NAME_MAX || size > INT64_MAX / 2)
        return error_set(err, ERR_LIMIT,
                         "%s cannot be put into an archive: its name or size "
                         "is too large",
                         name);
    *t = (struct docker_tar){.fd = -1, .size = size};
    memcpy(t->head + NAME.at, name, n);
    put_octal(t->head, MODE, mode & 07777);
    put_octal(t->head, UID, 0);
    put_octal(t->head, GID, 0);
    put_octal(t->head, MTIME, 0);
    put_size(t->head, size);
    t->head[TYPE_AT] = '0';
    memcpy(t->head + MAGIC_AT,
           "ustar\0"
           "00",
           8);
    snprintf(t->head + SUM.at, SUM.n, "%06o", sum_of(t->head));
    t->head[SUM.at + 7] = ' ';
    t->total = TAR_BLOCK + padded(size) + 2 * TAR_BLOCK;
    return true;
}

/* n bytes of the content at offset `from`. */
static ssize_t
content(struct docker_tar *t, uint64_t from, char *p, size_t n)
{
    ssize_t got;

    if (t->fd < 0) {
        struct str piece = str_sub(t->content, (size_t)from, n);

        memcpy(p, piece.s, piece.n);
        return piece.n ? (ssize_t)piece.n : -1;
    }
    do
        got = pread(t->fd, p, n, (off_t)from);
    while (got < 0 && errno == EINTR);
    return got > 0 ? got : -1;
}

ssize_t
docker_tar_read(struct docker_tar *t, char *p, size_t n)
{
    uint64_t body = TAR_BLOCK + t->size;
    ssize_t got;

    if (t->at < TAR_BLOCK) {
        got = (ssize_t)MIN(n, (size_t)(TAR_BLOCK - t->at));
        memcpy(p, t->head + t->at, (size_t)got);
    } else if (t->at < body) {
        got = content(t, t->at - TAR_BLOCK, p, MIN(n, body - t->at));
    } else {
        got = (ssize_t)MIN(MIN(n, sizeof(zeros)), t->total - t->at);
        memcpy(p, zeros, (size_t)got);
    }
    if (got > 0)
        t->at += (uint64_t)got;
    return got;
}

/* ---- reading ---- */

static bool
octal(const char *head, struct field f, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = f.at, end = f.at + f.n;

    if ((unsigned char)head[i] & 0x80) {
        for (v = head[i++] & 0x7f; i < end; i++) {
            if (v >> 54)
                return false;
            v = v << 8 | (unsigned char)head[i];
        }
        *out = v;
        return true;
    }
    while (i < end && head[i] == ' ')
        i++;
    for (; i < end && head[i] >= '0' && head[i] <= '7'; i++)
        v = v << 3 | (uint64_t)(head[i] - '0');
    *out = v;
    return i == end || head[i] == 0 || head[i] == ' ';
}

static bool
damaged(struct error *err)
{
    return error_set(err, ERR_PARSE, "the archive is cut or damaged");
}

bool
docker_tar_file(struct str tar, struct str *out, struct error *err)
{
    while (tar.n >= TAR_BLOCK && memcmp(tar.s, zeros, TAR_BLOCK) != 0) {
        uint64_t size, sum;
        char type = tar.s[TYPE_AT];

        if (!octal(tar.s, SUM, &sum) || sum != sum_of(tar.s) ||
            !octal(tar.s, SIZE, &size) || size > tar.n - TAR_BLOCK)
            return damaged(err);
        if (type == '0' || type == 0) {
            *out = str_sub(tar, TAR_BLOCK, (size_t)size);
            return true;
        }
        /* x, g: pax records; L, K: GNU's long names: the file follows. */
        if (!strchr("xgLK", type))
            return error_set(err, ERR_INVALID, "it is %s, not a file",
                             type == '5'                  ? "a folder"
                             : type == '2' || type == '1' ? "a link"
                                                          : "a device");
        tar = str_from(tar, TAR_BLOCK + (size_t)padded(size));
    }
    return damaged(err);
}
