#include "lib/kube/auth.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "lib/kube/credential.h"
#include "lib/kube/stamp.h"

#define TOKEN_MAX     ((size_t)256 << 10)
#define FILE_FRESH_MS 60000
/* A plugin is asked again a little before its credential ends. */
#define EARLY_S 10
/* What a plugin gave is used for so long at least, though it be expired. */
#define GRACE_MS   5000
#define TIMEOUT_MS 300000
#define PEM_MAX    ((size_t)1 << 20)

struct kube_auth {
    struct loop *l;
    const struct kube_access *access;
    kube_auth_fn *fn;
    void *arg;
    char *token;           /* of the file or the plugin */
    char *ca, *cert, *key; /* of changed files, or of the plugin */
    unsigned serial, generation;
    struct kube_stamp stamps[3];
    int64_t read_ms; /* when the token file was read */
    bool have;       /* the plugin gave a credential */
    int64_t got_ms, expires_s;
    struct process *plugin;
    struct loop_timer *limit; /* of its run */
    kube_auth_line_fn *on_line;
    void *line_arg;
    struct error trouble;
};

static void
forget(char **secret)
{
    mem_wipe(*secret);
    *secret = NULL;
}

/* Have the TLS files changed since we looked? */
static bool
files_changed(struct kube_auth *a)
{
    const struct kube_access *x = a->access;
    bool ca = kube_stamp_changed(x->ca_file, &a->stamps[0]);
    bool cert = kube_stamp_changed(x->cert_file, &a->stamps[1]);
    bool key = kube_stamp_changed(x->key_file, &a->stamps[2]);

    return ca || cert || key;
}

struct kube_auth *
kube_auth_new(struct loop *l, const struct kube_access *access,
              kube_auth_fn *fn, void *arg)
{
    struct kube_auth *a = mem_zalloc(1, sizeof(*a));

    a->l = l;
    a->access = access;
    a->fn = fn;
    a->arg = arg;
    a->read_ms = -FILE_FRESH_MS;
    a->got_ms = -GRACE_MS;
    files_changed(a);
    return a;
}

void
kube_auth_on_line(struct kube_auth *a, kube_auth_line_fn *fn, void *arg)
{
    a->on_line = fn;
    a->line_arg = arg;
}

static void
tell(void *arg)
{
    struct kube_auth *a = arg;
    struct error e = a->trouble;

    a->trouble = (struct error){0};
    a->fn(a->arg, e.code == ERR_NONE ? NULL : &e);
}

void
kube_auth_free(struct kube_auth *a)
{
    if (!a)
        return;
    loop_undefer(a->l, tell, a);
    kube_auth_stop(a);
    forget(&a->token);
    forget(&a->ca);
    forget(&a->cert);
    forget(&a->key);
    free(a);
}

/* ---- token files ---- */

static bool
printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.s[i] < ' ' || s.s[i] == 0x7f)
            return false;
    }
    return s.n > 0;
}

/* Keeps the old token when the file cannot be read: it may be in the middle of
 * a rotation, and a refusal says the rest. */
static void
read_token_file(struct kube_auth *a)
{
    struct buf b = BUF_INIT(TOKEN_MAX);
    struct str token;

    a->read_ms = loop_now(a->l);
    if (file_read(a->access->token_file, &b, NULL)) {
        token = str_trim(buf_view(&b));
        if (printable(token)) {
            forget(&a->token);
            a->token = mem_strndup(token.s, token.n);
        }
    }
    if (b.s)
        explicit_bzero(b.s, b.n);
    buf_release(&b);
}

/* ---- TLS files ---- */

/* NULL when the file cannot be read, or there is none. */
static char *
read_pem(const char *path)
{
    struct buf b = BUF_INIT(PEM_MAX);

    if (path && file_read(path, &b, NULL))
        return buf_take(&b);
    buf_release(&b);
    return NULL;
}

static void
replace(char **slot, char *with)
{
    if (!with)
        return;
    forget(slot);
    *slot = with;
}

/* Files that are gone for a moment leave what was there in use; a certificate
 * without its key is no pair. */
static void
read_tls_files(struct kube_auth *a)
{
    const struct kube_access *x = a->access;
    char *cert, *key;

    if (!files_changed(a))
        return;
    replace(&a->ca, read_pem(x->ca_file));
    cert = read_pem(x->cert_file);
    key = read_pem(x->key_file);
    if ((x->cert_file && !cert) || (x->key_file && !key)) {
        forget(&cert);
        forget(&key);
    }
    replace(&a->cert, cert);
    replace(&a->key, key);
    a->serial++;
}

/* ---- exec plugins ---- */

