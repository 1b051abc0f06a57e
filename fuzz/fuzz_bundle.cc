#include "base/check.h"
#include "ledger/log/entry.h"
#include "ledger/log/source_counters.h"
#include "ledger/tree/log_reader.h"
#include "ledger/tree/tile_path.h"

using namespace hygie;

namespace {

/// Writes a parsed entry again.
Bytes spelled(const ledger::EntryView& entry) {
    Bytes again(ledger::kHeaderBytesMax + entry.payload.size());
    std::size_t associated = 0;
    const std::size_t head = ledger::encode_header(
        entry.header, entry.is_sealed ? ledger::Payload::Sealed : ledger::Payload::Open,
        entry.payload.size(), again.data(), associated);
    std::copy(entry.payload.begin(), entry.payload.end(),
              again.begin() + static_cast<std::ptrdiff_t>(head));
    again.resize(head + entry.payload.size());
    return again;
}

}  // namespace

/// The first byte is the width of the bundle. A bundle that is accepted is exactly its entries
/// behind their lengths; an entry that is accepted is written again to the same bytes. A path that
/// is accepted has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView in(data + 1, size - 1);
    if (const auto tile = ledger::parse_tile_path(as_text(in)))
        HYGIE_CHECK(path_of(*tile) == as_text(in), "an accepted tile path has a second spelling");
    std::vector<ByteView> entries;
    if (!ledger::split_bundle(in, data[0], entries)) return 0;
    HYGIE_CHECK(entries.size() == data[0], "a bundle of another width");
    Bytes framed;
    ledger::CounterRun counters;
    for (const ByteView entry : entries) {
        framed.push_back(static_cast<std::uint8_t>(entry.size() >> 8));
        framed.push_back(static_cast<std::uint8_t>(entry.size()));
        append(framed, entry);
        const auto parsed = ledger::parse_entry(entry);
        if (!parsed) continue;
        HYGIE_CHECK(as_text(spelled(*parsed)) == as_text(entry),
                    "an accepted entry has a second spelling");
        (void)counters.follow(*parsed);
    }
    HYGIE_CHECK(as_text(framed) == as_text(in),
                "an accepted bundle has bytes that are not entries");
    return 0;
}
