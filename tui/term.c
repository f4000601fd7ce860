#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "tui/key.h"
#include "tui/theme.h"

/* <term.h> declares this, together with a struct term of its own. */
extern char *tigetstr(const char *name);

enum { PASTE_ON = KEY_MAX + 1, PASTE_OFF, PASTE_MAX = 64 << 10, PAIRS = 64 };

struct term {
    struct loop *loop;
    struct term_events ev;
    SCREEN *screen;
    struct loop_fd *input;
    struct loop_signal *signals[5];
    int w, h, colors;
    bool ascii, left, pasting, all;
    struct buf paste;
    struct canvas shown;
    short pair_fg[PAIRS], pair_bg[PAIRS];
    int pairs;
};

/*
 * What a handler of SIGSEGV or SIGABRT, or atexit, needs to put the terminal
 * back: such handlers get no argument, so this one piece is static.
 */
static struct {
    volatile sig_atomic_t on;
    struct termios line;
    char bytes[256];
    size_t n;
} rescue;

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static const char paste_mode_on[] = "\033[?2004h";
static const char paste_mode_off[] = "\033[?2004l";

/* The answer of write() is of no use where this is called from. */
static void
write_all(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        p += done;
        n -= (size_t)done;
    }
}

static void
put_back(void)
{
    if (!rescue.on)
        return;
    rescue.on = 0;
    write_all(rescue.bytes, rescue.n);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &rescue.line);
}

static void
on_fatal(int signo)
{
    put_back();
    raise(signo); /* SA_RESETHAND: the default action now */
}

static void
rescue_add(const char *cap)
{
    const char *s = tigetstr(cap);

    if (!s || s == (char *)-1)
        return;
    for (; *s && rescue.n < sizeof(rescue.bytes); s++) {
        if (s[0] == '$' && s[1] == '<') { /* a delay, not for us */
            while (*s && *s != '>')
                s++;
            continue;
        }
        rescue.bytes[rescue.n++] = *s;
    }
}

static void
rescue_arm(void)
{
    static const char *const caps[] = {"rmkx", "sgr0", "rmcup", "cnorm"};
    struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_RESETHAND};

    rescue.n = sizeof(paste_mode_off) - 1;
    memcpy(rescue.bytes, paste_mode_off, rescue.n);
    for (size_t i = 0; i < ARRAY_LEN(caps); i++)
        rescue_add(caps[i]);
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        sigaction(fatal_signals[i], &sa, NULL);
    rescue.on = 1;
}

static void
rescue_disarm(void)
{
    rescue.on = 0;
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        signal(fatal_signals[i], SIG_DFL);
}

/* ---- keys ---- */

static const struct {
    int code;
    unsigned key;
} codes[] = {
    {KEY_ENTER, K_ENTER}, {KEY_BTAB, K_BACKTAB}, {KEY_BACKSPACE, K_BACKSPACE},
    {KEY_DC, K_DELETE},   {KEY_UP, K_UP},        {KEY_DOWN, K_DOWN},
    {KEY_LEFT, K_LEFT},   {KEY_RIGHT, K_RIGHT},  {KEY_HOME, K_HOME},
    {KEY_END, K_END},     {KEY_PPAGE, K_PGUP},   {KEY_NPAGE, K_PGDN},
    {KEY_IC, K_INSERT},
};

static unsigned
key_of_code(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i].code == code)
            return codes[i].key;
    }
    if (code >= KEY_F(1) && code <= KEY_F(12))
        return K_F1 + (unsigned)(code - KEY_F(1));
    return K_NONE;
}

static unsigned
key_of_char(wint_t ch)
{
    switch (ch) {
    case '\r':
    case '\n':
        return K_ENTER;
    case '\t':
        return K_TAB;
    case 27:
        return K_ESC;
    case 8:
    case 127:
        return K_BACKSPACE;
    case 0:
        return K_CTRL | ' ';
    }
    return ch < 32 ? K_CTRL | (ch + 'a' - 1) : (unsigned)ch;
}

static void
paste_add(struct term *t, wint_t ch)
{
    char bytes[4];

    if (ch == '\r')
        ch = '\n';
    if (ch == '\t')
        ch = ' ';
    if (ch == '\n' || !utf8_unsafe((uint32_t)ch))
        buf_add(&t->paste, bytes, utf8_encode((uint32_t)ch, bytes));
}

static void
on_code(struct term *t, int code)
{
    if (code == PASTE_ON) {
        t->pasting = true;
        buf_reset(&t->paste);
    } else if (code == PASTE_OFF) {
        t->pasting = false;
        t->ev.paste(t->ev.arg, buf_view(&t->paste));
    } else if (!t->pasting && key_of_code(code) != K_NONE) {
        t->ev.key(t->ev.arg, key_of_code(code));
    }
}

