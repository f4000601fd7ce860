/*
 * ascii.h - what kind of character a byte is, in ASCII.
 *
 * What: digits, letters, hexadecimal; takes a char or a code point.
 * Why: <ctype.h> asks the locale and must not be given a negative char.
 */
#ifndef LIB_BASE_ASCII_H
#define LIB_BASE_ASCII_H

#include "lib/base/base.h"

static inline bool
ascii_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_letter(uint32_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The value of a hexadecimal digit of either case, else -1. */
static inline int
ascii_hex(uint32_t c)
{
    if (ascii_digit(c))
        return (int)c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : -1;
}

/* The digit of a value below 16, in lower case. */
static inline char
ascii_hex_digit(unsigned v)
{
    return "0123456789abcdef"[v & 15];
}

#endif
