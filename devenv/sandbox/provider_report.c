/*
 * What the cloud says of a resource: values are made of its name, its
 * parameters and a hash of who it is, so the same resource gets the same
 * address in every sandbox.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/provider.h"

#define DEPTH_MAX   4
#define SECRET_TYPE "connection.crossplane.io/v1alpha1"

/* Where {x} is looked up. */
struct saying {
    const struct look *l;
    const char *step;
    char hash[DIGEST_HEX_MAX];
    unsigned depth;
};

static void expand(struct saying *s, struct str text, struct buf *out);

static const struct json *
external_parameters(const struct look *l)
{
    const struct json *has = json_at(l->external, "spec", "parameters", NULL);

    return has ? has : json_at(l->mr, "spec", "forProvider", NULL);
}

/* ---- the words there are for every kind ---- */

static void
say_name(struct saying *s, struct buf *out)
{
    const char *name = kobj_annotation(s->l->mr, EXTERNAL_NAME);

    buf_puts(out, *name ? name : kobj_name(s->l->mr));
}

static void
say_hash(struct saying *s, struct buf *out)
{
    buf_add(out, s->hash, 12);
}

static void
say_number(struct saying *s, struct buf *out)
{
    AUTO(mem_free_ptr) char *digits = mem_strndup(s->hash, 15);
    uint64_t n = strtoull(digits, NULL, 16);

    buf_printf(out, "%" PRIu64, 100000000000 + n % 900000000000);
}

static void
say_uuid(struct saying *s, struct buf *out)
{
    static const size_t parts[] = {8, 4, 4, 4, 12};
    const char *h = s->hash + 16;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (i)
            buf_putc(out, '-');
        buf_add(out, h, parts[i]);
        h += parts[i];
    }
}

static void
say_ip(struct saying *s, struct buf *out)
{
    uint32_t n = digest_fnv32(str_of(s->hash));

    buf_printf(out, "34.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, 1 + n % 254);
}

static void
say_etag(struct saying *s, struct buf *out)
{
    digest_base64(str_n(s->hash, 9), false, out);
}

static int64_t
created_s(const struct look *l)
{
    int64_t at = control_now_s(l->c);

    clock_parse(str_of(json_string_or(
                    json_at(l->external, "spec", "createdAt", NULL), "")),
                &at);
    return at;
}

static void
say_now(struct saying *s, struct buf *out)
{
    char now[CLOCK_RFC3339_LEN];

    clock_format(created_s(s->l), now);
    buf_puts(out, now);
}

static void
say_ms(struct saying *s, struct buf *out)
{
    buf_printf(out, "%" PRId64, created_s(s->l) * 1000);
}

/* What the user gave by a secret, else one made up. */
static void
say_password(struct saying *s, struct buf *out)
{
    static const char *const refs[] = {"passwordSecretRef",
                                       "administratorPasswordSecretRef"};
    const struct json *spec = json_at(s->l->mr, "spec", "forProvider", NULL);
    struct registry *r = s->l->c->registry;

    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        const struct json *ref = json_get(spec, refs[i]);
        AUTO(json_free_ptr)
        struct json *secret =
            ref ? registry_get(r, registry_kind(r, "v1", "Secret"),
                               kobj_namespace(s->l->mr),
                               json_string_or(json_get(ref, "name"), ""))
                : NULL;
        const char *text = json_string_or(
            json_get(json_get(secret, "data"),
                     json_string_or(json_get(ref, "key"), "password")),
            NULL);

        if (text && digest_unbase64(str_of(text), false, out))
            return;
    }
    buf_add(out, s->hash + 20, 24);
}

static void
say_kind(struct saying *s, struct buf *out)
{
    buf_puts(out, s->l->k->kind);
}

static void
say_plural(struct saying *s, struct buf *out)
{
    buf_puts(out, s->l->k->plural);
}

static void
say_service(struct saying *s, struct buf *out)
{
    struct str head, tail;

    str_cut(str_of(s->l->k->group), '.', &head, &tail);
    buf_str(out, head);
}

static void
say_step(struct saying *s, struct buf *out)
{
    buf_puts(out, s->step);
}

/* The verb of the cloud's API for a step. */
static void
say_verb(struct saying *s, struct buf *out)
{
    static const struct {
        const char *step, *verb;
    } verbs[] = {{"create", "Create"},
                 {"update", "Update"},
                 {"delete", "Delete"},
                 {"observe", "Get"}};

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].step, s->step) == 0) {
            buf_puts(out, verbs[i].verb);
            return;
        }
    }
    buf_puts(out, "Get");
}

