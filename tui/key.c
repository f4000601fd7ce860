#include "tui/key.h"

#include <stdio.h>

#include "lib/base/utf8.h"

static const struct {
    unsigned key;
    const char *name;
} words[] = {
    {K_ENTER, "enter"},   {K_ESC, "esc"},
    {K_TAB, "tab"},       {K_BACKTAB, "shift-tab"},
    {K_DELETE, "delete"}, {K_BACKSPACE, "backspace"},
    {K_UP, "up"},         {K_DOWN, "down"},
    {K_LEFT, "left"},     {K_RIGHT, "right"},
    {K_HOME, "home"},     {K_END, "end"},
    {K_PGUP, "pgup"},     {K_PGDN, "pgdn"},
    {K_INSERT, "insert"}, {' ', "space"},
    {K_F1, "f1"},         {K_F1 + 1, "f2"},
    {K_F1 + 2, "f3"},     {K_F1 + 3, "f4"},
    {K_F1 + 4, "f5"},     {K_F1 + 5, "f6"},
    {K_F1 + 6, "f7"},     {K_F1 + 7, "f8"},
    {K_F1 + 8, "f9"},     {K_F1 + 9, "f10"},
    {K_F1 + 10, "f11"},   {K_F12, "f12"},
};

const char *
key_word(unsigned key, char out[KEY_WORD_LEN])
{
    unsigned plain = key & ~(unsigned)(K_CTRL | K_ALT);
    const char *prefix = key & K_CTRL ? "ctrl-" : key & K_ALT ? "alt-" : "";
    char bytes[5] = "";

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (words[i].key == plain) {
            snprintf(out, KEY_WORD_LEN, "%s%s", prefix, words[i].name);
            return out;
        }
    }
    bytes[utf8_encode(plain, bytes)] = '\0';
    snprintf(out, KEY_WORD_LEN, "%s%s", prefix, bytes);
    return out;
}

unsigned
key_parse(struct str word)
{
    unsigned bits = 0;
    uint32_t cp;

    if (str_starts(word, STR("ctrl-")) && word.n > 5) {
        bits = K_CTRL;
        word = str_from(word, 5);
    } else if (str_starts(word, STR("alt-")) && word.n > 4) {
        bits = K_ALT;
        word = str_from(word, 4);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqz(word, words[i].name))
            return words[i].key | bits;
    }
    if (word.n == 0 || utf8_decode(word, &cp) != word.n)
        return K_NONE;
    return cp | bits;
}
