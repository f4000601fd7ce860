/*
 * An entry is read by a table of keys: each says for which kinds it may stand,
 * where its text goes and what the text must be. What the table cannot say
 * (what belongs together, what is unique) is checked after it.
 */
#include "devenv/lock.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include "lib/base/asset.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#define LOCK_ASSET    "kind-config/versions.lock"
#define BYTES_MAX     ((size_t)1 << 20)
#define ENTRIES_MAX   1000
#define PLATFORMS_MAX 16
#define URL_MAX       2048

static const char *const kind_names[] = {
    [LOCK_TOOL] = "tool",
    [LOCK_IMAGE] = "image",
    [LOCK_CHART] = "chart",
    [LOCK_PACKAGE] = "package",
};

static const char *const platforms[] = {"linux/amd64", "linux/arm64", "any"};

/* ---- what a text may be ---- */

typedef bool form_fn(const char *text);

static bool
is_text(const char *text)
{
    return *text != '\0';
}

static bool
is_hash(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

bool
lock_is_digest(const char *text)
{
    return strncmp(text, "sha256:", 7) == 0 && is_hash(text + 7);
}

static bool
is_url(const char *text)
{
    return strncmp(text, "https://", 8) == 0 && text[8] &&
           strlen(text) < URL_MAX && !strpbrk(text, " \t\r\n\"'<>\\");
}

static bool
is_name(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
                        strlen(text);
}

static bool
is_version(const char *text)
{
    return text[0] == 'v' && text[1] >= '0' && text[1] <= '9' &&
           strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789.-+") ==
               strlen(text) - 1;
}

/* host/path:tag without digest. */
static bool
is_ref(const char *text)
{
    const char *slash = strchr(text, '/');

    return slash && memchr(text, '.', (size_t)(slash - text)) &&
           strchr(slash, ':') && !strpbrk(text, "@ \t\r\n");
}

/* ---- the keys of an entry ---- */

#define IN(kind) (1u << (kind))
#define FILES    (IN(LOCK_TOOL) | IN(LOCK_CHART))
#define REFS     (IN(LOCK_IMAGE) | IN(LOCK_PACKAGE))
#define ALL      (FILES | REFS)

/* What is written once and filled in for each platform. */
struct pattern {
    char *url, *checksum, *member;
};

struct reading {
    const struct json *doc;
    struct lock_entry e;
    struct pattern pattern;
};

#define AT(field) offsetof(struct reading, field)

static const struct key {
    const char *name;
    unsigned kinds;    /* that may have it */
    unsigned required; /* of these */
    form_fn *form;     /* NULL: not a text; read elsewhere */
    size_t slot;       /* of its copy in struct reading */
    const char *want;
} keys[] = {
    {"kind", ALL, ALL, NULL, 0, NULL},
    {"default", ALL, 0, NULL, 0, NULL},
    {"mirrors", FILES, 0, NULL, 0, NULL},
    {"platforms", FILES, FILES, NULL, 0, NULL},
    {"about", ALL, 0, NULL, 0, NULL},
    {"name", ALL, ALL, is_name, AT(e.name), "letters a-z, digits and -"},
    {"version", ALL, ALL, is_version, AT(e.version), "v and a number"},
    {"for", ALL, 0, is_text, AT(e.use), "text"},
    {"ref", REFS, REFS, is_ref, AT(e.ref), "host.name/path:tag"},
    {"digest", REFS, 0, lock_is_digest, AT(e.digest),
     "sha256: and 64 hex digits"},
    {"accept", IN(LOCK_TOOL), IN(LOCK_TOOL), is_text, AT(e.accept), "text"},
    {"vetted", ALL, 0, is_text, AT(e.vetted), "text"},
    {"url", FILES, FILES, is_url, AT(pattern.url), "an https address"},
    {"checksum", FILES, 0, is_url, AT(pattern.checksum), "an https address"},
    {"member", FILES, 0, is_text, AT(pattern.member), "text"},
};

static bool
read_kind(struct reading *r, struct error *err)
{
    const char *text = json_get_string(r->doc, "kind");

    for (unsigned i = 0; text && i < ARRAY_LEN(kind_names); i++) {
        if (strcmp(text, kind_names[i]) == 0) {
            r->e.kind = (enum lock_kind)i;
            return true;
        }
    }
    return error_set(err, ERR_PARSE,
                     "kind must be tool, image, chart or package");
}

static bool
known_keys(const struct reading *r, struct error *err)
{
    for (const struct json *m = json_first(r->doc); m; m = json_next(m)) {
        size_t i = 0;

        while (i < ARRAY_LEN(keys) && strcmp(keys[i].name, json_key(m)) != 0)
            i++;
        if (i == ARRAY_LEN(keys) || !(keys[i].kinds & IN(r->e.kind)))
            return error_set(err, ERR_PARSE, "unknown key \"%s\"", json_key(m));
    }
    return true;
}

static bool
read_texts(struct reading *r, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct key *k = &keys[i];
        const struct json *value = json_get(r->doc, k->name);
        const char *text = json_string(value);

        if (!value && k->required & IN(r->e.kind))
            return error_set(err, ERR_PARSE, "%s is missing", k->name);
        if (!value || !k->form)
            continue;
        if (!text || !k->form(text))
            return error_set(err, ERR_PARSE, "%s must be %s", k->name, k->want);
        *(char **)((char *)r + k->slot) = mem_strdup(text);
    }
    return true;
}

