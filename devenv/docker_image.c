#include "devenv/docker_image.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

#include "devenv/docker_call.h"
#include "devenv/docker_frames.h"
#include "devenv/docker_pull.h"
#include "devenv/docker_ref.h"
#include "devenv/dockerconfig.h"
#include "devenv/failure.h"

#define PULL_MS    (30 * 60 * 1000)
#define UNPACK_MS  300000
#define LOOK_MS    1000
#define HEADER_MAX ((size_t)64 << 10)

/* ---- looking ---- */

static void
read_image(const struct json *j, struct arena *a, struct docker_image *i)
{
    const struct json *created = json_get(j, "Created");

    *i = (struct docker_image){
        .id = docker_text(a, j, "Id"),
        .os = docker_text(a, j, "Os"),
        .arch = docker_text(a, j, "Architecture"),
        .size = docker_number(j, "Size"),
        .created_s = json_is(created, JSON_NUMBER) ? json_int64_or(created, 0)
                                                   : docker_time(j, "Created"),
    };
    i->tags = docker_texts(a, json_get(j, "RepoTags"), &i->tags_n);
    i->digests = docker_texts(a, json_get(j, "RepoDigests"), &i->digests_n);
}

bool
docker_image(struct docker *d, struct step_run *run, const char *ref,
             struct arena *a, struct docker_image *out, struct error *err)
{
    struct docker_ref r;
    const char *path, *doing = arena_printf(a, "look at image %s", ref);
    struct docker_request q = {.doing = doing};
    AUTO(json_free_ptr) struct json *j = NULL;

    if (str_starts(str_of(ref), STR("sha256:")))
        r.exact = ref;
    else if (!docker_ref_parse(ref, a, &r, err))
        return false;
    path = arena_printf(a, "/images/%s/json", r.exact);
    q.path = path;
    j = docker_call_json(d, run, &q, err);
    if (!j || !docker_expect(j, JSON_OBJECT, doing, err))
        return false;
    read_image(j, a, out);
    return true;
}

bool
docker_images(struct docker *d, struct step_run *run, const char *reference,
              struct arena *a, struct docker_images *out, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *j =
        docker_call_list(d, run, "/images/json", "reference", reference,
                         JSON_ARRAY, "list images", err);
    struct docker_images l = {0};

    if (!j)
        return false;
    l.v = arena_array(a, MAX(json_len(j), 1), sizeof(*l.v));
    for (struct json *p = json_first(j); p; p = json_next(p))
        if (json_is(p, JSON_OBJECT))
            read_image(p, a, &l.v[l.n++]);
    *out = l;
    return true;
}

const char *
docker_image_digest(const struct docker_image *i, const char *ref)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_ref r;

    if (!docker_ref_parse(ref, a, &r, NULL))
        return "";
    for (size_t k = 0; k < i->digests_n; k++) {
        struct str name, digest;

        if (str_cut(str_of(i->digests[k]), '@', &name, &digest) &&
            docker_ref_same_name(name, str_of(r.name)))
            return digest.s;
    }
    return "";
}

bool
docker_image_delete(struct docker *d, struct step_run *run, const char *ref,
                    struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_request q = {.method = "DELETE"};
    struct docker_ref r = {.exact = ref};
    struct error e = {0};

    if (!str_starts(str_of(ref), STR("sha256:")) &&
        !docker_ref_parse(ref, a, &r, err))
        return false;
    q.path = arena_printf(a, "/images/%s", r.exact);
    q.doing = arena_printf(a, "remove image %s", ref);
    if (docker_call(d, run, &q, NULL, &e) || e.http == 404)
        return true;
    if (err)
        *err = e;
    return false;
}

/* ---- pulling ---- */

struct pulling {
    struct docker *d;
    struct step_run *run;
    struct docker_pull state;
    struct docker_lines lines;
    uint64_t moves;   /* when it was last looked at */
    int64_t moved_ms; /* when something moved last */
    bool done;
    struct error why; /* code 0: well */
};

static bool
on_line(void *arg, int stream, struct str line)
{
    struct pulling *w = arg;

    (void)stream;
    docker_pull_line(&w->state, line);
    return true;
}

static bool
on_bytes(void *arg, struct str bytes)
{
    struct pulling *w = arg;

    return docker_lines_feed(&w->lines, 1, bytes);
}

static void
on_done(void *arg, const struct kube_http_response *r, const struct error *err)
{
    struct pulling *w = arg;

    (void)r;
    w->done = true;
    if (err)
        w->why = *err;
    docker_lines_end(&w->lines);
}

static void
tell(struct pulling *w)
{
    AUTO(buf_release) struct buf words = BUF_INIT(256);
    struct docker_progress g;

    if (!w->run)
        return;
    docker_pull_progress(&w->state, &g);
    docker_pull_words(&w->state, &words);
    step_bytes(w->run, g.done, g.total);
    step_detail(w->run, "%s", buf_cstr(&words));
}

/* Nothing moved for too long: while layers are fetched that is the network;
 * unpacking may be slow. */
