/* The whole examination on a planted machine, and the lines that mend it. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/doctor.h"

#include "tests/unit/test.h"

static char root[64];
static struct loop *loop;

static int
begin(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/meshtop-doctor-XXXXXX");
    assert_non_null(mkdtemp(root));
    setenv("XDG_STATE_HOME", root, 1);
    setenv("XDG_CACHE_HOME", root, 1);
    setenv("XDG_DATA_HOME", root, 1);
    setenv("HOME", root, 1);
    unsetenv("KUBECONFIG");
    loop = loop_new(NULL);
    return loop ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    loop_free(loop);
    assert_true(file_remove_tree(root, NULL));
    return 0;
}

static void
plant(const char *path, const char *text)
{
    AUTO(mem_free_ptr) char *full = mem_printf("%s%s", root, path);
    AUTO(mem_free_ptr) char *dir = mem_strdup(full);

    *strrchr(dir, '/') = '\0';
    assert_true(file_mkdirs(dir, 0755, NULL));
    test_write_script(full, text);
}

struct heard {
    size_t n;
    bool row[64];
};

static void
hear(void *arg, size_t i)
{
    struct heard *h = arg;

    assert_false(h->row[i]); /* each row once */
    h->row[i] = true;
    h->n++;
}

static const struct host_site nobody[] = {{0}};

/* Without an engine, a network and enough processors. */
static struct host_options
poor(const char *engine)
{
    return (struct host_options){.root = root,
                                 .engine = engine,
                                 .machine = "x86_64",
                                 .sites = nobody,
                                 .docker_host = "unix:///nonexistent/sock"};
}

static struct doctor *
examine(const struct host_options *o, struct heard *heard)
{
    struct doctor *d = doctor_new(loop, o, heard ? hear : NULL, heard);
    struct error err = {0};

    assert_true(doctor_run(d, &err));
    return d;
}

static size_t
row_of(const struct doctor *d, const char *id)
{
    size_t i = 0;

    while (strcmp(doctor_row(d, i)->id, id) != 0)
        i++;
    return i;
}

static void
every_row_has_a_result_and_the_first_failure_counts(void **state)
{
    struct host_options o = poor("kind");
    struct heard heard = {0};

    (void)state;
    plant("/sys/devices/system/cpu/online", "0\n");
    struct doctor *d = examine(&o, &heard);

    assert_int_equal(heard.n, doctor_count(d));
    assert_int_equal(doctor_sum(d, HOST_OK) + doctor_sum(d, HOST_WARN) +
                         doctor_sum(d, HOST_FAIL) + doctor_sum(d, HOST_SKIPPED),
                     doctor_count(d));
    assert_int_equal(doctor_check(d, row_of(d, "engine"))->verdict, HOST_FAIL);
    assert_int_equal(doctor_check(d, row_of(d, "cpus"))->verdict, HOST_FAIL);
    assert_int_equal(doctor_exit(d), 20); /* not the processor's 10 */
    /* one processor is enough for the sandbox; no memory is not */
    assert_true(doctor_sandbox_works(d));
    plant("/proc/meminfo", "MemTotal: 65536 kB\n");
    assert_false(doctor_sandbox_works(d));
    doctor_free(d);
}

static void
programs_read_the_same(void **state)
{
    struct host_options o = poor("kind");
    struct doctor *d = examine(&o, NULL);
    AUTO(json_free_ptr) struct json *j = doctor_json(d);
    const struct json *engine = json_first(json_get(j, "checks"));

    (void)state;
    assert_string_equal(json_get_string(j, "engine"), "kind");
    assert_false(json_bool(json_get(j, "ready"), true));
    assert_int_equal(json_int64_or(json_get(j, "exit"), 0), 20);
    assert_int_equal(json_len(json_get(j, "checks")), doctor_count(d));
    assert_string_equal(json_get_string(engine, "id"), "engine");
    assert_string_equal(json_get_string(engine, "verdict"), "fail");
    assert_string_equal(json_string(json_at(engine, "failure", "id", NULL)),
                        "MT-ENGINE-DOWN");
    assert_true(json_len(json_at(engine, "failure", "remedy", NULL)) > 2);
    doctor_free(d);
}

