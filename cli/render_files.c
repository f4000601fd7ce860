#include "cli/render_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/manifests.h"

#define FILE_MAX ((size_t)64 << 20)

/* ---- paths ---- */

static bool
is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* path from the root, without "." and ".." (fresh memory); "-" stays. */
static char *
clean_path(const char *path)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf whole = BUF_INIT(BUF_TEXT_MAX);
    AUTO(mem_free_ptr) char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
    struct str rest, part;

    if (is_standard_input(path))
        return mem_strdup(path);
    buf_printf(&whole, "%s/%s", cwd ? cwd : "", path);
    rest = buf_view(&whole);
    while (str_next(&rest, '/', &part)) {
        if (!part.n || str_eqz(part, "."))
            continue;
        if (str_eqz(part, "..")) {
            while (b.n && b.s[b.n - 1] != '/')
                buf_truncate(&b, b.n - 1);
            buf_truncate(&b, b.n ? b.n - 1 : 0);
        } else {
            buf_printf(&b, "/%.*s", STR_ARG(part));
        }
    }
    if (!b.n)
        buf_putc(&b, '/');
    return buf_take(&b);
}

/* "open PATH: no such file or directory", as Go says it. */
static bool
failed(const char *what, const char *path, struct error *err)
{
    enum err_code code = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND
                         : errno == EACCES                   ? ERR_DENIED
                                                             : ERR_IO;
    const char *why = strerror(errno);

    return error_set(err, code, "%s %s: %c%s", what, path,
                     tolower((unsigned char)*why), why + 1);
}

bool
render_file_exists(const char *what, const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *whole = clean_path(path);
    struct stat st;

    if (is_standard_input(path))
        return true;
    if (stat(whole, &st) != 0)
        failed("stat", whole, err);
    else if (S_ISDIR(st.st_mode))
        error_set(err, ERR_INVALID, "\"%s\" exists but is a directory", whole);
    else
        return true;
    return error_wrap(err, "%s", what);
}

bool
render_load_text(const char *path, struct buf *out, struct error *err)
{
    struct error why = {0};

    if (!is_standard_input(path) && access(path, R_OK) != 0)
        return failed("open", path, err);
    return file_read(path, out, &why) ||
           error_set(err, why.code, "%s", why.msg);
}

/* ---- documents ---- */

/* The documents of a text; sigs.k8s.io/yaml lets the last of equal keys win. */
static bool
parse(struct str text, struct yaml_docs *out, struct error *err)
{
    const struct yaml_options o = {.last_key_wins = true};
    struct error why = {0};

    AUTO(buf_release) struct buf words = BUF_INIT(sizeof(why.msg) + 100);

    if (yaml_parse(text, &o, out, &why))
        return true;
    manifests_yaml_error(&why, &words);
    return error_set(err, why.code, "%s", buf_cstr(&words));
}

static bool
is_object(const struct json *j, struct error *err)
{
    static const char *const types[] = {"null",   "bool",  "number",
                                        "string", "array", "object"};
    AUTO(buf_release) struct buf text = BUF_INIT(800);

    if (!json_is(j, JSON_OBJECT))
        return error_set(err, ERR_INVALID,
                         "error unmarshaling JSON: while decoding JSON: json: "
                         "cannot unmarshal %s into Go value of type "
                         "map[string]interface {}",
                         types[json_type_of(j)]);
    if (json_string_or(json_get(j, "kind"), "")[0])
        return true;
    if (!json_print(j, JSON_SORTED | JSON_HTML, &text))
        buf_reset(&text);
    return error_set(err, ERR_INVALID,
                     "error unmarshaling JSON: while decoding JSON: Object "
                     "'Kind' is missing in '%s'",
                     buf_cstr(&text));
}

/* The first document of path, {} when there is none. what: "composite resource
 * file", as upstream says when it cannot read it. */
