#include "devenv/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define STATE_MAX ((size_t)1 << 20)

static bool
valid_name(const char *name)
{
    size_t n = strlen(name);

    return n >= 1 && n <= 63 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

char *
profile_temporary_root(void)
{
    return mem_printf("/tmp/meshtop-%u", (unsigned)getuid());
}

/* The folder all profiles live in. */
static char *
state_root(bool *temporary)
{
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    *temporary = false;
    if (xdg && xdg[0] == '/')
        return file_join(xdg, "meshtop");
    if (home && home[0] == '/' && access(home, W_OK) == 0)
        return file_join(home, ".local/state/meshtop");
    *temporary = true;
    return profile_temporary_root();
}

static void
read_list(const struct json *j, struct strlist *out)
{
    strlist_release(out);
    for (const struct json *e = json_first(j); e; e = json_next(e)) {
        if (json_string(e))
            strlist_add(out, str_of(json_string(e)));
    }
}

static bool
load(struct profile *p, struct error *err)
{
    AUTO(mem_free_ptr) char *path = file_join(p->dir, "state.json");
    AUTO(buf_release) struct buf text = BUF_INIT(STATE_MAX);
    struct error why = {0};

    p->engine[0] = p->context[0] = '\0';
    json_free(p->facts);
    p->facts = json_new_object();
    if (!file_read(path, &text, &why)) {
        if (why.code == ERR_NOT_FOUND)
            return true;
        if (err)
            *err = why;
        return false;
    }
    AUTO(json_free_ptr)
    struct json *j = json_parse(buf_view(&text), NULL, &why);

    if (!json_is(j, JSON_OBJECT)) {
        error_set(err, ERR_PARSE, "%s is damaged: %s", path,
                  j ? "not an object" : why.msg);
        error_remedy(err, "MT-STATE-DAMAGED",
                     "\"meshtop down --force --profile %s\" removes the "
                     "profile whole.",
                     p->name);
        return false;
    }
    snprintf(p->engine, sizeof(p->engine), "%s",
             json_string_or(json_get(j, "engine"), ""));
    snprintf(p->context, sizeof(p->context), "%s",
             json_string_or(json_get(j, "context"), ""));
    read_list(json_get(j, "packages"), &p->packages);
    read_list(json_get(j, "examples"), &p->examples);
    if (json_is(json_get(j, "facts"), JSON_OBJECT)) {
        json_free(p->facts);
        p->facts = json_copy(json_get(j, "facts"));
    }
    return true;
}

bool
profile_private_folder(const char *root, struct error *err)
{
    struct stat st;

    if (mkdir(root, 0700) != 0 && errno != EEXIST)
        return error_errno(err, ERR_IO, "cannot make %s", root);
    if (lstat(root, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == getuid() &&
        (st.st_mode & 022) == 0)
        return true;
    error_set(err, ERR_DENIED, "%s is not ours alone", root);
    error_remedy(err, "MT-STATE-FOLDER",
                 "Set HOME or XDG_STATE_HOME to a folder of yours.");
    return false;
}

/* Names the files of a profile. */
static bool
name_files(const char *name, struct profile *p, struct error *err)
{
    *p = (struct profile){.lock_fd = -1};
    if (!name)
        name = PROFILE_DEFAULT;
    if (!valid_name(name))
        return error_set(err, ERR_USAGE,
                         "\"%s\" is no profile name (a-z, 0-9 and -, at most "
                         "63)",
                         name);
    AUTO(mem_free_ptr) char *root = state_root(&p->temporary);

    if (p->temporary && !profile_private_folder(root, err))
        return false;
    p->name = mem_strdup(name);
    p->dir = file_join(root, name);
    p->kubeconfig = file_join(p->dir, "kubeconfig");
    p->trash = file_join(p->dir, "trash");
    p->log = file_join(p->dir, "meshtop.log");
    return true;
}

bool
profile_open(const char *name, struct profile *p, struct error *err)
{
    if (!name_files(name, p, err))
        return false;
    if (load(p, err))
        return true;
    profile_release(p);
    return false;
}

bool
profile_discard_state(const char *name, struct error *err)
{
    struct profile p;

    if (!name_files(name, &p, err))
        return false;
    AUTO(mem_free_ptr) char *path = file_join(p.dir, "state.json");
    bool ok = file_remove_tree(path, err);

    profile_release(&p);
    return ok;
}

void
profile_release(struct profile *p)
{
    profile_unlock(p);
    free(p->name);
    free(p->dir);
    free(p->kubeconfig);
    free(p->trash);
    free(p->log);
    strlist_release(&p->packages);
    strlist_release(&p->examples);
    json_free(p->facts);
    *p = (struct profile){.lock_fd = -1};
}

bool
profile_is_up(const struct profile *p)
{
    return *p->engine && file_exists(p->kubeconfig);
}

bool
profile_lock(struct profile *p, struct error *err)
{
    AUTO(mem_free_ptr) char *path = file_join(p->dir, "lock");

    if (p->lock_fd >= 0)
        return true;
    if (!file_mkdirs(p->dir, 0700, err))
        return false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_errno(err, ERR_IO, "cannot open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        error_set(err, ERR_CONFLICT,
                  "another meshtop is changing the profile \"%s\"", p->name);
        error_remedy(err, "MT-PROFILE-BUSY", "Wait until it is done.");
        return false;
    }
    p->lock_fd = fd;
    if (load(p, err))
        return true;
    profile_unlock(p);
    return false;
}

void
profile_unlock(struct profile *p)
{
    if (p->lock_fd >= 0)
        close(p->lock_fd);
    p->lock_fd = -1;
}

static void
write_list(struct json *j, const char *key, const struct strlist *l)
{
    struct json *array = json_set(j, key, json_new_array());

    for (size_t i = 0; i < l->n; i++)
        json_append(array, json_new_string(l->v[i]));
}

bool
profile_save(const struct profile *p, struct error *err)
{
    AUTO(mem_free_ptr) char *path = file_join(p->dir, "state.json");
    AUTO(json_free_ptr) struct json *j = json_new_object();
    AUTO(buf_release) struct buf text = BUF_INIT(STATE_MAX);

    json_set_int(j, "version", 1);
    json_set_string(j, "engine", p->engine);
    json_set_string(j, "context", p->context);
    write_list(j, "packages", &p->packages);
    write_list(j, "examples", &p->examples);
    json_set(j, "facts", json_copy(p->facts));
    json_print(j, JSON_PRETTY, &text);
    buf_putc(&text, '\n');
    return file_write(path, buf_view(&text), 0600, err);
}

const char *
profile_fact(const struct profile *p, const char *key)
{
    return json_get_string(p->facts, key);
}

void
profile_set_fact(struct profile *p, const char *key, const char *value)
{
    if (value)
        json_set_string(p->facts, key, value);
    else
        json_del(p->facts, key);
}

void
profile_note(struct strlist *list, const char *name)
{
    if (!strlist_has(list, str_of(name)))
        strlist_add(list, str_of(name));
}

void
profile_forget(struct strlist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i], name) == 0) {
            free(list->v[i]);
            list->v[i] = list->v[--list->n];
            return;
        }
    }
}

bool
profile_list(struct strlist *out, struct error *err)
{
    bool temporary;
    AUTO(mem_free_ptr) char *root = state_root(&temporary);
    DIR *d = opendir(root);

    if (!d)
        return errno == ENOENT ||
               error_errno(err, ERR_IO, "cannot read %s", root);
    for (struct dirent *e; (e = readdir(d));) {
        AUTO(mem_free_ptr) char *dir = file_join(root, e->d_name);
        AUTO(mem_free_ptr) char *state = file_join(dir, "state.json");

        if (valid_name(e->d_name) && file_exists(state))
            strlist_add(out, str_of(e->d_name));
    }
    closedir(d);
    strlist_sort(out);
    return true;
}
