#include "devenv/docker_frames.h"

void
docker_frames_init(struct docker_frames *f, bool tty, docker_text_fn *fn,
                   void *arg)
{
    *f = (struct docker_frames){.plain = tty, .fn = fn, .arg = arg};
}

bool
docker_frames_cut(const struct docker_frames *f)
{
    return !f->plain && (f->head_n > 0 || f->left > 0);
}

static bool
head_is_sane(const unsigned char *h)
{
    return h[0] <= 3 && h[1] == 0 && h[2] == 0 && h[3] == 0;
}

/* The 8 bytes are there. Stream 0 and 3 carry the engine's own words. */
static bool
open_frame(struct docker_frames *f)
{
    const unsigned char *h = f->head;

    if (!head_is_sane(h)) {
        f->plain = !f->begun;
        f->damaged = f->begun;
        f->begun = true;
        f->head_n = 0;
        return f->damaged || f->fn(f->arg, 1, str_n((const char *)h, 8));
    }
    f->begun = true;
    f->stream = h[0] == 2 || h[0] == 3 ? 2 : 1;
    f->left =
        (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
    f->head_n = 0;
    return true;
}

bool
docker_frames_feed(struct docker_frames *f, struct str bytes)
{
    while (bytes.n && !f->damaged) {
        size_t n;

        if (f->plain)
            return f->fn(f->arg, 1, bytes);
        if (f->left == 0) {
            n = MIN(sizeof(f->head) - f->head_n, bytes.n);
            memcpy(f->head + f->head_n, bytes.s, n);
            f->head_n += n;
            bytes = str_from(bytes, n);
            if (f->head_n == sizeof(f->head) && !open_frame(f))
                return false;
            continue;
        }
        n = MIN(f->left, bytes.n);
        f->left -= n;
        if (!f->fn(f->arg, f->stream, str_sub(bytes, 0, n)))
            return false;
        bytes = str_from(bytes, n);
    }
    return true;
}

/* ---- lines ---- */

void
docker_lines_init(struct docker_lines *l, docker_text_fn *fn, void *arg)
{
    *l = (struct docker_lines){.fn = fn, .arg = arg};
    buf_init(&l->open[0], DOCKER_LINE_MAX);
    buf_init(&l->open[1], DOCKER_LINE_MAX);
}

void
docker_lines_release(struct docker_lines *l)
{
    buf_release(&l->open[0]);
    buf_release(&l->open[1]);
}

static bool
give(struct docker_lines *l, int stream)
{
    struct buf *b = &l->open[stream == 2];
    struct str line = buf_view(b);
    bool go_on;

    while (line.n && line.s[line.n - 1] == '\r')
        line.n--;
    go_on = l->fn(l->arg, stream, line);
    buf_reset(b);
    return go_on;
}

/* A line that is too long keeps its beginning. */
static void
keep(struct buf *b, struct str piece)
{
    buf_str(b, str_sub(piece, 0, b->max - MIN(b->n, b->max)));
}

bool
docker_lines_feed(struct docker_lines *l, int stream, struct str piece)
{
    struct buf *b = &l->open[stream == 2];
    const char *end;

    while (piece.n && (end = memchr(piece.s, '\n', piece.n))) {
        keep(b, str_sub(piece, 0, (size_t)(end - piece.s)));
        piece = str_from(piece, (size_t)(end - piece.s) + 1);
        if (!give(l, stream))
            return false;
    }
    keep(b, piece);
    return true;
}

bool
docker_lines_end(struct docker_lines *l)
{
    return (!l->open[0].n || give(l, 1)) && (!l->open[1].n || give(l, 2));
}
