/* The files of suite "follow". */
#ifndef TD_TEST_FOLLOW_TEST_H
#define TD_TEST_FOLLOW_TEST_H

/* Called by test_follow. */
void test_follow_faults(void);

#endif
