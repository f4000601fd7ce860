#include "tui/form.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "tui/key.h"

enum { DEPTH_MAX = 3, FIELDS_MAX = 300, VALUE_MAX = 64 << 10 };

/* ---- the body ---- */

/* The value at a dotted path, or NULL. */
static struct json *
value_at(const struct json *body, const char *path)
{
    struct str rest = str_of(path), key;
    struct json *j = (struct json *)body;

    while (j && str_next(&rest, '.', &key))
        j = json_get_str(j, key);
    return j;
}

/* Sets (or, with NULL, removes) the value; objects on the way are made, and
 * removed again when they are empty. */
static void
set_at(struct json *body, struct str path, struct json *value)
{
    struct str head, tail;
    bool more = str_cut(path, '.', &head, &tail);
    AUTO(mem_free_ptr) char *key = mem_strndup(head.s, head.n);
    struct json *below;

    if (!more) {
        if (value)
            json_set(body, key, value);
        else
            json_del(body, key);
        return;
    }
    if (!value && !json_is(json_get(body, key), JSON_OBJECT))
        return;
    below = json_need_object(body, key);
    set_at(below, tail, value);
    if (json_len(below) == 0)
        json_del(body, key);
}

/* The value as a field shows it. */
static void
show_value(const struct field *f, const struct json *v, struct buf *out)
{
    if (!v)
        return;
    if (json_string(v))
        buf_puts(out, json_string(v));
    else
        json_print(v, JSON_COMPACT, out);
    (void)f;
}

static void
load_field(struct form *f, struct field *field)
{
    AUTO(buf_release) struct buf b = BUF_INIT(VALUE_MAX);

    show_value(field, value_at(f->body, field->path), &b);
    lineedit_set(&field->edit, buf_view(&b));
}

static struct json *
parse_value(struct field *f, struct str text)
{
    struct error err = {0};
    struct json *v;

    if (f->type == FIELD_TEXT || f->type == FIELD_CHOICE)
        return json_new_str(text);
    v = yaml_parse_one(text, NULL, &err);
    if (!v) {
        snprintf(f->problem, sizeof(f->problem), "%.190s", err.msg);
        return json_new_str(text);
    }
    return v;
}

/* The text of the field goes into the body. */
static void
store_field(struct form *f, struct field *field)
{
    struct str text = buf_view(&field->edit.text);

    f->touched = true;
    field->problem[0] = '\0';
    set_at(f->body, str_of(field->path),
           str_trim(text).n ? parse_value(field, text) : NULL);
}

/* ---- fields from the schema ---- */

static struct field *
add_field(struct form *f, const char *path, enum field_type type, bool required)
{
    struct field *field;

    f->fields = mem_grow(f->fields, &f->cap, f->n + 1, sizeof(*field));
    field = &f->fields[f->n++];
    *field = (struct field){.type = type, .required = required, .help = ""};
    snprintf(field->path, sizeof(field->path), "%s", path);
    lineedit_init(&field->edit, VALUE_MAX);
    return field;
}

static enum field_type
type_of(const struct schema_info *i)
{
    switch (i->type) {
    case SCHEMA_STRING:
        return i->choices ? FIELD_CHOICE : FIELD_TEXT;
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
        return FIELD_NUMBER;
    case SCHEMA_BOOLEAN:
        return FIELD_BOOL;
    case SCHEMA_ANY:
    case SCHEMA_OBJECT:
    case SCHEMA_ARRAY:
        break;
    }
    return FIELD_YAML;
}

static void
describe(struct field *field, const struct schema_info *i)
{
    AUTO(buf_release) struct buf b = BUF_INIT(sizeof(field->fallback) - 1);

    field->help = i->description;
    for (const struct json *c = json_first(i->choices); c; c = json_next(c))
        strlist_add(&field->choices, str_of(json_string(c)));
    show_value(field, i->fallback, &b);
    snprintf(field->fallback, sizeof(field->fallback), "%s", buf_cstr(&b));
}

/* Which fields a pass takes: required ones, optional scalars, the rest. */
enum pass { REQUIRED, SCALARS, REST, PASSES };

static void
walk(struct form *f, const struct schema *node, const char *path, int depth,
     bool all_required, enum pass pass)
{
    for (size_t i = 0; i < schema_property_count(node); i++) {
        const char *name;
        bool needed;
        const struct schema *s = schema_property(node, i, &name, &needed);
        const struct schema_info *info = schema_info(s);
        enum field_type type = type_of(info);
        enum pass mine;
        char below[200];

        needed = needed && all_required;
        if (snprintf(below, sizeof(below), "%s.%s", path, name) >=
                (int)sizeof(below) ||
            f->n >= FIELDS_MAX || strchr(name, '.'))
            continue;
        if (info->type == SCHEMA_OBJECT && schema_property_count(s) &&
            depth < DEPTH_MAX) {
            walk(f, s, below, depth + 1, needed, pass);
            continue;
        }
        mine = needed ? REQUIRED : type == FIELD_YAML || depth ? REST : SCALARS;
        if (mine == pass)
            describe(add_field(f, below, type, needed), info);
    }
}