static void
the_sandbox_asks_for_little(void **state)
{
    struct host_options o = poor("sandbox");

    (void)state;
    plant("/sys/devices/system/cpu/online", "0\n");
    struct doctor *d = examine(&o, NULL);

    for (size_t i = 0; i < doctor_count(d); i++)
        assert_string_not_equal(doctor_row(d, i)->id, "engine");
    assert_int_equal(doctor_exit(d), 0);
    doctor_free(d);
}

/* ---- lines that mend ---- */

/* The lines for a machine without an engine, joined by " ; ". */
static void
lines(const char *release, bool as_root, const char *want)
{
    AUTO(buf_release) struct buf all = BUF_INIT(65536);
    struct host_options o = poor("kind");
    struct doctor_fix fixes[8];

    plant("/etc/os-release", release);
    struct doctor *d = examine(&o, NULL);
    size_t n = doctor_fixes(d, as_root, fixes, ARRAY_LEN(fixes));

    for (size_t i = 0; i < n; i++) {
        assert_true(*fixes[i].why);
        buf_printf(&all, "%s%s", i ? " ; " : "", fixes[i].line);
    }
    assert_string_equal(buf_cstr(&all), want);
    /* no room, no line */
    assert_int_equal(doctor_fixes(d, as_root, fixes, 0), 0);
    doctor_free(d);
}

static void
each_distribution_has_its_lines(void **state)
{
    (void)state;
    lines("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", false,
          "sudo apt-get update && sudo apt-get install -y docker.io ; "
          "sudo service docker start");
    plant("/run/systemd/system/x", "");
    lines("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", true,
          "apt-get update && apt-get install -y docker.io ; "
          "systemctl enable --now docker");
    lines("ID=fedora\n", false,
          "sudo dnf install -y moby-engine || "
          "sudo dnf install -y podman podman-docker ; "
          "sudo systemctl enable --now docker");
    lines("ID=arch\n", false,
          "sudo pacman -S --noconfirm docker ; "
          "sudo systemctl enable --now docker");
    lines("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", false,
          "sudo zypper --non-interactive install docker ; "
          "sudo systemctl enable --now docker");
    /* one that is there is only started */
    plant("/usr/bin/dockerd", "");
    lines("ID=debian\n", false, "sudo systemctl enable --now docker");
    /* nobody guesses on a system that is not known */
    lines("ID=plan9\n", false, "");
    lines("ID=$(touch /tmp/x)\nID_LIKE=`id`\n", false, "");
    lines("", false, "");
}

static void
alpine_has_openrc(void **state)
{
    (void)state;
    plant("/sbin/openrc", "");
    lines("ID=alpine\n", true,
          "apk add docker ; "
          "rc-update add docker default && rc-service docker start");
}

static void
limits_are_mended_for_good_and_now(void **state)
{
    (void)state;
    plant("/proc/sys/fs/inotify/max_user_instances", "16\n");
    plant("/proc/sys/fs/inotify/max_user_watches", "524288\n");
    lines("ID=plan9\n", false,
          "printf 'fs.inotify.max_user_instances = 512\\n"
          "fs.inotify.max_user_watches = 524288\\n' | "
          "sudo tee /etc/sysctl.d/99-meshtop.conf ; "
          "sudo sysctl -p /etc/sysctl.d/99-meshtop.conf");
}

static void
the_distribution_has_a_name(void **state)
{
    struct host_options o = poor("sandbox");
    struct doctor *d;

    (void)state;
    plant("/etc/os-release", "ID=x\nPRETTY_NAME='A \"Linux\"'\n");
    d = doctor_new(loop, &o, NULL, NULL);
    assert_string_equal(doctor_distribution(d), "A \"Linux\"");
    doctor_free(d);
    doctor_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_row_has_a_result_and_the_first_failure_counts, begin, end),
        cmocka_unit_test_setup_teardown(programs_read_the_same, begin, end),
        cmocka_unit_test_setup_teardown(the_sandbox_asks_for_little, begin,
                                        end),
        cmocka_unit_test_setup_teardown(each_distribution_has_its_lines, begin,
                                        end),
        cmocka_unit_test_setup_teardown(alpine_has_openrc, begin, end),
        cmocka_unit_test_setup_teardown(limits_are_mended_for_good_and_now,
                                        begin, end),
        cmocka_unit_test_setup_teardown(the_distribution_has_a_name, begin,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
