#include "host/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>

namespace hygie {
namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<Error> died() {
    return fail(Code::Unavailable,
                {"le lecteur isolé n'a pas répondu", "the sandboxed reader did not answer"},
                {"le contenu est hostile ou abîmé ; il n'a pas été lu",
                 "the content is hostile or broken; it was not read"});
}

/// Waits until the socket is ready; false when the deadline passed first.
bool wait_for(int fd, short events, Clock::time_point deadline) {
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return false;
        pollfd one{fd, events, 0};
        const int ready = ::poll(&one, 1, static_cast<int>(left.count()) + 1);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

bool send_all(int fd, ByteView bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        const ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        } else if (put < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        } else if (!wait_for(fd, POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

bool receive_all(int fd, std::span<std::uint8_t> out, Clock::time_point deadline) {
    while (!out.empty()) {
        const ssize_t got = ::recv(fd, out.data(), out.size(), MSG_DONTWAIT);
        if (got > 0) {
            out = out.subspan(static_cast<std::size_t>(got));
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            return false;
        } else if (!wait_for(fd, POLLIN, deadline)) {
            return false;
        }
    }
    return true;
}

// The child's side: plain calls, no clock.

bool read_exactly(int fd, std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = ::read(fd, out.data(), out.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

bool write_exactly(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return true;
}

#ifdef HYGIE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t address_space_now() {
    std::size_t pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void limit(__rlimit_resource_t what, rlim_t value) {
    const rlimit both{value, value};
    ::setrlimit(what, &both);
}

/// From here on the process computes and talks over two descriptors. Anything else fails with
/// EPERM, and what only an attack would try ends it.
bool lock_down() {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) return false;
    bool ok = true;
    for (const int call : {SCMP_SYS(read),
                           SCMP_SYS(write),
                           SCMP_SYS(munmap),
                           SCMP_SYS(mremap),
                           SCMP_SYS(brk),
                           SCMP_SYS(madvise),
                           SCMP_SYS(futex),
                           SCMP_SYS(exit),
                           SCMP_SYS(exit_group),
                           SCMP_SYS(rt_sigreturn),
                           SCMP_SYS(rt_sigprocmask),
                           SCMP_SYS(rt_sigaction),
                           SCMP_SYS(sigaltstack),
                           SCMP_SYS(clock_gettime),
                           SCMP_SYS(gettimeofday),
                           SCMP_SYS(getrandom),
                           SCMP_SYS(getpid),
                           SCMP_SYS(gettid),
                           SCMP_SYS(sched_yield),
                           SCMP_SYS(close),
                           SCMP_SYS(fstat),
                           SCMP_SYS(lseek),
                           SCMP_SYS(sysinfo),
                           SCMP_SYS(sched_getaffinity)})
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
    // Memory, but never memory that can be run.
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    for (const int call :
         {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(socket),
          SCMP_SYS(connect), SCMP_SYS(ptrace), SCMP_SYS(kill), SCMP_SYS(process_vm_writev)})
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0) == 0;
    ok = ok && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return ok;
}

}  // namespace

Sandbox::Sandbox(Work work, SandboxLimits limits) : work_(std::move(work)), limits_(limits) {}

Sandbox::~Sandbox() {
    stop();
}

void Sandbox::stop() {
    to_child_.reset();
    from_child_.reset();
    answers_ = 0;
    is_asked_ = false;
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
}

Status Sandbox::start() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) return died();
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    child_ = ::fork();
    if (child_ == 0) serve(theirs.get(), theirs.get());
    if (child_ < 0) return died();
    to_child_ = std::move(ours);
    return {};
}

void Sandbox::serve(int in, int out) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_DUMPABLE, 0);
    ::dup2(in, 0);
    // What libraries complain about goes nowhere: a write to a file would end the child.
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
    ::close_range(3, ~0U, 0);
    in = out = 0;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NPROC, 0);
    // A sanitizer's shadow alone is larger than any limit of ours.
    if (!kSanitized) limit(RLIMIT_AS, address_space_now() + limits_.memory_bytes_max);
    if (!lock_down()) ::_exit(3);
    while (true) {
        std::array<std::uint8_t, 8> head{};
        if (!read_exactly(in, head)) ::_exit(0);
        Bytes question(load_be<std::uint64_t>(head.data()));
        if (!read_exactly(in, question)) ::_exit(0);
        const Bytes answer = work_(question);
        store_be<std::uint64_t>(head.data(), answer.size());
        if (!write_exactly(out, head) || !write_exactly(out, answer)) ::_exit(0);
    }
}

Status Sandbox::put(ByteView question) {
    // Nobody took the last answer: it must not be taken for that of this question.
    if (is_asked_ || answers_ >= limits_.answers_max) stop();
    if (child_ <= 0) TRY_STATUS(start());
    is_asked_ = true;
    deadline_ = std::chrono::steady_clock::now() + limits_.deadline;
    std::array<std::uint8_t, 8> head{};
    store_be<std::uint64_t>(head.data(), question.size());
    const int fd = to_child_.get();
    if (send_all(fd, head, deadline_) && send_all(fd, question, deadline_)) return {};
    stop();
    return died();
}

Result<Bytes> Sandbox::answer() {
    std::array<std::uint8_t, 8> head{};
    const int fd = to_child_.get();
    if (!receive_all(fd, head, deadline_)) {
        stop();
        return died();
    }
    const auto size = load_be<std::uint64_t>(head.data());
    if (size > limits_.answer_bytes_max) {
        stop();
        return fail(Code::Full,
                    {"le lecteur isolé a trop répondu", "the sandboxed reader answered too much"});
    }
    Bytes answer(static_cast<std::size_t>(size));
    if (!receive_all(fd, answer, deadline_)) {
        stop();
        return died();
    }
    is_asked_ = false;
    ++answers_;
    return answer;
}

Result<Bytes> Sandbox::ask(ByteView question) {
    TRY_STATUS(put(question));
    return answer();
}

}  // namespace hygie