static struct json *
load_one(const char *path, const char *what, const char *parsing,
         struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    AUTO(yaml_docs_release) struct yaml_docs docs = {0};
    struct json *first = NULL;

    if (!render_load_text(path, &text, err)) {
        error_wrap(err, "cannot read %s", what);
    } else if (!parse(buf_view(&text), &docs, err)) {
        error_wrap(err, "cannot unmarshal %s", parsing);
    } else if (!docs.n) {
        first = json_new_object();
    } else {
        first = docs.v[0].value;
        docs.v[0].value = NULL;
    }
    return first;
}

static bool
is_empty_object(const struct json *j)
{
    return json_is(j, JSON_OBJECT) && !json_len(j);
}

struct json *
render_load_xr(const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *whole = clean_path(path);
    AUTO(json_free_ptr)
    struct json *xr = load_one(whole, "composite resource file",
                               "composite resource YAML", err);
    struct json *done = xr;

    if (!xr) {
        error_wrap(err, "cannot load composite resource from \"%s\"", whole);
        return NULL;
    }
    if (!is_empty_object(xr) && !is_object(xr, err)) {
        error_wrap(err,
                   "cannot load composite resource from \"%s\": cannot "
                   "unmarshal composite resource YAML",
                   whole);
        return NULL;
    }
    xr = NULL;
    return done;
}

static const char *
name_of(const struct json *j)
{
    return json_string_or(json_at(j, "metadata", "name", NULL), "");
}

struct json *
render_load_composition(const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *whole = clean_path(path);
    struct json *comp =
        load_one(whole, "composition file", "composition resource YAML", err);

    if (comp && (strcmp(json_get_text(comp, "kind"), "Composition") != 0 ||
                 strcmp(json_get_text(comp, "apiVersion"),
                        "apiextensions.crossplane.io/v1") != 0)) {
        error_set(err, ERR_INVALID, "not a composition: %s/%s",
                  json_get_text(comp, "kind"), name_of(comp));
        json_free(comp);
        comp = NULL;
    }
    if (!comp)
        error_wrap(err, "cannot load Composition from \"%s\"", whole);
    return comp;
}

struct json *
render_load_xrd(const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *whole = clean_path(path);
    struct json *xrd = load_one(whole, "XRD file", "XRD YAML", err);

    if (!xrd)
        error_wrap(err, "cannot load XRD from \"%s\"", whole);
    return xrd;
}

/* ---- streams ---- */

