#include "tui/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "tui/theme.h"

/* Rows looked at for column widths; widths only grow, so that columns do not
 * jump while data comes. */
enum {
    WIDTH_SAMPLE = 1000,
    TEXT_WIDEST = 32,
    NAME_LEAST = 12,
    NAME_WIDE = 24,
    CHEAP_US = 3000
};

void
table_init(struct table *t, struct tui_source *source,
           const struct clock *clock)
{
    *t = (struct table){
        .source = source, .clock = clock, .sort = -1, .stale = true};
}

void
table_release(struct table *t)
{
    filter_free(t->filter);
    free(t->filter_text);
    free(t->narrow_text);
    free(t->index);
    free(t->selected);
    map_release(&t->marks, NULL);
    *t = (struct table){0};
}

void
table_set(struct table *t, struct tui_table *data)
{
    t->data = data;
    t->stale = true;
}

const char *
table_age(int64_t now_ms, int64_t wall_ms, char out[16])
{
    int64_t m = (now_ms - wall_ms) / 60000;

    if (wall_ms == 0)
        out[0] = '\0';
    else if (m < 1)
        snprintf(out, 16, "<1m");
    else if (m < 120)
        snprintf(out, 16, "%dm", (int)m);
    else if (m < 48 * 60)
        snprintf(out, 16, "%dh", (int)(m / 60));
    else
        snprintf(out, 16, "%dd", (int)MIN(m / 1440, 99999));
    return out;
}

/* ---- the walk ---- */

static int
compare_cells(const struct tui_column *col, const struct tui_cell *a,
              const struct tui_cell *b)
{
    switch (col->type) {
    case COL_STATE: /* worst first */
        return (a->num < b->num) - (a->num > b->num);
    case COL_NUMBER:
        return (a->num > b->num) - (a->num < b->num);
    case COL_AGE: /* youngest first */
        return (a->num < b->num) - (a->num > b->num);
    case COL_TEXT:
    case COL_NAME:
    case COL_MESSAGE:
        break;
    }
    return strcmp(a->text, b->text);
}

static int
compare_rows(const void *pa, const void *pb, void *arg)
{
    const struct table *t = arg;
    size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
    int order = compare_cells(&t->data->columns[t->sort],
                              &t->data->rows[a]->cells[t->sort],
                              &t->data->rows[b]->cells[t->sort]);

    if (order)
        return t->invert ? -order : order;
    return (a > b) - (a < b);
}

static int
columns_of(const char *text, int limit)
{
    int n = 0;

    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p >= 0x80)
            return MIN(limit, (int)utf8_columns(str_of(text)));
        if (++n == limit)
            break;
    }
    return n;
}

static int
cell_width(const struct tui_column *col, const struct tui_cell *cell)
{
    switch (col->type) {
    case COL_STATE:
        return 2 + MAX(5, columns_of(cell->text, 12));
    case COL_AGE:
        return 4;
    case COL_NAME:
        return columns_of(cell->text, 64);
    case COL_MESSAGE:
        return columns_of(cell->text, 1000);
    case COL_TEXT:
    case COL_NUMBER:
        break;
    }
    return columns_of(cell->text, TEXT_WIDEST);
}

static void
measure(struct table *t)
{
    size_t columns = MIN(t->data->columns_n, (size_t)TABLE_COLUMNS_MAX);
    size_t rows = MIN(t->data->rows_n, (size_t)WIDTH_SAMPLE);

    for (size_t i = 0; i < columns; i++) {
        const struct tui_column *col = &t->data->columns[i];
        int w = MAX(t->widths[i], (int)strlen(col->title) + 1);

        for (size_t r = 0; r < rows; r++)
            w = MAX(w, cell_width(col, &t->data->rows[r]->cells[i]));
        t->widths[i] = w;
    }
}

static void
remember(struct table *t)
{
    const struct tui_row *row = table_row(t);

    if (row && t->selected && strcmp(row->key, t->selected) == 0)
        return;
    free(t->selected);
    t->selected = row ? mem_strdup(row->key) : NULL;
}

