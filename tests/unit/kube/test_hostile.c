/*
 * A live copy against a world that writes at random and a saboteur between
 * them: whatever happens to the bytes, in the end the copy equals the world's
 * list, and its callbacks, replayed, equal the copy. Each round has a seed,
 * which is printed when it fails. HOSTILE_ROUNDS=2000 for a long run.
 */
#include "lib/base/map.h"

#include "lib/kube/cache.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

enum { OBJECTS = 12, EVENTS = 4096, ROUNDS = 40, STEPS = 60 };

/* ---- the world ---- */

struct object {
    bool live;
    unsigned uid, version, value;
};

struct event {
    char type; /* 'A', 'M', 'D' */
    unsigned at;
    struct object o;
};

struct world {
    struct object o[OBJECTS];
    struct event history[EVENTS];
    size_t n;
    unsigned version, compacted, uids;
};

static struct world world;
static uint64_t seed;
static struct kube_cache *cache;
static struct clock clk;
static bool streaming[64]; /* by the peer's connection */
static bool chunked[64];
static bool peace; /* the saboteur rests */
static enum kube_form form;

static unsigned
roll(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20) % n;
}

/* An object: names that sort, a payload that is rude now and then. */
static void
print_object(struct buf *b, unsigned at, const struct object *o)
{
    static const char *const rude[] = {
        "\"plain\"", "\"\xff\xfe\xc0\"", "\"\\\"]}[{\\\\\"",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "{\"managedFields\":[],\"metadata\":{\"name\":\"x\"}}"};
    AUTO(buf_release) struct buf meta = BUF_INIT(10000);

    buf_printf(&meta,
               "{\"name\":\"n%u\",\"namespace\":\"s%u\",\"uid\":\"u%u\","
               "\"resourceVersion\":\"%u\",\"managedFields\":[{\"a\":1}]}",
               at, at % 3, o->uid, o->version);
    if (form == KUBE_TABLE)
        buf_printf(b,
                   "{\"cells\":[\"n%u\",%u],\"object\":{\"kind\":"
                   "\"PartialObjectMetadata\",\"metadata\":%s}}",
                   at, o->value, buf_cstr(&meta));
    else
        buf_printf(b, "{\"kind\":\"Thing\",\"metadata\":%s,\"v\":%u,\"r\":%s}",
                   buf_cstr(&meta), o->value, rude[o->value % ARRAY_LEN(rude)]);
}

static void
print_event(struct buf *b, const struct event *e)
{
    static const char *const names[] = {
        ['A'] = "ADDED", ['M'] = "MODIFIED", ['D'] = "DELETED"};

    buf_printf(b,
               "{\"type\":\"%s\",\"object\":", names[(unsigned char)e->type]);
    if (form == KUBE_TABLE)
        buf_puts(b, "{\"kind\":\"Table\",\"metadata\":{},\"columnDefinitions\":"
                    "[{\"name\":\"Name\"}],\"rows\":[");
    print_object(b, e->at, &e->o);
    buf_puts(b, form == KUBE_TABLE ? "]}}\n" : "}\n");
}

static void
print_bookmark(struct buf *b, unsigned version, bool end)
{
    buf_printf(b,
               "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\"%s{"
               "\"resourceVersion\":\"%u\",\"annotations\":{%s}}%s}\n",
               form == KUBE_TABLE ? "Table" : "Thing",
               form == KUBE_TABLE ? ",\"rows\":[{\"cells\":[\"\"],\"object\":"
                                    "{\"metadata\":"
                                  : ",\"metadata\":",
               version, end ? "\"k8s.io/initial-events-end\":\"true\"" : "",
               form == KUBE_TABLE ? "}}]}" : "}");
}

/* ---- streams ---- */

static size_t
slot_of(const struct fake_conn *c)
{
    for (size_t i = 0; i < ARRAY_LEN(peer.conns); i++) {
        if (peer.conns[i] == c)
            return i;
    }
    return 0;
}

