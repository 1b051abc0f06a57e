#include "base/check.h"
#include "ledger/log/source_counters.h"
#include "ledger/tree/checkpoint.h"

using namespace hygie;

/// Accepted ⇒ written again to the same bytes; and so are the counters kept beside a checkpoint.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view in = as_text({data, size});
    if (const auto sealed = ledger::SignedCheckpoint::parse(in))
        HYGIE_CHECK(sealed->encode() == in, "an accepted checkpoint note has a second spelling");
    const auto checkpoint = ledger::Checkpoint::parse(in);
    if (!checkpoint) return 0;
    HYGIE_CHECK(checkpoint->encode() == in, "an accepted checkpoint has a second spelling");
    if (const auto counters = ledger::parse_counters(in, *checkpoint))
        HYGIE_CHECK(ledger::encode_counters(*checkpoint, *counters) == in,
                    "accepted counters have a second spelling");
    return 0;
}
