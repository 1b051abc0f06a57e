#include "guards/files/enforce/confine.h"

#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <type_traits>

#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr std::array kNeverAGuard = {SCMP_SYS(mount),
                                     SCMP_SYS(umount2),
                                     SCMP_SYS(move_mount),
                                     SCMP_SYS(open_tree),
                                     SCMP_SYS(fsopen),
                                     SCMP_SYS(fsmount),
                                     SCMP_SYS(fsconfig),
                                     SCMP_SYS(fspick),
                                     SCMP_SYS(mount_setattr),
                                     SCMP_SYS(pivot_root),
                                     SCMP_SYS(chroot),
                                     SCMP_SYS(setns),
                                     SCMP_SYS(unshare),
                                     SCMP_SYS(init_module),
                                     SCMP_SYS(finit_module),
                                     SCMP_SYS(delete_module),
                                     SCMP_SYS(kexec_load),
                                     SCMP_SYS(kexec_file_load),
                                     SCMP_SYS(bpf),
                                     SCMP_SYS(ptrace),
                                     SCMP_SYS(process_vm_readv),
                                     SCMP_SYS(process_vm_writev),
                                     SCMP_SYS(userfaultfd),
                                     SCMP_SYS(io_uring_setup),
                                     SCMP_SYS(keyctl),
                                     SCMP_SYS(add_key),
                                     SCMP_SYS(request_key),
                                     SCMP_SYS(settimeofday),
                                     SCMP_SYS(clock_settime),
                                     SCMP_SYS(swapon),
                                     SCMP_SYS(swapoff),
                                     SCMP_SYS(reboot),
                                     SCMP_SYS(iopl),
                                     SCMP_SYS(ioperm),
                                     SCMP_SYS(acct),
                                     SCMP_SYS(sethostname),
                                     SCMP_SYS(setdomainname),
                                     SCMP_SYS(syslog)};

constexpr std::array kDeadman = {
    // its memory, its time, its end
    SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // acts, and what they are about
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write),
    SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(fanotify_mark), SCMP_SYS(open), SCMP_SYS(openat),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64), SCMP_SYS(getpid), SCMP_SYS(geteuid), SCMP_SYS(kill),
    // the next gate
    SCMP_SYS(umask), SCMP_SYS(unlink), SCMP_SYS(socket), SCMP_SYS(bind), SCMP_SYS(listen),
    SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(sendmsg), SCMP_SYS(sendto)};

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, void (*)(scmp_filter_ctx)>;

/// All calls meet `others`, but for those listed.
Status load(std::uint32_t others, std::uint32_t listed, std::span<const int> calls) {
    const Filter filter(::seccomp_init(others), ::seccomp_release);
    bool ready = filter && ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    for (const int call : calls)
        ready = ready && ::seccomp_rule_add(filter.get(), listed, call, 0) == 0;
    if (ready && ::seccomp_load(filter.get()) == 0) return {};
    return fail(Code::Unavailable, {"le noyau n'a pas seccomp", "the kernel has no seccomp"});
}

/// Keeps what is asked for of the rights the process has.
Status keep_rights(std::uint32_t kept) {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> rights{};
    if (::syscall(SYS_capget, &head, rights.data()) < 0) return os_failure(errno, "capget");
    rights[0].effective = rights[0].permitted = rights[0].permitted & kept;
    rights[0].inheritable = 0;
    rights[1] = {};
    if (::syscall(SYS_capset, &head, rights.data()) < 0) return os_failure(errno, "capset");
    return {};
}

}  // namespace

Status confine_guard() {
    return load(SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM), kNeverAGuard);
}

Status confine_deadman() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return os_failure(errno, "no_new_privs");
    TRY_STATUS(keep_rights(1U << CAP_SYS_PTRACE | 1U << CAP_KILL));
    // Refused, not ended: a deadman that dies of a call nobody thought of guards nothing.
    return load(SCMP_ACT_ERRNO(EPERM), SCMP_ACT_ALLOW, kDeadman);
}

}  // namespace hygie::files
