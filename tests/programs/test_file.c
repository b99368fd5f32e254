// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest_memfd file by itself, without a guest: creation, what its file descriptor can and
 * cannot do, mappings, fallocate().
 *
 * The expected results are what the native 7.3 kernel answers.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "huge.h"
#include "numa.h"
#include "tap.h"
#include "vmm.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PAGES 8
#define SIZE (PAGES * PAGE)

#define ALLOCATE FALLOC_FL_KEEP_SIZE
#define PUNCH (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)

static struct vmm vm;

static char *map_at(void *addr, int fd, size_t len, off_t offset)
{
	char *p = mmap(addr, len, PROT_READ | PROT_WRITE, MAP_SHARED | (addr ? MAP_FIXED : 0), fd,
		       offset);

	must(p != MAP_FAILED);
	return p;
}

static char *map(int fd, size_t len)
{
	return map_at(NULL, fd, len, 0);
}

/* A mapping with the alignment of a huge page. */
static char *map_aligned(int fd, size_t len)
{
	char *room = mmap(NULL, len + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t start = ((uintptr_t)room + HUGE - 1) & ~(HUGE - 1);

	must(room != MAP_FAILED);
	return map_at((void *)start, fd, len, 0);
}

static sigjmp_buf touch_jmp;

static void on_signal(int sig)
{
	siglongjmp(touch_jmp, sig);
}

/* The signal that touching the page raises, or 0. */
static int touch(char *p, bool write)
{
	int sig = sigsetjmp(touch_jmp, 1);

	if (!sig) {
		if (write)
			*(volatile char *)p = 1;
		else
			(void)*(volatile char *)p;
	}
	return sig;
}

static void fill(char *p, size_t len, int seed)
{
	size_t i;

	for (i = 0; i < len / PAGE; i++)
		memset(p + i * PAGE, seed + i % 100, PAGE);
}

static bool filled(const char *p, size_t len, int seed)
{
	size_t i, j;

	for (i = 0; i < len / PAGE; i++) {
		for (j = 0; j < PAGE; j++) {
			if (p[i * PAGE + j] != (char)(seed + i % 100))
				return false;
		}
	}
	return true;
}

static bool zero(const char *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* Run @fn in its own process; finish() returns true if @fn did. */
static pid_t start(bool (*fn)(int arg), int arg)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		_exit(!fn(arg));
	return pid;
}

static bool finish(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void send_fd(int sock, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	must(sendmsg(sock, &msg, 0) == 1);
}

static int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	must(recvmsg(sock, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* Checks everything that a VMM needs of a file. */
static bool usable(int fd)
{
	struct stat st;
	bool good;
	char *p;

	if (fstat(fd, &st) || st.st_size != (off_t)SIZE)
		return false;
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;

	good = !fallocate(fd, ALLOCATE, 0, SIZE) && !touch(p, true) && p[0] == 1 &&
	       !set_policy(p, SIZE, MPOL_BIND, NODE(1)) && !fallocate(fd, PUNCH, 0, SIZE) &&
	       !touch(p, false) && p[0] == 0;
	munmap(p, SIZE);
	return good;
}

static struct {
	int pipe[2];
	int ready[2];
	volatile int fd;
	volatile bool good;
} other;

/* A VM accepts calls only from the address space that created it, so this process shares it. */
static int create_in_user_namespace(void *unused)
{
	char byte;

	other.fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	other.good = getuid() && other.fd >= 0 && usable(other.fd);
	if (write(other.ready[1], "", 1) == 1 && read(other.pipe[0], &byte, 1) == 1)
		other.good &= usable(other.fd);
	return 0;
}

/*
 * This test must come first: what the first file ever created sets up must not belong to the user
 * namespace in which that file was created.
 */
static void test_user_namespace(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct stat theirs, ours;
	char byte;
	pid_t pid;
	int fd;

	must(!pipe(other.pipe) && !pipe(other.ready));
	pid = clone(create_in_user_namespace, stack + sizeof(stack),
		    CLONE_VM | CLONE_FILES | CLONE_NEWUSER | SIGCHLD, NULL);
	if (pid < 0 && errno == EINVAL) {
		tap_skip("a kernel without CONFIG_USER_NS", "files of another user namespace");
		return;
	}
	must(pid > 0 && read(other.ready[0], &byte, 1) == 1);
	ok(other.good, "another user namespace can create a file");

	fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	ok(fd >= 0 && usable(fd), "a file is usable after one from another user namespace");
	ok(usable(other.fd), "the file from the other user namespace is usable here");
	must(!fstat(other.fd, &theirs) && !fstat(fd, &ours));
	ok(theirs.st_dev == ours.st_dev, "both are on the same file system");
	is(theirs.st_uid, 0, "the owner is its creator, as seen from here");

	must(write(other.pipe[1], "", 1) == 1);
	must(waitpid(pid, NULL, 0) == pid);
	ok(other.good, "the other user namespace can use it while there is one from here");
	ok(usable(other.fd), "its file is usable when its creator is gone");
	fails(fchmod(other.fd, 0), EINVAL, "it fails with the same errors as any other file");

	close(other.fd);
	close(fd);
}

static void test_create_errors(void)
{
	static const uint64_t sizes[] = { 0, -PAGE, 1ULL << 63, 1, PAGE - 1, PAGE + 1,
					  INT64_MAX, UINT64_MAX };
	struct kvm_create_guest_memfd args = { .size = SIZE, .flags = VMM_GMEM_BOTH };
	uint64_t flags;
	size_t i;
	int bit;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		int bad = 0;

		for (flags = 0; flags <= VMM_GMEM_BOTH; flags++)
			bad += vmm_gmem_try(&vm, sizes[i], flags) != -1 || errno != EINVAL;
		is(bad, 0, "size %#lx is invalid, whatever the flags", sizes[i]);
	}

	for (bit = 2; bit < 64; bit++) {
		fails(vmm_gmem_try(&vm, SIZE, 1ULL << bit), EINVAL, "flag bit %d is unknown", bit);
		fails(vmm_gmem_try(&vm, SIZE, 1ULL << bit | VMM_GMEM_BOTH), EINVAL,
		      "flag bit %d is unknown, next to known ones", bit);
	}

	fails(ioctl(vm.fd, KVM_CREATE_GUEST_MEMFD, NULL), EFAULT, "arguments must be readable");
	memset(args.reserved, 0xff, sizeof(args.reserved));
	bit = ioctl(vm.fd, KVM_CREATE_GUEST_MEMFD, &args);
	ok(bit >= 0, "the reserved part of the arguments is not looked at");
	close(bit);
}

static void test_create_limit(void)
{
	struct rlimit old, none = { 0, 0 };

	must(!getrlimit(RLIMIT_NOFILE, &old));
	none.rlim_max = old.rlim_max;
	must(!setrlimit(RLIMIT_NOFILE, &none));
	fails(vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH), EMFILE, "the limit on open files holds");
	must(!setrlimit(RLIMIT_NOFILE, &old));
}

static void test_huge_file(void)
{
	const uint64_t size = INT64_MAX & ~(PAGE - 1);
	int fd = vmm_gmem_try(&vm, size, VMM_GMEM_BOTH);
	struct stat st;
	char *p;

	if (!ok(fd >= 0, "the largest possible file can be created"))
		return;
	must(!fstat(fd, &st));
	is(st.st_size, size, "its size is as asked");

	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, size - PAGE);
	ok(p != MAP_FAILED && !touch(p, true) && p[0] == 1, "its last page can be touched");
	is(fallocate(fd, ALLOCATE, size - SIZE, SIZE), 0, "its last pages can be allocated");
	is(fallocate(fd, PUNCH, 0, size), 0, "it can be punched as a whole");
	ok(!touch(p, false) && p[0] == 0, "the hole empties its last page");
	munmap(p, PAGE);
	close(fd);
}

/* Other tests check in detail how the file's type differs, and whether it can be bound. */
static void test_no_flags(void)
{
	bool module = vmm_gmem_is_ours();
	int fd = vmm_gmem_try(&vm, SIZE, 0);
	struct statfs fs;
	struct stat st;

	if (!ok(fd >= 0, "a file without flags can be created"))
		return;
	must(!fstat(fd, &st) && !fstatfs(fd, &fs));
	is(st.st_size, SIZE, "no flags: its size is as asked");
	if (module && fs.f_type == GUEST_MEMFD_MAGIC)
		tap_skip("a KVM without guest_memfd", "no flags: it is KVM's own file");
	else
		ok((fs.f_type == GUEST_MEMFD_MAGIC) == !module, "no flags: it is KVM's own file");
	fails(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, ENODEV,
	      "no flags: it cannot be mapped");
	is(fallocate(fd, ALLOCATE, 0, SIZE), 0, "no flags: pages can be allocated");
	is(fallocate(fd, PUNCH, 0, SIZE), 0, "no flags: a hole can be punched");
	close(fd);
}

static void test_name(int fd, uint64_t flags)
{
	char path[64], name[128] = "", *argv[] = { name, NULL };

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(readlink(path, name, sizeof(name) - 1) > 0);
	if (!ok(!strcmp(name, "/[kvm-gmem] (deleted)"), "flags %lu: its name is [kvm-gmem]", flags))
		printf("#   got '%s'\n", name);

	fails(open(path, O_RDONLY), ENXIO, "flags %lu: it cannot be opened for reading", flags);
	fails(open(path, O_RDWR), ENXIO, "flags %lu: it cannot be opened for writing", flags);
	fails(truncate(path, 0), EINVAL, "flags %lu: truncate() through its name", flags);
	fails(chmod(path, 0777), EINVAL, "flags %lu: chmod() through its name", flags);
	fails(execve(path, argv, argv + 1), EACCES, "flags %lu: it cannot be executed", flags);
}

/* No call can give the file another name, or reach its file system. */
static void test_no_name(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), target = open("/tmp/target", O_CREAT, 0600);
	struct {
		struct file_handle head;
		char bytes[MAX_HANDLE_SZ];
	} handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	char path[64];
	int id;

	must(target >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fails(linkat(fd, "", AT_FDCWD, "/tmp/link", AT_EMPTY_PATH), EXDEV, "it cannot be linked");
	fails(mount(path, "/tmp/target", NULL, MS_BIND, NULL), EINVAL, "it cannot be bind mounted");
	fails(mount("none", "/tmp", "guest_memfd", 0, NULL), ENODEV,
	      "its file system cannot be mounted");
	fails_or_lacks("CONFIG_FHANDLE",
		       name_to_handle_at(fd, "", &handle.head, &id, AT_EMPTY_PATH), EOPNOTSUPP,
		       "it has no handle");
	fails(fsetxattr(fd, "user.test", "", 0, 0), EOPNOTSUPP, "it has no attributes");
	close(target);
	unlink("/tmp/target");
	close(fd);
}

static void test_stat(int fd, uint64_t flags)
{
	struct statfs fs;
	struct stat st;

	must(!fstatfs(fd, &fs));
	is(fs.f_type, GUEST_MEMFD_MAGIC, "flags %lu: file system type", flags);
	is(fs.f_bsize, PAGE, "flags %lu: file system block size", flags);
	must(!fstat(fd, &st));
	is(st.st_size, SIZE, "flags %lu: size", flags);
	is(st.st_blksize, PAGE, "flags %lu: block size", flags);
	is(st.st_mode, S_IFREG | 0600, "flags %lu: a regular file, for its owner", flags);
	is(st.st_uid, 0, "flags %lu: owner", flags);
	is(st.st_gid, 0, "flags %lu: group", flags);
	is(st.st_nlink, 1, "flags %lu: links", flags);
	is(st.st_blocks, 0, "flags %lu: blocks", flags);
	must(!fallocate(fd, ALLOCATE, 0, SIZE));
	must(!fstat(fd, &st));
	is(st.st_blocks, 0, "flags %lu: blocks, with pages", flags);
	is(fcntl(fd, F_GETFL), O_RDWR | 0100000, "flags %lu: open for reading and writing", flags);
	is(fcntl(fd, F_GETFD), 0, "flags %lu: not close-on-exec", flags);
}

static void test_identity(void)
{
	uint64_t flags;

	for (flags = 1; flags <= VMM_GMEM_BOTH; flags++) {
		int fd = vmm_gmem_try(&vm, SIZE, flags);

		if (!ok(fd >= 0, "flags %lu: a file can be created", flags))
			continue;
		test_stat(fd, flags);
		test_name(fd, flags);
		close(fd);
	}
}

static void test_owner(void)
{
	struct stat st;
	int fd;

	setfsgid(101);
	setfsuid(100);
	fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	setfsuid(0);
	setfsgid(0);
	must(fd >= 0 && !fstat(fd, &st));
	is(st.st_uid, 100, "the owner is the creator's file system user");
	is(st.st_gid, 101, "the group is the creator's file system group");
	close(fd);
}

static void test_inode_numbers(void)
{
	enum { N = 200 };
	struct stat st[N];
	int fd[N], i, j, same = 0;

	for (i = 0; i < N; i++) {
		fd[i] = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
		must(!fstat(fd[i], &st[i]));
		for (j = 0; j < i; j++)
			same += st[i].st_ino == st[j].st_ino;
	}
	is(same, 0, "%d files have distinct inode numbers", N);
	for (i = 0; i < N; i++)
		close(fd[i]);
}

static void test_read_write(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char buf[PAGE] = {};
	struct iovec iov = { buf, sizeof(buf) };

	fails(read(fd, buf, 1), EINVAL, "read()");
	fails(write(fd, buf, 1), EINVAL, "write()");
	fails(pread(fd, buf, 1, 0), ESPIPE, "pread()");
	fails(pwrite(fd, buf, 1, 0), ESPIPE, "pwrite()");
	fails(readv(fd, &iov, 1), EINVAL, "readv()");
	fails(writev(fd, &iov, 1), EINVAL, "writev()");
	fails(preadv2(fd, &iov, 1, 0, RWF_NOWAIT), ESPIPE, "preadv2()");
	fails(lseek(fd, 0, SEEK_SET), ESPIPE, "lseek()");
	fails(lseek(fd, 0, SEEK_END), ESPIPE, "lseek() to the end");
	fails(lseek(fd, 0, SEEK_DATA), ESPIPE, "lseek() to data");
	fails(ftruncate(fd, 0), EINVAL, "ftruncate() to nothing");
	fails(ftruncate(fd, SIZE), EINVAL, "ftruncate() to the same size");
	fails(ftruncate(fd, 2 * SIZE), EINVAL, "ftruncate() to more");
	close(fd);
}

static void test_copies(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), other = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	int mem = memfd_create("test", 0), pipes[2];
	loff_t zero_in = 0, zero_out = 0;

	must(mem >= 0 && !ftruncate(mem, SIZE) && !pipe(pipes));
	must(write(pipes[1], "x", 1) == 1);

	fails(copy_file_range(fd, &zero_in, other, &zero_out, PAGE, 0), EINVAL,
	      "copy_file_range() between two");
	fails(copy_file_range(fd, &zero_in, mem, &zero_out, PAGE, 0), EXDEV,
	      "copy_file_range() from it");
	fails(copy_file_range(mem, &zero_in, fd, &zero_out, PAGE, 0), EXDEV,
	      "copy_file_range() to it");
	fails(sendfile(mem, fd, NULL, PAGE), EINVAL, "sendfile() from it");
	fails(sendfile(mem, fd, &zero_in, PAGE), ESPIPE, "sendfile() from it, with an offset");
	fails(sendfile(pipes[1], fd, NULL, PAGE), EINVAL, "sendfile() from it to a pipe");
	fails(sendfile(fd, mem, NULL, PAGE), EINVAL, "sendfile() to it");
	fails(splice(fd, NULL, pipes[1], NULL, PAGE, 0), EINVAL, "splice() from it");
	fails(splice(pipes[0], NULL, fd, NULL, 1, 0), EINVAL, "splice() to it");

	close(pipes[0]);
	close(pipes[1]);
	close(mem);
	close(other);
	close(fd);
}

