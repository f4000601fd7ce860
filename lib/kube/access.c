#include <stdlib.h>
#include <strings.h>

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

/* A relative path, as it stands in e's file. */
static char *
beside(const struct kube_entry *e, const char *path)
{
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    return file_join(e->source->folder, path);
}

/* The same for a path, made absolute against its file. */
static char *
path_of(const struct kube_entry *e, const char *key)
{
    const char *z = json_get_string(e->value, key);

    if (!z || !*z)
        return NULL;
    return *z == '/' ? mem_strdup(z) : beside(e, z);
}

/* Is there KEY or KEY-data? */
static bool
text_exists(const struct json *j, const char *key)
{
    AUTO(mem_free_ptr) char *data_key = mem_printf("%s-data", key);

    return *json_string_or(json_get(j, key), "") ||
           *json_string_or(json_get(j, data_key), "");
}

static void
exec_free(struct kube_exec *x)
{
    if (!x)
        return;
    free(x->command);
    strlist_release(&x->args);
    strlist_release(&x->env);
    free(x->api_version);
    free(x->install_hint);
    free(x->interactive);
    free(x->cluster_config);
    free(x);
}

bool
kube_access_secure(const struct kube_access *a)
{
    return strncasecmp(a->server, "https://", 8) == 0;
}

static void
drop_credentials(struct kube_access *a)
{
    char **texts[] = {&a->ca,         &a->cert,           &a->key,
                      &a->token,      &a->username,       &a->password,
                      &a->ca_file,    &a->cert_file,      &a->key_file,
                      &a->token_file, &a->tls_server_name};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        mem_wipe(*texts[i]);
        *texts[i] = NULL;
    }
    a->insecure = false;
    exec_free(a->exec);
    a->exec = NULL;
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

/* A PEM text, from KEY-data or from the file that KEY names. Both at once is an
 * error (validation.go). */
static bool
pem_of(const struct kube_entry *e, const char *key, char **out, char **file,
       struct error *err)
{
    AUTO(mem_free_ptr) char *data_key = mem_printf("%s-data", key);
    AUTO(mem_free_ptr) char *path = path_of(e, key);
    const char *data = json_get_string(e->value, data_key);
    struct buf b;

    if (data && *data && path)
        return error_set(err, ERR_USAGE, "has %s and %s: only one can be meant",
                         key, data_key);
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
    for (struct json *i = json_first(list); i; i = json_next(i))
        strlist_add(out, str_of(json_string_or(i, "")));
}

/* ---- the three parts ---- */

static bool
is_proxy(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    }
    return false;
}

/* "https://h:6443/prefix" of what the cluster says: no scheme means http
 * (rest/url_utils.go), query and fragment are cut, slashes at the end too. */
static char *
server_of(const char *text)
{
    struct str s = str_of(text), rest;
    static const char *const schemes[] = {"https://", "http://"};
    bool bare = !strstr(text, "://");

    str_cut(s, '#', &s, &rest);
    str_cut(s, '?', &s, &rest);
    while (s.n && s.s[s.n - 1] == '/')
        s.n--;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);

        if (s.n > n && strncasecmp(s.s, schemes[i], n) == 0)
            return mem_printf("%s%.*s", schemes[i], STR_ARG(str_from(s, n)));
    }
    return mem_printf("%s%.*s", bare ? "http://" : "", STR_ARG(s));
}

static bool
read_cluster(struct kube_access *a, const struct kube_entry *e,
             struct error *err)
{
    const char *server = json_string_or(json_get(e->value, "server"), "");

