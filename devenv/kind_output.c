#include "devenv/kind_output.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"

#include "devenv/failure.h"

#define EVIDENCE_MAX 400

void
kind_output_init(struct kind_output *o, struct step_run *run)
{
    *o = (struct kind_output){.run = run};
    buf_init(&o->words, KIND_OUTPUT_MAX);
}

void
kind_output_release(struct kind_output *o)
{
    buf_release(&o->words);
}

static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* ---- lines ---- */

static const struct {
    const char *mark;
    enum step_state state;
} marks[] = {
    {" \xe2\x80\xa2 ", STEP_RUNNING}, /* • */
    {" \xe2\x9c\x93 ", STEP_DONE},    /* ✓ */
    {" \xe2\x9c\x97 ", STEP_FAILED},  /* ✗ */
};

/* "Preparing nodes 📦   ..." without what comes after its last word. */
static struct str
step_name(struct str s)
{
    s = str_trim(s);
    if (str_ends(s, STR("...")))
        s.n -= 3;
    while (s.n && ((unsigned char)s.s[s.n - 1] >= 0x80 || s.s[s.n - 1] == ' '))
        s.n--;
    return s;
}

static void
on_step(struct kind_output *o, struct str rest, enum step_state state)
{
    struct str name = step_name(rest);

    if (str_contains(rest, STR("Timed out waiting for Ready")))
        o->timed_out = true;
    /* A bullet without dots is a remark. */
    if (!name.n || (state == STEP_RUNNING && !str_ends(rest, STR("..."))))
        return;
    snprintf(o->step, sizeof(o->step), "%.*s", STR_ARG(name));
    o->step_failed = state == STEP_FAILED;
    if (!o->run)
        return;
    step_part(o->run, o->step, state, "");
    if (state == STEP_RUNNING)
        step_detail(o->run, "kind: %s", o->step);
}

void
kind_output_line(void *arg, int fd, struct str line)
{
    struct kind_output *o = arg;

    (void)fd;
    if (!o->words.n) {
        for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
            struct str mark = str_of(marks[i].mark);

            if (str_starts(line, mark)) {
                on_step(o, str_from(line, mark.n), marks[i].state);
                return;
            }
        }
    }
    if (o->words.n || str_starts(line, STR("ERROR:"))) {
        for (size_t i = 0; i < line.n; i++)
            buf_putc(&o->words, is_control(line.s[i]) ? ' ' : line.s[i]);
        buf_putc(&o->words, '\n');
    }
}

/* ---- what failed ---- */

/* The first row whose words were said counts: causes before symptoms. proof:
 * what the line that is shown holds; NULL: the words themselves. */
static const struct {
    const char *words, *proof;
    const char *id;
    enum err_code code;
    const char *sentence;
} causes[] = {
    {"executable file not found in $PATH", NULL, "MT-DOCKER-CLI", ERR_NOT_FOUND,
     "kind needs the engine's command-line program, and it is not on PATH"},
    {"Cannot connect to the Docker daemon", NULL, "MT-ENGINE-DOWN", ERR_NETWORK,
     "the container engine does not answer"},
    {"permission denied while trying to connect", NULL, "MT-ENGINE-PERM",
     ERR_DENIED, "you may not use the container engine"},
    {"inimum supported API version", NULL, "MT-ENGINE-API", ERR_UNSUPPORTED,
     "the engine and its command-line program do not speak the same API"},
    {"no space left on device", NULL, "MT-HOST-DISK", ERR_IO,
     "the engine's disk is full"},
    {"too many open files", NULL, "MT-HOST-INOTIFY", ERR_LIMIT,
     "inotify instances are used up"},
    {"Too many open files", NULL, "MT-HOST-INOTIFY", ERR_LIMIT,
     "inotify instances are used up"},
    {"node(s) already exist for a cluster", NULL, "MT-CLUSTER-FOREIGN",
     ERR_EXISTS, "a Kind cluster of this name exists"},
    {"address already in use", NULL, "MT-PORT-TAKEN", ERR_CONFLICT,
     "a port is taken"},
    {"port is already allocated", NULL, "MT-PORT-TAKEN", ERR_CONFLICT,
     "a port is taken"},
    {"Ports are not available", NULL, "MT-PORT-TAKEN", ERR_CONFLICT,
     "a port is taken"},
    {"non-overlapping IPv4 address pool", NULL, "MT-POOL", ERR_LIMIT,
     "the engine has no free subnet"},
    {"predefined address pools have been fully subnetted", NULL, "MT-POOL",
     ERR_LIMIT, "the engine has no free subnet"},
    {"unable to apply caps", NULL, "MT-ENGINE-PRIVILEGE", ERR_DENIED,
     "the engine cannot start privileged containers on this machine"},
    {"OCI runtime create failed", NULL, "MT-ENGINE-PRIVILEGE", ERR_IO,
     "the engine could not start a node"},
    {"requires cgroup v2", NULL, "MT-HOST-CGROUP", ERR_UNSUPPORTED,
     "a rootless engine needs cgroup v2"},
    {"Delegate=yes", NULL, "MT-ROOTLESS-DELEGATE", ERR_UNSUPPORTED,
     "the rootless engine may not use the controllers it needs"},
    {"toomanyrequests", NULL, "MT-NET-RATELIMIT", ERR_NETWORK,
     "the registry refused the node image"},
    {"x509:", NULL, "MT-NET-PROXY", ERR_NETWORK,
     "the registry of the node image shows a certificate that is not trusted"},
    {"failed to pull image", "rror response from daemon", "MT-NET-DNS",
     ERR_NETWORK, "the node image cannot be fetched"},
    {"/kind/version: No such file", NULL, "MT-NODE-IMAGE", ERR_INVALID,
     "the image is not a Kind node image"},
    {"could not find a log line that matches", NULL, "MT-NODE-BOOT", ERR_IO,
     "the node did not boot"},
    {"failed to init node with kubeadm", "error: error execution phase",
     "MT-KUBEADM", ERR_TIMEOUT, "Kubernetes did not start"},
    {"failed to join node with kubeadm", "error: error execution phase",
     "MT-KUBEADM", ERR_TIMEOUT, "a worker did not join"},
    {"failed to lock config file", NULL, "MT-KUBECONFIG-LOCK", ERR_CONFLICT,
     "the kubeconfig is locked"},
};

