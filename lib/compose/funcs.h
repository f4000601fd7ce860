/*
 * funcs.h - the functions templates can call, as tables (private to
 * lib/compose).
 *
 * What: a row has a name, a signature and a C function. The executor evaluates
 * and checks arguments against the signature exactly as text/template does
 * with reflection, so a function finds what its signature promises.
 * Signatures, one letter a parameter:
 *   s string   i int   f float64   b bool   a interface{}   t time.Time
 *   m map[string]interface{}   v reflect.Value (the builtins)
 *   u uint32, as a constant only   L []interface{}   C sprig's certificate
 *   + the last one repeats
 * A function fails with call_fail(); its message follows "error calling NAME:
 * ". Results live in call->a.
 */
#ifndef LIB_COMPOSE_FUNCS_H
#define LIB_COMPOSE_FUNCS_H

#include "lib/base/map.h"

#include "lib/compose/format.h"
#include "lib/compose/template.h"

struct exec;

struct call {
    struct arena *a;
    const struct template_run *run;
    struct exec *exec;     /* for include */
    struct map patterns;   /* text -> struct re, of this execution */
    uint64_t random;       /* state of the generator */
    size_t max_text;       /* bytes a result may have */
    size_t work, max_work; /* what functions did: see call_work */
    struct error err;
    struct buf text;       /* scratch, emptied before each call */
    struct value receiver; /* of a method */
};

/* args: n values, NIL and NONE already as the signature wants them. */
typedef bool func_fn(struct call *c, const struct value *args, size_t n,
                     struct value *out);

struct func {
    const char *name, *signature;
    func_fn *fn;
};

struct func_table {
    const struct func *v;
    size_t n;
};

extern const struct func_table funcs_builtin, funcs_compare, funcs_string,
    funcs_case, funcs_list, funcs_dict, funcs_math, funcs_encode, funcs_regex,
    funcs_type, funcs_semver, funcs_date, funcs_path, funcs_random,
    funcs_crypto, funcs_crossplane;

/* The type of what genCA and its sisters give: a struct of Cert and Key. */
#define FUNC_CERTIFICATE "sprig.certificate"

/* The head of a func_fn: FUNC(name) { ... } */
#define FUNC(name)                                                             \
    static bool name(struct call *c UNUSED, const struct value *v UNUSED,      \
                     size_t n UNUSED, struct value *out UNUSED)

/* NULL when there is none. */
const struct func *func_find(struct str name);
/* The method of a value, which call->receiver holds while it runs. */
const struct func *func_method(struct value receiver, struct str name);

/* Sets the message and answers false. */
bool call_fail(struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool call_limit(struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Counts n units of work, about 10 ns each: nodes of values, 16 bytes of text.
 * A limit error once an execution has done more than 8 for each step it may
 * take; what is dear asks before it starts. */
bool call_work(struct call *c, size_t n);
/* The scratch text as a string value; a limit error when it overflowed. */
bool call_text(struct call *c, struct value *out);
/* The next 64 random bits of this execution. */
uint64_t call_random(struct call *c);
/* What sprig's strval gives; lives in c->a. */
struct str call_strval(struct call *c, struct value v);
/* The elements of a slice of any type, boxed into *items; else Go's panic or
 * "WHAT KIND" ("Cannot find first on type string"). */
bool call_slice(struct call *c, const char *what, struct value v,
                struct value **items, size_t *n);
/* An empty list of up to n elements; a limit error past 1 million. */
bool call_list(struct call *c, size_t n, enum value_elem elem,
               struct value *out);
/* A value list from the pieces of text between sep. limit < 0: all. */
bool call_split(struct call *c, struct str text, struct str sep, int64_t limit,
                struct value *out);
/* sprig's strslice: the elements of a list as strings, nils dropped. */
bool call_strings(struct call *c, struct value v, struct value *out);
/* Appends s with each character mapped (strings.ToUpper with func_upper). */
void func_map_case(struct str s, uint32_t (*map)(uint32_t cp), struct buf *out);
/* strings.ReplaceAll; an empty old matches before each character. */
void func_replace_all(struct str s, struct str old, struct str with,
                      struct buf *out);
/* Where Go's base64 decoder gives up: its errors say the byte. */
size_t func_base64_bad_at(struct str s);
/* unicode.ToUpper, ToLower and ToTitle. */
uint32_t func_upper(uint32_t cp);
uint32_t func_lower(uint32_t cp);
uint32_t func_title(uint32_t cp);
/* cast.ToInt64, cast.ToFloat64: 0 for what is no number. */
int64_t func_to_int(struct value v);
double func_to_float(struct value v);
/* Runs the tree called name with data into *out (include). */
bool exec_include(struct call *c, struct str name, struct value data,
                  struct buf *out);

#endif
