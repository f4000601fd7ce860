/*
 * textview.h - text that scrolls, wraps and is searched.
 *
 * What: YAML, events, help, differences: lines with a style of their own or
 * coloured as YAML. Caps: the text is what its source capped; lines are found
 * once. Lifetime: textview_init ... textview_release; the text is copied.
 */
#ifndef TUI_TEXTVIEW_H
#define TUI_TEXTVIEW_H

#include "tui/action.h"
#include "tui/canvas.h"

enum text_look { TEXT_PLAIN, TEXT_YAML, TEXT_DIFF };

struct textview {
    struct buf text;
    size_t *lines; /* offsets */
    size_t n, cap;
    enum text_look look;
    size_t top;
    int left; /* columns scrolled away */
    int page;
    bool wrap;
    char *needle; /* lower case, or NULL */
    size_t match; /* line of the last match found */
    bool missed;  /* the needle is nowhere */
};

void textview_init(struct textview *v, enum text_look look);
void textview_release(struct textview *v);
/* Replaces the text; the place stays. */
void textview_set(struct textview *v, struct str text);
void textview_draw(struct textview *v, struct canvas *c, struct rect r);
bool textview_act(struct textview *v, enum action a);
/* Looks for text (any case) from the top line on; empty: forgets it. */
void textview_search(struct textview *v, struct str text);
/* "line 12 of 300  /needle". */
void textview_caption(const struct textview *v, struct buf *out);

#endif
