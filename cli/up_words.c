#include "cli/up_words.h"

#include "lib/base/file.h"

#include "devenv/crossplane.h"
#include "devenv/package.h"

/* A host with an optional port and path, as in an image's name: what
 * containerd and Crossplane take. */
#define MIRROR_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789.-:/_"

static bool
check_packages(const struct strlist *packages, struct error *err)
{
    for (size_t i = 0; i < packages->n; i++) {
        if (!package_is_builtin(packages->v[i]))
            return error_set(err, ERR_USAGE, "package %s is not shipped yet",
                             packages->v[i]);
    }
    return true;
}

static bool
check_examples(const struct strlist *examples, struct error *err)
{
    for (size_t i = 0; i < examples->n; i++) {
        if (example_is_builtin(examples->v[i]) || file_exists(examples->v[i]))
            continue;
        error_set(err, ERR_USAGE, "no example \"%s\"", examples->v[i]);
        error_remedy(err, "MT-NO-SUCH-PACKAGE",
                     "\"meshtop examples list\" names those built in; or "
                     "give a folder.");
        return false;
    }
    return true;
}

static bool
check_mirror(const struct up_options *o, struct error *err)
{
    const char *m = o->registry_mirror;

    if (m && (!*m || m[strspn(m, MIRROR_CHARACTERS)] || strstr(m, "//")))
        return error_set(err, ERR_USAGE,
                         "--registry-mirror takes HOST[:PORT][/PREFIX], not "
                         "\"%s\"",
                         m);
    if (o->registry_ca && !m)
        return error_set(err, ERR_USAGE,
                         "--registry-ca needs --registry-mirror");
    if (o->registry_ca && !file_exists(o->registry_ca))
        return error_set(err, ERR_NOT_FOUND, "no file %s", o->registry_ca);
    return true;
}

static bool
check_failure_word(const char *word, bool *rollback, struct error *err)
{
    *rollback = strcmp(word, "rollback") == 0;
    return *rollback || strcmp(word, "keep") == 0 ||
           error_set(err, ERR_USAGE,
                     "--on-failure takes \"keep\" or \"rollback\"");
}

/* A cluster named by --context or --kubeconfig is the engine "context". */
static const char *
engine_word(const struct args *a)
{
    const char *word = args_get(a, "engine", "auto");
    bool named = args_has(a, "context") || args_has(a, "kubeconfig");

    return named && strcmp(word, "auto") == 0 ? "context" : word;
}

bool
up_words_read(struct up_words *w, const struct args *a, struct error *err)
{
    *w = (struct up_words){
        .options = {.engine = engine_word(a),
                    .until = args_get(a, "until", NULL),
                    .kubeconfig = args_get(a, "kubeconfig", NULL),
                    .context = args_get(a, "context", NULL),
                    .adopt = args_has(a, "adopt"),
                    .cluster = args_get(a, "cluster", NULL),
                    .node_image = args_get(a, "node-image", NULL),
                    .registry_mirror = args_get(a, "registry-mirror", NULL),
                    .registry_ca = args_get(a, "registry-ca", NULL),
                    .crossplane = args_get(a, "crossplane", NULL)}};
    w->options.examples = &w->examples;
    args_list(a, "examples", &w->examples);
    args_list(a, "with", &w->packages);
    const char *only = args_get(a, "only", NULL);

    w->options.only_packages = only && strcmp(only, "packages") == 0;
    if (only && !w->options.only_packages)
        return error_set(err, ERR_USAGE, "--only takes \"packages\"");
    return check_packages(&w->packages, err) &&
           check_examples(&w->examples, err) &&
           check_mirror(&w->options, err) &&
           (!w->options.crossplane ||
            crossplane_version_ok(w->options.crossplane, err)) &&
           check_failure_word(args_get(a, "on-failure", "keep"),
                              &w->options.rollback, err);
}

void
up_words_release(struct up_words *w)
{
    strlist_release(&w->examples);
    strlist_release(&w->packages);
}
