/*
 * rest.h - the Kubernetes REST API over HTTP: from a request to a verb of the
 * registry and back.
 *
 * What: routing, parameters, negotiation, answers. rest_module
 * plugs it, and the registry, into the server.
 */
#ifndef DEVENV_SANDBOX_REST_H
#define DEVENV_SANDBOX_REST_H

#include "devenv/sandbox/negotiate.h"
#include "devenv/sandbox/registry_state.h"
#include "devenv/sandbox/selectors.h"
#include "devenv/sandbox/server.h"

/* One request on its way. */
struct rest {
    struct registry *r;
    struct http_request *h;
    const struct kind *k;
    const char *ns;   /* "" when the path has none */
    const char *name; /* NULL: a collection */
    const char *sub;  /* subresource or NULL */
    bool watch_path;  /* /apis/g/v/watch/... */
    struct accept accept;
    struct status st;
    struct strlist warnings;
};

/* Answers anything; arg is a struct registry. */
void rest_handle(void *arg, struct http_request *h);

/* ---- for the files that make it up ---- */
/* A Warning header of whatever is answered. */
void rest_warn(struct rest *rq, const char *text);
/* Answers with rq->st. */
void rest_fail(struct rest *rq);
/* Answers with an object in the form that was asked for; takes obj. NULL:
 * rest_fail. */
void rest_object(struct rest *rq, int code, struct json *obj);
/* Answers with j as it is, in JSON or YAML; j stays the caller's. */
void rest_reply(struct rest *rq, int code, const struct json *j);
/* The same of JSON text, whose bytes it takes. */
void rest_text(struct rest *rq, int code, struct buf *b);
/* Metadata alone was asked for as that of a list exactly when this is one;
 * 406, 500. */
bool rest_check_form(struct rest *rq, bool list);
/* JSON is to be indented. */
bool rest_pretty(const struct rest *rq);
/* 404 as text, for paths that lead nowhere. */
void rest_no_page(struct http_request *h);
/* 404 and 405 as a Status about nothing, where built-in kinds are served. */
void rest_no_resource(struct rest *rq);
void rest_no_method(struct rest *rq);
/* 404 for a path that leads nowhere, in the form of where it is. */
void rest_nowhere(struct rest *rq);
/* ?timeout; 400. */
bool rest_check_timeout(struct rest *rq);
/* The path from segment i on, below group and version. */
void rest_route(struct rest *rq, const char *group, const char *version,
                size_t i);
/* Built-in kinds are served there. */
bool rest_is_builtin_group(struct registry *r, const char *group);
/* A boolean parameter: false only when absent, "0" or "false". */
bool rest_flag(const struct http_request *h, const char *name);
/* fieldManager, dryRun, fieldValidation, force; 422. manager lives in the
 * request's arena. */
bool rest_write_options(struct rest *rq, const char *options_kind,
                        struct registry_write *w);

void rest_get(struct rest *rq);
void rest_list(struct rest *rq);
void rest_watch(struct rest *rq);
void rest_create(struct rest *rq);
void rest_update(struct rest *rq);
void rest_patch(struct rest *rq);
void rest_delete(struct rest *rq);
void rest_delete_collection(struct rest *rq);

/* An integer parameter, 0 when absent; 400 in Go's words. */
bool rest_number(struct rest *rq, const char *name, int64_t *out);
/* obj without apiVersion and kind, as in lists of built-in kinds. */
struct json *rest_untyped(struct json *obj);

/* The selectors of a list or watch; 400. */
struct rest_filter {
    const struct kind_info *k;
    struct selector labels, fields;
};
bool rest_filter_read(struct rest *rq, struct rest_filter *f);
void rest_filter_release(struct rest_filter *f);

/* Fields as selectors name them (rest_fields.c): whether a kind has a label,
 * else 400; its value in a stored object (a selector_value_fn, arg a struct
 * rest_fields). */
struct rest_fields {
    const struct kind_info *k;
    const struct json *obj;
    struct buf text; /* of the last number or boolean */
};
bool rest_field_check(const struct kind_info *k, const char *label,
                      struct status *st);
const char *rest_field_value(void *arg, const char *key);
bool rest_filter_match(const struct rest_filter *f, struct blob *b);

extern const struct server_module rest_module;
/* The registry of a running server, for the other modules. */
struct registry *rest_registry(struct server *s);

#endif
