/*
 * The steps of an injection. See inject.h; remote.h says how a thread is borrowed.
 *
 * The library and the session's memory reach the target as descriptors over a socket pair of its own: so it needs no permission to
 * open anything of ours, and no path that it can see.
 */
#include "attach/inject.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/resident.h"
#include "attach/supervise.h"
#include "wire/attach.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#define STACK_BYTES (256U * 1024U)
#define BORROW_MS 3000U
#define SENT_FDS 2U
#define HURRY (-20) /* our priority while a thread of somebody else waits for us; without the right to it we keep ours */

/* Laid at the bottom of the borrowed stack. */
struct parcel {
	int32_t pair[2];
	char byte[8];
	struct iovec iov;
	struct msghdr message;
	uint8_t control[CMSG_SPACE(SENT_FDS * sizeof(int))];
	char path[64];
	struct wire_attach attach;
};

/* One injection: memory that is shared with the guard, which does it. */
struct work {
	struct remote r;
	struct resident there;
	const struct inject_shim *shim;
	const struct inject_session *session;
	struct inject_result result;
	int mem, pidfd;
	int error; /* what came of it */
	char err[256];
};

static int fail(struct work *w, int e, const char *what)
{
	snprintf(w->err, sizeof(w->err), "%s: %s", what, strerror(-e));
	return e;
}

int inject_open(const char *path, struct inject_shim *ret, char *err, size_t err_size)
{
	struct inject_shim s = {.fd = -1};
	struct elf_image e = {0};
	struct stat st;
	size_t len = 0;
	uint64_t at;
	off_t done = 0;
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int r = -errno;

	if (from < 0 || fstat(from, &st) < 0 || (r = elf_read_file(path, &e)) < 0)
		goto out;

	const uint8_t *id = elf_note(&e, "GNU", NT_GNU_BUILD_ID, &len, &at);

	if (id && len <= sizeof(s.build_id)) {
		memcpy(s.build_id, id, len);
		s.build_id_len = len;
	}
	s.fd = memfd_create(RESIDENT_MEMFD, MFD_CLOEXEC | MFD_EXEC);
	if (s.fd < 0 && errno == EINVAL) /* a kernel that does not know MFD_EXEC */
		s.fd = memfd_create(RESIDENT_MEMFD, MFD_CLOEXEC);
	r = s.fd < 0 ? -errno : 0;
	if (r == -EACCES) {
		snprintf(err, err_size,
			 "vm.memfd_noexec forbids code that lies in memory: `sysctl vm.memfd_noexec=0` (or 1) allows it");
		elf_done(&e);
		close(from);
		return r;
	}
	while (r == 0 && done < st.st_size) {
		const ssize_t n = sendfile(s.fd, from, &done, (size_t)(st.st_size - done));

		if (n <= 0)
			r = n < 0 ? -errno : -EIO;
	}
	snprintf(s.path, sizeof(s.path), "%s", path);
out:
	if (r < 0) {
		snprintf(err, err_size, "%s: cannot copy the shim: %s", path, strerror(-r));
		inject_close(&s);
	} else {
		*ret = s;
	}
	elf_done(&e);
	if (from >= 0)
		close(from);
	return r;
}

void inject_close(struct inject_shim *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int begin(struct work *w, pid_t pid, const uint8_t *build_id, size_t build_id_len)
{
	char path[64];
	int e;

	w->mem = w->pidfd = -1;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	w->mem = open(path, O_RDWR | O_CLOEXEC);
	if (w->mem < 0 && errno == EACCES)
		w->mem = open(path, O_RDONLY | O_CLOEXEC);
	if (w->mem < 0)
		return fail(w, -errno, "cannot open the process's memory");
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (w->pidfd < 0)
		return fail(w, -errno, "cannot open the process");
	if ((e = resident_find(pid, w->mem, build_id, build_id_len, &w->there)) < 0)
		return fail(w, e, "cannot read the process's mappings");
	w->r.pid = pid;
	w->r.mem = w->mem;
	for (unsigned int i = 0; i < REMOTE_FDS; i++)
		w->r.fds[i] = -1;
	if (!w->there.libc || (e = remote_find_libc(w->mem, w->there.libc, &w->r.libc)) < 0)
		return fail(w, w->there.libc ? e : -ENOTSUP, "its libc is none that gapscope knows");
	if (!w->shim && !w->there.shim)
		return fail(w, -ENOENT, "there is no shim in it");
	return 0;
}

/* `work` in the guard, between begin and the end of all. */
static int carry_out(pid_t pid, const struct inject_shim *shim, const struct inject_session *session, void (*work)(void *ctx),
		     struct inject_result *ret, char *err, size_t err_size)
{
	struct work *const w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int e;

	if (w == MAP_FAILED) {
		snprintf(err, err_size, "no memory: %s", strerror(errno));
		return -ENOMEM;
	}
	w->shim = shim;
	w->session = session;
	e = begin(w, pid, shim ? shim->build_id : NULL, shim ? shim->build_id_len : 0);
	if (e == 0) {
		e = supervise(&w->r, work, w);
		e = e < 0 ? fail(w, e, "the process that enters it failed") : w->error;
	}
	if (e == 0)
		*ret = w->result;
	else
		snprintf(err, err_size, "%s", w->err);
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->mem >= 0)
		close(w->mem);
	munmap(w, sizeof(*w));
	return e;
}

