#include <semaphore.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "app/commands.h"
#include "app/run.h"

namespace {

sem_t stop_asked;

extern "C" void on_stop_signal(int) {
    sem_post(&stop_asked);  // one of the few calls that a signal handler may make
}

/// Until this is called, SIGINT and SIGTERM end the process as usual: a command that serves calls
/// it once ready.
void wait_for_stop() {
    sem_init(&stop_asked, 0, 0);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGINT, on_stop_signal);
    std::signal(SIGTERM, on_stop_signal);
    while (sem_wait(&stop_asked) != 0) {
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    const std::vector<hygie::app::Command> commands = hygie::app::all_commands();
    return hygie::app::run(commands, {argv + 1, argv + argc},
                           {.disk = hygie::real_disk(),
                            .clock = hygie::real_clock(),
                            .random = hygie::real_random(),
                            .process = hygie::real_process(),
                            .fetch = hygie::real_fetch(),
                            .in = std::cin,
                            .out = std::cout,
                            .err = std::cerr,
                            .err_is_terminal = isatty(STDERR_FILENO) == 1,
                            .wait_for_stop = wait_for_stop});
}