static bool
read_count(const struct json *j, const char *name, uint64_t *out,
           struct error *err)
{
    const struct json *value = json_get(j, name);
    int64_t n = 0;

    if (value && (!json_is_integer(value) || !json_int64(value, &n) || n <= 0))
        return error_set(err, ERR_PARSE, "%s must be a number of bytes", name);
    *out = (uint64_t)n;
    return true;
}

/* ---- platforms ---- */

/* pattern with {version}, {os} and {arch} filled in; NULL stays NULL. */
static char *
fill_in(const char *pattern, const struct lock_entry *e, const char *platform)
{
    struct str rest = str_of(pattern), os, arch;
    struct buf out = BUF_INIT(URL_MAX * 2);

    if (!pattern)
        return NULL;
    str_cut(str_of(platform), '/', &os, &arch);
    const struct {
        struct str name, value;
    } words[] = {{STR("{version}"), str_of(e->version)},
                 {STR("{os}"), os},
                 {STR("{arch}"), arch}};

    while (rest.n) {
        size_t i = 0;

        while (i < ARRAY_LEN(words) && !str_starts(rest, words[i].name))
            i++;
        if (i < ARRAY_LEN(words)) {
            buf_str(&out, words[i].value);
            rest = str_from(rest, words[i].name.n);
        } else {
            buf_putc(&out, rest.s[0]);
            rest = str_from(rest, 1);
        }
    }
    return buf_take(&out);
}

static bool
add_mirrors(struct reading *r, struct lock_file *f, struct error *err)
{
    const struct json *list = json_get(r->doc, "mirrors");

    if (list && !json_is(list, JSON_ARRAY))
        return error_set(err, ERR_PARSE, "mirrors must be a list");
    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        if (!json_string(m) || !is_url(json_string(m)))
            return error_set(err, ERR_PARSE,
                             "a mirror must be an https "
                             "address");
        AUTO(mem_free_ptr)
        char *url = fill_in(json_string(m), &r->e, f->platform);

        strlist_add(&f->mirrors, str_of(url));
    }
    return true;
}

static bool
check_platform(const struct reading *r, const struct json *j, struct error *err)
{
    const char *name = json_get_string(j, "platform");
    size_t i = 0;

    for (const struct json *m = json_first(j); m; m = json_next(m)) {
        const char *key = json_key(m);

        if (!key || (strcmp(key, "platform") != 0 &&
                     strcmp(key, "sha256") != 0 && strcmp(key, "size") != 0))
            return error_set(err, ERR_PARSE, "unknown key \"%s\" of a platform",
                             key ? key : "");
    }
    while (name && i < ARRAY_LEN(platforms) && strcmp(name, platforms[i]) != 0)
        i++;
    if (!name || i == ARRAY_LEN(platforms))
        return error_set(err, ERR_PARSE,
                         "platform must be linux/amd64, linux/arm64 or any");
    if (lock_file(&r->e, name))
        return error_set(err, ERR_PARSE, "%s stands there twice", name);
    return true;
}

