/*
 * form.h - the fields of an object, made from its schema.
 *
 * What: a flat list of fields (metadata, then spec: what is required first,
 * then scalars, then what needs YAML) that read and write one JSON body, which
 * is the truth; what no field shows (from $EDITOR) stays in it.
 * Lifetimes: form_init ... form_release; it owns body and schema.
 */
#ifndef TUI_FORM_H
#define TUI_FORM_H

#include "lib/schema/schema.h"

#include "tui/lineedit.h"
#include "tui/source.h"

enum field_type {
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_CHOICE,
    FIELD_YAML
};

struct field {
    char path[200]; /* "spec.slo.availabilityPercent" */
    const char *help;
    enum field_type type;
    bool required;
    struct strlist choices; /* may also help a FIELD_TEXT */
    char fallback[64];      /* the schema's default, or "" */
    struct lineedit edit;
    char problem[200]; /* why its value is refused, or "" */
};

struct form {
    struct json *body;
    struct schema *schema; /* or NULL */
    struct field *fields;
    size_t n, cap;
    size_t at, top;
    bool touched;
};

/* openapi may be NULL: only the name and the namespace (when ref has one). */
void form_init(struct form *f, const struct tui_ref *ref,
               const struct json *openapi);
void form_release(struct form *f);
/* Takes another body over (from $EDITOR). */
void form_set_body(struct form *f, struct json *body);
struct field *form_field(struct form *f, const char *path);
/* As if text had been typed there. */
void form_put(struct form *f, struct field *field, struct str text);
/* A key for the field that has the focus; true: the body changed. */
bool form_key(struct form *f, unsigned key);
void form_paste(struct form *f, struct str text);
void form_move(struct form *f, int by);
/* Validates the body and puts what is wrong beside the fields; the number of
 * findings. */
size_t form_check(struct form *f);
void form_draw(struct form *f, struct canvas *c, struct rect r);

#endif
