/*
 * sources.h - documents of files, each value with its line and column.
 *
 * What: what `validate` and `lint` read: a file, a folder (*.yaml, *.yml and,
 * when asked, *.json; folders below too, in the order of names) or "-".
 * A file that cannot be read or parsed is a problem with a place, so that the
 * others are still looked at.
 * Caps: 16 MiB a file, 10,000 files, 100,000 documents.
 * Lifetimes: the sources own all; documents are never changed (a place is
 * found by the node).
 */
#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H

#include "lib/base/json.h"

struct source_file {
    char *name; /* as the user would say it; "<stdin>" */
    struct json_places places;
};

struct source_doc {
    struct source_file *file;
    /* Of the document, or, for the input of a pipeline step, inside it. */
    const struct json *object;
    struct json *root; /* owned; NULL when the document above owns object */
};

struct source_problem {
    char *file;
    unsigned line, column; /* 0: the whole file */
    struct error err;
};

struct sources {
    struct source_file **files;
    size_t files_n, files_cap;
    struct source_doc *v;
    size_t n, cap;
    struct source_problem *problems;
    size_t problems_n, problems_cap;
    bool json; /* folders: *.json too */
};

/* Adds what path holds. A path that is not there is a problem, too. */
void sources_add(struct sources *s, const char *path);
/* Adds the documents of text under a name. */
void sources_add_text(struct sources *s, const char *name, struct str text);
void sources_release(struct sources *s);

/* Where the value at a finding's field stands: its key when the field is not
 * there, when key is asked for or when it is no scalar; what has no place of
 * its own is where what holds it is. Zero when nothing is known. */
struct json_place source_where(const struct source_doc *d, const char *field,
                               bool key);

#endif
