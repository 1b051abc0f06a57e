#include "guards/files/deadman.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <thread>
#include <utility>

#include "guards/files/acts/volume.h"
#include "guards/files/enforce/confine.h"
#include "guards/files/pulse.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr char kGoodbye = 'b';
constexpr char kStarting = 's';
constexpr char kRelease = 'r';
constexpr char kKept = 'k';
constexpr char kNotKept = 'n';
constexpr int kPollMs = 250;
constexpr char kName[] = "hygie-deadman";
/// For a deadman that looks for the new state folder as often as it polls.
constexpr auto kDoorWait = std::chrono::seconds(2);
constexpr auto kDoorPause = std::chrono::milliseconds(20);
constexpr rlim_t kGateFdsMax = 32'768;
constexpr std::size_t kHandedFds = 3;

using Steady = std::chrono::steady_clock;

bool is_any_deadman() {
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        std::string name;
        if (std::getline(std::ifstream(entry->path() / "comm"), name) && name == kName) return true;
    }
    return false;
}

/// An act that waits for the next gate.
struct Waiting {
    UniqueFd fd;
    pid_t tid = 0;
    Steady::time_point until;
    bool is_lost = false;  ///< what it would change could not be kept
};

/// A few bytes over a local socket, and descriptors beside them.
bool send_with(int line, std::span<const std::uint8_t> bytes, std::span<const int> fds) {
    iovec body{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kHandedFds * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(head), fds.data(), fds.size_bytes());
    }
    return ::sendmsg(line, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

/// How many bytes came; `fds` takes what came beside them.
ssize_t receive_with(int line, std::span<std::uint8_t> bytes, std::span<UniqueFd> fds) {
    iovec body{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kHandedFds * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(line, &message, MSG_CMSG_CLOEXEC);
    const cmsghdr* head = got < 1 ? nullptr : CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return got;
    std::array<int, kHandedFds> came{};
    const std::size_t count = std::min((head->cmsg_len - CMSG_LEN(0)) / sizeof(int), fds.size());
    std::memcpy(came.data(), CMSG_DATA(head), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) fds[i] = UniqueFd(came[i]);
    return got;
}

/// The deadman process itself: one thread, no locks, nothing of the gate's memory but what it was
/// given.
class Standby {
  public:
    Standby(const Groups& groups, const Deadman::Settings& settings, Heart& heart, int line,
            pid_t gate)
        : groups_(groups), settings_(settings), heart_(heart), line_(line), gate_(gate) {}

    void run() {
        if (!watch_the_gate()) return;
        stand_in();
    }

  private:
    /// True when the gate is dead, false when it said goodbye.
    bool watch_the_gate() {
        Pulse pulse;
        for (;;) {
            pollfd poll{line_, POLLIN, 0};
            if (::poll(&poll, 1, kPollMs) > 0) {
                char word = 0;
                const ssize_t got = ::read(line_, &word, 1);
                if (got == 1 && word == kGoodbye) return false;
                // A guard that never was ready leaves things as they were without it.
                if (got <= 0) return heart_.is_guarding;
            }
            switch (pulse.take(heart_.beats, Steady::now())) {
                case Pulse::Says::Beating:
                    break;
                case Pulse::Says::Still:
                    ++heart_.roused;
                    ::kill(gate_, SIGCONT);
                    break;
                case Pulse::Says::Stalled:
                    was_stalled_ = true;
                    ::kill(gate_, SIGKILL);
                    break;
            }
        }
    }

    void stand_in() {
        if (settings_.held != nullptr) settings_.held->release_all();
        gate_group_ =
            fan::Group(UniqueFd(::fcntl(groups_.gate.fd(), F_DUPFD_CLOEXEC, groups_.gate.fd())));
        gate_group_.heed_all();
        rise_above(gate_fds_max());
        let_try_again();
        open_door();
        for (;;) {
            std::array<pollfd, 3> polls{{{gate_group_.fd(), POLLIN, 0},
                                         {door_.get(), POLLIN, 0},
                                         {successor_.get(), POLLIN, 0}}};
            (void)::poll(polls.data(), polls.size(), kPollMs);
            if (polls[1].revents & POLLIN) greet(door_.get());
            if (polls[2].revents && hear_successor()) return;
            meet_all();
            expire();
            // Deleted, or a new state folder stands where others look for it.
            if (::access(door_path().c_str(), F_OK) != 0) open_door();
        }
    }

    /// What a gate held in its hands when it died is not known any more: let the callers try again
    /// rather than wait for ever.
    void let_try_again() {
        for (int fd = 0; fd < gate_fds_max(); ++fd) gate_group_.answer(fd, fan::deny(EAGAIN));
    }

    /// Takes all low numbers, so that events come with high ones.
    static void rise_above(int floor) {
        const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        for (int fd = null; fd >= 0 && fd < floor;) fd = ::fcntl(null, F_DUPFD_CLOEXEC, 0);
    }

    /// In what stands where others look for it, be it a new folder; else in ours, wherever it is.
    std::string door_path() const {
        const Anchor& state = *settings_.state;
        const bool is_there = ::access(state.name().c_str(), F_OK) == 0;
        return StatePaths(is_there ? state.name() : state.path()).handover;
    }

    void open_door() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, door_path().c_str(), sizeof address.sun_path - 1);
        (void)::unlink(address.sun_path);
        UniqueFd door(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const mode_t mask = ::umask(0077);
        if (::bind(door.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
            ::listen(door.get(), 1) < 0)
            door.reset();
        ::umask(mask);
        door_ = std::move(door);
    }

    void meet_all() {
        std::vector<fan::Event> events;
        (void)gate_group_.read(events);
        for (fan::Event& event : events) {
            if (!event.fd) continue;
            if (may_go_on(event))
                gate_group_.answer(event.fd.get(), fan::kAllow);
            else
                waiting_.push_back(
                    {std::move(event.fd), event.tid,
                     Steady::now() + std::chrono::seconds(Deadman::kWriteWaitSeconds)});
        }
    }

    bool may_go_on(const fan::Event& event) {
        if (is_successor(event.tid)) return true;
        const Intent intent =
            calls_.intent_of(event.tid, event.mask, event.fd.get(), Calls::Wait::Patiently);
        if (intent == Intent::Read || intent == Intent::Execute) return true;
        const auto path = Volume::path_of(event.fd.get());
        if (!path) return false;
        for (const std::string& dir : settings_.protected_dirs)
            if (is_inside(*path, dir)) return false;
        return true;
    }

    void expire() {
        const auto now = Steady::now();
        std::erase_if(waiting_, [&](const Waiting& act) {
            if (act.until > now) return false;
            gate_group_.answer(act.fd.get(), fan::deny(EPERM));
            return true;
        });
    }

    void greet(int door) {
        UniqueFd line(::accept4(door, nullptr, nullptr, SOCK_CLOEXEC));
        ucred peer{};
        socklen_t size = sizeof peer;
        if (!line || ::getsockopt(line.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
            peer.uid != ::geteuid() || !send_groups(line.get()))
            return;
        successor_ = std::move(line);
        successor_pid_ = peer.pid;
    }

    /// True when the successor has taken over and said that all is kept. When it dies before that,
    /// we go on.
    bool hear_successor() {
        if (next_word() == kStarting && hand_over_who_waits()) {
            for (const Waiting& act : waiting_) let_go(act);
            return true;
        }
        successor_.reset();
        successor_pid_ = 0;
        let_try_again();
        return false;
    }

    /// Without clones a second name alone may stand for the bytes that they wait to write over,
    /// which does not outlive writing. We have no right to open them: the successor keeps them. One
    /// after the other: two that only send to each other would wait for ever. One of an earlier
    /// build says at once that all is kept.
    bool hand_over_who_waits() {
        for (Waiting& act : waiting_) {
            send_waiting(act.tid, std::array{act.fd.get()});
            const char word = next_word();
            if (word == kRelease) return true;
            if (word != kKept && word != kNotKept) return false;
            act.is_lost = word == kNotKept;
        }
        send_waiting(0, {});
        return next_word() == kRelease;
    }

    /// 0 once there is nobody to speak.
    char next_word() const {
        char word = 0;
        return ::read(successor_.get(), &word, 1) == 1 ? word : '\0';
    }

    /// Who is gone says nothing any more: that is heard.
    void send_waiting(std::int32_t tid, std::span<const int> fds) const {
        std::array<std::uint8_t, sizeof tid> bytes{};
        std::memcpy(bytes.data(), &tid, sizeof tid);
        (void)send_with(successor_.get(), bytes, fds);
    }

    /// What cannot be kept is not destroyed: it may be tried again.
    void let_go(const Waiting& act) {
        gate_group_.answer(act.fd.get(), act.is_lost ? fan::deny(EAGAIN) : fan::kAllow);
    }

    bool is_successor(pid_t tid) const {
        return successor_pid_ > 0 &&
               ::access(fmt::format("/proc/{}/task/{}", successor_pid_, tid).c_str(), F_OK) == 0;
    }

    bool send_groups(int line) const {
        const std::array<std::uint8_t, 3> flags{groups_.pre_content, was_stalled_, 1};
        return send_with(line, flags,
                         std::array{groups_.gate.fd(), groups_.closings.fd(), groups_.names.fd()});
    }

    const Groups& groups_;
    const Deadman::Settings& settings_;
    Heart& heart_;
    int line_;
    pid_t gate_;
    bool was_stalled_ = false;
    UniqueFd door_;
    UniqueFd successor_;
    pid_t successor_pid_ = 0;
    fan::Group gate_group_;
    Calls calls_;
    std::vector<Waiting> waiting_;
};

/// Closes what was inherited and is not needed: locks among them.
void close_others(const Groups& groups, int state, int line) {
    for (int fd = 3; fd < 4096; ++fd)
        if (fd != state && fd != groups.gate.fd() && fd != groups.closings.fd() &&
            fd != groups.names.fd() && fd != line)
            ::close(fd);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (null) ::dup2(null.get(), fd);
}

}  // namespace

int gate_fds_max() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return 512;
    return static_cast<int>(std::min(kGateFdsMax, limit.rlim_cur / 2));
}

Result<std::unique_ptr<Deadman>> Deadman::start(const Groups& groups, Settings settings) {
    std::unique_ptr<Deadman> deadman(new Deadman(groups, std::move(settings)));
    void* page =
        ::mmap(nullptr, sizeof(Heart), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return os_failure(errno, "deadman");
    deadman->heart_ = new (page) Heart;
    TRY_STATUS(deadman->fork_it());
    return deadman;
}

Status Deadman::fork_it() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0)
        return os_failure(errno, "deadman");
    line_ = UniqueFd(ends[0]);
    const pid_t gate = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) return os_failure(errno, "deadman");
    if (pid_ > 0) {
        ::close(ends[1]);
        return {};
    }
    ::prctl(PR_SET_NAME, kName);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
    (void)::setsid();
    close_others(groups_, settings_.state->fd(), ends[1]);
    // On a kernel without seccomp it guards all the same.
    (void)confine_deadman();
    Standby(groups_, settings_, *heart_, ends[1], gate).run();
    ::_exit(0);
}

