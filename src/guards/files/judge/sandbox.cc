#include "guards/files/judge/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>

#include "guards/files/acts/priority.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Half for each content; an excerpt is never larger.
constexpr std::size_t kHalfBytes = kWholeBytesMax;
constexpr std::size_t kSharedBytes = 2 * kHalfBytes;
[[maybe_unused]] constexpr rlim_t kMemoryBytesMax = 768 << 20;
constexpr uid_t kNobody = 65'534;

/// One excerpt, as told beside the shared memory.
struct Told {
    std::uint64_t size = 0;
    std::uint64_t bytes = 0;
    bool whole = true;
};
struct Question {
    std::uint64_t number = 0;
    bool has_before = false;
    Told before;
    Told after;
};
struct Answer {
    std::uint64_t number = 0;  ///< of its question
    bool died = false;         ///< over whatever question
    Finding finding;
};
static_assert(std::is_trivially_copyable_v<Question> && std::is_trivially_copyable_v<Answer>);

bool send_all(int socket, const void* data, std::size_t size) {
    return ::send(socket, data, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

/// Messages keep their borders (SOCK_SEQPACKET): one is whole or not there.
bool receive(int socket, void* data, std::size_t size) {
    ssize_t got = -1;
    do got = ::recv(socket, data, size, 0);
    while (got < 0 && errno == EINTR);
    return got == static_cast<ssize_t>(size);
}

Excerpt excerpt_from(const std::uint8_t* memory, const Told& told) {
    const std::size_t size = std::min<std::size_t>(told.bytes, kHalfBytes);
    return {Bytes(memory, memory + size), told.size, told.whole};
}

/// Until the guard closes its end.
void answer_questions(int socket, const std::uint8_t* memory) {
    Question question;
    while (receive(socket, &question, sizeof question)) {
        ::alarm(SandboxedExaminer::kAnswerSecondsMax);
        const Excerpt after = excerpt_from(memory + kHalfBytes, question.after);
        Answer answer;
        answer.number = question.number;
        answer.finding = question.has_before ? examine(excerpt_from(memory, question.before), after)
                                             : examine_new(after);
        ::alarm(0);
        if (!send_all(socket, &answer, sizeof answer)) return;
    }
}

/// Replaces a worker that died by another, and says that it died.
[[noreturn]] void keep_workers(int socket, const std::uint8_t* memory) {
    set_urgency("hygie-judge", Urgency::Known);
    for (;;) {
        const pid_t worker = ::fork();
        if (worker < 0) ::_exit(1);
        if (worker == 0) {
            if (enter_sandbox()) answer_questions(socket, memory);
            ::_exit(0);
        }
        int status = 0;
        while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) {
        }
        if (WIFEXITED(status)) ::_exit(0);
        const Answer answer{.number = 0, .died = true, .finding = {}};
        if (!send_all(socket, &answer, sizeof answer)) ::_exit(0);
    }
}

/// No path can be opened any more, whatever the rights (Landlock ABI 1).
bool close_files() {
    landlock_ruleset_attr rules{};
    rules.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    const auto ruleset = static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0U));
    if (ruleset < 0) return false;
    const bool closed = ::syscall(SYS_landlock_restrict_self, ruleset, 0U) == 0;
    ::close(ruleset);
    return closed;
}

bool close_calls() {
    const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == nullptr) return false;
    bool ready = true;
    for (const int call :
         {SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
          SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(alarm),
          SCMP_SYS(setitimer), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
          SCMP_SYS(getpid), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group)})
        ready = ready && ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
    // Libraries look for time zones and character sets: they are told that there are none.
    for (const int call : {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(newfstatat),
                           SCMP_SYS(access), SCMP_SYS(readlink)})
        ready = ready && ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 0) == 0;
    ready = ready && ::seccomp_load(filter) == 0;
    ::seccomp_release(filter);
    return ready;
}

Told tell(const Excerpt& excerpt, std::uint8_t* memory) {
    const std::size_t size = std::min(excerpt.bytes.size(), kHalfBytes);
    std::copy_n(excerpt.bytes.begin(), size, memory);
    return {excerpt.size, size, excerpt.whole};
}

}  // namespace

Status enter_sandbox() {
    const rlimit nothing{0, 0};
#ifndef HYGIE_SANITIZED  // whose shadow alone is larger
    const rlimit memory{kMemoryBytesMax, kMemoryBytesMax};
    ::setrlimit(RLIMIT_AS, &memory);
#endif
    ::setrlimit(RLIMIT_CORE, &nothing);
    ::prctl(PR_SET_DUMPABLE, 0);
    if (::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
        return os_failure(errno, "setuid");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return os_failure(errno, "no_new_privs");
    // A kernel without Landlock leaves seccomp alone to hold the door: no call opens a path.
    close_files();
    if (!close_calls()) return os_failure(EPERM, "seccomp");
    return {};
}

Result<std::unique_ptr<SandboxedExaminer>> SandboxedExaminer::start() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return os_failure(errno, "socketpair");
    auto examiner = std::unique_ptr<SandboxedExaminer>(new SandboxedExaminer);
    examiner->socket_ = UniqueFd(ends[0]);
    UniqueFd other(ends[1]);
    void* memory = ::mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return os_failure(errno, "mmap");
    examiner->shared_ = static_cast<std::uint8_t*>(memory);
    examiner->keeper_ = ::fork();
    if (examiner->keeper_ < 0) return os_failure(errno, "fork");
    if (examiner->keeper_ == 0) {
        examiner->socket_.reset();
        const int socket = ::fcntl(other.get(), F_DUPFD, 3);
        ::dup2(socket, 3);
        ::close_range(4, ~0U, 0);
        keep_workers(3, examiner->shared_);
    }
    return examiner;
}

SandboxedExaminer::~SandboxedExaminer() {
    socket_.reset();
    if (keeper_ > 0)
        while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
        }
    if (shared_ != nullptr) ::munmap(shared_, kSharedBytes);
}

Result<Finding> SandboxedExaminer::examine(const Content* before, const Content& after) {
    const std::scoped_lock lock(mutex_);
    Question question;
    question.number = ++asked_;
    question.has_before = before != nullptr;
    if (before != nullptr) question.before = tell(excerpt_of(*before), shared_);
    question.after = tell(excerpt_of(after), shared_ + kHalfBytes);
    Answer answer;
    bool is_there = send_all(socket_.get(), &question, sizeof question);
    // A worker that died over nothing is told too, and what was asked then is answered later.
    do is_there = is_there && receive(socket_.get(), &answer, sizeof answer);
    while (is_there && !answer.died && answer.number != question.number);
    if (!is_there)
        return fail(Code::Unavailable,
                    {"l'examinateur de fichiers n'est plus là", "the file examiner is gone"},
                    {"redémarrez le gardien ; les fichiers restent préservés",
                     "restart the guard; files are still preserved"});
    if (answer.died) {
        ++deaths_;
        return fail(Code::Unavailable,
                    {"l'examinateur est mort sur ce fichier", "the examiner died over this file"},
                    {"rien à faire : un autre l'a remplacé", "nothing to do: another took over"});
    }
    return answer.finding;
}

}  // namespace hygie::files
