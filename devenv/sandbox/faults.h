/*
 * faults.h - what is to fail in the simulated cloud, and in whose words.
 *
 * What: two sources. The annotation sandbox.meshtop.io/fail on a managed
 * resource, "STEP: TEXT" or a reason alone; and objects of kind Fault, which
 * `meshtop sandbox fail` writes, and which also hold for resources that come
 * later. A Fault is meant for every managed resource of its name, or composed
 * by a composite resource of its name ("*": all), and of its kind when it says
 * one (Kind or plural, of the resource or of its composite).
 * Steps are connect, observe, create, update, delete, and ready: Synced, but
 * not Ready. A Fault without a step fails the next call that is made: create,
 * or observe when the resource exists; `unavailable` means ready.
 * A reason is one of a table (forbidden, quota, timeout, slow, notfound,
 * unavailable), which has the words of each cloud, or the message itself.
 * Lifetimes: a struct faults is embedded in the provider.
 */
#ifndef DEVENV_SANDBOX_FAULTS_H
#define DEVENV_SANDBOX_FAULTS_H

#include "devenv/sandbox/registry.h"

struct fault {
    char *object; /* of the Fault */
    char *kind, *ns, *name, *step, *reason;
    int64_t until_s; /* 0: no end */
};

struct faults {
    struct registry *registry;
    struct fault *v;
    size_t n, cap;
    bool loaded;
};

/* What hits a call. */
struct fault_hit {
    const char *step;   /* the one asked for */
    const char *reason; /* a row's name, or the message; lives as faults or
                           the annotation */
    bool literal;       /* it is the message, whatever the table says */
    int64_t until_s;
};

void faults_init(struct faults *f, struct registry *r);
void faults_release(struct faults *f);
/* They are read again when next needed. */
void faults_heard(struct faults *f);
/* Whether mr of kind k fails at step now; exists: in the cloud. Faults whose
 * time is over are deleted on the way. */
bool faults_find(struct faults *f, const struct json *mr, const struct kind *k,
                 const char *step, bool exists, int64_t now_s,
                 struct fault_hit *out);
/* Milliseconds that mr takes longer, 0 when nothing makes it slow. */
int64_t faults_slow_ms(struct faults *f, const struct json *mr,
                       const struct kind *k, int64_t now_s);
/* The message of reason in family ("gcp"; NULL: any other) as a template of
 * provider_text; reason itself when it is none of the table. */
const char *faults_message(const char *reason, const char *family);

#endif