bool Deadman::is_alive() {
    if (pid_ <= 0) return false;
    int status = 0;
    const pid_t told = ::waitpid(pid_, &status, WNOHANG | WUNTRACED);
    if (told == 0) return true;
    if (told == pid_ && WIFSTOPPED(status)) {
        was_still_ = true;
        return ::kill(pid_, SIGCONT) == 0;
    }
    pid_ = 0;
    return fork_it().has_value();
}

bool Deadman::stood_still() {
    const std::uint32_t roused = heart_->roused;
    return std::exchange(roused_, roused) != roused || std::exchange(was_still_, false);
}

Deadman::~Deadman() {
    if (line_ && ::send(line_.get(), &kGoodbye, 1, MSG_NOSIGNAL) == 1 && pid_ > 0)
        (void)::waitpid(pid_, nullptr, 0);
    if (heart_) ::munmap(heart_, sizeof(Heart));
}

void Handover::starting() {
    (void)::send(line.get(), &kStarting, 1, MSG_NOSIGNAL);
}

void Handover::keep_for_who_waits(const std::function<bool(UniqueFd, pid_t)>& keep) {
    while (tells_who_waits) {
        std::array<std::uint8_t, sizeof(std::int32_t)> bytes{};
        std::array<UniqueFd, 1> fd;
        std::int32_t tid = 0;
        const ssize_t got = receive_with(line.get(), bytes, fd);
        std::memcpy(&tid, bytes.data(), sizeof tid);
        if (got != static_cast<ssize_t>(bytes.size()) || tid == 0) return;
        const char said = fd[0] && keep(std::move(fd[0]), tid) ? kKept : kNotKept;
        (void)::send(line.get(), &said, 1, MSG_NOSIGNAL);
    }
}

