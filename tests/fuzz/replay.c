/*
 * replay.c - runs a fuzz target over its kept corpus, as a test.
 *
 * usage: fuzz_NAME [FOLDER]. Prints TAP: one line for the empty input, one for
 * the whole folder; a crash or a sanitizer's report ends the program.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)16 << 20)

static bool
replay(const char *folder, const char *name)
{
    struct buf b = BUF_INIT(INPUT_MAX);
    char *path = file_join(folder, name);
    bool read = file_read(path, &b, NULL);

    if (read)
        LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&b), b.n);
    free(path);
    buf_release(&b);
    return read;
}

int
main(int argc, char **argv)
{
    DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
    unsigned n = 0;

    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("ok 1 - the empty input\n");
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] != '.')
            n += replay(argv[1], e->d_name);
    }
    if (d)
        closedir(d);
    printf("%s 2 - %u inputs of %s\n1..2\n", n ? "ok" : "not ok", n,
           argc > 1 ? argv[1] : "no corpus");
    return n ? 0 : 1;
}