static void
send_body(struct fake_conn *c, struct str s)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (!s.n || c->fd < 0)
        return;
    if (!chunked[slot_of(c)]) {
        fake_send(c, s);
        return;
    }
    buf_printf(&b, "%zx\r\n", s.n);
    buf_str(&b, s);
    buf_puts(&b, "\r\n");
    fake_send(c, buf_view(&b));
}

static void
begin_body(struct fake_conn *c)
{
    size_t at = slot_of(c);

    chunked[at] = roll(2);
    fake_send(c, chunked[at] ? STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                   "chunked\r\n\r\n")
                             : STR("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                   "\r\n"));
}

static void
end_body(struct fake_conn *c)
{
    size_t at = slot_of(c);

    streaming[at] = false;
    if (c->fd >= 0 && chunked[at] && roll(4))
        fake_send(c, STR("0\r\n\r\n"));
    else
        fake_close(c);
}

/* What the saboteur does to a piece of a stream. True: the stream is done. */
static bool
sabotage(struct fake_conn *c, struct str piece)
{
    static const char *const nonsense[] = {
        "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Other\",\"metadata\":{"
        "\"name\":\"ghost\",\"resourceVersion\":\"1\"}}}\n",
        "{\"type\":\"FUTURE\",\"object\":{\"kind\":\"Thing\",\"metadata\":{"
        "\"name\":\"ghost\"}}}\n",
        "\n\n\n",
    };
    static const char *const poison[] = {
        "garbage\n",
        "{\"type\":\"ADDED\"}\n",
        "\x1f\x8b\x08\n",
        "[]\n",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"x\"}\n",
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,"
        "\"reason\":\"InternalError\",\"message\":\"boom\"}}\n",
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":429,"
        "\"message\":\"slow\",\"details\":{\"retryAfterSeconds\":1}}}\n",
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
        "\"reason\":\"Expired\",\"message\":\"old\"}}\n",
        "{\"type\":\"ERROR\",\"object\":{}}\n",
    };

    switch (roll(14)) {
    case 0: /* cut */
        send_body(c, str_sub(piece, 0, roll((unsigned)piece.n + 1)));
        streaming[slot_of(c)] = false;
        fake_close(c);
        return true;
    case 1: /* an end between two lines */
        end_body(c);
        return true;
    case 2: /* bytes that are no chunk */
        fake_send(c, STR("zzz\r\n{\"type\":\"ADDED\"}\r\n"));
        streaming[slot_of(c)] = false;
        fake_close(c);
        return true;
    case 3:
        send_body(c, str_of(poison[roll(ARRAY_LEN(poison))]));
        end_body(c);
        return true;
    case 4: /* half open: no byte comes through any more */
        streaming[slot_of(c)] = false;
        return true;
    case 5: { /* a line without end */
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

        buf_puts(&b, "{\"type\":\"ADDED\",\"object\":{\"x\":\"");
        buf_fill(&b, 'x', 70000);
        send_body(c, buf_view(&b));
        streaming[slot_of(c)] = false;
        return true;
    }
    case 6:
        if (form == KUBE_FULL)
            send_body(c, str_of(nonsense[roll(ARRAY_LEN(nonsense))]));
        return false;
    case 7: /* byte by byte */
        for (size_t i = 0; i < piece.n; i++)
            send_body(c, str_sub(piece, i, i + 1));
        return true;
    default:
        return false;
    }
}

static void
send_piece(struct fake_conn *c, struct str piece)
{
    if (peace || !sabotage(c, piece))
        send_body(c, piece);
}

/* An event to one stream: as it is, twice, or behind its successor. */
static void
tell(struct fake_conn *c, size_t i)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    unsigned how = peace ? 9 : roll(10);

    if (how == 0 && i)
        print_event(&b, &world.history[i]);
    if (how == 1 && i) {
        print_event(&b, &world.history[i]);
        i--;
    }
    print_event(&b, &world.history[i]);
    send_piece(c, buf_view(&b));
}

