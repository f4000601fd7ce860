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

/* A variable an expression may name. */
struct cel_variable {
    const char *name;
    const struct schema *schema; /* its type; NULL: dyn */
    bool optional;               /* an optional of that type */
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

/* ---- names ---- */

/* A property's name as an identifier: "a-b" is a__dash__b; false when there is
 * none (k8s.io/apiserver/pkg/cel/escaping.go). */
bool cel_escape(struct str name, struct buf *out);
bool cel_unescape(struct str ident, struct buf *out);

#endif
