#include "lib/kube/reflect.h"

#define BACKOFF_MS        800
#define BACKOFF_MAX_MS    30000
#define REFUSED_MS        300000 /* rights change by people */
#define QUIET_MS          120000 /* after it the pauses begin anew */
#define WATCH_S           300
#define SHORT_MS          1000
#define SLACK_MS          30000
#define STALL_BOOKMARK_MS 150000
#define CUT_LISTS_MAX     2
#define INTERNAL_MAX      3

/* What an end leads to. */
enum way {
    WAY_AGAIN,  /* the same question, after a pause */
    WAY_LIST,   /* a new list, after a pause */
    WAY_NEWEST, /* a new list, of now; at once the first time */
    WAY_PLAIN,  /* LIST instead of WatchList, at once */
    WAY_ON      /* the same question, at once */
};

void
kube_reflect_init(struct kube_reflect *r, int64_t backoff_ms)
{
    *r = (struct kube_reflect){.backoff_ms =
                                   backoff_ms ? backoff_ms : BACKOFF_MS};
}

enum kube_ask
kube_reflect_ask(const struct kube_reflect *r)
{
    if (r->listed)
        return r->probe && r->version[0] ? KUBE_ASK_PROBE : KUBE_ASK_WATCH;
    return r->plain || r->fallback ? KUBE_ASK_LIST : KUBE_ASK_STREAM;
}

const char *
kube_reflect_list_version(const struct kube_reflect *r)
{
    if (r->unavailable || r->once)
        return "";
    return r->version[0] ? r->version : "0";
}

bool
kube_reflect_pages(const struct kube_reflect *r)
{
    const char *version = kube_reflect_list_version(r);

    if (r->whole)
        return false;
    return r->paged || !*version || str_eqz(STR("0"), version);
}

/* ---- streams ---- */

void
kube_reflect_began(struct kube_reflect *r, int64_t now_ms,
                   uint32_t (*below)(uint32_t))
{
    r->began_ms = r->heard_ms = now_ms;
    r->seconds = WATCH_S + below(WATCH_S);
    r->spoke = false;
    r->synthetic = !r->version[0];
}

void
kube_reflect_heard(struct kube_reflect *r, int64_t now_ms)
{
    r->heard_ms = now_ms;
}

int64_t
kube_reflect_stall(const struct kube_reflect *r, int64_t now_ms,
                   int64_t stall_ms)
{
    int64_t end = r->began_ms + (int64_t)r->seconds * 1000 + SLACK_MS;
    int64_t due = r->heard_ms + STALL_BOOKMARK_MS;

    if (stall_ms)
        due = r->heard_ms + stall_ms;
    else if (!r->bookmarks)
        due = MAX(end, r->heard_ms + SLACK_MS);
    else
        due = MIN(due, MAX(end, r->heard_ms + SLACK_MS));
    return MAX(due - now_ms, 0);
}

bool
kube_reflect_short(const struct kube_reflect *r, int64_t now_ms)
{
    return now_ms - r->began_ms < SHORT_MS && !r->spoke;
}

/* ---- versions ---- */

static void
set_version(struct kube_reflect *r, struct str version)
{
    if (version.n >= sizeof(r->version))
        version.n = 0; /* no server's */
    if (version.n)
        memcpy(r->version, version.s, version.n);
    r->version[version.n] = '\0';
}

/* Versions are numbers where both are (apimachinery util/resourceversion);
 * of others nothing is known. */
static bool
is_older(struct str a, struct str b)
{
    uint64_t x, y;

    return str_to_u64(a, &x) && str_to_u64(b, &y) && x < y;
}

void
kube_reflect_listed(struct kube_reflect *r, struct str version, bool in_pages)
{
    if (in_pages && str_eqz(STR("0"), kube_reflect_list_version(r)))
        r->paged = true;
    set_version(r, version);
    r->listed = true;
    r->unavailable = r->fallback = r->whole = r->probe = false;
    r->synthetic = false; /* a WatchList goes on in order */
    r->cut_lists = r->internal = 0;
}

bool
kube_reflect_saw(struct kube_reflect *r, struct str version, bool trusted)
{
    r->spoke = true;
    r->internal = 0;
    if (trusted)
        r->synthetic = false;
    if (r->synthetic || !version.n)
        return true;
    if (is_older(version, str_of(r->version)))
        return false;
    set_version(r, version);
    return true;
}

void
kube_reflect_probed(struct kube_reflect *r, struct str version)
{
    r->probe = false;
    if (!is_older(version, str_of(r->version)))
        return;
    r->listed = false;
    r->unavailable = true;
}

/* ---- ends ---- */

static bool
is_expired(const struct kube_reflect_end *e)
{
    return e->too_large || e->err->code == ERR_GONE || e->err->http == 410;
}

