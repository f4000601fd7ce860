/*
 * kubeconfig_shape.h - inside of kubeconfig.h: what a kubeconfig file may hold
 * where.
 *
 * What: the types of every member client-go knows (tools/clientcmd/api/v1:
 * a number where a text is due is an error there, too; null is as good as
 * absent, members nobody knows are passed over), and the names that may stand
 * once in a list. Pure.
 */
#ifndef LIB_KUBE_KUBECONFIG_SHAPE_H
#define LIB_KUBE_KUBECONFIG_SHAPE_H

#include "lib/base/json.h"
#include "lib/base/json_place.h"

/* Checks a whole file; places (or NULL) says the line of what is wrong. */
bool kube_config_shape(const struct json *root, struct json_places *places,
                       struct error *err);

#endif
