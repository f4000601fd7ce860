/*
 * meshtop edit: one object in $EDITOR.
 *
 * The text is the object without what only its server writes. What comes back
 * is sent as a merge patch of the difference, together with the version it
 * was made from: first as a dry run, whose refusal is written above the text
 * for another round (as kubectl does), then, after a look at the difference,
 * for good. On failure the text is kept.
 */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"
#include "lib/base/yaml.h"

#include "lib/kube/merge.h"

#include "lib/mesh/planner.h"

#include "cli/ask.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/objects.h"

#define TEXT_MAX   ((size_t)8 << 20)
#define ROUNDS_MAX 50

struct edit {
    struct target t;
    const struct args *a;
    struct object o;
    struct json *before; /* what the user sees first */
    struct json *after;  /* what came back */
    char *file;
    bool keep; /* the file holds work of the user's */
};

/* ---- the file ---- */

static void
comment(struct buf *out, struct str s)
{
    struct str line;

    while (str_next(&s, '\n', &line))
        buf_printf(out, "# %.*s\n", STR_ARG(line));
}

static bool
write_file(struct edit *e, const char *refusal, struct str body,
           struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(2 * TEXT_MAX);

    if (*refusal) {
        buf_puts(&b, "# It was refused:\n#\n");
        comment(&b, str_of(refusal));
        buf_puts(&b, "#\n# Correct it, save and close. To give up, close "
                     "without a change.\n#\n");
    } else {
        buf_puts(&b, "# Edit, save and close. Lines that begin with # are "
                     "ignored; an empty file\n# cancels. What is refused "
                     "comes back with the reason.\n#\n");
    }
    buf_str(&b, body);
    return file_write(e->file, buf_view(&b), 0600, err);
}

/* The text without the comments at its top, which are ours. */
static struct str
below_comments(struct str text)
{
    struct str line, rest = text;

    while (str_starts(text, STR("#")) && str_cut(rest, '\n', &line, &rest))
        text = rest;
    return text;
}

static bool
make_file(struct edit *e, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    int fd;

    e->file = mem_printf("%s/meshtop-edit-XXXXXX.yaml",
                         folder && *folder ? folder : "/tmp");
    fd = mkstemps(e->file, 5);
    if (fd < 0)
        return error_errno(err, ERR_IO, "cannot make %s", e->file);
    close(fd);
    return true;
}

/* KUBE_EDITOR, EDITOR, vi; the variable may hold arguments ("code --wait"). */
static bool
run_editor(struct edit *e, struct error *err)
{
    const char *words[34];
    AUTO(strlist_release) struct strlist list = {0};
    const char *editor = getenv("KUBE_EDITOR");
    struct str rest, word;
    int status = 0;
    size_t n = 0;

    if (!editor || !*editor)
        editor = getenv("EDITOR");
    if (!editor || !*editor)
        editor = "vi";
    rest = str_of(editor);
    while (str_next(&rest, ' ', &word)) {
        if (word.n)
            strlist_add(&list, word);
    }
    for (; n < list.n && n < ARRAY_LEN(words) - 2; n++)
        words[n] = list.v[n];
    words[n++] = e->file;
    words[n] = NULL;
    if (!process_foreground(words, &status, err))
        return error_wrap(err, "the editor %s", editor);
    if (status != 0)
        return error_set(err, ERR_CANCELLED, "the editor %s ended with %d",
                         editor, status);
    return true;
}

/* ---- one round ---- */

static bool
same_object(const struct edit *e, const struct json *j, struct error *err)
{
    static const char *const paths[][2] = {
        {"apiVersion", NULL},
        {"kind", NULL},
        {"metadata", "name"},
        {"metadata", "namespace"},
    };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const struct json *was = json_get(e->before, paths[i][0]);
        const struct json *is = json_get(j, paths[i][0]);

        if (paths[i][1]) {
            was = json_get(was, paths[i][1]);
            is = json_get(is, paths[i][1]);
        }
        if (strcmp(json_string_or(was, ""), json_string_or(is, "")) != 0)
            return error_set(err, ERR_INVALID,
                             "%s%s%s cannot be changed by an edit", paths[i][0],
                             paths[i][1] ? "." : "",
                             paths[i][1] ? paths[i][1] : "");
    }
    return true;
}

static bool
send_patch(struct edit *e, bool dry_run, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *patch = kube_merge_diff(e->before, e->after);
    AUTO(mem_free_ptr) char *body = NULL;
    const char *version =
        json_string(json_at(e->o.json, "metadata", "resourceVersion", NULL));
    struct kube_request r = {
        .verb = KUBE_PATCH,
        .patch = KUBE_PATCH_MERGE,
        .gvr = e->o.kind->gvr,
        .ns = e->o.ns,
        .name = e->o.name,
        .dry_run = dry_run,
        .strict = true,
    };

    if (version)
        json_set_string(json_need_object(patch, "metadata"), "resourceVersion",
                        version);
    body = json_text(patch, JSON_COMPACT);
    r.body = str_of(body);
    return kube_client_wait(e->t.client, &r, NULL, err);
}

