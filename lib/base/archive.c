/*
 * How a hostile archive is read: members are walked one by one, their data is
 * read (not skipped by the library), and after every piece the number of bytes
 * that came out of gzip is held against the cap. So neither a lying header nor
 * a bomb before the member costs more than the caller allowed.
 */
#include "lib/base/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

/* Headers and padding of the members that are passed over. */
#define OVERHEAD_MAX ((uint64_t)4 << 20)
#define CHUNK        65536
/* gzip and what it wraps; a gzip in a gzip is no archive of ours. */
#define FILTERS_MAX 2

static void
close_reader(struct archive **a)
{
    archive_read_free(*a);
}

static bool
broken(struct archive *a, struct error *err)
{
    const char *why = archive_error_string(a);

    return error_set(err, ERR_PARSE, "the archive is damaged: %s",
                     why ? why : "no reason given");
}

static struct archive *
new_reader(void)
{
    struct archive *a = archive_read_new();

    if (!a || archive_read_support_filter_gzip(a) < ARCHIVE_WARN ||
        archive_read_support_format_tar(a) < ARCHIVE_WARN)
        die("libarchive cannot start");
    return a;
}

static bool
within(struct archive *a, uint64_t max, struct error *err)
{
    if ((uint64_t)archive_filter_bytes(a, 0) > max + OVERHEAD_MAX)
        return error_set(err, ERR_LIMIT,
                         "the archive unpacks to more than %llu bytes",
                         (unsigned long long)max);
    return true;
}

/* ---- one member ---- */

/* Where the member's bytes go. */
struct sink {
    int fd;
    struct buf *out; /* NULL: into fd */
};

static bool
put(const struct sink *s, const void *p, size_t n, struct error *err)
{
    if (!s->out)
        return file_write_fd(s->fd, p, n, err);
    if (!buf_add(s->out, p, n))
        return error_set(err, ERR_LIMIT, "the member is larger than %zu bytes",
                         s->out->max);
    return true;
}

/* Reads the data of the entry at hand into sink (NULL: nowhere). */
static bool
read_data(struct archive *a, uint64_t max, const struct sink *sink,
          uint64_t *total, struct error *err)
{
    char chunk[CHUNK];

    for (*total = 0;;) {
        la_ssize_t n = archive_read_data(a, chunk, sizeof(chunk));

        if (n == 0)
            return true;
        if (n < 0)
            return broken(a, err);
        *total += (uint64_t)n;
        if (*total > max)
            return error_set(err, ERR_LIMIT,
                             "the archive unpacks to more than %llu bytes",
                             (unsigned long long)max);
        if (!within(a, max, err) || (sink && !put(sink, chunk, (size_t)n, err)))
            return false;
    }
}

/* Walks to the member; false with a reason when there is none. */
static bool
find_member(struct archive *a, const char *member, uint64_t max,
            struct archive_entry **e, struct error *err)
{
    uint64_t passed;

    for (unsigned i = 0; i < ARCHIVE_MEMBERS_MAX; i++) {
        int rc = archive_read_next_header(a, e);
        const char *name;

        if (rc == ARCHIVE_EOF)
            return error_set(err, ERR_NOT_FOUND, "the archive has no member %s",
                             member);
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) /* RETRY is damage too */
            return broken(a, err);
        if (archive_filter_count(a) > FILTERS_MAX)
            return error_set(err, ERR_PARSE, "the archive is gzipped twice");
        name = archive_entry_pathname(*e);
        if (name && strcmp(name, member) == 0)
            return within(a, max, err);
        if (!read_data(a, max, NULL, &passed, err))
            return false;
    }
    return error_set(err, ERR_LIMIT, "%s is not among the first %d members",
                     member, ARCHIVE_MEMBERS_MAX);
}

static bool
check_member(struct archive_entry *e, const char *member, uint64_t max,
             struct error *err)
{
    if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) ||
        archive_entry_symlink(e) || archive_entry_sparse_count(e) > 0 ||
        !archive_entry_size_is_set(e) || archive_entry_size(e) < 0)
        return error_set(err, ERR_INVALID,
                         "%s in the archive is no ordinary file", member);
    if ((uint64_t)archive_entry_size(e) > max)
        return error_set(err, ERR_LIMIT,
                         "%s in the archive is larger than %llu bytes", member,
                         (unsigned long long)max);
    return true;
}

static bool
take_member(struct archive *a, const char *member, uint64_t max,
            const struct sink *sink, struct error *err)
{
    struct archive_entry *e = NULL;
    uint64_t want, got;

    if (!find_member(a, member, max, &e, err) ||
        !check_member(e, member, max, err))
        return false;
    want = (uint64_t)archive_entry_size(e);
    if (!read_data(a, max, sink, &got, err))
        return false;
    if (got != want)
        return error_set(err, ERR_PARSE,
                         "%s in the archive is cut short: %llu of %llu bytes",
                         member, (unsigned long long)got,
                         (unsigned long long)want);
    return true;
}

bool
archive_extract_member(int fd, const char *member, uint64_t max,
                       const char *path, mode_t mode, struct error *err)
{
    AUTO(close_reader) struct archive *a = new_reader();
    AUTO(file_new_release) struct file_new target = FILE_NEW_NONE;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_errno(err, ERR_IO, "cannot read the archive");
    if (archive_read_open_fd(a, fd, CHUNK) < ARCHIVE_WARN)
        return broken(a, err);
    if (!file_new_open(&target, path, err))
        return false;
    return take_member(a, member, max, &(struct sink){.fd = target.fd}, err) &&
           file_new_keep(&target, mode, err);
}

bool
archive_member_of(struct str tar, const char *member, struct buf *out,
                  struct error *err)
{
    AUTO(close_reader) struct archive *a = new_reader();
    size_t before = out->n;
    bool over = out->over;

