#include "app/ledger/control_session.h"
#include "app/ledger/test_clerk.h"
#include "base/check.h"
#include "sim/sim_random.h"

using namespace hygie;
using namespace hygie::app;

namespace {

/// The answer in a session's output.
control::Answer answer_of(ControlSession& session) {
    link::FrameCutter cutter;
    const Bytes said = session.take_output();
    cutter.feed(said);
    const auto payload = cutter.next(control::kMessageBytesMax);
    HYGIE_CHECK(payload && *payload && cutter.waiting() == 0, "one ask has one answer");
    const auto answer = control::decode_answer(**payload);
    HYGIE_CHECK(answer.has_value(), "the holder said what no command understands");
    return *answer;
}

}  // namespace

/// A message has one spelling, in both directions. A stranger has nothing carried out; whoever has
/// proven itself gets one answer to each ask.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const ByteView bytes(data + 1, size - 1);
    const auto is_respelled = [&](const Bytes& again) { return as_text(again) == as_text(bytes); };
    const auto ask = control::decode_ask(bytes);
    if (ask) HYGIE_CHECK(is_respelled(control::encode(*ask)), "an ask has a second spelling");
    if (const auto answer = control::decode_answer(bytes))
        HYGIE_CHECK(is_respelled(control::encode(*answer)), "an answer has a second spelling");

    const crypto::Secret32 key;
    sim::SimRandom random(1);
    TestClerk clerk;
    ControlSession session(clerk, key, random);
    const auto challenge = std::get<control::Challenge>(answer_of(session));
    if (data[0] & 1) {
        const control::Proof proof{control::proof_of(key, challenge.nonce)};
        HYGIE_CHECK(session.feed(link::framed(control::encode(control::Ask(proof)))).has_value(),
                    "a right proof was refused");
        (void)answer_of(session);
    }
    // Both as bytes from anywhere, and as an ask that is well framed.
    const bool framed = data[0] & 2;
    const Status fed = session.feed(framed ? link::framed(bytes) : to_bytes(bytes));
    HYGIE_CHECK(clerk.asked.empty() || (data[0] & 1), "a stranger was listened to");
    if (framed || !fed) (void)answer_of(session);
    return 0;
}