static void test_file_calls(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	struct flock lock = { .l_type = F_WRLCK };

	fails(fchmod(fd, 0777), EINVAL, "fchmod()");
	fails(fchown(fd, 1, 1), EINVAL, "fchown()");
	fails(futimens(fd, NULL), EINVAL, "futimens()");
	fails(fsync(fd), EINVAL, "fsync()");
	fails(fdatasync(fd), EINVAL, "fdatasync()");
	is(sync_file_range(fd, 0, PAGE, SYNC_FILE_RANGE_WRITE), 0, "sync_file_range()");
	is(syncfs(fd), 0, "syncfs()");
	is(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0, "posix_fadvise()");
	fails(fcntl(fd, F_GET_SEALS), EINVAL, "it has no seals");
	is(flock(fd, LOCK_EX), 0, "flock()");
	is(fcntl(fd, F_SETLK, &lock), 0, "a lock on a range");
	fails(fcntl(fd, F_SETLEASE, F_RDLCK), EINVAL, "a lease for reading");
	fails(fcntl(fd, F_SETLEASE, F_WRLCK), EINVAL, "a lease for writing");
	fails(ioctl(fd, FITRIM, NULL), ENOTTY, "an ioctl() that file systems know");
	fails(ioctl(fd, KVM_RUN, NULL), ENOTTY, "an ioctl() that KVM knows");
	close(fd);
}

