/*
 * Items hang in a map by key. A ready item is in the list of its flow: the jobs
 * of one kind and one namespace; the flows of a lane that have any are a ring.
 * A delayed item is in a heap by due time. Moving a delayed item leaves a stale
 * heap entry behind, which `entries` counts so that the item outlives it.
 */
#include "devenv/sandbox/queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

enum item_state { ITEM_IDLE, ITEM_READY, ITEM_DELAYED };

struct item {
    struct item *prev, *next; /* in a flow */
    struct flow *flow;        /* that it is ready in */
    enum item_state state;
    enum queue_lane lane;
    int64_t due;
    unsigned failures;
    size_t entries; /* in the heap, stale ones included */
    struct job job; /* texts point into text */
    size_t key_len;
    char text[];
};

struct flow {
    struct flow *prev, *next; /* around the lane */
    struct item *first, *last;
    size_t key_len;
    char key[];
};

struct lane {
    struct map flows;
    struct flow *turn; /* whose job comes next; NULL: empty */
};

struct entry {
    int64_t due;
    uint64_t order;
    struct item *item;
};

struct queue {
    struct map items;
    struct lane lanes[QUEUE_LANES];
    int64_t retries_until; /* the rate's clock: when the last retry is paid */
    struct entry *heap;
    size_t heap_n, heap_cap;
    uint64_t order;
    struct item *taken;
    size_t waiting;
};

struct queue *
queue_new(void)
{
    return mem_zalloc(1, sizeof(struct queue));
}

void
queue_free(struct queue *q)
{
    if (!q)
        return;
    map_release(&q->items, free);
    for (size_t i = 0; i < ARRAY_LEN(q->lanes); i++)
        map_release(&q->lanes[i].flows, free);
    free(q->heap);
    free(q);
}

/* ---- items ---- */

/* kind, group, plural, ns, name, each with its NUL: key and texts in one. */
static size_t
write_key(const struct job *j, struct buf *b)
{
    const char *parts[] = {j->group, j->plural, j->ns, j->name};

    buf_putc(b, (char)('A' + j->kind));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *z = parts[i] ? parts[i] : "";

        buf_add(b, z, strlen(z) + 1);
    }
    return b->n;
}

static struct item *
item_new(const struct job *j, struct str key)
{
    struct item *it = mem_zalloc(1, sizeof(*it) + key.n);
    const char **parts[] = {&it->job.group, &it->job.plural, &it->job.ns,
                            &it->job.name};
    char *p = it->text + 1;

    memcpy(it->text, key.s, key.n);
    it->key_len = key.n;
    it->job.kind = j->kind;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        *parts[i] = p;
        p += strlen(p) + 1;
    }
    return it;
}

static struct item *
item_find(struct queue *q, const struct job *j, bool make)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct item *it;

    write_key(j, &b);
    it = map_get(&q->items, buf_view(&b));
    if (!it && make) {
        it = item_new(j, buf_view(&b));
        map_put(&q->items, buf_view(&b), it);
    }
    return it;
}

static void
item_drop(struct queue *q, struct item *it)
{
    if (it->state != ITEM_IDLE || it->entries || it->failures || it == q->taken)
        return;
    map_del(&q->items, str_n(it->text, it->key_len));
    free(it);
}

/* ---- lanes ---- */

static struct flow *
flow_need(struct lane *l, const struct job *j)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct flow *f;

    buf_putc(&key, (char)('A' + j->kind));
    buf_puts(&key, j->ns);
    f = map_get(&l->flows, buf_view(&key));
    if (f)
        return f;
    f = mem_zalloc(1, sizeof(*f) + key.n);
    f->key_len = key.n;
    memcpy(f->key, buf_cstr(&key), key.n);
    f->next = l->turn ? l->turn : f;
    f->prev = l->turn ? l->turn->prev : f;
    f->prev->next = f->next->prev = f;
    if (!l->turn)
        l->turn = f;
    map_put(&l->flows, buf_view(&key), f);
    return f;
}

static void
flow_drop(struct lane *l, struct flow *f)
{
    if (l->turn == f)
        l->turn = f->next == f ? NULL : f->next;
    f->prev->next = f->next;
    f->next->prev = f->prev;
    map_del(&l->flows, str_n(f->key, f->key_len));
    free(f);
}

static void
lane_append(struct queue *q, struct item *it)
{
    struct flow *f = flow_need(&q->lanes[it->lane], &it->job);

    it->flow = f;
    it->prev = f->last;
    it->next = NULL;
    if (f->last)
        f->last->next = it;
    else
        f->first = it;
    f->last = it;
    it->state = ITEM_READY;
    q->waiting++;
}

