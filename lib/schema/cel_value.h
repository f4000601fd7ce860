/*
 * cel_value.h - values of expressions, for the cel_*.c files alone.
 *
 * What: what is behind lists, maps and objects, what values need of each other,
 * and the functions as rows of tables.
 * Invariants: values are never changed once an expression can see them; a list
 * or map made from JSON is filled when it is first asked for.
 * Lifetimes: everything lives in the arena of its run.
 */
#ifndef LIB_SCHEMA_CEL_VALUE_H
#define LIB_SCHEMA_CEL_VALUE_H

#include "lib/base/quantity.h"
#include "lib/base/re.h"

#include "lib/schema/cel.h"

/* ---- values inside ---- */

/* Elements are made from JSON when they are first asked for. */
struct cel_list {
    struct cel_value *v; /* NULL: not yet made from json */
    size_t n;
    const struct json *json;
    const struct schema *schema; /* of the list: how it compares and adds */
};

struct cel_entry {
    struct cel_value key, value;
};

/* Either entries in order of insertion, or a JSON object. */
struct cel_map {
    struct cel_entry *v;
    size_t n;
    const struct json *json;
    const struct schema *schema;
    const struct cel_lazy *lazy; /* else: v has a row for each of its fields */
};

/* What is no plain value: one kind of it a cel_kind. */
struct cel_object {
    struct str text; /* URL, semver: what they were made from */
    unsigned char ip[16];
    int bits;               /* 32, 128: of the address; of a format: its cost */
    int prefix;             /* -1 but for CIDR */
    uint64_t number[3];     /* semver: major, minor, patch */
    struct str extra;       /* semver: prerelease */
    const void *definition; /* CEL_FORMAT: its row; of checks: the question */
    const struct quantity *quantity;
};

/* An evaluation. */
struct cel_eval {
    struct cel_run *run;
    struct cel_value *slots;
    uint64_t limit;
    size_t bytes;        /* given out so far */
    size_t work;         /* comparisons that costs do not show */
    const struct re *re; /* of the call under way, compiled before */
};

struct cel_value cel_error(struct cel_eval *e, const char *fmt, ...)
    PRINTF_LIKE(2, 3);
/* `no such overload`. */
struct cel_value cel_mismatch(void);
struct cel_value cel_of_bool(bool b);
struct cel_value cel_of_int(int64_t i);
struct cel_value cel_of_double(double d);
struct cel_value cel_of_bytes(enum cel_kind kind, struct str s);
/* A list or map that is filled by the caller, at most n entries; NULL when
 * memory has run out. */
struct cel_list *cel_list_new(struct cel_eval *e, size_t n);
struct cel_map *cel_map_new(struct cel_eval *e, size_t n);
struct cel_value cel_of_list(struct cel_list *l);
struct cel_value cel_of_map(struct cel_map *m);
/* Copies the text into the run's memory. */
struct cel_value cel_text(struct cel_eval *e, enum cel_kind kind, struct str s);
/* n zeroed bytes of the run's memory, or NULL and the run is stopped. */
void *cel_alloc(struct cel_eval *e, size_t n);
/* Counts work that no cost stands for; false: the run is stopped. */
bool cel_work(struct cel_eval *e, size_t n);

/* All elements, made if need be. */
const struct cel_value *cel_list_items(struct cel_eval *e,
                                       const struct cel_list *l);
/* False: no such key. An odd key gives a CEL_ERROR and true. */
bool cel_map_find(struct cel_eval *e, const struct cel_map *m,
                  const struct cel_value *key, struct cel_value *out);
/* The schema of a member; *known false: expressions do not see it. */
const struct schema *cel_map_member(const struct cel_map *m, const char *key,
                                    bool *known);
/* The keys that may be iterated. */
struct cel_list *cel_map_keys(struct cel_eval *e, const struct cel_map *m);

/* Equality is a bool or an error. */
struct cel_value cel_equal(struct cel_eval *e, const struct cel_value *a,
                           const struct cel_value *b);
bool cel_is_equal(struct cel_eval *e, const struct cel_value *a,
                  const struct cel_value *b);
/* -1, 0, 1 as an int, or an error. */
struct cel_value cel_compare(struct cel_eval *e, const struct cel_value *a,
                             const struct cel_value *b);
/* a + b of lists, with the semantics of their list types. */
struct cel_value cel_list_add(struct cel_eval *e, const struct cel_value *a,
                              const struct cel_value *b);
/* The elements of l in the order of their keys. */
struct cel_value cel_sort_by(struct cel_eval *e, const struct cel_list *l,
                             const struct cel_list *keys);
