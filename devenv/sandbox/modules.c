/*
 * modules.c - the parts of the product's sandbox, one row each, in the order
 * of their init.
 */
#include "devenv/sandbox/admission.h"
#include "devenv/sandbox/control.h"
#include "devenv/sandbox/ns_content.h"
#include "devenv/sandbox/rbac.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/server.h"

const struct server_module *const server_modules[] = {
    &rest_module,       &rbac_module,       &admission_module,
    &ns_content_module, &crossplane_module, NULL,
};