static bool
stalled(struct pulling *w, const char *ref, struct error *err)
{
    int64_t now = loop_now(docker_loop(w->d)), limit;
    struct docker_progress g;

    if (w->moves != w->state.moves || !w->moved_ms) {
        w->moves = w->state.moves;
        w->moved_ms = now;
    }
    docker_pull_progress(&w->state, &g);
    limit = g.fetching ? docker_patience(w->d) : UNPACK_MS;
    if (now - w->moved_ms < limit)
        return false;
    error_set(err, ERR_TIMEOUT,
              "cannot pull %s: nothing came for %lld s (%zu of %zu layers, "
              "%llu of %llu bytes)",
              ref, (long long)limit / 1000, g.fetched, g.layers,
              (unsigned long long)g.done, (unsigned long long)g.total);
    if (err)
        failure_remedy(err, "MT-IMAGE-PULL");
    return true;
}

static bool
wait_pull(struct pulling *w, const struct docker_request *q, const char *ref,
          struct error *err)
{
    struct docker_async *c = docker_call_start(w->d, q, on_done, w, err);

    if (!c)
        return false;
    while (!w->done) {
        if ((w->run && step_cancelled(w->run, err)) || stalled(w, ref, err)) {
            docker_call_cancel(c);
            return false;
        }
        loop_turn(docker_loop(w->d), LOOK_MS);
        tell(w);
    }
    return true;
}

/* The registry's refusal, in whichever way it came. */
static bool
pull_outcome(struct pulling *w, const char *doing, struct error *err)
{
    struct error e = w->why;

    if (!e.code && w->state.error.n)
        docker_refused_words(0, buf_view(&w->state.error), doing, &e);
    else if (!e.code && w->state.strange && w->state.strange == w->state.lines)
        error_set(&e, ERR_PARSE,
                  "cannot %s: what answered is no engine (%zu lines that are "
                  "no JSON)",
                  doing, w->state.lines);
    if (!e.code)
        return true;
    if (!e.id[0])
        failure_remedy(&e, "MT-IMAGE-PULL");
    if (err)
        *err = e;
    return false;
}

/* The user's credential for the registry; wiped by the caller. */
static void
auth_header(const char *host, struct step_run *run, struct buf *out)
{
    struct error e = {0};
    struct dockerconfig *c = dockerconfig_open(NULL, &e);
    AUTO(mem_free_ptr) char *said = NULL;

    buf_puts(out, "X-Registry-Auth: ");
    if (!c)
        said = mem_printf("%s; pulling without credentials", e.msg);
    else if (!dockerconfig_header_for(c, host, out) &&
             dockerconfig_helper(c, host))
        said = mem_printf("credentials of %s are kept by the helper "
                          "docker-credential-%s, which is not asked",
                          host, dockerconfig_helper(c, host));
    if (said && run)
        step_log(run, str_of(said));
    dockerconfig_free(c);
}

static void
pull_path(const struct docker_ref *r, const char *platform, struct buf *path)
{
    buf_puts(path, "/images/create");
    kube_query_add(path, "fromImage", str_of(r->name));
    kube_query_add(path, "tag", str_of(r->digest[0] ? r->digest : r->tag));
    if (platform)
        kube_query_add(path, "platform", str_of(platform));
}

static bool
run_pull(struct pulling *w, const struct docker_ref *r, const char *platform,
         struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(8192);
    AUTO(dockerconfig_wipe) struct buf auth = BUF_INIT(HEADER_MAX);
    AUTO(mem_free_ptr) char *doing = mem_printf("pull %s", r->exact);
    struct docker_request q = {.method = "POST",
                               .on_data = on_bytes,
                               .arg = w,
                               .limit_ms = PULL_MS,
                               .doing = doing};
    size_t bare = strlen("X-Registry-Auth: ");

    pull_path(r, platform, &path);
    auth_header(r->host, w->run, &auth);
    q.path = buf_cstr(&path);
    q.header = auth.n > bare ? buf_cstr(&auth) : NULL;
    return wait_pull(w, &q, r->exact, err) && pull_outcome(w, doing, err);
}

bool
docker_pull(struct docker *d, struct step_run *run, const char *ref,
            const char *platform, struct arena *a, const char **digest,
            struct error *err)
{
    struct pulling w = {.d = d, .run = run};
    struct docker_image image;
    struct docker_ref r;
    bool ok;

    if (!docker_ref_parse(ref, a, &r, err))
        return false;
    docker_pull_init(&w.state);
    docker_lines_init(&w.lines, on_line, &w);
    ok = run_pull(&w, &r, platform, err);
    docker_lines_release(&w.lines);
    docker_pull_release(&w.state);
    if (!ok)
        return false;
    if (!docker_image(d, run, r.exact, a, &image, err)) {
        error_wrap(err, "the engine ended the pull of %s without it", ref);
        if (err && !err->id[0])
            failure_remedy(err, "MT-IMAGE-PULL");
        return false;
    }
    if (digest)
        *digest = r.digest[0] ? r.digest : docker_image_digest(&image, ref);
    return true;
}
