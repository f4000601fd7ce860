#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/kube/kubeconfig.h"
#include "lib/kube/kubeconfig_tree.h"

#define POD_DIR "/var/run/secrets/kubernetes.io/serviceaccount"
#define PEM_MAX ((size_t)1 << 20)

/* ---- pieces of an entry ---- */

/* A copy of a text member; NULL when absent or empty. */
static char *
text_of(const struct json *j, const char *key)
{
    const char *z = json_get_string(j, key);

    return z && *z ? mem_strdup(z) : NULL;
}

/* The same for a path, made absolute against its file. */
static char *
path_of(const struct kube_entry *e, const char *key)
{
    const char *z = json_get_string(e->value, key);

    if (!z || !*z)
        return NULL;
    return *z == '/' ? mem_strdup(z) : file_join(e->source->folder, z);
}

static bool
decode(const char *text, const char *what, char **out, struct error *err)
{
    struct buf b;

    buf_init(&b, PEM_MAX);
    if (!digest_unbase64(str_of(text), false, &b)) {
        buf_release(&b);
        return error_set(err, ERR_PARSE, "%s is no base64", what);
    }
    *out = buf_take(&b);
    return true;
}

/* KEY-data beats the file named by KEY. */
static bool
pem_of(const struct kube_entry *e, const char *key, char **out, char **file,
       struct error *err)
{
    AUTO(mem_free_ptr) char *data_key = mem_printf("%s-data", key);
    AUTO(mem_free_ptr) char *path = path_of(e, key);
    const char *data = json_get_string(e->value, data_key);
    struct buf b;

    if (data && *data)
        return decode(data, data_key, out, err);
    if (!path)
        return true;
    buf_init(&b, PEM_MAX);
    if (!file_read(path, &b, err)) {
        buf_release(&b);
        return error_wrap(err, "%s", key);
    }
    *out = buf_take(&b);
    *file = path;
    path = NULL;
    return true;
}

static void
strings_of(const struct json *list, struct strlist *out)
{
    for (struct json *i = json_first(list); i; i = json_next(i)) {
        if (json_string(i))
            strlist_add(out, str_of(json_string(i)));
    }
}

/* ---- the three parts ---- */

static bool
read_cluster(struct kube_access *a, const struct kube_entry *e,
             struct error *err)
{
    char *server = text_of(e->value, "server");
    size_t n;

    if (!server)
        return error_set(err, ERR_PARSE, "cluster %s has no server", e->name);
    for (n = strlen(server); n && server[n - 1] == '/'; n--)
        server[n - 1] = 0;
    a->insecure =
        json_bool(json_get(e->value, "insecure-skip-tls-verify"), false);
    a->tls_server_name = text_of(e->value, "tls-server-name");
    a->proxy = text_of(e->value, "proxy-url");
    a->disable_compression =
        json_bool(json_get(e->value, "disable-compression"), false);
    if (!pem_of(e, "certificate-authority", &a->ca, &a->ca_file, err)) {
        free(server);
        return error_wrap(err, "cluster %s", e->name);
    }
    if (strstr(server, "://")) {
        a->server = server;
    } else {
        a->server = mem_printf("%s://%s",
                               a->ca || a->insecure ? "https" : "http", server);
        free(server);
    }
    if (a->ca && a->insecure)
        return error_set(err, ERR_USAGE,
                         "cluster %s has a certificate authority and "
                         "insecure-skip-tls-verify: only one can be meant",
                         e->name);
    return true;
}

static void
read_exec(struct kube_access *a, const struct kube_entry *user,
          const struct kube_entry *cluster)
{
    const struct json *j = json_get(user->value, "exec");
    const char *command = json_get_string(j, "command");
    const struct json *config = NULL;
    struct kube_exec *x;

    if (!command)
        return;
    x = a->exec = mem_zalloc(1, sizeof(*x));
    /* A bare name is looked up in PATH; a relative path is relative to the
     * file. */
    if (strchr(command, '/') && *command != '/')
        x->command = file_join(user->source->folder, command);
    else
        x->command = mem_strdup(command);
    strings_of(json_get(j, "args"), &x->args);
    for (struct json *v = json_first(json_get(j, "env")); v; v = json_next(v)) {
        if (json_get_string(v, "name"))
            strlist_addf(&x->env, "%s=%s", json_get_string(v, "name"),
                         json_string_or(json_get(v, "value"), ""));
    }
    x->api_version = text_of(j, "apiVersion");
    x->install_hint = text_of(j, "installHint");
    x->interactive = text_of(j, "interactiveMode");
    x->provide_cluster_info =
        json_bool(json_get(j, "provideClusterInfo"), false);
    for (struct json *v = json_first(json_get(cluster->value, "extensions")); v;
         v = json_next(v)) {
        if (strcmp(json_string_or(json_get(v, "name"), ""),
                   "client.authentication.k8s.io/exec") == 0)
            config = json_get(v, "extension");
    }
    if (config)
        x->cluster_config = json_text(config, JSON_COMPACT);
}