/* A thread of the target is ours, with a stack. */
static int borrow(struct work *w)
{
	struct remote *const r = &w->r;
	int64_t stack;
	int e;

	(void)setpriority(PRIO_PROCESS, 0, HURRY);
	e = remote_borrow(r, BORROW_MS);
	if (e < 0)
		return fail(w, e,
			    e == -EBUSY ? "no thread of it came to a place where it can be borrowed safely"
					: "cannot stop a thread of it");
	stack = remote_syscall(
		r, SYS_mmap,
		(const uint64_t[6]){0, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0});
	if (stack > 0) {
		r->stack_bytes = STACK_BYTES;
		r->stack = (uint64_t)stack;
		return 0;
	}
	(void)remote_return(r);
	return fail(w, stack < 0 ? (int)stack : -EFAULT, "cannot map a stack in it");
}

static int give_back(struct work *w)
{
	const int e = remote_return(&w->r);

	w->result.stall_ns = w->r.running_ns - w->r.stop_ns;
	w->result.thread = w->r.tid;
	return e < 0 ? fail(w, e, "the borrowed thread was lost") : 0;
}

static int send_fds(struct work *w, int their_end, const int fds[SENT_FDS])
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(SENT_FDS * sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	const int end = (int)syscall(SYS_pidfd_getfd, w->pidfd, their_end, 0);
	int e = 0;

	if (end < 0)
		return -errno;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(SENT_FDS * sizeof(int));
	memcpy(CMSG_DATA(c), fds, SENT_FDS * sizeof(int));
	if (sendmsg(end, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		e = -errno;
	close(end);
	return e;
}

/* Both descriptors into the target: their numbers there. */
static int deliver(struct work *w, const int fds[SENT_FDS], int32_t ret[SENT_FDS])
{
	struct remote *const r = &w->r;
	const uint64_t at = r->stack;
	struct parcel p = {0};
	struct cmsghdr head;
	int64_t e;

	e = remote_syscall(r, SYS_socketpair,
			   (const uint64_t[6]){AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, at + offsetof(struct parcel, pair)});
	if (e < 0 || (e = remote_read(r, at + offsetof(struct parcel, pair), p.pair, sizeof(p.pair))) < 0)
		return (int)e;
	r->fds[0] = p.pair[0];
	r->fds[1] = p.pair[1];
	if ((e = send_fds(w, p.pair[1], fds)) < 0)
		return (int)e;
	p.iov = (struct iovec){.iov_base = (void *)(at + offsetof(struct parcel, byte)), .iov_len = 1};
	p.message = (struct msghdr){.msg_iov = (void *)(at + offsetof(struct parcel, iov)),
				    .msg_iovlen = 1,
				    .msg_control = (void *)(at + offsetof(struct parcel, control)),
				    .msg_controllen = sizeof(p.control)};
	if ((e = remote_write(r, at, &p, sizeof(p))) < 0)
		return (int)e;
	e = remote_syscall(
		r, SYS_recvmsg,
		(const uint64_t[6]){(uint64_t)p.pair[0], at + offsetof(struct parcel, message), MSG_CMSG_CLOEXEC | MSG_DONTWAIT});
	if (e < 0 || (e = remote_read(r, at, &p, sizeof(p))) < 0)
		return (int)e;
	memcpy(&head, p.control, sizeof(head));
	if (head.cmsg_type != SCM_RIGHTS || head.cmsg_len != CMSG_LEN(SENT_FDS * sizeof(int)))
		return -EMFILE; /* the target has no descriptor left */
	memcpy(ret, p.control + CMSG_LEN(0), SENT_FDS * sizeof(int));
	r->fds[2] = ret[0];
	r->fds[3] = ret[1];
	return 0;
}

/* dlopen in the target. The path differs from those of earlier copies, which dlopen would take for the same. */
static int load(struct work *w, int fd)
{
	struct parcel p = {0};
	int n = snprintf(p.path, sizeof(p.path), "/proc/self/fd/");
	int e;

	for (unsigned int i = 0; i < w->there.copies && n < 40; i++)
		n += snprintf(p.path + n, sizeof(p.path) - (size_t)n, "/");
	snprintf(p.path + n, sizeof(p.path) - (size_t)n, "%d", fd);
	if ((e = remote_write(&w->r, w->r.stack, &p, sizeof(p))) < 0)
		return e;
	e = remote_call(&w->r, w->r.libc.dlopen, w->r.stack + offsetof(struct parcel, path), RTLD_NOW | RTLD_LOCAL);
	if (e == 0)
		e = resident_find(w->r.pid, w->mem, w->shim->build_id, w->shim->build_id_len, &w->there);
	return e < 0 ? e : w->there.shim ? 0 : -ELIBACC;
}

/* Call an entry of the shim. */
static int enter(struct work *w, uint64_t entry, const struct wire_attach *in, uint32_t *ret_slots)
{
	const uint64_t at = w->r.stack + offsetof(struct parcel, attach);
	struct wire_attach a = *in;
	int e;

	a.result = WIRE_ATTACH_UNSET;
	if ((e = remote_write(&w->r, at, &a, sizeof(a))) < 0 || (e = remote_call(&w->r, entry, at, 0)) < 0 ||
	    (e = remote_read(&w->r, at, &a, sizeof(a))) < 0)
		return e;
	*ret_slots = a.slots;
	return a.result == WIRE_ATTACH_UNSET ? -EFAULT : a.result;
}

static void attach_in_guard(void *ctx)
{
	struct work *const w = ctx;
	const int fds[SENT_FDS] = {w->shim->fd, w->session->fd};
	const char *step = "cannot hand over the shim";
	struct wire_attach a = {0};
	int32_t theirs[SENT_FDS];
	uint32_t slots;
	int e = borrow(w);

	w->error = e;
	if (e < 0)
		return;
	/* Asked only now: whoever comes after our parent's end sees that the process is traced. */
	e = supervise_orphaned() ? -ECANCELED : deliver(w, fds, theirs);
	if (e == 0 && !w->there.shim) {
		step = "its loader refused the shim";
		e = load(w, theirs[0]);
	}
	if (e == 0) {
		step = "the shim could not start in it";
		a.fd = theirs[1];
		a.pid_ns = w->session->pid_ns;
		if (w->session->path)
			snprintf(a.session, sizeof(a.session), "%s", w->session->path);
		if (strlen(w->shim->path) < sizeof(a.library))
			memcpy(a.library, w->shim->path, strlen(w->shim->path) + 1);
		e = supervise_orphaned() ? -ECANCELED : enter(w, w->there.attach, &a, &w->result.slots);
	}
	/* Nobody is there to watch: nothing is to lead to the hooks. */
	if (e == 0 && supervise_orphaned())
		(void)enter(w, w->there.detach, &(const struct wire_attach){0}, &slots);

	const int back = give_back(w);

	w->error = e < 0 ? fail(w, e, step) : back;
}

static void detach_in_guard(void *ctx)
{
	struct work *const w = ctx;
	int e = borrow(w);

	w->error = e;
	if (e < 0)
		return;
	e = enter(w, w->there.detach, &(const struct wire_attach){0}, &w->result.slots);

	const int back = give_back(w);

	w->error = e < 0 ? fail(w, e, "the shim could not be switched off") : back;
}

int inject_attach(pid_t pid, const struct inject_shim *shim, const struct inject_session *session, struct inject_result *ret,
		  char *err, size_t err_size)
{
	return carry_out(pid, shim, session, attach_in_guard, ret, err, err_size);
}

int inject_detach(pid_t pid, struct inject_result *ret, char *err, size_t err_size)
{
	return carry_out(pid, NULL, NULL, detach_in_guard, ret, err, err_size);
}
