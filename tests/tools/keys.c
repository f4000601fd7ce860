/* keys.c - prints docs/KEYS.md from the action table (tui/action.h). */
#include <stdio.h>

#include "tui/action.h"

int
main(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);

    action_markdown(&b);
    fputs(buf_cstr(&b), stdout);
    return 0;
}