/* "int", "google.protobuf.Timestamp", "net.IP". */
const char *cel_type_of(const struct cel_value *v);
/* As string(v) writes it; v is no list, map or object. */
void cel_to_text(const struct cel_value *v, struct buf *out);
/* Without blanks, Unicode's too, at both ends. */
struct str cel_trim(struct str s);
/* As Go's %v in errors. */
void cel_print(const struct cel_value *v, struct buf *out);
/* Bytes of a text in base64, or an error. */
struct cel_value cel_of_base64(struct arena *a, struct str s);
/* Size as costs count it. */
uint64_t cel_size(const struct cel_value *v);
/* A schema-typed property; types apiVersion, kind and metadata of resources
 * too. NULL: the schema does not know it. */
const struct schema *cel_property(const struct schema *s, const char *key);

/* ---- time ---- */

bool cel_parse_duration(struct str s, int64_t *ns);
/* strfmt's: Go's, or "5 minutes". */
bool cel_parse_any_duration(struct str s, int64_t *ns);
void cel_print_duration(int64_t ns, struct buf *out);
bool cel_parse_timestamp(struct str s, struct cel_value *out);
void cel_print_timestamp(const struct cel_value *t, struct buf *out);

bool cel_time_in_range(const struct cel_value *t);
/* t plus, or minus, a duration. */
struct cel_value cel_time_shift(const struct cel_value *t, int64_t ns,
                                bool back);
/* a - b. */
struct cel_value cel_time_between(const struct cel_value *a,
                                  const struct cel_value *b);

/* ---- objects ---- */

/* An address, with its prefix if it has one. */
void cel_print_address(const struct cel_object *o, struct buf *out);

int cel_compare_semver(const struct cel_object *a, const struct cel_object *b);
int cel_compare_quantities(const struct cel_object *a,
                           const struct cel_object *b);

/* url.ParseRequestURI; its words in why. */
bool cel_url_ok(struct str s, struct buf *why);

/* ---- functions ---- */

/* How a call is charged. */
enum cel_cost {
    CEL_COST_ONE,
    CEL_COST_TEXT,     /* a tenth of the first argument */
    CEL_COST_TEXT2,    /* twice that */
    CEL_COST_RESULT2,  /* twice a tenth of the result */
    CEL_COST_SUM,      /* a tenth of both */
    CEL_COST_LESSER,   /* a tenth of the smaller */
    CEL_COST_CONTAINS, /* a tenth of one times a tenth of the other */
    CEL_COST_REGEX,
    CEL_COST_LIST,     /* the size of the second argument */
    CEL_COST_TRAVERSE, /* every element of the first */
    CEL_COST_FORMAT,
    CEL_COST_SETS, /* one size times the other */
    CEL_COST_SETS2,
    CEL_COST_NEW_LIST, /* the size of the result */
    CEL_COST_FLATTEN,
    CEL_COST_SORT,
    CEL_COST_CIDR,  /* comparing with a prefix, */
    CEL_COST_CIDR2, /* and masking for it */
    CEL_COST_CHECK, /* asking an authorizer */
};

typedef struct cel_value cel_function(struct cel_eval *e,
                                      const struct cel_value *args, size_t n);

/*
 * One overload. The signature is types of arguments, '>' and the type of the
 * result; a '.' behind the first argument makes it a method. Types: b i u d s
 * y(bytes) n t(timestamp) r(duration) T(type) *(dyn) q(quantity) U(url) I(ip)
 * C(cidr) V(semver) F(format) Z(authorizer) P(path check) G(group check)
 * R(resource check) D(decision), A B K parameters, l. list, m.. map, o.
 * optional, T: the type of.
 */
struct cel_overload {
    const char *name, *signature;
    cel_function *run;
    enum cel_cost cost;
};

struct cel_library {
    const struct cel_overload *v;
    size_t n;
};

extern const struct cel_library cel_standard, cel_conversions, cel_times,
    cel_strings, cel_lists, cel_optionals, cel_network, cel_urls,
    cel_kubernetes, cel_authz;

/* The clauses of a format, one after the other. */
struct cel_clauses {
    struct str rest, from; /* from: the text before the clause */
    char letter;
    int precision;
    bool ends;          /* the text ends with its % */
    const char *broken; /* what is wrong with the clause, or NULL */
};

/* False: no more; from is the rest then. */
bool cel_next_clause(struct cel_clauses *c);

/* a[0] + a[1]; "...".format(a[1]): functions that others need. */
cel_function cel_add, cel_format;

/* Rows that fit; up to max. *known: there is a function of this name. */
size_t cel_overloads(struct str name, bool method, size_t args,
                     const struct cel_overload **out, size_t max, bool *known);
/* The type of a value in signatures. */
char cel_letter(const struct cel_value *v);
/* Does the value fit the type at *type? Moves *type behind it. */
bool cel_fits(const char **type, const struct cel_value *v);

#endif