static void
read_impersonation(struct kube_access *a, const struct json *user)
{
    const struct json *extra = json_get(user, "as-user-extra");

    a->as = text_of(user, "as");
    a->as_uid = text_of(user, "as-uid");
    strings_of(json_get(user, "as-groups"), &a->as_groups);
    for (struct json *k = json_first(extra); k; k = json_next(k)) {
        for (struct json *v = json_first(k); v; v = json_next(v))
            strlist_addf(&a->as_extra, "%s=%s", json_key(k),
                         json_string_or(v, ""));
    }
}

static bool
read_user(struct kube_access *a, const struct kube_entry *e,
          const struct kube_entry *cluster, struct error *err)
{
    if (!pem_of(e, "client-certificate", &a->cert, &a->cert_file, err) ||
        !pem_of(e, "client-key", &a->key, &a->key_file, err))
        return error_wrap(err, "user %s", e->name);
    if (!a->cert != !a->key)
        return error_set(
            err, ERR_USAGE, "user %s has a client %s without its %s", e->name,
            a->cert ? "certificate" : "key", a->cert ? "key" : "certificate");
    a->token = text_of(e->value, "token");
    a->token_file = path_of(e, "tokenFile");
    a->username = text_of(e->value, "username");
    a->password = text_of(e->value, "password");
    read_impersonation(a, e->value);
    if (a->token || a->token_file || a->username || a->cert)
        return true;
    read_exec(a, e, cluster);
    if (!a->exec && json_is(json_get(e->value, "auth-provider"), JSON_OBJECT))
        return error_set(err, ERR_UNSUPPORTED,
                         "user %s uses an auth-provider, which Kubernetes "
                         "has removed: use its exec plugin",
                         e->name);
    return true;
}

/* ---- resolving ---- */

static bool
no_context(const struct kube_config *c, const char *name, struct error *err)
{
    AUTO(buf_release) struct buf have = BUF_INIT(400);

    for (size_t i = 0; i < kube_config_count(c) && !have.over; i++)
        buf_printf(&have, "%s%s", i ? ", " : "", kube_config_context(c, i));
    if (!name && !have.n)
        error_set(err, ERR_NOT_FOUND, "there is no kubeconfig");
    else if (!name)
        error_set(err, ERR_NOT_FOUND,
                  "the kubeconfig names no current "
                  "context");
    else
        error_set(err, ERR_NOT_FOUND, "there is no context %s", name);
    if (have.n)
        error_remedy(err, "MT-NO-CONTEXT", "There are: %s%s.", buf_cstr(&have),
                     have.over ? ", ..." : "");
    else
        error_remedy(err, "MT-NO-KUBECONFIG",
                     "Start a mesh with \"meshtop up\", or name a file with "
                     "--kubeconfig.");
    return false;
}

static bool
resolve(const struct kube_config *c, const struct kube_entry *context,
        struct kube_access *a, struct error *err)
{
    const struct kube_entry *cluster, *user;

    a->context = mem_strdup(context->name);
    a->source = mem_strdup(context->source->path);
    a->cluster = text_of(context->value, "cluster");
    a->user = text_of(context->value, "user");
    a->ns = text_of(context->value, "namespace");
    if (!a->ns)
        a->ns = mem_strdup("default");
    cluster = kube_config_entry(c, KUBE_CLUSTERS, a->cluster);
    if (!cluster)
        return error_set(err, ERR_NOT_FOUND,
                         "context %s names the cluster "
                         "%s, which is not there",
                         context->name, a->cluster ? a->cluster : "\"\"");
    if (!read_cluster(a, cluster, err))
        return false;
    if (!a->user)
        return true;
    user = kube_config_entry(c, KUBE_USERS, a->user);
    if (!user)
        return error_set(err, ERR_NOT_FOUND,
                         "context %s names the user %s, which is not there",
                         context->name, a->user);
    return read_user(a, user, cluster, err);
}

struct kube_access *
kube_config_access(const struct kube_config *c, const char *context,
                   struct error *err)
{
    const char *name = context ? context : c->current;
    const struct kube_entry *e = kube_config_entry(c, KUBE_CONTEXTS, name);
    struct kube_access *a;

