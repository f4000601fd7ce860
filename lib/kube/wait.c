#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/client.h"

struct wait {
    bool done, ok;
    struct kube_answer *out; /* or NULL */
    struct error *err;       /* or NULL */
    kube_item_fn *on_item;
    void *arg;
};

/* The causes move: the status of a reply lives in the callback only. */
static void
copy_status(struct kube_status *to, const struct kube_status *from)
{
    *to = *from;
    to->reason = mem_strdup(from->reason);
    to->message = mem_strdup(from->message);
    to->kind = mem_strdup(from->kind);
    to->name = mem_strdup(from->name);
    to->uid = mem_strdup(from->uid);
    to->continue_token = mem_strdup(from->continue_token);
    to->causes = mem_zalloc(MAX(from->causes_n, 1), sizeof(*to->causes));
    for (size_t i = 0; i < from->causes_n; i++) {
        to->causes[i].reason = mem_strdup(from->causes[i].reason);
        to->causes[i].message = mem_strdup(from->causes[i].message);
        to->causes[i].field = mem_strdup(from->causes[i].field);
    }
}

static void
on_reply(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct wait *w = arg;

    w->done = true;
    w->ok = !err;
    if (err && w->err)
        *w->err = *err;
    if (!w->out)
        return;
    w->out->http = r->http;
    w->out->body = mem_strndup(r->body.s ? r->body.s : "", r->body.n);
    w->out->body_n = r->body.n;
    for (size_t i = 0; i < r->warnings->n; i++)
        strlist_add(&w->out->warnings, str_of(r->warnings->v[i]));
    if (r->status)
        copy_status(&w->out->status, r->status);
}

static bool
on_item(void *arg, struct str item)
{
    struct wait *w = arg;

    return w->on_item(w->arg, item);
}

bool
kube_client_wait(struct kube_client *c, const struct kube_request *r,
                 struct kube_answer *out, struct error *err)
{
    struct wait w = {.out = out, .err = err};

    if (out)
        *out = (struct kube_answer){0};
    if (!kube_client_send(c, r, on_reply, &w, err))
        return false;
    while (!w.done)
        loop_turn(kube_client_loop(c), -1);
    return w.ok;
}

struct json *
kube_client_wait_json(struct kube_client *c, const struct kube_request *r,
                      struct error *err)
{
    struct kube_answer a;
    struct json *j = NULL;

    if (kube_client_wait(c, r, &a, err)) {
        j = json_parse(str_n(a.body, a.body_n), NULL, err);
        if (!j)
            error_wrap(err, "the answer of %s", kube_client_access(c)->server);
    }
    kube_answer_release(&a);
    return j;
}

bool
kube_client_wait_list(struct kube_client *c, const struct kube_request *r,
                      kube_item_fn *item_fn, void *arg, struct error *err)
{
    struct wait w = {.err = err, .on_item = item_fn, .arg = arg};

    if (!kube_client_list(c, r, on_item, on_reply, &w, err))
        return false;
    while (!w.done)
        loop_turn(kube_client_loop(c), -1);
    return w.ok;
}

void
kube_answer_release(struct kube_answer *a)
{
    free(a->body);
    strlist_release(&a->warnings);
    kube_status_release(&a->status);
    *a = (struct kube_answer){0};
}