/*
 * Since 6.16, the kernel does not do for an anonymous file what it does by itself for a regular
 * file, and these calls never ask the file. So the results can only be compared with those of
 * KVM's own file.
 */
static void test_generic_calls(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), own = vmm_gmem(&vm, SIZE, 0), got, want;

#define SAME(call, text)								\
	do {										\
		int f = own;								\
		want = (call) < 0 ? -errno : 0;						\
		f = fd;									\
		got = (call) < 0 ? -errno : 0;						\
		is(got, want, "%s: as KVM's own file", text);				\
	} while (0)

	SAME(readahead(f, 0, PAGE), "readahead()");
	SAME(ioctl(f, FIONREAD, &(int){ 0 }), "ioctl(FIONREAD)");
	SAME(ioctl(f, FIBMAP, &(int){ 0 }), "ioctl(FIBMAP)");
	SAME(ioctl(f, FIGETBSZ, &(int){ 0 }), "ioctl(FIGETBSZ)");
	SAME(ioctl(f, FIOQSIZE, &(loff_t){ 0 }), "ioctl(FIOQSIZE)");
	SAME(ioctl(f, FS_IOC_GETFLAGS, &(int){ 0 }), "ioctl(FS_IOC_GETFLAGS)");
	close(own);
	close(fd);
}

static void test_mmap_errors(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), no_mmap = vmm_gmem(&vm, SIZE, 2);
	const int rw = PROT_READ | PROT_WRITE;
	char *p;