static void
lane_remove(struct queue *q, struct item *it)
{
    struct flow *f = it->flow;

    if (it->prev)
        it->prev->next = it->next;
    else
        f->first = it->next;
    if (it->next)
        it->next->prev = it->prev;
    else
        f->last = it->prev;
    if (!f->first)
        flow_drop(&q->lanes[it->lane], f);
    it->state = ITEM_IDLE;
    q->waiting--;
}

/* ---- the heap of delayed items ---- */

static bool
before(const struct entry *a, const struct entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
heap_swap(struct queue *q, size_t a, size_t b)
{
    struct entry e = q->heap[a];

    q->heap[a] = q->heap[b];
    q->heap[b] = e;
}

static void
heap_push(struct queue *q, struct item *it)
{
    size_t i = q->heap_n;

    q->heap = mem_grow(q->heap, &q->heap_cap, i + 1, sizeof(*q->heap));
    q->heap[q->heap_n++] = (struct entry){it->due, q->order++, it};
    it->entries++;
    for (; i && before(&q->heap[i], &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(q, i, (i - 1) / 2);
}

static struct item *
heap_pop(struct queue *q)
{
    struct item *it = q->heap[0].item;
    size_t i = 0;

    it->entries--;
    q->heap[0] = q->heap[--q->heap_n];
    for (;;) {
        size_t least = i;

        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < q->heap_n; k++) {
            if (before(&q->heap[k], &q->heap[least]))
                least = k;
        }
        if (least == i)
            return it;
        heap_swap(q, i, least);
        i = least;
    }
}

/* Moves what is due into the lanes and drops stale entries at the top. */
static void
heap_ripen(struct queue *q, int64_t now)
{
    while (q->heap_n) {
        const struct entry *top = &q->heap[0];
        bool live =
            top->item->state == ITEM_DELAYED && top->item->due == top->due;

        if (live && top->due > now)
            return;
        struct item *it = heap_pop(q);

        if (live) {
            q->waiting--;
            lane_append(q, it);
        } else {
            item_drop(q, it);
        }
    }
}

/* ---- the queue ---- */

void
queue_add(struct queue *q, enum queue_lane lane, const struct job *j,
          int64_t now, int64_t delay)
{
    struct item *it = item_find(q, j, true);
    int64_t due = now + MAX(delay, 0);

    if (it->state == ITEM_READY) {
        if (lane < it->lane) {
            lane_remove(q, it);
            it->lane = lane;
            lane_append(q, it);
        }
        return;
    }
    if (it->state == ITEM_DELAYED) {
        it->lane = MIN(it->lane, lane);
        if (it->due <= due)
            return;
        q->waiting--;
        it->state = ITEM_IDLE;
    } else {
        it->lane = lane;
    }
    if (delay <= 0) {
        lane_append(q, it);
        return;
    }
    it->due = due;
    it->state = ITEM_DELAYED;
    q->waiting++;
    heap_push(q, it);
}

void
queue_retry(struct queue *q, enum queue_lane lane, const struct job *j,
            int64_t now, int64_t first, int64_t max)
{
    struct item *it = item_find(q, j, true);
    int64_t delay = first, each = 1000 / QUEUE_RETRY_RATE;

    for (unsigned i = 0; i < it->failures && delay < max; i++)
        delay *= 2;
    if (it->failures < UINT32_MAX)
        it->failures++;
    q->retries_until = MAX(q->retries_until, now - QUEUE_RETRY_BURST * each);
    q->retries_until += each;
    delay = MAX(MIN(delay, max), q->retries_until - now);
    queue_add(q, lane, j, now, delay);
}

void
queue_forget(struct queue *q, const struct job *j)
{
    struct item *it = item_find(q, j, false);

    if (!it)
        return;
    it->failures = 0;
    item_drop(q, it);
}

bool
queue_take(struct queue *q, int64_t now, enum queue_lane lane, struct job *out)
{
    struct lane *l = &q->lanes[lane];
    struct item *old = q->taken, *it;

    q->taken = NULL;
    if (old)
        item_drop(q, old);
    heap_ripen(q, now);
    if (!l->turn)
        return false;
    it = l->turn->first;
    l->turn = l->turn->next;
    lane_remove(q, it);
    q->taken = it;
    *out = it->job;
    return true;
}

int64_t
queue_due(struct queue *q, int64_t now)
{
    heap_ripen(q, now);
    for (size_t i = 0; i < QUEUE_LANES; i++) {
        if (q->lanes[i].turn)
            return 0;
    }
    return q->heap_n ? q->heap[0].due - now : -1;
}

size_t
queue_length(const struct queue *q)
{
    return q->waiting;
}
