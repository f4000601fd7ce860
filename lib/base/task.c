#include "lib/base/task.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "lib/base/clock.h"
#include "lib/base/mem.h"

/*
 * A task is a ucontext. The loop's hook switches to it, in the prepare phase;
 * inside, loop_turn is diverted here (loop_divert) and switches back. It is
 * resumed when the loop has called anyone since it was put aside, or when its
 * time has passed: whoever waits looks at a condition again, so that waking
 * for nothing does no harm. After a resume the loop does not sleep once, for
 * hooks that ran before this one may have to see what the task began.
 */

#define STACK_BYTES ((size_t)1 << 20)

struct task {
    struct loop *l;
    struct loop_hook *hook;
    task_fn *fn;
    void *arg;
    ucontext_t own, back;
    char *stack;   /* a guard page first */
    uint64_t seen; /* the loop's calls when it was put aside */
    int64_t due;   /* monotonic; -1: none */
    bool begun, done;
    /* AddressSanitizer must hear of every switch of stacks */
    void *fake_own, *fake_back;
    const void *back_bottom;
    size_t back_size;
};

#ifdef __SANITIZE_ADDRESS__
static void
leaving(void **keep, const void *bottom, size_t size)
{
    __sanitizer_start_switch_fiber(keep, bottom, size);
}

static void
arrived(void *kept, const void **bottom, size_t *size)
{
    __sanitizer_finish_switch_fiber(kept, bottom, size);
}
#else
static void
leaving(void **keep UNUSED, const void *bottom UNUSED, size_t size UNUSED)
{
}

static void
arrived(void *kept UNUSED, const void **bottom UNUSED, size_t *size UNUSED)
{
}
#endif

static size_t
page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* What loop_turn does inside the task. */
static void
put_aside(void *arg, int timeout_ms)
{
    struct task *t = arg;

    t->due = timeout_ms < 0 ? -1 : clock_mono_ms(clock_system()) + timeout_ms;
    t->seen = loop_calls(t->l);
    leaving(&t->fake_own, t->back_bottom, t->back_size);
    swapcontext(&t->own, &t->back);
    arrived(t->fake_own, &t->back_bottom, &t->back_size);
}

/* makecontext passes ints only: a pointer travels as two halves. */
static void
body(unsigned high, unsigned low)
{
    struct task *t = (struct task *)(((uintptr_t)high << 32) | low);

    arrived(NULL, &t->back_bottom, &t->back_size);
    t->fn(t->arg);
    t->done = true;
    leaving(NULL, t->back_bottom, t->back_size);
    swapcontext(&t->own, &t->back);
}

static void
resume(struct task *t)
{
    struct loop_diverted before = loop_divert(t->l, put_aside, t);

    leaving(&t->fake_back, t->stack + page_bytes(), STACK_BYTES);
    swapcontext(&t->back, &t->own);
    arrived(t->fake_back, NULL, NULL);
    loop_divert(t->l, before.fn, before.arg);
}

static int
on_prepare(void *arg)
{
    struct task *t = arg;
    int64_t now = clock_mono_ms(clock_system());

    if (t->begun && t->seen == loop_calls(t->l) && (t->due < 0 || now < t->due))
        return t->due < 0 ? -1 : (int)MIN(t->due - now, INT32_MAX);
    t->begun = true;
    resume(t);
    if (t->done) {
        loop_hook_del(t->hook);
        t->hook = NULL;
    }
    return 0;
}

static bool
make_stack(struct task *t, struct error *err)
{
    size_t guard = page_bytes();
    char *p =
        mmap(NULL, guard + STACK_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (p == MAP_FAILED)
        return error_errno(err, ERR_LIMIT, "no memory for a task");
    t->stack = p;
    if (mprotect(p, guard, PROT_NONE) != 0)
        return error_errno(err, ERR_LIMIT, "cannot guard a task's stack");
    return true;
}

struct task *
task_start(struct loop *l, task_fn *fn, void *arg, struct error *err)
{
    struct task *t = mem_zalloc(1, sizeof(*t));
    uintptr_t self = (uintptr_t)t;

    t->l = l;
    t->fn = fn;
    t->arg = arg;
    t->due = -1;
    if (!make_stack(t, err)) {
        task_free(t);
        return NULL;
    }
    getcontext(&t->own);
    t->own.uc_stack.ss_sp = t->stack + page_bytes();
    t->own.uc_stack.ss_size = STACK_BYTES;
    t->own.uc_link = NULL;
    makecontext(&t->own, (void (*)(void))body, 2, (unsigned)(self >> 32),
                (unsigned)(self & 0xffffffffU));
    t->hook = loop_hook_add(l, on_prepare, t);
    return t;
}

bool
task_done(const struct task *t)
{
    return t->done;
}

void
task_free(struct task *t)
{
    if (!t)
        return;
    loop_hook_del(t->hook);
    if (t->stack)
        munmap(t->stack, page_bytes() + STACK_BYTES);
    free(t);
}
