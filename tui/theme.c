#include "tui/theme.h"

struct shade {
    short fg256, fg8;
    unsigned attrs, mono;
};

static const struct shade shades[ST_COUNT] = {
    [ST_TEXT] = {-1, -1, 0, 0},
    [ST_DIM] = {244, -1, 0, LOOK_DIM},
    [ST_TITLE] = {252, -1, LOOK_BOLD, LOOK_BOLD},
    [ST_BORDER] = {239, -1, 0, LOOK_DIM},
    [ST_FOCUS] = {75, 6, LOOK_BOLD, LOOK_BOLD},
    [ST_HEAD] = {248, -1, LOOK_BOLD, LOOK_BOLD},
    [ST_OK] = {78, 2, 0, 0},
    [ST_WAIT] = {221, 3, 0, 0},
    [ST_FAIL] = {203, 1, LOOK_BOLD, LOOK_BOLD},
    [ST_DEL] = {176, 5, 0, 0},
    [ST_PAUSED] = {110, 6, 0, 0},
    [ST_KEY] = {75, 6, LOOK_BOLD, LOOK_BOLD},
    [ST_NAME] = {255, -1, LOOK_BOLD, LOOK_BOLD},
    [ST_VALUE] = {151, 2, 0, 0},
    [ST_INPUT] = {255, -1, LOOK_UNDERLINE, LOOK_UNDERLINE},
    [ST_MATCH] = {221, 3, LOOK_BOLD | LOOK_UNDERLINE, LOOK_UNDERLINE},
    [ST_BAR] = {252, -1, LOOK_BOLD, LOOK_BOLD},
    [ST_ALERT] = {203, 1, LOOK_BOLD | LOOK_REVERSE, LOOK_BOLD | LOOK_REVERSE},
};

struct look
theme_look(enum style style, unsigned attrs, int colors)
{
    const struct shade *s = &shades[style];
    struct look k = {-1, -1, colors ? s->attrs : s->mono};

    if (colors >= 256)
        k.fg = s->fg256;
    else if (colors >= 8)
        k.fg = s->fg8;
    if (colors >= 8 && colors < 256 && style == ST_DIM)
        k.attrs |= LOOK_DIM;
    if (attrs & CV_STALE) {
        k.fg = colors >= 256 ? 242 : -1;
        k.attrs = (k.attrs | LOOK_DIM) & ~(unsigned)LOOK_BOLD;
    }
    if (attrs & CV_SELECTED) {
        if (colors >= 256)
            k.bg = 24;
        else
            k.attrs |= LOOK_REVERSE;
        if (colors >= 256 && (style == ST_DIM || style == ST_BORDER))
            k.fg = 250;
    } else if (attrs & CV_CURSOR) {
        if (colors >= 256)
            k.bg = 236;
        else
            k.attrs |= LOOK_BOLD;
    }
    if (attrs & CV_BOLD)
        k.attrs |= LOOK_BOLD;
    return k;
}

static const struct {
    const char *glyph, *word;
    enum style style;
} states[] = {
    [TUI_NONE] = {" ", "-", ST_DIM},
    [TUI_OK] = {"\xe2\x97\x8f", "OK", ST_OK},
    [TUI_PAUSED] = {"\xe2\x80\x96", "PAUSE", ST_PAUSED},
    [TUI_DELETING] = {"\xe2\x97\x8c", "DEL", ST_DEL},
    [TUI_UNKNOWN] = {"\xc2\xb7", "...", ST_DIM},
    [TUI_MISSING] = {"?", "MISS", ST_WAIT},
    [TUI_WAIT] = {"\xe2\x97\x90", "WAIT", ST_WAIT},
    [TUI_FAIL] = {"\xe2\x9c\x96", "FAIL", ST_FAIL},
};

const char *
theme_glyph(enum tui_state s)
{
    return states[s].glyph;
}

const char *
theme_word(enum tui_state s)
{
    return states[s].word;
}

enum style
theme_style(enum tui_state s)
{
    return states[s].style;
}
