/* A refusal in any form: a message, fields of a 403, conflicts of a 409.
 * covers: lib/kube/status.c lib/kube/denied.c lib/kube/conflict.c */
#include <stdlib.h>

#include "lib/kube/conflict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int codes[] = {409, 403, 429, 500};
    struct buf text = BUF_INIT(BUF_TEXT_MAX);
    struct kube_conflicts conflicts;
    struct kube_denied denied;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct error err = {0};
        struct kube_status s;

        kube_status_read(codes[i], str_n((const char *)data, size), -1, &s);
        if (!*s.message || kube_status_error(&s, &err) || !*err.msg)
            abort();
        if (kube_denied_read(str_of(s.message), &denied))
            kube_denied_question(&denied, &text);
        if (kube_conflicts_read(&s, &conflicts)) {
            for (size_t j = 0; j < conflicts.n; j++)
                kube_conflict_text(&conflicts.v[j], &text);
            kube_conflicts_release(&conflicts);
        }
        kube_status_release(&s);
    }
    buf_release(&text);
    return 0;
}