#define MAP_FAILS(fd, prot, flags, err, text)						\
	fails(mmap(NULL, SIZE, prot, flags, fd, 0) == MAP_FAILED ? -1 : 0, err, text)

	MAP_FAILS(fd, rw, MAP_PRIVATE, EINVAL, "a private mapping");
	MAP_FAILS(fd, PROT_READ, MAP_PRIVATE, EINVAL, "a private mapping, read-only");
	MAP_FAILS(fd, PROT_READ | PROT_EXEC, MAP_SHARED, EPERM, "an executable mapping");
	MAP_FAILS(fd, rw, MAP_SHARED_VALIDATE | MAP_SYNC, EOPNOTSUPP, "a synchronous mapping");
	MAP_FAILS(no_mmap, rw, MAP_SHARED, ENODEV, "a mapping, without the flag");
	MAP_FAILS(no_mmap, rw, MAP_PRIVATE, ENODEV, "a private mapping, without the flag");

	p = mmap(NULL, SIZE, PROT_NONE, MAP_SHARED_VALIDATE, fd, 0);
	ok(p != MAP_FAILED, "a mapping without access");
	is(touch(p, false), SIGSEGV, "a mapping without access has none");
	is(mprotect(p, SIZE, rw), 0, "mprotect() gives it access");
	is(touch(p, true), 0, "the mapping then has access");
	is(mprotect(p, SIZE, PROT_READ), 0, "mprotect() takes writing away");
	is(touch(p, true), SIGSEGV, "writing then fails");
	is(touch(p, false), 0, "reading does not");
	fails(mprotect(p, SIZE, PROT_READ | PROT_EXEC), EACCES, "mprotect() to executable");
	munmap(p, SIZE);
	close(no_mmap);
	close(fd);
}

static void test_mmap_end(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = map(fd, 2 * SIZE);

	is(touch(p + SIZE - 1, true), 0, "the last byte can be written");
	is(touch(p + SIZE, false), SIGBUS, "the byte after it cannot be read");
	is(touch(p + SIZE, true), SIGBUS, "nor written");
	is(touch(p + 2 * SIZE - 1, true), SIGBUS, "nor can the end of the mapping");
	fails(madvise(p + SIZE, PAGE, MADV_POPULATE_WRITE), EFAULT, "nor can it be populated");
	munmap(p, 2 * SIZE);

	p = map_at(NULL, fd, SIZE, 64 * SIZE);
	is(touch(p, false), SIGBUS, "a mapping that begins past the end: reading");
	is(touch(p, true), SIGBUS, "a mapping that begins past the end: writing");
	munmap(p, SIZE);

	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, (INT64_MAX - SIZE + PAGE) & -PAGE);
	ok(p == MAP_FAILED && errno == EOVERFLOW, "no mapping is beyond any file");
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (INT64_MAX - SIZE) & -PAGE);
	ok(p != MAP_FAILED, "a mapping at the largest offset");
	is(touch(p, true), SIGBUS, "a mapping at the largest offset has no pages");
	munmap(p, SIZE);
	close(fd);
}

/* Without INIT_SHARED the host may map the file, for mbind(), but not access it. */
static void test_not_shared(void)
{
	int fd = vmm_gmem(&vm, SIZE, GUEST_MEMFD_FLAG_MMAP), pipes[2], mem, mode;
	char *p = map(fd, SIZE), buf[16] = "0123456789";
	struct iovec local = { buf, sizeof(buf) }, remote = { p, sizeof(buf) };
	unsigned long nodes;

	is(touch(p, false), SIGBUS, "not shared: reading");
	is(touch(p, true), SIGBUS, "not shared: writing");
	must(!fallocate(fd, ALLOCATE, 0, SIZE));
	is(touch(p, false), SIGBUS, "not shared: reading a page that is there");
	is(touch(p, true), SIGBUS, "not shared: writing a page that is there");

	must(!pipe(pipes) && write(pipes[1], buf, sizeof(buf)) == sizeof(buf));
	fails(read(pipes[0], p, sizeof(buf)), EFAULT, "not shared: read() into it");
	fails(write(pipes[1], p, sizeof(buf)), EFAULT, "not shared: write() from it");
	fails_or_lacks("CONFIG_CROSS_MEMORY_ATTACH",
		       process_vm_readv(getpid(), &local, 1, &remote, 1, 0), EFAULT,
		       "not shared: process_vm_readv() from it");
	fails_or_lacks("CONFIG_CROSS_MEMORY_ATTACH",
		       process_vm_writev(getpid(), &local, 1, &remote, 1, 0), EFAULT,
		       "not shared: process_vm_writev() to it");
	mem = open("/proc/self/mem", O_RDWR);
	must(mem >= 0);
	fails(pread(mem, buf, sizeof(buf), (off_t)p), EIO, "not shared: /proc/self/mem");
	fails(pwrite(mem, buf, sizeof(buf), (off_t)p), EIO, "not shared: /proc/self/mem, writing");
	fails(madvise(p, SIZE, MADV_POPULATE_READ), EFAULT, "not shared: populating to read");
	fails(madvise(p, SIZE, MADV_POPULATE_WRITE), EFAULT, "not shared: populating to write");
	fails(mlock(p, SIZE), ENOMEM, "not shared: mlock()");
	is(page_node(p), -ENOENT, "not shared: nothing is mapped");

	is(set_policy(p, SIZE, MPOL_BIND, NODE(1)), 0, "not shared: mbind()");
	ok(!get_policy(p + SIZE - 1, &mode, &nodes) && mode == MPOL_BIND && nodes == NODE(1),
	   "not shared: get_mempolicy() tells what mbind() set");

	close(mem);
	close(pipes[0]);
	close(pipes[1]);
	munmap(p, SIZE);
	close(fd);
}

/* What fails above works where the file is shared. */
static void test_shared(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), pipes[2];
	char *p = map(fd, SIZE), buf[16] = "0123456789";
	struct iovec local = { buf, sizeof(buf) }, remote = { p, sizeof(buf) };

	ok(zero(p, SIZE), "a new file reads as zeroes");
	must(!pipe(pipes) && write(pipes[1], buf, sizeof(buf)) == sizeof(buf));
	is(read(pipes[0], p, sizeof(buf)), sizeof(buf), "read() into a mapping");
	is(write(pipes[1], p, sizeof(buf)), sizeof(buf), "write() from a mapping");
	memset(buf, 0, sizeof(buf));
	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == -1 && errno == ENOSYS) {
		tap_skip("a kernel without CONFIG_CROSS_MEMORY_ATTACH", "process_vm_readv()");
	} else {
		ok(!strcmp(buf, "0123456789"), "process_vm_readv() finds what read() put there");
		is(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), sizeof(buf),
		   "process_vm_writev()");
	}
	close(pipes[0]);
	close(pipes[1]);
	munmap(p, SIZE);
	close(fd);
}

/* How many of @n pages are mapped in this process; does not touch them. */
static int mapped(char *p, int n)
{
	int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += page_node(p + i * PAGE) >= 0;
	return sum;
}

