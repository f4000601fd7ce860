/* meshtop doctor: what this machine lacks for a mesh, and how to mend it. */
#include <string.h>
#include <unistd.h>

#include "lib/base/process.h"

#include "devenv/doctor.h"
#include "devenv/failure.h"
#include "devenv/kind.h"
#include "devenv/kind_config.h"
#include "devenv/lock.h"
#include "devenv/profile.h"

#include "cli/ask.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/output.h"

/* Columns: "  FAIL  container engine  what was found"; under it, what
 * belongs to it. */
#define TITLE_WIDTH 18
#define INDENT      8
#define TEXT_COLUMN (INDENT + TITLE_WIDTH)
#define FIXES_MAX   16

struct screen {
    const struct args *a;
    struct doctor *doctor;
    size_t printed; /* rows, from the first */
    size_t width;
    bool all, json, terminal;
};

static const char *const words[] = {
    [HOST_OK] = "ok",
    [HOST_WARN] = "warn",
    [HOST_FAIL] = "FAIL",
    [HOST_SKIPPED] = "-",
};

/* What was seen. */
static void
print_evidence(const struct screen *s, const struct host_check *c)
{
    for (size_t i = 0; i < c->evidence.n; i++) {
        printf("%*s- ", INDENT, "");
        columns_wrap(str_of(c->evidence.v[i]), INDENT + 2, s->width, stdout);
    }
}

static void
print_failure(const struct screen *s, const struct host_check *c)
{
    struct str line, rest = str_of(c->error.remedy);

    printf("%*s", INDENT, "");
    columns_wrap(str_of(c->error.msg), INDENT, s->width, stdout);
    print_evidence(s, c);
    if (*c->error.id)
        printf("%*s%s, exit code %d%s\n", INDENT, "", c->error.id,
               failure_exit(&c->error), rest.n ? ". What to do:" : "");
    while (rest.n && str_next(&rest, '\n', &line)) {
        printf("%*s", INDENT + 2, "");
        columns_text(line, false, stdout);
        putchar('\n');
    }
}

static void
print_check(const struct screen *s, const struct host_row *r,
            const struct host_check *c)
{
    bool sick = c->verdict == HOST_WARN || c->verdict == HOST_FAIL;
    AUTO(buf_release) struct buf line = BUF_INIT(8192);

    printf("  %-4s  %-*s", words[c->verdict], TITLE_WIDTH, r->title);
    buf_puts(&line, c->found);
    if (*c->needed && (sick || s->all))
        buf_printf(&line, " (needed: %s)", c->needed);
    columns_wrap(buf_view(&line), TEXT_COLUMN, s->width, stdout);
    if (sick)
        print_failure(s, c);
    else if (s->all)
        print_evidence(s, c);
}

/* Rows appear in the table's order, each as soon as those above it have. */
static void
on_row(void *arg, size_t i)
{
    struct screen *s = arg;
    const struct host_check *c;

    (void)i;
    if (s->json)
        return;
    if (s->terminal)
        fputs("\r\033[K", stdout);
    while (s->printed < doctor_count(s->doctor) &&
           (c = doctor_check(s->doctor, s->printed))) {
        print_check(s, doctor_row(s->doctor, s->printed), c);
        s->printed++;
    }
    if (s->terminal && s->printed < doctor_count(s->doctor))
        printf("  ...   %s", doctor_row(s->doctor, s->printed)->title);
    fflush(stdout);
}

/* What must be fetched cannot be: ready all the same, where it is here. */
static bool
network_fails(const struct doctor *d)
{
    for (size_t i = 0; i < doctor_count(d); i++) {
        const struct host_check *c = doctor_check(d, i);

        if (c && strcmp(doctor_row(d, i)->id, "network") == 0)
            return c->verdict == HOST_WARN;
    }
    return false;
}

static void
print_sum(const struct screen *s, const char *engine)
{
    size_t warned = doctor_sum(s->doctor, HOST_WARN);
    size_t failed = doctor_sum(s->doctor, HOST_FAIL);
    struct doctor_fix any;

    printf(
        "\n%zu ok, %zu warning%s, %zu failed: ", doctor_sum(s->doctor, HOST_OK),
        warned, warned == 1 ? "" : "s", failed);
    if (failed)
        printf("not ready for %s (exit code %d)\n", engine,
               doctor_exit(s->doctor));
    else
        printf("ready for %s\n", engine);
    if (!failed && network_fails(s->doctor))
        puts("With what is here: not everything could be fetched.");
    if (failed && strcmp(engine, "sandbox") != 0 &&
        doctor_sandbox_works(s->doctor))
        puts("The sandbox needs none of what failed: "
             "meshtop up --engine sandbox");
    if (doctor_fixes(s->doctor, geteuid() == 0, &any, 1))
        puts("meshtop doctor --fix mends what a command can mend.");
}

/* ---- --fix ---- */

static bool
run_line(const char *line, struct error *err)
{
    const char *argv[] = {"sh", "-c", line, NULL};
    int status;

    fprintf(stderr, "+ %s\n", line);
    if (!process_foreground(argv, &status, err))
        return false;
    return status == 0 ||
           error_set(err, ERR_IO, "that ended with exit code %d", status);
}