/* One key; false when curses has no more. curses buffers bytes that epoll
 * cannot see, so the caller must drain it. */
static bool
read_key(struct term *t)
{
    wint_t ch;
    int kind = t->left ? ERR : wget_wch(stdscr, &ch);

    if (kind == ERR)
        return false;
    if (kind == KEY_CODE_YES) {
        on_code(t, (int)ch);
    } else if (t->pasting) {
        paste_add(t, ch);
    } else {
        t->ev.key(t->ev.arg, key_of_char(ch));
    }
    return true;
}

static void
on_input(void *arg, unsigned events)
{
    struct term *t = arg;
    struct pollfd p = {STDIN_FILENO, POLLIN, 0};
    bool any = false;
    int waiting = 0;

    while (read_key(t))
        any = true;
    if (t->left)
        return;
    if (events & LOOP_HANGUP ||
        (!any && poll(&p, 1, 0) == 1 &&
         ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting == 0))
        t->ev.end(t->ev.arg, SIGHUP);
}

/* ---- size and signals ---- */

static void
measure(struct term *t)
{
    struct winsize ws = {0};

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
    t->w = ws.ws_col ? MIN((int)ws.ws_col, CANVAS_MAX) : 80;
    t->h = ws.ws_row ? MIN((int)ws.ws_row, CANVAS_MAX) : 24;
}

static void
on_winch(struct term *t)
{
    if (t->left)
        return;
    measure(t);
    resize_term(t->h, t->w);
    canvas_resize(&t->shown, t->w, t->h);
    t->all = true;
    t->ev.resize(t->ev.arg, t->w, t->h);
}

static void
on_signal(void *arg, int signo)
{
    struct term *t = arg;

    if (signo == SIGWINCH) {
        on_winch(t);
    } else if (signo == SIGTSTP) {
        term_suspend(t);
    } else {
        t->ev.end(t->ev.arg, signo);
    }
}

/* ---- in and out ---- */

/* True when the locale, or C.UTF-8 in its place, can show more than ASCII. */
static bool
utf8_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    return setlocale(LC_CTYPE, "C.UTF-8") &&
           strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void
set_modes(struct term *t)
{
    raw();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    curs_set(0);
    set_escdelay(25);
    define_key("\033[200~", PASTE_ON);
    define_key("\033[201~", PASTE_OFF);
    if (t->colors) {
        start_color();
        use_default_colors();
        t->colors = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : 8;
    }
}

static bool
hook_up(struct term *t, struct error *err)
{
    static const int signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP};

    t->input = loop_fd_add(t->loop, STDIN_FILENO, LOOP_READ, on_input, t, err);
    if (!t->input)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        t->signals[i] = loop_signal_add(t->loop, signals[i], on_signal, t, err);
        if (!t->signals[i])
            return false;
    }
    return true;
}

struct term *
term_new(struct loop *l, const struct term_options *o, struct error *err)
{
    const char *name = getenv("TERM"), *plain = getenv("NO_COLOR");
    struct term *t;

    if (tcgetattr(STDIN_FILENO, &rescue.line) != 0 || !isatty(STDOUT_FILENO)) {
        error_set(err, ERR_UNSUPPORTED, "no terminal to draw on");
        return NULL;
    }
    if (!name || !*name) {
        error_set(err, ERR_UNSUPPORTED, "TERM is not set");
        return NULL;
    }
    t = mem_zalloc(1, sizeof(*t));
    t->loop = l;
    t->ev = o->events;
    t->paste = BUF_INIT(PASTE_MAX);
    t->ascii = o->ascii | !utf8_locale();
    t->screen = newterm(NULL, stdout, stdin);
    if (!t->screen) {
        error_set(err, ERR_UNSUPPORTED,
                  "this system does not know the terminal TERM=%s", name);
        free(t);
        return NULL;
    }
    rescue_arm();
    atexit(put_back);
    t->colors = !o->no_color && !(plain && *plain) && has_colors();
    set_modes(t);
    measure(t);
    resize_term(t->h, t->w);
    canvas_init(&t->shown, t->w, t->h, t->ascii);
    t->all = true;
    write_all(paste_mode_on, sizeof(paste_mode_on) - 1);
    if (!hook_up(t, err)) {
        term_free(t);
        return NULL;
    }
    return t;
}

