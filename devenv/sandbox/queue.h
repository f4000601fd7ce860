/*
 * queue.h - what the controllers have still to look at.
 *
 * What: jobs (one object each) in lanes, each job at most once; delayed
 * jobs; retries with exponential back-off under one rate for all, so that what
 * is broken cannot keep the rest waiting. The low lane is for what merely
 * might have changed.
 * Fair: inside a lane the namespaces take turns, for each kind of job, so a
 * namespace with a thousand jobs delays another's single one by one job.
 * Invariants: a job that is taken is out of the queue and may be added again
 * at once; of several adds the earliest due and the higher lane win. There is
 * at most one item for an object, which bounds the memory by the objects.
 * Lifetime: the texts of a taken job live until the next queue_take.
 */
#ifndef DEVENV_SANDBOX_QUEUE_H
#define DEVENV_SANDBOX_QUEUE_H

#include "lib/base/str.h"

enum job_kind {
    JOB_XRD,
    JOB_COMPOSITION,
    JOB_REVISION,
    JOB_PACKAGE,
    JOB_MRD,
    JOB_MRAP,
    JOB_XR,
    JOB_CLAIM,
    JOB_MANAGED,
    JOB_WORKLOAD,
    JOB_USAGE,
    JOB_REPLAY, /* a deletion that was refused once */
};

struct job {
    enum job_kind kind;
    const char *group, *plural; /* "" core */
    const char *ns, *name;      /* ns "" at cluster scope */
};

/* The first lane is for what defines things: before the things. */
enum queue_lane { QUEUE_FIRST, QUEUE_NORMAL, QUEUE_LOW, QUEUE_LANES };

struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *q);
/* Adds a job, due at now_ms + delay_ms (0: at once). The texts are copied. */
void queue_add(struct queue *q, enum queue_lane lane, const struct job *j,
               int64_t now_ms, int64_t delay_ms);
/* All retries together: this many a second, after a burst. Crossplane limits
 * all reconciles so (--max-reconcile-rate); those that are no retries come from
 * a change, and are done at once here. */
#define QUEUE_RETRY_RATE  100
#define QUEUE_RETRY_BURST 1000
/* Adds it again after first_ms, twice as long each time, at most max_ms, and
 * not before the rate of all retries allows. */
void queue_retry(struct queue *q, enum queue_lane lane, const struct job *j,
                 int64_t now_ms, int64_t first_ms, int64_t max_ms);
/* The next queue_retry of j starts from first_ms again. */
void queue_forget(struct queue *q, const struct job *j);
/* Takes the next job of the lane that is due. */
bool queue_take(struct queue *q, int64_t now_ms, enum queue_lane lane,
                struct job *out);
/* Milliseconds until queue_take has something: 0 now, -1 never (any lane). */
int64_t queue_due(struct queue *q, int64_t now_ms);
/* Jobs that are due or delayed. */
size_t queue_length(const struct queue *q);

#endif
