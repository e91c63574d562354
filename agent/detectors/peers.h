/*
 * Which connections are calls to a dependency: a TCP or Unix client connection to a named peer that is neither the watched program
 * itself nor a daemon of the system.
 */
#ifndef GAPSCOPE_DETECTORS_PEERS_H
#define GAPSCOPE_DETECTORS_PEERS_H

#include "model/model.h"

/* Is this a connection whose waits and failures are the service's own to bound? */
bool peer_is_dependency(const struct conn *c);
/* Do these bytes, sent by a client, ask the peer to speak whenever it likes (SUBSCRIBE, LISTEN, BLPOP and their kin), or not at all (CancelRequest)? Silence after them is
 * by design. */
bool peer_waits_by_design(const uint8_t *bytes, size_t len);

#endif
