/*
 * How much the kernel's verifier looks at before it takes our programs: it gives up at a million instructions, kernels differ by several times,
 * and whoever starts a watched program waits for it. Where programs cannot be loaded, the reason is printed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "test.h"

#define MOST 50000U /* instructions of one program */

static void look(const char *path)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	struct bpf_program *p;

	assert_non_null(o);
	if (bpf_object__load(o) != 0) {
		print_message("cannot be loaded here: %s\n", strerror(errno));
		assert_true(geteuid() != 0 || errno == EPERM || access("/sys/kernel/btf/vmlinux", R_OK) != 0);
		bpf_object__close(o);
		return;
	}
	bpf_object__for_each_program(p, o)
	{
		struct bpf_prog_info info = {0};
		uint32_t bytes = sizeof(info);

		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &bytes), 0);
		print_message("%-16s %6u instructions looked at\n", bpf_program__name(p), info.verified_insns);
		assert_true(info.verified_insns < MOST);
	}
	bpf_object__close(o);
}

static void test_all(void **state)
{
	(void)state;
	look(BPF_OBJECTS "/probes.bpf.o");
	look(BPF_OBJECTS "/tcp.bpf.o");
	look(BPF_OBJECTS "/tls.bpf.o");
	look(BPF_OBJECTS "/lead.bpf.o");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
