#include "devenv/sandbox/faults.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/cloud.h"
#include "devenv/sandbox/kobj.h"

#define ANNOTATION "sandbox.meshtop.io/fail"
#define SLOW_MS    60000
#define FAULTS_MAX 10000

enum { GCP, AWS, AZURE, OTHER, CLOUDS };

/* {verb} is Create, {step} create; the rest as in assets/providers. */
static const struct reason {
    const char *name;
    const char *step; /* where no step is said; NULL: the next call */
    const char *text[CLOUDS];
} reasons[] = {
    {"forbidden",
     NULL,
     {[GCP] = "googleapi: Error 403: Permission '{service}.{plural}.{call}' "
              "denied on resource '//{service}.googleapis.com/projects/"
              "{project}/{plural}/{name}' (or it may not exist)., forbidden",
      [AWS] = "operation error {service}: {verb}{kind}, https response error "
              "StatusCode: 403, RequestID: {uuid}, api error AccessDenied: "
              "User: arn:aws:iam::{account}:user/sandbox is not authorized to "
              "perform: {service}:{verb}{kind} on resource: {name} because no "
              "identity-based policy allows the {service}:{verb}{kind} action",
      [AZURE] = "unexpected status 403 (403 Forbidden) with error: "
                "AuthorizationFailed: The client 'sandbox' with object id "
                "'{uuid}' does not have authorization to perform action "
                "'Microsoft.{service}/{plural}/{access}' over scope "
                "'/subscriptions/{subscription}' or the scope is invalid. If "
                "access was recently granted, please refresh your "
                "credentials.",
      [OTHER] = "403 Forbidden: not allowed to {step} {kind} {name}"}},
    {"quota",
     NULL,
     {[GCP] = "googleapi: Error 429: Quota exceeded for quota metric '{kind} "
              "{step} requests' and limit '{kind} {step} requests per minute' "
              "of service '{service}.googleapis.com' for consumer "
              "'project_number:{num}'., rateLimitExceeded",
      [AWS] = "operation error {service}: {verb}{kind}, https response error "
              "StatusCode: 400, RequestID: {uuid}, api error "
              "LimitExceededException: The maximum number of {plural} for "
              "account {account} has been reached.",
      [AZURE] = "unexpected status 409 (409 Conflict) with error: "
                "QuotaExceeded: Operation could not be completed as it "
                "results in exceeding approved {plural} quota in location "
                "{location}.",
      [OTHER] = "429 Too Many Requests: quota for {plural} is exceeded"}},
    {"timeout",
     NULL,
     {[GCP] = "googleapi: got HTTP response code 504 from "
              "{service}.googleapis.com: context deadline exceeded",
      [AWS] = "operation error {service}: {verb}{kind}, exceeded maximum "
              "number of attempts, 3, https response error StatusCode: 0, "
              "RequestID: , request send failed: context deadline exceeded",
      [AZURE] = "polling after {verb}: the Azure API did not answer in time: "
                "context deadline exceeded",
      [OTHER] = "context deadline exceeded"}},
    {"notfound",
     "observe",
     {[GCP] = "googleapi: Error 404: The requested entity {name} was not "
              "found., notFound",
      [AWS] = "operation error {service}: {verb}{kind}, https response error "
              "StatusCode: 404, RequestID: {uuid}, api error "
              "ResourceNotFoundException: {kind} {name} not found.",
      [AZURE] = "unexpected status 404 (404 Not Found) with error: "
                "ResourceNotFound: The Resource '{name}' under subscription "
                "'{subscription}' was not found.",
      [OTHER] = "404 Not Found: {kind} {name}"}},
    {"unavailable",
     "ready",
     {[GCP] = "googleapi: Error 503: The service is currently unavailable., "
              "backendError",
      [AWS] = "operation error {service}: {verb}{kind}, https response error "
              "StatusCode: 503, RequestID: {uuid}, api error "
              "ServiceUnavailable: Service is unable to handle request.",
      [AZURE] = "unexpected status 503 (503 Service Unavailable) with error: "
                "ServiceUnavailable: The service is temporarily unavailable.",
      [OTHER] = "503 Service Unavailable"}},
    {"slow", "slow", {NULL}},
};

static const struct reason *
reason_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (strcmp(reasons[i].name, name) == 0)
            return &reasons[i];
    }
    return NULL;
}

const char *
faults_message(const char *reason, const char *family)
{
    static const char *const families[] = {
        [GCP] = "gcp", [AWS] = "aws", [AZURE] = "azure"};
    const struct reason *r = reason_of(reason);
    size_t i = 0;

    while (i < ARRAY_LEN(families) &&
           (!family || strcmp(families[i], family) != 0))
        i++;
    return r && r->text[i] ? r->text[i] : reason;
}

/* ---- what there is ---- */

static void
clear(struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->v[i].object);
        free(f->v[i].kind);
        free(f->v[i].ns);
        free(f->v[i].name);
        free(f->v[i].step);
        free(f->v[i].reason);
    }
    f->n = 0;
}

void
faults_init(struct faults *f, struct registry *r)
{
    *f = (struct faults){.registry = r};
}

void
faults_release(struct faults *f)
{
    clear(f);
    free(f->v);
}

void
faults_heard(struct faults *f)
{
    f->loaded = false;
}