/* Broken connections and servers that ask to wait. */
static bool
is_passing(const struct error *err)
{
    return err->http == 429 || (!err->http && (err->code == ERR_NETWORK ||
                                               err->code == ERR_TIMEOUT));
}

/* It would say so to every WatchList. */
static bool
lacks_watchlist(int http)
{
    static const int codes[] = {400, 405, 406, 415, 422, 501};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i] == http)
            return true;
    }
    return false;
}

static enum way
way_of_stream(struct kube_reflect *r, const struct kube_reflect_end *e)
{
    if (is_expired(e))
        return WAY_NEWEST;
    if (is_passing(e->err)) {
        /* A link that cuts long answers gives us pages. */
        if (e->answered && ++r->cut_lists >= CUT_LISTS_MAX) {
            r->cut_lists = 0;
            return WAY_PLAIN;
        }
        return WAY_AGAIN;
    }
    r->plain = r->plain || lacks_watchlist(e->err->http);
    return WAY_PLAIN;
}

static enum way
way_of_list(struct kube_reflect *r, const struct kube_reflect_end *e)
{
    r->fallback = false;
    if (!is_expired(e)) {
        r->fallback = is_passing(e->err) && e->answered;
        return WAY_LIST;
    }
    if (e->continued && !r->whole) {
        r->whole = r->fallback = true;
        return WAY_ON;
    }
    r->fallback = true;
    return r->unavailable ? WAY_LIST : WAY_NEWEST;
}

static enum way
way_of_watch(struct kube_reflect *r, const struct kube_reflect_end *e)
{
    if (is_expired(e)) {
        r->unavailable = r->unavailable || e->too_large;
        return r->unavailable ? WAY_NEWEST : WAY_LIST;
    }
    if (is_passing(e->err)) {
        r->probe = e->err->http == 0;
        return WAY_AGAIN;
    }
    if (e->err->http >= 500 && e->err->http != 501 &&
        ++r->internal < INTERNAL_MAX)
        return WAY_AGAIN;
    return WAY_LIST;
}

static enum way
way_of(struct kube_reflect *r, const struct kube_reflect_end *e)
{
    switch (e->ask) {
    case KUBE_ASK_STREAM:
        return way_of_stream(r, e);
    case KUBE_ASK_LIST:
        return way_of_list(r, e);
    case KUBE_ASK_WATCH:
        return way_of_watch(r, e);
    case KUBE_ASK_PROBE:
        break;
    }
    /* Who may watch but not list is not probed. */
    if (is_passing(e->err) || e->err->http >= 500)
        return WAY_AGAIN;
    r->probe = false;
    return WAY_ON;
}

/* apimachinery util/wait: doubled each time, up to twice as long by chance. */
static int64_t
pause_of(struct kube_reflect *r, int64_t now_ms, int64_t retry_after_s,
         uint32_t (*below)(uint32_t))
{
    int64_t ms = r->backoff_ms;

    if (r->failures && now_ms - r->failed_ms > QUIET_MS)
        r->failures = 0;
    for (unsigned i = 0; i < r->failures && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    ms = MIN(ms, BACKOFF_MAX_MS);
    ms += below((uint32_t)ms);
    r->failures++;
    r->failed_ms = now_ms;
    if (retry_after_s > BACKOFF_MAX_MS / 1000)
        retry_after_s = BACKOFF_MAX_MS / 1000;
    return MAX(ms, retry_after_s * 1000);
}

int64_t
kube_reflect_ended(struct kube_reflect *r, int64_t now_ms,
                   const struct kube_reflect_end *e,
                   uint32_t (*below)(uint32_t), bool *lost)
{
    bool calm = !r->failures || now_ms - r->failed_ms > QUIET_MS;
    enum way way;
    int64_t ms;

    *lost = true;
    if (!e->err && e->ask == KUBE_ASK_WATCH && !kube_reflect_short(r, now_ms)) {
        *lost = false;
        return 0;
    }
    way = e->err ? way_of(r, e)
          : e->ask == KUBE_ASK_STREAM && ++r->cut_lists >= CUT_LISTS_MAX
              ? WAY_PLAIN
              : WAY_LIST;
    if (way == WAY_LIST || way == WAY_NEWEST)
        r->listed = r->probe = false;
    if (way == WAY_NEWEST)
        r->unavailable = true;
    if (way == WAY_PLAIN)
        r->fallback = true;
    if (way == WAY_ON || way == WAY_PLAIN) {
        *lost = false;
        return 0;
    }
    ms = pause_of(r, now_ms, e->retry_after_s, below);
    if (e->ask == KUBE_ASK_LIST && e->err && e->err->http == 403)
        return REFUSED_MS;
    /* The first expiry of a calm time is no trouble of the server. */
    if (calm && e->err && is_expired(e)) {
        *lost = false;
        return 0;
    }
    return ms;
}
