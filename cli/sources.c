#include "cli/sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/schema/path.h"

#define FILE_MAX  ((size_t)16 << 20)
#define FILES_MAX 10000
#define DOCS_MAX  100000
#define DEPTH_MAX 40 /* links may make a loop */

/* ---- problems ---- */

/* The readers of YAML and JSON begin with "line L, column C: ". */
static void
take_place(struct source_problem *p)
{
    int used = 0;

    if (sscanf(p->err.msg, "line %u, column %u: %n", &p->line, &p->column,
               &used) == 2 &&
        used)
        memmove(p->err.msg, p->err.msg + used, strlen(p->err.msg + used) + 1);
}

static void
add_problem(struct sources *s, const char *file, const struct error *err)
{
    struct source_problem *p;

    s->problems = mem_grow(s->problems, &s->problems_cap, s->problems_n + 1,
                           sizeof(*s->problems));
    p = &s->problems[s->problems_n++];
    *p = (struct source_problem){.file = mem_strdup(file), .err = *err};
    take_place(p);
}

/* ---- files ---- */

static struct source_file *
new_file(struct sources *s, const char *name)
{
    struct source_file *f = mem_zalloc(1, sizeof(*f));

    f->name = mem_strdup(name);
    s->files =
        mem_grow(s->files, &s->files_cap, s->files_n + 1, sizeof(*s->files));
    s->files[s->files_n++] = f;
    return f;
}

void
sources_add_text(struct sources *s, const char *name, struct str text)
{
    struct source_file *f = new_file(s, name);
    struct yaml_options o = {.max_bytes = FILE_MAX, .places = &f->places};
    struct yaml_docs docs = {0};
    struct error err = {0};

    if (!yaml_parse(text, &o, &docs, &err)) {
        add_problem(s, name, &err);
        return;
    }
    if (s->n + docs.n > DOCS_MAX) {
        error_set(&err, ERR_LIMIT, "more than %d documents", DOCS_MAX);
        add_problem(s, name, &err);
        yaml_docs_release(&docs);
        return;
    }
    for (size_t i = 0; i < docs.n; i++) {
        s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
        s->v[s->n++] = (struct source_doc){f, docs.v[i].value, docs.v[i].value};
        docs.v[i].value = NULL;
    }
    yaml_docs_release(&docs);
}

static void
add_file(struct sources *s, const char *path)
{
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    struct error err = {0};

    if (s->files_n >= FILES_MAX)
        error_set(&err, ERR_LIMIT, "more than %d files", FILES_MAX);
    else if (file_read(path, &text, &err))
        return sources_add_text(s, name, buf_view(&text));
    add_problem(s, name, &err);
}

static bool
is_wanted(const struct sources *s, const char *name)
{
    struct str n = str_of(name);

    return str_ends(n, STR(".yaml")) || str_ends(n, STR(".yml")) ||
           (s->json && str_ends(n, STR(".json")));
}

static void add_folder(struct sources *s, const char *path, unsigned depth);

static void
add_entry(struct sources *s, const char *path, unsigned depth)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        add_folder(s, path, depth);
    else if (is_wanted(s, path))
        add_file(s, path);
}

static void
add_folder(struct sources *s, const char *path, unsigned depth)
{
    AUTO(strlist_release) struct strlist names = {0};
    struct error err = {0};
    DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;

    if (!d) {
        if (depth >= DEPTH_MAX)
            error_set(&err, ERR_LIMIT, "folders deeper than %d", DEPTH_MAX);
        else
            error_errno(&err, errno == EACCES ? ERR_DENIED : ERR_IO, "%s",
                        path);
        return add_problem(s, path, &err);
    }
    for (struct dirent *e; (e = readdir(d)) && names.n < FILES_MAX;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            strlist_add(&names, str_of(e->d_name));
    }
    closedir(d);
    strlist_sort(&names);
    for (size_t i = 0; i < names.n; i++) {
        AUTO(mem_free_ptr) char *below = file_join(path, names.v[i]);

        add_entry(s, below, depth + 1);
    }
}

void
sources_add(struct sources *s, const char *path)
{
    struct stat st;

    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        add_folder(s, path, 0);
    else
        add_file(s, path);
}

void
sources_release(struct sources *s)
{
    for (size_t i = 0; i < s->n; i++)
        json_free(s->v[i].root);
    for (size_t i = 0; i < s->files_n; i++) {
        free(s->files[i]->name);
        json_places_release(&s->files[i]->places);
        free(s->files[i]);
    }
    for (size_t i = 0; i < s->problems_n; i++)
        free(s->problems[i].file);
    free(s->files);
    free(s->v);
    free(s->problems);
    *s = (struct sources){0};
}

/* ---- places ---- */

/* Cuts the last member or index; false when nothing is left. */
static bool
cut_last(char *field)
{
    size_t n = strlen(field);

    while (n && field[n - 1] != '.' && field[n - 1] != '[')
        n--;
    if (!n)
        return false;
    field[n - 1] = '\0';
    return true;
}

struct json_place
source_where(const struct source_doc *d, const char *field, bool key)
{
    AUTO(mem_free_ptr) char *left = mem_strdup(field);
    const char *rest;
    const struct json *j = schema_path_find(d->object, left, &rest);
    const struct json_place *p = json_places_find(&d->file->places, j);
    bool container = json_is(j, JSON_OBJECT) || json_is(j, JSON_ARRAY);
    struct json_place at;

    left[rest - left] = '\0';
    for (; !p && cut_last(left); container = true) {
        j = schema_path_find(d->object, left, NULL);
        p = json_places_find(&d->file->places, j);
    }
    if (!p)
        return (struct json_place){0};
    at = *p;
    if (at.key_line && (key || container || *rest)) {
        at.line = at.key_line;
        at.column = at.key_column;
    }
    return at;
}
