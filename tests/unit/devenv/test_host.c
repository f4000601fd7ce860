/* The checks of the machine, each state planted as files of /proc and /sys
 * below a root of our own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker.h"
#include "devenv/failure.h"
#include "devenv/host.h"

#include "tests/unit/test.h"

static char root[64];
static struct loop *loop;

static int
begin(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/meshtop-host-XXXXXX");
    assert_non_null(mkdtemp(root));
    chmod(root, 0755);
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

static char *
at(const char *path)
{
    static char full[512];

    snprintf(full, sizeof(full), "%s%s", root, path);
    return full;
}

static void
plant(const char *path, const char *text)
{
    AUTO(mem_free_ptr) char *dir = mem_strdup(at(path));

    *strrchr(dir, '/') = '\0';
    assert_true(file_mkdirs(dir, 0755, NULL));
    assert_true(file_write(at(path), str_of(text), 0644, NULL));
}

/* Runs one row on the planted machine; what it says is the caller's. */
static struct host_check
look(const char *row, const struct host_options *more,
     const struct docker_info *info)
{
    struct host_options o = more ? *more : (struct host_options){0};
    struct step_run run = {.loop = loop, .id = row};
    struct host h;
    struct host_check c;

    o.root = root;
    host_open(&h, &o);
    h.info = info;
    host_run(&h, host_row_find(row), &run, &c);
    host_release(&h);
    step_run_release(&run);
    return c;
}

/* The check failed (or warned) with this id, exit code, words in sentence,
 * evidence and remedy. Releases it. */
static void
blamed(struct host_check c, enum host_verdict v, const char *id, int code,
       const char *sentence, const char *evidence, const char *remedy)
{
    bool seen = !evidence;

    if (c.verdict != v || strcmp(c.error.id, id) != 0)
        fail_msg("verdict %s, \"%s\" (%s), found %s",
                 host_verdict_name(c.verdict), c.error.msg, c.error.id,
                 c.found);
    assert_int_equal(failure_exit(&c.error), code);
    if (!strstr(c.error.msg, sentence))
        fail_msg("\"%s\" is not in \"%s\"", sentence, c.error.msg);
    for (size_t i = 0; i < c.evidence.n; i++)
        seen |= evidence && strstr(c.evidence.v[i], evidence);
    if (!seen)
        fail_msg("no evidence \"%s\"", evidence);
    if (!strstr(c.error.remedy, remedy))
        fail_msg("\"%s\" is not in \"%s\"", remedy, c.error.remedy);
    host_check_release(&c);
}

static void
fine(struct host_check c, const char *found)
{
    if (c.verdict != HOST_OK)
        fail_msg("%s: %s", host_verdict_name(c.verdict), c.error.msg);
    if (!strstr(c.found, found))
        fail_msg("\"%s\" is not in \"%s\"", found, c.found);
    host_check_release(&c);
}

static void
skipped(struct host_check c)
{
    assert_int_equal(c.verdict, HOST_SKIPPED);
    assert_true(*c.found);
    host_check_release(&c);
}

/* ---- what the machine has ---- */

static void
processors_are_counted(void **state)
{
    struct docker_info vm = {.cpus = 1};

    (void)state;
    plant("/sys/devices/system/cpu/online", "0-1,4,6-7\n");
    fine(look("cpus", NULL, NULL), "5");
    blamed(look("cpus", NULL, &vm), HOST_FAIL, "MT-HOST-CPU", 10,
           "The engine has 1 CPU, the mesh needs 2.", "this machine has 5",
           "colima start --cpu 4");
    plant("/sys/devices/system/cpu/online", "0\n");
    blamed(look("cpus", NULL, NULL), HOST_FAIL, "MT-HOST-CPU", 10,
           "This machine has 1 CPU", "this machine has 1", "2 CPUs");
    fine(look("cpus", &(struct host_options){.engine = "sandbox"}, NULL), "1");
    /* nonsense is not guessed at */
    plant("/sys/devices/system/cpu/online", "7-x,\xff\n");
    skipped(look("cpus", NULL, NULL));
}

