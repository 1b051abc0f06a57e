#pragma once

#include <cstdint>
#include <string>

#include "app/line/context.h"

namespace hygie::app {

/// One line on stderr that says how far a long command is; silent when stderr is no terminal or
/// with --json. Cheap to call often: it prints at most ten times a second. The line is erased at
/// the end.
class Progress {
  public:
    /// `total` 0 means unknown.
    Progress(Context& context, Text label, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void at(std::uint64_t done);

  private:
    Context& context_;
    Text label_;
    std::uint64_t total_;
    bool shown_;
    SteadyTime next_{};
};

}  // namespace hygie::app