static bool
read_platform(struct reading *r, const struct json *j, struct error *err)
{
    const struct json *sha = json_get(j, "sha256");
    struct lock_entry *e = &r->e;
    struct lock_file *f;

    if (!check_platform(r, j, err))
        return false;
    f = &e->files[e->files_n++];
    f->platform = mem_strdup(json_get_string(j, "platform"));
    if (sha && (!json_string(sha) || !is_hash(json_string(sha))))
        return error_set(err, ERR_PARSE, "sha256 must be 64 hex digits");
    if (sha && !e->vetted)
        return error_set(err, ERR_PARSE, "a sha256 needs \"vetted\"");
    if (!sha && !r->pattern.checksum && e->kind == LOCK_TOOL)
        return error_set(err, ERR_PARSE,
                         "%s has neither a sha256 nor a checksum address",
                         f->platform);
    f->sha256 = mem_strdup(json_string(sha));
    f->url = fill_in(r->pattern.url, e, f->platform);
    f->checksum_url = fill_in(r->pattern.checksum, e, f->platform);
    f->member = fill_in(r->pattern.member, e, f->platform);
    return read_count(j, "size", &f->size, err) && add_mirrors(r, f, err);
}

static bool
read_platforms(struct reading *r, struct error *err)
{
    const struct json *list = json_get(r->doc, "platforms");
    size_t n = json_len(list);

    if (!list)
        return true;
    if (!json_is(list, JSON_ARRAY) || n == 0 || n > PLATFORMS_MAX)
        return error_set(err, ERR_PARSE, "platforms must be a list of 1 to %d",
                         PLATFORMS_MAX);
    r->e.files = mem_zalloc(n, sizeof(*r->e.files));
    for (const struct json *p = json_first(list); p; p = json_next(p)) {
        if (!read_platform(r, p, err))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static void
release_entry(struct lock_entry *e)
{
    for (size_t i = 0; i < e->files_n; i++) {
        struct lock_file *f = &e->files[i];

        strlist_release(&f->mirrors);
        free(f->platform);
        free(f->url);
        free(f->sha256);
        free(f->checksum_url);
        free(f->member);
    }
    free(e->files);
    free(e->name);
    free(e->version);
    free(e->use);
    free(e->ref);
    free(e->digest);
    free(e->accept);
    free(e->vetted);
}

void
lock_release(struct lock *l)
{
    for (size_t i = 0; i < l->n; i++)
        release_entry(&l->v[i]);
    free(l->v);
    *l = (struct lock){0};
}

static bool
read_default(struct reading *r, struct error *err)
{
    const struct json *j = json_get(r->doc, "default");

    if (j && !json_is(j, JSON_BOOL))
        return error_set(err, ERR_PARSE, "default must be true or false");
    r->e.is_default = json_bool(j, false);
    return true;
}

/* *e is to be released whatever the answer. */
static bool
read_entry(const struct yaml_doc *doc, struct lock_entry *e, struct error *err)
{
    struct reading r = {.doc = doc->value, .e.line = doc->line};
    bool ok;

    if (!json_is(r.doc, JSON_OBJECT))
        return error_set(err, ERR_PARSE, "an entry must be a mapping");
    ok = read_kind(&r, err) && known_keys(&r, err) && read_default(&r, err) &&
         read_texts(&r, err) && read_count(r.doc, "about", &r.e.about, err) &&
         read_platforms(&r, err);
    if (ok && r.e.digest && !r.e.vetted)
        ok = error_set(err, ERR_PARSE, "a digest needs \"vetted\"");
    *e = r.e;
    free(r.pattern.url);
    free(r.pattern.checksum);
    free(r.pattern.member);
    return ok;
}

/* e is the last of l. */
static bool
check_unique(const struct lock *l, const struct lock_entry *e,
             struct error *err)
{
    for (size_t i = 0; i + 1 < l->n; i++) {
        const struct lock_entry *o = &l->v[i];

        if (strcmp(o->name, e->name) != 0)
            continue;
        if (o->kind != e->kind)
            return error_set(err, ERR_PARSE,
                             "line %u has the same name and "
                             "another kind",
                             o->line);
        if (strcmp(o->version, e->version) == 0)
            return error_set(err, ERR_PARSE, "stands on line %u already",
                             o->line);
        if (o->is_default && e->is_default)
            return error_set(err, ERR_PARSE, "line %u is the default already",
                             o->line);
    }
    return true;
}

static bool
check_defaults(const struct lock *l, const char *source, struct error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!lock_default(l, l->v[i].name))
            return error_set(err, ERR_PARSE, "%s:%u: %s has no default", source,
                             l->v[i].line, l->v[i].name);
    }
    return true;
}

