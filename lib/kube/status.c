#include "lib/kube/status.h"

#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

#define CAUSES_MAX 256
#define TEXT_MAX   512

/* HTTP's own words, for answers that are no Status. */
static const struct {
    int http;
    const char *text;
} phrases[] = {
    {400, "the server did not understand the request"},
    {401, "the server does not know these credentials"},
    {403, "the server forbids it"},
    {404, "the server could not find the requested resource"},
    {405, "the server does not allow this method on the resource"},
    {406, "the server can answer in none of the forms asked for"},
    {409, "the request conflicts with the state of the server"},
    {410, "the version asked for is gone"},
    {413, "the request is too large for the server"},
    {415, "the server does not accept this form of body"},
    {429, "the server asks to slow down"},
    {500, "the server failed inside"},
    {501, "the server does not implement this"},
    {502, "a gateway could not reach the server"},
    {503, "the server is not available"},
    {504, "the server took too long"},
};

static char *
text_of(const struct json *j, const char *key)
{
    const char *z = json_get_string(j, key);

    return mem_strdup(z ? z : "");
}

static void
read_causes(const struct json *list, struct kube_status *out)
{
    size_t n = MIN(json_len(list), (size_t)CAUSES_MAX);
    size_t i = 0;

    if (!json_is(list, JSON_ARRAY) || n == 0)
        return;
    out->causes = mem_zalloc(n, sizeof(*out->causes));
    for (struct json *c = json_first(list); c && i < n; c = json_next(c)) {
        out->causes[i].reason = text_of(c, "reason");
        out->causes[i].message = text_of(c, "message");
        out->causes[i].field = text_of(c, "field");
        i++;
    }
    out->causes_n = n;
}

/* Plain text answers are short sentences; HTML is some gateway's page, of
 * which the status says more. */
static char *
plain_message(int http, struct str body)
{
    struct str s = str_trim(body);
    const char *phrase = "the server refused";

    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (phrases[i].http == http)
            phrase = phrases[i].text;
    }
    if (s.n == 0 || s.s[0] == '<' || s.s[0] == '{' ||
        str_eq(s, STR("404 page not found")))
        return mem_printf("%s (HTTP %d)", phrase, http);
    s = str_sub(s, 0, TEXT_MAX);
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.s[i] < ' ')
            s.n = i;
    }
    return mem_printf("%.*s (HTTP %d)", STR_ARG(s), http);
}

void
kube_status_read(int http, struct str body, int64_t retry_after_s,
                 struct kube_status *out)
{
    struct json *j = json_parse(body, NULL, NULL);
    const struct json *details = json_get(j, "details");
    const char *kind = json_get_string(j, "kind");
    const char *message = json_get_string(j, "message");
    bool is_status = kind && str_eqz(str_of(kind), "Status");

    *out = (struct kube_status){.http = http, .retry_after_s = retry_after_s};
    if (!is_status)
        details = NULL;
    out->reason = is_status ? text_of(j, "reason") : mem_strdup("");
    if (is_status && message && *message)
        out->message = mem_strdup(message);
    else
        out->message = plain_message(http, is_status ? STR("") : body);
    out->kind = text_of(details, "kind");
    out->name = text_of(details, "name");
    out->uid = text_of(details, "uid");
    out->continue_token =
        text_of(is_status ? json_get(j, "metadata") : NULL, "continue");
    if (out->retry_after_s < 0)
        out->retry_after_s =
            json_int64_or(json_get(details, "retryAfterSeconds"), -1);
    read_causes(json_get(details, "causes"), out);
    json_free(j);
}

void
kube_status_release(struct kube_status *s)
{
    for (size_t i = 0; i < s->causes_n; i++) {
        free(s->causes[i].reason);
        free(s->causes[i].message);
        free(s->causes[i].field);
    }
    free(s->causes);
    free(s->reason);
    free(s->message);
    free(s->kind);
    free(s->name);
    free(s->uid);
    free(s->continue_token);
    *s = (struct kube_status){0};
}

/* A reason says more than the HTTP status (409 is two things). */
static const struct {
    const char *reason;
    enum err_code code;
} reasons[] = {
    {"Unauthorized", ERR_DENIED},
    {"Forbidden", ERR_DENIED},
    {"NotFound", ERR_NOT_FOUND},
    {"AlreadyExists", ERR_EXISTS},
    {"Conflict", ERR_CONFLICT},
    {"Expired", ERR_GONE},
    {"Gone", ERR_GONE},
    {"Invalid", ERR_INVALID},
    {"BadRequest", ERR_INVALID},
    {"MethodNotAllowed", ERR_UNSUPPORTED},
    {"NotAcceptable", ERR_UNSUPPORTED},
    {"UnsupportedMediaType", ERR_UNSUPPORTED},
    {"RequestEntityTooLarge", ERR_LIMIT},
    {"Timeout", ERR_TIMEOUT},
};

static const struct {
    int http;
    enum err_code code;
} codes[] = {
    {400, ERR_INVALID},   {401, ERR_DENIED},      {403, ERR_DENIED},
    {404, ERR_NOT_FOUND}, {405, ERR_UNSUPPORTED}, {406, ERR_UNSUPPORTED},
    {408, ERR_TIMEOUT},   {409, ERR_CONFLICT},    {410, ERR_GONE},
    {413, ERR_LIMIT},     {415, ERR_UNSUPPORTED}, {422, ERR_INVALID},
    {429, ERR_NETWORK},   {501, ERR_UNSUPPORTED}, {504, ERR_TIMEOUT},
};

static enum err_code
code_of(const struct kube_status *s)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (str_eqz(str_of(s->reason), reasons[i].reason))
            return reasons[i].code;
    }
    /* Server-side apply answers 500 without a reason to a field the schema
     * does not know; no other try helps. */
    if (s->http == 500 &&
        str_starts(str_of(s->message), STR("failed to create typed patch")))
        return ERR_INVALID;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i].http == s->http)
            return codes[i].code;
    }
    return s->http >= 500 ? ERR_NETWORK : ERR_INTERNAL;
}

static void
forbidden_remedy(const struct kube_status *s, struct error *err)
{
    AUTO(buf_release) struct buf ask = BUF_INIT(300);
    struct kube_denied d;

    if (kube_denied_read(str_of(s->message), &d) &&
        kube_denied_question(&d, &ask))
        error_remedy(err, "MT-FORBIDDEN",
                     "Ask for the right, or use a context of another user. "
                     "What \"%.*s\" may: %s",
                     STR_ARG(str_sub(d.user, 0, 100)), buf_cstr(&ask));
    else
        error_remedy(err, "MT-FORBIDDEN",
                     "Ask for the right, or use a context of another user.");
}

bool
kube_status_error(const struct kube_status *s, struct error *err)
{
    error_set(err, code_of(s), "%s", s->message);
    if (err)
        err->http = s->http;
    if (s->http == 401)
        error_remedy(err, "MT-UNAUTHORIZED",
                     "The credentials of the kubeconfig are not accepted: "
                     "log in again or fetch a fresh kubeconfig.");
    else if (s->http == 403)
        forbidden_remedy(s, err);
    return false;
}
