/*
 * A cursor walks the text once. Objects on the way to a wanted field are
 * walked member by member (struct field tables say what to do with which);
 * every other value is stepped over by counting brackets outside of strings,
 * which is what makes it fast: most of an object is stepped over.
 */
#include "lib/kube/skim.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"

struct cursor {
    const char *start, *p, *end;
    struct arena *arena;
    struct kube_skim *out;
    struct kube_condition one; /* the condition being read */
    struct str type;           /* of it, or of the event */
    struct str owner;          /* uid of the owner being read */
    struct str object;         /* of the event */
    bool controller;           /* it is the controlling one */
    const char *comma;         /* the comma before this member, or NULL */
    const char *member;        /* where this member's key begins */
    bool cut_fields, cut_applied;
};

typedef bool take_fn(struct cursor *c);

struct field {
    const char *key;
    take_fn *take;
};

static void
blanks(struct cursor *c)
{
    while (c->p < c->end &&
           (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
        c->p++;
}

static bool
expect(struct cursor *c, char want)
{
    blanks(c);
    if (c->p >= c->end || *c->p != want)
        return false;
    c->p++;
    return true;
}

/* Stands at a quote; *inside gets what is between the quotes, as it is. */
static bool
raw_string(struct cursor *c, struct str *inside)
{
    const char *from = c->p + 1, *q = from;

    if (c->p >= c->end || *c->p != '"')
        return false;
    while ((q = memchr(q, '"', (size_t)(c->end - q)))) {
        const char *b = q;

        while (b > from && b[-1] == '\\')
            b--;
        if ((q - b) % 2 == 0) {
            *inside = str_n(from, (size_t)(q - from));
            c->p = q + 1;
            return true;
        }
        q++;
    }
    return false;
}

/* Steps over any value. */
static bool
skip(struct cursor *c)
{
    struct str s;
    size_t depth = 0;

    blanks(c);
    if (c->p >= c->end)
        return false;
    do {
        if (c->p >= c->end)
            return false;
        switch (*c->p) {
        case '"':
            if (!raw_string(c, &s))
                return false;
            break;
        case '{':
        case '[':
            depth++;
            c->p++;
            break;
        case '}':
        case ']':
            if (depth == 0)
                return false;
            depth--;
            c->p++;
            break;
        case ',':
            if (depth == 0)
                return false;
            c->p++;
            break;
        default:
            /* A number or a word at the top ends at what may follow it. */
            do
                c->p++;
            while (c->p < c->end && !memchr("\"{}[], \n\t\r", *c->p, 10));
        }
    } while (depth);
    return true;
}

static const struct field *
field_of(const struct field *fields, struct str key)
{
    for (const struct field *f = fields; f->key; f++) {
        if (str_eqz(key, f->key))
            return f;
    }
    return NULL;
}

/* Walks an object; a value of another type is stepped over. */
static bool
object(struct cursor *c, const struct field *fields)
{
    const char *comma = NULL;

    blanks(c);
    if (c->p >= c->end || *c->p != '{')
        return skip(c);
    c->p++;
    blanks(c);
    if (c->p < c->end && *c->p == '}') {
        c->p++;
        return true;
    }
    for (;;) {
        const struct field *f;
        struct str key;

        blanks(c);
        c->member = c->p;
        c->comma = comma;
        if (!raw_string(c, &key) || !expect(c, ':'))
            return false;
        blanks(c);
        f = field_of(fields, key);
        if (f ? !f->take(c) : !skip(c))
            return false;
        blanks(c);
        if (c->p >= c->end || (*c->p != ',' && *c->p != '}'))
            return false;
        if (*c->p++ == '}')
            return true;
        comma = c->p - 1;
    }
}

/* Walks an array of objects; each begins with begin and closes with end. */
static bool
objects(struct cursor *c, const struct field *fields,
        void (*begin)(struct cursor *), void (*end)(struct cursor *))
{
    blanks(c);
    if (c->p >= c->end || *c->p != '[')
        return skip(c);
    c->p++;
    blanks(c);
    if (c->p < c->end && *c->p == ']') {
        c->p++;
        return true;
    }
    for (;;) {
        begin(c);
        if (!object(c, fields))
            return false;
        end(c);
        blanks(c);
        if (c->p >= c->end || (*c->p != ',' && *c->p != ']'))
            return false;
        if (*c->p++ == ']')
            return true;
    }
}

/* ---- values ---- */

/* A string's text; another type is stepped over and is "". */
static bool
text(struct cursor *c, struct str *out)
{
    const char *from = c->p;
    struct str raw;
    struct json *j;

    if (c->p >= c->end || *c->p != '"')
        return skip(c);
    if (!raw_string(c, &raw))
        return false;
    if (!c->arena || !memchr(raw.s, '\\', raw.n)) {
        *out = raw;
        return true;
    }
    /* Names hold no escapes; a message may. */
    j = json_parse(str_n(from, (size_t)(c->p - from)), NULL, NULL);
    if (j)
        *out = arena_str(c->arena, str_of(json_string(j)));
    json_free(j);
    return true;
}

static bool
number(struct cursor *c, int64_t *out)
{
    const char *from = c->p;

    if (!skip(c))
        return false;
    str_to_i64(str_n(from, (size_t)(c->p - from)), out);
    return true;
}

static bool
stamp(struct cursor *c, int64_t *out)
{
    struct str s = {0};

    if (!text(c, &s))
        return false;
    if (s.n)
        clock_parse(s, out);
    return true;
}

/* Steps over a member and marks it as left out, with one comma. */
static bool
cut(struct cursor *c, bool *done)
{
    const char *from = c->member, *comma = c->comma;
    struct kube_skim *out = c->out;

    if (!skip(c))
        return false;
    /* A second one of the same name is no server's doing: it stays. */
    if (*done || out->cuts == KUBE_SKIM_CUTS)
        return true;
    *done = true;
    blanks(c);
    out->cut[out->cuts].start = (size_t)(from - c->start);
    out->cut[out->cuts].end = (size_t)(c->p - c->start);
    if (c->p < c->end && *c->p == ',')
        out->cut[out->cuts].end++;
    else if (comma)
        out->cut[out->cuts].start = (size_t)(comma - c->start);
    out->cuts++;
    return true;
}

/* ---- metadata ---- */

#define TEXT_FIELD(name, member)                                               \
    static bool name(struct cursor *c)                                         \
    {                                                                          \
        return text(c, &c->out->member);                                       \
    }
TEXT_FIELD(take_name, o.name)
TEXT_FIELD(take_ns, o.ns)
TEXT_FIELD(take_uid, o.uid)
TEXT_FIELD(take_version, o.version)
TEXT_FIELD(take_kind, kind)
TEXT_FIELD(take_reason, reason)
TEXT_FIELD(take_message, message)

static bool
take_generation(struct cursor *c)
{
    return number(c, &c->out->o.generation);
}

static bool
take_code(struct cursor *c)
{
    return number(c, &c->out->code);
}

static bool
take_created(struct cursor *c)
{
    return stamp(c, &c->out->o.created_s);
}

static bool
take_deleted(struct cursor *c)
{
    return stamp(c, &c->out->o.deleted_s);
}

static bool
take_managed(struct cursor *c)
{
    return cut(c, &c->cut_fields);
}

static bool
take_applied(struct cursor *c)
{
    return cut(c, &c->cut_applied);
}

static bool
take_initial_end(struct cursor *c)
{
    struct str s = {0};

    if (!text(c, &s))
        return false;
    c->out->initial_end = str_eq(s, STR("true"));
    return true;
}

static bool
take_annotations(struct cursor *c)
{
    static const struct field fields[] = {
        {"kubectl.kubernetes.io/last-applied-configuration", take_applied},
        {"k8s.io/initial-events-end", take_initial_end},
        {0},
    };

    return object(c, fields);
}

static bool
take_owner_uid(struct cursor *c)
{
    return text(c, &c->owner);
}

static bool
take_controller(struct cursor *c)
{
    c->controller = c->p < c->end && *c->p == 't';
    return skip(c);
}

static void
owner_begin(struct cursor *c)
{
    c->owner = STR("");
    c->controller = false;
}

static void
owner_end(struct cursor *c)
{
    if (c->controller)
        c->out->o.owner = c->owner;
}

static bool
take_owners(struct cursor *c)
{
    static const struct field fields[] = {
        {"uid", take_owner_uid},
        {"controller", take_controller},
        {0},
    };

    return objects(c, fields, owner_begin, owner_end);
}

static bool
take_metadata(struct cursor *c)
{
    static const struct field fields[] = {
        {"name", take_name},
        {"namespace", take_ns},
        {"uid", take_uid},
        {"resourceVersion", take_version},
        {"generation", take_generation},
        {"creationTimestamp", take_created},
        {"deletionTimestamp", take_deleted},
        {"managedFields", take_managed},
        {"annotations", take_annotations},
        {"ownerReferences", take_owners},
        {0},
    };

    return object(c, fields);
}

/* ---- status ---- */

static bool
take_type(struct cursor *c)
{
    return text(c, &c->type);
}

static bool
take_condition_status(struct cursor *c)
{
    struct str s = {0};

    if (!text(c, &s))
        return false;
    c->one.status = s.n ? s.s[0] : 0;
    return true;
}

static bool
take_condition_reason(struct cursor *c)
{
    return text(c, &c->one.reason);
}

static bool
take_condition_since(struct cursor *c)
{
    return stamp(c, &c->one.since_s);
}

static void
condition_begin(struct cursor *c)
{
    c->type = STR("");
    c->one = (struct kube_condition){.reason = STR("")};
}

static void
condition_end(struct cursor *c)
{
    if (!c->one.status || !memchr("TFU", c->one.status, 3))
        return;
    if (str_eq(c->type, STR("Ready")))
        c->out->o.ready = c->one;
    else if (str_eq(c->type, STR("Synced")))
        c->out->o.synced = c->one;
}

static bool
take_conditions(struct cursor *c)
{
    static const struct field fields[] = {
        {"type", take_type},
        {"status", take_condition_status},
        {"reason", take_condition_reason},
        {"lastTransitionTime", take_condition_since},
        {0},
    };

    return objects(c, fields, condition_begin, condition_end);
}

static bool
take_status(struct cursor *c)
{
    static const struct field fields[] = {
        {"conditions", take_conditions},
        {0},
    };

    return object(c, fields);
}

/* ---- the whole ---- */

static bool
start(struct cursor *c, struct str s, const char *what, struct error *err)
{
    *c = (struct cursor){.start = s.s, .p = s.s, .end = s.s ? s.s + s.n : NULL};
    if (s.n)
        blanks(c);
    if (c->p == c->end || *c->p != '{')
        return error_set(err, ERR_PARSE, "%s is no JSON object", what);
    return true;
}

static bool
done(struct cursor *c, bool ok, const char *what, struct error *err)
{
    if (ok)
        blanks(c);
    if (!ok || c->p != c->end)
        return error_set(err, ERR_PARSE, "%s is broken at byte %zu", what,
                         (size_t)(c->p - c->start));
    return true;
}

static const struct field object_fields[] = {
    {"metadata", take_metadata},
    {"status", take_status},
    {"kind", take_kind},
    {"code", take_code},
    {"reason", take_reason},
    {"message", take_message},
    {0},
};

static bool
take_row_object(struct cursor *c)
{
    const char *from = c->p;

    if (!object(c, object_fields))
        return false;
    c->out->object = str_n(from, (size_t)(c->p - from));
    return true;
}

static bool
skim(struct str s, const struct field *fields, const char *what,
     struct arena *a, struct kube_skim *out, struct error *err)
{
    const struct str none = STR("");
    struct kube_skim got = {
        .o = {.ns = none,
              .name = none,
              .uid = none,
              .version = none,
              .owner = none,
              .ready.reason = none,
              .synced.reason = none},
        .kind = none,
        .object = none,
        .reason = none,
        .message = none,
    };
    struct cursor c;

    if (!start(&c, s, what, err))
        return false;
    c.arena = a;
    c.out = &got;
    if (!done(&c, object(&c, fields), what, err))
        return false;
    *out = got;
    return true;
}

bool
kube_skim_object(struct str s, struct arena *a, struct kube_skim *out,
                 struct error *err)
{
    return skim(s, object_fields, "an object", a, out, err);
}

bool
kube_skim_row(struct str s, struct arena *a, struct kube_skim *out,
              struct error *err)
{
    static const struct field fields[] = {{"object", take_row_object}, {0}};

    return skim(s, fields, "a row", a, out, err);
}

static bool
take_event_object(struct cursor *c)
{
    const char *from = c->p;

    if (!skip(c))
        return false;
    c->object = str_n(from, (size_t)(c->p - from));
    return true;
}

bool
kube_skim_event(struct str line, struct str *type, struct str *object_text,
                struct error *err)
{
    static const struct field fields[] = {
        {"type", take_type},
        {"object", take_event_object},
        {0},
    };
    struct cursor c;

    if (!start(&c, line, "an event", err))
        return false;
    if (!done(&c, object(&c, fields), "an event", err))
        return false;
    if (!c.type.n || !c.object.n)
        return error_set(err, ERR_PARSE, "an event without type or object");
    *type = c.type;
    *object_text = c.object;
    return true;
}
