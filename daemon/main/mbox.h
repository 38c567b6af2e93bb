#ifndef MAIN_MBOX_H
#define MAIN_MBOX_H
/* A mailbox in one file (mbox), mail by mail. What is kept is one mail of at most INPUT_RECORD_MAX
 * bytes, however large the file is.
 * A mail begins at a line "From SENDER DATE" that stands at the start of the file or behind an
 * empty line and before a header field. Content-Length is not believed: it is wrong wherever a
 * mailbox was edited, copied or re-wrapped. */
#include "main/input_file.h"

enum { MBOX_SEPARATOR_MAX = 998 /* a longer line separates nothing */ };

struct mbox {
    struct input_file *input;
    char *mail;
    size_t len, size;
    char separator[MBOX_SEPARATOR_MAX]; /* the line that began the next mail, already read */
    size_t separator_len;               /* 0: none */
    bool in_body, after_blank;
};
/* True where the file is a mailbox: its first line is "From SENDER DATE". */
bool mbox_is(struct span first_line);
/* `input` is at its start and outlives the mbox. */
void mbox_init(struct mbox *mbox, struct input_file *input);
void mbox_done(struct mbox *mbox);
/* The next mail, its "From " line first, with LF as line end; ">From " in its body has one ">"
 * less. Of a larger mail the first INPUT_RECORD_MAX bytes. *found is false at the end. Valid until
 * the next call. */
bool mbox_next(struct mbox *mbox, struct span *mail, bool *found, struct error *error) MUST_USE;
#endif
