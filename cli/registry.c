#include "cli/registry.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"

#define CA_MAX ((size_t)4 << 20)

/* One line that is written over; gone in the end. */
static void
on_progress(void *arg, const char *text)
{
    (void)arg;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s", text);
}

bool
registry_open(struct registry_access *r, const struct args *a,
              struct error *err)
{
    const char *ca = args_get(a, "registry-ca", NULL);

    buf_init(&r->ca, CA_MAX);
    if (ca && !file_read(ca, &r->ca, err))
        return false;
    r->loop = loop_new(err);
    r->credentials = r->loop ? dockerconfig_open(NULL, err) : NULL;
    if (!r->credentials)
        return false;
    r->options = (struct oci_options){.ca = ca ? buf_cstr(&r->ca) : NULL,
                                      .plain_http = args_has(a, "plain-http"),
                                      .credentials = r->credentials,
                                      .on_progress = on_progress};
    return true;
}

void
registry_close(struct registry_access *r)
{
    if (r->loop && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    dockerconfig_free(r->credentials);
    loop_free(r->loop);
    buf_release(&r->ca);
    *r = (struct registry_access){0};
}
