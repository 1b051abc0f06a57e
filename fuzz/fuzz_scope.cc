#include <algorithm>

#include "access/decide/scope.h"
#include "base/bytes.h"
#include "base/check.h"

using namespace hygie;

/// Input: a ceiling, a line feed, a wish. A scope is spelled again to itself; what remains of a
/// wish under a ceiling narrows to itself under both.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    if (const auto scope = access::parse_scope(text)) {
        const auto again = access::parse_scope(access::spell(*scope));
        HYGIE_CHECK(again && *again == *scope, "a scope changes when it is spelled");
    }
    const std::size_t line = std::min(text.find('\n'), text.size());
    std::vector<std::string> ceiling;
    for (std::size_t from = 0; from < line && ceiling.size() < access::kScopesMax;) {
        const std::size_t blank = std::min(text.find(' ', from), line);
        ceiling.emplace_back(text.substr(from, blank - from));
        from = blank + 1;
    }
    const auto left = access::narrow(text.substr(std::min(line + 1, text.size())), ceiling);
    HYGIE_CHECK(left.size() <= access::kScopesMax, "more scopes than the limit");
    for (const std::string& one : left) {
        HYGIE_CHECK(access::is_plain_scope(one) || access::parse_scope(one),
                    "narrowing made something that is no scope");
        HYGIE_CHECK(!access::narrow(one, ceiling).empty(), "narrowing left the ceiling");
    }
    return 0;
}