static void
meminfo(uint64_t total_mib, uint64_t available_mib)
{
    char text[256];

    snprintf(text, sizeof(text),
             "MemTotal: %14llu kB\nMemFree:  1 kB\nMemAvailable: %llu kB\n"
             "SwapTotal:  2097152 kB\nSwapFree:  1048576 kB\n",
             (unsigned long long)total_mib * 1024,
             (unsigned long long)available_mib * 1024);
    plant("/proc/meminfo", text);
}

static void
memory_is_weighed(void **state)
{
    struct docker_info vm = {
        .mem_bytes = (int64_t)1945 << 20, .arch = "", .root_dir = ""};

    (void)state;
    meminfo(1945, 1700);
    blamed(look("memory", NULL, NULL), HOST_FAIL, "MT-HOST-MEM", 11,
           "This machine has 1.9 GiB of memory, the mesh needs 4.0 GiB.",
           "this machine has 1.9 GiB", "meshtop up --engine sandbox");
    meminfo(3700, 3000); /* what a machine of 4 GiB shows */
    blamed(look("memory", NULL, NULL), HOST_WARN, "MT-HOST-MEM", 11,
           "at ease with 6.0 GiB", "3.6 GiB", "Settings, Resources");
    meminfo(16000, 900);
    blamed(look("memory", NULL, NULL), HOST_WARN, "MT-HOST-MEM", 11,
           "Only 900 MiB of memory are free", NULL, "colima");
    meminfo(16000, 12000);
    fine(look("memory", NULL, NULL), "15.6 GiB");
    /* what counts is what the engine's virtual machine was given */
    blamed(look("memory", NULL, &vm), HOST_FAIL, "MT-HOST-MEM", 11,
           "The engine has 1.9 GiB", "the engine has 1.9 GiB",
           "colima start --memory 8");
    fine(look("swap", NULL, NULL), "2.0 GiB, 1.0 GiB in use");
    plant("/proc/meminfo", "MemTotal: lots\n");
    skipped(look("memory", NULL, NULL));
}

static void
disks_are_measured(void **state)
{
    struct host_needs huge = {
        .engine = "kind", .disk_needs = UINT64_MAX, .disk_wants = UINT64_MAX};
    struct host_needs wanting = {.engine = "kind", .disk_wants = UINT64_MAX};
    struct host_options o = {.needs = &huge};
    struct docker_info elsewhere = {.root_dir = "/of/a/virtual/machine"};
    struct docker_info here = {.root_dir = "/docker/data"};

    (void)state;
    plant("/docker/data/x", "");
    blamed(look("disk", &o, &here), HOST_FAIL, "MT-HOST-DISK", 13, "free at",
           NULL, "docker image prune");
    o.needs = &wanting;
    blamed(look("disk", &o, &here), HOST_WARN, "MT-HOST-DISK", 13,
           "enough for one cluster", NULL, "docker system df");
    skipped(look("disk", &o, &elsewhere));
}

static void
processors_without_images_are_told(void **state)
{
    struct host_options o = {.machine = "riscv64"};
    struct docker_info emulated = {.arch = "x86_64"};

    (void)state;
    blamed(look("arch", &o, NULL), HOST_FAIL, "MT-HOST-ARCH", 17, "(riscv64)",
           NULL, "--engine sandbox");
    fine(look("arch", &o, &emulated), "x86_64");
    o.machine = "aarch64";
    fine(look("arch", &o, NULL), "aarch64");
}

