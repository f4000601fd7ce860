#include "devenv/sandbox/identity.h"

#include "lib/schema/names.h"

#define ACCOUNT_PREFIX "system:serviceaccount:"

struct identity *
identity_new(struct arena *a, enum identity_proof proof, const char *name,
             const char *uid)
{
    struct identity *id = arena_alloc(a, sizeof(*id));

    id->name = arena_strdup(a, name);
    id->uid = arena_strdup(a, uid ? uid : "");
    id->proof = proof;
    return id;
}

bool
identity_in_group(const struct identity *id, const char *group)
{
    for (size_t i = 0; i < id->groups_n; i++) {
        if (!strcmp(id->groups[i], group))
            return true;
    }
    return false;
}

void
identity_add_group(struct arena *a, struct identity *id, struct str group)
{
    const char *text = arena_dup(a, group);
    const char **more;

    if (identity_in_group(id, text))
        return;
    /* Room for 8, 16, 32, ... */
    if (!id->groups ||
        (id->groups_n >= 8 && !(id->groups_n & (id->groups_n - 1)))) {
        more = arena_array(a, MAX(id->groups_n * 2, (size_t)8), sizeof(*more));
        for (size_t i = 0; i < id->groups_n; i++)
            more[i] = id->groups[i];
        id->groups = more;
    }
    id->groups[id->groups_n++] = text;
    id->master = id->master || !strcmp(text, GROUP_MASTERS);
}

void
identity_add_extra(struct arena *a, struct identity *id, const char *key,
                   const char *value)
{
    struct identity_extra **at = &id->extra;
    struct identity_extra *e = arena_alloc(a, sizeof(*e));

    e->key = arena_strdup(a, key);
    e->value = arena_strdup(a, value);
    while (*at)
        at = &(*at)->next;
    *at = e;
}

struct identity *
identity_admin(struct arena *a)
{
    struct identity *id = identity_new(a, PROOF_TOKEN, "admin", "admin");

    identity_add_group(a, id, STR(GROUP_MASTERS));
    identity_add_group(a, id, STR(GROUP_AUTHENTICATED));
    return id;
}

struct identity *
identity_anonymous(struct arena *a)
{
    struct identity *id = identity_new(a, PROOF_NONE, USER_ANONYMOUS, NULL);

    identity_add_group(a, id, STR(GROUP_UNAUTHENTICATED));
    return id;
}

struct identity *
identity_account(struct arena *a, enum identity_proof proof, struct str ns,
                 struct str name, const char *uid)
{
    const char *user =
        arena_printf(a, ACCOUNT_PREFIX "%.*s:%.*s", STR_ARG(ns), STR_ARG(name));
    struct identity *id = identity_new(a, proof, user, uid);

    identity_add_group(a, id, STR(GROUP_ACCOUNTS));
    identity_add_group(
        a, id, str_of(arena_printf(a, GROUP_ACCOUNTS ":%.*s", STR_ARG(ns))));
    identity_add_group(a, id, STR(GROUP_AUTHENTICATED));
    return id;
}

bool
identity_split_account(const char *user, struct str *ns, struct str *name)
{
    AUTO(strlist_release) struct strlist why = {0};
    struct str rest = str_of(user), a, b;

    if (!str_starts(rest, STR(ACCOUNT_PREFIX)) ||
        !str_cut(str_from(rest, strlen(ACCOUNT_PREFIX)), ':', &a, &b) ||
        !names_label(a, &why) || !names_subdomain(b, &why))
        return false;
    *ns = a;
    *name = b;
    return true;
}

struct json *
identity_json(const struct identity *id)
{
    struct json *user = json_new_object(), *list;

    json_set_string(user, "username", id->name);
    if (*id->uid)
        json_set_string(user, "uid", id->uid);
    if (id->groups_n) {
        list = json_set(user, "groups", json_new_array());
        for (size_t i = 0; i < id->groups_n; i++)
            json_append(list, json_new_string(id->groups[i]));
    }
    for (const struct identity_extra *e = id->extra; e; e = e->next) {
        list = json_need_array(json_need_object(user, "extra"), e->key);
        json_append(list, json_new_string(e->value));
    }
    return user;
}