/* Write tracking that needs no thread to resolve the faults (6.7). */
static int track_writes(void *p, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	struct uffdio_register range = {
		.range = { (uintptr_t)p, size },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	must(uffd >= 0);
	if (!ioctl(uffd, UFFDIO_API, &api) && !ioctl(uffd, UFFDIO_REGISTER, &range))
		return uffd;
	close(uffd);
	return -1;
}

/* Where userfaultfd takes part in mapping pages, core mm maps no pages around a fault. */
static void test_window_beside_tracking(void)
{
	enum { N = 16 };
	int fd = vmm_gmem(&vm, N * PAGE, VMM_GMEM_BOTH), uffd;
	char *p = map_aligned(fd, N * PAGE);

	must(!fallocate(fd, ALLOCATE, 0, N * PAGE));
	uffd = track_writes(p, N * PAGE);
	if (uffd < 0) {
		tap_skip("a kernel without UFFD_FEATURE_WP_ASYNC", "writes are tracked");
	} else {
		p[3 * PAGE] = 1;
		is(mapped(p, N), 1, "writes are tracked: only the page that was written is mapped");
		close(uffd);
	}
	munmap(p, N * PAGE);
	close(fd);
}

/*
 * A host fault on a page that is in the file also maps those neighbours that are in the file: core
 * mm does it at a read fault, the module at a write fault.
 */
static void test_window(bool write)
{
	enum { N = 64, WINDOW = 16 };
	const char *how = write ? "writing" : "reading";
	int fd = vmm_gmem(&vm, N * PAGE, VMM_GMEM_BOTH), most = WINDOW;
	char *room, *p, *q, *part;

	/* Native guest_memfd does not map pages around a fault. */
	if (!vmm_gmem_is_ours())
		most = 1;

	p = map_aligned(fd, N * PAGE);
	is(touch(p + 20 * PAGE, write), 0, "%s: nothing is there yet", how);
	is(mapped(p, N), 1, "%s: one page is allocated and mapped", how);

	must(!fallocate(fd, ALLOCATE, 0, 40 * PAGE));
	is(touch(p + 35 * PAGE, write), 0, "%s: page 35, when 40 pages are in the file", how);
	is(mapped(p + 32 * PAGE, WINDOW), most > 1 ? 8 : 1,
	   "%s: its window is mapped, as far as it is in the file", how);
	is(mapped(p, N), most > 1 ? 9 : 2, "%s: and nothing else is", how);
	is(touch(p + 39 * PAGE, write), 0, "%s: the last page that is in the file", how);
	ok(zero(p + 36 * PAGE, 3 * PAGE), "%s: pages that came with a neighbour are zero", how);

	/* A mapping that begins and ends within the window. */
	room = mmap(NULL, N * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(room != MAP_FAILED);
	room = (char *)(((uintptr_t)room + WINDOW * PAGE - 1) & ~(WINDOW * PAGE - 1));
	part = map_at(room + 5 * PAGE, fd, 3 * PAGE, 0);
	is(touch(part + PAGE, write), 0, "%s: the second of three pages", how);
	is(mapped(room, WINDOW), most > 1 ? 3 : 1, "%s: nothing outside the mapping is mapped", how);
	q = map_at(room + 21 * PAGE, fd, 3 * PAGE, 30 * PAGE);
	is(touch(q, write), 0, "%s: the first of three pages in the middle of the file", how);
	is(mapped(room + WINDOW * PAGE, WINDOW), most > 1 ? 3 : 1,
	   "%s: nothing outside this mapping is mapped, either", how);

	memset(p, 1, 40 * PAGE);
	is(part[2 * PAGE] + q[2 * PAGE], 2, "%s: all mappings show the same pages", how);
	must(!fallocate(fd, PUNCH, 33 * PAGE, PAGE));
	is(page_node(p + 33 * PAGE), -ENOENT, "%s: a hole in a window", how);
	ok(zero(p + 33 * PAGE, PAGE), "%s: a hole in a window is a new page", how);
	munmap(room, 24 * PAGE);
	munmap(p, N * PAGE);
	close(fd);
}

static char *shared_map;

static bool check_and_write(int seed)
{
	if (!filled(shared_map, SIZE, seed))
		return false;
	fill(shared_map, SIZE, seed + 1);
	return true;
}

static void test_sharing(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = map(fd, SIZE), *q = map(fd, SIZE), *shifted = map_at(NULL, fd, PAGE, 3 * PAGE);

	fill(p, SIZE, 5);
	ok(filled(q, SIZE, 5), "a second mapping shows the same data");
	ok(filled(shifted, PAGE, 8), "so does one with an offset");
	fill(q, SIZE, 50);
	ok(filled(p, SIZE, 50), "data written through the second shows in the first");

	shared_map = p;
	ok(finish(start(check_and_write, 50)), "a child has the mapping");
	ok(filled(q, SIZE, 51), "and shares it");

	munmap(q, SIZE);
	munmap(p, SIZE);
	ok(filled(shifted, PAGE, 54), "the data outlives the mapping that wrote it");
	close(fd);
	is(touch(shifted, true), 0, "a mapping outlives the descriptor");
	is(shifted[1], 54, "with its data");
	munmap(shifted, PAGE);
}

static void test_mremap(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = map(fd, SIZE), *q, *room;

	fill(p, SIZE, 1);
	p = mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	must(p != MAP_FAILED);
	ok(filled(p, SIZE, 1), "mremap() to more keeps the data");
	is(touch(p + SIZE, true), SIGBUS, "and adds nothing to it");
	room = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	ok(q == room && filled(q, SIZE, 1), "mremap() to another address keeps the data");
	p = mremap(q, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ok(p != MAP_FAILED && p != q && filled(p, SIZE, 1) && filled(q, SIZE, 1),
	   "mremap() that leaves the old mapping has both");
	munmap(q, SIZE);
	q = mremap(p, 0, SIZE, MREMAP_MAYMOVE);
	ok(q != MAP_FAILED && filled(q, SIZE, 1), "mremap() can duplicate a mapping");
	munmap(q, SIZE);
	p = mremap(p, SIZE, PAGE, 0);
	ok(p != MAP_FAILED && filled(p, PAGE, 1), "mremap() to less");
	munmap(p, PAGE);
	close(fd);
}

/* mmap() refuses offsets that do not fit a loff_t, but mremap() can reach them. */
static void test_mremap_past_loff_t(void)
{
	int fd = vmm_gmem(&vm, PAGE, VMM_GMEM_BOTH);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, INT64_MAX & -(2 * PAGE));

	must(p != MAP_FAILED);
	p = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	must(p != MAP_FAILED);
	is(touch(p + PAGE, true), SIGBUS, "there is nothing at the largest offset");
	if (vmm_gmem_is_ours())
		is(touch(p + 2 * PAGE, true), SIGBUS, "nor behind it");
	else
		tap_skip("upstream takes it for negative", "nor behind it");
	munmap(p, 3 * PAGE);
	close(fd);
}

static void test_madvise(void)
{
	static const struct {
		int advice, err;
		const char *name;
	} advices[] = {
		{ MADV_DONTNEED, 0, "DONTNEED" },
		{ 24 /* MADV_DONTNEED_LOCKED */, 0, "DONTNEED_LOCKED" },
		{ MADV_FREE, EINVAL, "FREE" },
		{ MADV_COLD, 0, "COLD" },
		{ MADV_PAGEOUT, 0, "PAGEOUT" },
		{ MADV_MERGEABLE, 0, "MERGEABLE" },
		{ MADV_UNMERGEABLE, 0, "UNMERGEABLE" },
		{ MADV_HUGEPAGE, 0, "HUGEPAGE" },
		{ MADV_NOHUGEPAGE, 0, "NOHUGEPAGE" },
		{ MADV_COLLAPSE, EINVAL, "COLLAPSE" },
		{ MADV_WILLNEED, 0, "WILLNEED" },
		{ MADV_RANDOM, 0, "RANDOM" },
		{ MADV_WIPEONFORK, EINVAL, "WIPEONFORK" },
		{ MADV_POPULATE_READ, 0, "POPULATE_READ" },
		{ MADV_POPULATE_WRITE, 0, "POPULATE_WRITE" },
	};
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = map(fd, SIZE);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		int err;

		fill(p, SIZE, i);
		err = madvise(p, SIZE, advices[i].advice) ? errno : 0;
		is(err, advices[i].err, "madvise(%s)", advices[i].name);
		ok(filled(p, SIZE, i), "madvise(%s) leaves the data alone", advices[i].name);
	}

	is(madvise(p + PAGE, PAGE, MADV_REMOVE), 0, "madvise(REMOVE)");
	ok(zero(p + PAGE, PAGE), "madvise(REMOVE) is a hole");
	ok(filled(p + 2 * PAGE, SIZE - 2 * PAGE, i - 1 + 2), "and no more than asked");
	munmap(p, SIZE);
	close(fd);
}

static void test_mlock(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = map(fd, SIZE);

	is(page_node(p), -ENOENT, "nothing is mapped before it is touched");
	is(mlock(p, SIZE), 0, "mlock()");
	ok(page_node(p) >= 0 && page_node(p + SIZE - 1) >= 0, "mlock() populates");
	fails(madvise(p, SIZE, MADV_DONTNEED), EINVAL, "madvise(DONTNEED) of locked pages");
	fails(msync(p, SIZE, MS_INVALIDATE), EBUSY, "msync() of locked pages");
	is(fallocate(fd, PUNCH, 0, SIZE), 0, "a hole in locked pages");
	is(munlock(p, SIZE), 0, "munlock()");
	is(mlock2(p, SIZE, MLOCK_ONFAULT), 0, "mlock() on fault");
	is(page_node(p), -ENOENT, "mlock() on fault populates nothing");
	fails(msync(p, SIZE, MS_SYNC), EINVAL, "msync()");
	is(msync(p, SIZE, MS_ASYNC), 0, "msync() that does nothing");
	munmap(p, SIZE);

	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	ok(p != MAP_FAILED && page_node(p) >= 0, "mmap() can populate");
	munmap(p, SIZE);
	close(fd);
}

static void test_userfaultfd(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *p = map(fd, SIZE);

	must(uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api));
	reg.range.start = (uint64_t)p;
	reg.range.len = SIZE;
	fails(ioctl(uffd, UFFDIO_REGISTER, &reg), EINVAL, "userfaultfd: missing pages");
	reg.mode = UFFDIO_REGISTER_MODE_MINOR;
	fails(ioctl(uffd, UFFDIO_REGISTER, &reg), EINVAL, "userfaultfd: minor faults");
	reg.mode = UFFDIO_REGISTER_MODE_WP;
	fails(ioctl(uffd, UFFDIO_REGISTER, &reg), EINVAL, "userfaultfd: write protection");
	munmap(p, SIZE);
	close(uffd);
	close(fd);
}