/* The last line that holds words, or the empty view. */
static struct str
line_with(struct str text, const char *words)
{
    struct str line, found = {0};

    while (text.n && str_next(&text, '\n', &line)) {
        if (str_contains(line, str_of(words)))
            found = line;
    }
    return found;
}

/* What docker says, without who says so, and the tail of kind's sentences. */
static struct str
without_preface(struct str line)
{
    static const char *const prefaces[] = {
        "Command Output: ", "docker: ", "Error response from daemon: ",
        "error: ",          "ERROR: ",  "failed to create cluster: "};

    for (size_t i = 0; i < ARRAY_LEN(prefaces); i++) {
        if (str_starts(line, str_of(prefaces[i])))
            line = str_from(line, strlen(prefaces[i]));
    }
    /* command "docker run ...": what was run is long and says nothing. */
    size_t quote = str_find(line, STR("command \""), 0);
    size_t after = str_find(line, STR("\" failed with error: "), 0);

    if (quote == 0 && after != SIZE_MAX)
        line = str_from(line, after + strlen("\" failed with error: "));
    return line;
}

/* "127.0.0.1:80" of "... listen tcp4 127.0.0.1:80: bind: address ..." or of
 * "Bind for 0.0.0.0:80 failed: port is already allocated". */
static struct str
address_in(struct str line)
{
    static const char *const befores[] = {"Bind for ", "listen tcp4 ",
                                          "listen tcp6 ", "listen tcp ",
                                          "exposing port TCP "};

    for (size_t i = 0; i < ARRAY_LEN(befores); i++) {
        size_t at = str_find(line, str_of(befores[i]), 0);
        struct str word, rest;

        if (at == SIZE_MAX)
            continue;
        str_cut(str_from(line, at + strlen(befores[i])), ' ', &word, &rest);
        while (word.n && word.s[word.n - 1] == ':')
            word.n--;
        return word;
    }
    return (struct str){0};
}

static bool
fail_with(size_t row, struct str words, struct error *err)
{
    const char *proof = causes[row].proof ? causes[row].proof : NULL;
    struct str line = line_with(words, proof ? proof : causes[row].words);

    if (!line.n)
        line = line_with(words, causes[row].words);
    struct str address = address_in(line);

    line = str_sub(without_preface(line), 0, EVIDENCE_MAX);
    if (strcmp(causes[row].id, "MT-PORT-TAKEN") == 0 && address.n)
        error_set(err, causes[row].code, "%.*s is taken: %.*s",
                  STR_ARG(address), STR_ARG(line));
    else
        error_set(err, causes[row].code, "%s: %.*s", causes[row].sentence,
                  STR_ARG(line));
    if (err)
        failure_remedy(err, causes[row].id);
    return false;
}

bool
kind_output_error(const struct kind_output *o, int status, struct error *err)
{
    struct str words = buf_view(&o->words);
    struct str first = {0}, rest;

    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (str_contains(words, str_of(causes[i].words)))
            return fail_with(i, words, err);
    }
    str_cut(words, '\n', &first, &rest);
    first = str_sub(without_preface(first), 0, EVIDENCE_MAX);
    if (first.n)
        error_set(err, ERR_IO, "kind could not make the cluster: %.*s",
                  STR_ARG(first));
    else if (status > 128)
        error_set(err, ERR_IO, "kind was ended by signal %d (%s) in \"%s\"",
                  status - 128, strsignal(status - 128), o->step);
    else
        error_set(err, ERR_IO, "kind ended with %d in \"%s\"", status, o->step);
    if (err)
        failure_remedy(err, "MT-KIND");
    return false;
}

/* ---- a node's last words ---- */

static const struct kind_last_words fatal[] = {
    {"Failed to create control group inotify object", "MT-HOST-INOTIFY",
     "the node cannot watch its cgroups: inotify instances are used up", true},
    {"manager object: Too many open files", "MT-HOST-INOTIFY",
     "the node's init could not start: inotify instances are used up", true},
    {"Failed to allocate manager object", "MT-NODE-BOOT",
     "the node's init could not start", true},
    {"exec format error", "MT-NODE-IMAGE",
     "the node image is made for another processor", true},
    {"configured to not run on a host using cgroup v1", "MT-HOST-CGROUP",
     "this Kubernetes does not start on cgroup v1", true},
    {"/init.scope control group", "MT-HOST-CGROUP",
     "the node may not make its cgroups", true},
    {"oo many open files", "MT-HOST-INOTIFY", "inotify instances are used up",
     false},
    {"o space left on device", "MT-HOST-DISK", "the engine's disk is full",
     false},
    {"Failed to mount cgroup", "MT-HOST-CGROUP",
     "the node cannot mount its cgroups", false},
    {"Freezing execution", "MT-NODE-BOOT", "the node's init stopped", true},
    {"Exiting PID 1", "MT-NODE-BOOT", "the node's init ended", true},
};

const struct kind_last_words *
kind_last_words(struct str line)
{
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
        if (str_contains(line, str_of(fatal[i].words)))
            return &fatal[i];
    }
    return NULL;
}
