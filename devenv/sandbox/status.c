#include "devenv/sandbox/status.h"

#include <stdlib.h>

#include "lib/base/mem.h"

void
status_release(struct status *st)
{
    free(st->message);
    json_free(st->details);
    *st = (struct status){0};
}

bool
status_is(const struct status *st, const char *reason)
{
    return st->reason && !strcmp(st->reason, reason);
}

static bool
set_text(struct status *st, int code, const char *reason, char *text)
{
    status_release(st);
    st->code = code;
    st->reason = reason;
    st->message = text;
    return false;
}

static char *
vtext(const char *fmt, va_list ap)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_vprintf(&b, fmt, ap);
    return buf_take(&b);
}

bool
status_set(struct status *st, int code, const char *reason, const char *fmt,
           ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = vtext(fmt, ap);
    va_end(ap);
    return set_text(st, code, reason, text);
}

void
status_about(struct status *st, const char *group, const char *kind,
             const char *name)
{
    if (!st->details)
        st->details = json_new_object();
    if (name && *name)
        json_set_string(st->details, "name", name);
    if (group && *group)
        json_set_string(st->details, "group", group);
    if (kind && *kind)
        json_set_string(st->details, "kind", kind);
}

void
status_cause(struct status *st, const char *reason, const char *field,
             const char *message)
{
    struct json *cause = json_new_object();

    if (!st->details)
        st->details = json_new_object();
    if (reason)
        json_set_string(cause, "reason", reason);
    json_set_string(cause, "message", message);
    if (field)
        json_set_string(cause, "field", field);
    json_append(json_need_array(st->details, "causes"), cause);
}

bool
status_bad_request(struct status *st, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = vtext(fmt, ap);
    va_end(ap);
    return set_text(st, 400, "BadRequest", text);
}

bool
status_internal(struct status *st, const char *fmt, ...)
{
    AUTO(mem_free_ptr) char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = vtext(fmt, ap);
    va_end(ap);
    status_set(st, 500, "InternalError", "Internal error occurred: %s", text);
    status_cause(st, "", NULL, text);
    json_del(json_item(json_get(st->details, "causes"), 0), "reason");
    return false;
}

/* "widgets.example.org" or "configmaps". */
static char *
qualified(const char *group, const char *plural)
{
    return *group ? mem_printf("%s.%s", plural, group) : mem_strdup(plural);
}

static bool
about_object(struct status *st, int code, const char *reason, const char *form,
             const char *group, const char *plural, const char *name)
{
    AUTO(mem_free_ptr) char *q = qualified(group, plural);
    struct buf text = BUF_INIT(BUF_TEXT_MAX);

    /* @ stands for the resource, # for the quoted name. */
    for (const char *p = form; *p; p++) {
        if (p[0] == '@')
            buf_puts(&text, q);
        else if (p[0] == '#')
            buf_printf(&text, "\"%s\"", name);
        else
            buf_putc(&text, *p);
    }
    set_text(st, code, reason, buf_take(&text));
    status_about(st, group, plural, name);
    return false;
}

bool
status_not_found(struct status *st, const char *group, const char *plural,
                 const char *name)
{
    return about_object(st, 404, "NotFound", "@ # not found", group, plural,
                        name);
}

bool
status_exists(struct status *st, const char *group, const char *plural,
              const char *name)
{
    return about_object(st, 409, "AlreadyExists", "@ # already exists", group,
                        plural, name);
}

static bool
with_why(struct status *st, int code, const char *reason, const char *form,
         const char *about[3], const char *why)
{
    char *text;

    about_object(st, code, reason, form, about[0], about[1], about[2]);
    text = mem_printf("%s: %s", st->message, why);
    free(st->message);
    st->message = text;
    return false;
}

bool
status_conflict(struct status *st, const char *group, const char *plural,
                const char *name, const char *why)
{
    return with_why(st, 409, "Conflict", "Operation cannot be fulfilled on @ #",
                    (const char *[]){group, plural, name}, why);
}

bool
status_forbidden(struct status *st, const char *group, const char *plural,
                 const char *name, const char *why)
{
    return with_why(st, 403, "Forbidden",
                    *name ? "@ # is forbidden" : "@ is forbidden",
                    (const char *[]){group, plural, name}, why);
}

bool
status_denied(struct status *st, int code, const char *webhook, const char *why)
{
    status_set(st, code, NULL,
               "admission webhook \"%s\" denied the request: %s", webhook, why);
    st->reason = st->message + strlen(st->message) - strlen(why);
    return false;
}

bool
status_unsupported_media(struct status *st, const char *accepted)
{
    return status_set(st, 415, "UnsupportedMediaType",
                      "the body of the request was in an unknown format - "
                      "accepted media types include: %s",
                      accepted);
}

bool
status_invalid(struct status *st, const char *group, const char *kind,
               const char *name, const struct schema_findings *f)
{
    AUTO(mem_free_ptr) char *q = qualified(group, kind);
    struct buf text = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&text, "%s \"%s\" is invalid: ", q, name);
    schema_findings_text(f, &text);
    set_text(st, 422, "Invalid", buf_take(&text));
    status_about(st, group, kind, name);
    json_set(st->details, "causes", schema_findings_causes(f));
    return false;
}

struct json *
status_json(const struct status *st)
{
    struct json *j = json_new_object();

    json_set_string(j, "kind", "Status");
    json_set_string(j, "apiVersion", "v1");
    json_set(j, "metadata", json_new_object());
    json_set_string(j, "status", "Failure");
    json_set_string(j, "message", st->message ? st->message : "");
    if (st->reason)
        json_set_string(j, "reason", st->reason);
    if (st->details)
        json_set(j, "details", json_copy(st->details));
    json_set_int(j, "code", st->code);
    return j;
}

void
status_print(const struct status *st, bool pretty, struct buf *out)
{
    AUTO(json_free_ptr) struct json *j = status_json(st);

    json_print(j, JSON_HTML | (pretty ? JSON_PRETTY : 0), out);
    buf_putc(out, '\n');
}

bool
status_error(const struct status *st, struct error *err)
{
    static const struct {
        int http;
        enum err_code code;
    } codes[] = {
        {400, ERR_USAGE},     {401, ERR_DENIED},   {403, ERR_DENIED},
        {404, ERR_NOT_FOUND}, {409, ERR_CONFLICT}, {410, ERR_GONE},
        {413, ERR_LIMIT},     {422, ERR_INVALID},  {429, ERR_LIMIT},
        {504, ERR_TIMEOUT},
    };
    enum err_code code = ERR_INTERNAL;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i].http == st->code)
            code = codes[i].code;
    }
    if (status_is(st, "AlreadyExists"))
        code = ERR_EXISTS;
    error_set(err, code, "%s", st->message ? st->message : "");
    if (err)
        err->http = st->code;
    return false;
}
