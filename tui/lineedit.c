#include "tui/lineedit.h"

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "tui/key.h"

void
lineedit_init(struct lineedit *e, size_t max)
{
    *e = (struct lineedit){.text = BUF_INIT(max)};
}

void
lineedit_release(struct lineedit *e)
{
    buf_release(&e->text);
    e->at = 0;
}

/* Puts bytes in at the cursor; too much is refused. */
static void
insert(struct lineedit *e, const char *p, size_t n)
{
    AUTO(buf_release) struct buf tail = BUF_INIT(e->text.max);
    struct str old = buf_view(&e->text);

    if (e->text.n + n > e->text.max)
        return;
    buf_str(&tail, str_from(old, e->at));
    buf_truncate(&e->text, e->at);
    buf_add(&e->text, p, n);
    e->at = e->text.n;
    buf_str(&e->text, buf_view(&tail));
}

/* Takes out the bytes from..to and leaves the cursor there. */
static void
cut(struct lineedit *e, size_t from, size_t to)
{
    AUTO(buf_release) struct buf tail = BUF_INIT(e->text.max);

    buf_str(&tail, str_from(buf_view(&e->text), to));
    buf_truncate(&e->text, from);
    buf_str(&e->text, buf_view(&tail));
    e->at = from;
}

static size_t
before(const struct lineedit *e, size_t at)
{
    while (at > 0 && ((unsigned char)e->text.s[--at] & 0xc0) == 0x80)
        continue;
    return at;
}

static size_t
after(const struct lineedit *e, size_t at)
{
    while (at < e->text.n && ((unsigned char)e->text.s[++at] & 0xc0) == 0x80)
        continue;
    return at;
}

static size_t
word_before(const struct lineedit *e)
{
    size_t at = e->at;

    while (at > 0 && e->text.s[at - 1] == ' ')
        at--;
    while (at > 0 && e->text.s[at - 1] != ' ')
        at--;
    return at;
}

void
lineedit_set(struct lineedit *e, struct str text)
{
    buf_reset(&e->text);
    e->at = 0;
    lineedit_paste(e, text);
}

void
lineedit_paste(struct lineedit *e, struct str text)
{
    uint32_t cp;
    char bytes[4];

    while (text.n) {
        text = str_from(text, utf8_decode(text, &cp));
        if (cp == '\n' || cp == '\t')
            cp = ' ';
        if (!utf8_unsafe(cp))
            insert(e, bytes, utf8_encode(cp, bytes));
    }
}

bool
lineedit_key(struct lineedit *e, unsigned key)
{
    char bytes[4];

    switch (key) {
    case K_LEFT:
        e->at = before(e, e->at);
        return true;
    case K_RIGHT:
        e->at = after(e, e->at);
        return true;
    case K_HOME:
        e->at = 0;
        return true;
    case K_END:
        e->at = e->text.n;
        return true;
    case K_BACKSPACE:
        cut(e, before(e, e->at), e->at);
        return true;
    case K_DELETE:
        cut(e, e->at, after(e, e->at));
        return true;
    case K_CTRL | 'w':
        cut(e, word_before(e), e->at);
        return true;
    case K_CTRL | 'u':
        cut(e, 0, e->at);
        return true;
    }
    if (key >= K_BASE || utf8_unsafe(key))
        return false;
    insert(e, bytes, utf8_encode(key, bytes));
    return true;
}

void
lineedit_draw(const struct lineedit *e, struct canvas *c, int x, int y, int w,
              bool focused)
{
    struct str text = buf_view(&e->text);
    struct str head = str_sub(text, 0, e->at);
    uint32_t cp;

    canvas_fill(c, (struct rect){x, y, w, 1}, ' ', ST_INPUT);
    while (canvas_columns(c, head) >= w && head.n) {
        size_t n = utf8_decode(head, &cp);

        head = str_from(head, n);
        text = str_from(text, n);
    }
    canvas_put(c, x, y, w, ST_INPUT, text);
    if (focused) {
        c->cursor_x = x + canvas_columns(c, head);
        c->cursor_y = y;
    }
}
