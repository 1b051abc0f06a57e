#include "access/circles/lifecycle.h"
#include "base/check.h"

using namespace hygie;

/// Every account of a table is one that may be kept, and every line is either that or named once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const WallTime now{std::chrono::days(20'000)};
    const access::Table table =
        access::read_accounts_csv(as_text({data, size}), ActorId("anne.martin"), now);
    HYGIE_CHECK(table.issues.size() <= access::kTableIssuesMax, "more issues than the limit");
    std::size_t last = 1;
    for (const access::Arrival& arrival : table.arrivals) {
        HYGIE_CHECK(access::check_account(arrival.account, now).has_value(), "a bad account");
        HYGIE_CHECK(arrival.line > last, "lines out of order");
        last = arrival.line;
    }
    return 0;
}