bool
table_select(struct table *t, const char *key)
{
    for (size_t i = 0; key && i < t->n; i++) {
        if (strcmp(t->data->rows[t->index[i]]->key, key) == 0) {
            t->at = i;
            remember(t);
            return true;
        }
    }
    return false;
}

static bool
in_narrow(const struct table *t, const struct tui_row *row)
{
    for (size_t i = 0; t->narrow_text && i < t->data->columns_n; i++) {
        if (strcmp(t->data->columns[i].title, t->narrow_column) == 0)
            return strcmp(row->cells[i].text, t->narrow_text) == 0;
    }
    return true;
}

void
table_narrow(struct table *t, const char *column, const char *text)
{
    free(t->narrow_text);
    t->narrow_column = column;
    t->narrow_text = text ? mem_strdup(text) : NULL;
    t->stale = true;
}

static bool
wanted(const struct table *t, const struct tui_row *row, int64_t now)
{
    if (!in_narrow(t, row))
        return false;
    if (t->only_bad && (row->state == TUI_OK || row->state == TUI_NONE))
        return false;
    return filter_match(t->filter, t->data, row, now);
}

static void
walk(struct table *t)
{
    int64_t now = clock_wall_ms(t->clock);
    bool first = t->seen == 0 && t->n == 0;

    measure(t);
    t->index = mem_grow(t->index, &t->cap, t->data->rows_n, sizeof(*t->index));
    t->n = 0;
    for (size_t i = 0; i < t->data->rows_n; i++) {
        if (wanted(t, t->data->rows[i], now))
            t->index[t->n++] = i;
    }
    if (t->data->columns_n && t->sort >= (int)t->data->columns_n)
        t->sort = -1;
    if (t->sort >= 0 && t->data->columns_n && t->n)
        qsort_r(t->index, t->n, sizeof(*t->index), compare_rows, t);
    else if (t->invert)
        for (size_t i = 0; i < t->n / 2; i++) {
            size_t other = t->index[t->n - 1 - i];

            t->index[t->n - 1 - i] = t->index[i];
            t->index[i] = other;
        }
    if (first || !table_select(t, t->selected))
        t->at = t->n ? MIN(t->at, t->n - 1) : 0;
    if (first)
        remember(t);
}

bool
table_sync(struct table *t, bool force, int64_t *wait_ms)
{
    int64_t now = clock_mono_ms(t->clock), due, before;
    bool fresh;

    *wait_ms = 0;
    if (!t->data || (!t->stale && t->seen == t->data->generation))
        return false;
    /* What is cheap to bring up to date always is. */
    due = t->walked_us > CHEAP_US ? t->walked_at_ms + t->walked_us / 100 : now;
    fresh = t->seen != t->data->generation && (force || now >= due);
    if (t->seen != t->data->generation && !fresh)
        *wait_ms = due - now;
    if (!fresh && !t->stale)
        return false;
    before = clock_mono_us();
    if (fresh)
        t->source->ops->refresh(t->source, t->data);
    walk(t);
    t->stale = false;
    if (fresh) {
        t->walked_us = clock_mono_us() - before;
        t->walked_at_ms = now;
        t->seen = t->data->generation;
    }
    return true;
}

void
table_filter(struct table *t, struct str text)
{
    struct error err = {0};
    struct filter *f = filter_parse(text, &err);

    t->filter_problem[0] = '\0';
    if (!f && str_trim(text).n) {
        snprintf(t->filter_problem, sizeof(t->filter_problem), "%s", err.msg);
        return;
    }
    filter_free(t->filter);
    free(t->filter_text);
    t->filter = f;
    t->filter_text = f ? mem_strndup(text.s, text.n) : NULL;
    t->stale = true;
}

/* ---- keys ---- */

static void
move(struct table *t, int64_t by)
{
    int64_t last = t->n ? (int64_t)t->n - 1 : 0;

    t->at = (size_t)MAX(0, MIN((int64_t)t->at + by, last));
    remember(t);
}

