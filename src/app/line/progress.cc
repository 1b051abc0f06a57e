#include "app/line/progress.h"

#include <fmt/format.h>

namespace hygie::app {
namespace {
constexpr std::chrono::milliseconds kBetweenLines{100};
constexpr std::string_view kEraseLine = "\r\x1b[K";
}  // namespace

Progress::Progress(Context& context, Text label, std::uint64_t total)
    : context_(context),
      label_(std::move(label)),
      total_(total),
      shown_(context.err_is_terminal && !context.json) {}

Progress::~Progress() {
    if (shown_ && next_ != SteadyTime{}) context_.err << kEraseLine << std::flush;
}

void Progress::at(std::uint64_t done) {
    if (!shown_) return;
    const SteadyTime now = context_.clock.steady();
    if (now < next_) return;
    next_ = now + kBetweenLines;
    context_.err << kEraseLine << context_.say(label_) << " " << done;
    if (total_ != 0)
        context_.err << fmt::format(
            " / {} ({} %)", total_,
            static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(total_)));
    context_.err << std::flush;
}

}  // namespace hygie::app