static void
write_world(void)
{
    unsigned at = roll(OBJECTS);
    struct object *o = &world.o[at];
    struct event *e = &world.history[world.n];

    if (world.n + 1 >= EVENTS)
        return;
    world.version += 1 + roll(3);
    e->type = !o->live ? 'A' : roll(3) ? 'M' : 'D';
    if (!o->live)
        o->uid = ++world.uids;
    o->live = e->type != 'D';
    o->version = world.version;
    o->value = roll(1000);
    e->at = at;
    e->o = *o;
    world.n++;
    for (size_t i = 0; i < ARRAY_LEN(peer.conns); i++) {
        if (peer.conns[i] && peer.conns[i]->fd >= 0 && streaming[i])
            tell(peer.conns[i], world.n - 1);
    }
}

/* ---- answers ---- */

static unsigned
number_of(const struct fake_request *r, const char *key)
{
    size_t at = str_find(r->path, str_of(key), 0);
    struct str v, rest;
    uint64_t n = 0;

    if (at == SIZE_MAX)
        return 0;
    str_cut(str_from(r->path, at + strlen(key)), '&', &v, &rest);
    str_to_u64(v, &n);
    return (unsigned)n;
}

static bool
storm(struct fake_conn *c)
{
    static const struct {
        int status;
        const char *head, *body;
    } rows[] = {
        {401, NULL, "{\"kind\":\"Status\",\"code\":401,\"message\":\"who\"}"},
        {403, NULL, "{\"kind\":\"Status\",\"code\":403,\"message\":\"no\"}"},
        {404, "Content-Type: text/plain\r\n", "404 page not found\n"},
        {409, NULL, "{}"},
        {410, NULL,
         "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410,"
         "\"metadata\":{\"continue\":\"x\"}}"},
        {422, NULL, "{\"kind\":\"Status\",\"code\":422}"},
        {429, "Retry-After: 1\r\nContent-Type: text/plain\r\n",
         "Too many requests, please try again later."},
        {429, NULL,
         "{\"kind\":\"Status\",\"code\":429,\"message\":\"storage is "
         "(re)initializing\"}"},
        {500, NULL, "{\"kind\":\"Status\",\"reason\":\"InternalError\"}"},
        {502, "Content-Type: text/html\r\n", "<html>"},
        {503, NULL, ""},
        {504, NULL,
         "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"code\":504,"
         "\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}"
         "}"},
        {200, NULL, "{\"kind\":\"Status\"}"},
        {200, NULL, "[]"},
        {200, NULL, ""},
        {204, NULL, ""},
        {200, "Content-Encoding: gzip\r\n", "no gzip at all"},
        {200, "Content-Length: 5000\r\n", "{\"kind\":"},
    };
    size_t i = roll(ARRAY_LEN(rows));

    fake_answer(c, rows[i].status, rows[i].head, str_of(rows[i].body));
    if (rows[i].status == 200)
        fake_close(c);
    return true;
}

static void
answer_watch(struct fake_conn *c, const struct fake_request *r)
{
    unsigned from = number_of(r, "&resourceVersion=");
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    bool list = str_contains(r->path, STR("sendInitialEvents"));

    begin_body(c);
    streaming[slot_of(c)] = true;
    if (!list && from > world.version) {
        end_body(c);
        return;
    }
    if (!list && from < world.compacted) {
        send_body(c, STR("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\","
                         "\"reason\":\"Expired\",\"code\":410,\"message\":"
                         "\"too old resource version\"}}\n"));
        end_body(c);
        return;
    }
    for (unsigned i = 0; i < OBJECTS && list; i++) {
        struct event e = {'A', i, world.o[i]};

        if (world.o[i].live)
            print_event(&b, &e);
    }
    for (size_t i = 0; i < world.n && !list; i++) {
        if (world.history[i].o.version > from)
            print_event(&b, &world.history[i]);
    }
    if (list || roll(2))
        print_bookmark(&b, world.version, list);
    send_piece(c, buf_view(&b));
}