static int
fix(const struct screen *s)
{
    struct doctor_fix lines[FIXES_MAX];
    struct error err = {0};
    size_t n = doctor_fixes(s->doctor, geteuid() == 0, lines, FIXES_MAX);

    if (!n) {
        puts("\nThere is nothing a command could mend.");
        return doctor_exit(s->doctor);
    }
    printf("\nTo mend it on %s:\n", *doctor_distribution(s->doctor)
                                        ? doctor_distribution(s->doctor)
                                        : "this machine");
    for (size_t i = 0; i < n; i++)
        printf("  # %s\n  %s\n", lines[i].why, lines[i].line);
    fflush(stdout);
    if (!ask_yes(s->a, "Run this?", &err))
        return command_fail(&err);
    for (size_t i = 0; i < n; i++) {
        if (!run_line(lines[i].line, &err))
            return command_fail(&err);
    }
    puts("Done. Run meshtop doctor again to see what it changed.");
    return EXIT_DONE;
}

/* ---- */

static int
print_lock(const struct args *a)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    struct lock lock = {0};
    struct error err = {0};
    enum output how;
    bool ok = output_of(a, &how, &err) && lock_load(&lock, &err) &&
              lock_print(&lock, how == OUTPUT_JSON, &text);

    lock_release(&lock);
    if (!ok)
        return command_fail(&err);
    output_text(buf_view(&text));
    return EXIT_DONE;
}

/* The engine asked for, else the profile's, else kind. */
static bool
choose_engine(const struct args *a, char out[16], struct error *err)
{
    static const char *const names[] = {"kind", "sandbox", "context"};
    const char *asked = args_get(a, "engine", "auto");
    struct profile p;

    if (strcmp(asked, "auto") == 0) {
        if (!profile_open(args_get(a, "profile", NULL), &p, err))
            return false;
        snprintf(out, 16, "%s", *p.engine ? p.engine : "kind");
        profile_release(&p);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], asked) == 0) {
            snprintf(out, 16, "%s", asked);
            return true;
        }
    }
    error_set(err, ERR_USAGE, "no engine \"%s\"", asked);
    error_remedy(err, "", "There are sandbox, kind and context.");
    return false;
}

/* "80,443" as "80 443"; without the flag those of the cluster's template. */
static bool
choose_ports(const struct args *a, struct buf *out, struct error *err)
{
    AUTO(strlist_release) struct strlist list = {0};
    uint64_t n;

    args_list(a, "ports", &list);
    for (size_t i = 0; i < list.n; i++) {
        if (!str_to_u64(str_of(list.v[i]), &n) || !n || n > UINT16_MAX)
            return error_set(err, ERR_USAGE, "\"%s\" is no port", list.v[i]);
        buf_printf(out, "%s%s", i ? " " : "", list.v[i]);
    }
    if (!list.n)
        kind_config_ports(args_get(a, "cluster", KIND_TEMPLATE_DEFAULT), out);
    return true;
}

static int
examine(const struct args *a, const struct host_options *o, bool json)
{
    struct screen s = {.a = a,
                       .json = json,
                       .all = args_has(a, "all"),
                       .terminal = isatty(STDOUT_FILENO),
                       .width = columns_of_terminal()};
    struct error err = {0};
    struct loop *loop = loop_new(&err);

    if (!loop)
        return command_fail(&err);
    s.doctor = doctor_new(loop, o, on_row, &s);
    if (!json)
        printf("this machine for the engine %s\n\n", o->engine);
    int code =
        doctor_run(s.doctor, &err) ? doctor_exit(s.doctor) : command_fail(&err);

    if (json && !err.code) {
        AUTO(json_free_ptr) struct json *j = doctor_json(s.doctor);

        output_tree(j, OUTPUT_JSON);
    } else if (!err.code) {
        print_sum(&s, o->engine);
    }
    if (!err.code && args_has(a, "fix"))
        code = fix(&s);
    doctor_free(s.doctor);
    loop_free(loop);
    return code;
}

static int
run(const struct args *a)
{
    AUTO(buf_release) struct buf ports = BUF_INIT(4096);
    struct host_options o = {.node_image = args_get(a, "node-image", NULL)};
    struct error err = {0};
    char engine[16], cluster[KIND_NAME_SIZE];
    enum output how;

    if (args_has(a, "lock"))
        return print_lock(a);
    if (!output_of(a, &how, &err) || !choose_engine(a, engine, &err) ||
        !choose_ports(a, &ports, &err))
        return command_fail(&err);
    o.engine = engine;
    o.ports = buf_cstr(&ports);
    kind_cluster_name(args_get(a, "profile", PROFILE_DEFAULT), cluster);
    o.cluster = cluster;
    return examine(a, &o, how == OUTPUT_JSON);
}

static const struct flag flags[] = {
    {"engine", 0, "NAME", "kind, sandbox or context (default: the profile's)"},
    {"all", 'a', NULL, "the evidence of what is fine, too"},
    {"ports", 0, "N,...", "ports of this machine that must be free"},
    {"cluster", 0, "NAME", "the cluster template whose ports to look at"},
    {"node-image", 0, "REF", "the node image that is meant"},
    {"lock", 0, NULL, "print the versions this program was made for"},
    {"fix", 0, NULL, "print, and after a yes run, what mends it"},
    {"yes", 0, NULL, "the answer to --fix"},
    {0},
};

const struct command cmd_doctor = {
    .name = "doctor",
    .args = "",
    .summary = "what this machine lacks for a mesh, and how to mend it",
    .help = "Looks at processors, memory, disk, kernel limits, ports, the "
            "container engine,\nthe network, the clock and your folders; "
            "changes nothing. The exit code is that\nof the first failure's "
            "cause (meshtop help MT-ID explains one).\n--fix prints this "
            "distribution's own commands and runs them after a yes.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