static void
say_call(struct saying *s, struct buf *out)
{
    size_t at = out->n;

    say_verb(s, out);
    out->s[at] = (char)(out->s[at] | 0x20);
}

static void
say_access(struct saying *s, struct buf *out)
{
    buf_puts(out, strcmp(s->step, "delete") == 0    ? "delete"
                  : strcmp(s->step, "observe") == 0 ? "read"
                                                    : "write");
}

static const struct word {
    const char *name;
    void (*say)(struct saying *s, struct buf *out);
} words[] = {
    {"name", say_name},     {"hash", say_hash},     {"num", say_number},
    {"uuid", say_uuid},     {"ip", say_ip},         {"etag", say_etag},
    {"now", say_now},       {"ms", say_ms},         {"password", say_password},
    {"kind", say_kind},     {"plural", say_plural}, {"service", say_service},
    {"step", say_step},     {"verb", say_verb},     {"call", say_call},
    {"access", say_access},
};

/* ---- expanding ---- */

static void
add_scalar(const struct json *v, struct buf *out)
{
    if (json_is(v, JSON_STRING))
        buf_puts(out, json_string(v));
    else if (json_is(v, JSON_NUMBER))
        buf_puts(out, json_number_text(v));
}

static void
say(struct saying *s, struct str key, struct buf *out)
{
    const struct managed_kind *mk = s->l->mk;
    const struct json *v;

    if (str_starts(key, STR("parameter."))) {
        add_scalar(json_get_str(external_parameters(s->l), str_from(key, 10)),
                   out);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqz(key, words[i].name)) {
            words[i].say(s, out);
            return;
        }
    }
    v = mk ? json_get_str(mk->at, key) : NULL;
    if (!json_is(v, JSON_STRING))
        v = NULL;
    if (!v && (v = json_get_str(external_parameters(s->l), key))) {
        add_scalar(v, out);
        return;
    }
    if (!v && mk)
        v = json_get_str(mk->family->vars, key);
    if (v && s->depth < DEPTH_MAX) {
        s->depth++;
        expand(s, str_of(json_string_or(v, "")), out);
        s->depth--;
    }
}

static void
expand(struct saying *s, struct str text, struct buf *out)
{
    while (text.n) {
        size_t open = str_find(text, STR("{"), 0);
        size_t shut = str_find(text, STR("}"), open);

        buf_str(out, str_sub(text, 0, open));
        if (open >= text.n || shut >= text.n)
            return;
        say(s, str_sub(text, open + 1, shut - open - 1), out);
        text = str_from(text, shut + 1);
    }
}

static void
saying_of(const struct look *l, const char *step, struct saying *s)
{
    AUTO(mem_free_ptr)
    char *who = mem_printf("%s/%s/%s/%s", l->k->group, l->k->kind,
                           kobj_namespace(l->mr), kobj_name(l->mr));

    *s = (struct saying){.l = l, .step = step ? step : "create"};
    digest_hex(DIGEST_SHA256, str_of(who), s->hash);
}

void
provider_text(const struct look *l, const char *text, const char *step,
              struct buf *out)
{
    struct saying s;

    saying_of(l, step, &s);
    expand(&s, str_of(text), out);
}

bool
provider_names(const struct look *l, struct buf *out)
{
    if (!l->mk || !l->mk->named)
        return false;
    provider_text(l, l->mk->named, NULL, out);
    return true;
}

/* ---- status.atProvider ---- */

static struct json *
expand_tree(const struct look *l, const struct json *tree)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct json *out;

    if (json_is(tree, JSON_STRING)) {
        const char *text = json_string(tree);

        provider_text(l, text + (*text == '#'), NULL, &b);
        return *text == '#' ? json_new_number(buf_view(&b))
                            : json_new_string(buf_cstr(&b));
    }
    out = json_is(tree, JSON_ARRAY) ? json_new_array() : json_new_object();
    for (const struct json *c = json_first(tree); c; c = json_next(c)) {
        if (json_is(tree, JSON_ARRAY))
            json_append(out, expand_tree(l, c));
        else
            json_set(out, json_key(c), expand_tree(l, c));
    }
    return out;
}

