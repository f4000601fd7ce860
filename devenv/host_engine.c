/* The container engine, and the programs beside it. */
#include <stdio.h>

#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "devenv/docker.h"
#include "devenv/host_check.h"
#include "devenv/tool.h"

#define VERSION_LIMIT_MS 5000

void
host_check_engine(struct host *h, struct step_run *run, struct host_check *c)
{
    struct error err = {0};

    if (!h->docker) {
        struct docker *d = docker_open(run->loop, h->o->docker_host, run, &err);

        if (!d) {
            host_found(c, "none answers");
            host_blame_error(c, HOST_FAIL, &err);
            return;
        }
        host_use(h, d, run);
        h->borrowed = false;
    }
    host_needed(c, "API " DOCKER_API_MIN);
    host_found(c, "%s %s, API %s", docker_product(h->docker),
               docker_version(h->docker), docker_api(h->docker));
    host_note(c, "%s (%s)", docker_host(h->docker), docker_source(h->docker));
    for (size_t i = 0; h->info && i < h->info->warnings_n; i++)
        host_note(c, "the engine warns: %s", h->info->warnings[i]);
}

/* What a program says of itself, or "". */
static void
version_of(struct step_run *run, const char *path, char out[64])
{
    const char *argv[] = {path, "--version", NULL};
    struct step_program p = {.argv = argv, .limit_ms = VERSION_LIMIT_MS};
    AUTO(buf_release) struct buf said = BUF_INIT(65536);
    int status;

    *out = '\0';
    if (step_program(run, &p, &status, &said, NULL) && status == 0)
        tool_version_in(buf_view(&said), out);
}

/* The engine's own command, which kind calls. */
static void
check_engine_command(struct host *h, struct step_run *run, struct host_check *c)
{
    const char *name = h->docker ? docker_provider(h->docker) : "docker";
    AUTO(mem_free_ptr) char *path = process_find(name);
    char version[64];

    if (!path) {
        host_note(c, "%s: not found", name);
        host_blame(c, HOST_FAIL, "MT-DOCKER-CLI",
                   "The command %s is not on PATH; kind calls it.", name);
        return;
    }
    version_of(run, path, version);
    host_note(c, "%s %s: %s", name, version, path);
}

static void
check_tool(struct host *h, struct step_run *run, const char *name,
           struct host_check *c)
{
    struct tool t = {0};
    struct error err = {0};
    bool kind = strcmp(name, "kind") == 0;

    if (!tool_check(run, name, &t, &err)) {
        host_note(c, "%s: %s", name, err.msg);
        return;
    }
    if (t.source == TOOL_NONE)
        host_note(c, "%s: not found%s%s", name,
                  kind ? ", up fetches " : ", not needed",
                  kind ? t.version : "");
    else
        host_note(c, "%s %s: %s", name, t.version, t.path);
    if (*t.why)
        host_note(c, "%s on PATH: %s", name, t.why);
    if (kind) {
        h->kind_missing = t.source == TOOL_NONE;
        host_found(c, "kind %s%s", t.version,
                   t.source == TOOL_NONE ? " will be fetched" : "");
    }
    tool_release(&t);
}

void
host_check_tools(struct host *h, struct step_run *run, struct host_check *c)
{
    if (!h->o->engine || strcmp(h->o->engine, "kind") == 0) {
        check_tool(h, run, "kind", c);
        check_engine_command(h, run, c);
    }
    check_tool(h, run, "kubectl", c);
    if (!*c->found)
        host_found(c, "%s", c->evidence.n ? c->evidence.v[0] : "none needed");
}
