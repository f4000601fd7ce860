#include "lib/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

/*
 * Every handle starts with a struct node on a list of its loop. _del marks the
 * node dead, takes it out of the kernel's and the heap's sight and remembers
 * it; the memory goes at the end of the outermost turn, so that an event that
 * was already fetched, or a list that is being walked, never meets freed
 * memory. Signals and children are descriptors like any other (signalfd,
 * pidfd) and hang on a struct loop_fd.
 */

enum { LIST_FD, LIST_TIMER, LIST_SIGNAL, LIST_CHILD, LIST_HOOK, LIST_COUNT };

struct node {
    struct node *next, **link; /* *link == this */
    struct node *grave;
    struct loop *l;
    bool dead;
};

struct loop_fd {
    struct node node;
    int fd;
    unsigned events; /* LOOP_*; 0: the kernel does not watch it */
    loop_fd_fn *fn;
    void *arg;
};

struct loop_timer {
    struct node node;
    int64_t due;
    uint64_t seq;    /* order of arming: equal dues run first come first */
    size_t position; /* in the heap, from 1; 0: not armed */
    loop_fn *fn;
    void *arg;
};

struct loop_signal {
    struct node node;
    int signo;
    loop_signal_fn *fn;
    void *arg;
};

struct loop_child {
    struct node node;
    pid_t pid;
    int pidfd;
    struct loop_fd *watch;
    loop_child_fn *fn;
    void *arg;
};

struct loop_hook {
    struct node node;
    loop_hook_fn *fn;
    void *arg;
};

struct call {
    loop_fn *fn; /* NULL: forgotten */
    void *arg;
};

struct calls {
    struct call *v;
    size_t first, n, cap; /* v[first..n-1] wait */
};

struct loop {
    int epoll;
    int64_t now;
    unsigned depth; /* turns on the stack */
    bool stopped;
    int code;
    struct node *lists[LIST_COUNT], *graves;
    struct loop_timer **heap;
    size_t timers, heap_cap;
    uint64_t seq;
    struct calls waiting;
    uint64_t calls; /* callbacks made */
    struct loop_diverted diverted;
    int signalfd;
    struct loop_fd *signal_watch;
    sigset_t watched, original;
};

#define FDS_PER_TURN 64

/* ---- handles ---- */

static void
node_add(struct loop *l, unsigned list, struct node *n)
{
    n->l = l;
    n->link = &l->lists[list];
    n->next = l->lists[list];
    if (n->next)
        n->next->link = &n->next;
    l->lists[list] = n;
}

static void
node_free(struct node *n)
{
    *n->link = n->next;
    if (n->next)
        n->next->link = n->link;
    free(n);
}

static void
sweep(struct loop *l)
{
    while (l->graves) {
        struct node *n = l->graves;

        l->graves = n->grave;
        node_free(n);
    }
}

static void
node_bury(struct node *n)
{
    struct loop *l = n->l;

    n->dead = true;
    n->grave = l->graves;
    l->graves = n;
    if (!l->depth)
        sweep(l);
}

/* ---- the loop ---- */

struct loop *
loop_new(struct error *err)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0) {
        error_errno(err, ERR_IO, "cannot create an event loop");
        return NULL;
    }
    struct loop *l = mem_zalloc(1, sizeof(*l));

    l->epoll = fd;
    l->signalfd = -1;
    sigemptyset(&l->watched);
    sigprocmask(SIG_BLOCK, NULL, &l->original);
    l->now = clock_mono_ms(clock_system());
    return l;
}

void
loop_free(struct loop *l)
{
    if (!l)
        return;
    assert(!l->depth);
    while (l->lists[LIST_CHILD])
        loop_child_del((struct loop_child *)l->lists[LIST_CHILD]);
    if (l->signalfd >= 0) {
        close(l->signalfd);
        sigprocmask(SIG_SETMASK, &l->original, NULL);
    }
    for (unsigned i = 0; i < LIST_COUNT; i++) {
        while (l->lists[i])
            node_free(l->lists[i]);
    }
    free(l->heap);
    free(l->waiting.v);
    close(l->epoll);
    free(l);
}

int64_t
loop_now(const struct loop *l)
{
    return l->now;
}

