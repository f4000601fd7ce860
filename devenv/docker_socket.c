#include "devenv/docker_socket.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "devenv/dockerconfig.h"

#define META_MAX ((size_t)1 << 20)

static const char *
env_or_null(const char *name)
{
    const char *v = getenv(name);

    return v && v[0] ? v : NULL;
}

static void
address_release(struct docker_address *a)
{
    free(a->url);
    free(a->from);
    free(a->tls);
}

void
docker_addresses_release(struct docker_addresses *l)
{
    for (size_t i = 0; i < l->n; i++)
        address_release(&l->v[i]);
    free(l->v);
    *l = (struct docker_addresses){0};
}

const char *
docker_address_path(const char *url)
{
    return str_starts(str_of(url), STR("unix://")) ? url + 7 : NULL;
}

/* Takes url and tls. */
static struct docker_address *
add(struct docker_addresses *l, char *url, const char *from)
{
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n] = (struct docker_address){.url = url, .from = mem_strdup(from)};
    return &l->v[l->n++];
}

/* ---- what the user named ---- */

static bool
check_url(const char *url, const char *from, struct error *err)
{
    struct str u = str_of(url);
    const char *path = docker_address_path(url);
    size_t at = str_find(u, STR("://"), 0);

    if (path && path[0] == '/')
        return true;
    if (str_starts(u, STR("tcp://")) && u.n > 6)
        return true;
    if (str_starts(u, STR("ssh://"))) {
        error_set(err, ERR_USAGE, "%s names an engine behind SSH (%s)", from,
                  url);
        error_remedy(err, "MT-ENGINE-DOWN",
                     "Lead its socket here and name that: ssh -nNT -L "
                     "/tmp/engine.sock:/var/run/docker.sock HOST & "
                     "DOCKER_HOST=unix:///tmp/engine.sock meshtop up");
        return false;
    }
    error_set(err, ERR_USAGE, "%s is no address of an engine: %s%s", from, url,
              at == SIZE_MAX ? " (no unix:// or tcp:// in front)" : "");
    error_remedy(err, "MT-ENGINE-DOWN",
                 "Use unix:///path/to/docker.sock or tcp://host:port.");
    return false;
}

static char *
docker_folder(void)
{
    const char *dir = env_or_null("DOCKER_CONFIG");
    const char *home = env_or_null("HOME");

    return dir ? mem_strdup(dir) : file_join(home ? home : "/", ".docker");
}

/* "host:port" alone means tcp, as the docker command reads it. */
static char *
with_scheme(const char *host)
{
    if (strstr(host, "://"))
        return mem_strdup(host);
    if (host[0] == '/')
        return mem_printf("unix://%s", host);
    return mem_printf("tcp://%s", host);
}

static bool
add_named(struct docker_addresses *l, const char *host, const char *from,
          struct error *err)
{
    struct docker_address *a = add(l, with_scheme(host), from);
    const char *certs = env_or_null("DOCKER_CERT_PATH");

    if (!docker_address_path(a->url) && env_or_null("DOCKER_TLS_VERIFY"))
        a->tls = certs ? mem_strdup(certs) : docker_folder();
    return check_url(a->url, from, err);
}

/* ---- contexts ---- */

static char *
context_file(const char *folder, const char *rest, const char *name)
{
    char hex[DIGEST_HEX_MAX];

    digest_hex(DIGEST_SHA256, str_of(name), hex);
    return mem_printf("%s/contexts/%s/%s/%s", folder, rest, hex,
                      strcmp(rest, "meta") == 0 ? "meta.json" : "docker");
}

static bool
no_context(const char *name, const char *why, struct error *err)
{
    error_set(err, ERR_NOT_FOUND, "the docker context %s cannot be used: %s",
              name, why);
    error_remedy(err, "MT-ENGINE-DOWN",
                 "`docker context ls` lists them; `docker context use "
                 "default`, or set DOCKER_HOST.");
    return false;
}

static bool
add_context(struct docker_addresses *l, const char *name, struct error *err)
{
    AUTO(mem_free_ptr) char *folder = docker_folder();
    AUTO(mem_free_ptr) char *path = context_file(folder, "meta", name);
    AUTO(mem_free_ptr) char *from = mem_printf("context %s", name);
    AUTO(buf_release) struct buf text = BUF_INIT(META_MAX);
    AUTO(json_free_ptr) struct json *meta = NULL;
    const struct json *engine;
    const char *host;
    struct docker_address *a;
    struct error e;

    if (!file_read(path, &text, &e))
        return no_context(name, e.msg, err);
    meta = json_parse(buf_view(&text), NULL, &e);
    if (!meta)
        return no_context(name, e.msg, err);
    engine = json_at(meta, "Endpoints", "docker", NULL);
    host = json_get_string(engine, "Host");
    if (!host || !host[0])
        return no_context(name, "it names no engine", err);
    a = add(l, mem_strdup(host), from);
    a->no_check = json_bool(json_get(engine, "SkipTLSVerify"), false);
    a->tls = context_file(folder, "tls", name);
    if (docker_address_path(host) || !file_exists(a->tls)) {
        free(a->tls);
        a->tls = NULL;
    }
    return check_url(host, from, err);
}