static void
control_groups_decide_the_version(void **state)
{
    struct docker_info v1 = {.cgroup_version = "1",
                             .cgroup_driver = "cgroupfs"};
    struct docker_info v2 = {.cgroup_version = "2", .cgroup_driver = "systemd"};
    struct docker_info rootless = {
        .cgroup_version = "1", .cgroup_driver = "none", .rootless = true};
    struct host_options o = {.node_image = "kindest/node:v1.36.1@sha256:00"};

    (void)state;
    skipped(look("cgroup", NULL, NULL));
    fine(look("cgroup", NULL, &v1), "v1, cgroupfs");
    fine(look("cgroup", &o, &v2), "v2, systemd");
    blamed(look("cgroup", &o, &v1), HOST_FAIL, "MT-HOST-CGROUP", 14,
           "Kubernetes 1.35 and later do not start on cgroup v1",
           "version 1, driver cgroupfs", "systemd.unified_cgroup_hierarchy=1");
    o.node_image = "reg.example:5000/node:v1.35.0";
    blamed(look("cgroup", &o, &v1), HOST_FAIL, "MT-HOST-CGROUP", 14,
           "1.35 and later", NULL, "--node-image");
    o.node_image = "kindest/node:v1.34.8";
    fine(look("cgroup", &o, &v1), "v1");
    blamed(look("cgroup", NULL, &rootless), HOST_FAIL, "MT-HOST-CGROUP", 14,
           "rootless engine cannot", "version 1", "unified_cgroup_hierarchy");
    /* without an engine the kernel's folders tell */
    assert_true(file_mkdirs(at("/sys/fs/cgroup/memory"), 0755, NULL));
    fine(look("cgroup", NULL, NULL), "v1");
    plant("/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
    fine(look("cgroup", NULL, NULL), "v2");
}

static void
rootless_engines_need_their_controllers(void **state)
{
    struct docker_info i = {.rootless = true,
                            .cgroup_version = "2",
                            .cgroup_driver = "systemd",
                            .mem_limits = true};
    struct docker_info rooted = {.cgroup_version = "2"};
    char file[128];

    (void)state;
    snprintf(file, sizeof(file),
             "/sys/fs/cgroup/user.slice/user-%u.slice/user@%u.service/"
             "cgroup.controllers",
             (unsigned)getuid(), (unsigned)getuid());
    plant(file, "memory pids\n");
    blamed(look("rootless", NULL, &i), HOST_FAIL, "MT-ROOTLESS-DELEGATE", 15,
           "has not the controllers cpu pids.", ": memory pids",
           "user@.service.d/delegate.conf");
    i.cpu_limits = i.pids_limits = true;
    fine(look("rootless", NULL, &i), "all controllers");
    fine(look("rootless", NULL, &rooted), "as root");
    skipped(look("rootless", NULL, NULL));
}

static void
rootless_engines_have_no_low_ports(void **state)
{
    struct docker_info i = {.rootless = true};
    struct docker_info rooted = {.rootless = false};
    struct host_options o = {.ports = "1"};

    (void)state;
    plant("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
    blamed(look("ports", &o, &i), HOST_FAIL, "MT-ROOTLESS-PORT", 16,
           "may not publish port 1: the low ports end at 1023", "from 1024 on",
           "net.ipv4.ip_unprivileged_port_start=80");
    fine(look("ports", &o, &rooted), "1: free");
    plant("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n");
    fine(look("ports", &o, &i), "1: free");
}

/* ---- what the kernel allows ---- */

/* A process of pid with n instances of inotify, each with two watches. */
static void
plant_watcher(int pid, int n)
{
    char path[128];

    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, i);
        plant(path, "pos:\t0\nflags:\t00\ninotify wd:2 ino:1 sdev:1 mask:1\n"
                    "inotify wd:1 ino:1 sdev:1 mask:1\n");
        snprintf(path, sizeof(path), "/proc/%d/fd/x", pid);
        plant(path, "");
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
        assert_int_equal(symlink("anon_inode:inotify", at(path)), 0);
    }
}

