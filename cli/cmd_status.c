/* meshtop status: what runs, and how it is. */
#include <string.h>

#include "cli/commands.h"
#include "cli/overview.h"
#include "cli/target.h"

#define READ_MS 10000

static void
print_profile(const struct target *t)
{
    const struct profile *p = &t->profile;

    printf("%s\n", t->title);
    if (!t->of_profile)
        return;
    printf("  kubeconfig  %s\n", p->kubeconfig);
    printf("  packages   ");
    for (size_t i = 0; i < p->packages.n; i++)
        printf(" %s", p->packages.v[i]);
    printf("\n  examples   ");
    for (size_t i = 0; i < p->examples.n; i++)
        printf(" %s", p->examples.v[i]);
    printf("\n\n");
}

static int
run(const struct args *a)
{
    return overview_run(a, false, READ_MS, print_profile);
}

const struct command cmd_status = {
    .name = "status",
    .args = "",
    .summary = "what runs, and how it is; exit 80 unless all is Ready",
    .group = "Bring up, prove, remove",
    .run = run,
};