static bool
add_entry(struct lock *l, const struct yaml_doc *doc, const char *source,
          struct error *err)
{
    const char *name = json_get_string(doc->value, "name");
    const char *version = json_get_string(doc->value, "version");
    struct lock_entry *e;

    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    e = &l->v[l->n++];
    *e = (struct lock_entry){0};
    if (read_entry(doc, e, err) && check_unique(l, e, err))
        return true;
    return error_wrap(err, "%s:%u: %s%s%s", source, doc->line,
                      name ? name : "entry", version ? " " : "",
                      version ? version : "");
}

bool
lock_parse(struct str text, const char *source, struct lock *l,
           struct error *err)
{
    struct yaml_options o = {.max_bytes = BYTES_MAX,
                             .max_depth = 8,
                             .max_nodes = 100000,
                             .max_documents = ENTRIES_MAX};
    struct yaml_docs docs = {0};
    struct lock read = {0};
    bool ok = yaml_parse(text, &o, &docs, err);

    if (!ok)
        return error_wrap(err, "%s", source);
    for (size_t i = 0; ok && i < docs.n; i++)
        ok = add_entry(&read, &docs.v[i], source, err);
    ok = ok && check_defaults(&read, source, err);
    if (ok && read.n == 0)
        ok = error_set(err, ERR_PARSE, "%s: no entries", source);
    yaml_docs_release(&docs);
    if (ok)
        *l = read;
    else
        lock_release(&read);
    return ok;
}

bool
lock_load(struct lock *l, struct error *err)
{
    struct asset a;

    if (!asset_find(LOCK_ASSET, &a))
        return error_set(err, ERR_INTERNAL, "%s is not compiled in",
                         LOCK_ASSET);
    return lock_parse(a.data, "versions.lock", l, err);
}

/* ---- looking up ---- */

const struct lock_entry *
lock_find(const struct lock *l, const char *name, const char *version)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct lock_entry *e = &l->v[i];

        if (strcmp(e->name, name) == 0 &&
            (version ? strcmp(e->version, version) == 0 : e->is_default))
            return e;
    }
    return NULL;
}

const struct lock_entry *
lock_default(const struct lock *l, const char *name)
{
    return lock_find(l, name, NULL);
}

const struct lock_entry *
lock_for(const struct lock *l, const char *name, const char *use)
{
    for (size_t i = 0; i < l->n; i++) {
        struct str rest = str_of(l->v[i].use), word;

        if (strcmp(l->v[i].name, name) != 0)
            continue;
        while (str_next(&rest, ' ', &word)) {
            if (str_eqz(word, use))
                return &l->v[i];
        }
    }
    return NULL;
}

const char *
lock_platform(void)
{
    static const char *const machines[][2] = {
        {"x86_64", "linux/amd64"},
        {"amd64", "linux/amd64"},
        {"aarch64", "linux/arm64"},
        {"arm64", "linux/arm64"},
    };
    struct utsname u;

    if (uname(&u) < 0)
        return "unknown";
    for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
        if (strcmp(u.machine, machines[i][0]) == 0)
            return machines[i][1];
    }
    return "unknown";
}

const struct lock_file *
lock_file(const struct lock_entry *e, const char *platform)
{
    if (!platform)
        platform = lock_platform();
    for (size_t i = 0; i < e->files_n; i++) {
        if (strcmp(e->files[i].platform, platform) == 0 ||
            strcmp(e->files[i].platform, "any") == 0)
            return &e->files[i];
    }
    return NULL;
}

bool
lock_reference(const struct lock_entry *e, const char *mirror, struct buf *out)
{
    const char *slash = strchr(e->ref, '/');

    if (mirror)
        buf_printf(out, "%s%s", mirror, slash);
    else
        buf_puts(out, e->ref);
    if (e->digest)
        buf_printf(out, "@%s", e->digest);
    return !out->over;
}
