#include "lib/base/random.h"

#include <sys/random.h>

#include "lib/base/ascii.h"
#include "lib/base/mem.h"

void
random_bytes(void *out, size_t n)
{
    char *p = out;

    while (n) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0)
            die("no random bytes from the system");
        p += got;
        n -= (size_t)got;
    }
}

uint32_t
random_below(uint32_t limit)
{
    uint32_t v, skip = -limit % limit;

    do
        random_bytes(&v, sizeof(v));
    while (v < skip);
    return v % limit;
}

void
random_uuid(char out[RANDOM_UUID_LEN])
{
    uint8_t b[16];

    random_bytes(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(b); i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;

        if (dash)
            *out++ = '-';
        *out++ = ascii_hex_digit(b[i] >> 4);
        *out++ = ascii_hex_digit(b[i]);
    }
    *out = '\0';
}

void
random_name(char *out, size_t n)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    const size_t letters = sizeof(alphabet) - 1;
    uint8_t pool[64];
    size_t at = 0, filled = 0;

    for (size_t i = 0; i < n;) {
        if (at == filled) {
            filled = MIN(sizeof(pool), n - i + 4);
            random_bytes(pool, filled);
            at = 0;
        }
        /* 9 times the alphabet fit into a byte; the rest would be unfair. */
        uint8_t b = pool[at++];

        if (b < 9 * letters)
            out[i++] = alphabet[b % letters];
    }
    out[n] = '\0';
}
