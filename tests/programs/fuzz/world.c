// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes in which operations are executed: the first runs the sequence, the second is
 * forked from it and receives its operations through shared memory.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define MODULE "kvm_gmem_numa"
#define SYSFS "/sys/module/" MODULE "/"

struct world world;

/* The second process, and the pipes by which each wakes the other. */
static pid_t second;
static int to_second[2], from_second[2];

int module_load(void)
{
	int fd = open("kvm-gmem-numa.ko", O_RDONLY | O_CLOEXEC), r;
	char parameters[32] = "";

	must(fd >= 0);
	/* Kernels on which the module leaves guest_memfd to KVM get what they always got. */
	if (kernel.huge)
		snprintf(parameters, sizeof(parameters), "huge=%s", huge_words[kernel.huge]);
	r = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return r;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK);
}

bool module_loaded(void)
{
	return !access(SYSFS "refcnt", F_OK);
}

long module_references(void)
{
	int fd = open(SYSFS "refcnt", O_RDONLY | O_CLOEXEC);
	char text[16] = {};

	must(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

void module_parameter(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), SYSFS "parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value));
	close(fd);
}

/* Executes an operation in this process. */
static void execute(const struct op *op, struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	op_types[op->type]->execute(op->arg, o);
}

static void wake(const int fd[2])
{
	must(write(fd[1], "", 1) == 1);
}

static bool wait_for(const int fd[2])
{
	char byte;

	return read(fd[0], &byte, 1) == 1;
}

static void serve(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(to_second[1]);
	close(from_second[0]);
	while (wait_for(to_second)) {
		if (shared->check)
			shared->checked = check_process(1);
		else
			execute(&shared->op, &shared->outcome);
		wake(from_second);
	}
	_exit(0);
}

void world_fork(void)
{
	must(!pipe2(to_second, O_CLOEXEC) && !pipe2(from_second, O_CLOEXEC));
	fflush(stdout);
	second = fork();
	must(second >= 0);
	if (!second)
		serve();
	close(to_second[0]);
	close(from_second[1]);
}

void world_exit(void)
{
	close(to_second[1]);
	close(from_second[0]);
	must(waitpid(second, NULL, 0) == second);
	second = 0;
}

static void second_does(bool check)
{
	shared->check = check;
	wake(to_second);
	if (!wait_for(from_second)) {
		failure("the second process died");
		_exit(1);
	}
}

void world_execute(const struct op *op, struct outcome *o)
{
	if (!op_types[op->type]->in_process || !op->arg[0]) {
		kcov_begin();
		execute(op, o);
		kcov_end();
		return;
	}
	shared->op = *op;
	second_does(false);
	*o = shared->outcome;
}

/* Lets both processes check every page that they can see. */
bool check_all(void)
{
	if (!check_process(0))
		return false;
	if (shared->model.process[1].alive) {
		second_does(true);
		if (!shared->checked)
			return false;
	}
	check_done();
	return true;
}

void world_start(void)
{
	cpu_set_t set;
	int i;

	for (i = 0; i < FILES; i++)
		world.fd[i] = -1;
	CPU_ZERO(&set);
	CPU_SET(kernel.cpu[0], &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
	vmm_quiet = true;
	check_private_start();
}
