#include "lib/base/asset.h"

static struct asset
asset_at(unsigned i)
{
    const struct asset_source *s = &asset_table[i];
    return (struct asset){s->path,
                          str_n(s->start, (size_t)(s->end - s->start))};
}

bool
asset_find(const char *path, struct asset *out)
{
    for (unsigned i = 0; i < asset_count; i++) {
        if (strcmp(asset_table[i].path, path) == 0) {
            *out = asset_at(i);
            return true;
        }
    }
    return false;
}

bool
asset_under(const char *prefix, unsigned i, struct asset *out)
{
    size_t n = strlen(prefix);

    for (unsigned k = 0; k < asset_count; k++) {
        if (strncmp(asset_table[k].path, prefix, n) == 0 && i-- == 0) {
            *out = asset_at(k);
            return true;
        }
    }
    return false;
}
