#include "app/commands.h"

namespace hygie::app {

std::vector<Command> all_commands() {
    std::vector<Command> all;
    for (const auto area : {key_commands, config_commands, self_commands})
        for (Command& command : area()) all.push_back(std::move(command));
    return all;
}

}  // namespace hygie::app
