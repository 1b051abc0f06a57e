#include "app/line/event_lines.h"

#include <fmt/format.h>

#include "app/line/progress.h"
#include "base/limits.h"

namespace hygie::app {
namespace {

/// One line at most a little longer than an event may be: a line without end must not fill memory.
bool read_line(std::istream& in, std::string& line) {
    line.clear();
    char c = 0;
    while (in.get(c)) {
        if (c == '\n') return true;
        if (line.size() <= limits::kEventBytesMax) line.push_back(c);
    }
    return !line.empty();
}

std::unexpected<Error> at_line(std::uint64_t number, Error error) {
    error.what.fr = fmt::format("ligne {} : {}", number, error.what.fr);
    error.what.en = fmt::format("line {}: {}", number, error.what.en);
    error.remedy.fr +=
        fmt::format(" ; les lignes précédentes sont gardées, reprenez à la ligne {}", number);
    error.remedy.en += fmt::format("; the lines before it are kept, resume at line {}", number);
    return std::unexpected(std::move(error));
}

Status take_line(std::uint64_t number, const std::string& line, const event::LineOrigin& origin,
                 LineTaker& taker) {
    return taker.take(number, TRY(event::parse_line(line, origin)));
}

}  // namespace

Status read_event_lines(Context& context, const event::LineOrigin& origin, LineTaker& taker) {
    Progress progress(context, {"lignes", "lines"}, 0);
    std::string line;
    for (std::uint64_t number = 1; read_line(context.in, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        if (Status taken = take_line(number, line, origin, taker); !taken) {
            TRY_STATUS(taker.flush());  // what came before stays
            return taken.error().code == Code::BadInput ? at_line(number, taken.error()) : taken;
        }
        // Somebody may wait for the answer to the last line: hold nothing back once input pauses.
        if (!taker.is_full() && context.in.rdbuf()->in_avail() > 0) continue;
        TRY_STATUS(taker.flush());
        progress.at(number);
    }
    return taker.flush();
}

}  // namespace hygie::app
