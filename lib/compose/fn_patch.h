/*
 * fn_patch.h - the parts of function-patch-and-transform (private to
 * lib/compose).
 *
 * What: fn_patch.c runs the templates; fn_patch_input.c decodes, validates and
 * resolves patch sets once; fn_patch_apply.c moves one value; fn_patch_
 * transform.c, fn_patch_string.c and fn_patch_convert.c change it on its way;
 * fn_patch_ready.c and fn_patch_connection.c look at what exists.
 * Numbers: what came over the wire is float64 for Go; an object that has been
 * patched (or made from a base) went through Kubernetes' decoder, and its whole
 * numbers are int64 from then on. Formats, types in errors and the search for
 * equal array elements tell them apart.
 * Lifetimes: an input owns its tree; patches and templates point into it.
 * Source: function-patch-and-transform v0.10.8.
 */
#ifndef LIB_COMPOSE_FN_PATCH_H
#define LIB_COMPOSE_FN_PATCH_H

#include "lib/compose/function.h"
#include "lib/compose/value.h"

/* ---- patches ---- */

/* What a patch reads or writes. */
enum patch_place {
    PATCH_NOWHERE, /* the type is not served here */
    PATCH_OBSERVED_XR,
    PATCH_DESIRED_XR,
    PATCH_OBSERVED, /* the composed resource as it exists */
    PATCH_DESIRED,
    PATCH_ENVIRONMENT,
    PATCH_PLACES
};

struct patch_type {
    const char *name;
    bool combine;
    enum patch_place from, to;         /* in resources */
    enum patch_place env_from, env_to; /* in environment.patches */
};

/* The row of a patch's type (absent: FromCompositeFieldPath); NULL: unknown.
 * PatchSet has a row that leads nowhere. */
const struct patch_type *patch_type_of(const struct json *patch);
const char *patch_type_name(const struct json *patch);
/* policy.fromFieldPath, policy.toFieldPath with their defaults. */
const char *patch_from_policy(const struct json *patch);
const char *patch_to_policy(const struct json *patch);
/* Whether upstream knows a policy.toFieldPath. */
bool patch_to_policy_known(const char *policy);

struct patch_object {
    const struct json *j; /* NULL: does not exist */
    struct json *own;     /* the same where it may be changed, else NULL */
    bool floats;          /* its whole numbers are float64 still */
};

/* Applies one patch. Errors are upstream's; ERR_NOT_FOUND: a field the patch
 * reads (or a wildcard's field) is not there, which is for the policy to
 * judge. */
bool patch_apply(const struct json *patch, const struct patch_object *from,
                 struct patch_object *to, struct error *err);
/* schema.ParseGroupVersion takes j.apiVersion: one slash at most. */
bool patch_version_fits(const struct json *j);
/* `Object 'Kind' is missing in '{...}'` unless j has a kind and a version that
 * fits; flags: of json_print, for the text. */
bool patch_has_kind(const struct json *j, unsigned flags, struct error *err);

/* ---- transforms ---- */

/* What the transforms of one patch share. */
struct patch_work {
    struct arena *a;
    struct json *keep; /* an array: trees that values look into */
    struct error *err;
};

/* One kind of a config (`type: Regexp`): the member it needs and validation's
 * words when that is missing. */
struct patch_need {
    const char *type, *member, *missing; /* member NULL: none */
};

/* A family of transforms (`type: string`). */
struct patch_transform {
    const char *type; /* and the name of the member with its config */
    bool (*check)(const struct json *config, struct error *err);
    bool (*run)(struct patch_work *w, const struct json *config,
                struct value *v);
};

/* A float64 as Go makes an int64 of it. */
int64_t patch_truncate(double f);
bool patch_string_check(const struct json *config, struct error *err);
bool patch_string_run(struct patch_work *w, const struct json *config,
                      struct value *v);
bool patch_convert_check(const struct json *config, struct error *err);
bool patch_convert_run(struct patch_work *w, const struct json *config,
                       struct value *v);
/* Validates one transform: `math.type: Required value: ...`. */
bool patch_transform_check(const struct json *transform, struct error *err);
/* Runs a list of transforms over *v: `transform at index 0 returned error:
 * math transform could not resolve: ...`. */
bool patch_transforms(struct patch_work *w, const struct json *list,
                      struct value *v);

/* ---- the input ---- */

struct patch_template {
    const struct json *json;
    const struct json **patches; /* sets resolved */
    size_t n;
};

struct patch_input {
    struct json *tree;
    struct patch_template *templates;
    size_t n;
};

/* Errors: `cannot get Function input: ...`, `invalid Function input: ...`,
 * `cannot resolve PatchSets: ...`. */
struct patch_input *patch_input_new(const struct json *input,
                                    struct error *err);
void patch_input_free(struct patch_input *in);
/* Validates a decoded input. */
bool patch_validate(const struct json *input, struct error *err);

/* ---- validation's words (Kubernetes' field.Error) ---- */
/* `PATH: Required value: DETAIL` */
bool patch_required(struct error *err, const char *path, const char *detail);
/* `PATH: Invalid value: "VALUE": DETAIL` */
bool patch_invalid(struct error *err, const char *path, const char *value,
                   const char *detail);
/* Puts "fmt." before the path of an error. Answers false. */
bool patch_under(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The row of j.type, or NULL. */
const struct patch_need *patch_need_of(const struct patch_need *rows, size_t n,
                                       const struct json *j);
/* j.type has a row and j the member it needs. missing: what to say of an empty
 * type (NULL: what is said of an unknown one). */
bool patch_check_need(const struct patch_need *rows, size_t n,
                      const struct json *j, const char *missing,
                      const char *unknown, struct error *err);
/* j[key] is there and not null. */
bool patch_has(const struct json *j, const char *key);

/* ---- what exists ---- */
/* Whether observed passes its checks (none: condition Ready is True). */
bool patch_is_ready(const struct json *checks, const struct json *observed,
                    bool *ready, struct error *err);
/* Adds to out (KEY -> base64) what a template's connectionDetails take from
 * the observed wrapper {resource, connectionDetails}. */
void patch_connection_details(const struct json *details,
                              const struct json *observed, struct json *out);
/* The Secret that holds details for an XR that has no connection secret of its
 * own; ref: the input's writeConnectionSecretToRef or NULL. Fresh, NULL and err
 * on failure. */
struct json *patch_connection_secret(const struct json *xr,
                                     const struct json *details,
                                     const struct json *ref, struct error *err);

#endif
