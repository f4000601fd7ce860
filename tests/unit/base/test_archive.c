/* Archives are made by hand here, header by header, so that they can say what
 * no honest program would write. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/archive.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tests/unit/test.h"

#define CAP    ((uint64_t)1 << 20)
#define MEMBER "d/tool"
#define TEXT   "#!/bin/sh\necho hello\n"

static char *dir, *target, *outside;

/* ---- making archives ---- */

struct member {
    const char *name;
    char type; /* '0' file, '1' hard link, '2' symbolic link, ... */
    const char *link, *data;
    const char *size; /* octal as it stands in the header; NULL: true */
};

static void
octal(char *field, size_t n, unsigned long long v)
{
    snprintf(field, n, "%0*llo", (int)n - 1, v);
}

static void
checksum(char *h)
{
    unsigned sum = 0;

    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum);
}

static void
add_data(struct buf *tar, const char *p, size_t n)
{
    buf_add(tar, p, n);
    buf_fill(tar, '\0', (512 - n % 512) % 512);
}

static void
add(struct buf *tar, struct member m)
{
    char h[512] = {0};
    const char *data = m.data ? m.data : "";

    snprintf(h, 100, "%s", m.name);
    octal(h + 100, 8, 06755);
    octal(h + 108, 8, 0);
    octal(h + 116, 8, 0);
    octal(h + 124, 12, strlen(data));
    octal(h + 136, 12, 1700000000);
    if (m.size)
        memcpy(h + 124, m.size, 12);
    h[156] = m.type ? m.type : '0';
    if (m.link)
        snprintf(h + 157, 100, "%s", m.link);
    memcpy(h + 257, "ustar\00000", 8);
    if (m.type == '3')
        octal(h + 329, 8, 1), octal(h + 337, 8, 3);
    checksum(h);
    buf_add(tar, h, sizeof(h));
    add_data(tar, data, strlen(data));
}

/* One "LEN key=value\n" record of a pax header in front of what comes next. */
static void
add_pax(struct buf *tar, const char *key, const char *value)
{
    char record[200];
    size_t n = strlen(key) + strlen(value) + 3;

    n += n + 2 > 99 ? 3 : 2;
    snprintf(record, sizeof(record), "%zu %s=%s\n", n, key, value);
    add(tar, (struct member){.name = "PaxHeader", .type = 'x', .data = record});
}

static void
finish(struct buf *tar)
{
    buf_fill(tar, '\0', 1024);
}

static void
gzip(struct str raw, struct buf *out)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    size_t used = 0, room = raw.n + 65536;
    char *space = mem_alloc(room);

    archive_write_add_filter_gzip(a);
    archive_write_set_format_raw(a);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open_memory(a, space, room, &used), 0);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_pathname(e, "raw");
    archive_write_header(a, e);
    archive_write_data(a, raw.s, raw.n);
    archive_entry_free(e);
    archive_write_free(a);
    buf_add(out, space, used);
    free(space);
}

/* ---- the hostile ones ---- */

static void
dotdot(struct buf *t)
{
    add(t, (struct member){.name = "../d/tool", .data = TEXT});
    add(t, (struct member){.name = "./d/tool", .data = TEXT});
    add(t, (struct member){.name = "d/../d/tool", .data = TEXT});
    finish(t);
}

static void
absolute(struct buf *t)
{
    add(t, (struct member){.name = "/d/tool", .data = TEXT});
    finish(t);
}

static void
symbolic(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .type = '2', .link = outside});
    finish(t);
}

static void
hard_absolute(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .type = '1', .link = outside});
    finish(t);
}

static void
hard_relative(struct buf *t)
{
    add(t, (struct member){.name = "a", .data = TEXT});
    add(t, (struct member){.name = MEMBER, .type = '1', .link = "a"});
    finish(t);
}

static void
hard_with_data(struct buf *t)
{
    add_pax(t, "linkpath", outside);
    add(t, (struct member){
               .name = MEMBER, .type = '1', .link = "x", .data = TEXT});
    finish(t);
}

static void
device(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .type = '3'});
    finish(t);
}

static void
fifo(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .type = '6'});
    finish(t);
}

static void
folder(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .type = '5'});
    finish(t);
}

/* Sixteen mebibytes of nothing in front of the member, some kB on the wire. */
static void
bomb(struct buf *t)
{
    add(t, (struct member){.name = "pad", .size = "00100000000"});
    buf_fill(t, '\0', 16 << 20);
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    finish(t);
}

