#include "host/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to make it fit for C++
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

#include "base/check.h"
#include "host/clock.h"
#include "host/os_error.h"
#include "host/unique_fd.h"

namespace hygie {
namespace {

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return os_failure(errno, "pipe");
    Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
    ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
    return pipe;
}

/// The input as a file in memory: the child reads it at its own pace and nobody waits for anybody.
Result<UniqueFd> input_file(ByteView input) {
    UniqueFd fd(::memfd_create("stdin", MFD_CLOEXEC));
    if (!fd) return os_failure(errno, "memfd");
    while (!input.empty()) {
        const ssize_t put = ::write(fd.get(), input.data(), input.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_failure(errno, "memfd");
        input = input.subspan(static_cast<std::size_t>(put));
    }
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

/// A started program; killed and reaped at the latest when this goes away, so that none is left
/// behind.
class Child {
  public:
    Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    Child(Child&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
    Child& operator=(Child&&) = delete;
    ~Child() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }

    int pidfd() const { return pidfd_.get(); }

    /// Reaps the child: its exit code, or 128 + the signal that killed it.
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

  private:
    pid_t pid_;
    UniqueFd pidfd_;
};

Result<Child> spawn(const std::vector<std::string>& argv, int in, int out, int err) {
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& argument : argv)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    HYGIE_CHECK(posix_spawn_file_actions_init(&actions) == 0, "no memory to start a program");
    HYGIE_CHECK(posix_spawnattr_init(&attributes) == 0, "no memory to start a program");
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    // The signals we block or ignore are our own business; the program starts with the usual ones.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return os_failure(error, argv[0]);
    Child child(pid, UniqueFd(::pidfd_open(pid, 0)));
    if (child.pidfd() < 0) return os_failure(errno, argv[0]);
    return child;
}

/// Reads what is there now. False at end of file.
Result<bool> drain(int fd, Bytes& into, std::size_t bytes_max, const std::string& program) {
    std::array<std::uint8_t, 65'536> chunk;
    for (;;) {
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return true;
        if (got < 0) return os_failure(errno, program);
        if (got == 0) return false;
        append(into, ByteView(chunk).first(static_cast<std::size_t>(got)));
        if (into.size() > bytes_max)
            return fail(Code::Full,
                        {fmt::format("{} écrit plus de {} octets", program, bytes_max),
                         fmt::format("{} prints more than {} bytes", program, bytes_max)},
                        {"vérifiez ses options", "check its options"});
    }
}

std::unexpected<Error> too_slow(const std::string& program, Micros timeout) {
    const auto seconds = std::chrono::duration<double>(timeout).count();
    return fail(Code::Unavailable,
                {fmt::format("{} n'a pas fini en {:g} s", program, seconds),
                 fmt::format("{} did not finish in {:g} s", program, seconds)},
                {"recommencez quand la machine est moins chargée ou relevez le délai",
                 "try again when the machine is less busy or raise the timeout"});
}

/// Milliseconds left, rounded up, for poll(2).
int left_ms(SteadyTime deadline) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - real_clock().steady());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
}

/// Collects the output until the program has ended. Its end is what counts, not that of its pipes,
/// which a background process of its own may hold open.
Status collect(const Child& child, const Pipe& out, const Pipe& err, const std::string& program,
               RunLimits limits, RunOutcome& outcome) {
    const SteadyTime deadline = real_clock().steady() + limits.timeout;
    std::array<pollfd, 3> fds{
        {{child.pidfd(), POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
    for (bool ended = false; !ended;) {
        const int ready = ::poll(fds.data(), fds.size(), left_ms(deadline));
        if (ready < 0 && errno != EINTR) return os_failure(errno, program);
        if (ready == 0) return too_slow(program, limits.timeout);
        // Seen before the last reading, so that what the program wrote before it ended is all
        // there.
        ended = (fds[0].revents & POLLIN) != 0;
        if (!TRY(drain(out.read.get(), outcome.out, limits.output_bytes_max, program)))
            fds[1].fd = -1;
        if (!TRY(drain(err.read.get(), outcome.err, limits.output_bytes_max, program)))
            fds[2].fd = -1;
    }
    return {};
}

class RealProcess final : public Process {
  public:
    Result<RunOutcome> run(const std::vector<std::string>& argv, ByteView input,
                           RunLimits limits) override {
        if (argv.empty())
            return fail(Code::BadInput, {"aucun programme à lancer", "no program to run"});
        const UniqueFd in = TRY(input_file(input));
        Pipe out = TRY(make_pipe());
        Pipe err = TRY(make_pipe());
        Child child = TRY(spawn(argv, in.get(), out.write.get(), err.write.get()));
        out.write.reset();
        err.write.reset();
        RunOutcome outcome;
        TRY_STATUS(collect(child, out, err, argv[0], limits, outcome));
        outcome.exit_code = child.wait();
        return outcome;
    }

    std::string host_name() override {
        std::array<char, HOST_NAME_MAX + 1> name{};
        HYGIE_CHECK(::gethostname(name.data(), name.size()) == 0, "a trace must name its machine");
        return name.data();
    }

    std::string user_name() override {
        std::array<char, 16'384> space;
        passwd entry{};
        passwd* found = nullptr;
        const uid_t uid = ::getuid();
        ::getpwuid_r(uid, &entry, space.data(), space.size(), &found);
        return found != nullptr ? found->pw_name : std::to_string(uid);
    }

    std::string environment(const std::string& name) override {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? "" : value;
    }
};

}  // namespace

Process& real_process() {
    static RealProcess process;
    return process;
}

}  // namespace hygie
