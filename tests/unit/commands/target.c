/* Programs: found as a shell finds them, and told apart by what the shim can do with them. */
#include "commands/target.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/unit.h"

static char dir[] = "/tmp/gapscope-target.XXXXXX";
static char err[512];

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* A file with these bytes and mode is this kind of program. */
static void check_file(const void *bytes, size_t len, mode_t mode, enum target_kind kind)
{
	char path[PATH_MAX];
	struct target t;

	snprintf(path, sizeof(path), "%s/p", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(target_find(path, &t, err, sizeof(err)), 0);
	assert_string_equal(t.path, path);
	assert_int_equal(t.kind, kind);
	unlink(path);
}

static void scripts_are_their_interpreter(void **state)
{
	static const char with_env[] = "#!/usr/bin/env sh\n", direct[] = "#! /bin/sh -e\n", missing[] = "#!/nonexistent/x\n";
	(void)state;

	check_file(with_env, strlen(with_env), 0755, TARGET_WATCHABLE);
	check_file(direct, strlen(direct), 0755, TARGET_WATCHABLE);
	check_file(missing, strlen(missing), 0755, TARGET_WATCHABLE);
	check_file("echo\n", 5, 0755, TARGET_OTHER);
	check_file("", 0, 0755, TARGET_OTHER);
}

static void elf_files_by_their_head(void **state)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr interp;
		char loader[64];
	} file;
	(void)state;

	memset(&file, 0, sizeof(file));
	memcpy(file.head.e_ident, ELFMAG, SELFMAG);
	file.head.e_ident[EI_CLASS] = ELFCLASS64;
#if defined(__x86_64__)
	file.head.e_machine = EM_X86_64;
#else
	file.head.e_machine = EM_AARCH64;
#endif
	file.head.e_phoff = sizeof(file.head);
	file.head.e_phentsize = sizeof(file.interp);
	file.head.e_phnum = 1;
	file.interp.p_type = PT_INTERP;
	file.interp.p_offset = sizeof(file.head) + sizeof(file.interp);
	strcpy(file.loader, "/lib64/ld-linux-x86-64.so.2");
	check_file(&file, sizeof(file), 0755, TARGET_WATCHABLE);
	strcpy(file.loader, "/lib/ld-musl-x86_64.so.1");
	check_file(&file, sizeof(file), 0755, TARGET_MUSL);
	file.interp.p_type = PT_LOAD;
	check_file(&file, sizeof(file), 0755, TARGET_STATIC);
	/* Headers that point outside the file. */
	file.head.e_phnum = 0xffff;
	file.head.e_phoff = 1ULL << 62;
	check_file(&file, sizeof(file), 0755, TARGET_STATIC);
	file.head.e_machine = EM_S390;
	check_file(&file, sizeof(file), 0755, TARGET_FOREIGN);
	file.head.e_ident[EI_CLASS] = ELFCLASS32;
	check_file(&file, sizeof(file), 0755, TARGET_FOREIGN);
	check_file(&file, 20, 0755, TARGET_FOREIGN);
}

static void finds_by_path_variable(void **state)
{
	struct target t;
	char old[PATH_MAX];
	(void)state;

	snprintf(old, sizeof(old), "%s", getenv("PATH"));
	setenv("PATH", "/nonexistent:/bin:/usr/bin", 1);
	assert_int_equal(target_find("sh", &t, err, sizeof(err)), 0);
	assert_string_equal(t.path, "/bin/sh");
	assert_int_equal(t.kind, TARGET_WATCHABLE);
	unsetenv("PATH");
	assert_int_equal(target_find("sh", &t, err, sizeof(err)), 0);
	setenv("PATH", old, 1);
}

static void says_what_is_wrong(void **state)
{
	struct target t;
	char path[PATH_MAX];
	(void)state;

	assert_int_equal(target_find("gapscope-no-such-program", &t, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "gapscope-no-such-program: no such program; check the name, or give its path");
	assert_int_equal(target_find("", &t, err, sizeof(err)), -ENOENT);
	assert_int_equal(target_find("/nonexistent/x", &t, err, sizeof(err)), -ENOENT);
	assert_int_equal(target_find("/tmp", &t, err, sizeof(err)), -EISDIR);
	snprintf(path, sizeof(path), "%s/plain", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	chmod(path, 0644);
	assert_int_equal(target_find(path, &t, err, sizeof(err)), -EACCES);
	assert_non_null(strstr(err, "not executable"));
	unlink(path);
}

static void launchers_are_known(void **state)
{
	struct target t;
	(void)state;

	assert_int_equal(target_find("/bin/sh", &t, err, sizeof(err)), 0);
	assert_true(target_launches(&t));
	assert_int_equal(target_find("/usr/bin/env", &t, err, sizeof(err)), 0);
	assert_true(target_launches(&t));
	assert_int_equal(target_find("/bin/ls", &t, err, sizeof(err)), 0);
	assert_false(target_launches(&t));
}

static void every_kind_has_its_reason(void **state)
{
	(void)state;
	assert_null(target_why(TARGET_WATCHABLE));
	for (int k = TARGET_STATIC; k <= TARGET_OTHER; k++)
		assert_non_null(target_why((enum target_kind)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_are_their_interpreter), cmocka_unit_test(elf_files_by_their_head),
		cmocka_unit_test(finds_by_path_variable),        cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(launchers_are_known),           cmocka_unit_test(every_kind_has_its_reason),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
