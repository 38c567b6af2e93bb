#ifndef BASE_CHECK_H
#define BASE_CHECK_H
/* CHECK is for bugs: it prints file, line and condition to standard error and aborts, in every
 * build. What an operator can mend is a struct error (base/error.h); what a stranger can send is a
 * verdict. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
#define CHECK_NOT_REACHED() check_failed(__FILE__, __LINE__, "this line is not reached")
_Noreturn void check_failed(const char *file, int line, const char *condition);
#endif
