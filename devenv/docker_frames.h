/*
 * docker_frames.h - the two forms in which engines send what programs print.
 *
 * What: without a terminal each piece has 8 bytes in front (stream 1 or 2,
 * 0, 0, 0, length in big endian); with one the bytes come as they are. A
 * reader takes pieces as they arrive, cut anywhere, and gives text pieces or
 * whole lines.
 * Invariants: a stream whose first header is none is read as plain; a damaged
 * later header ends the frames: `damaged` stays set and the rest is dropped.
 * Memory: at most one line a stream (64 KiB, longer ones are cut) plus 8
 * bytes.
 * Lifetimes: docker_frames_init ... docker_frames_release.
 */
#ifndef DEVENV_DOCKER_FRAMES_H
#define DEVENV_DOCKER_FRAMES_H

#include "lib/base/buf.h"

#define DOCKER_LINE_MAX ((size_t)64 << 10)

/* stream 1 or 2. False: enough. */
typedef bool docker_text_fn(void *arg, int stream, struct str piece);

struct docker_frames {
    bool plain, begun, damaged;
    unsigned char head[8];
    size_t head_n;
    int stream;
    size_t left; /* of the frame that is open */
    docker_text_fn *fn;
    void *arg;
};

void docker_frames_init(struct docker_frames *f, bool tty, docker_text_fn *fn,
                        void *arg);
/* False when fn had enough. */
bool docker_frames_feed(struct docker_frames *f, struct str bytes);
/* The stream ended inside of a frame. */
bool docker_frames_cut(const struct docker_frames *f);

/* Text pieces into lines, without \n or \r\n. */
struct docker_lines {
    struct buf open[2]; /* of stream 1 and 2 */
    docker_text_fn *fn;
    void *arg;
};
void docker_lines_init(struct docker_lines *l, docker_text_fn *fn, void *arg);
bool docker_lines_feed(struct docker_lines *l, int stream, struct str piece);
/* Gives what stands after the last newline. */
bool docker_lines_end(struct docker_lines *l);
void docker_lines_release(struct docker_lines *l);

#endif
