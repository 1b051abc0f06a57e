#include "base/check.h"
#include "link/session.h"
#include "sim/sim_random.h"

using namespace hygie;
using namespace hygie::link;

namespace {

/// Ten events, of which the core acknowledges what it was sent, never more.
struct TenEvents final : Outbox {
    std::uint64_t sent = 0;
    std::uint64_t base() override { return 0; }
    std::uint64_t last() override { return 10; }
    Result<Batch> read(std::uint64_t after) override {
        Batch batch{{after, {}}, {}, {}};
        while (batch.events.size() < 3 && after < last())
            batch.events.push_back(
                {{event::Type::Heartbeat, {}, ++after, event::Retention::System}, {0xA0}});
        sent = after;
        return batch;
    }
    Status acknowledge(std::uint64_t counter) override {
        HYGIE_CHECK(counter <= last(), "more was acknowledged than there is");
        return {};
    }
};

}  // namespace

/// A hostile core cannot make a guard give up events that it did not take, nor say anything that is
/// not a frame.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    static const auto key = crypto::SigningKey::from_seed(crypto::Secret32());
    TenEvents outbox;
    sim::SimRandom random(1);
    GuardSession guard(outbox, {SourceId("s"), NodeId("n"), key.public_key()}, key, {}, random,
                       [](const event::Order& order) -> Status {
                           if (order.target.empty())
                               return fail(Code::NotFound, {"rien", "nothing"});
                           return {};
                       });
    const std::size_t step = std::size_t{1} + data[0];
    ByteView rest(data + 1, size - 1);
    Bytes said;
    for (Status status; status && !rest.empty(); rest = rest.subspan(std::min(step, rest.size()))) {
        status = guard.feed(rest.first(std::min(step, rest.size())));
        if (status) status = guard.advance();
        append(said, guard.take_output());
        HYGIE_CHECK(guard.acknowledged() <= outbox.last(), "more was acknowledged than there is");
    }
    FrameReader reader;
    reader.feed(said);
    for (;;) {
        const auto message = reader.next(kFrameBytesMax);
        HYGIE_CHECK(message.has_value(), "the guard said what is no frame");
        if (!*message) return 0;
    }
}
