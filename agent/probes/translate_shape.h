/*
 * Shapes of system calls: each fills the record of a call as wire/events.def has it, once translate_call has filled what all have in common. One
 * file for each group: translate_descriptors.c, translate_data.c, translate_waits.c. For these and the table in translate.c only.
 */
#ifndef GAPSCOPE_PROBES_TRANSLATE_SHAPE_H
#define GAPSCOPE_PROBES_TRANSLATE_SHAPE_H

#include <string.h>

#include "probes/translate.h"

#define NS_PER_S 1000000000ULL

struct work {
	const struct probe_call *c;
	const uint8_t *data;
	uint64_t wall_ns;
	struct translated *to;
	struct wire_record *r;
};

/* False: the call says nothing that a record could hold. */
typedef bool (*shape_fn)(const struct work *w);

static inline uint64_t pair(uint64_t high, uint64_t low)
{
	return (uint64_t)(uint32_t)high << 32 | (uint32_t)low;
}

/* The first `len` bytes are made anew. */
static inline void made(const struct work *w, size_t len)
{
	w->to->data = w->to->made;
	w->r->data_len = (uint32_t)len;
}

static inline void no_data(const struct work *w)
{
	made(w, 0);
}

/* A number of `size` bytes among the copied ones; 0 if it was not copied. */
static inline uint64_t number(const struct work *w, size_t at, size_t size)
{
	uint64_t n = 0;

	if (at + size <= w->c->data_len)
		memcpy(&n, w->data + at, size);
	return n;
}

/* -- sockets, options and descriptors of other kinds (translate_descriptors.c) -- */

bool shape_socket_made(const struct work *w);
bool shape_socket_pair(const struct work *w);
bool shape_pipe_made(const struct work *w);
bool shape_connected(const struct work *w);
bool shape_accepted(const struct work *w);
bool shape_arg1_in_a0(const struct work *w);
bool shape_closed_range(const struct work *w);
bool shape_duplicated(const struct work *w);
bool shape_fcntl_made(const struct work *w);
bool shape_ioctl_made(const struct work *w);
bool shape_option_set(const struct work *w);
bool shape_option_read(const struct work *w);
bool shape_opened(const struct work *w);

/* -- reads and writes of all kinds (translate_data.c) -- */

bool shape_transfer(const struct work *w);
bool shape_positioned(const struct work *w);
bool shape_socket_transfer(const struct work *w);
bool shape_vector(const struct work *w);
bool shape_positioned_vector(const struct work *w);
bool shape_message(const struct work *w);
bool shape_messages(const struct work *w);
bool shape_file_sent(const struct work *w);
bool shape_spliced(const struct work *w);

/* -- polls, sleeps, timers and waits for children (translate_waits.c) -- */

bool shape_polled(const struct work *w);
bool shape_selected(const struct work *w);
bool shape_epoll_made(const struct work *w);
bool shape_epoll_changed(const struct work *w);
bool shape_epoll_waited(const struct work *w);
bool shape_slept(const struct work *w);
bool shape_timer_fd_made(const struct work *w);
bool shape_timer_set(const struct work *w);
bool shape_timer_made(const struct work *w);
bool shape_interval_set(const struct work *w);
bool shape_alarm_set(const struct work *w);
bool shape_child_waited(const struct work *w);
bool shape_action_set(const struct work *w);

#endif
