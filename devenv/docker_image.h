/*
 * docker_image.h - images of an engine: look, pull, load, save, remove.
 *
 * Invariants and errors as docker.h says. A reference is what `docker pull`
 * takes: [host[:port]/]path[:tag][@sha256:...]. Without tag and digest it
 * means :latest. With both the digest counts, and the image has no tag after
 * a pull. Pull failures: MT-NET-DNS (the registry cannot be reached),
 * MT-NET-RATELIMIT, MT-NET-PROXY (its certificate is not trusted),
 * MT-HOST-DISK, else MT-IMAGE-PULL, each with the registry's own words.
 */
#ifndef DEVENV_DOCKER_IMAGE_H
#define DEVENV_DOCKER_IMAGE_H

#include "devenv/docker.h"

struct docker_image {
    const char *id;        /* "sha256:..." */
    const char *os, *arch; /* "" in a list */
    int64_t size;          /* bytes, unpacked */
    int64_t created_s;
    const char **tags, **digests; /* "repo:tag", "repo@sha256:..." */
    size_t tags_n, digests_n;
};

struct docker_images {
    struct docker_image *v;
    size_t n;
};

/* Lives in a. Not there: ERR_NOT_FOUND. */
bool docker_image(struct docker *d, struct step_run *run, const char *ref,
                  struct arena *a, struct docker_image *out, struct error *err);
/* Images that match reference ("kindest/node", NULL: all). */
bool docker_images(struct docker *d, struct step_run *run,
                   const char *reference, struct arena *a,
                   struct docker_images *out, struct error *err);
/* "sha256:..." of a digest the image has for ref's repository, or "". */
const char *docker_image_digest(const struct docker_image *i, const char *ref);

/* Pulls ref: bytes of all layers go to the run (step_bytes), what it does to
 * its detail. platform is "linux/arm64" or NULL. Ends when no byte and no
 * layer moved for 60 s (the engine's own retries do not count), or after 30
 * minutes. Credentials for ref's host come from the user's docker
 * configuration. The image is looked at afterwards: *digest (may be NULL) is
 * its digest in a, or "". */
bool docker_pull(struct docker *d, struct step_run *run, const char *ref,
                 const char *platform, struct arena *a, const char **digest,
                 struct error *err);

/* Loads a `docker save` archive from a file; the references it brought are
 * added to loaded (may be NULL). */
bool docker_image_load(struct docker *d, struct step_run *run, const char *path,
                       struct strlist *loaded, struct error *err);
/* Saves images (NULL-terminated) into one archive; path appears only whole. */
bool docker_image_save(struct docker *d, struct step_run *run,
                       const char *const *refs, const char *path,
                       struct error *err);
/* Not there is fine; in use by a container is ERR_CONFLICT. */
bool docker_image_delete(struct docker *d, struct step_run *run,
                         const char *ref, struct error *err);

/* The registry of a reference: "docker.io", "localhost:5001". Lives in a. */
const char *docker_ref_host(const char *ref, struct arena *a);

#endif
