/*
 * kubeconfig.h - which cluster, as whom: what the kubeconfig files say.
 *
 * What: reads the files kubectl reads, merges them by kubectl's rules, lists
 * the contexts, and resolves one context to the plain facts a client needs.
 * Sources: client-go tools/clientcmd (loader.go, client_config.go); the rules
 * stand beside the functions. Nothing is contacted here and no plugin is run.
 * Lifetimes: struct kube_config and struct kube_access own their strings and
 * do not point into each other. The texts of an access are wiped at its end.
 * Caps: 4 MiB a file, 64 files, 10,000 entries of each sort -> ERR_LIMIT.
 */
#ifndef LIB_KUBE_KUBECONFIG_H
#define LIB_KUBE_KUBECONFIG_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

struct kube_config; /* the merged files */

/* A credential plugin ("exec:" of a user), as configured. */
struct kube_exec {
    char *command; /* a path relative to its kubeconfig is resolved */
    struct strlist args;
    struct strlist env; /* "NAME=value" */
    char *api_version;  /* client.authentication.k8s.io/v1 or v1beta1 */
    char *install_hint;
    char *interactive; /* Never, IfAvailable, Always */
    bool provide_cluster_info;
    char *cluster_config; /* JSON of the extension for plugins, or NULL */
    int64_t timeout_ms;   /* of a run; 0: 5 minutes (a person may log in) */
};

/* One context resolved. Absent texts are NULL. */
struct kube_access {
    char *context; /* its name; "in-cluster" inside a pod */
    char *cluster, *user;
    char *ns;     /* default namespace, "default" when the context has none */
    char *server; /* "https://127.0.0.1:6443", without a slash at the end */
    char *ca;     /* PEM; NULL: the system's */
    char *cert, *key;                     /* PEM */
    char *ca_file, *cert_file, *key_file; /* where they were read, or NULL:
                                             read again when they change */
    char *token;
    char *token_file; /* read again each minute (a pod's token rotates) */
    char *username, *password;
    char *tls_server_name;
    char *proxy; /* http, https or socks5 URL; NULL: the environment's */
    bool insecure;
    bool disable_compression; /* answers are not asked for in gzip */
    char *as, *as_uid;        /* impersonation */
    struct strlist as_groups;
    struct strlist as_extra; /* "key=value" */
    struct kube_exec *exec;
    char *source; /* the file the context stands in, for messages */
    char *file;   /* what kube_access_open was given, to open it again */
};

/* Reads the configuration:
 *   file != NULL: that file alone, and it must exist (--kubeconfig);
 *   else $KUBECONFIG, a ':' list; empty entries, duplicates and missing files
 *   are skipped; else ~/.kube/config, which may be missing.
 * Merge: of equal names of clusters, users and contexts the first file wins
 * whole (twice in one file is an error); the first non-empty current-context
 * wins; relative paths are relative
 * to the file they stand in. Files may be YAML or JSON. */
struct kube_config *kube_config_load(const char *file, struct error *err);
/* The same from text; paths are relative to folder (NULL: "."). For tests,
 * fuzzing and kubeconfigs that are not files. */
struct kube_config *kube_config_parse(struct str text, const char *folder,
                                      struct error *err);
void kube_config_free(struct kube_config *c);
void kube_config_free_ptr(struct kube_config **c);

size_t kube_config_count(const struct kube_config *c);
/* The i-th context's name in order of appearance; NULL past the last. */
const char *kube_config_context(const struct kube_config *c, size_t i);
/* Its cluster, user, namespace and server for a list of contexts ("" where
 * there is none); false for an unknown context. Views live as long as c. */
struct kube_context {
    const char *name, *cluster, *user, *ns, *server;
};
bool kube_config_describe(const struct kube_config *c, const char *context,
                          struct kube_context *out);
/* current-context, or NULL. */
const char *kube_config_current(const struct kube_config *c);

/* Resolves a context (NULL: the current one) and reads the files it names
 * (one named beside its *-data is an error). A server over plain HTTP gets no
 * credentials, a server without a scheme is one. No such context, or no current
 * one: ERR_NOT_FOUND that lists what there is; a bad file or base64: ERR_PARSE
 * or ERR_IO. */
struct kube_access *kube_config_access(const struct kube_config *c,
                                       const char *context, struct error *err);
/* Appends a kubeconfig (YAML) that holds this one context, which is current
 * in it, with its cluster and user as they stand: credential plugins and
 * references to files are kept, relative paths become absolute. Nothing is
 * read but c. Texts are secret: write them 0600, wipe out after. */
bool kube_config_extract(const struct kube_config *c, const char *context,
                         struct buf *out, struct error *err);
/* The service account of the pod we run in (KUBERNETES_SERVICE_HOST and
 * /var/run/secrets/kubernetes.io/serviceaccount); ERR_NOT_FOUND outside. */
struct kube_access *kube_access_in_cluster(struct error *err);
/* The same with the account's files in folder. A token must be there, ca.crt
 * and namespace (else POD_NAMESPACE, else "default") need not. */
struct kube_access *kube_access_pod(const char *folder, struct error *err);
/* Does its server speak TLS? */
bool kube_access_secure(const struct kube_access *a);
/* What every command does: load, resolve; without any configuration and
 * inside a pod, the pod's own account. */
struct kube_access *kube_access_open(const char *file, const char *context,
                                     struct error *err);
struct kube_access *kube_access_copy(const struct kube_access *a);
void kube_access_free(struct kube_access *a);
void kube_access_free_ptr(struct kube_access **a);

#endif
