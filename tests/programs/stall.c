// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stall.h"
#include "tap.h"

static char task_state(pid_t tid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	must(f);
	/* The name of a test program has no parenthesis. */
	must(fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
	fclose(f);
	return state;
}

static void *stalled_call_thread(void *arg)
{
	struct stalled_call *c = arg;

	c->tid = syscall(SYS_gettid);
	c->call(c->arg);
	return NULL;
}

void stalled_call_begin(struct stalled_call *c, void (*call)(void *arg), void *arg)
{
	int asleep = 0;

	c->call = call;
	c->arg = arg;
	c->tid = 0;
	must(!pthread_create(&c->thread, NULL, stalled_call_thread, c));
	/* Uninterruptible for a while, and so not just waiting for a page or a CPU. */
	while (asleep < 20) {
		usleep(2000);
		asleep = c->tid && task_state(c->tid) == 'D' ? asleep + 1 : 0;
	}
}

void stalled_call_end(struct stalled_call *c)
{
	must(!pthread_join(c->thread, NULL));
}

static void *run_into_userfault(void *arg)
{
	struct stall *s = arg;

	must(!vmm_write(s->vm, s->vcpu, STALL_GPA, 1, 1));
	return NULL;
}

static void delete_slot(void *arg)
{
	struct stall *s = arg;

	must(!vmm_delete_slot(s->vm, s->slot));
}

int stall_page(char *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	must(fd >= 0 && !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &range));
	return fd;
}

void stall_until_touched(int fd)
{
	struct uffd_msg msg;

	/* poll() would not do: for a blocking userfaultfd it returns POLLERR at once. */
	must(read(fd, &msg, sizeof(msg)) == sizeof(msg) && msg.event == UFFD_EVENT_PAGEFAULT);
}

static struct stalled_call deletion;

void stall_begin(struct stall *s, struct vmm *vm, int vcpu, int slot)
{
	*s = (struct stall){ .vm = vm, .vcpu = vcpu, .slot = slot };
	s->memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(s->memory != MAP_FAILED);
	s->memory[PAGE] = 0;
	s->uffd = stall_page(s->memory);
	must(!vmm_slot(vm, STALL_SLOT, 0, STALL_GPA, 2 * PAGE, s->memory, -1, 0));

	must(!pthread_create(&s->runner, NULL, run_into_userfault, s));
	stall_until_touched(s->uffd);
	stalled_call_begin(&deletion, delete_slot, s);
}

void stall_end(struct stall *s)
{
	struct uffdio_zeropage zero = { .range = { .start = (uintptr_t)s->memory, .len = PAGE } };

	must(!ioctl(s->uffd, UFFDIO_ZEROPAGE, &zero));
	stalled_call_end(&deletion);
	must(!pthread_join(s->runner, NULL));
	must(!vmm_delete_slot(s->vm, STALL_SLOT));
	close(s->uffd);
	munmap(s->memory, 2 * PAGE);
}