/* Twice the cap, which is less than headers and padding are allowed. */
static void
small_bomb(struct buf *t)
{
    add(t, (struct member){.name = "pad", .size = "00010000000"});
    buf_fill(t, '\0', 2 << 20);
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    finish(t);
}

static void
big_member(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .size = "00100000000"});
    buf_fill(t, '\0', 16 << 20);
    finish(t);
}

static void
many(struct buf *t)
{
    for (unsigned i = 0; i <= ARCHIVE_MEMBERS_MAX; i++)
        add(t, (struct member){.name = "x"});
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    finish(t);
}

static void
pax_size(struct buf *t)
{
    add_pax(t, "size", "999999999999");
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    finish(t);
}

static void
size_beyond_end(struct buf *t)
{
    add(t,
        (struct member){.name = MEMBER, .data = TEXT, .size = "00000777777"});
    finish(t);
}

static void
size_negative(struct buf *t)
{
    static const char minus[12] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                                  "\xff\x10";

    add(t, (struct member){.name = MEMBER, .data = TEXT, .size = minus});
    finish(t);
}

/* One byte of data, a hole of a megabyte. */
static void
sparse(struct buf *t)
{
    add(t, (struct member){.name = "PaxHeader",
                           .type = 'x',
                           .data = "26 GNU.sparse.size=100000\n"
                                   "26 GNU.sparse.numblocks=1\n"
                                   "26 GNU.sparse.offset=4096\n"
                                   "25 GNU.sparse.numbytes=1\n"});
    add(t, (struct member){.name = MEMBER, .data = "x"});
    finish(t);
}

static void
bad_header(struct buf *t)
{
    size_t at;

    add(t, (struct member){.name = "a", .data = TEXT});
    at = t->n;
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    t->s[at + 5] ^= 1;
    finish(t);
}

static void
cut_in_member(struct buf *t)
{
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    buf_truncate(t, 512 + 8);
}

static void
nothing(struct buf *t)
{
    (void)t;
}

enum { AS_IT_IS = 1, TWICE = 2, CUT = 4 };

static void
page(struct buf *t)
{
    buf_puts(t, "<!DOCTYPE html><html><title>Log in</title></html>");
}

static void
junk(struct buf *t)
{
    for (unsigned i = 0; i < 4000; i++)
        buf_putc(t, (char)(i * 7919 >> 3));
}

static void
good(struct buf *t)
{
    add(t, (struct member){.name = "d", .type = '5'});
    add(t, (struct member){.name = "d/README", .data = "words"});
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    finish(t);
}

/* A link where the member's folder should be: nothing follows it. */
static void
planted_link(struct buf *t)
{
    add(t, (struct member){.name = "d", .type = '2', .link = "/tmp"});
    add(t, (struct member){.name = MEMBER, .data = TEXT});
    finish(t);
}

static const struct hostile {
    const char *name;
    void (*make)(struct buf *t);
    unsigned how;
    enum err_code code; /* ERR_NONE: it is taken */
} archives[] = {
    {"good", good, 0, ERR_NONE},
    {"good, not gzipped", good, AS_IT_IS, ERR_NONE},
    {"planted link", planted_link, 0, ERR_NONE},
    {"dotdot", dotdot, 0, ERR_NOT_FOUND},
    {"absolute", absolute, 0, ERR_NOT_FOUND},
    {"symbolic link", symbolic, 0, ERR_INVALID},
    {"hard link, absolute", hard_absolute, 0, ERR_INVALID},
    {"hard link, relative", hard_relative, 0, ERR_INVALID},
    {"hard link with data", hard_with_data, 0, ERR_INVALID},
    {"device", device, 0, ERR_INVALID},
    {"fifo", fifo, 0, ERR_INVALID},
    {"folder", folder, 0, ERR_INVALID},
    {"sparse", sparse, 0, ERR_INVALID},
    {"bomb in front", bomb, 0, ERR_LIMIT},
    {"small bomb in front", small_bomb, 0, ERR_LIMIT},
    {"big member", big_member, 0, ERR_LIMIT},
    {"many members", many, 0, ERR_LIMIT},
    {"pax size lies", pax_size, 0, ERR_LIMIT},
    {"size beyond the end", size_beyond_end, 0, ERR_PARSE},
    {"negative size", size_negative, 0, ERR_PARSE},
    {"bad header", bad_header, 0, ERR_PARSE},
    {"cut in the member", cut_in_member, 0, ERR_PARSE},
    {"cut in the gzip", good, CUT, ERR_PARSE},
    {"gzipped twice", good, TWICE, ERR_PARSE},
    {"HTML page", page, AS_IT_IS, ERR_PARSE},
    {"junk", junk, AS_IT_IS, ERR_PARSE},
    {"junk, gzipped", junk, 0, ERR_PARSE},
    {"empty", nothing, AS_IT_IS, ERR_PARSE},
};