static void
inotify_use_is_counted(void **state)
{
    struct docker_info rootless = {.rootless = true};
    /* planted processes are ours, and a rootful engine counts on root */
    struct docker_info *who = geteuid() == 0 ? NULL : &rootless;

    (void)state;
    plant("/proc/sys/fs/inotify/max_user_instances", "128\n");
    plant("/proc/sys/fs/inotify/max_user_watches", "524288\n");
    plant_watcher(4711, 100);
    plant_watcher(4712, 21);
    plant("/proc/4713/fd/3", "no link");
    blamed(look("inotify", NULL, who), HOST_FAIL, "MT-HOST-INOTIFY", 12,
           "inotify instances 128 (121 in use)",
           "instances: limit 128, 121 in use",
           "fs.inotify.max_user_instances=512");
    blamed(look("inotify", NULL, &rootless), HOST_FAIL, "MT-HOST-INOTIFY", 12,
           "121 in use", "242 in use", "/etc/sysctl.d/99-meshtop.conf");
    plant("/proc/sys/fs/inotify/max_user_instances", "200\n");
    blamed(look("inotify", NULL, who), HOST_WARN, "MT-HOST-INOTIFY", 12,
           "enough for one cluster", "limit 200", "sysctl -w");
    plant("/proc/sys/fs/inotify/max_user_instances", "8192\n");
    fine(look("inotify", NULL, who), "121 of 8192 instances, 242 of 524288");
    plant("/proc/sys/fs/inotify/max_user_watches", "8192\n");
    blamed(look("inotify", NULL, who), HOST_FAIL, "MT-HOST-INOTIFY", 12,
           "inotify watches 8192 (242 in use)", "watches: limit 8192",
           "max_user_watches=524288");
    plant("/proc/sys/fs/inotify/max_user_watches", "524288\n");
    if (geteuid() == 0) { /* others' processes do not count */
        assert_int_equal(chown(at("/proc/4711"), 65534, 65534), 0);
        struct host_check c = look("inotify", NULL, NULL);

        assert_true(str_starts(str_of(c.found), STR("21 of 8192 ")));
        host_check_release(&c);
    }
    plant("/proc/sys/fs/inotify/max_user_watches", "many\n");
    skipped(look("inotify", NULL, who));
}

static void
limits_of_open_files_are_read(void **state)
{
    static const char head[] =
        "Limit                     Soft Limit  Hard Limit  Units\n"
        "Max processes             96365       96365       processes\n";
    char text[512];

    (void)state;
    snprintf(text, sizeof(text),
             "%sMax open files            256   1024  "
             "files\n",
             head);
    plant("/proc/self/limits", text);
    blamed(look("files", NULL, NULL), HOST_WARN, "MT-HOST-NOFILE", 10,
           "may open 1024 files, 4096 are needed", "soft limit 256",
           "ulimit -n");
    snprintf(text, sizeof(text), "%sMax open files 1024 unlimited files\n",
             head);
    plant("/proc/self/limits", text);
    fine(look("files", NULL, NULL), "unlimited");
    plant("/proc/self/limits", head);
    skipped(look("files", NULL, NULL));
}

/* ---- what is the user's ---- */

static void
a_lock_of_the_kubeconfig_is_named(void **state)
{
    struct host_options o = {.now_s = 1000000000 + 3 * 86400};
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

    (void)state;
    setenv("HOME", at("/home"), 1);
    unsetenv("KUBECONFIG");
    plant("/home/.kube/config", "{}");
    fine(look("kubeconfig", &o, NULL), "/home/.kube/config");
    plant("/home/.kube/config.lock", "");
    assert_int_equal(utimensat(AT_FDCWD, at("/home/.kube/config.lock"), old, 0),
                     0);
    blamed(look("kubeconfig", &o, NULL), HOST_WARN, "MT-KUBECONFIG-LOCK", 55,
           "/home/.kube/config.lock blocks the kubeconfig (3d old)", NULL,
           "rm ");
    plant("/other/one", "{}");
    setenv("KUBECONFIG", at("/other/one"), 1);
    fine(look("kubeconfig", &o, NULL), "/other/one");
    unsetenv("KUBECONFIG");
}

