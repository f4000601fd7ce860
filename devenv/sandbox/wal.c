#include "devenv/sandbox/wal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/mem.h"

enum { HEADER = 32, FRAME = 24, PAGE_MIN = 512, PAGE_MAX = 65536 };
#define MAGIC     0x377f0682u /* its lowest bit: sums over big-endian words */
#define TORN_MOST 1           /* transactions that a crash can leave behind */

struct wal {
    int fd;
    bool big_endian;
    uint32_t page, salt[2], sum[2];
    uint8_t *frame;
};

static uint32_t
big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static uint32_t
little(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 |
           p[0];
}

static void
add_up(struct wal *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint32_t a = w->big_endian ? big(p + i) : little(p + i);
        uint32_t b = w->big_endian ? big(p + i + 4) : little(p + i + 4);

        w->sum[0] += a + w->sum[1];
        w->sum[1] += b + w->sum[0];
    }
}

static bool
says_sum(const struct wal *w, const uint8_t *p)
{
    return big(p) == w->sum[0] && big(p + 4) == w->sum[1];
}

static bool
read_header(struct wal *w, const uint8_t h[HEADER])
{
    w->big_endian = big(h) & 1;
    w->page = big(h + 8);
    w->salt[0] = big(h + 16);
    w->salt[1] = big(h + 20);
    add_up(w, h, 24);
    return (big(h) & ~1u) == MAGIC && says_sum(w, h + 24) &&
           w->page >= PAGE_MIN && w->page <= PAGE_MAX;
}

static bool
of_this_log(const struct wal *w)
{
    return big(w->frame + 8) == w->salt[0] && big(w->frame + 12) == w->salt[1];
}

static bool
frames_sound(struct wal *w)
{
    size_t n = FRAME + w->page;
    unsigned behind = 0;
    bool good = true;

    for (off_t at = HEADER; pread(w->fd, w->frame, n, at) == (ssize_t)n;
         at += (off_t)n) {
        bool commit = big(w->frame + 4) != 0;

        if (good) {
            add_up(w, w->frame, 8);
            add_up(w, w->frame + FRAME, w->page);
            good = of_this_log(w) && says_sum(w, w->frame + 16);
        }
        behind += !good && commit && of_this_log(w);
    }
    return behind <= TORN_MOST;
}

bool
wal_sound(const char *path)
{
    struct wal w = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    uint8_t h[HEADER + FRAME];
    bool sound = true;

    if (w.fd < 0)
        return true;
    if (pread(w.fd, h, sizeof(h), 0) == (ssize_t)sizeof(h)) {
        sound = read_header(&w, h);
        if (sound) {
            w.frame = mem_alloc(FRAME + w.page);
            sound = frames_sound(&w);
            free(w.frame);
        }
    }
    close(w.fd);
    return sound;
}
