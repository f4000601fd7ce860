/* engine_docker and what was pulled, of engine.h. */
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/engine.h"

#define FACT_HOST   "engine/host"
#define UNIX_SCHEME "unix://"

static bool
socket_is_there(const char *host)
{
    size_t n = strlen(UNIX_SCHEME);

    return strncmp(host, UNIX_SCHEME, n) != 0 || file_exists(host + n);
}

struct docker *
engine_docker(struct profile *p, struct step_run *run, struct error *err)
{
    const char *host = profile_fact(p, FACT_HOST);

    if (host && !socket_is_there(host))
        host = NULL;
    struct docker *d = docker_open(run->loop, host, run, err);

    if (d)
        profile_set_fact(p, FACT_HOST, docker_host(d));
    return d;
}

void
engine_note_pull(struct profile *p, const char *ref)
{
    AUTO(mem_free_ptr) char *key = mem_printf("pulled/%s", ref);

    profile_set_fact(p, key, "1");
}