void
form_init(struct form *f, const struct tui_ref *ref, const struct json *openapi)
{
    struct schema_findings problems = {0};
    const struct schema *spec;
    struct json *meta;

    *f = (struct form){.body = json_new_object()};
    json_set_string(f->body, "apiVersion", ref->api);
    json_set_string(f->body, "kind", ref->kind);
    meta = json_need_object(f->body, "metadata");
    json_set_string(meta, "name", "");
    add_field(f, "metadata.name", FIELD_TEXT, true)->help =
        "lower-case letters, digits and -; unique in its namespace";
    if (*ref->ns) {
        json_set_string(meta, "namespace", ref->ns);
        add_field(f, "metadata.namespace", FIELD_TEXT, true)->help =
            "where it lives";
    }
    if (openapi)
        f->schema = schema_compile(openapi, "", &problems, NULL);
    schema_findings_release(&problems);
    spec = schema_member(f->schema, "spec");
    for (int pass = 0; spec && pass < PASSES; pass++)
        walk(f, spec, "spec", 0, true, (enum pass)pass);
    for (size_t i = 0; i < f->n; i++)
        load_field(f, &f->fields[i]);
}

void
form_release(struct form *f)
{
    for (size_t i = 0; i < f->n; i++) {
        lineedit_release(&f->fields[i].edit);
        strlist_release(&f->fields[i].choices);
    }
    free(f->fields);
    json_free(f->body);
    schema_free(f->schema);
    *f = (struct form){0};
}

void
form_set_body(struct form *f, struct json *body)
{
    json_free(f->body);
    f->body = body;
    f->touched = true;
    for (size_t i = 0; i < f->n; i++) {
        f->fields[i].problem[0] = '\0';
        load_field(f, &f->fields[i]);
    }
}

struct field *
form_field(struct form *f, const char *path)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->fields[i].path, path) == 0)
            return &f->fields[i];
    }
    return NULL;
}

void
form_put(struct form *f, struct field *field, struct str text)
{
    lineedit_set(&field->edit, text);
    store_field(f, field);
}

/* ---- keys ---- */

/* The choice after (or before) the present one; none is one of them. */
static void
choose(struct field *field, int step)
{
    int n = (int)field->choices.n, now = -1;

    for (int i = 0; i < n; i++) {
        if (str_eqz(buf_view(&field->edit.text), field->choices.v[i]))
            now = i;
    }
    now += step;
    if (now >= n)
        now = field->required ? 0 : -1;
    if (now < -1 || (now < 0 && field->required))
        now = n - 1;
    lineedit_set(&field->edit,
                 now < 0 ? STR("") : str_of(field->choices.v[now]));
}

static void
toggle(struct field *field)
{
    struct str now = buf_view(&field->edit.text);
    bool is =
        now.n ? str_eqz(now, "true") : strcmp(field->fallback, "true") == 0;

    lineedit_set(&field->edit, is ? STR("false") : STR("true"));
}

bool
form_key(struct form *f, unsigned key)
{
    struct field *field = &f->fields[f->at];
    bool forward = key == ' ' || key == K_RIGHT;

    if (field->type == FIELD_BOOL) {
        if (key == K_BACKSPACE || key == K_DELETE)
            lineedit_set(&field->edit, STR(""));
        else if (forward || key == K_LEFT)
            toggle(field);
        else
            return false;
    } else if (field->type == FIELD_CHOICE) {
        if (!forward && key != K_LEFT)
            return false;
        choose(field, forward ? 1 : -1);
    } else if (field->choices.n && (key == (K_CTRL | 'n') || key == ' ')) {
        choose(field, 1);
    } else if (!lineedit_key(&field->edit, key)) {
        return false;
    }
    store_field(f, field);
    return true;
}

void
form_paste(struct form *f, struct str text)
{
    struct field *field = &f->fields[f->at];

    if (field->type == FIELD_BOOL || field->type == FIELD_CHOICE)
        return;
    lineedit_paste(&field->edit, text);
    store_field(f, field);
}

void
form_move(struct form *f, int by)
{
    f->at = (size_t)((int)(f->at + f->n) + by) % f->n;
}

size_t
form_check(struct form *f)
{
    struct schema_findings found = {0};
    AUTO(json_free_ptr) struct json *copy = json_copy(f->body);
    size_t n;

    for (size_t i = 0; i < f->n; i++)
        f->fields[i].problem[0] = '\0';
    if (!f->schema)
        return 0;
    schema_default(f->schema, copy);
    schema_validate(f->schema, copy, &found);
    n = found.n;
    for (size_t k = 0; k < found.n; k++) {
        for (size_t i = 0; i < f->n; i++) {
            struct field *field = &f->fields[i];
            size_t len = strlen(field->path);

            if (strncmp(found.v[k].field, field->path, len) == 0 &&
                (!found.v[k].field[len] || found.v[k].field[len] == '[' ||
                 found.v[k].field[len] == '.') &&
                !*field->problem)
                snprintf(field->problem, sizeof(field->problem), "%.190s",
                         found.v[k].message);
        }
    }
    schema_findings_release(&found);
    return n;
}