/* In a process without root's rights; its exit code. */
static int
as_nobody(void (*fn)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(99);
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
look_at_folders(void)
{
    struct host_check c = look("folders", NULL, NULL);
    bool right = c.verdict == HOST_FAIL &&
                 strcmp(c.error.id, "MT-HOST-FOLDER") == 0 &&
                 failure_exit(&c.error) == 18 &&
                 strstr(c.error.msg, "/locked cannot be written (state)") &&
                 strstr(c.error.remedy, "sudo chown 65534 ") && c.evidence.n;

    if (!right)
        _exit(1);
    host_check_release(&c);
}

static void
folders_must_be_writable(void **state)
{
    (void)state;
    setenv("XDG_STATE_HOME", at("/locked/state"), 1);
    setenv("XDG_CACHE_HOME", at("/open/cache"), 1);
    setenv("XDG_DATA_HOME", at("/open/data"), 1);
    assert_true(file_mkdirs(at("/locked"), 0755, NULL));
    assert_true(file_mkdirs(at("/open"), 0777, NULL));
    fine(look("folders", NULL, NULL), "/locked/state/meshtop/mesh");
    if (geteuid() == 0)
        assert_int_equal(as_nobody(look_at_folders), 0);
}

static void
a_full_disk_of_ours_is_told(void **state)
{
    struct host_needs huge = {.engine = "kind", .cache_needs = UINT64_MAX};
    struct host_options o = {.needs = &huge};

    (void)state;
    setenv("XDG_STATE_HOME", at("/state"), 1);
    blamed(look("folders", &o, NULL), HOST_FAIL, "MT-HOST-DISK", 13,
           "needed (state)", "state: ", "docker system df");
}

static void
proxies_are_shown_without_their_password(void **state)
{
    struct docker_info plain = {.http_proxy = "", .https_proxy = ""};
    struct host_check c;

    (void)state;
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    unsetenv("HTTPS_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    fine(look("proxy", NULL, &plain), "none");
    setenv("HTTPS_PROXY", "http://nora:geheim@proxy.corp:3128", 1);
    c = look("proxy", NULL, NULL);
    assert_string_equal(c.found, "http://***@proxy.corp:3128");
    for (size_t i = 0; i < c.evidence.n; i++)
        assert_null(strstr(c.evidence.v[i], "geheim"));
    blamed(c, HOST_WARN, "MT-NET-PROXY", 31, "NO_PROXY does not name 127.0.0.1",
           "except NO_PROXY: (nothing)",
           "export NO_PROXY=localhost,127.0.0.1,::1");
    setenv("NO_PROXY", "corp.example, 127.0.0.1", 1);
    fine(look("proxy", NULL, NULL), "proxy.corp");
    blamed(look("proxy", NULL, &plain), HOST_WARN, "MT-NET-PROXY", 31,
           "the engine has none", "go through", "HTTPS_PROXY");
    unsetenv("HTTPS_PROXY");
    unsetenv("NO_PROXY");
}

/* ---- the table ---- */

static void
the_table_holds_together(void **state)
{
    (void)state;
    for (const struct host_row *r = host_rows; r->id; r++) {
        struct str id, rest = str_of(r->needs);

        assert_ptr_equal(host_row_find(r->id), r);
        while (rest.n && str_next(&rest, ' ', &id)) {
            const struct host_row *need = host_rows;

            while (need->id && !str_eqz(id, need->id))
                need++;
            if (!need->id || need >= r)
                fail_msg("%s needs %.*s, which is not above it", r->id,
                         STR_ARG(id));
        }
    }
    assert_true(host_row_is_for(host_row_find("network"), "context"));
    assert_false(host_row_is_for(host_row_find("network"), "sandbox"));
    assert_false(host_row_is_for(host_row_find("engine"), "context"));
    assert_string_equal(host_needs_of("kind")->engine, "kind");
    assert_string_equal(host_needs_of("?")->engine, "sandbox");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(processors_are_counted, begin, end),
        cmocka_unit_test_setup_teardown(memory_is_weighed, begin, end),
        cmocka_unit_test_setup_teardown(disks_are_measured, begin, end),
        cmocka_unit_test_setup_teardown(processors_without_images_are_told,
                                        begin, end),
        cmocka_unit_test_setup_teardown(control_groups_decide_the_version,
                                        begin, end),
        cmocka_unit_test_setup_teardown(rootless_engines_need_their_controllers,
                                        begin, end),
        cmocka_unit_test_setup_teardown(rootless_engines_have_no_low_ports,
                                        begin, end),
        cmocka_unit_test_setup_teardown(inotify_use_is_counted, begin, end),
        cmocka_unit_test_setup_teardown(limits_of_open_files_are_read, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_lock_of_the_kubeconfig_is_named,
                                        begin, end),
        cmocka_unit_test_setup_teardown(folders_must_be_writable, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk_of_ours_is_told, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            proxies_are_shown_without_their_password, begin, end),
        cmocka_unit_test(the_table_holds_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
