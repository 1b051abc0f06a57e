#include "base/counted.h"

#include <optional>

#include "base/check.h"

namespace hygie {
namespace {

std::string filled(std::string_view pattern, Lang lang,
                   std::initializer_list<std::uint64_t> numbers) {
    std::string text;
    const std::uint64_t* next = numbers.begin();
    std::optional<std::uint64_t> last;
    while (!pattern.empty()) {
        if (pattern.starts_with("{}")) {
            HYGIE_CHECK(next != numbers.end(), "a number for each place");
            last = *next++;
            text += std::to_string(*last);
            pattern.remove_prefix(2);
        } else if (pattern.front() == '[') {
            const std::size_t between = pattern.find('|');
            const std::size_t end = pattern.find(']');
            HYGIE_CHECK(last && between < end && end != std::string_view::npos, "two forms");
            const bool is_one = *last == 1 || (*last == 0 && lang == Lang::Fr);
            text += is_one ? pattern.substr(1, between - 1)
                           : pattern.substr(between + 1, end - between - 1);
            pattern.remove_prefix(end + 1);
        } else {
            text += pattern.front();
            pattern.remove_prefix(1);
        }
    }
    HYGIE_CHECK(next == numbers.end(), "a place for each number");
    return text;
}

}  // namespace

Text counted(const Text& pattern, std::initializer_list<std::uint64_t> numbers) {
    return {filled(pattern.fr, Lang::Fr, numbers), filled(pattern.en, Lang::En, numbers)};
}

}  // namespace hygie
