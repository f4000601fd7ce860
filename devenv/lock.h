/*
 * lock.h - the versions this program was made for: kind-config/versions.lock.
 *
 * What: every tool, image, chart and package `up` may fetch, each with where it
 * comes from and what it must be. The file is compiled in (lib/base/asset.h);
 * it is a stream of YAML documents, one entry each, so that every error names
 * the line of its entry. What the keys mean stands at the head of the file.
 * Names: tools kind, kubectl, helm, crossplane-cli; images node, crossplane;
 * charts crossplane-chart; packages function-go-templating and so on.
 * Invariants: reading is strict: an unknown key, a duplicate, a URL that is
 * not https, a hash that is no hash, a hash without `vetted`, two defaults are
 * errors. Every name has exactly one default.
 * Lifetimes: entries belong to the lock; struct lock is zeroed before loading
 * and released with lock_release.
 */
#ifndef DEVENV_LOCK_H
#define DEVENV_LOCK_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/str.h"

#include "devenv/profile.h"

enum lock_kind { LOCK_TOOL, LOCK_IMAGE, LOCK_CHART, LOCK_PACKAGE };

/* A file of an entry for one platform. Texts that do not apply are NULL. */
struct lock_file {
    char *platform; /* "linux/amd64"; "any" */
    char *url;      /* https */
    struct strlist mirrors;
    char *sha256;       /* 64 hex digits; NULL: not vetted */
    char *checksum_url; /* the vendor's checksum file */
    char *member;       /* path inside the .tar.gz; NULL: plain binary */
    uint64_t size;      /* bytes of the download; 0: not known */
};

struct lock_entry {
    enum lock_kind kind;
    unsigned line; /* in the lock, from 1 */
    bool is_default;
    char *name, *version;
    char *use;      /* words: what it is for, "kind-v0.30 cgroup-v1" */
    char *ref;      /* image or package with its tag, without digest */
    char *digest;   /* "sha256:..."; NULL: resolved on first use */
    char *accept;   /* range of a tool on PATH: ">=0.30.0 <1.0.0" */
    char *vetted;   /* who vouches for digest or hashes; NULL: nobody yet */
    uint64_t about; /* bytes over the network, an estimate; 0: not known */
    struct lock_file *files;
    size_t files_n;
};

struct lock {
    struct lock_entry *v;
    size_t n, cap;
};

/* The lock that is compiled in. */
bool lock_load(struct lock *l, struct error *err);
/* Reads text (at most 1 MiB, 1000 entries); source is its name in errors:
 * "versions.lock:12: kind v0.33.0: ...". */
bool lock_parse(struct str text, const char *source, struct lock *l,
                struct error *err);
void lock_release(struct lock *l);

/* The entry; version NULL: the default. NULL when there is none. */
const struct lock_entry *lock_find(const struct lock *l, const char *name,
                                   const char *version);
const struct lock_entry *lock_default(const struct lock *l, const char *name);
/* The first entry of that name with this word among its uses: "cgroup-v1" (the
 * engine has no cgroup v2), "kind-v0.31" (the default of that kind); or NULL.
 */
const struct lock_entry *lock_for(const struct lock *l, const char *name,
                                  const char *use);
/* The file for a platform; NULL: this machine's. NULL when there is none. */
const struct lock_file *lock_file(const struct lock_entry *e,
                                  const char *platform);
/* "linux/amd64" of this machine. */
const char *lock_platform(void);

/* Appends the reference to pull: ref, and @digest where it is locked. With a
 * mirror ("host[/prefix]") that takes the registry's place, as Crossplane's
 * ImageConfig rewrites a prefix; the digest stays, so a mirror cannot lie. */
bool lock_reference(const struct lock_entry *e, const char *mirror,
                    struct buf *out);

/* "sha256:" and 64 lower-case hex digits? */
bool lock_is_digest(const char *text);

/* All entries: a table for people, or JSON (one array, pretty). `doctor
 * --lock`. */
bool lock_print(const struct lock *l, bool json, struct buf *out);

/* What ref (without digest; kind: "image" or "package") was resolved to. The
 * first time the profile remembers it (fact "image/REF"; the caller saves); a
 * digest that differs from the remembered or the locked one is ERR_INVALID
 * with MT-DIGEST-CHANGED. digest is "sha256:" and 64 hex digits. */
bool lock_pin(struct profile *p, const char *kind, const char *ref,
              const char *digest, struct error *err);

#endif