    if (!e) {
        no_context(c, name, err);
        return NULL;
    }
    a = mem_zalloc(1, sizeof(*a));
    if (resolve(c, e, a, err))
        return a;
    kube_access_free(a);
    return NULL;
}

static char *
pod_file(const char *name, struct error *err)
{
    AUTO(mem_free_ptr) char *path = file_join(POD_DIR, name);
    struct buf b;

    buf_init(&b, PEM_MAX);
    if (file_read(path, &b, err))
        return buf_take(&b);
    buf_release(&b);
    return NULL;
}

struct kube_access *
kube_access_in_cluster(struct error *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    struct kube_access *a;

    if (!host || !*host || !port || !*port) {
        error_set(err, ERR_NOT_FOUND, "this is no pod of a cluster");
        return NULL;
    }
    a = mem_zalloc(1, sizeof(*a));
    a->context = mem_strdup("in-cluster");
    a->cluster = mem_strdup("in-cluster");
    a->source = mem_strdup(POD_DIR);
    a->server = mem_printf(
        strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
    a->token_file = file_join(POD_DIR, "token");
    a->ca = pod_file("ca.crt", err);
    a->ns = pod_file("namespace", NULL);
    if (!a->ns)
        a->ns = mem_strdup("default");
    if (a->ca)
        return a;
    kube_access_free(a);
    return NULL;
}

struct kube_access *
kube_access_open(const char *file, const char *context, struct error *err)
{
    AUTO(kube_config_free_ptr)
    struct kube_config *c = kube_config_load(file, err);
    struct kube_access *a;

    if (!c)
        return NULL;
    if (!file && !context && kube_config_count(c) == 0) {
        a = kube_access_in_cluster(NULL);
        if (a)
            return a;
    }
    return kube_config_access(c, context, err);
}

/* ---- copies and ends ---- */

static void
copy_list(struct strlist *to, const struct strlist *from)
{
    *to = (struct strlist){0};
    for (size_t i = 0; i < from->n; i++)
        strlist_add(to, str_of(from->v[i]));
}

/* Every text of a struct kube_access, so that none is forgotten in a copy or
 * at the end. */
#define TEXT(member) offsetof(struct kube_access, member)
static const size_t texts[] = {
    TEXT(context),
    TEXT(cluster),
    TEXT(user),
    TEXT(ns),
    TEXT(server),
    TEXT(ca),
    TEXT(cert),
    TEXT(key),
    TEXT(token),
    TEXT(username),
    TEXT(tls_server_name),
    TEXT(proxy),
    TEXT(password),
    TEXT(token_file),
    TEXT(as),
    TEXT(as_uid),
    TEXT(source),
    TEXT(ca_file),
    TEXT(cert_file),
    TEXT(key_file),
};

static char **
text_at(const struct kube_access *a, size_t i)
{
    return (char **)((uintptr_t)a + texts[i]);
}

struct kube_access *
kube_access_copy(const struct kube_access *a)
{
    struct kube_access *b = mem_zalloc(1, sizeof(*b));
    const struct kube_exec *x = a->exec;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *text_at(b, i) = mem_strdup(*text_at(a, i));
    b->insecure = a->insecure;
    b->disable_compression = a->disable_compression;
    copy_list(&b->as_groups, &a->as_groups);
    copy_list(&b->as_extra, &a->as_extra);
    if (!x)
        return b;
    b->exec = mem_zalloc(1, sizeof(*b->exec));
    b->exec->command = mem_strdup(x->command);
    copy_list(&b->exec->args, &x->args);
    copy_list(&b->exec->env, &x->env);
    b->exec->api_version = mem_strdup(x->api_version);
    b->exec->install_hint = mem_strdup(x->install_hint);
    b->exec->interactive = mem_strdup(x->interactive);
    b->exec->provide_cluster_info = x->provide_cluster_info;
    b->exec->cluster_config = mem_strdup(x->cluster_config);
    return b;
}

void
kube_access_free(struct kube_access *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        mem_wipe(*text_at(a, i));
    strlist_release(&a->as_groups);
    strlist_release(&a->as_extra);
    if (a->exec) {
        free(a->exec->command);
        strlist_release(&a->exec->args);
        strlist_release(&a->exec->env);
        free(a->exec->api_version);
        free(a->exec->install_hint);
        free(a->exec->interactive);
        free(a->exec->cluster_config);
        free(a->exec);
    }
    free(a);
}

void
kube_access_free_ptr(struct kube_access **a)
{
    kube_access_free(*a);
}
