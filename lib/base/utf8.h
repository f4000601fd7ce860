/*
 * utf8.h - UTF-8 decoding and the width of characters in a terminal.
 *
 * Invariants: malformed input never stops a reader: each bad byte decodes as
 * U+FFFD with length 1. Widths come from our own table (East Asian Width and
 * general category of Unicode 15), not from the locale.
 */
#ifndef LIB_BASE_UTF8_H
#define LIB_BASE_UTF8_H

#include "lib/base/str.h"

#define UTF8_REPLACEMENT 0xFFFDu

/* Decodes the first character of s (s.n > 0) into *cp; returns the bytes it
 * takes, 1 to 4. Overlong forms, surrogates and values past U+10FFFF are bad.
 */
size_t utf8_decode(struct str s, uint32_t *cp);
/* Writes cp (U+FFFD for what is no character) into out; returns the bytes, 1
 * to 4. */
size_t utf8_encode(uint32_t cp, char out[4]);
bool utf8_valid(struct str s);
/* Number of characters. */
size_t utf8_count(struct str s);
/* Columns of one character: 0 combining, format or control, 1, or 2 wide. */
int utf8_width(uint32_t cp);
/* Columns of a whole text (control characters count 0). */
size_t utf8_columns(struct str s);
/* True for what must never reach a terminal from outside: C0, DEL, C1, line
 * separators, and the bidi and invisible format controls (U+061C, U+200E/F,
 * U+2028-E, U+2066-9, U+FEFF). */
bool utf8_unsafe(uint32_t cp);

#endif
