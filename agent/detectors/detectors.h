/*
 * The entries that detectors.c lists, one a file.
 */
#ifndef GAPSCOPE_DETECTORS_DETECTORS_H
#define GAPSCOPE_DETECTORS_DETECTORS_H

#include "detectors/detector.h"

extern const struct detector deadline_detector;
extern const struct detector timers_detector;
extern const struct detector retry_detector;
extern const struct detector data_detector;
extern const struct detector heap_detector;
extern const struct detector fds_detector;
extern const struct detector close_wait_detector;
extern const struct detector tasks_detector;
extern const struct detector churn_detector;
extern const struct detector backlog_detector;
extern const struct detector memory_detector;

#endif
