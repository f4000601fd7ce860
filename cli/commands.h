/*
 * commands.h - the commands there are; each lives in cli/cmd_NAME.c.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_up;
extern const struct command cmd_validate;
extern const struct command cmd_verify;
extern const struct command cmd_status;
extern const struct command cmd_doctor;
extern const struct command cmd_logs;
extern const struct command cmd_debug;
extern const struct command cmd_down;
extern const struct command cmd_install;
extern const struct command cmd_uninstall;
extern const struct command cmd_examples;
extern const struct command cmd_sandbox;
extern const struct command cmd_xpkg;
extern const struct command cmd_get;
extern const struct command cmd_describe;
extern const struct command cmd_tree;
extern const struct command cmd_why;
extern const struct command cmd_lineage;
extern const struct command cmd_lint;
extern const struct command cmd_plan;
extern const struct command cmd_render;
extern const struct command cmd_apply;
extern const struct command cmd_edit;
extern const struct command cmd_delete;
extern const struct command cmd_version;
extern const struct command cmd_help;

#endif
