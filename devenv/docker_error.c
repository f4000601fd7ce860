/*
 * What an engine's refusal means. Engines answer {"message":"words"}, or
 * text/plain for a version they do not serve; registries' words come wrapped
 * in them. The words stay; the table adds an id and a remedy where a phrase in
 * them is known (devenv.md 2.8, 5.4).
 */
#include "devenv/docker_call.h"
#include "devenv/failure.h"

#define WORDS_MAX 600

static const struct cause {
    const char *phrase;
    enum err_code code;
    const char *id;
} causes[] = {
    {"Minimum supported API version", ERR_UNSUPPORTED, "MT-ENGINE-API"},
    {"Maximum supported API version", ERR_UNSUPPORTED, "MT-ENGINE-API"},
    {"toomanyrequests", ERR_DENIED, "MT-NET-RATELIMIT"},
    {"429 Too Many Requests", ERR_DENIED, "MT-NET-RATELIMIT"},
    {"x509:", ERR_NETWORK, "MT-NET-PROXY"},
    {"HTTP response to HTTPS client", ERR_NETWORK, "MT-NET-PROXY"},
    {"no such host", ERR_NETWORK, "MT-NET-DNS"},
    {"connection refused", ERR_NETWORK, "MT-NET-DNS"},
    {"network is unreachable", ERR_NETWORK, "MT-NET-DNS"},
    {"no route to host", ERR_NETWORK, "MT-NET-DNS"},
    {"i/o timeout", ERR_NETWORK, "MT-NET-DNS"},
    {"TLS handshake timeout", ERR_NETWORK, "MT-NET-DNS"},
    {"server misbehaving", ERR_NETWORK, "MT-NET-DNS"},
    {"Client.Timeout exceeded", ERR_NETWORK, "MT-NET-DNS"},
    {"context deadline exceeded", ERR_NETWORK, "MT-NET-DNS"},
    {"name resolution", ERR_NETWORK, "MT-NET-DNS"},
    {"port is already allocated", ERR_CONFLICT, "MT-PORT-TAKEN"},
    {"Ports are not available", ERR_CONFLICT, "MT-PORT-TAKEN"},
    {"address already in use", ERR_CONFLICT, "MT-PORT-TAKEN"},
    {"non-overlapping IPv4 address pool", ERR_LIMIT, "MT-POOL"},
    {"no space left on device", ERR_IO, "MT-HOST-DISK"},
    {"too many open files", ERR_LIMIT, "MT-HOST-INOTIFY"},
};

static enum err_code
code_of(int status)
{
    static const struct {
        int status;
        enum err_code code;
    } codes[] = {
        {400, ERR_INVALID},     {401, ERR_DENIED},   {403, ERR_DENIED},
        {404, ERR_NOT_FOUND},   {409, ERR_CONFLICT}, {429, ERR_DENIED},
        {501, ERR_UNSUPPORTED},
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return status >= 500 ? ERR_INTERNAL : ERR_INVALID;
}

/* One line without control characters, of bounded length. */
static void
one_line(struct str words, struct buf *out)
{
    words = str_trim(words);
    for (size_t i = 0; i < words.n && out->n < WORDS_MAX; i++) {
        unsigned char c = (unsigned char)words.s[i];

        if (c < 0x20 || c == 0x7f)
            c = ' ';
        if (c != ' ' || (out->n && out->s[out->n - 1] != ' '))
            buf_putc(out, (char)c);
    }
    if (words.n > WORDS_MAX)
        buf_puts(out, "...");
}

bool
docker_refused_words(int status, struct str words, const char *doing,
                     struct error *err)
{
    AUTO(buf_release) struct buf line = BUF_INIT(4096);

    one_line(words, &line);
    if (!line.n)
        buf_printf(&line, "the engine answered %d and no reason", status);
    error_set(err, code_of(status), "cannot %s: %s", doing, buf_cstr(&line));
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (!str_contains(words, str_of(causes[i].phrase)))
            continue;
        error_set(err, causes[i].code, "cannot %s: %s", doing, buf_cstr(&line));
        if (err)
            failure_remedy(err, causes[i].id);
        break;
    }
    if (err)
        err->http = status;
    return false;
}

bool
docker_refused(int status, const char *content_type, struct str body,
               const char *doing, struct error *err)
{
    struct json *j = NULL;
    const char *message;
    struct str text = str_trim(body);

    if (text.n && text.s[0] == '{')
        j = json_parse(text, NULL, NULL);
    message = json_get_string(j, "message");
    if (message)
        docker_refused_words(status, str_of(message), doing, err);
    else if (strstr(content_type, "text/html") || str_starts(text, STR("<")))
        docker_refused_words(
            status, STR("something that is no engine answered, a web page"),
            doing, err);
    else
        docker_refused_words(status, j ? STR("") : text, doing, err);
    json_free(j);
    return false;
}
