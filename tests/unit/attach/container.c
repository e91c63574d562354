/* Containers' ids and labels, of a machine made of files. */
#include "attach/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ID(digit) digit digit digit digit digit digit digit digit
#define A ID("aaaaaaa1")
#define B ID("bbbbbbb2")
#define C ID("ccccccc3")
#define D ID("ddddddd4")

static char root[] = "/tmp/gapscope-container-XXXXXX";

static void put(const char *path, const char *text)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *at = whole + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(whole, 0700);
		*at = '/';
	}
	FILE *f = fopen(whole, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_machine(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	put("/proc/1/cgroup", "0::/init.scope\n");
	put("/proc/10/cgroup", "0::/system.slice/docker-" A ".scope\n");
	put("/proc/11/cgroup", "12:memory:/docker/" A "\n1:name=systemd:/docker/" A "\n0::/\n");
	put("/proc/20/cgroup", "0::/kubepods.slice/kubepods-pod12ab.slice/cri-containerd-" B ".scope\n");
	put("/proc/30/cgroup", "0::/kubepods.slice/crio-" C ".scope/container\n");
	put("/proc/40/cgroup", "0::/machine.slice/libpod-" D ".scope\n");
	put("/proc/50/cgroup", "0::/a/x" A "\n");
	put("/proc/51/cgroup", "0::/a/" A "0\n");
	put("/proc/60/cgroup", "0::/docker/" A "/docker/" B "\n");
	put("/var/lib/docker/containers/" A "/config.v2.json",
	    "{\"Name\": \"/shop\", \"Config\": {\"Labels\": {\"app\": \"shop\", \"tier\": \"front-1\", \"odd\": 7}}}");
	put("/proc/1/root/run/containerd/io.containerd.runtime.v2.task/k8s.io/" B "/config.json",
	    "{\"annotations\": {\"io.kubernetes.cri.container-name\": \"web\", \"io.kubernetes.cri.sandbox-namespace\": "
	    "\"shop\"}}");
	put("/run/containers/storage/overlay-containers/" C "/userdata/config.json",
	    "{\"annotations\": {\"io.kubernetes.cri-o.Labels\": \"{\\\"io.kubernetes.container.name\\\":\\\"jobs\\\"}\"}}");
	put("/home/jo/.local/share/containers/storage/overlay-containers/" D "/userdata/config.json",
	    "{\"annotations\": {\"app\": ");
	return 0;
}

static int remove_machine(void **state)
{
	char command[128];
	(void)state;

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void ids_are_found(void **state)
{
	static const struct {
		pid_t pid;
		const char *id;
	} cases[] = {{1, NULL}, {10, A}, {11, A}, {20, B}, {30, C}, {40, D}, {50, NULL}, {51, NULL}, {60, B}, {999, NULL}};
	char id[CONTAINER_ID];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(container_id(root, cases[i].pid, id), cases[i].id != NULL);
		if (cases[i].id)
			assert_string_equal(id, cases[i].id);
	}
}

static void labels_are_read(void **state)
{
	static const struct {
		const char *id, *label;
		bool has;
	} cases[] = {
		{A, "app=shop", true},
		{A, "app", true},
		{A, "app=sho", false},
		{A, "app=", false},
		{A, "tier=front-*", true},
		{A, "odd", false},
		{A, "other", false},
		{A, "", false},
		{B, "io.kubernetes.cri.container-name=web", true},
		{B, "io.kubernetes.cri.container-name=shop", false},
		{C, "io.kubernetes.container.name=jobs", true},
		{C, "app=shop", false},
		{D, "app", false},
		{ID("0000000f"), "app", false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(container_has_label(root, cases[i].id, cases[i].label), cases[i].has);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ids_are_found), cmocka_unit_test(labels_are_read)};

	return cmocka_run_group_tests(tests, make_machine, remove_machine);
}