static void
sort_by(struct table *t, int step)
{
    int n =
        t->data ? (int)MIN(t->data->columns_n, (size_t)TABLE_COLUMNS_MAX) : 0;

    if (n == 0)
        return;
    do {
        t->sort += step;
        if (t->sort >= n)
            t->sort = -1;
        if (t->sort < -1)
            t->sort = n - 1;
    } while (t->sort >= 0 && t->data->columns[t->sort].wide && !t->wide);
    t->stale = true;
}

static void
mark(struct table *t)
{
    const struct tui_row *row = table_row(t);

    if (!row)
        return;
    if (map_has(&t->marks, str_of(row->key)))
        map_del(&t->marks, str_of(row->key));
    else
        map_put(&t->marks, str_of(row->key), t);
    move(t, 1);
}

/* Esc clears the filter, then the marks; false when there was neither. */
static bool
clear_one(struct table *t)
{
    if (t->filter || *t->filter_problem) {
        table_filter(t, STR(""));
        return true;
    }
    if (map_count(&t->marks)) {
        map_release(&t->marks, NULL);
        return true;
    }
    if (t->only_bad) {
        t->only_bad = false;
        t->stale = true;
        return true;
    }
    return false;
}

bool
table_act(struct table *t, enum action a)
{
    int page = MAX(1, t->page - 1);

    switch (a) {
    case ACT_UP:
        move(t, -1);
        return true;
    case ACT_DOWN:
        move(t, 1);
        return true;
    case ACT_PAGE_UP:
        move(t, -page);
        return true;
    case ACT_PAGE_DOWN:
        move(t, page);
        return true;
    case ACT_TOP:
        move(t, INT32_MIN);
        return true;
    case ACT_BOTTOM:
        move(t, INT32_MAX);
        return true;
    case ACT_LEFT:
        t->skip = MAX(0, t->skip - 1);
        return true;
    case ACT_RIGHT:
        t->skip = MIN(t->skip + 1, TABLE_COLUMNS_MAX);
        return true;
    case ACT_MARK:
        mark(t);
        return true;
    case ACT_CLEAR_MARKS:
        map_release(&t->marks, NULL);
        return true;
    case ACT_SORT_LEFT:
        sort_by(t, -1);
        return true;
    case ACT_SORT_RIGHT:
        sort_by(t, 1);
        return true;
    case ACT_INVERT:
        t->invert = !t->invert;
        t->stale = true;
        return true;
    case ACT_WIDE:
        t->wide = !t->wide;
        return true;
    case ACT_ONLY_BAD:
        t->only_bad = !t->only_bad;
        t->stale = true;
        return true;
    case ACT_BACK:
        return clear_one(t);
    default:
        return false;
    }
}

const struct tui_row *
table_row(const struct table *t)
{
    return t->data && t->at < t->n && t->index[t->at] < t->data->rows_n
               ? t->data->rows[t->index[t->at]]
               : NULL;
}

bool
table_ref(const struct table *t, struct tui_ref *out)
{
    const struct tui_row *row = table_row(t);

    return row && row->api &&
           tui_ref_set(out, row->api, row->kind, row->ns, row->name);
}

static bool
is_shown(const struct table *t, size_t row)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->index[i] == row)
            return true;
    }
    return false;
}

size_t
table_marked(const struct table *t, struct tui_ref *out, size_t max)
{
    size_t n = 0;

    for (int pass = 0; pass < 2 && map_count(&t->marks); pass++) {
        for (size_t i = 0; i < t->data->rows_n && n < max; i++) {
            const struct tui_row *r = t->data->rows[i];

            if (r->api && map_has(&t->marks, str_of(r->key)) &&
                is_shown(t, i) == (pass == 1) &&
                tui_ref_set(&out[n], r->api, r->kind, r->ns, r->name))
                n++;
        }
    }
    return n;
}

void
table_caption(const struct table *t, struct buf *out)
{
    size_t all = t->data ? t->data->rows_n : 0;

    if (t->n != all)
        buf_printf(out, " %zu of %zu", t->n, all);
    else
        buf_printf(out, " %zu", all);
    if (t->filter_text)
        buf_printf(out, "  /%s", t->filter_text);
    if (t->only_bad)
        buf_puts(out, "  not ready only");
    if (map_count(&t->marks))
        buf_printf(out, "  %zu marked", map_count(&t->marks));
}

