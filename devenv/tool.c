#include "devenv/tool.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/archive.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "devenv/failure.h"

#define ASK_MS      10000
#define PROGRAM_MAX ((size_t)512 << 20)

/* How each says its version. */
static const struct manner {
    const char *name;    /* in the lock */
    const char *program; /* on PATH */
    const char *argv[4]; /* after the program */
} manners[] = {
    {"kind", "kind", {"version"}},
    {"kubectl", "kubectl", {"version", "--client"}},
    {"helm", "helm", {"version", "--short"}},
    {"crossplane-cli", "crossplane", {"version", "--client"}},
};

/* A tool as the lock and this machine have it. */
struct wanted {
    struct lock builtin; /* empty when another lock was given */
    const struct lock_entry *entry;
    const struct lock_file *file; /* NULL: not made for this platform */
    const struct manner *manner;
    char *ours; /* where ours lies */
};

static void
wanted_release(struct wanted *w)
{
    lock_release(&w->builtin);
    free(w->ours);
}

char *
tool_dir(void)
{
    return fetch_home("XDG_DATA_HOME", ".local/share", "bin");
}

/* l NULL: the lock that is compiled in. *w is to be released whatever the
 * answer. */
static bool
wanted_open(struct wanted *w, const struct lock *l, const char *name,
            struct error *err)
{
    AUTO(mem_free_ptr) char *dir = tool_dir();

    *w = (struct wanted){0};
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        if (strcmp(manners[i].name, name) == 0)
            w->manner = &manners[i];
    }
    if (!l && !lock_load(&w->builtin, err))
        return false;
    w->entry = lock_default(l ? l : &w->builtin, name);
    if (!w->manner || !w->entry || w->entry->kind != LOCK_TOOL)
        return error_set(err, ERR_USAGE, "the lock knows no tool \"%s\"", name);
    w->file = lock_file(w->entry, NULL);
    w->ours = mem_printf("%s/%s-%s", dir, name, w->entry->version);
    return true;
}

/* ---- versions ---- */

static bool
is_version_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '+';
}

/* Three numbers; what is missing is 0. False: no number at the start. */
static bool
numbers(const char *text, unsigned out[3])
{
    char *end;

    memset(out, 0, 3 * sizeof(*out));
    if (*text == 'v')
        text++;
    for (size_t i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)*text))
            return false;
        unsigned long n = strtoul(text, &end, 10);

        out[i] = (unsigned)MIN(n, 1000000);
        if (*end != '.')
            return true;
        text = end + 1;
    }
    return true;
}

bool
tool_version_in(struct str text, char out[64])
{
    unsigned n[3];

    for (size_t i = 0; i < text.n; i++) {
        size_t end = i;
        char word[64];

        if (i && is_version_char(text.s[i - 1]))
            continue;
        while (end < text.n && is_version_char(text.s[end]))
            end++;
        if (end - i < 3 || end - i >= sizeof(word))
            continue;
        memcpy(word, text.s + i, end - i);
        word[end - i] = '\0';
        if (!strchr(word, '.') || !numbers(word, n))
            continue;
        memcpy(out, word, end - i + 1);
        return true;
    }
    return false;
}