/* ---- drawing ---- */

/* What stands beside a field; a spec may have a name of its own. */
static const char *
label_of(const struct field *field)
{
    if (strcmp(field->path, "metadata.name") == 0)
        return "object name";
    return strchr(field->path, '.') + 1;
}

static int
label_width(const struct form *f, int w)
{
    size_t widest = 8;

    for (size_t i = 0; i < f->n; i++)
        widest = MAX(widest, strlen(label_of(&f->fields[i])));
    return (int)MIN(widest, (size_t)MAX(w * 2 / 5, 8));
}

static void
draw_value(const struct field *field, struct canvas *c, struct rect r,
           bool focus)
{
    struct str text = buf_view(&field->edit.text);

    if (field->type == FIELD_BOOL) {
        struct str is = text.n ? text : str_of(field->fallback);

        canvas_puts(c, r.x, r.y, r.w, text.n ? ST_TEXT : ST_DIM,
                    str_eqz(is, "true") ? "[x]" : "[ ]");
        if (focus) {
            c->cursor_x = r.x + 1;
            c->cursor_y = r.y;
        }
        return;
    }
    if (focus) {
        lineedit_draw(&field->edit, c, r.x, r.y, r.w, true);
        if (text.n)
            return;
    }
    if (text.n)
        canvas_cut(c, r.x, r.y, r.w, ST_TEXT, text);
    else if (*field->fallback)
        canvas_printf(c, r.x, r.y, r.w, ST_DIM, "%s (default)",
                      field->fallback);
    else if (field->required && !focus)
        canvas_puts(c, r.x, r.y, r.w, ST_WAIT, "needed");
    else if (!focus)
        canvas_puts(c, r.x, r.y, r.w, ST_DIM, "-");
}

static void
draw_field(const struct form *f, struct canvas *c, struct rect r, size_t i,
           int label)
{
    const struct field *field = &f->fields[i];
    bool focus = i == f->at, bad = *field->problem && f->touched;
    int x = r.x;

    canvas_puts(c, x, r.y, 1, bad ? ST_FAIL : ST_KEY,
                bad               ? "!"
                : field->required ? "*"
                                  : " ");
    x += 2;
    canvas_cut_middle(c, x, r.y, label, focus ? ST_FOCUS : ST_TEXT,
                      str_of(label_of(field)));
    x += label + 2;
    draw_value(field, c, (struct rect){x, r.y, r.x + r.w - x - 1, 1}, focus);
}

/* What the focused field is, and what is wrong with it. */
static void
draw_help(const struct form *f, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    const struct field *field = &f->fields[f->at];

    if (*field->problem && f->touched) {
        canvas_cut(c, r.x, r.y, r.w, ST_FAIL, str_of(field->problem));
        r.y++;
        r.h--;
    }
    if (field->choices.n) {
        buf_puts(&b, "space: ");
        for (size_t i = 0; i < field->choices.n; i++)
            buf_printf(&b, "%s%s", i ? " | " : "", field->choices.v[i]);
    } else if (field->type == FIELD_YAML) {
        buf_puts(&b, "as YAML: [a, b] or {a: 1};  ^E opens $EDITOR  ");
    } else if (field->type == FIELD_BOOL) {
        buf_puts(&b, "space turns it  ");
    }
    if (!field->choices.n)
        buf_puts(&b, field->help);
    if (r.h > 0)
        canvas_cut(c, r.x, r.y, r.w, ST_DIM, buf_view(&b));
}

void
form_draw(struct form *f, struct canvas *c, struct rect r)
{
    struct rect help = rect_bottom(&r, r.h > 8 ? 3 : 1);
    int label = label_width(f, r.w);
    size_t h = (size_t)MAX(r.h, 1);

    if (help.h > 1)
        canvas_hline(c, help.x, help.y, help.w, ST_BORDER);
    if (help.h > 1)
        rect_top(&help, 1);
    draw_help(f, c, help);
    if (f->at < f->top)
        f->top = f->at;
    if (f->at >= f->top + h)
        f->top = f->at - h + 1;
    for (size_t i = 0; i < h && f->top + i < f->n; i++)
        draw_field(f, c, (struct rect){r.x, r.y + (int)i, r.w, 1}, f->top + i,
                   label);
    if (f->top + h < f->n)
        canvas_puts(c, r.x + r.w - 1, r.y + r.h - 1, 1, ST_FOCUS,
                    "\xe2\x86\x93");
    if (f->top > 0)
        canvas_puts(c, r.x + r.w - 1, r.y, 1, ST_FOCUS, "\xe2\x86\x91");
}
