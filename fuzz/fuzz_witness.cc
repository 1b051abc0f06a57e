#include <algorithm>

#include "base/check.h"
#include "crypto/sha256.h"
#include "ledger/proofs/witness.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"

using namespace hygie;

namespace {

ledger::NoteSigner signer(const char* name, ledger::KeyType type, std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return {name, type, crypto::SigningKey::from_seed(crypto::Secret32(bytes))};
}

}  // namespace

/// The input is a method line, a path line and a body. Whatever it is, the answer is one of the
/// protocol, and what the witness remembers never shrinks. Half of the inputs have their last line
/// replaced by the log's true signature, so that proofs and sizes are reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto log = signer("log.example", ledger::KeyType::Ed25519, 1);
    static sim::SimDisk disk;
    static sim::SimClock clock;
    static const auto witness =
        ledger::Witness::open(disk, clock, "w",
                              signer("w.example", ledger::KeyType::Cosignature, 2),
                              {{log.verifier(), ""}})
            .value();
    static const std::string origin = to_hex(crypto::sha256(as_bytes("log.example")));
    static std::uint64_t cosigned = 0;
    const std::string_view in = as_text({data, size});
    const std::size_t first = in.find('\n');
    const std::size_t second = first == std::string_view::npos ? first : in.find('\n', first + 1);
    if (second == std::string_view::npos) return 0;
    std::string body(in.substr(second + 1));
    if (size % 2 == 0) {
        const std::size_t text = body.find("\n\n");
        const std::size_t blank = body.rfind("\n\n");
        if (text != blank)
            body = body.substr(0, blank + 2) +
                   log.sign(body.substr(text + 2, blank - text - 1)).line();
    }
    const auto answer =
        witness->handle(in.substr(0, first), in.substr(first + 1, second - first - 1), body);
    constexpr int kStatuses[] = {200, 400, 403, 404, 405, 409, 422};
    HYGIE_CHECK(std::ranges::find(kStatuses, answer.status) != std::end(kStatuses),
                "an answer outside the protocol");
    const auto latest = witness->latest(origin);
    if (latest.status == 200) {
        const auto kept = ledger::SignedCheckpoint::parse(latest.body);
        HYGIE_CHECK(kept && kept->checkpoint.size >= cosigned, "the witness went back");
        cosigned = kept->checkpoint.size;
    }
    return 0;
}
