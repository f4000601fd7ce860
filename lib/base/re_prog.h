/*
 * re_prog.h - what the re*.c files share: classes, the tree, the program.
 *
 * What: re_parse.c makes a tree of the pattern, re_compile.c a program of the
 * tree, re.c runs it. All three live in the arena of the expression.
 */
#ifndef LIB_BASE_RE_PROG_H
#define LIB_BASE_RE_PROG_H

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

#define RE_MAX_RUNE 0x10FFFFu

/* ---- classes ---- */

struct re_range {
    uint32_t lo, hi;
};

/* Growing while it is built; sorted, disjoint and merged once clean. */
struct re_class {
    struct re_range *v;
    size_t n, cap;
    uint64_t ascii[2]; /* a bit for each character below 128, once clean */
};

void re_class_add(struct re_class *c, uint32_t lo, uint32_t hi);
void re_class_clean(struct re_class *c);
/* c must be clean; the result is clean. */
void re_class_negate(struct re_class *c);
/* Adds all other cases of what it holds; c must be clean, the result is. */
void re_class_fold(struct re_class *c);
/* Adds "L", "Lu", "Greek" or "Any"; false when there is no such name. */
bool re_class_unicode(struct re_class *c, struct str name);
bool re_class_has(const struct re_class *c, uint32_t cp);
void re_class_release(struct re_class *c);
/* The next character of the same letter in another case, round in a circle. */
uint32_t re_next_fold(uint32_t cp);

/* Tables of re_category.c and re_script.c. A run is its first character << 8
 * | index of the name; it ends where the next begins. */
struct re_fold {
    int32_t lo, hi, step, delta;
};
extern const char *const re_category_names[], *const re_script_names[];
extern const uint32_t re_category_runs[], re_script_runs[];
extern const size_t re_category_count, re_category_run_count, re_script_count,
    re_script_run_count, re_fold_count;
extern const struct re_fold re_folds[];

/* ---- the tree ---- */

enum re_op {
    RE_EMPTY,
    RE_CHAR,
    RE_CLASS,
    RE_ANY,
    RE_ANY_NOT_NL,
    RE_BEGIN_LINE,
    RE_END_LINE,
    RE_BEGIN_TEXT,
    RE_END_TEXT,
    RE_WORD,
    RE_NOT_WORD,
    RE_CAPTURE,
    RE_REPEAT,
    RE_CONCAT,
    RE_ALTERNATE
};

struct re_node {
    enum re_op op;
    bool lazy;
    int min, max; /* RE_REPEAT; max -1: no end */
    uint32_t cp;  /* RE_CHAR */
    size_t index; /* RE_CAPTURE: 1.. */
    const struct re_class *class;
    struct re_node *first, *last; /* children */
    struct re_node *next;         /* the next child of the same parent */
};

struct re_tree {
    struct re_node *root;
    size_t groups;
    struct strlist names; /* of the groups, "" when they have none */
};

/* On success the caller releases t->names. */
bool re_parse(struct str pattern, struct arena *a, struct re_tree *t,
              struct error *err);

/* ---- the program ---- */

enum re_code {
    RE_I_CHAR,
    RE_I_CLASS,
    RE_I_ANY,
    RE_I_ANY_NOT_NL,
    RE_I_ASSERT, /* x: an enum re_op */
    RE_I_SAVE,   /* x: the slot */
    RE_I_SPLIT,  /* first x, then y */
    RE_I_MATCH
};

struct re_inst {
    enum re_code code;
    uint32_t x, y; /* where to go on; for RE_I_SPLIT both */
    uint32_t arg;  /* character, assertion or slot */
    const struct re_class *class;
};

struct re_prog {
    struct re_inst *v; /* heap */
    size_t n, cap;
    uint32_t start;
    bool anchored; /* every match begins at the start of the text */
};

/* False when it would pass the step cap; p->v is the caller's to free in
 * either case. */
bool re_compile_tree(const struct re_tree *t, struct re_prog *p);

#endif