void
term_free(struct term *t)
{
    if (!t)
        return;
    if (!t->left)
        term_leave(t);
    rescue_disarm();
    loop_fd_del(t->input);
    for (size_t i = 0; i < ARRAY_LEN(t->signals); i++)
        loop_signal_del(t->signals[i]);
    delscreen(t->screen);
    buf_release(&t->paste);
    canvas_release(&t->shown);
    free(t);
}

void
term_leave(struct term *t)
{
    if (t->left)
        return;
    t->left = true;
    loop_fd_set(t->input, 0);
    curs_set(1);
    endwin();
    write_all(paste_mode_off, sizeof(paste_mode_off) - 1);
    rescue.on = 0;
}

void
term_enter(struct term *t)
{
    if (!t->left)
        return;
    t->left = false;
    rescue.on = 1;
    refresh();
    write_all(paste_mode_on, sizeof(paste_mode_on) - 1);
    loop_fd_set(t->input, LOOP_READ);
    on_winch(t);
}

void
term_suspend(struct term *t)
{
    term_leave(t);
    /* Not SIGTSTP: curses ignores it while it draws, and it would be lost. */
    kill(0, SIGSTOP);
    term_enter(t);
}

void
term_size(const struct term *t, int *w, int *h)
{
    *w = t->w;
    *h = t->h;
}

bool
term_ascii(const struct term *t)
{
    return t->ascii;
}

/* ---- drawing ---- */

static short
pair_of(struct term *t, const struct look *k)
{
    if (!t->colors || (k->fg < 0 && k->bg < 0))
        return 0;
    for (int i = 0; i < t->pairs; i++) {
        if (t->pair_fg[i] == k->fg && t->pair_bg[i] == k->bg)
            return (short)(i + 1);
    }
    if (t->pairs == PAIRS || t->pairs + 1 >= COLOR_PAIRS)
        return 0;
    t->pair_fg[t->pairs] = k->fg;
    t->pair_bg[t->pairs] = k->bg;
    init_pair((short)(t->pairs + 1), k->fg, k->bg);
    return (short)++t->pairs;
}

static attr_t
attrs_of(const struct look *k)
{
    return (k->attrs & LOOK_BOLD ? A_BOLD : 0) |
           (k->attrs & LOOK_DIM ? A_DIM : 0) |
           (k->attrs & LOOK_REVERSE ? A_REVERSE : 0) |
           (k->attrs & LOOK_UNDERLINE ? A_UNDERLINE : 0);
}

static void
put_cell(struct term *t, int x, int y, const struct canvas_cell *cell)
{
    struct look k = theme_look(cell->style, cell->attrs, t->colors);
    wchar_t text[3] = {(wchar_t)cell->cp, (wchar_t)cell->mark, 0};
    cchar_t cc;

    /* A character whose width the C library sees otherwise would shift the
     * rest of the line. */
    if (wcwidth(text[0]) != cell->width)
        text[0] = '?';
    if (cell->mark && wcwidth(text[1]) != 0)
        text[1] = 0;
    setcchar(&cc, text, attrs_of(&k), pair_of(t, &k), NULL);
    mvadd_wch(y, x, &cc);
    if (text[0] == '?' && cell->width == 2)
        mvadd_wch(y, x + 1, &cc);
}

void
term_draw(struct term *t, const struct canvas *c)
{
    if (t->left || c->w != t->shown.w || c->h != t->shown.h)
        return;
    if (t->all) {
        erase();
        clearok(stdscr, TRUE);
    }
    for (int y = 0; y < c->h; y++) {
        size_t row = (size_t)y * (size_t)c->w;
        struct canvas_cell *old = &t->shown.cells[row];
        const struct canvas_cell *new = &c->cells[row];

        for (int x = 0; x < c->w; x++) {
            if (new[x].width &&
                (t->all || memcmp(&old[x], &new[x], sizeof(*new)) != 0 ||
                 (new[x].width == 2 && old[x + 1].width)))
                put_cell(t, x, y, &new[x]);
        }
        memcpy(old, new, (size_t)c->w * sizeof(*old));
    }
    t->all = false;
    curs_set(c->cursor_x >= 0);
    if (c->cursor_x >= 0)
        move(c->cursor_y, c->cursor_x);
    refresh();
}

void
term_redraw(struct term *t)
{
    t->all = true;
}

void
term_copy(struct term *t, struct str text)
{
    AUTO(buf_release) struct buf b = BUF_INIT(128 << 10);

    (void)t;
    buf_puts(&b, "\033]52;c;");
    if (digest_base64(text, false, &b) && buf_putc(&b, '\a'))
        write_all(b.s, b.n);
}
