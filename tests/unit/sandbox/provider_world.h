/* A sandbox with a namespace, for the tests of the simulated provider. */
#ifndef TESTS_UNIT_SANDBOX_PROVIDER_WORLD_H
#define TESTS_UNIT_SANDBOX_PROVIDER_WORLD_H

#include "devenv/sandbox/cloud.h"

#include "tests/unit/sandbox/control_world.h"

#define BIGQUERY "bigquery.gcp.m.upbound.io/v1beta1"
#define EXTERNAL CLOUD_GROUP "/" CLOUD_VERSION

static inline void __attribute__((format(printf, 2, 3)))
applyf(struct world *w, const char *fmt, ...)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    apply(w, buf_cstr(&b));
}

static inline int
with_namespace(void **state)
{
    set_up(state);
    apply(*state, "{apiVersion: v1, kind: Namespace, metadata: {name: ns}}");
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, with_namespace, tear_down)

#endif
