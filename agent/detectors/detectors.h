/*
 * The entries that detectors.c lists, one a file.
 */
#ifndef GAPSCOPE_DETECTORS_DETECTORS_H
#define GAPSCOPE_DETECTORS_DETECTORS_H

#include "detectors/detector.h"

extern const struct detector deadline_detector;
extern const struct detector retry_detector;
extern const struct detector data_detector;
extern const struct detector heap_detector;

#endif