/* Between turns nobody keeps the time fresh. */
static int64_t
fresh_now(struct loop *l)
{
    if (!l->depth)
        l->now = clock_mono_ms(clock_system());
    return l->now;
}

void
loop_stop(struct loop *l, int code)
{
    l->stopped = true;
    l->code = code;
}

/* ---- descriptors ---- */

static void
fd_control(struct loop_fd *h, int op)
{
    struct epoll_event e = {.data.ptr = h};

    if (h->events == LOOP_HANGUP)
        e.events = EPOLLRDHUP | EPOLLET;
    if (h->events & LOOP_READ)
        e.events |= EPOLLIN;
    if (h->events & LOOP_WRITE)
        e.events |= EPOLLOUT;
    if (epoll_ctl(h->node.l->epoll, op, h->fd, &e) < 0)
        assert(op != EPOLL_CTL_MOD || errno == EBADF || errno == ENOENT);
}

struct loop_fd *
loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *arg,
            struct error *err)
{
    struct epoll_event probe = {0};

    /* Asks the kernel whether it can watch this one (a plain file cannot). */
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &probe) < 0) {
        error_errno(err, ERR_IO, "cannot watch descriptor %d", fd);
        return NULL;
    }
    struct loop_fd *h = mem_zalloc(1, sizeof(*h));

    h->fd = fd;
    h->events = events;
    h->fn = fn;
    h->arg = arg;
    node_add(l, LIST_FD, &h->node);
    fd_control(h, events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL);
    return h;
}