#define KPF_HUGE (1UL << 17)
#define KPF_UNEVICTABLE (1UL << 18)
#define KPF_KSM (1UL << 21)
#define KPF_THP (1UL << 22)
#define KPF_COMPOUND (1UL << 15 | 1UL << 16)
#define KPF_SWAPBACKED (1UL << 14)

static uint64_t read_u64(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY);
	uint64_t value;

	must(fd >= 0 && pread(fd, &value, sizeof(value), index * sizeof(value)) == sizeof(value));
	close(fd);
	return value;
}

static uint64_t page_pfn(const char *p)
{
	uint64_t entry = read_u64("/proc/self/pagemap", (uintptr_t)p / PAGE);

	return entry >> 63 ? entry & ((1UL << 55) - 1) : 0;
}

static void pfns_of(char *p, size_t n, uint64_t *pfns)
{
	size_t i;

	for (i = 0; i < n; i++) {
		(void)*(volatile char *)(p + i * PAGE);
		pfns[i] = page_pfn(p + i * PAGE);
	}
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	/* It does not matter how much of it the kernel could do. */
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		errno = 0;
	close(fd);
}

/* Everything that user space can do to make the kernel move pages, or drop them. */
static void press(char *p, size_t len)
{
	madvise(p, len, MADV_COLD);
	madvise(p, len, MADV_PAGEOUT);
	madvise(p, len, MADV_HUGEPAGE);
	madvise(p, len, MADV_COLLAPSE);
	madvise(p, len, MADV_MERGEABLE);
	write_to("/proc/sys/vm/compact_memory", "1");
	write_to("/proc/sys/vm/drop_caches", "3");
	write_to("/sys/fs/cgroup/test_file/memory.reclaim", "64M");
}

static void test_flags(char *p, const uint64_t *pfns, size_t n)
{
	size_t i, evictable = 0, huge = 0, other = 0;

	for (i = 0; i < n; i++) {
		uint64_t flags = read_u64("/proc/kpageflags", pfns[i]);

		evictable += !(flags & KPF_UNEVICTABLE);
		huge += !!(flags & (KPF_HUGE | KPF_THP | KPF_COMPOUND));
		other += !!(flags & (KPF_KSM | KPF_SWAPBACKED));
	}
	is(evictable, 0, "every page is unevictable");
	is(huge, huge_asked() ? n : 0, "none is huge that was not allocated so");
	is(other, 0, "none is merged or swap-backed");
}