static int
compare(const unsigned a[3], const unsigned b[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

/* One term of a range; the longer signs first. */
static bool
term_holds(const unsigned version[3], struct str term)
{
    static const struct {
        const char *sign;
        bool less, equal, more;
    } signs[] = {
        {">=", false, true, true}, {"<=", true, true, false},
        {">", false, false, true}, {"<", true, false, false},
        {"=", false, true, false},
    };
    char text[64];
    unsigned bound[3];

    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        int c;

        if (!str_starts(term, str_of(signs[i].sign)))
            continue;
        term = str_from(term, strlen(signs[i].sign));
        snprintf(text, sizeof(text), "%.*s", STR_ARG(term));
        if (!numbers(text, bound))
            return false;
        c = compare(version, bound);
        return c < 0 ? signs[i].less : c > 0 ? signs[i].more : signs[i].equal;
    }
    return false;
}

bool
tool_in_range(const char *version, const char *range)
{
    struct str rest = str_of(range), term;
    unsigned n[3];
    size_t terms = 0;

    if (!numbers(version, n))
        return false;
    while (str_next(&rest, ' ', &term)) {
        if (term.n == 0)
            continue;
        if (!term_holds(n, term))
            return false;
        terms++;
    }
    return terms > 0;
}

/* ---- what is there ---- */

/* What the program at path says its version is. False with a reason in why:
 * it says none; or cancelled (err). */
static bool
ask_version(struct step_run *run, const struct manner *m, const char *path,
            char version[64], char why[256], struct error *err)
{
    const char *argv[6] = {path};
    struct step_program p = {.argv = argv, .limit_ms = ASK_MS};
    AUTO(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct error trouble = {0};
    int status = 0;

    memcpy(argv + 1, m->argv, sizeof(m->argv));
    *version = '\0';
    if (!step_program(run, &p, &status, &out, &trouble)) {
        snprintf(why, 256, "%s: %.200s", path, trouble.msg);
        if (trouble.code == ERR_CANCELLED && err)
            *err = trouble;
        return trouble.code != ERR_CANCELLED;
    }
    if (status != 0)
        snprintf(why, 256, "%s ends with %d when asked for its version", path,
                 status);
    else if (!tool_version_in(buf_view(&out), version))
        snprintf(why, 256, "%s says no version", path);
    return true;
}

/* Our record beside the program is one line of sha256sum. */
static bool
recorded_hash(const struct wanted *w, char sha256[65])
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s.sha256", w->ours);
    AUTO(buf_release) struct buf text = BUF_INIT(4096);

    return file_read(path, &text, NULL) &&
           fetch_checksum(buf_view(&text), strrchr(w->ours, '/') + 1, sha256);
}

/* Ours is there, may be run, and is what it was. False: cancelled. */
static bool
look_at_ours(struct step_run *run, const struct wanted *w, bool *good,
             struct error *err)
{
    char want[65], got[65] = "";
    struct error why = {0};

    *good = access(w->ours, X_OK) == 0 && recorded_hash(w, want) &&
            fetch_hash(run, w->ours, got, &why) && strcmp(want, got) == 0;
    if (why.code == ERR_CANCELLED && err)
        *err = why;
    return why.code != ERR_CANCELLED;
}

/* A PATH may hold relative folders. Links stay: some programs go by the name
 * they are called by. */
static char *
absolute(const char *path)
{
    AUTO(mem_free_ptr) char *here = path[0] == '/' ? NULL : realpath(".", NULL);

    return here ? file_join(here, path) : mem_strdup(path);
}

static bool
look_on_path(struct step_run *run, const struct wanted *w, struct tool *out,
             struct error *err)
{
    AUTO(mem_free_ptr) char *found = process_find(w->manner->program);
    AUTO(mem_free_ptr) char *path = found ? absolute(found) : NULL;
    char version[64] = "";

    if (!path)
        return true;
    if (!ask_version(run, w->manner, path, version, out->why, err))
        return false;
    if (!*version)
        return true;
    if (!tool_in_range(version, w->entry->accept)) {
        snprintf(out->why, sizeof(out->why), "%.120s is %s, needed is %s", path,
                 version, w->entry->accept);
        return true;
    }
    out->source = TOOL_PATH;
    out->path = mem_strdup(path);
    snprintf(out->version, sizeof(out->version), "%s", version);
    return true;
}

static bool
look(struct step_run *run, const struct wanted *w, struct tool *out,
     struct error *err)
{
    bool good;

    *out = (struct tool){0};
    if (!look_on_path(run, w, out, err))
        return false;
    if (out->source != TOOL_NONE)
        return true;
    snprintf(out->version, sizeof(out->version), "%s", w->entry->version);
    if (!look_at_ours(run, w, &good, err))
        return false;
    if (good) {
        out->source = TOOL_OURS;
        out->path = mem_strdup(w->ours);
    }
    return true;
}

bool
tool_check(struct step_run *run, const char *name, struct tool *out,
           struct error *err)
{
    AUTO(wanted_release) struct wanted w;
    struct tool seen;

    if (!wanted_open(&w, NULL, name, err) || !look(run, &w, &seen, err))
        return false;
    *out = seen;
    return true;
}

void
tool_release(struct tool *t)
{
    free(t->path);
    *t = (struct tool){0};
}

uint64_t
tool_bytes(const char *name)
{
    AUTO(wanted_release) struct wanted w;

    if (!wanted_open(&w, NULL, name, NULL) || !w.file)
        return 0;
    return w.file->size ? w.file->size : w.entry->about;
}

/* ---- bringing it ---- */

/* The file of the cache becomes the program: copied, or its member taken out
 * of the archive; whole or not at all. */
static bool
put_program(const struct wanted *w, const char *from, struct error *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return error_errno(err, ERR_IO, "cannot read %s", from);
    if (w->file->member)
        ok = archive_extract_member(fd, w->file->member, PROGRAM_MAX, w->ours,
                                    0755, err);
    else
        ok = file_copy(fd, w->ours, 0755, err);
    close(fd);
    return ok;
}

static bool
record_hash(struct step_run *run, const struct wanted *w, struct error *err)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s.sha256", w->ours);
    char hex[65];

    if (!fetch_hash(run, w->ours, hex, err))
        return false;
    AUTO(mem_free_ptr)
    char *line = mem_printf("%s  %s\n", hex, strrchr(w->ours, '/') + 1);

    return file_write(path, str_of(line), 0644, err);
}

/* The file must be what this profile saw before. */
static bool
remember(struct profile *p, const struct wanted *w, const char *sha256,
         struct error *err)
{
    AUTO(mem_free_ptr)
    char *key = mem_printf("tool/%s-%s-%s", w->entry->name, w->entry->version,
                           w->file->platform);
    AUTO(mem_free_ptr) char *value = mem_printf("sha256:%s", sha256);
    const char *seen = p ? profile_fact(p, key) : NULL;