    if (!*server)
        return error_set(err, ERR_PARSE, "cluster %s has no server", e->name);
    a->server = server_of(server);
    a->insecure =
        json_bool(json_get(e->value, "insecure-skip-tls-verify"), false);
    a->tls_server_name = text_of(e->value, "tls-server-name");
    a->proxy = text_of(e->value, "proxy-url");
    a->disable_compression =
        json_bool(json_get(e->value, "disable-compression"), false);
    if (a->proxy && !is_proxy(a->proxy))
        return error_set(err, ERR_USAGE,
                         "cluster %s: the proxy-url %s is none of http, https "
                         "and socks5",
                         e->name, a->proxy);
    if (!pem_of(e, "certificate-authority", &a->ca, &a->ca_file, err))
        return error_wrap(err, "cluster %s", e->name);
    if (a->ca && a->insecure && kube_access_secure(a))
        return error_set(err, ERR_USAGE,
                         "cluster %s has a certificate authority and "
                         "insecure-skip-tls-verify: only one can be meant",
                         e->name);
    return true;
}

/* The extension of the cluster that is meant for plugins, or NULL. */
static char *
plugin_config(const struct kube_entry *cluster)
{
    const struct json *v = json_first(json_get(cluster->value, "extensions"));

    for (; v; v = json_next(v)) {
        if (strcmp(json_string_or(json_get(v, "name"), ""),
                   "client.authentication.k8s.io/exec") == 0 &&
            json_get(v, "extension"))
            return json_text(json_get(v, "extension"), JSON_COMPACT);
    }
    return NULL;
}

/* What validateAuthInfo (validation.go) and GetAuthenticator
 * (plugin/pkg/client/auth/exec) ask of a plugin. */
static bool
check_exec(const struct kube_exec *x, const char *user, struct error *err)
{
    static const char *const modes[] = {"Never", "IfAvailable", "Always"};
    bool known = false;

    if (!x->command)
        return error_set(err, ERR_PARSE,
                         "the exec plugin of user %s has no command", user);
    if (!x->api_version)
        return error_set(err, ERR_PARSE,
                         "the exec plugin of user %s has no apiVersion", user);
    for (size_t i = 0; i < x->env.n; i++) {
        if (x->env.v[i][0] == '=')
            return error_set(err, ERR_PARSE,
                             "the exec plugin of user %s has an env variable "
                             "without a name",
                             user);
    }
    if (!x->interactive)
        return error_set(err, ERR_PARSE,
                         "interactiveMode must be specified for %s to use exec "
                         "authentication plugin",
                         user);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        known |= strcmp(x->interactive, modes[i]) == 0;
    if (!known)
        return error_set(err, ERR_PARSE,
                         "invalid interactiveMode for %s: \"%s\"", user,
                         x->interactive);
    return true;
}

static bool
check_version(const struct kube_exec *x, struct error *err)
{
    if (strcmp(x->api_version, "client.authentication.k8s.io/v1") == 0 ||
        strcmp(x->api_version, "client.authentication.k8s.io/v1beta1") == 0)
        return true;
    error_set(err, ERR_UNSUPPORTED, "exec plugin: invalid apiVersion \"%s\"",
              x->api_version);
    error_remedy(err, "MT-EXEC-PLUGIN",
                 "Update the plugin, and say apiVersion: "
                 "client.authentication.k8s.io/v1 in the kubeconfig.");
    return false;
}

static void
read_exec(struct kube_exec *x, const struct kube_entry *user,
          const struct kube_entry *cluster)
{
    const struct json *j = json_get(user->value, "exec");
    const char *command = json_string_or(json_get(j, "command"), "");

    /* A bare name is looked up in PATH; a relative path is relative to the
     * file. */
    if (strchr(command, '/') && *command != '/')
        x->command = beside(user, command);
    else
        x->command = *command ? mem_strdup(command) : NULL;
    strings_of(json_get(j, "args"), &x->args);
    for (struct json *v = json_first(json_get(j, "env")); v; v = json_next(v))
        strlist_addf(&x->env, "%s=%s", json_string_or(json_get(v, "name"), ""),
                     json_string_or(json_get(v, "value"), ""));
    x->api_version = text_of(j, "apiVersion");
    x->install_hint = text_of(j, "installHint");
    x->interactive = text_of(j, "interactiveMode");
    if (!x->interactive && x->api_version &&
        strcmp(x->api_version, "client.authentication.k8s.io/v1") != 0)
        x->interactive = mem_strdup("IfAvailable");
    x->provide_cluster_info =
        json_bool(json_get(j, "provideClusterInfo"), false);
    x->cluster_config = plugin_config(cluster);
}

