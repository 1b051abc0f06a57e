#include <iostream>

#include "app/line/commands.h"
#include "app/line/run.h"
#include "app/line/terminal.h"
#include "host/console.h"

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    const hygie::app::TerminalText out(std::cout, hygie::stdout_is_terminal());
    const hygie::app::TerminalText err(std::cerr, hygie::stderr_is_terminal());
    const std::vector<hygie::app::Command> commands = hygie::app::all_commands();
    return hygie::app::run(commands, {argv + (argc > 0 ? 1 : 0), argv + argc},
                           {.disk = hygie::real_disk(),
                            .clock = hygie::real_clock(),
                            .random = hygie::real_random(),
                            .process = hygie::real_process(),
                            .fetch = hygie::real_fetch(),
                            .in = std::cin,
                            .out = std::cout,
                            .err = std::cerr,
                            .err_is_terminal = hygie::stderr_is_terminal(),
                            .wait_for_stop = hygie::wait_for_stop_signal,
                            .expect_stop = hygie::expect_stop_signal,
                            .ask_secret = hygie::ask_secret});
}
