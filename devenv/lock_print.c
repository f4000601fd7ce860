/* The lock as people and programs read it: `doctor --lock`. */
#include "devenv/lock.h"

static const char *const kind_names[] = {
    [LOCK_TOOL] = "tool",
    [LOCK_IMAGE] = "image",
    [LOCK_CHART] = "chart",
    [LOCK_PACKAGE] = "package",
};

/* ---- JSON ---- */

static void
set_text(struct json *j, const char *key, const char *text)
{
    if (text)
        json_set_string(j, key, text);
}

static void
set_bytes(struct json *j, const char *key, uint64_t n)
{
    if (n)
        json_set_int(j, key, (int64_t)n);
}

static struct json *
file_json(const struct lock_file *f)
{
    struct json *j = json_new_object();

    set_text(j, "platform", f->platform);
    set_text(j, "url", f->url);
    for (size_t i = 0; i < f->mirrors.n; i++)
        json_append(json_need_array(j, "mirrors"),
                    json_new_string(f->mirrors.v[i]));
    set_text(j, "sha256", f->sha256);
    set_text(j, "checksum", f->checksum_url);
    set_text(j, "member", f->member);
    set_bytes(j, "size", f->size);
    return j;
}

static struct json *
entry_json(const struct lock_entry *e)
{
    struct json *j = json_new_object();

    set_text(j, "kind", kind_names[e->kind]);
    set_text(j, "name", e->name);
    set_text(j, "version", e->version);
    json_set_bool(j, "default", e->is_default);
    set_text(j, "for", e->use);
    set_text(j, "accept", e->accept);
    set_text(j, "ref", e->ref);
    set_text(j, "digest", e->digest);
    set_bytes(j, "about", e->about);
    for (size_t i = 0; i < e->files_n; i++)
        json_append(json_need_array(j, "files"), file_json(&e->files[i]));
    set_text(j, "vetted", e->vetted);
    return j;
}

static bool
print_json(const struct lock *l, struct buf *out)
{
    AUTO(json_free_ptr) struct json *all = json_new_array();

    for (size_t i = 0; i < l->n; i++)
        json_append(all, entry_json(&l->v[i]));
    return json_print(all, JSON_PRETTY, out) && buf_putc(out, '\n');
}

/* ---- text ---- */

#define INDENT "         "

static const char *
how_checked(const struct lock_file *f)
{
    if (f->sha256)
        return "pinned";
    return f->checksum_url ? "checked against the vendor's file, not pinned"
                           : "not fetched by meshtop";
}

static void
print_file(const struct lock_file *f, struct buf *out)
{
    buf_printf(out, INDENT "%s  %s\n", f->platform, f->url);
    for (size_t i = 0; i < f->mirrors.n; i++)
        buf_printf(out, INDENT "  mirror  %s\n", f->mirrors.v[i]);
    if (f->member)
        buf_printf(out, INDENT "  member  %s\n", f->member);
    if (f->sha256)
        buf_printf(out, INDENT "  sha256  %s\n", f->sha256);
    if (f->size)
        buf_printf(out, INDENT "  size    %llu bytes\n",
                   (unsigned long long)f->size);
    buf_printf(out, INDENT "  %s", how_checked(f));
    if (!f->sha256 && f->checksum_url)
        buf_printf(out, ": %s", f->checksum_url);
    buf_putc(out, '\n');
}

static void
print_entry(const struct lock_entry *e, struct buf *out)
{
    buf_printf(out, "%-8s %s %s", kind_names[e->kind], e->name, e->version);
    if (e->is_default)
        buf_puts(out, "  (default)");
    if (e->use)
        buf_printf(out, "  for %s", e->use);
    buf_putc(out, '\n');
    if (e->accept)
        buf_printf(out, INDENT "on PATH accepted: %s\n", e->accept);
    if (e->ref) {
        buf_puts(out, INDENT);
        lock_reference(e, NULL, out);
        buf_putc(out, '\n');
    }
    if (e->ref && !e->digest)
        buf_puts(out, INDENT "digest resolved on first use and remembered\n");
    for (size_t i = 0; i < e->files_n; i++)
        print_file(&e->files[i], out);
    if (e->vetted)
        buf_printf(out, INDENT "vetted: %s\n", e->vetted);
}

bool
lock_print(const struct lock *l, bool json, struct buf *out)
{
    if (json)
        return print_json(l, out);
    for (size_t i = 0; i < l->n; i++)
        print_entry(&l->v[i], out);
    return !out->over;
}
