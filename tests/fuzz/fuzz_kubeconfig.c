/* A kubeconfig: read, every context listed and resolved.
 * covers: lib/kube/kubeconfig.c */
#include <stdlib.h>

#include "lib/base/utf8.h"

#include "lib/kube/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_access(const struct kube_config *c, const char *name)
{
    struct error err = {0};
    struct kube_access *a = kube_config_access(c, name, &err), *copy;

    if (!a) {
        if (!*err.msg)
            abort();
        return;
    }
    if (!a->server || !*a->server || !a->ns || !a->context)
        abort();
    copy = kube_access_copy(a);
    kube_access_free(a);
    if (!utf8_valid(str_of(copy->server)))
        abort();
    kube_access_free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct kube_config *c = kube_config_parse(str_n((const char *)data, size),
                                              "/nonexistent", &err);
    struct kube_context d;

    if (!c) {
        if (!*err.msg)
            abort();
        return 0;
    }
    check_access(c, NULL);
    for (size_t i = 0; i < kube_config_count(c) && i < 20; i++) {
        if (!kube_config_describe(c, kube_config_context(c, i), &d))
            abort();
        check_access(c, d.name);
    }
    kube_config_free(c);
    return 0;
}
