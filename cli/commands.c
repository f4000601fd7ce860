#include "cli/commands.h"

#include <string.h>

#include "cli/command.h"

const struct flag common_flags[] = {
    {"profile", 0, "NAME", "which environment of ours (default mesh)"},
    {"kubeconfig", 0, "FILE", "use this kubeconfig file"},
    {"context", 0, "NAME", "use this context of the kubeconfig"},
    {"namespace", 'n', "NS", "namespace (default: all for the mesh's kinds)"},
    {"all-namespaces", 'A', NULL, "every namespace"},
    {"output", 'o', "FORMAT", "text, wide, json, yaml or name"},
    {"read-only", 0, NULL, "refuse every write at the client's door"},
    {"no-color", 0, NULL, "no colours (as the variable NO_COLOR)"},
    {"ascii", 0, NULL, "ASCII instead of line-drawing characters"},
    {"verbose", 'v', NULL, "write a debug log, say where"},
    {"help", 'h', NULL, "this help"},
    {0},
};

/* One row a command, groups together. */
/* clang-format off */
const struct command *const commands[] = {
    &cmd_up,
    &cmd_verify,
    &cmd_status,
    &cmd_logs,
    &cmd_debug,
    &cmd_doctor,
    &cmd_down,
    &cmd_sandbox,
    &cmd_install,
    &cmd_uninstall,
    &cmd_examples,
    &cmd_xpkg,
    &cmd_get,
    &cmd_describe,
    &cmd_tree,
    &cmd_why,
    &cmd_lineage,
    &cmd_plan,
    &cmd_render,
    &cmd_validate,
    &cmd_lint,
    &cmd_apply,
    &cmd_edit,
    &cmd_delete,
    &cmd_version,
    &cmd_help,
    NULL,
};
/* clang-format on */

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}
