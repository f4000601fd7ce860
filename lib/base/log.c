#include "lib/base/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"

#define LINE_MAX_BYTES 4096

/* docs/STYLE.md allows this one: the log is where every caller can reach it. */
static struct {
    int fd;
    bool open;
    enum log_level level;
} state;

static const char *const words[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

bool
log_open(const char *path, enum log_level level, struct error *err)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                  : STDERR_FILENO;

    if (fd < 0)
        return error_errno(err, ERR_IO, "cannot open the log %s", path);
    log_close();
    state.fd = fd;
    state.level = level;
    state.open = true;
    return true;
}

void
log_close(void)
{
    if (state.open && state.fd != STDERR_FILENO)
        close(state.fd);
    state.open = false;
}

bool
log_enabled(enum log_level level)
{
    return state.open && level <= state.level;
}

/* A log is read with cat: no byte in it may steer the terminal. */
static void
add_plain(struct buf *out, struct str text)
{
    while (text.n) {
        uint32_t cp;
        size_t n = utf8_decode(text, &cp);

        if (!utf8_unsafe(cp) && (cp != UTF8_REPLACEMENT || n > 1))
            buf_add(out, text.s, n);
        else
            for (size_t i = 0; i < n; i++)
                buf_printf(out, "\\x%02x", (unsigned char)text.s[i]);
        text = str_from(text, n);
    }
}

void
log_line(enum log_level level, const char *fmt, ...)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf line = BUF_INIT(BUF_TEXT_MAX);
    char when[CLOCK_RFC3339_LEN];
    int64_t ms = clock_wall_ms(clock_system());
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    clock_format(ms / 1000, when);
    when[19] = '\0';
    buf_printf(&line, "%s.%03dZ %-5s ", when, (int)(ms % 1000), words[level]);
    add_plain(&line, str_sub(buf_view(&text), 0, LINE_MAX_BYTES));
    buf_putc(&line, '\n');
    /* One write per line keeps the lines of several processes apart; a full
     * disk must not stop the program. */
    if (write(state.fd, line.s, line.n) < 0)
        return;
}
