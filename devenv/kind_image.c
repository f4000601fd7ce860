#include "devenv/kind_image.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "devenv/docker_exec.h"
#include "devenv/docker_image.h"
#include "devenv/lock.h"

#define IMAGE        "node"
#define ON_CGROUP_V1 "cgroup-v1"

char *
kind_image_choose(const struct docker_info *info, const char *asked,
                  const char *mirror, struct error *err)
{
    AUTO(lock_release) struct lock lock = {0};
    AUTO(buf_release) struct buf ref = BUF_INIT(4096);
    const struct lock_entry *e = NULL;

    if (asked)
        return mem_strdup(asked);
    if (!lock_load(&lock, err))
        return NULL;
    if (strcmp(info->cgroup_version, "1") == 0)
        e = lock_for(&lock, IMAGE, ON_CGROUP_V1);
    if (!e)
        e = lock_default(&lock, IMAGE);
    if (!e || !lock_reference(e, mirror, &ref)) {
        error_set(err, ERR_INTERNAL, "the lock has no node image");
        return NULL;
    }
    return buf_take(&ref);
}

/* ---- copies in the nodes ---- */

#define ARCHIVE         "/kind/meshtop-image.tar" /* no tmpfs: it can be put */
#define IMPORT_LIMIT_MS 300000
#define TEXT_MAX        ((size_t)64 << 10)

/* containerd knows images by their whole name: docker.io/library/x:latest. */
static char *
whole_name(const char *ref, struct arena *a)
{
    const char *host = docker_ref_host(ref, a);
    size_t n = strlen(host);
    const char *path =
        strncmp(ref, host, n) == 0 && ref[n] == '/' ? ref + n + 1 : ref;
    const char *last = strrchr(path, '/');
    bool hub = strcmp(host, "docker.io") == 0;

    return mem_printf("%s/%s%s%s", host, hub && !last ? "library/" : "", path,
                      strpbrk(last ? last : path, ":@") ? "" : ":latest");
}

static bool
in_node(struct docker *d, struct step_run *run, const char *node,
        const char *const *argv, struct buf *out, struct error *err)
{
    AUTO(buf_release) struct buf said = BUF_INIT(TEXT_MAX);
    struct docker_exec x = {.argv = argv, .limit_ms = IMPORT_LIMIT_MS};
    int status = 0;

    if (!docker_exec(d, run, node, &x, &status, out, &said, err))
        return false;
    return status == 0 ||
           error_set(err, ERR_IO, "%s in %s ended with %d: %.*s", argv[0], node,
                     status, STR_ARG(str_trim(buf_view(&said))));
}

bool
kind_image_in_node(struct docker *d, const char *node, const char *ref,
                   struct step_run *run, bool *has, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(buf_release) struct buf out = BUF_INIT(TEXT_MAX);
    AUTO(mem_free_ptr) char *name = whole_name(ref, a);
    AUTO(mem_free_ptr) char *filter = mem_printf("name==%s", name);
    const char *const argv[] = {
        "ctr", "--namespace=k8s.io", "images", "ls", "-q", filter, NULL};

    if (!in_node(d, run, node, argv, &out, err))
        return false;
    *has = str_eqz(str_trim(buf_view(&out)), name);
    return true;
}

static bool
import(struct docker *d, const char *node, const char *ref, const char *local,
       struct step_run *run, struct error *err)
{
    static const char *const bring[] = {
        "ctr",       "--namespace=k8s.io",      "images", "import",
        "--digests", "--snapshotter=overlayfs", ARCHIVE,  NULL};
    static const char *const clean[] = {"rm", "-f", ARCHIVE, NULL};
    bool has = false;
    bool ok = docker_put_file_from(d, run, node, ARCHIVE, 0600, local, err) &&
              in_node(d, run, node, bring, NULL, err);

    in_node(d, run, node, clean, NULL, NULL);
    if (!ok || !kind_image_in_node(d, node, ref, run, &has, err))
        return false;
    return has || error_set(err, ERR_IO,
                            "%s was brought into %s, and is not "
                            "there",
                            ref, node);
}

/* The nodes that lack ref, one after the other. */
static bool
bring_to_all(struct docker *d, const struct kind_cluster *c, const char *ref,
             const char *local, struct step_run *run, struct error *err)
{
    for (size_t i = 0; i < c->nodes.n; i++) {
        const char *node = c->nodes.v[i].name;
        bool has = false;

        if (!kind_image_in_node(d, node, ref, run, &has, err))
            return false;
        step_detail(run, "%s into %s", ref, node);
        if (!has && !import(d, node, ref, local, run, err))
            return error_wrap(err, "%s", node);
    }
    return true;
}

bool
kind_image_preload(struct docker *d, const struct kind_cluster *c,
                   const char *ref, struct step_run *run, struct error *err)
{
    const char *const refs[] = {ref, NULL};
    const char *tmp = getenv("TMPDIR");
    AUTO(mem_free_ptr)
    char *local = mem_printf("%s/meshtop-image-XXXXXX", tmp ? tmp : "/tmp");
    int fd = mkstemp(local);

    if (fd < 0)
        return error_errno(err, ERR_IO, "%s", local);
    close(fd);
    bool ok = docker_image_save(d, run, refs, local, err) &&
              bring_to_all(d, c, ref, local, run, err);

    unlink(local);
    return ok;
}