    if (seen && strcmp(seen, value) != 0) {
        error_set(err, ERR_INVALID,
                  "%s %s is now %s; on first use this profile saw it to be %s",
                  w->entry->name, w->entry->version, value, seen);
        failure_remedy(err, "MT-DIGEST-CHANGED");
        return false;
    }
    if (p && !seen)
        profile_set_fact(p, key, value);
    return true;
}

/* What was fetched is a part of the step, with how it was checked. */
static void
say(struct step_run *run, const struct wanted *w, const struct fetch_result *r)
{
    AUTO(mem_free_ptr)
    char *name = mem_printf("%s %s", w->entry->name, w->entry->version);
    AUTO(mem_free_ptr)
    char *text = mem_printf(
        "%s; sha256 %s",
        r->vendor ? "checked against the vendor's file, not pinned" : "pinned",
        r->sha256);

    step_part(run, name, STEP_DONE, text);
}

static bool
unusable(const struct wanted *w, const struct error *why, struct error *err)
{
    error_set(err, ERR_INVALID,
              "%s %s was downloaded and is what was published, but cannot be "
              "used: %.400s",
              w->entry->name, w->entry->version, why->msg);
    failure_remedy(err, "MT-TOOL-BAD");
    return false;
}

/* Makes the program of the file and sees that it runs. */
static bool
install(struct step_run *run, const struct wanted *w, const char *from,
        struct error *err)
{
    struct error why = {0};
    char version[64] = "";

    if (!put_program(w, from, &why)) {
        if (why.code != ERR_IO)
            return unusable(w, &why, err);
        if (err)
            *err = why;
        return false;
    }
    if (!ask_version(run, w->manner, w->ours, version, why.msg, err))
        return false;
    if (!*version) {
        unlink(w->ours);
        return unusable(w, &why, err);
    }
    return record_hash(run, w, err);
}

static bool
download(struct step_run *run, struct profile *p, const struct wanted *w,
         const struct fetch_options *o, struct error *err)
{
    AUTO(mem_free_ptr) char *dir = tool_dir();
    AUTO(mem_free_ptr)
    char *what = mem_printf("%s %s %s", w->entry->name, w->entry->version,
                            w->file->platform);
    struct fetch_request r = {.what = what,
                              .url = w->file->url,
                              .mirrors = &w->file->mirrors,
                              .sha256 = w->file->sha256,
                              .checksum_url = w->file->checksum_url,
                              .size = w->file->size};
    AUTO(fetch_result_release) struct fetch_result got = {0};

    if (!fetch_home_make(dir, err) || !fetch_file(run, &r, o, &got, err) ||
        !remember(p, w, got.sha256, err) || !install(run, w, got.path, err))
        return false;
    say(run, w, &got);
    return true;
}

/* The one on PATH does not fit; when ours cannot be had either, both are said.
 * Other errors (the disk, a wrong checksum) speak for themselves. */
static void
out_of_range(const struct tool *seen, struct error *err)
{
    char why[sizeof(err->msg)];

    if (!err || (err->code != ERR_NETWORK && err->code != ERR_NOT_FOUND &&
                 err->code != ERR_UNSUPPORTED))
        return;
    snprintf(why, sizeof(why), "%s", err->msg);
    error_set(err, err->code, "%s; ours cannot be had: %.600s", seen->why, why);
    failure_remedy(err, "MT-TOOL-RANGE");
}

static bool
not_made(const struct wanted *w, struct error *err)
{
    error_set(err, ERR_UNSUPPORTED, "%s is not published for %s",
              w->entry->name, lock_platform());
    failure_remedy(err, "MT-TOOL-PLATFORM");
    return false;
}

bool
tool_ensure_of(const struct lock *l, struct step_run *run, struct profile *p,
               const char *name, const struct fetch_options *o,
               struct tool *out, struct error *err)
{
    AUTO(wanted_release) struct wanted w;
    struct tool seen;
    bool ok = true;

    if (!wanted_open(&w, l, name, err) || !look(run, &w, &seen, err))
        return false;
    if (seen.source == TOOL_NONE) {
        ok = w.file ? download(run, p, &w, o, err) : not_made(&w, err);
        if (!ok && *seen.why)
            out_of_range(&seen, err);
        seen.source = TOOL_OURS;
        seen.path = mem_strdup(w.ours);
    }
    if (ok)
        *out = seen;
    else
        tool_release(&seen);
    return ok;
}

bool
tool_ensure(struct step_run *run, struct profile *p, const char *name,
            const struct fetch_options *o, struct tool *out, struct error *err)
{
    return tool_ensure_of(NULL, run, p, name, o, out, err);
}

uint64_t
tool_size(void)
{
    AUTO(mem_free_ptr) char *dir = tool_dir();

    return fetch_sweep(dir, false);
}

uint64_t
tool_purge(void)
{
    AUTO(mem_free_ptr) char *dir = tool_dir();
    uint64_t freed = fetch_sweep(dir, true);

    rmdir(dir);
    return freed;
}
