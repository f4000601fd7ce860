/* What kind 0.33.0 really said (tests/wire/kind), understood. */
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/kind_output.h"

#include "tests/unit/test.h"

#define FOLDER "tests/wire/kind/"

/* The recorded standard error of one file goes line by line to o; returns the
 * recorded exit code. */
static int
replay(const char *file, struct kind_output *o)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);
    AUTO(mem_free_ptr) char *path = file_join(FOLDER, file);
    struct error err = {0};
    int status = -1;
    bool said = false;

    if (!file_read(path, &text, &err))
        fail_msg("%s", err.msg);
    for (struct str rest = buf_view(&text), line;
         str_next(&rest, '\n', &line);) {
        if (sscanf(line.s, "# exit: %d", &status) == 1)
            continue;
        if (str_starts(line, STR("## ")))
            said = str_starts(line, STR("## stderr"));
        else if (said)
            kind_output_line(o, 2, line);
    }
    return status < 0 ? 128 - status : status; /* -2: died of signal 2 */
}

/* Steps as "name:state" with the marks of kind. */
static void
parts_of(const struct step_run *run, struct buf *out)
{
    for (size_t i = 0; i < run->parts_n; i++) {
        enum step_state s = run->parts[i].state;

        buf_printf(out, "%s%s%s", i ? "; " : "",
                   s == STEP_DONE     ? "+"
                   : s == STEP_FAILED ? "-"
                                      : ".",
                   run->parts[i].name);
    }
}

static void
steps_become_parts(void **state)
{
    static const struct {
        const char *file, *parts;
        bool timed_out;
    } rows[] = {
        {"06-create-ok-pipes.txt",
         "+Ensuring node image (meshtop/node:v1.34.4); +Preparing nodes; "
         "+Writing configuration; +Starting control-plane; +Installing CNI; "
         "+Installing StorageClass; "
         "+Waiting \xe2\x89\xa4 2m0s for control-plane = Ready",
         false},
        {"31-create-wait-expires.txt",
         "+Ensuring node image (meshtop/node:nocni); +Preparing nodes; "
         "+Writing configuration; +Starting control-plane; +Installing CNI; "
         "+Installing StorageClass; "
         "-Waiting \xe2\x89\xa4 8s for control-plane = Ready",
         true},
        {"37-create-interrupted.txt",
         "+Ensuring node image (meshtop/node:v1.34.4); +Preparing nodes; "
         "+Writing configuration; .Starting control-plane",
         false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(kind_output_release) struct kind_output o;
        AUTO(buf_release) struct buf parts = BUF_INIT(1 << 16);
        AUTO(step_run_release) struct step_run run = {0};

        kind_output_init(&o, &run);
        replay(rows[i].file, &o);
        parts_of(&run, &parts);
        assert_string_equal(buf_cstr(&parts), rows[i].parts);
        assert_int_equal(o.timed_out, rows[i].timed_out);
        assert_int_equal(o.words.n, 0);
    }
}

static const struct {
    const char *file, *id, *says;
} failures[] = {
    {"10-create-name-exists.txt", "MT-CLUSTER-FOREIGN", "already exist"},
    {"11-create-api-port-in-use.txt", "MT-PORT-TAKEN",
     "127.0.0.1:16443 is taken: driver failed programming"},
    {"13-create-bad-config-field.txt", "MT-KIND", "unable to decode config"},
    {"14-create-bad-config-version.txt", "MT-KIND", "unknown apiVersion"},
    {"15-create-bad-config-yaml.txt", "MT-KIND", "could not determine kind"},
    {"16-create-config-missing.txt", "MT-KIND", "nothere.yaml"},
    {"17-create-bad-name.txt", "MT-KIND", "not a valid cluster name"},
    {"18-create-no-control-plane.txt", "MT-KIND", "at least one control-plane"},
    {"19-create-image-missing.txt", "MT-NET-DNS", "cannot be fetched: Get"},
    {"20-create-default-image-unreachable.txt", "MT-NET-DNS", "no such host"},
    {"21-engine-down-create.txt", "MT-ENGINE-DOWN", "unix:///run/nothere.sock"},
    {"25-no-docker-binary-create.txt", "MT-DOCKER-CLI", "executable file not"},
    {"35-create-interrupted-early.txt", "MT-KIND",
     "ended by signal 2 (Interrupt) in \"Preparing nodes\""},
    {"39-create-not-a-node-image.txt", "MT-NODE-IMAGE", "/kind/version"},
    {"40-create-extra-port-in-use.txt", "MT-PORT-TAKEN",
     "0.0.0.0:16444 is taken"},
    {"42-create-over-half-made.txt", "MT-CLUSTER-FOREIGN", "\"mt\""},
    {"61-create-kubelet-dies.txt", "MT-KUBEADM",
     "Kubernetes did not start: error execution phase wait-control-plane"},
    {"63-create-node-exits.txt", "MT-NODE-BOOT", "could not find a log line"},
    {"65-create-machine-lacks-a-capability.txt", "MT-ENGINE-PRIVILEGE",
     "unable to apply caps: operation not permitted"},
};

static void
every_failure_has_its_id_and_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        AUTO(kind_output_release) struct kind_output o;
        struct error err = {0};

        kind_output_init(&o, NULL);
        assert_false(kind_output_error(&o, replay(failures[i].file, &o), &err));
        if (strcmp(err.id, failures[i].id) != 0 ||
            !strstr(err.msg, failures[i].says) || !*err.remedy ||
            strchr(err.msg, '\n'))
            fail_msg("%s: %s: %s", failures[i].file, err.id, err.msg);
    }
}

