/* What belongs to the user: folders, kubeconfig, terminal, proxy variables. */
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/fetch.h"
#include "devenv/host_check.h"
#include "devenv/profile.h"
#include "devenv/tool.h"

static const char *
variable(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

/* ---- folders ---- */

static void
check_folder(struct host *h, const char *what, const char *path,
             enum host_verdict worst, struct host_check *c)
{
    AUTO(mem_free_ptr) char *at = host_existing(path);
    char left[HOST_SIZE_LEN], must[HOST_SIZE_LEN];
    uint64_t room = 0, total = 0;
    bool inodes = true, known = host_space(at, &room, &total, &inodes);

    host_gb(room, left);
    host_gb(h->needs->cache_needs, must);
    host_note(c, "%s: %s, %s free", what, path, left);
    if (access(at, W_OK | X_OK) != 0) {
        bool first = c->verdict != HOST_FAIL;

        host_blame(c, worst, "MT-HOST-FOLDER", "%s cannot be written (%s).", at,
                   what);
        if (first && worst == HOST_FAIL)
            error_remedy(&c->error, "MT-HOST-FOLDER",
                         "sudo chown %u %s\nor set XDG_STATE_HOME and "
                         "XDG_CACHE_HOME to folders of yours.",
                         (unsigned)getuid(), at);
    } else if (known && (room < h->needs->cache_needs || !inodes)) {
        host_blame(c, worst, "MT-HOST-DISK", "%s free at %s, %s needed (%s).",
                   left, at, must, what);
    }
}

void
host_check_folders(struct host *h, struct step_run *run, struct host_check *c)
{
    AUTO(mem_free_ptr) char *cache = fetch_cache_dir();
    AUTO(mem_free_ptr) char *tools = tool_dir();
    const char *tmp = variable("TMPDIR");
    struct error err = {0};
    struct profile p;

    (void)run;
    if (!profile_open(NULL, &p, &err) && err.code == ERR_DENIED) {
        host_blame_error(c, HOST_FAIL, &err);
        return;
    }
    host_needed(c, "writable");
    if (p.dir) {
        host_found(c, "state in %s", p.dir);
        check_folder(h, "state", p.dir, HOST_FAIL, c);
        if (p.temporary)
            host_blame(c, HOST_WARN, "MT-HOST-FOLDER",
                       "HOME cannot be written: state is kept in %s.", p.dir);
    }
    profile_release(&p);
    check_folder(h, "downloads", cache, HOST_WARN, c);
    check_folder(h, "programs", tools, HOST_WARN, c);
    check_folder(h, "temporary", tmp ? tmp : "/tmp", HOST_WARN, c);
}

/* ---- kubeconfig ---- */

/* The file kubectl and kind write: the first of KUBECONFIG, else HOME's. */
static char *
kubeconfig_path(void)
{
    struct str first, rest;

    if (variable("KUBECONFIG")) {
        str_cut(str_of(variable("KUBECONFIG")), ':', &first, &rest);
        return mem_strndup(first.s, first.n);
    }
    return file_join(variable("HOME") ? variable("HOME") : "/", ".kube/config");
}

void
host_check_kubeconfig(struct host *h, struct step_run *run,
                      struct host_check *c)
{
    AUTO(mem_free_ptr) char *path = kubeconfig_path();
    AUTO(mem_free_ptr) char *lock = mem_printf("%s.lock", path);
    char age[CLOCK_HUMAN_LEN];
    struct stat st;

    (void)run;
    host_found(c, "%s%s", path, file_exists(path) ? "" : " (none yet)");
    if (lstat(lock, &st) != 0)
        return;
    clock_human((h->o->now_s ? h->o->now_s : time(NULL)) - st.st_mtime, age);
    host_blame(c, HOST_WARN, "MT-KUBECONFIG-LOCK",
               "%s blocks the kubeconfig (%s old).", lock, age);
    error_remedy(&c->error, "MT-KUBECONFIG-LOCK",
                 "If neither kubectl nor kind runs, remove it:\nrm %s", lock);
}

/* ---- terminal ---- */

void
host_check_terminal(struct host *h, struct step_run *run, struct host_check *c)
{
    locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    const char *charset = l ? nl_langinfo_l(CODESET, l) : "unknown";
    const char *term = variable("TERM");
    struct winsize size = {0};

    (void)h;
    (void)run;
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    host_found(c, "%s%s, %s", term ? term : "no TERM",
               isatty(STDOUT_FILENO) ? "" : " (output is no terminal)",
               charset);
    if (size.ws_col)
        host_note(c, "%d columns, %d lines", size.ws_col, size.ws_row);
    if (!term || strcmp(term, "dumb") == 0)
        host_note(c, "the live view needs a TERM; without it, text");
    if (strcmp(charset, "UTF-8") != 0)
        host_note(c, "no UTF-8 locale: lines are drawn with ASCII");
    if (l)
        freelocale(l);
}

/* ---- proxy ---- */

/* A proxy's URL without what somebody logs in with. */
static void
without_password(const char *url, struct buf *out)
{
    struct str s = str_of(url);
    size_t scheme = str_find(s, STR("://"), 0);
    size_t from = scheme == SIZE_MAX ? 0 : scheme + 3;
    const char *at = memrchr(s.s, '@', s.n);

    buf_str(out, str_sub(s, 0, from));
    if (at && at >= s.s + from)
        buf_puts(out, "***@");
    buf_str(out, str_from(s, at ? (size_t)(at + 1 - s.s) : from));
}

/* Does the list of NO_PROXY keep loopback away from the proxy? */
static bool
excepts_loopback(const char *list)
{
    static const char *const names[] = {"127.0.0.1", "127.0.0.0/8", "*"};
    struct str word, rest = str_of(list);

    while (rest.n && str_next(&rest, ',', &word)) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (str_eqz(str_trim(word), names[i]))
                return true;
        }
    }
    return false;
}

static const char *
either(const char *small, const char *capital)
{
    return variable(small) ? variable(small) : variable(capital);
}

void
host_check_proxy(struct host *h, struct step_run *run, struct host_check *c)
{
    const char *https = either("https_proxy", "HTTPS_PROXY");
    const char *none = either("no_proxy", "NO_PROXY");
    AUTO(buf_release) struct buf shown = BUF_INIT(4096);

    (void)run;
    if (!https)
        https = either("all_proxy", "ALL_PROXY");
    if (h->info && (*h->info->https_proxy || *h->info->http_proxy))
        host_note(c, "the engine pulls through a proxy of its own");
    if (!https) {
        host_found(c, "none");
        return;
    }
    without_password(https, &shown);
    host_found(c, "%s", buf_cstr(&shown));
    host_note(c, "downloads and kind's nodes go through %s", buf_cstr(&shown));
    host_note(c, "except NO_PROXY: %s", none ? none : "(nothing)");
    if (!excepts_loopback(none)) {
        host_blame(c, HOST_WARN, "MT-NET-PROXY",
                   "NO_PROXY does not name 127.0.0.1, where the cluster "
                   "answers.");
        error_remedy(&c->error, "MT-NET-PROXY",
                     "export NO_PROXY=%s%slocalhost,127.0.0.1,::1",
                     none ? none : "", none ? "," : "");
    }
    if (h->info && !*h->info->https_proxy && !*h->info->http_proxy)
        host_blame(c, HOST_WARN, "MT-NET-PROXY",
                   "This shell has a proxy, the engine has none: its pulls "
                   "go out directly.");
}