static bool
read_impersonation(struct kube_access *a, const struct kube_entry *user,
                   struct error *err)
{
    const struct json *extra = json_get(user->value, "as-user-extra");

    a->as = text_of(user->value, "as");
    a->as_uid = text_of(user->value, "as-uid");
    strings_of(json_get(user->value, "as-groups"), &a->as_groups);
    for (struct json *k = json_first(extra); k; k = json_next(k)) {
        for (struct json *v = json_first(k); v; v = json_next(v))
            strlist_addf(&a->as_extra, "%s=%s", json_key(k),
                         json_string_or(v, ""));
    }
    if (!a->as && (a->as_uid || a->as_groups.n || json_len(extra)))
        return error_set(err, ERR_USAGE,
                         "requesting uid, groups or user-extra for %s without "
                         "impersonating a user",
                         user->name);
    return true;
}

/* Kubernetes took these out of its clients in 1.26. */
static bool
no_provider(const char *user, const char *name, struct error *err)
{
    static const struct {
        const char *name, *remedy;
    } ways[] = {
        {"gcp", "Install gke-gcloud-auth-plugin, then: gcloud container "
                "clusters get-credentials CLUSTER"},
        {"azure", "Install kubelogin, then: kubelogin convert-kubeconfig"},
        {"oidc", "Install kubelogin (kubectl oidc-login), then: kubectl "
                 "oidc-login setup"},
    };
    const char *remedy = "Ask its maker for an exec plugin (client-go "
                         "credential plugin) to put in its place.";

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (strcmp(ways[i].name, name) == 0)
            remedy = ways[i].remedy;
    }
    error_set(err, ERR_UNSUPPORTED,
              "user %s uses the auth-provider \"%s\", which is replaced by "
              "exec plugins",
              user, name);
    error_remedy(err, "MT-AUTH-PROVIDER", "%s", remedy);
    return false;
}

/* Credentials by themselves; token, then basic, then a certificate. */
static bool
read_credentials(struct kube_access *a, const struct kube_entry *e,
                 struct error *err)
{
    const char *name = e->name;

    a->token = text_of(e->value, "token");
    a->token_file = path_of(e, "tokenFile");
    a->username = text_of(e->value, "username");
    a->password = text_of(e->value, "password");
    if (a->token && (a->username || a->password))
        return error_set(err, ERR_USAGE,
                         "more than one authentication method found for %s; "
                         "found [token basicAuth], only one is allowed",
                         name);
    if (!text_exists(e->value, "client-certificate"))
        return true;
    if (!text_exists(e->value, "client-key"))
        return error_set(err, ERR_USAGE,
                         "user %s has a client certificate without its key",
                         name);
    if (!pem_of(e, "client-certificate", &a->cert, &a->cert_file, err) ||
        !pem_of(e, "client-key", &a->key, &a->key_file, err))
        return error_wrap(err, "user %s", name);
    return true;
}

static bool
read_user(struct kube_access *a, const struct kube_entry *e,
          const struct kube_entry *cluster, struct error *err)
{
    const struct json *provider = json_get(e->value, "auth-provider");

    if (!read_credentials(a, e, err) || !read_impersonation(a, e, err))
        return false;
    if (json_is(json_get(e->value, "exec"), JSON_OBJECT)) {
        a->exec = mem_zalloc(1, sizeof(*a->exec));
        read_exec(a->exec, e, cluster);
        if (json_is(provider, JSON_OBJECT))
            return error_set(err, ERR_USAGE,
                             "user %s has an auth-provider and an exec plugin: "
                             "only one can be meant",
                             e->name);
        if (!check_exec(a->exec, e->name, err) ||
            (kube_access_secure(a) && !check_version(a->exec, err)))
            return false;
    }
    if (json_is(provider, JSON_OBJECT) && kube_access_secure(a))
        return no_provider(e->name,
                           json_string_or(json_get(provider, "name"), ""), err);
    return true;
}