static void test_pages_stay(void)
{
	enum { N = HUGE / PAGE };
	static uint64_t before[N], after[N];
	int fd = vmm_gmem(&vm, HUGE, VMM_GMEM_BOTH);
	char *p = map_aligned(fd, HUGE);
	int moved = 0, i;

	cgroup_enter("test_file");
	is(madvise(p, HUGE, MADV_HUGEPAGE), 0, "huge pages are advised, before any touch");
	/* The other half stays clean, and so reclaim would drop it first. */
	fill(p, HUGE / 2, 1);
	pfns_of(p, N, before);
	fails(madvise(p, HUGE, MADV_COLLAPSE), EINVAL, "madvise(COLLAPSE) of 2 MiB, aligned");
	press(p, HUGE);
	pfns_of(p, N, after);
	for (i = 0; i < N; i++)
		moved += !before[i] || before[i] != after[i];
	is(moved, 0, "reclaim, compaction and collapse leave every page where it was");
	ok(filled(p, HUGE / 2, 1) && zero(p + HUGE / 2, HUGE / 2), "with its data");
	test_flags(p, after, N);
	munmap(p, HUGE);
	close(fd);
	cgroup_leave("test_file");
}

/* The file must behave like memory that several processes share. All its pages are on node 0. */
static void test_migration(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), target[PAGES], status[PAGES], i, wrong = 0;
	unsigned long from = NODE(0), to = NODE(1);
	uint64_t before[PAGES], after[PAGES];
	char *p = map(fd, SIZE);
	void *pages[PAGES];

	must(!set_policy(p, SIZE, MPOL_BIND, NODE(0)));
	fill(p, SIZE, 1);
	pfns_of(p, PAGES, before);
	for (i = 0; i < PAGES; i++) {
		pages[i] = p + i * PAGE;
		target[i] = 1;
	}

	is(move_pages(0, PAGES, pages, target, status, MPOL_MF_MOVE_ALL), PAGES,
	   "move_pages() moves none");
	for (i = 0; i < PAGES; i++)
		wrong += page_node(pages[i]) != 0;
	is(wrong, 0, "every page is on the node where it was");
	ok(migrate_pages(0, 8 * sizeof(from), &from, &to) >= PAGES, "migrate_pages() moves none");
	must(!migrate_pages(0, 8 * sizeof(from), &to, &from));

	fails(mbind(p, SIZE, MPOL_BIND, &to, 8 * sizeof(to), MPOL_MF_MOVE | MPOL_MF_STRICT), EIO,
	      "mbind(MOVE | STRICT) fails");
	fails(mbind(p, SIZE, MPOL_BIND, &to, 8 * sizeof(to), MPOL_MF_STRICT), EIO,
	      "mbind(STRICT) fails");
	is(mbind(p, SIZE, MPOL_BIND, &to, 8 * sizeof(to), MPOL_MF_MOVE), 0,
	   "mbind(MOVE) does not fail");
	is(mbind(p, SIZE, MPOL_BIND, &to, 8 * sizeof(to), MPOL_MF_MOVE_ALL), 0,
	   "mbind(MOVE_ALL) does not fail");

	pfns_of(p, PAGES, after);
	ok(before[0] && !memcmp(before, after, sizeof(before)), "every page is where it was");
	ok(filled(p, SIZE, 1), "with its data");

	must(!fallocate(fd, PUNCH, 0, SIZE));
	is(mbind(p, SIZE, MPOL_BIND, &to, 8 * sizeof(to), MPOL_MF_MOVE | MPOL_MF_STRICT), 0,
	   "mbind(MOVE | STRICT) succeeds where there are no pages");
	munmap(p, SIZE);
	close(fd);
}

static void test_fallocate_errors(void)
{
	static const struct {
		int mode, err;
		off_t offset, len;
		const char *name;
	} cases[] = {
		{ 0, EOPNOTSUPP, 0, SIZE, "without KEEP_SIZE" },
		{ FALLOC_FL_PUNCH_HOLE, EOPNOTSUPP, 0, SIZE, "PUNCH_HOLE without KEEP_SIZE" },
		{ FALLOC_FL_ZERO_RANGE, EOPNOTSUPP, 0, SIZE, "ZERO_RANGE" },
		{ FALLOC_FL_ZERO_RANGE | ALLOCATE, EOPNOTSUPP, 0, SIZE, "ZERO_RANGE, KEEP_SIZE" },
		{ FALLOC_FL_ZERO_RANGE | PUNCH, EOPNOTSUPP, 0, SIZE, "ZERO_RANGE, PUNCH_HOLE" },
		{ FALLOC_FL_COLLAPSE_RANGE, EOPNOTSUPP, 0, PAGE, "COLLAPSE_RANGE" },
		{ FALLOC_FL_INSERT_RANGE, EOPNOTSUPP, 0, PAGE, "INSERT_RANGE" },
		{ FALLOC_FL_UNSHARE_RANGE, EOPNOTSUPP, 0, SIZE, "UNSHARE_RANGE" },
		{ FALLOC_FL_UNSHARE_RANGE | ALLOCATE, EOPNOTSUPP, 0, SIZE, "UNSHARE, KEEP_SIZE" },
		{ 0x4000 | ALLOCATE, EOPNOTSUPP, 0, SIZE, "an unknown mode" },
		{ ALLOCATE, EINVAL, 0, 0, "of nothing" },
		{ ALLOCATE, EINVAL, -PAGE, PAGE, "at a negative offset" },
		{ ALLOCATE, EINVAL, 0, -PAGE, "of a negative length" },
		{ ALLOCATE, EINVAL, 1, PAGE, "at an unaligned offset" },
		{ ALLOCATE, EINVAL, 0, PAGE - 1, "of an unaligned length" },
		{ ALLOCATE, EINVAL, 0, SIZE + PAGE, "past the end" },
		{ ALLOCATE, EINVAL, SIZE, PAGE, "behind the end" },
		{ ALLOCATE, EINVAL, PAGE, INT64_MAX & -(2 * PAGE), "far past the end" },
		{ ALLOCATE, EFBIG, INT64_MAX & -PAGE, PAGE, "beyond any file" },
		{ ALLOCATE, EFBIG, INT64_MAX & -PAGE, INT64_MAX & -PAGE, "that wraps" },
		{ PUNCH, EINVAL, 0, 0, "a hole of nothing" },
		{ PUNCH, EINVAL, -PAGE, PAGE, "a hole at a negative offset" },
		{ PUNCH, EINVAL, 1, PAGE, "a hole at an unaligned offset" },
		{ PUNCH, EINVAL, 0, PAGE + 1, "a hole of an unaligned length" },
		{ PUNCH, EFBIG, INT64_MAX & -PAGE, PAGE, "a hole beyond any file" },
		{ PUNCH, 0, SIZE, PAGE, "a hole behind the end" },
		{ PUNCH, 0, SIZE - PAGE, 16 * PAGE, "a hole past the end" },
		{ PUNCH, 0, 0, INT64_MAX & -PAGE, "a hole over everything" },
		{ ALLOCATE, 0, 0, SIZE, "of the whole file" },
		{ ALLOCATE, 0, 0, SIZE, "of the whole file again" },
	};
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = fallocate(fd, cases[i].mode, cases[i].offset, cases[i].len);

		is(r ? errno : 0, cases[i].err, "fallocate() %s", cases[i].name);
	}
	must(!fstat(fd, &st));
	is(st.st_size, SIZE, "fallocate() never changes the size");
	close(fd);
}

