#include "lib/base/mem.h"

#include "devenv/failure.h"
#include "devenv/lock.h"

static bool
changed(const char *ref, const char *digest, const char *want, const char *who,
        struct error *err)
{
    error_set(err, ERR_INVALID, "%s is now %s; %s it to be %s", ref, digest,
              who, want);
    failure_remedy(err, "MT-DIGEST-CHANGED");
    return false;
}

static const struct lock_entry *
find_ref(const struct lock *l, const char *ref)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].ref && strcmp(l->v[i].ref, ref) == 0)
            return &l->v[i];
    }
    return NULL;
}

bool
lock_pin(struct profile *p, const char *kind, const char *ref,
         const char *digest, struct error *err)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", kind, ref);
    AUTO(lock_release) struct lock l = {0};
    const struct lock_entry *e;
    const char *seen = profile_fact(p, key);

    if (!lock_is_digest(digest))
        return error_set(err, ERR_INVALID, "%s: \"%.100s\" is no digest", ref,
                         digest);
    if (!lock_load(&l, err))
        return false;
    e = find_ref(&l, ref);
    if (e && e->digest && strcmp(e->digest, digest) != 0)
        return changed(ref, digest, e->digest, "the lock wants", err);
    if (seen && strcmp(seen, digest) != 0)
        return changed(ref, digest, seen, "on first use this profile saw", err);
    if (!seen)
        profile_set_fact(p, key, digest);
    return true;
}
