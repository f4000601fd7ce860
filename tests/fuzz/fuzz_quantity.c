/* A quantity: read, valued, printed; its canonical text reads as itself.
 * covers: lib/base/quantity.c */
#include <math.h>
#include <stdlib.h>

#include "lib/base/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_release) struct buf text = BUF_INIT(4096);
    AUTO(buf_release) struct buf again = BUF_INIT(4096);
    struct quantity q, r;
    struct error err = {0};
    int64_t i;

    if (!quantity_parse(str_n((const char *)data, size), &q, &err)) {
        if (!*err.msg)
            abort();
        return 0;
    }
    if ((q.n && isnan(quantity_double(&q))) || strlen(q.digits) != q.n)
        abort();
    if (quantity_int64(&q, &i) && i > 0 && quantity_double(&q) <= 0)
        abort();
    if (quantity_compare(&q, &q) != 0 ||
        (quantity_add(&q, &q, true, &r) && r.n))
        abort();
    quantity_print(&q, &text);
    if (!text.n || text.n > QUANTITY_DIGITS_MAX + 20)
        abort();
    if (quantity_parse(buf_view(&text), &r, &err)) {
        quantity_print(&r, &again);
        if (strcmp(buf_cstr(&text), buf_cstr(&again)) != 0)
            abort();
    } else if (text.n <= QUANTITY_TEXT_MAX && err.code != ERR_LIMIT) {
        abort();
    }
    return 0;
}