static bool
is_yaml(struct str name)
{
    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

/* The files a stream is read from: path itself, or what the folder has. */
static bool
list_files(const char *path, struct strlist *out, struct error *err)
{
    struct stat st;
    struct dirent *e;

    if (is_standard_input(path)) {
        strlist_add(out, str_of(path));
        return true;
    }
    if (stat(path, &st) != 0)
        return failed("cannot open file: open", path, err);
    if (!S_ISDIR(st.st_mode)) {
        strlist_add(out, str_of(path));
        return true;
    }
    DIR *d = opendir(path);

    if (!d)
        return failed("cannot open file: open", path, err);
    while ((e = readdir(d))) {
        AUTO(mem_free_ptr) char *file = file_join(path, e->d_name);

        if (is_yaml(str_of(e->d_name)) && stat(file, &st) == 0 &&
            !S_ISDIR(st.st_mode))
            strlist_add(out, str_of(file));
    }
    closedir(d);
    strlist_sort(out);
    return out->n ||
           error_set(err, ERR_NOT_FOUND,
                     "no YAML files found in \"%s\" (.yaml or .yml)", path);
}

/* Appends the documents of one file to out. */
static bool
load_file(const char *path, const char *parsing, struct json *out,
          struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    AUTO(yaml_docs_release) struct yaml_docs docs = {0};

    if (!render_load_text(path, &text, err))
        return error_wrap(err,
                          "cannot load YAML stream from file: cannot load YAML "
                          "stream from file: cannot open file");
    if (!parse(buf_view(&text), &docs, err))
        return error_wrap(err, "cannot parse YAML %s manifest", parsing);
    for (size_t i = 0; i < docs.n; i++) {
        json_append(out, docs.v[i].value);
        docs.v[i].value = NULL;
    }
    return true;
}

static bool
load_stream(const char *path, const char *parsing, struct json *out,
            struct error *err)
{
    AUTO(strlist_release) struct strlist files = {0};

    if (!list_files(path, &files, err))
        return error_wrap(err, "cannot load YAML stream from file");
    for (size_t i = 0; i < files.n; i++) {
        if (!load_file(files.v[i], parsing, out, err))
            return false;
    }
    return true;
}

static bool
is_function(const struct json *j, struct error *err)
{
    const char *version = json_get_text(j, "apiVersion");

    return (strcmp(json_get_text(j, "kind"), "Function") == 0 &&
            (strcmp(version, "pkg.crossplane.io/v1") == 0 ||
             strcmp(version, "pkg.crossplane.io/v1beta1") == 0)) ||
           error_set(err, ERR_INVALID, "not a function: %s/%s",
                     json_get_text(j, "kind"), name_of(j));
}

/* Nothing is started here, but a runtime that upstream would refuse is no
 * Function file for it either. */
static bool
check_runtime(const struct json *f, struct error *err)
{
    static const char key[] = "render.crossplane.io/runtime";
    const char *runtime =
        json_string_or(json_at(f, "metadata", "annotations", key, NULL), "");

    return !*runtime || strcmp(runtime, "Docker") == 0 ||
           strcmp(runtime, "Development") == 0 ||
           error_set(err, ERR_INVALID,
                     "cannot render composite resource: cannot start function "
                     "runtimes: cannot get runtime for Function \"%s\": "
                     "unsupported \"%s\" annotation value \"%s\" (unknown "
                     "runtime)",
                     name_of(f), key, runtime);
}

bool
render_load_functions(const char *path, struct functions *out,
                      struct error *err)
{
    AUTO(mem_free_ptr) char *whole = clean_path(path);
    AUTO(json_free_ptr) struct json *all = json_new_array();
    bool ok = load_stream(whole, "Function", all, err);

    for (const struct json *f = json_first(all); ok && f; f = json_next(f))
        ok = is_function(f, err);
    if (!ok)
        return error_wrap(err, "cannot load functions from \"%s\"", whole);
    for (const struct json *f = json_first(all); ok && f; f = json_next(f)) {
        ok = check_runtime(f, err);
        functions_add(out, f);
    }
    return ok;
}

/* The values of a Secret's data are base64; Go names the first bad byte. */
static bool
check_secret(const struct json *secret, struct error *err)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n";
    const struct json *data = json_get(secret, "data");

    for (const struct json *v = json_first(data); v; v = json_next(v)) {
        AUTO(buf_release) struct buf bytes = BUF_INIT(FILE_MAX);
        const char *text = json_string_or(v, "");

        if (!digest_unbase64(str_of(text), false, &bytes))
            return error_set(err, ERR_PARSE,
                             "error unmarshaling JSON: while decoding JSON: "
                             "illegal base64 data at input byte %zu",
                             strspn(text, alphabet));
    }
    return true;
}

bool
render_load_objects(const char *what, const char *path, struct json *out,
                    struct error *err)
{
    AUTO(mem_free_ptr) char *whole = clean_path(path);
    AUTO(json_free_ptr) struct json *all = json_new_array();
    bool secrets = strcmp(what, "secrets") == 0;
    const char *parsing = secrets ? "secret"
                          : strcmp(what, "observed composed resources") == 0
                              ? "composed resource"
                              : "resource";
    bool ok = load_stream(whole, parsing, all, err);

    for (struct json *j; ok && (j = json_first(all));) {
        ok = (secrets ? check_secret(j, err) : is_object(j, err)) ||
             error_wrap(err, "cannot parse YAML %s manifest", parsing);
        json_append(out, json_detach(all, j));
    }
    return ok || error_wrap(err, "cannot load %s from \"%s\"", what, whole);
}
