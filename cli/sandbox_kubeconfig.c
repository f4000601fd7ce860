#include "cli/sandbox_kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/ascii.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/tls.h"

#include "cli/commands.h"

#define KUBECONFIG_MAX 65536
#define DAYS           365
#define READER         "reader"
#define READERS        "meshtop:readers"

/* Where the server is, as its kubeconfig says ("server: https://[::1]:1"). */
static bool
read_address(const char *path, char host[64], unsigned *port, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(KUBECONFIG_MAX);
    struct str rest, line, name;
    uint64_t n = 0;
    size_t colon;

    if (!file_exists(path)) {
        error_set(err, ERR_NOT_FOUND, "there is no %s", path);
        error_remedy(err, "MT-SANDBOX-NEVER",
                     "\"meshtop sandbox start\" first.");
        return false;
    }
    if (!file_read(path, &b, err))
        return false;
    for (rest = buf_view(&b); str_next(&rest, '\n', &line);) {
        line = str_trim(line);
        if (!str_starts(line, STR("server: https://")))
            continue;
        name = str_from(line, strlen("server: https://"));
        for (colon = name.n; colon > 0 && name.s[colon - 1] != ':';)
            colon--;
        if (!colon || !str_to_u64(str_from(name, colon), &n) || n > 65535)
            break;
        name = str_sub(name, 0, colon - 1);
        if (name.n > 2 && name.s[0] == '[')
            name = str_sub(name, 1, name.n - 2);
        snprintf(host, 64, "%.*s", STR_ARG(name));
        *port = (unsigned)n;
        return true;
    }
    return error_set(err, ERR_PARSE, "%s names no server of ours", path);
}

/* What stands in a kubeconfig without quotes. */
static char *
plain_name(const char *name, const char *user)
{
    char *text = mem_printf("%s-%s", name, user);

    for (char *p = text; *p; p++) {
        if (!ascii_letter((unsigned char)*p) &&
            !ascii_digit((unsigned char)*p) && !strchr("._:@-", *p))
            *p = '-';
    }
    return text;
}

static bool
make(const struct args *a, const char *folder, const char *admin,
     const char *name, struct buf *out, struct error *err)
{
    AUTO(strlist_release) struct strlist groups = {0};
    const char *user =
        args_get(a, "user", args_has(a, "read-only") ? READER : NULL);
    AUTO(mem_free_ptr) char *called = plain_name(name, user ? user : "");
    struct tls_identity id = {0};
    struct tls_user u = {0};
    char host[64];
    unsigned port = 0;
    bool good;

    args_list(a, "group", &groups);
    if (args_has(a, "read-only"))
        strlist_add(&groups, STR(READERS));
    if (!user)
        return error_set(err, ERR_USAGE,
                         "kubeconfig takes --user NAME or --read-only");
    if (!read_address(admin, host, &port, err) || !tls_load(folder, &id, err))
        return false;
    good = tls_sign_user(&id, user, &groups, DAYS, &u, err);
    if (good)
        tls_kubeconfig(&id, &u, called, host, port, out);
    tls_user_release(&u);
    tls_release(&id);
    return good;
}

int
sandbox_kubeconfig(const struct args *a, const char *folder, const char *admin,
                   const char *name)
{
    AUTO(buf_release) struct buf b = BUF_INIT(KUBECONFIG_MAX);
    const char *path = args_get(a, "kubeconfig-out", NULL);
    struct error err = {0};

    if (!make(a, folder, admin, name, &b, &err) ||
        !(path ? file_write(path, buf_view(&b), 0600, &err)
               : file_write_fd(STDOUT_FILENO, b.s, b.n, &err)))
        return command_fail(&err);
    return EXIT_DONE;
}