static void test_punch(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = map(fd, SIZE), *q = map(fd, SIZE);
	struct stat before, after;

	must(!fstat(fd, &before));
	fill(p, SIZE, 1);
	must(filled(q, SIZE, 1));
	/* File times have the resolution of a tick. */
	usleep(20000);
	is(fallocate(fd, PUNCH, 2 * PAGE, 3 * PAGE), 0, "a hole in the middle");
	is(page_node(p + 2 * PAGE), -ENOENT, "its pages are gone from a mapping");
	is(page_node(q + 4 * PAGE), -ENOENT, "and from another");
	ok(page_node(p + PAGE) >= 0 && page_node(p + 5 * PAGE) >= 0, "its neighbours are not");
	ok(zero(p + 2 * PAGE, 3 * PAGE), "it reads as zeroes");
	ok(zero(q + 2 * PAGE, 3 * PAGE), "through another mapping as well");
	ok(filled(p, 2 * PAGE, 1) && filled(p + 5 * PAGE, 3 * PAGE, 6), "the rest is unchanged");
	must(!fstat(fd, &after));
	ok(after.st_mtim.tv_sec * 1000000000LL + after.st_mtim.tv_nsec >
	   before.st_mtim.tv_sec * 1000000000LL + before.st_mtim.tv_nsec,
	   "the time of modification is now");

	p[2 * PAGE] = 7;
	is(q[2 * PAGE], 7, "new pages are shared as the old ones were");
	is(fallocate(fd, ALLOCATE, 0, SIZE), 0, "allocation over data");
	ok(filled(p, 2 * PAGE, 1) && q[2 * PAGE] == 7, "leaves it alone");
	munmap(p, SIZE);
	munmap(q, SIZE);
	close(fd);
}

static void test_punch_big(void)
{
	const uint64_t size = 64 * GIB;
	int fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH), bad = 0, i;
	char *p = map(fd, size);

	for (i = 0; i < 64; i++)
		fill(p + i * GIB + i * PAGE, PAGE, i + 1);
	is(fallocate(fd, PUNCH, GIB, size - 2 * GIB), 0, "a hole of 62 GiB in 64");
	for (i = 1; i < 63; i++)
		bad += !zero(p + i * GIB + i * PAGE, PAGE);
	is(bad, 0, "every page in it is zero");
	ok(filled(p, PAGE, 1) && filled(p + 63 * GIB + 63 * PAGE, PAGE, 64),
	   "the pages outside are unchanged");
	munmap(p, size);
	close(fd);
}

/* The allocator hands out again first the memory that just held a pattern. */
static void test_reuse(void)
{
	enum { N = 4 * MIB };
	int fd = vmm_gmem(&vm, N, VMM_GMEM_BOTH), bad = 0, i;
	char *p = map(fd, N);

	for (i = 0; i < 4; i++) {
		memset(p, 0xa5, N);
		must(!fallocate(fd, PUNCH, 0, N));
		if (i & 1)
			must(!fallocate(fd, ALLOCATE, 0, N));
		bad += !zero(p, N);
	}
	is(bad, 0, "pages that are used again are zero, fallocated or not");

	memset(p, 0xa5, N);
	munmap(p, N);
	close(fd);
	fd = vmm_gmem(&vm, N, VMM_GMEM_BOTH);
	p = map(fd, N);
	ok(zero(p, N), "so are those of another file");
	munmap(p, N);
	close(fd);
}

static bool create_and_send(int sock)
{
	struct vmm own;
	int fd;
	char *p;

	vmm_create(&own, 0);
	fd = vmm_gmem(&own, SIZE, VMM_GMEM_BOTH);
	p = map(fd, SIZE);
	fill(p, SIZE, 3);
	must(!set_policy(p, SIZE, MPOL_BIND, NODE(1)));
	munmap(p, SIZE);
	send_fd(sock, fd);
	close(fd);
	vmm_destroy(&own);
	return true;
}

static void test_fd_passing(void)
{
	int sockets[2], fd, mode;
	unsigned long nodes;
	pid_t pid;
	char *p;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = start(create_and_send, sockets[1]);
	/* The file is in flight in the socket, which holds the only reference. */
	must(finish(pid));
	fd = receive_fd(sockets[0]);
	p = map(fd, SIZE);
	ok(filled(p, SIZE, 3), "a file from a process that is gone has its data");
	ok(!get_policy(p, &mode, &nodes) && mode == MPOL_BIND && nodes == NODE(1),
	   "a file from a process that is gone has its policy");
	ok(usable(fd), "a file from a process that is gone is usable");
	munmap(p, SIZE);
	close(fd);
	close(sockets[0]);
	close(sockets[1]);
}

int main(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	must(!sigaction(SIGBUS, &action, NULL) && !sigaction(SIGSEGV, &action, NULL));
	vmm_create(&vm, 0);

	test_user_namespace();
	test_create_errors();
	test_create_limit();
	test_huge_file();
	test_no_flags();
	test_identity();
	test_no_name();
	test_owner();
	test_inode_numbers();
	test_read_write();
	test_copies();
	test_file_calls();
	test_generic_calls();
	test_mmap_errors();
	test_mmap_end();
	test_not_shared();
	test_shared();
	test_window(false);
	test_window(true);
	test_window_beside_tracking();
	test_sharing();
	test_mremap();
	test_mremap_past_loff_t();
	test_madvise();
	test_mlock();
	test_userfaultfd();
	test_pages_stay();
	test_migration();
	test_fallocate_errors();
	test_punch();
	test_punch_big();
	test_reuse();
	test_fd_passing();

	vmm_destroy(&vm);
	return tap_exit();
}
