#include "devenv/xpkg_source.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/lock.h"
#include "devenv/manifest.h"

#define TEXT_MAX ((size_t)64 << 20)

static bool
is_layout(const char *name)
{
    AUTO(mem_free_ptr) char *path = file_join(name, "oci-layout");

    return file_exists(path);
}

bool
xpkg_is_source(const char *name)
{
    return (str_ends(str_of(name), STR(".xpkg")) && file_exists(name)) ||
           is_layout(name) || oci_is_reference(name);
}

bool
xpkg_load(struct loop *l, const char *name, const struct oci_options *o,
          struct xpkg *out, struct error *err)
{
    AUTO(oci_close_ptr) struct oci *c = NULL;

    if (!oci_is_reference(name))
        return xpkg_open(name, out, err);
    c = oci_open(l, name, o, err);
    return c && oci_pull(c, out, err);
}

/* ---- functions ---- */

/* "v0.11.0" of ">=v0.11.0 <v1.0.0"; what names no version is "latest". */
static struct str
lowest(struct str constraint)
{
    static const char digits[] = "0123456789";
    size_t i = 0, end;

    while (i < constraint.n && !memchr(digits, constraint.s[i], 10))
        i++;
    end = i;
    while (end < constraint.n && !strchr(" ,|", constraint.s[end]))
        end++;
    if (i == end || memchr(constraint.s + i, '*', end - i))
        return STR("latest");
    if (i > 0 && constraint.s[i - 1] == 'v')
        i--;
    return str_sub(constraint, i, end - i);
}

static struct str
last_part(const char *package)
{
    const char *slash = strrchr(package, '/');

    return str_of(slash ? slash + 1 : package);
}

static void
put_function(const struct lock *lock, const struct json *d, struct buf *out)
{
    const char *package = json_string_or(json_get(d, "package"), "");
    const char *version = json_string_or(json_get(d, "version"), "");
    struct str name = last_part(package);
    AUTO(mem_free_ptr) char *z = mem_strndup(name.s, name.n);
    const struct lock_entry *e = lock_default(lock, z);
    struct str tag =
        e ? str_of(strrchr(e->ref, ':') + 1) : lowest(str_of(version));
    bool digest = str_starts(str_of(version), STR("sha256:"));

    if (digest)
        tag = str_of(version);
    buf_printf(out,
               "---\napiVersion: pkg.crossplane.io/v1\nkind: Function\n"
               "metadata:\n  name: %s\nspec:\n  package: %s%s%.*s\n",
               z, package, digest ? "@" : ":", STR_ARG(tag));
}

static bool
functions_text(const struct xpkg *x, struct buf *out, struct error *err)
{
    const struct json *all = json_at(x->meta, "spec", "dependsOn", NULL);
    struct lock lock = {0};
    bool ok = lock_load(&lock, err);

    for (const struct json *d = json_first(all); ok && d; d = json_next(d)) {
        const char *old = json_string_or(json_get(d, "function"), NULL);

        if (strcmp(json_string_or(json_get(d, "kind"), ""), "Function") == 0)
            put_function(&lock, d, out);
        if (old) {
            AUTO(json_free_ptr) struct json *copy = json_copy(d);

            json_set_string(copy, "package", old);
            put_function(&lock, copy, out);
        }
    }
    lock_release(&lock);
    return ok;
}

/* ---- the folder ---- */

static bool
save(const char *folder, const char *part, const char *name, struct str text,
     struct error *err)
{
    AUTO(mem_free_ptr) char *below = file_join(folder, part);
    AUTO(mem_free_ptr) char *path = file_join(below, name);

    return !text.n ||
           (file_mkdirs(below, 0755, err) && file_write(path, text, 0644, err));
}

static bool
write_folder(const struct xpkg *x, const char *folder, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(buf_release) struct buf functions = BUF_INIT(TEXT_MAX);
    AUTO(buf_release) struct buf xrds = BUF_INIT(TEXT_MAX);
    AUTO(buf_release) struct buf others = BUF_INIT(TEXT_MAX);
    AUTO(buf_release) struct buf meta = BUF_INIT(TEXT_MAX);

    if (!manifest_parse(&set, buf_view(&x->stream), "package.yaml", err) ||
        !functions_text(x, &functions, err))
        return false;
    for (size_t i = 0; i < set.n; i++) {
        const struct manifest *m = &set.v[i];
        struct buf *b = strcmp(m->kind, "CompositeResourceDefinition") == 0
                            ? &xrds
                            : &others;

        if (str_starts(str_of(m->api_version), STR("meta.pkg.")))
            continue;
        buf_puts(b, "---\n");
        yaml_print(m->object, YAML_SORTED, b);
    }
    yaml_print(x->meta, YAML_SORTED, &meta);
    return save(folder, ".", "functions.yaml", buf_view(&functions), err) &&
           save(folder, "xrds", "xrds.yaml", buf_view(&xrds), err) &&
           save(folder, "compositions", "compositions.yaml", buf_view(&others),
                err) &&
           save(folder, ".", "crossplane.yaml", buf_view(&meta), err);
}

char *
xpkg_unpack(const struct xpkg *x, const char *root, struct error *err)
{
    const char *kind = json_string_or(json_get(x->meta, "kind"), "");
    const char *name =
        json_string_or(json_at(x->meta, "metadata", "name", NULL), "package");
    AUTO(mem_free_ptr)
    char *below = mem_printf("%s/%.12s", root, x->digest + strlen("sha256:"));
    char *folder = NULL;

    if (strcmp(kind, "Configuration") != 0) {
        error_set(err, ERR_UNSUPPORTED,
                  "%s is a %s: it brings a program that only Crossplane runs",
                  name, kind);
        error_remedy(err, "MT-PACKAGE-RUNS",
                     "meshtop apply -f a %s object that names the package; on "
                     "the sandbox resources are simulated, functions built in.",
                     kind);
        return NULL;
    }
    if (strchr(name, '/') || *name == '.') {
        error_set(err, ERR_INVALID, "\"%s\" is no name of a package", name);
        return NULL;
    }
    folder = file_join(below, name);
    if (file_mkdirs(folder, 0755, err) && write_folder(x, folder, err))
        return folder;
    free(folder);
    return NULL;
}