static char *
text_of(const struct json *spec, const char *key)
{
    return mem_strdup(json_string_or(json_get(spec, key), ""));
}

static bool
add(void *arg, struct str text)
{
    struct faults *f = arg;
    struct error err;
    AUTO(json_free_ptr) struct json *obj = json_parse(text, NULL, &err);
    const struct json *spec = json_get(obj, "spec");
    struct fault *one;

    f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
    one = &f->v[f->n++];
    *one = (struct fault){
        .object = mem_strdup(kobj_name(obj)),
        .kind = text_of(spec, "kind"),
        .ns = text_of(spec, "namespace"),
        .name = text_of(spec, "name"),
        .step = text_of(spec, "step"),
        .reason = text_of(spec, "reason"),
    };
    clock_parse(str_of(json_string_or(json_get(spec, "until"), "")),
                &one->until_s);
    return f->n < FAULTS_MAX;
}

static const struct kind *
fault_kind(const struct faults *f)
{
    return registry_resource(f->registry, CLOUD_GROUP, NULL, CLOUD_FAULTS);
}

/* Reads them when somebody wrote; drops those whose time is over. */
static void
refresh(struct faults *f, int64_t now_s)
{
    const struct kind *k;
    AUTO(status_release) struct status st = {0};

    if (f->loaded && !f->n)
        return;
    k = fault_kind(f);
    if (!f->loaded) {
        clear(f);
        if (k)
            registry_list(f->registry, k, NULL, NULL, add, f, &st);
        f->loaded = true;
    }
    for (size_t i = 0; k && i < f->n; i++) {
        AUTO(status_release) struct status gone = {0};

        if (f->v[i].until_s && f->v[i].until_s <= now_s)
            registry_delete(f->registry, k, NULL, f->v[i].object, NULL, NULL,
                            &gone);
    }
}

/* ---- whom it means ---- */

static bool
is_kind(const struct fault *f, const struct json *mr, const struct kind *k)
{
    const char *owner =
        json_string_or(json_get(kobj_controller(mr), "kind"), "");
    size_t n = strlen(owner);

    return !*f->kind || strcasecmp(f->kind, k->kind) == 0 ||
           strcasecmp(f->kind, k->plural) == 0 ||
           (n && strncasecmp(f->kind, owner, n) == 0 &&
            (!f->kind[n] || strcasecmp(f->kind + n, "s") == 0));
}

static bool
is_meant(const struct fault *f, const struct json *mr, const struct kind *k,
         int64_t now_s)
{
    return (!f->until_s || f->until_s > now_s) &&
           (!*f->ns || strcmp(f->ns, kobj_namespace(mr)) == 0) &&
           (strcmp(f->name, "*") == 0 || strcmp(f->name, kobj_name(mr)) == 0 ||
            strcmp(f->name, kobj_label(mr, "crossplane.io/composite")) == 0) &&
           is_kind(f, mr, k);
}

static bool
is_step(const char *said, const char *reason, const char *step, bool exists)
{
    const struct reason *r = reason_of(reason);

    if (*said)
        return strcmp(said, step) == 0;
    if (r && r->step)
        return strcmp(r->step, step) == 0;
    return strcmp(step, exists ? "observe" : "create") == 0;
}

/* The annotation as a fault: "STEP: TEXT", or a reason. */
static bool
annotated(const struct json *mr, char step[16], const char **reason)
{
    const char *text = kobj_annotation(mr, ANNOTATION);
    struct str head, tail;

    *step = '\0';
    *reason = text;
    if (reason_of(text) || !str_cut(str_of(text), ':', &head, &tail))
        return *text != '\0';
    head = str_trim(head);
    if (head.n >= 16)
        return false;
    memcpy(step, head.s, head.n);
    step[head.n] = '\0';
    if (strcmp(step, "unavailable") == 0)
        memcpy(step, "ready", sizeof("ready"));
    *reason = str_trim(tail).s;
    return true;
}

bool
faults_find(struct faults *f, const struct json *mr, const struct kind *k,
            const char *step, bool exists, int64_t now_s, struct fault_hit *out)
{
    char said[16];
    const char *reason;

    if (annotated(mr, said, &reason) && is_step(said, reason, step, exists)) {
        *out = (struct fault_hit){step, reason, *said != '\0', 0};
        return true;
    }
    refresh(f, now_s);
    for (size_t i = 0; i < f->n; i++) {
        const struct fault *one = &f->v[i];

        if (is_step(one->step, one->reason, step, exists) &&
            is_meant(one, mr, k, now_s)) {
            *out = (struct fault_hit){step, one->reason, false, one->until_s};
            return true;
        }
    }
    return false;
}

int64_t
faults_slow_ms(struct faults *f, const struct json *mr, const struct kind *k,
               int64_t now_s)
{
    if (strcmp(kobj_annotation(mr, ANNOTATION), "slow") == 0)
        return SLOW_MS;
    refresh(f, now_s);
    for (size_t i = 0; i < f->n; i++) {
        const struct fault *one = &f->v[i];

        if (strcmp(one->reason, "slow") == 0 && is_meant(one, mr, k, now_s))
            return one->until_s ? (one->until_s - now_s) * 1000 : SLOW_MS;
    }
    return 0;
}
