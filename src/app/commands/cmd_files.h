#pragma once

#include "app/line/context.h"
#include "guards/files/keep/store.h"

/// What the commands of the file guard share.
namespace hygie::app {

/// --state
Parameter files_state_option();
files::StoreDoors files_doors(Context& context);
/// An absolute path without a slash at its end, as records have it. The file itself may be gone,
/// and a symbolic link at the end is meant itself.
std::string spelled(const std::string& path);
/// `files plan`, `restore` and `report`.
std::vector<Command> files_restore_commands();

}  // namespace hygie::app