/* Takes what the user wrote; false: refused, with the reason. */
static bool
take(struct edit *e, struct str text, struct error *err)
{
    json_free(e->after);
    e->after = yaml_parse_one(text, NULL, err);
    if (!e->after)
        return false;
    return same_object(e, e->after, err) &&
           (json_equal(e->before, e->after) || send_patch(e, true, err));
}

/* Turns rounds until the server would take the text. True and *changed false:
 * the user gave up. */
static bool
edit_rounds(struct edit *e, bool *changed, struct error *err)
{
    AUTO(buf_release) struct buf given = BUF_INIT(TEXT_MAX);
    struct error refusal = {0};

    yaml_print(e->before, 0, &given);
    for (int i = 0; i < ROUNDS_MAX; i++) {
        AUTO(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
        struct str body;

        if (!write_file(e, refusal.msg, buf_view(&given), err) ||
            !run_editor(e, err) || !file_read(e->file, &text, err))
            return false;
        body = below_comments(buf_view(&text));
        *changed = str_trim(body).n > 0 && !str_eq(body, buf_view(&given));
        if (!*changed && refusal.code == ERR_NONE)
            return true;
        e->keep = str_trim(body).n > 0;
        if (!*changed) {
            *err = refusal;
            return false;
        }
        refusal = (struct error){0};
        if (take(e, body, &refusal)) {
            *changed = !json_equal(e->before, e->after);
            return true;
        }
        if (refusal.code != ERR_INVALID && refusal.code != ERR_PARSE &&
            refusal.code != ERR_UNSUPPORTED) {
            *err = refusal;
            return false;
        }
        buf_reset(&given);
        buf_str(&given, body);
    }
    return error_set(err, ERR_LIMIT, "no valid text after %d rounds",
                     ROUNDS_MAX);
}

static void
show_diff(const struct edit *e)
{
    struct arena *a = arena_new();
    size_t n = 0;
    const struct mesh_diff *d = mesh_diff_of(e->before, e->after, a, &n);
    bool secret = strcmp(e->o.kind->kind, "Secret") == 0;

    for (size_t i = 0; i < n; i++) {
        AUTO(mem_free_ptr)
        char *line =
            mem_printf("  %c %s: %s%s%s",
                       !d[i].before  ? '+'
                       : !d[i].after ? '-'
                                     : '~',
                       d[i].path, secret || !d[i].before ? "" : d[i].before,
                       d[i].before && d[i].after ? " -> " : "",
                       secret || !d[i].after ? "" : d[i].after);

        columns_text(str_of(line), false, stdout);
        putchar('\n');
    }
    fflush(stdout);
    arena_free(a);
}

static bool
edit_object(struct edit *e, struct error *err)
{
    AUTO(buf_release) struct buf title = BUF_INIT(1024);
    bool changed = false;

    if (!object_find(&e->t, e->a, args_word(e->a, 0), args_word(e->a, 1), &e->o,
                     err))
        return false;
    e->before = json_copy(e->o.json);
    kube_strip(e->before, KUBE_STRIP_SERVER);
    if (!make_file(e, err) || !edit_rounds(e, &changed, err))
        return false;
    if (!changed) {
        printf("nothing was changed\n");
        return true;
    }
    show_diff(e);
    if (!ask_yes(e->a, "Change it?", err) || !send_patch(e, false, err))
        return false;
    e->keep = false;
    objects_title(json_get_string(e->o.json, "apiVersion"), e->o.kind->kind,
                  e->o.name, &title);
    printf("%s edited\n", buf_cstr(&title));
    return true;
}

static int
run(const struct args *a)
{
    struct edit e = {.a = a};
    struct error err = {0};
    bool ok = target_open(&e.t, a, &err);

    if (!ok)
        return command_fail(&err);
    ok = edit_object(&e, &err);
    if (!ok && err.code == ERR_CONFLICT)
        error_remedy(&err, "MT-CHANGED-MEANWHILE",
                     "Someone changed it meanwhile: edit it again.");
    if (e.file && !e.keep)
        unlink(e.file);
    else if (e.file)
        fprintf(stderr, "meshtop: your text is kept in %s\n", e.file);
    json_free(e.before);
    json_free(e.after);
    free(e.file);
    object_release(&e.o);
    target_release(&e.t);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    {"yes", 'y', NULL, "change without asking"},
    {0},
};

const struct command cmd_edit = {
    .name = "edit",
    .args = "KIND NAME",
    .summary = "change one object in $EDITOR",
    .help = "Opens the object in KUBE_EDITOR, EDITOR or vi. The server checks "
            "the text first (a dry\nrun); what it refuses comes back with the "
            "reason above it. Then the difference is\nshown and asked for.",
    .group = "Change",
    .flags = flags,
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
