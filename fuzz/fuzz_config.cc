#include <algorithm>

#include "app/line/config.h"
#include "base/check.h"
#include "sim/sim_disk.h"

using namespace hygie;

/// Every issue stands inside the text and speaks both languages; a text without issues gives
/// bounded values, and the default file stays right whatever was read before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static sim::SimDisk disk(1);
    const std::string_view text = as_text({data, size});
    const app::CheckedConfig checked = app::check_config(text, disk);
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
    for (const app::ConfigIssue& issue : checked.issues) {
        HYGIE_CHECK(issue.line >= 1 && issue.line <= lines && issue.column >= 1,
                    "an issue points nowhere");
        HYGIE_CHECK(!issue.what.fr.empty() && !issue.what.en.empty(), "an issue lacks a language");
    }
    if (!checked.issues.empty()) return 0;
    for (const app::Contradiction& rule : app::contradictions())
        HYGIE_CHECK(!rule.holds(checked.config), "a contradiction was accepted");
    const app::Config::Ledger& ledger = checked.config.ledger;
    HYGIE_CHECK(
        ledger.heartbeat >= std::chrono::seconds(1) && ledger.heartbeat <= std::chrono::hours(1),
        "a duration out of bounds was accepted");
    return 0;
}
