/*
 * cel_node.h - a compiled expression, for the cel_*.c files alone.
 *
 * What: the tree that the parser makes, the checker types and the evaluator
 * walks.
 * Invariants: variables and loop variables have a slot each, so nothing is
 * looked up by name while evaluating; a call holds the rows of its function
 * that fit in name, style and number of arguments.
 * Lifetimes: nodes live in the arena of their struct cel.
 */
#ifndef LIB_SCHEMA_CEL_NODE_H
#define LIB_SCHEMA_CEL_NODE_H

#include "lib/schema/cel_value.h"

/* ---- nodes ---- */

enum cel_op {
    CEL_CONST,
    CEL_IDENT,  /* slot */
    CEL_SELECT, /* args[0].name; maybe when written .? */
    CEL_HAS,    /* has(args[0].name) */
    CEL_INDEX,  /* args[0][args[1]] */
    CEL_AND,
    CEL_OR,
    CEL_IF,
    CEL_EQUAL,
    CEL_UNEQUAL,
    CEL_CALL,
    CEL_NEW_LIST,
    CEL_NEW_MAP, /* key, value, key, value... */
    CEL_LOOP,    /* args: range, then what the macro needs */
    CEL_BIND,    /* optMap, optFlatMap: args: optional, body */
    CEL_OR_ELSE  /* or, orValue: the second only if the first is none */
};

enum cel_loop {
    CEL_ALL,
    CEL_EXISTS,
    CEL_EXISTS_ONE,
    CEL_MAPPED,   /* args: range, [filter,] value */
    CEL_FILTERED, /* args: range, filter */
    CEL_LISTED,   /* transformList */
    CEL_VALUED,   /* transformMap */
    CEL_ENTERED,  /* transformMapEntry */
    CEL_SORTED    /* sortBy; args: range, key */
};

struct cel_type {
    char kind; /* as in signatures; 'O' an object of a schema; '!' an error */
    const struct cel_type *a, *b;
    const struct schema *schema;     /* of 'O' */
    const struct cel_fields *fields; /* of 'O' without a schema */
    const char *name;                /* of 'O' with a schema */
    unsigned variable;               /* of kind 'A': which */
};

struct cel_node {
    enum cel_op op;
    uint32_t at;            /* offset in the source, in bytes */
    struct str name, name2; /* of CEL_LOOP: its variables */
    struct cel_value value; /* of CEL_CONST */
    struct cel_node **args;
    size_t n;
    bool *optional; /* list elements and map values written with ? */
    bool maybe, method, flat;
    bool hashed;          /* a literal list that is looked up for nothing */
    unsigned short depth; /* of the tree below */
    enum cel_loop loop;
    size_t slot, slot2; /* CEL_IDENT, CEL_LOOP; slot2 SIZE_MAX: none */
    const struct cel_overload **overloads;
    size_t overload_count;
    struct re *re; /* a constant pattern */
    const struct cel_type *type;
};

struct cel {
    struct arena *arena;
    struct str source; /* a copy */
    struct cel_node *root;
    const struct cel_variable *variables; /* a copy */
    size_t variable_count, slots;
    uint64_t used;                /* variables that are named */
    const char *result;           /* its type as text */
    struct cel_pattern *patterns; /* to be freed */
};

struct cel_pattern {
    struct re *re;
    struct cel_pattern *next;
};

/* ---- compiling ---- */

struct cel_complaint {
    uint32_t at;
    const char *text;
};

struct cel_compiler {
    struct cel *cel;
    struct arena *arena;
    struct cel_complaint *complaints; /* in the arena */
    size_t errors, cap;
};

/* Adds an error at an offset of the source; UINT32_MAX: nowhere. */
void cel_complain(struct cel_compiler *c, uint32_t at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The tree of the source; NULL with complaints. */
struct cel_node *cel_parse(struct cel_compiler *c);
/* Resolves names and types; false with complaints. */
bool cel_check(struct cel_compiler *c);
/* As cel-go's checker prints types: "list(string)", "timestamp", "null". */
void cel_type_text(const struct cel_type *t, struct buf *out);
/* By the names that values tell: "google.protobuf.Timestamp", "null_type". */
void cel_type_runtime_text(const struct cel_type *t, struct buf *out);

/* May a value of this type stand for the clause? false and why; broken is set
 * when it is the clause that is wrong. */
bool cel_clause_takes(struct cel_clauses *c, const struct cel_type *type,
                      struct buf *why);

enum cel_token_kind {
    CEL_TOKEN_END,
    CEL_TOKEN_IDENT,
    CEL_TOKEN_QUOTED, /* `a-b` */
    CEL_TOKEN_INT,
    CEL_TOKEN_UINT,
    CEL_TOKEN_DOUBLE,
    CEL_TOKEN_STRING,
    CEL_TOKEN_BYTES,
    CEL_TOKEN_SIGN, /* punctuation and operators, `in` */
    CEL_TOKEN_BAD
};

struct cel_token {
    enum cel_token_kind kind;
    struct str text; /* as written */
    uint32_t at;
};

/* The next token at or after *pos. */
struct cel_token cel_next_token(struct str source, size_t *pos);
/* The value of a string or bytes token; its text lives in a. */
bool cel_unescape_literal(struct arena *a, const struct cel_token *t,
                          struct str *out, const char **why);

#endif
