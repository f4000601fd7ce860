/*
 * quantity.h - Kubernetes quantities: `100m`, `1.5Gi`, `12e6`.
 *
 * What: reads one and gives its value as a number and its canonical text, as
 * resource.Quantity does, oddities included: what is already canonical keeps
 * the text it was written with ("+1"), amounts beyond 18 digits are rounded up
 * to a billionth, binary ones end at 2^63 - 1.
 * Invariants: value = digits * 10^scale; no leading zero, n == 0 is zero.
 * Lifetimes: source views the text that was read.
 * Source: k8s.io/apimachinery 0.34 pkg/api/resource/{quantity,suffix,
 * amount}.go.
 */
#ifndef LIB_BASE_QUANTITY_H
#define LIB_BASE_QUANTITY_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

#define QUANTITY_TEXT_MAX   256
#define QUANTITY_DIGITS_MAX 600

enum quantity_format {
    QUANTITY_DECIMAL,  /* 12M */
    QUANTITY_BINARY,   /* 12Mi */
    QUANTITY_EXPONENT, /* 12e6 */
};

struct quantity {
    bool negative;
    enum quantity_format format;
    int scale;
    size_t n;
    char digits[QUANTITY_DIGITS_MAX + 1]; /* "0" to "9", a C string */
    struct str source; /* what quantity_print prints; s NULL: work it out */
};

/* ERR_INVALID: `quantities must match the regular expression '...'`, `unable
 * to parse quantity's suffix`; ERR_LIMIT: too long a text or a number. */
bool quantity_parse(struct str text, struct quantity *out, struct error *err);
/* AsApproximateFloat64; infinite when it is beyond a double, NaN for a zero
 * with an exponent that is. */
double quantity_double(const struct quantity *q);
/* The value rounded away from zero; false when it is no int64. */
bool quantity_int64(const struct quantity *q, int64_t *out);
struct quantity quantity_of_int(int64_t units);
/* -1, 0 or 1. */
int quantity_compare(const struct quantity *a, const struct quantity *b);
/* a + b, or a - b when minus; in a's format, in b's when a is zero. False: too
 * many digits. */
bool quantity_add(const struct quantity *a, const struct quantity *b,
                  bool minus, struct quantity *out);
/* Appends the canonical text ("1536Mi", "100m"). */
void quantity_print(const struct quantity *q, struct buf *out);

#endif
