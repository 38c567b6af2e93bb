#ifndef INTAKE_TRAITS_H
#define INTAKE_TRAITS_H
/* What the head of a mail says about its kind: who sent it, and as what. */
#include "intake/report.h"

struct traits {
    struct span from, subject; /* decoded */
    struct span from_address;
    bool is_daemon;      /* From names a mail system */
    bool is_postmaster;  /* From names whoever runs one */
    bool is_role;        /* From is no person: no-reply and the like */
    bool is_null_sender; /* Return-Path: <> */
    bool is_bounce_subject;
    bool is_answer_to; /* "Re: …", "Fwd: …", "[Ticket #7] …" */
    bool is_success;   /* "Relayed: …": it tells of mail that arrived */
    bool says_answer;  /* by subject or field: an automatic answer (RFC 3834) */
    bool is_auto;      /* Auto-Submitted alone: bounces carry it, too */
    bool is_list;      /* came through a mailing list */
};
void traits_read(const struct report *report, struct traits *out);
/* A bounce by its head alone. */
bool traits_are_of_bounce(const struct report *report, const struct traits *traits);
/* Could be one, if its text says so. */
bool traits_allow_bounce(const struct traits *traits);
#endif