void
loop_fd_set(struct loop_fd *h, unsigned events)
{
    unsigned before = h->events;

    if (events == before || h->node.dead)
        return;
    h->events = events;
    /* Without interest it is taken out: the kernel would report a hang-up for
     * ever. */
    if (!events)
        fd_control(h, EPOLL_CTL_DEL);
    else
        fd_control(h, before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
}

void
loop_fd_del(struct loop_fd *h)
{
    if (!h || h->node.dead)
        return;
    if (h->events)
        fd_control(h, EPOLL_CTL_DEL);
    h->events = 0;
    node_bury(&h->node);
}

static void
fd_deliver(struct loop_fd *h, uint32_t got)
{
    unsigned events = 0;

    if (h->node.dead || !h->events)
        return;
    if (got & EPOLLIN)
        events |= LOOP_READ;
    if (got & EPOLLOUT)
        events |= LOOP_WRITE;
    /* Who reads or writes learns the reason by doing it. */
    if (got & (EPOLLHUP | EPOLLERR))
        events |= LOOP_HANGUP | (h->events & (LOOP_READ | LOOP_WRITE));
    if (got & EPOLLRDHUP)
        events |= LOOP_HANGUP;
    h->node.l->calls++;
    h->fn(h->arg, events);
}

/* ---- timers: a binary heap by (due, seq), positions from 1 ---- */

static bool
earlier(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void
heap_put(struct loop *l, size_t at, struct loop_timer *t)
{
    l->heap[at - 1] = t;
    t->position = at;
}

static void
heap_up(struct loop *l, size_t at, struct loop_timer *t)
{
    while (at > 1 && earlier(t, l->heap[at / 2 - 1])) {
        heap_put(l, at, l->heap[at / 2 - 1]);
        at /= 2;
    }
    heap_put(l, at, t);
}

static void
heap_down(struct loop *l, size_t at, struct loop_timer *t)
{
    for (size_t child = at * 2; child <= l->timers; child = at * 2) {
        if (child < l->timers && earlier(l->heap[child], l->heap[child - 1]))
            child++;
        if (!earlier(l->heap[child - 1], t))
            break;
        heap_put(l, at, l->heap[child - 1]);
        at = child;
    }
    heap_put(l, at, t);
}

static void
heap_remove(struct loop *l, struct loop_timer *t)
{
    size_t at = t->position;
    struct loop_timer *last = l->heap[--l->timers];

    t->position = 0;
    if (last == t)
        return;
    if (at > 1 && earlier(last, l->heap[at / 2 - 1]))
        heap_up(l, at, last);
    else
        heap_down(l, at, last);
}

struct loop_timer *
loop_timer_add(struct loop *l, int64_t delay_ms, loop_fn *fn, void *arg)
{
    struct loop_timer *t = mem_zalloc(1, sizeof(*t));

    t->fn = fn;
    t->arg = arg;
    node_add(l, LIST_TIMER, &t->node);
    loop_timer_set(t, delay_ms);
    return t;
}

void
loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
    struct loop *l = t->node.l;

    if (t->node.dead)
        return;
    if (t->position)
        heap_remove(l, t);
    if (delay_ms < 0)
        return;
    t->due = fresh_now(l) + delay_ms;
    t->seq = l->seq++;
    l->heap = mem_grow(l->heap, &l->heap_cap, l->timers + 1, sizeof(t));
    l->timers++;
    heap_up(l, l->timers, t);
}

void
loop_timer_del(struct loop_timer *t)
{
    if (!t || t->node.dead)
        return;
    if (t->position)
        heap_remove(t->node.l, t);
    node_bury(&t->node);
}

static void
run_timers(struct loop *l)
{
    /* What is armed from here on waits for the next turn. */
    uint64_t before = l->seq;

    while (l->timers && l->heap[0]->due <= l->now && l->heap[0]->seq < before) {
        struct loop_timer *t = l->heap[0];

        heap_remove(l, t);
        l->calls++;
        t->fn(t->arg);
    }
}

/* ---- signals ---- */

static void
deliver_signals(void *arg, unsigned events UNUSED)
{
    struct loop *l = arg;
    struct signalfd_siginfo info;

    while (read(l->signalfd, &info, sizeof(info)) == sizeof(info)) {
        for (struct node *n = l->lists[LIST_SIGNAL]; n; n = n->next) {
            struct loop_signal *s = (struct loop_signal *)n;

            if (!n->dead && s->signo == (int)info.ssi_signo)
                s->fn(s->arg, s->signo);
        }
    }
}

struct loop_signal *
loop_signal_add(struct loop *l, int signo, loop_signal_fn *fn, void *arg,
                struct error *err)
{
    sigset_t want = l->watched;

    sigaddset(&want, signo);
    int fd = signalfd(l->signalfd, &want, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0) {
        error_errno(err, ERR_IO, "cannot watch signal %d", signo);
        return NULL;
    }
    l->signalfd = fd;
    if (!l->signal_watch)
        l->signal_watch =
            loop_fd_add(l, fd, LOOP_READ, deliver_signals, l, err);
    if (!l->signal_watch)
        return NULL;
    l->watched = want;
    sigprocmask(SIG_BLOCK, &want, NULL);
    struct loop_signal *s = mem_zalloc(1, sizeof(*s));

    s->signo = signo;
    s->fn = fn;
    s->arg = arg;
    node_add(l, LIST_SIGNAL, &s->node);
    return s;
}

void
loop_signal_del(struct loop_signal *s)
{
    sigset_t only;

    if (!s || s->node.dead)
        return;
    struct loop *l = s->node.l;
    int signo = s->signo;

    node_bury(&s->node);
    for (struct node *n = l->lists[LIST_SIGNAL]; n; n = n->next) {
        if (!n->dead && ((struct loop_signal *)n)->signo == signo)
            return;
    }
    sigdelset(&l->watched, signo);
    signalfd(l->signalfd, &l->watched, SFD_NONBLOCK | SFD_CLOEXEC);
    sigemptyset(&only);
    sigaddset(&only, signo);
    if (!sigismember(&l->original, signo))
        sigprocmask(SIG_UNBLOCK, &only, NULL);
}

/* ---- children ---- */

static void
child_ended(void *arg, unsigned events UNUSED)
{
    struct loop_child *c = arg;
    int status;
    pid_t got = waitpid(c->pid, &status, WNOHANG);

    if (got == 0 || (got < 0 && errno == EINTR))
        return;
    loop_fd_del(c->watch);
    c->watch = NULL;
    c->fn(c->arg, c->pid, got == c->pid ? status : 0);
}

struct loop_child *
loop_child_add(struct loop *l, pid_t pid, loop_child_fn *fn, void *arg,
               struct error *err)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0) {
        error_errno(err, ERR_IO, "cannot watch process %d", (int)pid);
        return NULL;
    }
    struct loop_child *c = mem_zalloc(1, sizeof(*c));

    c->pid = pid;
    c->pidfd = fd;
    c->fn = fn;
    c->arg = arg;
    c->watch = loop_fd_add(l, fd, LOOP_READ, child_ended, c, err);
    if (!c->watch) {
        close(fd);
        free(c);
        return NULL;
    }
    node_add(l, LIST_CHILD, &c->node);
    return c;
}

