#include "app/ledger/control_listener.h"

#include "app/ledger/control_session.h"
#include "ledger/log/layout.h"

namespace hygie::app {
namespace {

constexpr std::size_t kVisitorsMax = 16;
constexpr Micros kProofMax = std::chrono::seconds(10);
constexpr Micros kLastWordsMax = std::chrono::seconds(1);
/// How often a deadline is looked at; a visitor that has proven itself may be silent, as behind a
/// pager.
constexpr Micros kLook = std::chrono::milliseconds(100);
constexpr Micros kIdleLook = std::chrono::seconds(10);

}  // namespace

Result<std::unique_ptr<ControlListener>> ControlListener::start(const ledger::Doors& doors,
                                                                LedgerClerk& clerk) {
    std::unique_ptr<ControlListener> listener(new ControlListener(doors, clerk));
    ControlListener& self = *listener;
    self.acceptor_ = TRY(link::Acceptor::start(
        doors.disk, doors.clock,
        {.local = TRY(link::endpoint_in(ledger::layout::private_dir(clerk.log().dir()),
                                        ledger::layout::kControl)),
         .remote = {},
         .connections_max = kVisitorsMax},
        [&self](link::Visit& visit) { self.converse(visit); }));
    return listener;
}

void ControlListener::converse(link::Visit& visit) {
    ControlSession session(clerk_, clerk_.control_key(), doors_.random);
    const SteadyTime deadline = doors_.clock.steady() + kProofMax;
    Bytes out = session.take_output();
    Bytes in;
    while (!visit.is_over) {
        if (!session.is_proven() && doors_.clock.steady() >= deadline) return;
        const Micros wait = session.is_proven() ? kIdleLook : kLook;
        if (!visit.connection.exchange(out, in, &visit.wake, wait)) return;
        const Status fed = session.feed(std::exchange(in, {}));
        append(out, session.take_output());
        if (!fed) {
            (void)visit.connection.finish(out, kLastWordsMax);
            return;
        }
    }
}

}  // namespace hygie::app
