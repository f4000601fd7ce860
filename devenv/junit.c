#include "devenv/junit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

struct suite {
    char *id, *title;
    struct buf cases;
    size_t tests, failures, skipped;
    int64_t ms;
};

struct junit {
    char *name;
    int64_t began_s;
    struct suite *v;
    size_t n, cap;
};

struct junit *
junit_new(const char *name)
{
    struct junit *j = mem_zalloc(1, sizeof(*j));

    j->name = mem_strdup(name);
    j->began_s = clock_wall_ms(clock_system()) / 1000;
    return j;
}

void
junit_free(struct junit *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->n; i++) {
        free(j->v[i].id);
        free(j->v[i].title);
        buf_release(&j->v[i].cases);
    }
    free(j->v);
    free(j->name);
    free(j);
}

void
junit_free_ptr(struct junit **j)
{
    junit_free(*j);
}

/* ---- XML ---- */

static const struct {
    uint32_t cp;
    const char *entity;
} entities[] = {
    {'<', "&lt;"},  {'>', "&gt;"},   {'&', "&amp;"},  {'"', "&quot;"},
    {'\t', "&#9;"}, {'\n', "&#10;"}, {'\r', "&#13;"},
};

/* Char of XML 1.0, section 2.2. */
static bool
is_xml(uint32_t cp)
{
    return (cp >= 0x20 && cp <= 0xD7FF) || (cp >= 0xE000 && cp <= 0xFFFD) ||
           (cp >= 0x10000 && cp <= 0x10FFFF);
}

/* As the value of an attribute. */
static void
add_text(struct buf *out, const char *text)
{
    struct str s = str_of(text);

    for (size_t at = 0; at < s.n;) {
        const char *entity = NULL;
        uint32_t cp;
        size_t n = utf8_decode(str_from(s, at), &cp);

        for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
            if (entities[i].cp == cp)
                entity = entities[i].entity;
        }
        if (entity)
            buf_puts(out, entity);
        else if (is_xml(cp) && cp != 0xFFFD)
            buf_add(out, s.s + at, n);
        else
            buf_puts(out, "\xEF\xBF\xBD");
        at += n;
    }
}

static void
add_attribute(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, " %s=\"", name);
    add_text(out, text);
    buf_putc(out, '"');
}

static void
add_seconds(struct buf *out, int64_t ms)
{
    buf_printf(out, " time=\"%lld.%03lld\"", (long long)(ms / 1000),
               (long long)(ms % 1000));
}

/* ---- checks ---- */

static struct suite *
suite_of(struct junit *j, const char *id)
{
    const struct verify_group *g = verify_groups();

    if (j->n && strcmp(j->v[j->n - 1].id, id) == 0)
        return &j->v[j->n - 1];
    while (g->id && strcmp(g->id, id) != 0)
        g++;
    j->v = mem_grow(j->v, &j->cap, j->n + 1, sizeof(*j->v));
    j->v[j->n] = (struct suite){.id = mem_strdup(id),
                                .title = mem_strdup(g->id ? g->title : ""),
                                .cases = BUF_INIT(BUF_TEXT_MAX)};
    return &j->v[j->n++];
}

void
junit_add(struct junit *j, const struct verify_check *check)
{
    struct suite *s = suite_of(j, check->group);
    AUTO(mem_free_ptr)
    char *class = mem_printf("%s.%s", check->group, check->subject);

    s->tests++;
    s->failures += check->outcome == VERIFY_MISS;
    s->skipped += check->outcome == VERIFY_NOTE;
    s->ms += check->ms;
    buf_puts(&s->cases, "    <testcase");
    add_attribute(&s->cases, "classname", class);
    add_attribute(&s->cases, "name", check->name);
    add_seconds(&s->cases, check->ms);
    if (check->outcome == VERIFY_OK) {
        buf_puts(&s->cases, "/>\n");
        return;
    }
    buf_puts(&s->cases, check->outcome == VERIFY_MISS
                            ? "><failure type=\"miss\""
                            : "><skipped");
    add_attribute(&s->cases, "message", check->detail);
    buf_puts(&s->cases, "/></testcase>\n");
}

static void
print_suite(const struct junit *j, const struct suite *s, struct buf *out)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s %s", s->id, s->title);
    char when[CLOCK_RFC3339_LEN];

    clock_format(j->began_s, when);
    buf_puts(out, "  <testsuite");
    add_attribute(out, "name", name);
    buf_printf(out,
               " tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
               "skipped=\"%zu\"",
               s->tests, s->failures, s->skipped);
    add_seconds(out, s->ms);
    /* JUnit's schema wants it without a zone. */
    buf_printf(out, " timestamp=\"%.19s\">\n", when);
    buf_str(out, buf_view(&s->cases));
    buf_puts(out, "  </testsuite>\n");
}

char *
junit_text(const struct junit *j, struct error *err)
{
    AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);
    size_t tests = 0, failures = 0;
    bool over = false;
    int64_t ms = 0;

    for (size_t i = 0; i < j->n; i++) {
        tests += j->v[i].tests;
        failures += j->v[i].failures;
        ms += j->v[i].ms;
        over |= j->v[i].cases.over;
    }
    buf_puts(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    add_attribute(&out, "name", j->name);
    buf_printf(&out, " tests=\"%zu\" failures=\"%zu\"", tests, failures);
    add_seconds(&out, ms);
    buf_puts(&out, ">\n");
    for (size_t i = 0; i < j->n; i++)
        print_suite(j, &j->v[i], &out);
    buf_puts(&out, "</testsuites>\n");
    if (!out.over && !over)
        return buf_take(&out);
    error_set(err, ERR_LIMIT, "the JUnit file would be larger than %zu bytes",
              out.max);
    return NULL;
}

static bool
write_through(const char *path, struct str text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        error_errno(err, ERR_IO, "cannot write");
        return error_wrap(err, "%s", path);
    }
    bool ok =
        file_write_fd(fd, text.s, text.n, err) || error_wrap(err, "%s", path);

    close(fd);
    return ok;
}

bool
junit_write(const struct junit *j, const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *text = junit_text(j, err);
    struct stat st;

    if (!text)
        return false;
    if (strcmp(path, "-") == 0)
        return file_write_fd(STDOUT_FILENO, text, strlen(text), err);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return error_set(err, ERR_USAGE, "%s is a folder", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_through(path, str_of(text), err);
    return file_write(path, str_of(text), 0644, err);
}
