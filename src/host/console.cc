#include "host/console.h"

#include <fcntl.h>
#include <semaphore.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "host/unique_fd.h"

namespace hygie {
namespace {

sem_t stop_asked;

extern "C" void on_stop_signal(int) {
    sem_post(&stop_asked);  // one of the few calls that a signal handler may make
}

/// No echo while it lives.
class Silence {
  public:
    explicit Silence(int terminal) : terminal_(terminal) {
        known_ = tcgetattr(terminal_, &before_) == 0;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (known_) tcsetattr(terminal_, TCSAFLUSH, &silent);
    }
    ~Silence() {
        if (known_) tcsetattr(terminal_, TCSAFLUSH, &before_);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    int terminal_;
    termios before_{};
    bool known_ = false;
};

/// A longer line is no passphrase.
constexpr std::size_t kSecretBytesMax = 4096;

}  // namespace

bool stderr_is_terminal() {
    return ::isatty(STDERR_FILENO) == 1;
}

bool stdout_is_terminal() {
    return ::isatty(STDOUT_FILENO) == 1;
}

Result<Sensitive<std::string>> ask_secret(const std::string& prompt) {
    const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    if (terminal.get() < 0 || ::write(terminal.get(), prompt.data(), prompt.size()) < 0)
        return fail(Code::Unavailable,
                    {"aucun terminal pour demander un secret", "no terminal to ask a secret on"},
                    {"donnez-le par un fichier, voyez --help", "give it by a file, see --help"});
    std::string secret;
    {
        const Silence silence(terminal.get());
        char c = 0;
        while (secret.size() < kSecretBytesMax && ::read(terminal.get(), &c, 1) == 1 && c != '\n')
            secret += c;
    }
    static_cast<void>(!::write(terminal.get(), "\n", 1));
    return Sensitive<std::string>(std::move(secret));
}

void expect_stop_signal() {
    static const bool kExpected = [] {
        ::sem_init(&stop_asked, 0, 0);
        (void)std::signal(SIGPIPE, SIG_IGN);
        (void)std::signal(SIGINT, on_stop_signal);
        (void)std::signal(SIGTERM, on_stop_signal);
        return true;
    }();
    (void)kExpected;
}

void wait_for_stop_signal() {
    expect_stop_signal();
    while (::sem_wait(&stop_asked) != 0) {
    }
}

}  // namespace hygie
