/*
 * Sandboxes that kill for any call but read, write, exit (and sigreturn): SECCOMP_MODE_STRICT, and a filter. Inside, descriptors are
 * used for the first time, rings fill and calls fail; a single system call of ours would be the end of the process.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "claim.h"

#define PINGS 500

static void enter_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void sandboxed(int kind, const int seen[2], const int unseen[2])
{
	char byte;

	if (kind == 0)
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	else if (kind == 1)
		enter_filter();
	else { /* the system call by its number, past prctl's hook if there is one */
		CHECK(syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0);
	}
	ping(seen, PINGS);
	ping(unseen, PINGS); /* made behind the library's back: its first use is in here */
	if (read(-1, &byte, 1) != -1 || errno != EBADF)
		syscall(SYS_exit, 2);
	if (write(1, "", 0) != 0)
		syscall(SYS_exit, 3);
	syscall(SYS_exit, 0);
}

int main(void)
{
	int status;

	for (int kind = 0; kind < 3; kind++) {
		const pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0) {
			int seen[2], unseen[2];

			CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, seen) == 0);
			__asm__ volatile("" ::: "memory");
			/* A pair that no hook has seen. */
#if defined(__x86_64__)
			{
				register long protocol_ __asm__("r10") = (long)unseen;
				long result;

				__asm__ volatile("syscall"
						 : "=a"(result)
						 : "a"(SYS_socketpair), "D"(AF_UNIX), "S"(SOCK_STREAM), "d"(0), "r"(protocol_)
						 : "rcx", "r11", "memory");
				CHECK(result == 0);
			}
#else
			CHECK(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, unseen) == 0);
#endif
			sandboxed(kind, seen, unseen);
		}
		CHECK(waitpid(child, &status, 0) == child);
		printf("sandbox %d: %#x\n", kind, (unsigned int)status);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	return 0;
}
