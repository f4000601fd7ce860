#include "lib/kube/auth.h"

#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#define TOKEN_MAX     ((size_t)256 << 10)
#define FILE_FRESH_MS 60000
/* A plugin is asked again a little before its credential ends. */
#define EARLY_S 10

struct kube_auth {
    struct loop *l;
    const struct kube_access *access;
    kube_auth_fn *fn;
    void *arg;
    char *token; /* of the file or the plugin */
    char *cert, *key;
    unsigned serial;
    int64_t read_ms; /* when the token file was read */
    bool have;       /* the plugin gave a credential */
    int64_t expires_s;
    struct process *plugin;
    struct error trouble;
};

static void
forget(char **secret)
{
    mem_wipe(*secret);
    *secret = NULL;
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
    return a;
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
    process_free(a->plugin);
    forget(&a->token);
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
take_credential(struct kube_auth *a, struct str out, struct error *err)
{
    const struct kube_exec *x = a->access->exec;
    AUTO(json_free_ptr) struct json *j = json_parse(out, NULL, err);
    const struct json *status = json_get(j, "status");
    const char *token = json_get_string(status, "token");
    const char *cert = json_get_string(status, "clientCertificateData");
    const char *key = json_get_string(status, "clientKeyData");
    const char *until = json_get_string(status, "expirationTimestamp");

    if (!j)
        return error_wrap(err, "the answer of %s", x->command);
    if (strcmp(json_string_or(json_get(j, "apiVersion"), ""), x->api_version) !=
        0)
        return error_set(err, ERR_PARSE,
                         "exec plugin is configured to use API version %s, "
                         "plugin returned version %s",
                         x->api_version,
                         json_string_or(json_get(j, "apiVersion"), "\"\""));
    if (!token && !(cert && key))
        return error_set(err, ERR_PARSE,
                         "exec plugin %s didn't return a "
                         "token or cert/key pair",
                         x->command);
    if (token && !printable(str_of(token)))
        return error_set(err, ERR_PARSE,
                         "the token of %s has "
                         "control characters",
                         x->command);
    forget(&a->token);
    forget(&a->cert);
    forget(&a->key);
    a->token = mem_strdup(token);
    if (cert && key) {
        a->cert = mem_strdup(cert);
        a->key = mem_strdup(key);
        a->serial++;
    }
    a->expires_s = 0;
    if (until)
        clock_parse(str_of(until), &a->expires_s);
    a->have = true;
    return true;
}

static void
plugin_failed(struct kube_auth *a, const struct process_result *r)
{
    const struct kube_exec *x = a->access->exec;
    struct str said = str_trim(r->err);

    error_set(&a->trouble, ERR_DENIED,
              "exec plugin %s failed with exit code "
              "%d%s%.*s",
              x->command, r->status, said.n ? ": " : "",
              STR_ARG(str_sub(said, 0, 400)));
    error_remedy(&a->trouble, "MT-EXEC-PLUGIN", "Run it by hand: %s",
                 x->command);
}

static void
on_plugin(void *arg, const struct process_result *r)
{
    struct kube_auth *a = arg;

    a->trouble = (struct error){0};
    if (r->status != 0)
        plugin_failed(a, r);
    else
        take_credential(a, r->out, &a->trouble);
    process_free(a->plugin);
    a->plugin = NULL;
    tell(a);
}

static void
start_plugin(struct kube_auth *a)
{
    const struct kube_exec *x = a->access->exec;
    const char **argv = mem_zalloc(x->args.n + 2, sizeof(*argv));
    const char **env = mem_zalloc(x->env.n + 2, sizeof(*env));
    AUTO(mem_free_ptr) char *info = NULL;
    struct process_options o = {.argv = argv, .env = env, .arg = a};

    argv[0] = x->command;
    for (size_t i = 0; i < x->args.n; i++)
        argv[i + 1] = x->args.v[i];
    for (size_t i = 0; i < x->env.n; i++)
        env[i] = x->env.v[i];
    a->trouble = (struct error){0};
    if (!x->api_version) {
        error_set(&a->trouble, ERR_PARSE,
                  "the exec plugin of user %s has no apiVersion",
                  a->access->user);
    } else {
        env[x->env.n] = info = exec_info(a->access);
        o.on_exit = on_plugin;
        a->plugin = process_start(a->l, &o, &a->trouble);
        if (!a->plugin) {
            error_set(&a->trouble, ERR_NOT_FOUND,
                      "exec: executable %s not found", x->command);
            error_remedy(&a->trouble, "MT-EXEC-PLUGIN", "%s",
                         x->install_hint ? x->install_hint
                                         : "Install it or put it on PATH.");
        }
    }
    if (!a->plugin)
        loop_defer(a->l, tell, a);
    free(argv);
    free(env);
}

/* ---- what the client asks ---- */

bool
kube_auth_get(struct kube_auth *a)
{
    if (a->access->token_file && !a->access->exec) {
        if (loop_now(a->l) - a->read_ms >= FILE_FRESH_MS)
            read_token_file(a);
        return true;
    }
    if (!a->access->exec)
        return true;
    if (a->have && (!a->expires_s || clock_wall_ms(clock_system()) / 1000 <
                                         a->expires_s - EARLY_S))
        return true;
    if (!a->plugin && a->trouble.code == ERR_NONE)
        start_plugin(a);
    return false;
}

bool
kube_auth_refused(struct kube_auth *a)
{
    a->have = false;
    a->read_ms = -FILE_FRESH_MS;
    return a->access->exec || a->access->token_file;
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
        if (printable(key) && printable(value))
            strlist_addf(out, "Impersonate-Extra-%.*s: %.*s", STR_ARG(key),
                         STR_ARG(value));
    }
    buf_release(&b);
}

void
kube_auth_certificate(const struct kube_auth *a, const char **cert,
                      const char **key, unsigned *serial)
{
    *cert = a->cert ? a->cert : a->access->cert;
    *key = a->key ? a->key : a->access->key;
    *serial = a->serial;
}