/* ---- drawing ---- */

struct layout {
    int column[TABLE_COLUMNS_MAX], width[TABLE_COLUMNS_MAX];
    int n, w;
};

static bool
offered(const struct table *t, size_t i)
{
    const struct tui_column *col = &t->data->columns[i];

    if (col->wide && !t->wide)
        return false;
    /* Scrolled away: from the second column on, names stay. */
    return col->type == COL_NAME || col->type == COL_STATE ||
           (int)i >= t->skip + 1 || t->skip == 0;
}

/* Names and messages may shrink, the rest stays as wide as it is. */
static int
least(const struct tui_table *data, const struct layout *l, int i)
{
    enum tui_column_type type = data->columns[l->column[i]].type;
    int small = l->w >= 60 ? NAME_WIDE : NAME_LEAST;

    return type == COL_NAME || type == COL_MESSAGE ? MIN(l->width[i], small)
                                                   : l->width[i];
}

static int
total(const struct layout *l, const struct tui_table *data)
{
    int sum = 0;

    for (int i = 0; i < l->n; i++)
        sum += least(data, l, i) + (i ? 2 : 0);
    return sum;
}

/* Takes out the column that may go first; false when none may. */
static bool
drop_one(struct layout *l, const struct tui_table *data)
{
    int worst = -1;

    for (int i = 0; i < l->n; i++) {
        unsigned char d = data->columns[l->column[i]].drop;

        if (d && (worst < 0 || d >= data->columns[l->column[worst]].drop))
            worst = i;
    }
    if (worst < 0)
        return false;
    for (int i = worst; i + 1 < l->n; i++) {
        l->column[i] = l->column[i + 1];
        l->width[i] = l->width[i + 1];
    }
    l->n--;
    return true;
}

static void
lay_out(const struct table *t, int w, struct layout *l)
{
    size_t columns = MIN(t->data->columns_n, (size_t)TABLE_COLUMNS_MAX);
    bool message = false;
    int left;

    l->n = 0;
    l->w = w;
    for (size_t i = 0; i < columns; i++) {
        if (offered(t, i)) {
            l->column[l->n] = (int)i;
            l->width[l->n++] = t->widths[i];
        }
        message |= t->data->columns[i].type == COL_MESSAGE;
    }
    /* A sentence matters more than a long name. */
    for (int i = 0; message && i < l->n; i++) {
        if (t->data->columns[l->column[i]].type == COL_NAME)
            l->width[i] = MIN(l->width[i], MAX(w / 4, NAME_LEAST));
    }
    while (total(l, t->data) > w && drop_one(l, t->data))
        continue;
    left = w - total(l, t->data);
    for (int i = 0; i < l->n; i++) {
        int small = least(t->data, l, i), grown = small + MAX(0, left);

        grown = MIN(l->width[i], grown);
        left -= grown - small;
        l->width[i] = grown;
    }
}

static void
draw_head(const struct table *t, struct canvas *c, struct rect r,
          const struct layout *l)
{
    int x = r.x;

    for (int i = 0; i < l->n; i++) {
        const struct tui_column *col = &t->data->columns[l->column[i]];
        int w = MIN(l->width[i], r.x + r.w - x);
        bool sorted = t->sort == l->column[i];
        int used;

        if (col->type == COL_NUMBER && !sorted) {
            canvas_right(c, x, r.y, w, ST_HEAD, str_of(col->title));
        } else {
            used = canvas_puts(c, x, r.y, w, ST_HEAD, col->title);
            if (sorted)
                canvas_puts(c, x + used, r.y, w - used, ST_FOCUS,
                            t->invert ? "\xe2\x96\xb4" : "\xe2\x96\xbe");
        }
        x += l->width[i] + 2;
    }
}

