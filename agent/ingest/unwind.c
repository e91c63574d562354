/* Unwinding: see unwind.h. libunwind calls back for all it wants to read. */
#include "ingest/unwind.h"

#include <string.h>

#include "ingest/cpu.h"

/* libunwind's search of a binary table that lies in another address space: exported, but in no header. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di, unw_proc_info_t *pi,
					      int need_unwind_info, void *arg);

struct view {
	const struct space *space;
	const struct wire_stack *stack;
	const uint8_t *bytes;
};

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need, void *arg)
{
	const struct view *v = arg;
	const struct module *m = space_find(v->space, ip);
	struct image *img = m != NULL ? object_image(m->object) : NULL;
	const struct image_table *t = img != NULL ? image_table(img) : NULL;
	unw_dyn_info_t di;

	if (t == NULL)
		return -UNW_ENOINFO;
	memset(&di, 0, sizeof(di));
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.start_ip = m->bias;
	di.end_ip = m->end;
	di.u.rti.segbase = m->bias + t->header;
	di.u.rti.table_data = m->bias + t->entries;
	di.u.rti.table_len = t->entries_n * 8 / sizeof(unw_word_t);
	return UNW_OBJ(dwarf_search_unwind_table)(as, ip, &di, pi, need, arg);
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as;
	(void)pi;
	(void)arg;
}

static int get_dyn_info_list_addr(unw_addr_space_t as, unw_word_t *ret, void *arg)
{
	(void)as;
	(void)ret;
	(void)arg;
	return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write, void *arg)
{
	const struct view *v = arg;
	const uint64_t sp = cpu_stack_pointer(v->stack);
	const struct module *m;
	struct image *img;

	(void)as;
	if (write != 0)
		return -UNW_EINVAL;
	if (address >= sp && address - sp < v->stack->bytes_len) {
		if (v->stack->bytes_len - (address - sp) < sizeof(*value))
			return -UNW_EINVAL;
		memcpy(value, v->bytes + (address - sp), sizeof(*value));
		return 0;
	}
	m = space_find(v->space, address);
	img = m != NULL ? object_image(m->object) : NULL;
	return img != NULL && image_read(img, address - m->bias, value, sizeof(*value)) ? 0 : -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
	const struct view *v = arg;

	(void)as;
	return write == 0 && cpu_stack_reg(v->stack, reg, value) == 0 ? 0 : -UNW_EBADREG;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
	(void)as;
	(void)reg;
	(void)value;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as;
	(void)cursor;
	(void)arg;
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t as, unw_word_t address, char *buf, size_t size, unw_word_t *offset, void *arg)
{
	(void)as;
	(void)address;
	(void)buf;
	(void)size;
	(void)offset;
	(void)arg;
	return -UNW_ENOINFO;
}

static bool make_space(struct space *s)
{
	static unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info_list_addr,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};

	if (s->unwind != NULL)
		return true;
	s->unwind = unw_create_addr_space(&accessors, 0);
	if (s->unwind == NULL)
		return false;
	unw_set_caching_policy(s->unwind, UNW_CACHE_GLOBAL);
	return true;
}

size_t unwind_stack(struct space *s, const struct wire_stack *stack, const uint8_t *bytes, uint64_t *pcs, size_t max)
{
	struct view v = {.space = s, .stack = stack, .bytes = bytes};
	unw_cursor_t cursor;
	size_t n = 0;
	bool exact = true; /* the innermost frame stands at its instruction; the others at the one behind a call */

	if (!make_space(s) || unw_init_remote(&cursor, s->unwind, &v) < 0)
		return 0;
	while (n < max) {
		unw_word_t ip;

		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || ip == 0)
			break;
		pcs[n++] = exact ? ip : ip - 1;
		exact = unw_is_signal_frame(&cursor) > 0;
		if (unw_step(&cursor) <= 0)
			break;
	}
	return n;
}

bool unwind_knows(const struct space *s, uint64_t pc)
{
	const struct module *m = space_find(s, pc);
	struct image *img = m != NULL ? object_image(m->object) : NULL;
	const struct image_table *t = img != NULL ? image_table(img) : NULL;
	uint64_t low = 0, high = t != NULL ? t->entries_n : 0;
	int32_t row[2]; /* where a function begins, and its entry, from the table's base on */
	int64_t length = 0;
	uint32_t len;

	while (low < high) {
		const uint64_t mid = low + (high - low) / 2;

		if (!image_read(img, t->entries + mid * sizeof(row), row, sizeof(row)))
			return false;
		if (m->bias + t->header + (uint64_t)(int64_t)row[0] <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || !image_read(img, t->entries + (low - 1) * sizeof(row), row, sizeof(row)))
		return false;
	/* Length of its code: behind the entry's own length, its CIE's distance and where it begins (4 bytes each, as compilers write them). */
	if (!image_read(img, t->header + (uint64_t)(int64_t)row[1] + 12, &len, sizeof(len)))
		return false;
	length = (int64_t)len;
	return (int64_t)(pc - (m->bias + t->header + (uint64_t)(int64_t)row[0])) < length;
}