static void
build(const struct hostile *h, struct buf *out)
{
    AUTO(buf_release) struct buf raw = BUF_INIT(64 << 20);
    AUTO(buf_release) struct buf once = BUF_INIT(64 << 20);

    h->make(&raw);
    if (h->how & AS_IT_IS) {
        buf_str(out, buf_view(&raw));
        return;
    }
    gzip(buf_view(&raw), &once);
    if (h->how & TWICE)
        gzip(buf_view(&once), out);
    else
        buf_str(out, buf_view(&once));
    if (h->how & CUT)
        buf_truncate(out, out->n / 2);
}

static unsigned
files_here(void)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static bool
extract(struct str bytes, struct error *err)
{
    char name[] = "/tmp/meshtop-archive.XXXXXX";
    int fd = mkstemp(name);
    bool ok;

    assert_true(file_write_fd(fd, bytes.s, bytes.n, NULL));
    unlink(name);
    ok = archive_extract_member(fd, MEMBER, CAP, target, 0755, err);
    close(fd);
    return ok;
}

static void
check_taken(const char *name)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct stat st;

    assert_true(file_read(target, &b, NULL));
    if (strcmp(buf_cstr(&b), TEXT) != 0)
        fail_msg("%s: %s", name, buf_cstr(&b));
    assert_int_equal(lstat(target, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0755);
    assert_int_equal(unlink(target), 0);
}

static void
hostile(void **state)
{
    AUTO(buf_release) struct buf was = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
        const struct hostile *h = &archives[i];
        AUTO(buf_release) struct buf bytes = BUF_INIT(64 << 20);
        AUTO(buf_release) struct buf out = BUF_INIT((size_t)CAP);
        struct error err = {0}, again = {0};
        bool ok;

        build(h, &bytes);
        ok = extract(buf_view(&bytes), &err);
        if (err.code != h->code || ok != (h->code == ERR_NONE))
            fail_msg("%s: %s (%s)", h->name, err.msg, error_name(err.code));
        if (ok)
            check_taken(h->name);
        if (files_here() != 1)
            fail_msg("%s leaves something", h->name);
        /* The same from memory. */
        archive_member_of(buf_view(&bytes), MEMBER, &out, &again);
        if (again.code != h->code)
            fail_msg("%s in memory: %s", h->name, again.msg);
        assert_string_equal(buf_cstr(&out), ok ? TEXT : "");
    }
    assert_true(file_read(outside, &was, NULL));
    assert_string_equal(buf_cstr(&was), "untouched");
}