static void
answer_list(struct fake_conn *c, const struct fake_request *r)
{
    unsigned limit = number_of(r, "limit="), at = number_of(r, "continue=");
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    unsigned n = 0;

    if (at &&
        (at >= 1000 * (world.version + 1) || at / 1000 - 1 != world.version)) {
        fake_answer(c, 410, NULL,
                    STR("{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":"
                        "410}"));
        return;
    }
    buf_printf(&b, "{\"kind\":\"%s\",\"%s\":[",
               form == KUBE_TABLE ? "Table" : "ThingList",
               form == KUBE_TABLE ? "rows" : "items");
    for (at %= 1000; at < OBJECTS && !(limit && n == limit); at++) {
        if (!world.o[at].live)
            continue;
        buf_puts(&b, n++ ? "," : "");
        print_object(&b, at, &world.o[at]);
    }
    buf_printf(&b, "],\"metadata\":{\"resourceVersion\":\"%u\"", world.version);
    if (at < OBJECTS)
        buf_printf(&b, ",\"continue\":\"%u\"", (world.version + 1) * 1000 + at);
    buf_puts(&b, "}}");
    if (peace) {
        fake_answer(c, 200, NULL, buf_view(&b));
        return;
    }
    begin_body(c);
    streaming[slot_of(c)] = false;
    send_piece(c, buf_view(&b));
    end_body(c);
}

static void
serve(void *arg UNUSED, struct fake_conn *c, const struct fake_request *r)
{
    streaming[slot_of(c)] = false;
    if (!peace && roll(5) == 0)
        storm(c);
    else if (str_contains(r->path, STR("watch=true")))
        answer_watch(c, r);
    else
        answer_list(c, r);
}

static void
hang_up(void)
{
    for (size_t i = 0; i < ARRAY_LEN(peer.conns); i++) {
        if (peer.conns[i])
            fake_drop(peer.conns[i]);
        streaming[i] = false;
    }
}

/* ---- the copy ---- */

struct told {
    unsigned uid, version;
};

static struct map replay; /* "ns/name" -> struct told */

static unsigned
digits(struct str s)
{
    uint64_t n = 0;

    str_to_u64(s.n && s.s[0] == 'u' ? str_from(s, 1) : s, &n);
    return (unsigned)n;
}

static void
on_changes(void *arg UNUSED, const struct kube_change *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct kube_object *o = v[i].object;
        char key[64];
        struct told *t;

        snprintf(key, sizeof(key), "%s/%s", o->ns.s, o->name.s);
        t = map_get(&replay, str_of(key));
        assert_int_equal(t != NULL, v[i].type != KUBE_ADDED);
        if (v[i].type == KUBE_MODIFIED)
            assert_int_equal(t->uid, digits(o->uid));
        if (!t) {
            t = mem_zalloc(1, sizeof(*t));
            map_put(&replay, str_of(key), t);
        }
        *t = (struct told){digits(o->uid), digits(o->version)};
        if (v[i].type == KUBE_DELETED) {
            map_del(&replay, str_of(key));
            free(t);
        }
    }
}

static void
turn(int n)
{
    for (int i = 0; i < n; i++)
        loop_turn(l, 1);
}

/* What differs between the copy, the world and the replay, or NULL. */
static const char *
difference(void)
{
    static char text[200];
    size_t live = 0;

    for (unsigned i = 0; i < OBJECTS; i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(10000);
        char ns[16], name[16], key[40];
        const struct kube_object *o;
        const struct told *t;

        snprintf(ns, sizeof(ns), "s%u", i % 3);
        snprintf(name, sizeof(name), "n%u", i);
        snprintf(key, sizeof(key), "%s/%s", ns, name);
        o = kube_cache_find(cache, ns, name);
        t = map_get(&replay, str_of(key));
        live += world.o[i].live;
        snprintf(text, sizeof(text), "%s: copy %s, told %u, world %u", key,
                 o ? o->version.s : "none", t ? t->version : 0,
                 world.o[i].live ? world.o[i].version : 0);
        if (!o != !world.o[i].live || !t != !o)
            return text;
        if (!o)
            continue;
        print_object(&b, i, &world.o[i]);
        if (digits(o->version) != world.o[i].version ||
            t->version != world.o[i].version || t->uid != world.o[i].uid)
            return text;
        if (form == KUBE_FULL &&
            !str_contains(buf_view(&b), str_from(o->body, o->body.n - 8)))
            return "the bytes differ";
    }
    return live == kube_cache_count(cache) && map_count(&replay) == live
               ? NULL
               : "there are ghosts";
}