/* Words that were not recorded: from kind's and Docker's own sources. */
static void
words_from_elsewhere(void **state)
{
    static const char *const rows[][3] = {
        {"Command Output: docker: Error response from daemon: driver failed "
         "programming external connectivity on endpoint x (1): Bind for "
         "0.0.0.0:80 failed: port is already allocated.",
         "MT-PORT-TAKEN", "0.0.0.0:80 is taken"},
        {"Command Output: Error response from daemon: could not find an "
         "available, non-overlapping IPv4 address pool among the defaults to "
         "assign to the network",
         "MT-POOL", "no free subnet: could not find"},
        {"ERROR: failed to create cluster: running kind with rootless provider "
         "requires cgroup v2, see https://kind.sigs.k8s.io/",
         "MT-HOST-CGROUP", "rootless"},
        {"ERROR: failed to create cluster: running kind with rootless provider "
         "requires setting systemd property \"Delegate=yes\", see",
         "MT-ROOTLESS-DELEGATE", "controllers"},
        {"Command Output: Error response from daemon: client version 1.43 is "
         "too old. Minimum supported API version is 1.44",
         "MT-ENGINE-API", "1.44"},
        {"Command Output: permission denied while trying to connect to the "
         "Docker daemon socket at unix:///var/run/docker.sock",
         "MT-ENGINE-PERM", "may not use"},
        {"Command Output: write /x: no space left on device", "MT-HOST-DISK",
         "disk is full"},
        {"Command Output: toomanyrequests: You have reached your pull rate "
         "limit",
         "MT-NET-RATELIMIT", "refused"},
        {"Command Output: Get https://r/v2/: x509: certificate signed by "
         "unknown authority",
         "MT-NET-PROXY", "not trusted"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(kind_output_release) struct kind_output o;
        struct error err = {0};

        kind_output_init(&o, NULL);
        kind_output_line(&o, 2, STR("ERROR: failed to create cluster: x"));
        kind_output_line(&o, 2, str_of(rows[i][0]));
        kind_output_error(&o, 1, &err);
        if (strcmp(err.id, rows[i][1]) != 0 || !strstr(err.msg, rows[i][2]))
            fail_msg("%s: %s: %s", rows[i][1], err.id, err.msg);
    }
}

static void
hostile_lines_do_no_harm(void **state)
{
    AUTO(kind_output_release) struct kind_output o;
    AUTO(step_run_release) struct step_run run = {0};
    AUTO(mem_free_ptr) char *big = mem_alloc(1 << 20);
    struct error err = {0};

    (void)state;
    memset(big, 'x', 1 << 20);
    kind_output_init(&o, &run);
    kind_output_line(&o, 2, STR(" \xe2\x80\xa2 "));
    kind_output_line(&o, 2, STR(" \xe2\x80\xa2 ..."));
    kind_output_line(&o, 2, STR(" \xe2\x9c\x93 \xe2\x80\xa2"));
    kind_output_line(&o, 2, STR(" \xe2\x9c"));
    kind_output_line(&o, 2, (struct str){0});
    assert_int_equal(run.parts_n, 0);
    memcpy(big, " \xe2\x9c\x93 ", 5);
    kind_output_line(&o, 2, str_n(big, 1 << 20));
    assert_int_equal(run.parts_n, 1);
    assert_true(strlen(run.parts[0].name) < 128);
    kind_output_line(&o, 2, STR("ERROR: \x1b]0;evil\x07 \x00 x"));
    for (int i = 0; i < 3; i++)
        kind_output_line(&o, 2, str_n(big, 1 << 20));
    kind_output_line(&o, 2, STR(" \xe2\x9c\x93 not a step any more"));
    assert_int_equal(run.parts_n, 1);
    assert_true(o.words.n <= KIND_OUTPUT_MAX);
    kind_output_error(&o, 1, &err);
    assert_string_equal(err.id, "MT-KIND");
    assert_null(strchr(err.msg, '\x1b'));
}

static void
last_words_of_nodes(void **state)
{
    static const char *const rows[][2] = {
        {"Failed to create control group inotify object: Too many open files",
         "MT-HOST-INOTIFY"},
        {"[!!!!!!] Failed to allocate manager object, freezing.",
         "MT-NODE-BOOT"},
        {"Failed to create /init.scope control group: Read-only file system",
         "MT-HOST-CGROUP"},
        {"exec /usr/local/bin/entrypoint: exec format error", "MT-NODE-IMAGE"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct kind_last_words *w = kind_last_words(str_of(rows[i][0]));

        assert_non_null(w);
        assert_string_equal(w->id, rows[i][1]);
        assert_true(w->final);
    }
    assert_false(kind_last_words(STR("x: No space left on device"))->final);
    assert_null(
        kind_last_words(STR("[  OK  ] Reached target Multi-User System.")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_become_parts),
        cmocka_unit_test(every_failure_has_its_id_and_its_words),
        cmocka_unit_test(words_from_elsewhere),
        cmocka_unit_test(hostile_lines_do_no_harm),
        cmocka_unit_test(last_words_of_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
