#include "cli/output.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/yaml.h"

#include "cli/columns.h"

static const char *const words[] = {
    [OUTPUT_TEXT] = "text", [OUTPUT_WIDE] = "wide", [OUTPUT_JSON] = "json",
    [OUTPUT_YAML] = "yaml", [OUTPUT_NAME] = "name",
};

bool
output_of(const struct args *a, enum output *out, struct error *err)
{
    const char *word = args_get(a, "output", words[OUTPUT_TEXT]);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            *out = (enum output)i;
            return true;
        }
    }
    return error_set(err, ERR_USAGE,
                     "-o %s: there are text, wide, json, yaml and name", word);
}

void
output_text(struct str s)
{
    if (isatty(STDOUT_FILENO))
        columns_text(s, true, stdout);
    else
        fwrite(s.s, 1, s.n, stdout);
}

void
output_tree(const struct json *j, enum output how)
{
    AUTO(buf_release) struct buf b = BUF_INIT((size_t)1 << 30);

    if (how == OUTPUT_YAML) {
        yaml_print(j, YAML_SORTED, &b);
    } else {
        json_print(j, JSON_PRETTY, &b);
        buf_putc(&b, '\n');
    }
    output_text(buf_view(&b));
}

bool
output_flush(struct error *err)
{
    struct stat st;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (fstat(STDOUT_FILENO, &st) == 0 && !S_ISREG(st.st_mode) &&
        !S_ISCHR(st.st_mode))
        return true;
    return error_set(err, ERR_IO, "standard output could not be written");
}