/* A kind that is not in our table says what every cloud says. */
static void
report_unknown(struct look *l, struct json *at)
{
    const char *name = kobj_annotation(l->mr, EXTERNAL_NAME);
    AUTO(mem_free_ptr)
    char *arn = mem_printf("arn:sandbox:%s:::%s", l->k->singular, name);
    AUTO(mem_free_ptr)
    char *endpoint = mem_printf("%s.%s.sandbox.local", name, l->k->singular);

    json_set_string(at, "arn", arn);
    json_set_string(at, "endpoint", endpoint);
    json_set_string(at, "state", "ACTIVE");
}

void
provider_report(struct look *l)
{
    const struct json *has = external_parameters(l);
    struct json *at = json_set(json_need_object(l->mr, "status"), "atProvider",
                               json_is(has, JSON_OBJECT) ? json_copy(has)
                                                         : json_new_object());

    json_set_string(at, "id", kobj_annotation(l->mr, EXTERNAL_NAME));
    if (!l->mk)
        report_unknown(l, at);
    for (const struct json *v = l->mk ? json_first(l->mk->at) : NULL; v;
         v = json_next(v))
        json_set(at, json_key(v), expand_tree(l, v));
}

/* ---- the connection secret ---- */

static const char unknown_secret[] =
    "{\"endpoint\":\"{name}.{kind}.sandbox.local\",\"username\":\"sandbox\","
    "\"password\":\"{password}\"}";

static struct json *
secret_data(const struct look *l)
{
    struct error err;
    AUTO(json_free_ptr)
    struct json *tree = l->mk ? json_copy(l->mk->secret)
                              : json_parse(STR(unknown_secret), NULL, &err);
    struct json *data = json_new_object();

    for (const struct json *v = json_first(tree); v; v = json_next(v)) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
        AUTO(buf_release) struct buf b64 = BUF_INIT(2 * BUF_TEXT_MAX);

        provider_text(l, json_string_or(v, ""), NULL, &b);
        digest_base64(buf_view(&b), false, &b64);
        json_set_string(data, json_key(v), buf_cstr(&b64));
    }
    return data;
}

/* Whether an existing secret is ours to write. */
static bool
may_write(const struct look *l, const struct json *secret, struct buf *why)
{
    const struct json *owner = kobj_controller(secret);
    const char *type = json_string_or(json_get(secret, "type"), "");

    if (kobj_is_controlled_by(secret, kobj_uid(l->mr)) ||
        (!owner && strcmp(type, SECRET_TYPE) == 0))
        return true;
    buf_puts(why, "cannot create or update connection secret: ");
    if (owner)
        buf_printf(why, "existing secret is not controlled by UID \"%s\"",
                   kobj_uid(l->mr));
    else
        buf_printf(why, "refusing to modify uncontrolled secret of type \"%s\"",
                   type);
    return false;
}

bool
provider_publish(struct look *l, struct buf *why)
{
    const struct json *ref =
        json_at(l->mr, "spec", "writeConnectionSecretToRef", NULL);
    const char *name = json_string_or(json_get(ref, "name"), "");
    const char *ns =
        json_string_or(json_get(ref, "namespace"), kobj_namespace(l->mr));
    const struct kind *k = registry_kind(l->c->registry, "v1", "Secret");
    const struct registry_write w = {.manager = PROVIDER_MANAGER};
    AUTO(status_release) struct status st = {0};
    struct json *secret, *data, *stored;
    bool made;

    if (!*name)
        return true;
    secret = registry_get(l->c->registry, k, ns, name);
    made = !secret;
    if (secret && !may_write(l, secret, why)) {
        json_free(secret);
        return false;
    }
    data = secret_data(l);
    if (secret && (json_equal(data, json_get(secret, "data")) ||
                   (!json_len(data) && !json_len(json_get(secret, "data"))))) {
        json_free(data);
        json_free(secret);
        return true;
    }
    if (made) {
        secret = kobj_new("v1", "Secret", ns, name);
        json_append(
            json_need_array(json_get(secret, "metadata"), "ownerReferences"),
            kobj_owner_reference(l->mr));
        json_set_string(secret, "type", SECRET_TYPE);
    }
    json_set(secret, "data", data);
    stored = made ? registry_create(l->c->registry, k, &w, ns, secret, &st)
                  : registry_update(l->c->registry, k, &w, ns, secret, &st);
    if (!stored)
        buf_printf(why, "cannot create or update connection secret: %s",
                   st.message);
    json_free(stored);
    return stored != NULL;
}