void Handover::release() {
    (void)::send(line.get(), &kRelease, 1, MSG_NOSIGNAL);
    line.reset();
}

std::optional<Handover> take_over_soon(const std::string& handover) {
    const auto until = Steady::now() + kDoorWait;
    while (is_any_deadman() && Steady::now() < until) {
        if (auto taken = take_over(handover)) return taken;
        std::this_thread::sleep_for(kDoorPause);
    }
    return take_over(handover);
}

std::optional<Handover> take_over(const std::string& handover) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, handover.c_str(), sizeof address.sun_path - 1);
    Handover taken;
    taken.line = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!taken.line ||
        ::connect(taken.line.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        return std::nullopt;
    // A deadman of an earlier build sends fewer.
    std::array<std::uint8_t, 3> flags{};
    std::array<UniqueFd, kHandedFds> fds;
    if (receive_with(taken.line.get(), flags, fds) < 1 || !fds.back()) return std::nullopt;
    taken.groups.gate = fan::Group(std::move(fds[0]));
    taken.groups.closings = fan::Group(std::move(fds[1]));
    taken.groups.names = fan::Group(std::move(fds[2]));
    taken.groups.pre_content = flags[0] == 1;
    taken.was_stalled = flags[1] == 1;
    taken.tells_who_waits = flags[2] == 1;
    return taken;
}

}  // namespace hygie::files
