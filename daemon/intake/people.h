#ifndef INTAKE_PEOPLE_H
#define INTAKE_PEOPLE_H
/* Bounces that are written for people alone: who failed is found by the shape of the text. */
#include "intake/traits.h"

/* The head says that it is a bounce. Nobody found: dead, no-recipient. */
void people_read(const struct report *report, const struct traits *traits,
                 struct intake_output *out);
/* The head leaves it open. False where the text does not say without doubt that a delivery failed,
 * and for whom: *out is not filled then. */
bool people_try(const struct report *report, const struct traits *traits,
                struct intake_output *out);
#endif
