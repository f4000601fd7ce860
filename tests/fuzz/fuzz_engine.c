/* What a container engine, its registry and the user's docker configuration
 * say; the first byte chooses the reader.
 * covers: devenv/docker_frames.c devenv/docker_pull.c devenv/docker_tar.c
 * devenv/docker_ref.c devenv/dockerconfig.c devenv/docker_error.c
 * lib/kube/http_head.c */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/json.h"

#include "lib/kube/http_head.h"

#include "devenv/docker_call.h"
#include "devenv/docker_frames.h"
#include "devenv/docker_image.h"
#include "devenv/docker_pull.h"
#include "devenv/docker_ref.h"
#include "devenv/docker_tar.h"
#include "devenv/dockerconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static bool
keep(void *arg, int stream, struct str piece)
{
    return buf_printf(arg, "%d", stream) && buf_str(arg, piece);
}

static bool
feed_lines(void *arg, int stream, struct str piece)
{
    return docker_lines_feed(arg, stream, piece);
}

/* The lines of a stream that comes in pieces of n bytes. */
static void
stream_lines(struct str in, size_t n, struct buf *out)
{
    struct docker_frames f;
    struct docker_lines l;

    docker_lines_init(&l, keep, out);
    docker_frames_init(&f, false, feed_lines, &l);
    for (size_t at = 0; at < in.n; at += n)
        docker_frames_feed(&f, str_sub(in, at, n));
    docker_lines_end(&l);
    docker_lines_release(&l);
}

/* However it is cut, the same lines come out. */
static void
frames(struct str in)
{
    struct buf whole = BUF_INIT(1 << 22), bytes = BUF_INIT(1 << 22);

    stream_lines(in, in.n + 1, &whole);
    stream_lines(in, 1, &bytes);
    must(str_eq(buf_view(&whole), buf_view(&bytes)));
    buf_release(&whole);
    buf_release(&bytes);
}

static void
pull(struct str in)
{
    struct docker_pull p;
    struct docker_progress g, before = {0};
    struct buf words = BUF_INIT(4096);
    struct str line;

    docker_pull_init(&p);
    while (in.n && str_next(&in, '\n', &line)) {
        docker_pull_line(&p, line);
        docker_pull_progress(&p, &g);
        must(g.finished <= g.fetched && g.fetched <= g.layers);
        must(g.done <= g.total && g.layers >= before.layers);
        before = g;
    }
    docker_pull_words(&p, &words);
    must(words.n > 0);
    buf_release(&words);
    docker_pull_release(&p);
}

static void
tar(struct str in)
{
    struct error e = {0};
    struct str content;

    if (docker_tar_file(in, &content, &e))
        must(content.n <= in.n &&
             (!content.n ||
              (content.s >= in.s && content.s + content.n <= in.s + in.n)));
    else
        must(e.code && e.msg[0]);
}

static void
ref(struct str in)
{
    struct arena *a = arena_new();
    char *text = arena_dup(a, in);
    struct docker_ref r, again;
    struct error e = {0};

    if (docker_ref_parse(text, a, &r, &e)) {
        must(!strstr(r.exact, "..") && !strpbrk(r.exact, "?#% \n"));
        must(docker_ref_parse(r.exact, a, &again, &e));
        must(strcmp(r.exact, again.exact) == 0);
    }
    arena_free(a);
}

/* A document made of it is JSON. */
static void
config(struct str in)
{
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct error e = {0};
    struct dockerconfig *c;
    struct buf doc = BUF_INIT(1 << 22);

    must(write(fd, in.s, in.n) == (ssize_t)in.n);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    c = dockerconfig_open(path, &e);
    must(c || (e.code && e.msg[0]));
    if (c && dockerconfig_json_all(c, &doc)) {
        struct json *j = json_parse(buf_view(&doc), NULL, &e);

        must(json_is(json_get(j, "auths"), JSON_OBJECT));
        json_free(j);
    }
    if (c)
        dockerconfig_header_for(c, "docker.io", &doc);
    dockerconfig_wipe(&doc);
    dockerconfig_free(c);
    close(fd);
}

static void
refusal(struct str in)
{
    struct error e = {0};

    docker_refused(500, "", in, "try", &e);
    must(e.code && e.http == 500 && !strpbrk(e.msg, "\n\r\033"));
}

static void
head(struct str in)
{
    struct http_head h = {.want = "Api-Version"};
    struct str line;

    while (in.n && str_next(&in, '\n', &line))
        http_head_line(&h, str_trim(line));
    must(h.status >= 0 && h.status <= 999);
    http_head_release(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct str) = {frames, pull,    tar, ref,
                                                  config, refusal, head};

    if (size < 1 || size > 1 << 20)
        return 0;
    readers[data[0] % ARRAY_LEN(readers)](
        str_n((const char *)data + 1, size - 1));
    return 0;
}
