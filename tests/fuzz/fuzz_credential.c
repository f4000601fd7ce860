/* What a credential plugin prints: refused with words, or usable.
 * covers: lib/kube/credential.c */
#include <stdlib.h>

#include "lib/kube/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct kube_credential c = {0};

    if (!kube_credential_read(str_n((const char *)data, size),
                              "client.authentication.k8s.io/v1", &c, &err)) {
        if (!*err.msg)
            abort();
        return 0;
    }
    if ((!c.token && !c.cert) || !c.cert != !c.key)
        abort();
    for (const char *p = c.token; p && *p; p++) {
        if ((unsigned char)*p < ' ')
            abort();
    }
    kube_credential_release(&c);
    return 0;
}
