#include "cli/inplace.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"

#include "tui/theme.h"

#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"
#define PLAIN       "\033[0m"
/* A row that a smaller window has no room for is cut, not wrapped. */
#define WRAP_OFF "\033[?7l"
#define WRAP_ON  "\033[?7h"

enum { OUT_MAX = 4 << 20 };

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* The terminal of a program that dies: standard error, as begun with. */
static void
on_fatal(int signo)
{
    if (write(STDERR_FILENO, PLAIN WRAP_ON SHOW_CURSOR,
              sizeof(PLAIN WRAP_ON SHOW_CURSOR) - 1) < 0)
        _exit(128 + signo);
    raise(signo); /* SA_RESETHAND: the default action now */
}

int
inplace_colors(bool plain)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    const char *more = getenv("COLORTERM");

    if (plain || (none && *none) || !term || strcmp(term, "dumb") == 0 ||
        strncmp(term, "vt", 2) == 0)
        return 0;
    return (more && *more) || strstr(term, "256color") ? 256 : 8;
}

bool
inplace_ascii(void)
{
    return !(setlocale(LC_ALL, "") && MB_CUR_MAX > 1) &&
           !(setlocale(LC_ALL, "C.UTF-8") && MB_CUR_MAX > 1);
}

void
inplace_begin(struct inplace *p, int fd, int colors)
{
    struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_RESETHAND};

    *p = (struct inplace){.fd = fd, .colors = colors};
    canvas_init(&p->shown, 1, 1, false);
    inplace_measure(p);
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        sigaction(fatal_signals[i], &sa, NULL);
}

/* Columns of row y, spaces at its end left out. */
static int
row_columns(const struct canvas *c, int y)
{
    const struct canvas_cell *row = &c->cells[(size_t)y * (size_t)c->w];
    int n = c->w;

    while (n > 0 && row[n - 1].cp == ' ' && !row[n - 1].attrs)
        n--;
    return n;
}

bool
inplace_measure(struct inplace *p)
{
    struct winsize ws = {0};
    int w, h, rows = 0;

    ioctl(p->fd, TIOCGWINSZ, &ws);
    w = ws.ws_col ? MIN((int)ws.ws_col, CANVAS_MAX) : 80;
    h = ws.ws_row ? MIN((int)ws.ws_row, CANVAS_MAX) : 24;
    if (w == p->w && h == p->h)
        return false;
    p->w = w;
    p->h = h;
    for (int y = 0; y < p->rows; y++)
        rows += MAX((row_columns(&p->shown, y) + w - 1) / w, 1);
    /* xterm cuts lines where others re-flow them. */
    p->rows = getenv("XTERM_VERSION") ? p->rows : rows;
    canvas_resize(&p->shown, 1, 1); /* nothing is where it was */
    return true;
}

/* ---- bytes ---- */

static void
put_look(struct buf *b, struct look k)
{
    static const struct {
        unsigned attr;
        int code;
    } codes[] = {
        {LOOK_BOLD, 1}, {LOOK_DIM, 2}, {LOOK_UNDERLINE, 4}, {LOOK_REVERSE, 7}};

    buf_puts(b, "\033[0");
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (k.attrs & codes[i].attr)
            buf_printf(b, ";%d", codes[i].code);
    }
    if (k.fg >= 8)
        buf_printf(b, ";38;5;%d", k.fg);
    else if (k.fg >= 0)
        buf_printf(b, ";3%d", k.fg);
    if (k.bg >= 0)
        buf_printf(b, ";48;5;%d", k.bg);
    buf_putc(b, 'm');
}

static void
put_row(struct buf *b, const struct canvas *c, int y, int colors)
{
    const struct canvas_cell *row = &c->cells[(size_t)y * (size_t)c->w];
    struct look now = {-1, -1, 0};
    bool styled = false;
    char bytes[4];

    for (int x = 0; x < row_columns(c, y); x++) {
        struct look k = theme_look(row[x].style, row[x].attrs, colors);

        if (row[x].width == 0)
            continue;
        if (memcmp(&k, &now, sizeof(k)) != 0) {
            put_look(b, k);
            now = k;
            styled = true;
        }
        buf_add(b, bytes, utf8_encode(row[x].cp, bytes));
        if (row[x].mark)
            buf_add(b, bytes, utf8_encode(row[x].mark, bytes));
    }
    if (styled)
        buf_puts(b, PLAIN);
}

static bool
same_row(const struct canvas *a, const struct canvas *b, int y)
{
    size_t at = (size_t)y * (size_t)a->w, n = (size_t)a->w;

    return a->w == b->w && y < a->h && y < b->h &&
           memcmp(a->cells + at, b->cells + at, n * sizeof(*a->cells)) == 0;
}

static void
keep(struct inplace *p, const struct canvas *c)
{
    if (p->shown.w != c->w || p->shown.h != c->h)
        canvas_resize(&p->shown, c->w, c->h);
    memcpy(p->shown.cells, c->cells,
           (size_t)c->w * (size_t)c->h * sizeof(*c->cells));
}

void
inplace_draw(struct inplace *p, const struct canvas *c, int rows)
{
    AUTO(buf_release) struct buf b = BUF_INIT(OUT_MAX);
    /* The window became lower than what was shown: its first rows cannot be
     * reached. A row is left free, as one above may still flow into it. */
    bool lost = p->rows >= p->h;

    rows = MIN(rows, MIN(c->h, MAX(p->h - 1 - lost, 1)));
    buf_puts(&b, WRAP_OFF "\r");
    if (lost)
        buf_puts(&b, "\033[H\033[J\r\n");
    else if (p->rows)
        buf_printf(&b, "\033[%dA", p->rows);
    else
        buf_puts(&b, HIDE_CURSOR);
    for (int y = 0; y < rows; y++) {
        if (lost || y >= p->rows || !same_row(c, &p->shown, y)) {
            put_row(&b, c, y, p->colors);
            buf_puts(&b, "\033[K");
        }
        buf_puts(&b, "\r\n");
    }
    buf_puts(&b, "\033[J" WRAP_ON);
    file_write_fd(p->fd, b.s, b.n, NULL);
    keep(p, c);
    p->rows = rows;
}

void
inplace_clear(struct inplace *p)
{
    AUTO(buf_release) struct buf b = BUF_INIT(256);

    if (!p->rows)
        return;
    inplace_measure(p);
    if (p->rows >= p->h)
        buf_puts(&b, "\033[H\033[J\r\n" PLAIN SHOW_CURSOR);
    else
        buf_printf(&b, "\r\033[%dA\033[J" PLAIN SHOW_CURSOR, p->rows);
    file_write_fd(p->fd, b.s, b.n, NULL);
    p->rows = 0;
}

void
inplace_print(struct inplace *p, const struct canvas *c, int rows)
{
    AUTO(buf_release) struct buf b = BUF_INIT(OUT_MAX);

    inplace_clear(p);
    for (int y = 0; y < MIN(rows, c->h); y++) {
        put_row(&b, c, y, p->colors);
        buf_puts(&b, "\r\n");
    }
    file_write_fd(p->fd, b.s ? b.s : "", b.n, NULL);
}

void
inplace_end(struct inplace *p)
{
    if (p->fd < 0)
        return;
    inplace_clear(p);
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        signal(fatal_signals[i], SIG_DFL);
    canvas_release(&p->shown);
    *p = (struct inplace){.fd = -1};
}
