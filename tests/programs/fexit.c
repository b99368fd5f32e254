// SPDX-License-Identifier: GPL-2.0-only
/*
 * fexit FUNCTION...: attaches BPF programs that run when functions of kvm.ko return, as tracing
 * tools do, until SIGTERM. Prints "ready" first, and at the end how often each program ran.
 * Functions that BPF cannot be attached to are named and left alone.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <signal.h>
#include <unistd.h>

#include "tap.h"

#define MAX 16

static const struct bpf_insn does_nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

/* The BTF of kvm.ko that the kernel holds: programs are attached by it. */
static int kvm_btf_fd(void)
{
	struct bpf_btf_info info;
	char name[64];
	__u32 id = 0, len;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		must(fd >= 0);
		memset(&info, 0, sizeof(info));
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		len = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf && !strcmp(name, "kvm"))
			return fd;
		close(fd);
	}
	return -1;
}

/*
 * Returns the program's descriptor, or -1. The program stays attached as long as this process
 * lives.
 */
static int attach(int btf_fd, const struct btf *btf, const char *function)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_obj_fd = btf_fd);
	int type = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	int fd;

	if (type < 0)
		return -1;

	opts.attach_btf_id = type;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "fexit", "GPL", does_nothing,
			   sizeof(does_nothing) / sizeof(*does_nothing), &opts);
	return fd >= 0 && bpf_raw_tracepoint_open(NULL, fd) >= 0 ? fd : -1;
}

static unsigned long long runs(int prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	must(!bpf_obj_get_info_by_fd(prog, &info, &len));
	return info.run_cnt;
}

int main(int argc, char **argv)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *kvm = btf__load_module_btf("kvm", vmlinux);
	int btf_fd = kvm_btf_fd(), prog[MAX], i, sig;
	sigset_t term;

	must(argc <= MAX && kvm && btf_fd >= 0);
	must(bpf_enable_stats(BPF_STATS_RUN_TIME) >= 0);
	must(!sigemptyset(&term) && !sigaddset(&term, SIGTERM));
	must(!sigprocmask(SIG_BLOCK, &term, NULL));

	for (i = 1; i < argc; i++) {
		prog[i] = attach(btf_fd, kvm, argv[i]);
		if (prog[i] < 0)
			printf("%s cannot be attached to: %s\n", argv[i], strerror(errno));
	}
	puts("ready");
	must(!sigwait(&term, &sig));
	for (i = 1; i < argc; i++)
		if (prog[i] >= 0)
			printf("%s ran %llu times\n", argv[i], runs(prog[i]));
	return 0;
}
