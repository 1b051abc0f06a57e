#include "base/check.h"
#include "link/session.h"
#include "sim/sim_random.h"

using namespace hygie;
using namespace hygie::link;

namespace {

/// A ledger that only counts, and insists on getting every counter once.
struct CountingSink final : CoreSink {
    std::uint64_t held = 0;
    Result<Position> position(const SourceInfo&) override { return Position{held, {}}; }
    Status gap(const SourceInfo&, const Gap& gap) override {
        HYGIE_CHECK(gap.first == held + 1 && gap.last >= gap.first,
                    "a gap starts where events end");
        held = gap.last;
        return {};
    }
    Status append(const SourceInfo&, const Batch& batch) override {
        for (const StampedBody& event : batch.events)
            HYGIE_CHECK(event.stamp.counter == ++held, "a counter was skipped or came twice");
        return {};
    }
    void order_done(const SourceInfo&, const OrderDone&) override {}
};

const crypto::SigningKey& guard_key() {
    static const auto key = crypto::SigningKey::from_seed(crypto::Secret32());
    return key;
}

/// Lets the fuzzer in: it could never find a signature by itself.
void prove(CoreSession& core) {
    const Hello hello{
        kProtocolVersion, {SourceId("s"), NodeId("n"), guard_key().public_key()}, 0, 1u << 20, {}};
    HYGIE_CHECK(core.feed(encode(hello)).has_value(), "a right greeting was refused");
    const auto answer = decode(ByteView(core.take_output()).subspan(4));
    const auto& challenge = std::get<Challenge>(answer.value());
    const Proof proof{guard_key().sign(proof_message(hello, challenge, {}))};
    HYGIE_CHECK(core.feed(encode(proof)).has_value(), "a right proof was refused");
}

}  // namespace

/// A message has one spelling. A hostile guard, known or not, gets every counter into the ledger
/// once or is refused, and how its bytes are cut changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const ByteView bytes(data + 2, size - 2);
    if (const auto message = decode(bytes)) {
        const Bytes again = encode(*message);
        HYGIE_CHECK(as_text(again).substr(4) == as_text(bytes), "a message has a second spelling");
    }
    std::uint64_t held = 0;
    for (const std::size_t step : {bytes.size() + 1, std::size_t{1} + data[1]}) {
        CountingSink sink;
        sim::SimRandom random(1);
        CoreSession core(sink, {}, random);
        if (data[0] & 1) prove(core);
        Status status;
        for (ByteView rest = bytes; status && !rest.empty();
             rest = rest.subspan(std::min(step, rest.size())))
            status = core.feed(rest.first(std::min(step, rest.size())));
        HYGIE_CHECK(status || !core.feed(bytes), "a session goes on after its end");
        if (step > bytes.size()) held = sink.held;
        HYGIE_CHECK(sink.held == held, "the cut of the bytes matters");
    }
    return 0;
}
