/*
 * table.h - the table every list is: sorted, filtered, marked, scrolled.
 *
 * What: an index array over a source's table. Why an index: a key moves a
 * cursor in it and paints the visible rows, nothing more; only a filter, a
 * sort or new data walks all rows (table_sync), and new data of a large table
 * at most ten times as seldom as the walk takes.
 * Invariants: the selection follows its row's key through every update; a row
 * that went away leaves the cursor where it was.
 * Lifetime: table_init ... table_release; data is the source's (source.h).
 */
#ifndef TUI_TABLE_H
#define TUI_TABLE_H

#include "lib/base/map.h"

#include "tui/action.h"
#include "tui/canvas.h"
#include "tui/filter.h"

enum { TABLE_COLUMNS_MAX = 32 };

struct table {
    struct tui_source *source;
    struct tui_table *data; /* set by the view; may change */
    const struct clock *clock;
    const char *empty; /* what stands there when there are no rows */
    size_t *index;     /* rows that pass the filter, in order */
    size_t n, cap;
    size_t at, top; /* positions in index */
    int page;       /* rows of the last drawing */
    char *selected; /* key of the row at `at` */
    struct filter *filter;
    char *filter_text;
    char filter_problem[128];
    int sort; /* column, -1: the source's order */
    bool invert, wide, only_bad;
    const char *narrow_column; /* a literal */
    char *narrow_text;         /* only rows with this text in it, or NULL */
    int skip;                  /* columns scrolled away by `right` */
    struct map marks;          /* keys */
    uint64_t seen;             /* generation of the last walk */
    bool stale;                /* the index must be made again */
    int64_t walked_us;         /* what the last walk took, and when it ended */
    int64_t walked_at_ms;
    int widths[TABLE_COLUMNS_MAX];
};

void table_init(struct table *t, struct tui_source *source,
                const struct clock *clock);
void table_release(struct table *t);
void table_set(struct table *t, struct tui_table *data);
/* Brings the index up to date where that is due; true when it did. False with
 * *wait_ms > 0: new data waits that long. force: a test, or a key, wants it
 * now. */
bool table_sync(struct table *t, bool force, int64_t *wait_ms);
void table_draw(struct table *t, struct canvas *c, struct rect r, bool focus);
/* Movement, marks, sort, wide; false: not a table's. */
bool table_act(struct table *t, enum action a);
/* A bad filter keeps the last good one and says why in filter_problem. */
void table_filter(struct table *t, struct str text);
/* Only rows whose column (by title, a literal) is text; NULL: all again. */
void table_narrow(struct table *t, const char *column, const char *text);
/* The row under the cursor, or NULL. */
const struct tui_row *table_row(const struct table *t);
/* Its address; false when there is none or it is no object. */
bool table_ref(const struct table *t, struct tui_ref *out);
/* Addresses of the marked rows, hidden ones first; how many there are. */
size_t table_marked(const struct table *t, struct tui_ref *out, size_t max);
/* Moves the cursor to the row with this key, if it is there. */
bool table_select(struct table *t, const char *key);
/* "12 of 40  filter: x  sort: NAME" as far as there is something to say. */
void table_caption(const struct table *t, struct buf *out);
/* How long ago wall_ms was: "<1m", "5m", "3h", "2d"; "" for 0. */
const char *table_age(int64_t now_ms, int64_t wall_ms, char out[16]);

#endif