/* KUBERNETES_EXEC_INFO: what the plugin may know. */
static char *
exec_info(const struct kube_access *access)
{
    const struct kube_exec *x = access->exec;
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct json *spec, *cluster;
    AUTO(mem_free_ptr) char *text = NULL;

    json_set_string(j, "kind", "ExecCredential");
    json_set_string(j, "apiVersion", x->api_version);
    spec = json_need_object(j, "spec");
    json_set_bool(spec, "interactive", false);
    if (x->provide_cluster_info) {
        cluster = json_need_object(spec, "cluster");
        json_set_string(cluster, "server", access->server);
        if (access->tls_server_name)
            json_set_string(cluster, "tls-server-name",
                            access->tls_server_name);
        if (access->insecure)
            json_set_bool(cluster, "insecure-skip-tls-verify", true);
        if (access->disable_compression)
            json_set_bool(cluster, "disable-compression", true);
        if (access->proxy)
            json_set_string(cluster, "proxy-url", access->proxy);
        if (access->ca) {
            struct buf b = BUF_INIT(BUF_TEXT_MAX);

            digest_base64(str_of(access->ca), false, &b);
            json_set_string(cluster, "certificate-authority-data",
                            buf_cstr(&b));
            buf_release(&b);
        }
        if (x->cluster_config)
            json_set(cluster, "config",
                     json_parse(str_of(x->cluster_config), NULL, NULL));
    }
    text = json_text(j, JSON_COMPACT);
    return mem_printf("KUBERNETES_EXEC_INFO=%s", text);
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void
take_credential(struct kube_auth *a, struct str out, struct error *err)
{
    struct kube_credential c;

    if (!kube_credential_read(out, a->access->exec->api_version, &c, err))
        return;
    if (!same_text(c.cert, a->cert) || !same_text(c.key, a->key))
        a->serial++;
    forget(&a->token);
    forget(&a->cert);
    forget(&a->key);
    a->token = c.token;
    a->cert = c.cert;
    a->key = c.key;
    a->expires_s = c.expires_s;
    a->have = true;
    a->got_ms = loop_now(a->l);
    a->generation++;
}

static void
plugin_remedy(struct kube_auth *a)
{
    error_wrap(&a->trouble, "getting credentials");
    error_remedy(&a->trouble, "MT-EXEC-PLUGIN", "Run it by hand: %s",
                 a->access->exec->command);
}

static void
plugin_failed(struct kube_auth *a, const struct process_result *r)
{
    struct str said = str_trim(r->err);

    error_set(&a->trouble, ERR_DENIED,
              "exec: executable %s failed with exit code %d%s%.*s",
              a->access->exec->command, r->status, said.n ? ": " : "",
              STR_ARG(str_sub(said, 0, 400)));
}

static void
on_plugin(void *arg, const struct process_result *r)
{
    struct kube_auth *a = arg;

    a->trouble = (struct error){0};
    if (r->status != 0)
        plugin_failed(a, r);
    else if (r->truncated)
        error_set(&a->trouble, ERR_LIMIT, "decoding stdout: it is too long");
    else
        take_credential(a, r->out, &a->trouble);
    if (a->trouble.code != ERR_NONE)
        plugin_remedy(a);
    kube_auth_stop(a);
    tell(a);
}

static void
on_plugin_line(void *arg, int fd, struct str line)
{
    struct kube_auth *a = arg;

    if (fd == 2 && a->on_line)
        a->on_line(a->line_arg, line);
}

static void
on_limit(void *arg)
{
    struct kube_auth *a = arg;
    const struct kube_exec *x = a->access->exec;

    kube_auth_stop(a);
    error_set(&a->trouble, ERR_TIMEOUT,
              "exec: executable %s did not end within %.1f s", x->command,
              (double)(x->timeout_ms ? x->timeout_ms : TIMEOUT_MS) / 1000.0);
    plugin_remedy(a);
    tell(a);
}

void
kube_auth_stop(struct kube_auth *a)
{
    process_free(a->plugin);
    a->plugin = NULL;
    loop_timer_del(a->limit);
    a->limit = NULL;
}

static void
not_found(struct kube_auth *a)
{
    const struct kube_exec *x = a->access->exec;

    error_set(&a->trouble, ERR_NOT_FOUND,
              "getting credentials: exec: executable %s not found", x->command);
    error_remedy(&a->trouble, "MT-EXEC-PLUGIN", "%s",
                 x->install_hint ? x->install_hint
                                 : "Install it or put it on PATH.");
}

static void
run_plugin(struct kube_auth *a)
{
    const struct kube_exec *x = a->access->exec;
    const char **argv = mem_zalloc(x->args.n + 2, sizeof(*argv));
    const char **env = mem_zalloc(x->env.n + 2, sizeof(*env));
    AUTO(mem_free_ptr) char *info = exec_info(a->access);
    struct process_options o = {.argv = argv,
                                .env = env,
                                .no_terminal = true,
                                .on_line = on_plugin_line,
                                .on_exit = on_plugin,
                                .arg = a};

    argv[0] = x->command;
    for (size_t i = 0; i < x->args.n; i++)
        argv[i + 1] = x->args.v[i];
    for (size_t i = 0; i < x->env.n; i++)
        env[i] = x->env.v[i];
    env[x->env.n] = info;
    a->plugin = process_start(a->l, &o, &a->trouble);
    if (!a->plugin)
        not_found(a);
    else
        a->limit = loop_timer_add(
            a->l, x->timeout_ms ? x->timeout_ms : TIMEOUT_MS, on_limit, a);
    free(argv);
    free(env);
}

static void
start_plugin(struct kube_auth *a)
{
    const struct kube_exec *x = a->access->exec;

    a->trouble = (struct error){0};
    if (x->interactive && strcmp(x->interactive, "Always") == 0) {
        error_set(&a->trouble, ERR_UNSUPPORTED,
                  "exec plugin cannot support interactive mode: standard input "
                  "is unavailable");
        plugin_remedy(a);
    } else if (!x->api_version) {
        error_set(&a->trouble, ERR_PARSE,
                  "the exec plugin of user %s has no apiVersion",
                  a->access->user);
    } else {
        run_plugin(a);
    }
    if (!a->plugin)
        loop_defer(a->l, tell, a);
}

/* A plugin may give what has expired already: it is tried, once. */
static bool
is_fresh(const struct kube_auth *a)
{
    int64_t now_s = clock_wall_ms(clock_system()) / 1000;

    return !a->expires_s || now_s < a->expires_s - EARLY_S ||
           loop_now(a->l) - a->got_ms < GRACE_MS;
}

/* ---- what the client asks ---- */

bool
kube_auth_get(struct kube_auth *a)
{
    const struct kube_access *x = a->access;

    read_tls_files(a);
    if (x->token_file && loop_now(a->l) - a->read_ms >= FILE_FRESH_MS)
        read_token_file(a);
    if (!x->exec || (a->have && is_fresh(a)))
        return true;
    if (!a->plugin && a->trouble.code == ERR_NONE)
        start_plugin(a);
    return false;
}

unsigned
kube_auth_generation(const struct kube_auth *a)
{
    return a->generation;
}

bool
kube_auth_refused(struct kube_auth *a, unsigned generation)
{
    if (!a->access->exec && !a->access->token_file)
        return false;
    if (generation != a->generation)
        return true;
    a->have = false;
    a->read_ms = -FILE_FRESH_MS;
    return true;
}

/* What can be no part of a header's name is percent-encoded, '%' too
 * (transport/round_trippers.go, headerKeyEscape). */
static void
escape_key(struct str key, struct buf *out)
{
    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = (unsigned char)key.s[i];

        if (c < 0x80 && (isalnum(c) || strchr("!#$&'*+-.^_`|~", c)))
            buf_putc(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

void
kube_auth_headers(const struct kube_auth *a, struct strlist *out)
{
    const struct kube_access *x = a->access;
    const char *token = a->token ? a->token : x->token;
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (token && printable(str_of(token))) {
        strlist_addf(out, "Authorization: Bearer %s", token);
    } else if (x->username) {
        AUTO(mem_free_ptr)
        char *pair =
            mem_printf("%s:%s", x->username, x->password ? x->password : "");

        digest_base64(str_of(pair), false, &b);
        strlist_addf(out, "Authorization: Basic %s", buf_cstr(&b));
    }
    if (x->as && printable(str_of(x->as)))
        strlist_addf(out, "Impersonate-User: %s", x->as);
    if (x->as_uid && printable(str_of(x->as_uid)))
        strlist_addf(out, "Impersonate-Uid: %s", x->as_uid);
    for (size_t i = 0; i < x->as_groups.n; i++) {
        if (printable(str_of(x->as_groups.v[i])))
            strlist_addf(out, "Impersonate-Group: %s", x->as_groups.v[i]);
    }
    for (size_t i = 0; i < x->as_extra.n; i++) {
        struct str key, value;

        str_cut(str_of(x->as_extra.v[i]), '=', &key, &value);
        if (!printable(key) || !printable(value))
            continue;
        buf_reset(&b);
        escape_key(key, &b);
        strlist_addf(out, "Impersonate-Extra-%s: %.*s", buf_cstr(&b),
                     STR_ARG(value));
    }
    buf_release(&b);
}

void
kube_auth_tls(const struct kube_auth *a, const char **ca, const char **cert,
              const char **key, unsigned *serial)
{
    *ca = a->ca ? a->ca : a->access->ca;
    *cert = a->cert ? a->cert : a->access->cert;
    *key = a->key ? a->key : a->access->key;
    *serial = a->serial;
}
