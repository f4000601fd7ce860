/*
 * cel.h - Kubernetes' expression language: compiled once, evaluated often.
 *
 * What: the Common Expression Language (cel-spec, as cel-go 0.26 reads it) with
 * the libraries of Kubernetes 1.34 (k8s.io/apiserver/pkg/cel/environment).
 * Why our own: x-kubernetes-validations decide whether the API server accepts
 * an object, so plan, validate and the sandbox must evaluate them.
 * Invariants: a compiled expression never changes and may be evaluated at any
 * time; evaluation has no side effects, no clock and no I/O, and errors are
 * values with cel-go's words. Work is counted in cel-go's cost units and stops
 * at a limit; what an evaluation allocates is bounded too (64 MiB).
 * Lifetimes: values point into the JSON they were made from and into the arena
 * of their run.
 * Caps: 100,000 characters of source, nesting 250 (as cel-go).
 */
#ifndef LIB_SCHEMA_CEL_H
#define LIB_SCHEMA_CEL_H

#include "lib/base/arena.h"
#include "lib/base/json.h"

#include "lib/schema/schema.h"

/* ---- values ---- */

enum cel_kind {
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_LIST,
    CEL_MAP,
    CEL_TIMESTAMP,
    CEL_DURATION,
    CEL_TYPE,
    CEL_OPTIONAL,
    CEL_QUANTITY,
    CEL_URL,
    CEL_IP,
    CEL_CIDR,
    CEL_SEMVER,
    CEL_FORMAT,
    CEL_AUTHORIZER, /* and what is asked of one, down to its answer */
    CEL_PATH_CHECK,
    CEL_GROUP_CHECK,
    CEL_RESOURCE_CHECK,
    CEL_DECISION,
    CEL_UNKNOWN, /* preserved data without a schema: can only be compared */
    CEL_ERROR
};

struct cel_list;
struct cel_map;
struct cel_object;

struct cel_value {
    enum cel_kind kind;
    union {
        bool b;
        int64_t i; /* CEL_DURATION: nanoseconds */
        uint64_t u;
        double d;
        struct str s; /* CEL_TYPE: its name; CEL_ERROR: its text */
        struct {
            int64_t sec; /* since 1970 UTC */
            int32_t nsec;
            int32_t zone; /* as written, in seconds; text shows it */
        } time;
        struct cel_list *list;
        struct cel_map *map;
        const struct cel_value *some; /* CEL_OPTIONAL; NULL: none */
        const struct cel_object *object;
        const struct json *json; /* CEL_UNKNOWN */
    };
};

/* A view of j, typed by the schema as the API server types it (format date-time
 * is a timestamp, lists of type set and map compare without order); without a
 * schema by what it is. NULL is null. */
struct cel_value cel_of_json(struct arena *a, const struct json *j,
                             const struct schema *schema);
struct cel_value cel_of_string(struct str s);
/* An optional value; some == NULL is none. */
struct cel_value cel_optional(struct arena *a, const struct cel_value *some);
/* Timestamps and durations as text, bytes in base64; NULL and err for what JSON
 * cannot say. */
struct json *cel_to_json(struct cel_value v, struct error *err);

/* ---- expressions ---- */

struct cel;

/* The type of a variable. */
enum cel_variable_type {
    CEL_VARIABLE_SCHEMA,     /* of its schema; without one dyn */
    CEL_VARIABLE_FIELDS,     /* an object of `fields` alone */
    CEL_VARIABLE_AUTHORIZER, /* its value is of cel_of_authorizer */
    CEL_VARIABLE_CHECK,      /* its value is of cel_of_check */
};

/* A field of a CEL_VARIABLE_FIELDS: of the type that an expression yields, or
 * dyn if there is none. Expressions must outlive those that see the field. */
struct cel_field {
    const char *name; /* as expressions write it */
    const struct cel *expression;
};

struct cel_fields {
    const struct cel_field *v;
    size_t n;
};

/* A variable an expression may name. A schema that is no root of its own
 * (schema_at of one) has just its properties, a root apiVersion, kind and
 * metadata too. */
struct cel_variable {
    const char *name;
    const struct schema *schema; /* its type; NULL: dyn */
    bool optional;               /* an optional of that type */
    enum cel_variable_type type;
    const struct cel_fields *fields;
    const char *type_name; /* of an object in messages; NULL: "object" */
};

/* Why an expression did not compile, in cel-go's words: "ERROR: <input>:1:6:
 * undefined field 'x'\n | self.x\n | .....^", several joined by line feeds. */
struct cel_failure {
    struct buf *text;
    bool instantiation; /* it is well formed, but a literal in it is wrong */
};

/* Compiles and checks; NULL and why. The schemas must outlive the expression,
 * the names need not; at most 64 variables. */
struct cel *cel_compile(struct str source, const struct cel_variable *variables,
                        size_t n, struct cel_failure *why);
void cel_free(struct cel *c);
/* What the expression is known to yield: "bool", "list(string)", "dyn". */
const char *cel_result_type(const struct cel *c);
/* Does it name variable i? */
bool cel_uses(const struct cel *c, size_t i);

/* The most that it may cost as the schemas bound its values; root: the schema
 * of the value that the rule is about. */
uint64_t cel_estimate(const struct cel *c, const struct schema *root);

/* Kubernetes' limit for one call (celconfig.PerCallLimit). */
enum { CEL_CALL_LIMIT = 1000000 };

struct cel_run {
    struct arena *arena; /* results live here */
    uint64_t limit;      /* 0: CEL_CALL_LIMIT */
    uint64_t cost;       /* out */
    bool stopped;        /* out: cost or memory ran out */
};

/* values: as many as there are variables. A failure is a CEL_ERROR; when the
 * limit was reached run->stopped too. */
struct cel_value cel_eval(const struct cel *c, const struct cel_value *values,
                          struct cel_run *run);

/* ---- the variables of an admission policy ---- */

/*
 * `variables` of a ValidatingAdmissionPolicy: a field is evaluated when an
 * expression first asks for it, and once. get answers a value that lives as
 * long as the arena; what it costs is the caller's to count (the server takes
 * it from the policy's budget after the expression that asked).
 */
struct cel_lazy {
    const struct cel_fields *fields;
    struct cel_value (*get)(void *arg, size_t field);
    void *arg;
};

struct cel_value cel_of_lazy(struct arena *a, const struct cel_lazy *lazy);

/* What an expression asks an authorizer. Texts are "" where not said. */
struct cel_question {
    /* Of serviceAccount(); else the user of the request is meant. */
    struct str account_namespace, account_name;
    struct str verb;
    bool is_path;
    struct str path; /* is_path: of a path of the server */
    struct str group, resource, subresource, ns, name;
    struct str field_selector, label_selector;
};

struct cel_authorizer {
    /* True: allowed. May say why, or that asking failed. */
    bool (*decide)(void *arg, const struct cel_question *q, struct buf *reason,
                   struct buf *error);
    void *arg;
};

/* The `authorizer` variable; both must live as long as the run. */
struct cel_value cel_of_authorizer(struct arena *a,
                                   const struct cel_authorizer *authorizer);

/* The `authorizer.requestResource` variable: what is asked but for the verb.
 * The texts of about must live as long as the run. */
struct cel_value cel_of_check(struct arena *a,
                              const struct cel_authorizer *authorizer,
                              const struct cel_question *about);

/* ---- names ---- */

/* A property's name as an identifier: "a-b" is a__dash__b; false when there is
 * none (k8s.io/apiserver/pkg/cel/escaping.go). */
bool cel_escape(struct str name, struct buf *out);
bool cel_unescape(struct str ident, struct buf *out);

#endif