void
loop_child_del(struct loop_child *c)
{
    if (!c || c->node.dead)
        return;
    loop_fd_del(c->watch);
    close(c->pidfd);
    node_bury(&c->node);
}

/* ---- deferred calls and hooks ---- */

void
loop_defer(struct loop *l, loop_fn *fn, void *arg)
{
    struct calls *w = &l->waiting;

    w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof(*w->v));
    w->v[w->n++] = (struct call){fn, arg};
}

void
loop_undefer(struct loop *l, loop_fn *fn, void *arg)
{
    struct calls *w = &l->waiting;

    for (size_t i = w->first; i < w->n; i++) {
        if (w->v[i].fn == fn && w->v[i].arg == arg)
            w->v[i].fn = NULL;
    }
}

static void
run_deferred(struct loop *l)
{
    struct calls *w = &l->waiting;

    /* Only those that wait now; a turn inside one of them may take some. */
    for (size_t left = w->n - w->first; left && w->first < w->n; left--) {
        struct call c = w->v[w->first++];

        if (c.fn) {
            l->calls++;
            c.fn(c.arg);
        }
    }
    if (w->first) {
        memmove(w->v, w->v + w->first, (w->n - w->first) * sizeof(*w->v));
        w->n -= w->first;
        w->first = 0;
    }
}

struct loop_hook *
loop_hook_add(struct loop *l, loop_hook_fn *fn, void *arg)
{
    struct loop_hook *h = mem_zalloc(1, sizeof(*h));

    h->fn = fn;
    h->arg = arg;
    node_add(l, LIST_HOOK, &h->node);
    return h;
}

void
loop_hook_del(struct loop_hook *h)
{
    if (h && !h->node.dead)
        node_bury(&h->node);
}

/* ---- a turn ---- */

/* The shorter of two sleeps, -1 being the longest. */
static int64_t
shorter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return MAX(a, b);
    return MIN(a, b);
}

static int
prepare(struct loop *l, int timeout_ms)
{
    int64_t sleep = timeout_ms;

    for (struct node *n = l->lists[LIST_HOOK]; n; n = n->next) {
        struct loop_hook *h = (struct loop_hook *)n;

        if (!n->dead)
            sleep = shorter(sleep, h->fn(h->arg));
    }
    if (l->timers) {
        int64_t now = clock_mono_ms(clock_system());

        sleep = shorter(sleep, MAX(0, l->heap[0]->due - now));
    }
    if (l->waiting.n || l->stopped)
        return 0;
    return (int)MIN(sleep, INT32_MAX);
}

uint64_t
loop_calls(const struct loop *l)
{
    return l->calls;
}

struct loop_diverted
loop_divert(struct loop *l, loop_turn_fn *fn, void *arg)
{
    struct loop_diverted before = l->diverted;

    l->diverted = (struct loop_diverted){fn, arg};
    return before;
}

void
loop_turn(struct loop *l, int timeout_ms)
{
    struct epoll_event got[FDS_PER_TURN];

    if (l->diverted.fn) {
        l->diverted.fn(l->diverted.arg, timeout_ms);
        return;
    }
    l->depth++;
    int n = epoll_wait(l->epoll, got, FDS_PER_TURN, prepare(l, timeout_ms));

    l->now = clock_mono_ms(clock_system());
    for (int i = 0; i < n; i++)
        fd_deliver(got[i].data.ptr, got[i].events);
    run_timers(l);
    run_deferred(l);
    if (!--l->depth)
        sweep(l);
}

void
loop_pause(struct loop *l, int64_t ms)
{
    int64_t end = clock_mono_ms(clock_system()) + ms;

    for (int64_t left = ms; left > 0;
         left = end - clock_mono_ms(clock_system()))
        loop_turn(l, (int)MIN(left, INT32_MAX));
}

int
loop_run(struct loop *l)
{
    while (!l->stopped)
        loop_turn(l, -1);
    l->stopped = false;
    return l->code;
}
