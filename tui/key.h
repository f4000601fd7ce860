/*
 * key.h - keys as numbers and as words.
 *
 * What: one unsigned number a key: a Unicode character, or a special key from
 * K_BASE on, with modifier bits. Words ("ctrl-d", "f8", "esc", "G") are what
 * the action table, the help, the documentation and the test scripts use.
 * Invariant: key_parse(key_word(k)) == k.
 */
#ifndef TUI_KEY_H
#define TUI_KEY_H

#include "lib/base/str.h"

enum {
    K_NONE = 0,
    K_BASE = 0x200000, /* past the last Unicode character */
    K_ENTER,
    K_ESC,
    K_TAB,
    K_BACKTAB,
    K_BACKSPACE,
    K_DELETE,
    K_UP,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_HOME,
    K_END,
    K_PGUP,
    K_PGDN,
    K_INSERT,
    K_F1, /* K_F1 + n - 1 for Fn, to F12 */
    K_F12 = K_F1 + 11,
    K_CTRL = 0x1000000, /* with a lower-case letter */
    K_ALT = 0x2000000
};

#define KEY_WORD_LEN 24
/* The word for key: "j", "ctrl-d", "space", "f8". */
const char *key_word(unsigned key, char out[KEY_WORD_LEN]);
/* K_NONE when word names no key. */
unsigned key_parse(struct str word);

#endif