static void
the_target(void **state)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf was = BUF_INIT(100);
    struct rlimit old, small;
    struct error err = {0};

    (void)state;
    build(&archives[0], &bytes);
    /* A link in the target's place is replaced, not followed. */
    assert_int_equal(symlink(outside, target), 0);
    assert_true(extract(buf_view(&bytes), &err));
    check_taken("over a link");
    assert_true(file_read(outside, &was, NULL));
    assert_string_equal(buf_cstr(&was), "untouched");

    /* A full disk: an error, the old file, nothing half-written. */
    assert_true(file_write(target, STR("old"), 0600, NULL));
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

    assert_true(fd >= 0 && file_write_fd(fd, bytes.s, bytes.n, NULL));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 5, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_false(archive_extract_member(fd, MEMBER, CAP, target, 0755, &err));
    setrlimit(RLIMIT_FSIZE, &old);
    close(fd);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(files_here(), 2);
    buf_reset(&was);
    assert_true(file_read(target, &was, NULL));
    assert_string_equal(buf_cstr(&was), "old");
    unlink(target);
    err = (struct error){0};
    assert_false(archive_extract_member(-1, MEMBER, CAP, target, 0755, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void
a_member_over_the_cap(void **state)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf out = BUF_INIT(20);
    struct error err = {0};

    (void)state;
    build(&archives[1], &bytes);
    assert_false(archive_member_of(buf_view(&bytes), MEMBER, &out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(out.n, 0);
    assert_false(out.over);
    assert_true(archive_member_of(buf_view(&bytes), "d/README", &out, &err));
    assert_string_equal(buf_cstr(&out), "words");
}

static void
written(void **state)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(4 << 20);
    AUTO(buf_release) struct buf big = BUF_INIT(4 << 20);
    AUTO(buf_release) struct buf out = BUF_INIT(4 << 20);
    struct archive_out *a = archive_out_new(target, NULL);
    struct stat st;

    (void)state;
    for (unsigned i = 0; i < 300000; i++)
        buf_printf(&big, "%x", i * 2654435761u);
    assert_true(archive_out_add(a, "bundle/a", STR("alpha"), 1, NULL));
    assert_true(archive_out_add(a, "bundle/none", (struct str){0}, 1, NULL));
    assert_true(archive_out_add(a, "bundle/big", buf_view(&big), 1, NULL));
    assert_false(file_exists(target)); /* until it is whole */
    assert_true(archive_out_end(a, NULL));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(file_read(target, &bytes, NULL));
    assert_memory_equal(bytes.s, "\x1f\x8b", 2);
    assert_true(archive_member_of(buf_view(&bytes), "bundle/big", &out, NULL));
    assert_true(str_eq(buf_view(&out), buf_view(&big)));
    buf_reset(&out);
    assert_true(archive_member_of(buf_view(&bytes), "bundle/none", &out, NULL));
    assert_int_equal(out.n, 0);
    unlink(target);

    /* Given up: nothing is left. */
    a = archive_out_new(target, NULL);
    assert_true(archive_out_add(a, "a", STR("alpha"), 1, NULL));
    archive_out_free(a);
    archive_out_free(NULL);
    assert_int_equal(files_here(), 1);
    assert_null(archive_out_new("/no/such/folder/x", NULL));
}

static void
a_bundle_on_a_full_disk(void **state)
{
    AUTO(buf_release) struct buf big = BUF_INIT(4 << 20);
    struct archive_out *a = archive_out_new(target, NULL);
    struct rlimit old, small;
    struct error err = {0};
    bool ok;

    (void)state;
    for (unsigned i = 0; i < 300000; i++)
        buf_printf(&big, "%x", i * 2654435761u);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 20000, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    ok = archive_out_add(a, "big", buf_view(&big), 1, &err);
    ok = archive_out_end(a, ok ? &err : NULL) && ok;
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(files_here(), 1);
}

static int
set_up(void **state)
{
    char name[] = "/tmp/meshtop-archive.XXXXXX";

    (void)state;
    dir = mem_strdup(mkdtemp(name));
    target = file_join(dir, "tool");
    outside = file_join(dir, "outside");
    return file_write(outside, STR("untouched"), 0600, NULL) ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    file_remove_tree(dir, NULL);
    free(dir);
    free(target);
    free(outside);
    return 0;
}

/* ---- archives in memory ---- */

static void
in_memory_and_the_same_each_time(void **state UNUSED)
{
    static const struct archive_text files[] = {{"a.yaml", {"a: 1\n", 5}},
                                                {".up/b.yaml", {NULL, 0}}};
    struct error err = {0};
    struct buf tar[2] = {BUF_INIT(CAP), BUF_INIT(CAP)};
    struct buf gz[2] = {BUF_INIT(CAP), BUF_INIT(CAP)};
    AUTO(buf_release) struct buf text = BUF_INIT(CAP);

    for (int i = 0; i < 2; i++) {
        assert_true(archive_tar_of(files, 2, &tar[i], &err));
        assert_true(archive_gzip(buf_view(&tar[i]), &gz[i], &err));
        assert_int_equal(tar[i].n % 512, 0);
    }
    assert_true(str_eq(buf_view(&tar[0]), buf_view(&tar[1])));
    assert_true(str_eq(buf_view(&gz[0]), buf_view(&gz[1])));
    assert_true(archive_member_of(buf_view(&gz[0]), "a.yaml", &text, &err));
    assert_string_equal(buf_cstr(&text), "a: 1\n");
    assert_true(
        archive_member_of(buf_view(&tar[0]), ".up/b.yaml", &text, &err));
    for (int i = 0; i < 2; i++) {
        buf_release(&tar[i]);
        buf_release(&gz[i]);
    }
}

static void
in_memory_too_small(void **state UNUSED)
{
    static const struct archive_text file = {"a", {"x", 1}};
    struct error err = {0};
    AUTO(buf_release) struct buf out = BUF_INIT(1024);

    assert_false(archive_tar_of(&file, 1, &out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile),
        cmocka_unit_test(the_target),
        cmocka_unit_test(a_member_over_the_cap),
        cmocka_unit_test(written),
        cmocka_unit_test(a_bundle_on_a_full_disk),
        cmocka_unit_test(in_memory_and_the_same_each_time),
        cmocka_unit_test(in_memory_too_small),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