/* A copy that is not exact says so, with a reason and a time. */
static void
check_words(void)
{
    const struct error *err = kube_cache_error(cache);

    if (kube_cache_state(cache) == KUBE_CACHE_STALE) {
        assert_non_null(err);
        assert_true(err->msg[0] != '\0');
        assert_true(kube_cache_as_of(cache) > 0);
    }
    assert_true(kube_cache_bytes(cache) < 200000);
}

static void
settle(uint64_t began)
{
    const char *why = "it is not live";

    peace = true;
    if (roll(4))
        hang_up();
    for (int i = 0; i < 8000 && why; i++) {
        /* half-open connections end by their silence */
        if (i % 80 == 79) {
            clock_advance(&clk, 700000);
            kube_cache_look(cache);
        }
        if (i % 8 == 7)
            kube_cache_retry(cache);
        turn(1);
        why = kube_cache_state(cache) == KUBE_CACHE_LIVE ? difference()
                                                         : "it is not live";
    }
    if (why)
        fail_msg("seed %llu, form %d: %s (%s)", (unsigned long long)began,
                 (int)form, why,
                 kube_cache_error(cache) ? kube_cache_error(cache)->msg : "");
    peace = false;
}

static void
step(const struct world *before)
{
    switch (roll(16)) {
    case 0:
        hang_up();
        break;
    case 1: /* a restart with compaction */
        hang_up();
        world.compacted = world.version - MIN(world.version, roll(5));
        break;
    case 2:
        clock_advance(&clk, roll(400000));
        kube_cache_look(cache);
        break;
    case 3:
        kube_cache_retry(cache);
        break;
    case 4: /* the kind is deleted and made again */
        for (unsigned i = 0; i < OBJECTS; i++)
            world.o[i].live = false;
        world.version += 5;
        world.compacted = world.version;
        hang_up();
        break;
    case 5: /* its database is put back, and nothing written at once */
        world = *before;
        hang_up();
        peace = true;
        turn(2);
        settle(seed);
        break;
    default:
        write_world();
    }
    turn((int)roll(3));
    check_words();
}

static void
free_told(void *p)
{
    free(p);
}

static void
rounds(enum kube_form which, bool plain)
{
    struct kube_cache_fns fns = {.on_changes = on_changes};
    struct kube_cache_options o = {
        .gvr = KUBE_GVR("x.io", "v1", "things"),
        .kind = "Thing",
        .backoff_ms = 1,
        .max_object = 60000,
        .page = 5,
        .form = which,
        .no_watchlist = plain,
        .clock = &clk,
    };
    static struct world before;

    form = which;
    uint64_t last = ROUNDS;

    if (getenv("HOSTILE_ROUNDS"))
        str_to_u64(str_of(getenv("HOSTILE_ROUNDS")), &last);
    for (uint64_t round = 1; round <= last; round++) {
        seed = round * 2654435761u + which * 7 + plain;
        memset(&world, 0, sizeof(world));
        world.version = 10;
        clock_fake(&clk, 1700000000000);
        peace = false;
        cache = kube_cache_new(client, &o, &fns, NULL);
        for (int i = 0; i < STEPS; i++) {
            if (i % 20 == 0)
                before = world;
            step(&before);
        }
        settle(round);
        kube_cache_free(cache);
        map_release(&replay, free_told);
        replay = (struct map){0};
        hang_up();
        turn(1);
    }
}

static void
full(void **state)
{
    (void)state;
    rounds(KUBE_FULL, false);
}

static void
plain(void **state)
{
    (void)state;
    rounds(KUBE_FULL, true);
}

static void
meta(void **state)
{
    (void)state;
    rounds(KUBE_META, false);
}

static void
table(void **state)
{
    (void)state;
    rounds(KUBE_TABLE, false);
}

static int
setup(void **state)
{
    (void)state;
    fake_client_up(serve, "d");
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full),
        cmocka_unit_test(plain),
        cmocka_unit_test(meta),
        cmocka_unit_test(table),
    };

    return cmocka_run_group_tests(tests, setup, fake_client_teardown);
}