    if (archive_read_open_memory(a, tar.s ? tar.s : "", tar.n) < ARCHIVE_WARN)
        return broken(a, err);
    if (take_member(a, member, out->max, &(struct sink){.fd = -1, .out = out},
                    err))
        return true;
    out->over = over;
    buf_truncate(out, before);
    return false;
}

/* ---- writing ---- */

struct archive_out {
    struct archive *a;
    struct file_new target;
};

static bool
unwritten(struct archive *a, struct error *err)
{
    const char *why = archive_error_string(a);

    return error_set(err, ERR_IO, "cannot write the archive: %s",
                     why ? why : strerror(errno));
}

/* An ordinary file, mode 0644. */
static bool
write_file(struct archive *a, const char *name, struct str content,
           int64_t mtime_s)
{
    struct archive_entry *e = archive_entry_new();
    bool ok;

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)content.n);
    archive_entry_set_mtime(e, (time_t)mtime_s, 0);
    ok = archive_write_header(a, e) >= ARCHIVE_WARN &&
         archive_write_data(a, content.s ? content.s : "", content.n) ==
             (la_ssize_t)content.n;
    archive_entry_free(e);
    return ok;
}

static la_ssize_t
into_buf(struct archive *a, void *out, const void *p, size_t n)
{
    if (buf_add(out, p, n))
        return (la_ssize_t)n;
    archive_set_error(a, ENOSPC, "more than %zu bytes",
                      ((struct buf *)out)->max);
    return -1;
}

static void
close_writer(struct archive **a)
{
    archive_write_free(*a);
}

/* Opens a to write into out; blocks are not padded. */
static bool
open_into(struct archive *a, struct buf *out, struct error *err)
{
    archive_write_set_bytes_in_last_block(a, 1);
    return archive_write_open2(a, out, NULL, into_buf, NULL, NULL) >=
               ARCHIVE_WARN ||
           unwritten(a, err);
}

static bool
close_into(struct archive *a, const struct buf *out, struct error *err)
{
    bool ok = archive_write_close(a) >= ARCHIVE_WARN;

    if (out->over)
        return error_set(err, ERR_LIMIT, "the archive is larger than %zu bytes",
                         out->max);
    return ok || unwritten(a, err);
}

bool
archive_tar_of(const struct archive_text *files, size_t n, struct buf *out,
               struct error *err)
{
    AUTO(close_writer) struct archive *a = archive_write_new();
    bool ok;

    if (!a || archive_write_set_format_ustar(a) < ARCHIVE_WARN)
        die("libarchive cannot start");
    ok = open_into(a, out, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = write_file(a, files[i].name, files[i].content, 0) || out->over ||
             unwritten(a, err);
    return ok && close_into(a, out, err);
}

bool
archive_gzip(struct str data, struct buf *out, struct error *err)
{
    AUTO(close_writer) struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    bool ok;

    if (!a || archive_write_add_filter_gzip(a) < ARCHIVE_WARN ||
        archive_write_set_filter_option(a, "gzip", "timestamp", NULL) <
            ARCHIVE_WARN ||
        archive_write_set_format_raw(a) < ARCHIVE_WARN)
        die("libarchive cannot start");
    archive_entry_set_filetype(e, AE_IFREG);
    ok = open_into(a, out, err);
    if (ok)
        ok = (archive_write_header(a, e) >= ARCHIVE_WARN &&
              archive_write_data(a, data.s ? data.s : "", data.n) ==
                  (la_ssize_t)data.n) ||
             out->over || unwritten(a, err);
    archive_entry_free(e);
    return ok && close_into(a, out, err);
}

bool
archive_gunzip(struct str data, struct buf *out, struct error *err)
{
    AUTO(close_reader) struct archive *a = archive_read_new();
    struct archive_entry *e;
    uint64_t n;

    if (!a || archive_read_support_filter_gzip(a) < ARCHIVE_WARN ||
        archive_read_support_format_raw(a) < ARCHIVE_WARN)
        die("libarchive cannot start");
    if (archive_read_open_memory(a, data.s ? data.s : "", data.n) <
            ARCHIVE_WARN ||
        archive_read_next_header(a, &e) < ARCHIVE_WARN)
        return broken(a, err);
    return read_data(a, out->max, &(struct sink){.fd = -1, .out = out}, &n,
                     err);
}

struct archive_out *
archive_out_new(const char *path, struct error *err)
{
    struct archive_out *o = mem_zalloc(1, sizeof(*o));

    if (!file_new_open(&o->target, path, err)) {
        free(o);
        return NULL;
    }
    o->a = archive_write_new();
    if (!o->a || archive_write_add_filter_gzip(o->a) < ARCHIVE_WARN ||
        archive_write_set_format_pax_restricted(o->a) < ARCHIVE_WARN)
        die("libarchive cannot start");
    if (archive_write_open_fd(o->a, o->target.fd) >= ARCHIVE_WARN)
        return o;
    unwritten(o->a, err);
    archive_out_free(o);
    return NULL;
}

bool
archive_out_add(struct archive_out *o, const char *name, struct str content,
                int64_t mtime_s, struct error *err)
{
    return write_file(o->a, name, content, mtime_s) || unwritten(o->a, err);
}

bool
archive_out_end(struct archive_out *o, struct error *err)
{
    bool ok = archive_write_close(o->a) >= ARCHIVE_WARN || unwritten(o->a, err);

    ok = ok && file_new_keep(&o->target, 0600, err);
    archive_out_free(o);
    return ok;
}

void
archive_out_free(struct archive_out *o)
{
    if (!o)
        return;
    archive_write_free(o->a);
    file_new_release(&o->target);
    free(o);
}
