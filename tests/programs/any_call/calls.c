// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "any_call.h"

/* Only the kernel's own headers define this struct. */
struct space_resv {
	short l_type, l_whence;
	long l_start, l_len;
	int l_sysid;
	unsigned int l_pid;
	int l_pad[4];
};

#define FS_IOC_RESVSP _IOW('X', 40, struct space_resv)
#define FS_IOC_UNRESVSP _IOW('X', 42, struct space_resv)
#define FS_IOC_ZERO_RANGE _IOW('X', 57, struct space_resv)

#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

#define VALUE_COUNT(...) (sizeof((long[]){ 0, ##__VA_ARGS__ }) / sizeof(long) - 1)
#define CALL(call, takes, ...) \
	{ #call, SYS_##call, takes, VALUE_COUNT(__VA_ARGS__), { __VA_ARGS__ } }

/* The advices do not include poisoning, because a lost frame does not come back. */
const struct call calls[] = {
	CALL(read, "fpl"),
	CALL(write, "fpl"),
	CALL(pread64, "fplo"),
	CALL(pwrite64, "fplo"),
	CALL(pread64, "Mpla"),
	CALL(pwrite64, "Mpla"),
	CALL(readv, "fVn"),
	CALL(writev, "fVn"),
	CALL(preadv2, "fVno0b"),
	CALL(pwritev2, "fVno0b"),
	CALL(lseek, "fov", SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE),
	CALL(sendfile, "ff0l"),
	CALL(splice, "f0f0lv", 0, 1, 2, 3),
	CALL(tee, "fflv", 2, 3),
	CALL(vmsplice, "vVng", FD_PIPE_IN, FD_PIPE_OUT),
	CALL(copy_file_range, "f0f0l0"),
	CALL(fsync, "f"),
	CALL(fdatasync, "f"),
	CALL(sync_file_range, "folb"),
	CALL(readahead, "fol"),
	CALL(fadvise64, "folv", 0, 1, 2, 3, 4, 5),
	CALL(ftruncate, "fo"),
	CALL(truncate, "so"),
	CALL(fallocate, "fvol", FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0,
	     FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_ZERO_RANGE,
	     FALLOC_FL_UNSHARE_RANGE),
	CALL(fallocate, "fvol", FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE),
	CALL(fchmod, "fb"),
	CALL(fchown, "fvv", 0, 1, -1),
	CALL(utimensat, "fp00"),
	CALL(utimensat, "f000"),
	CALL(fsetxattr, "fsplb"),
	CALL(fgetxattr, "fspl"),
	CALL(flistxattr, "fpl"),
	CALL(fremovexattr, "fs"),
	CALL(fstat, "fp"),
	CALL(statx, "fsvbp", AT_EMPTY_PATH),
	CALL(fstatfs, "fp"),
	CALL(getdents64, "fpl"),
	CALL(ioctl, "fvp", FIGETBSZ, FIBMAP, FIONREAD, FIOASYNC, FIOCLEX, FS_IOC_FIEMAP,
	     FIFREEZE, FITHAW, FICLONE, FICLONERANGE, FIDEDUPERANGE, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS,
	     FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR, FS_IOC_GETVERSION, FS_IOC_ENABLE_VERITY,
	     FS_IOC_RESVSP, FS_IOC_UNRESVSP, FS_IOC_ZERO_RANGE, FITRIM),
	CALL(ioctl, "KvS", KVM_CREATE_GUEST_MEMFD, KVM_SET_USER_MEMORY_REGION,
	     KVM_SET_USER_MEMORY_REGION2, KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG, KVM_SET_TSC_KHZ,
	     KVM_GET_TSC_KHZ, KVM_CHECK_EXTENSION, KVM_SET_MEMORY_ATTRIBUTES, KVM_SET_NR_MMU_PAGES,
	     KVM_SET_IDENTITY_MAP_ADDR, KVM_REGISTER_COALESCED_MMIO, KVM_IOEVENTFD, KVM_IRQFD,
	     KVM_RESET_DIRTY_RINGS, KVM_SET_TSS_ADDR, KVM_GET_STATS_FD, KVM_CREATE_IRQCHIP),
	CALL(ioctl, "CvS", KVM_PRE_FAULT_MEMORY, KVM_TRANSLATE, KVM_SET_TSC_KHZ, KVM_GET_SREGS,
	     KVM_GET_TSC_KHZ, KVM_SMI),
	CALL(fcntl, "fvF", F_SETFL),
	CALL(fcntl, "fvn", F_GETFL, F_GETFD, F_GETLEASE, F_SETLEASE, F_NOTIFY, F_SETSIG,
	     F_GET_SEALS, F_ADD_SEALS, F_SETPIPE_SZ, F_GET_RW_HINT, 1027 /* DUPFD_QUERY */),
	CALL(fcntl, "fvp", F_OFD_SETLK, F_OFD_GETLK, F_SETLK, F_GET_RW_HINT, F_SET_RW_HINT),
	CALL(flock, "fv", LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN),
	CALL(dup3, "fv0", FD_FILE, FD_FILE + 1, FD_FILE + 2, FD_FILE + 3, FD_EVENT, FD_MEMFD),
	CALL(close, "v", FD_FILE, FD_FILE + 1, FD_FILE + 2, FD_FILE + 3, FD_EPOLL, FD_INOTIFY, FD_FANOTIFY),
	CALL(epoll_ctl, "EvfS", EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD),
	CALL(inotify_add_watch, "Isv", IN_ALL_EVENTS),
	CALL(fanotify_mark, "Yvvfs", FAN_MARK_ADD, FAN_MARK_REMOVE, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
	     FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN | FAN_CLOSE | FAN_ACCESS | FAN_MODIFY),
	CALL(name_to_handle_at, "fsppv", AT_EMPTY_PATH, 0x200),
	CALL(openat, "fsb"),
	CALL(openat, "fsv", O_RDWR, O_RDWR | O_TRUNC, O_PATH, O_RDONLY | O_DIRECTORY),
	CALL(execveat, "fs00v", AT_EMPTY_PATH),
	CALL(linkat, "fsfsv", AT_EMPTY_PATH, AT_SYMLINK_FOLLOW),
	CALL(open_tree, "fsv", AT_EMPTY_PATH, AT_EMPTY_PATH | 1),
	CALL(cachestat, "fpp0"),
	CALL(munmap, "al"),
	CALL(mremap, "allva", MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | 4, 0),
	CALL(mprotect, "alv", PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC),
	CALL(madvise, "alv", MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
	     MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
	     MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
	     MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	     24 /* DONTNEED_LOCKED */, 25 /* COLLAPSE */, 102 /* unused so far */),
	CALL(mlock2, "alv", 0, 1),
	CALL(munlock, "al"),
	CALL(mlockall, "v", MCL_CURRENT | MCL_ONFAULT),
	CALL(munlockall, ""),
	CALL(msync, "alv", MS_ASYNC, MS_SYNC, MS_SYNC | MS_INVALIDATE),
	CALL(mincore, "alp"),
	CALL(remap_file_pages, "al0ob"),
	CALL(mseal, "al0"),
	CALL(mbind, "alvmxg", MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, MPOL_PREFERRED, MPOL_LOCAL,
	     MPOL_PREFERRED_MANY, MPOL_BIND | 1 << 14 /* relative */, 6 /* weighted interleaving */),
	CALL(get_mempolicy, "SSxav", 0, MPOL_F_ADDR, MPOL_F_ADDR | MPOL_F_NODE),
	CALL(set_mempolicy, "vmx", MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE),
	CALL(set_mempolicy_home_node, "alv0", 0, 1, 2),
	CALL(move_pages, "0nPpSg"),
	CALL(move_pages, "0nP0Sg"),
	CALL(migrate_pages, "0xmm"),
	CALL(futex, "pvv000", FUTEX_WAKE, FUTEX_TRYLOCK_PI, FUTEX_WAKE_BITSET, FUTEX_UNLOCK_PI, 1),
	CALL(process_vm_readv, "iVnVn0"),
	CALL(process_vm_writev, "iVnVn0"),
};

const size_t calls_count = sizeof(calls) / sizeof(calls[0]);