/* The context that counts, "" when it is the default one; false when the
 * configuration cannot be read. */
static bool
context_name(char **out, struct error *err)
{
    const char *name = env_or_null("DOCKER_CONTEXT");
    struct dockerconfig *c;

    if (!name) {
        c = dockerconfig_open(NULL, err);
        if (!c)
            return false;
        *out = mem_strdup(dockerconfig_context(c));
        dockerconfig_free(c);
    } else {
        *out = mem_strdup(name);
    }
    if (strcmp(*out, "default") == 0)
        (*out)[0] = 0;
    return true;
}

/* ---- where engines listen by default ---- */

static void
add_socket(struct docker_addresses *l, const char *folder, const char *name)
{
    char *url = mem_printf("unix://%s/%s", folder, name);

    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->v[i].url, url) != 0)
            continue;
        free(url);
        return;
    }
    add(l, url, "default");
}

static void
add_profile(struct docker_addresses *l, const char *home, const char *profile)
{
    AUTO(mem_free_ptr) char *folder = file_join(home, profile);

    add_socket(l, folder, "docker.sock");
}

/* Colima's profiles: the one that is asked for or "default", then the others
 * by name. */
static void
add_colima(struct docker_addresses *l, const char *home)
{
    const char *named = env_or_null("COLIMA_PROFILE");
    struct strlist found = {0};
    struct dirent *e;
    DIR *dir = opendir(home);

    while (!named && dir && (e = readdir(dir)))
        if (e->d_name[0] != '.' && e->d_name[0] != '_' && found.n < 16 &&
            strcmp(e->d_name, "default") != 0)
            strlist_add(&found, str_of(e->d_name));
    if (dir)
        closedir(dir);
    strlist_sort(&found);
    add_profile(l, home, named ? named : "default");
    for (size_t i = 0; i < found.n; i++)
        add_profile(l, home, found.v[i]);
    strlist_release(&found);
}

static void
add_defaults(struct docker_addresses *l)
{
    static const struct {
        enum { ROOT, HOME, RUNTIME, COLIMA } base;
        const char *folder, *name;
    } known[] = {
        {ROOT, "/var/run", "docker.sock"},
        {HOME, ".docker/run", "docker.sock"},
        {COLIMA, ".colima", NULL},
        {COLIMA, ".config/colima", NULL},
        {RUNTIME, "", "docker.sock"},
        {RUNTIME, "podman", "podman.sock"},
        {HOME, ".rd", "docker.sock"},
        {HOME, ".orbstack/run", "docker.sock"},
        {HOME, ".lima/docker/sock", "docker.sock"},
        {ROOT, "/run/podman", "podman.sock"},
    };
    const char *home = env_or_null("HOME");
    const char *run = env_or_null("XDG_RUNTIME_DIR");
    AUTO(mem_free_ptr)
    char *user =
        run ? mem_strdup(run) : mem_printf("/run/user/%u", (unsigned)getuid());

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const char *base = known[i].base == RUNTIME ? user
                           : known[i].base == ROOT  ? ""
                                                    : home;
        char *folder;

        if (!base)
            continue;
        folder = known[i].base == ROOT ? mem_strdup(known[i].folder)
                 : known[i].folder[0]  ? file_join(base, known[i].folder)
                                       : mem_strdup(base);
        if (known[i].base == COLIMA)
            add_colima(l, folder);
        else
            add_socket(l, folder, known[i].name);
        free(folder);
    }
}

bool
docker_addresses(const char *host, struct docker_addresses *out,
                 struct error *err)
{
    struct docker_addresses l = {0};
    AUTO(mem_free_ptr) char *context = NULL;
    const char *named = host ? host : env_or_null("DOCKER_HOST");
    bool ok = true;

    if (named)
        ok = add_named(&l, named, host ? "the address" : "DOCKER_HOST", err);
    else if (!context_name(&context, err))
        ok = false;
    else if (context[0])
        ok = add_context(&l, context, err);
    else
        add_defaults(&l);
    if (!ok) {
        docker_addresses_release(&l);
        return false;
    }
    *out = l;
    return true;
}