static void
draw_cell(const struct table *t, struct canvas *c, int x, int y, int w,
          const struct tui_row *row, int column)
{
    const struct tui_column *col = &t->data->columns[column];
    const struct tui_cell *cell = &row->cells[column];
    enum tui_state state = (enum tui_state)cell->num;
    char age[16];

    switch (col->type) {
    case COL_STATE:
        canvas_puts(c, x, y, w, theme_style(state), theme_glyph(state));
        canvas_puts(c, x + 2, y, w - 2, theme_style(state),
                    *cell->text ? cell->text : theme_word(state));
        break;
    case COL_NAME:
        canvas_cut_middle(c, x, y, w, ST_NAME, str_of(cell->text));
        break;
    case COL_NUMBER:
        canvas_right(c, x, y, w, ST_TEXT, str_of(cell->text));
        break;
    case COL_AGE:
        canvas_puts(c, x, y, w, ST_DIM,
                    table_age(clock_wall_ms(t->clock), cell->num, age));
        break;
    case COL_TEXT:
    case COL_MESSAGE:
        canvas_cut(c, x, y, w, ST_TEXT, str_of(cell->text));
        break;
    }
}

static void
draw_row(const struct table *t, struct canvas *c, struct rect r,
         const struct layout *l, size_t position, bool focus)
{
    const struct tui_row *row = t->data->rows[t->index[position]];
    int x = r.x;

    for (int i = 0; i < l->n && x < r.x + r.w; i++) {
        draw_cell(t, c, x, r.y, MIN(l->width[i], r.x + r.w - x), row,
                  l->column[i]);
        x += l->width[i] + 2;
    }
    if (map_count(&t->marks) && map_has(&t->marks, str_of(row->key)))
        canvas_puts(c, r.x - 1, r.y, 1, ST_MATCH, "*");
    if (position == t->at)
        canvas_attr(c, (struct rect){r.x - 1, r.y, r.w + 1, 1},
                    focus ? CV_SELECTED : CV_CURSOR);
}

static void
draw_empty(const struct table *t, struct canvas *c, struct rect r)
{
    const char *text = t->empty ? t->empty : "nothing here";
    enum style st = ST_DIM;

    if (t->data->problem) {
        text = t->data->problem;
        st = ST_WAIT;
    } else if (t->data->loading) {
        text = "loading\xe2\x80\xa6";
    } else if (t->filter || t->only_bad) {
        text = "nothing matches \xe2\x80\x93 Esc shows all";
    }
    canvas_wrap(c, (struct rect){r.x, r.y + (r.h > 4), r.w, r.h}, st,
                str_of(text));
}

/* A thumb at the right edge when there is more than fits. */
static void
draw_thumb(const struct table *t, struct canvas *c, struct rect r)
{
    size_t shown = (size_t)MAX(r.h, 1);
    int at;

    if (t->n <= shown)
        return;
    at = (int)(t->top * (shown - 1) / (t->n - shown));
    canvas_puts(c, r.x + r.w - 1, r.y + at, 1, ST_FOCUS, "\xe2\x96\x88");
}

void
table_draw(struct table *t, struct canvas *c, struct rect r, bool focus)
{
    struct layout l;

    if (!t->data || r.h < 1 || r.w < 2)
        return;
    r.x++; /* the column of marks */
    r.w--;
    lay_out(t, r.w - 1, &l);
    if (t->data->columns_n && t->n)
        draw_head(t, c, (struct rect){r.x, r.y, r.w - 1, 1}, &l);
    if (t->n == 0) {
        draw_empty(t, c, r);
        return;
    }
    rect_top(&r, 1);
    t->page = r.h;
    if (t->at < t->top)
        t->top = t->at;
    if (r.h > 0 && t->at >= t->top + (size_t)r.h)
        t->top = t->at - (size_t)r.h + 1;
    if (t->n > (size_t)r.h && t->top > t->n - (size_t)r.h)
        t->top = t->n - (size_t)r.h;
    if (t->n <= (size_t)r.h)
        t->top = 0;
    for (int i = 0; i < r.h && t->top + (size_t)i < t->n; i++)
        draw_row(t, c, (struct rect){r.x, r.y + i, r.w - 1, 1}, &l,
                 t->top + (size_t)i, focus);
    draw_thumb(t, c, r);
}