/* Who has another credential runs no plugin; over plain HTTP none is sent
 * (client_config.go, ClientConfig). */
static bool
choose_credentials(struct kube_access *a, struct error *err)
{
    AUTO(buf_release) struct buf token = BUF_INIT(PEM_MAX);

    if (!kube_access_secure(a)) {
        drop_credentials(a);
        return true;
    }
    if (a->token_file && !a->token && !file_read(a->token_file, &token, err))
        return error_wrap(err, "tokenFile");
    if (a->token || a->token_file || a->username || a->password || a->cert) {
        exec_free(a->exec);
        a->exec = NULL;
    }
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
    cluster = kube_config_entry(c, KUBE_CLUSTERS, a->cluster ? a->cluster : "");
    if (!cluster)
        return error_set(err, ERR_NOT_FOUND,
                         "context %s names the cluster "
                         "%s, which is not there",
                         context->name, a->cluster ? a->cluster : "\"\"");
    if (!read_cluster(a, cluster, err))
        return false;
    user = kube_config_entry(c, KUBE_USERS, a->user ? a->user : "");
    if (!user && !a->user)
        return choose_credentials(a, err);
    if (!user)
        return error_set(err, ERR_NOT_FOUND,
                         "context %s names the user %s, which is not there",
                         context->name, a->user);
    return read_user(a, user, cluster, err) && choose_credentials(a, err);
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
pod_file(const char *folder, const char *name, struct error *err)
{
    AUTO(mem_free_ptr) char *path = file_join(folder, name);
    struct buf b;

    buf_init(&b, PEM_MAX);
    if (file_read(path, &b, err))
        return buf_take(&b);
    buf_release(&b);
    return NULL;
}

/* The namespace of the pod, as inClusterClientConfig.Namespace finds it. */
static char *
pod_namespace(const char *folder)
{
    const char *env = getenv("POD_NAMESPACE");
    AUTO(mem_free_ptr) char *text = NULL;
    struct str s;

    if (env && *env)
        return mem_strdup(env);
    text = pod_file(folder, "namespace", NULL);
    s = str_trim(str_of(text));
    return s.n ? mem_strndup(s.s, s.n) : mem_strdup("default");
}

struct kube_access *
kube_access_pod(const char *folder, struct error *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    AUTO(mem_free_ptr) char *token = NULL;
    struct kube_access *a;

    if (!host || !*host || !port || !*port) {
        error_set(err, ERR_NOT_FOUND, "this is no pod of a cluster");
        return NULL;
    }
    token = pod_file(folder, "token", err);
    if (!token)
        return NULL;
    explicit_bzero(token, strlen(token));
    a = mem_zalloc(1, sizeof(*a));
    a->context = mem_strdup("in-cluster");
    a->cluster = mem_strdup("in-cluster");
    a->source = mem_strdup(folder);
    a->server = mem_printf(
        strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
    a->token_file = file_join(folder, "token");
    a->ca = pod_file(folder, "ca.crt", NULL);
    a->ca_file = a->ca ? file_join(folder, "ca.crt") : NULL;
    a->ns = pod_namespace(folder);
    return a;
}

struct kube_access *
kube_access_in_cluster(struct error *err)
{
    return kube_access_pod(POD_DIR, err);
}

struct kube_access *
kube_access_open(const char *file, const char *context, struct error *err)
{
    AUTO(kube_config_free_ptr)
    struct kube_config *c = kube_config_load(file, err);
    struct kube_access *a;

    if (!c)
        return NULL;
    if (!context && !c->current) {
        a = kube_access_in_cluster(NULL);
        if (a)
            return a;
    }
    a = kube_config_access(c, context, err);
    if (a)
        a->file = mem_strdup(file);
    return a;
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
    TEXT(file),
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
    b->exec->timeout_ms = x->timeout_ms;
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
    exec_free(a->exec);
    free(a);
}

void
kube_access_free_ptr(struct kube_access **a)
{
    kube_access_free(*a);
}
