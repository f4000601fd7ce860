/* Proofs and names that strangers send: the input is taken as a bearer token,
 * as the value of a Host header, as a user's name, as a line of a token file,
 * and as a role whose rules are asked and printed. Nothing that the fuzzer
 * makes is a token of ours.
 * covers: devenv/sandbox/authn.c devenv/sandbox/doors.c
 * covers: devenv/sandbox/identity.c devenv/sandbox/rbac_rule.c
 * covers: devenv/sandbox/rbac.c */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/authn.h"
#include "devenv/sandbox/doors.h"
#include "devenv/sandbox/rbac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_token(struct str text, const char *token_file)
{
    struct tls_identity id = {.ca = (char[]){"CA"},
                              .ca_key = (char[]){"key"},
                              .token = (char[]){"0123456789abcdef0123456789"}};
    struct authn_options o = {
        .id = &id, .clock = clock_system(), .token_file = token_file};
    struct arena *arena = arena_new();
    struct error err = {0};
    struct authn *a = authn_new(&o, &err);

    if (!a && !err.code)
        abort();
    if (a && !token_file && authn_token(a, text, NULL, arena, NULL) &&
        !str_eqz(text, id.token))
        abort();
    authn_free(a);
    arena_free(arena);
}

static void
try_file(struct str text)
{
    char path[64];

    snprintf(path, sizeof(path), "/tmp/meshtop-fuzz-tokens.%d", getpid());
    if (file_write(path, text, 0600, NULL))
        try_token(text, path);
    unlink(path);
}

static void
try_role(struct str text)
{
    struct json *role = json_parse(text, NULL, NULL);
    struct arena *arena = arena_new();
    struct rbac *b = rbac_new();
    struct buf out = BUF_INIT(BUF_TEXT_MAX);
    struct rbac_rules rules, none = {0}, missing;
    struct access a;

    access_init(&a);
    a.resource = true;
    a.verb = "get";
    rbac_rules_read(role, arena, &rules);
    rbac_missing(&none, &rules, arena, &missing);
    rbac_print_missing(&missing, arena, &out);
    rbac_missing(&rules, &missing, arena, &none);
    if (none.n > missing.n)
        abort();
    rbac_set_role(b, "", "r", role);
    rbac_set_binding(b, "ns", "b", role);
    rbac_allows(b, identity_admin(arena), &a, NULL);
    rbac_set_binding(b, "ns", "b", NULL);
    rbac_free(b);
    buf_release(&out);
    json_free(role);
    arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), ns, name;
    char *z = mem_strndup(size ? text.s : "", size);

    if (size > 65536) {
        free(z);
        return 0;
    }
    try_token(text, NULL);
    try_file(text);
    doors_host(z);
    if (identity_split_account(z, &ns, &name) && (!ns.n || !name.n))
        abort();
    try_role(text);
    free(z);
    return 0;
}
