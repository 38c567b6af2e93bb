#ifndef PIPELINE_FAULT_POINTS_H
#define PIPELINE_FAULT_POINTS_H
/* Places at which a test kills the process. In the product they are nothing: they exist only where
 * BOUNCED_FAULT_POINTS is defined, which the program `bounced-faults` of the tests is built with.
 * There BOUNCED_FAULT=STAGE.NAME:COUNT in the environment sends the process SIGKILL when it passes
 * that point for the COUNT-th time; with ":stop" behind it SIGSTOP. A point that is not in this
 * list, or a count that is no number above 0, ends the process with a sentence at the first point
 * that it passes. */
#ifdef BOUNCED_FAULT_POINTS
#define FAULT_POINT_LIST(POINT)                                                                    \
    POINT("classify", "begun")     /* the Kafka transaction is open, nothing is in it */           \
    POINT("classify", "offsets")   /* the offsets are sent, outputs held back are not */           \
    POINT("classify", "sent")      /* everything is sent, not committed */                         \
    POINT("classify", "committed") /* committed, and memory does not know it yet */                \
    POINT("classify", "aborted")   /* undone: the partitions have to go back */                    \
    POINT("classify", "barrier")   /* committed() has answered */                                  \
    POINT("classify", "revoked")   /* settled, the partitions not yet released */                  \
    POINT("decide", "begun")       /* the Kafka transaction is open, nothing is in it */           \
    POINT("decide", "touched")     /* one more partition is in the transaction */                  \
    POINT("decide", "applied")     /* one record is decided */                                     \
    POINT("decide", "changes")     /* the changed recipients are sent, the positions are not */    \
    POINT("decide", "offsets")     /* the offsets are sent, records held back are not */           \
    POINT("decide", "sent")        /* everything is sent, not committed */                         \
    POINT("decide", "committed")   /* committed in Kafka, and memory does not know it yet */       \
    POINT("decide", "kept")        /* in memory as well, in no SQLite file */                      \
    POINT("decide", "flushing")    /* the SQLite transaction of a partition is open */             \
    POINT("decide", "stored")      /* committed in the SQLite file of a partition */               \
    POINT("decide", "aborted")     /* undone: Kafka is, memory is not yet */                       \
    POINT("decide", "barrier")     /* committed() has answered */                                  \
    POINT("decide", "restoring")   /* a record of recipients is restored, not committed */         \
    POINT("decide", "restored")    /* the file is at the mark, and committed */                    \
    POINT("decide", "revoked")     /* settled, the partitions not yet released */

#define FAULT_POINT(stage, name) fault_point_pass(stage, name)
void fault_point_pass(const char *stage, const char *name);
#else
#define FAULT_POINT(stage, name) ((void)0)
#endif
#endif
