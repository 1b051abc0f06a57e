#pragma once

#include "app/line/context.h"
#include "guards/files/keep/store.h"

/// What the commands of the file guard share.
namespace hygie::app {

/// --state
Parameter files_state_option();
files::StoreDoors files_doors(Context& context);

}  // namespace hygie::app
