#include "app/house/opened_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "access/circles/review_opened.h"
#include "app/ledger/ledger_audit.h"
#include "event/uuid.h"
#include "serve/circle_routes.h"

namespace hygie::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kPatients = 100'000;
constexpr std::size_t kActors = 10'000;
constexpr std::size_t kBusyPatients = 10;
/// A long stay: more than one answer shows.
constexpr std::size_t kBusyEvents = 20'000;
constexpr std::size_t kBatch = 1024;
constexpr std::size_t kJobsMax = 6;
constexpr std::size_t kAsked = 400;

double millis_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

PatientId patient(std::size_t number) {
    return PatientId(fmt::format("patient-{:06}", number));
}

/// Readings by people of the house, in the last year, for reasons that decisions give.
class Journal {
  public:
    explicit Journal(Context& context) : context_(context) {}

    Result<std::vector<ledger::Draft>> next(std::size_t count) {
        std::vector<ledger::Draft> drafts;
        for (; count > 0; --count) drafts.push_back(TRY(ledger::draft_of(event())));
        return drafts;
    }

  private:
    event::Event event() {
        static constexpr std::array kWhy = {"circle.presence", "circle.care_team",
                                            "circle.appointment", "circle.referral"};
        const std::uint64_t dice = load_be<std::uint64_t>(context_.random.bytes<8>().data());
        event::Event event;
        event.type = dice % 5 == 0 ? event::Type::RecordSearched : event::Type::RecordRead;
        event.action = event::Action::Read;
        event.time = context_.clock.now() - std::chrono::seconds(dice % (365 * 86'400));
        event.id = event::print_uuid(event::make_uuid(event.time, context_.random));
        event.source = SourceId("records");
        event.node = NodeId("bench");
        event.actor.id = ActorId(fmt::format("actor-{:05}", (dice >> 8) % kActors));
        event.actor.role = "60";
        const bool busy = made_ < kBusyPatients * kBusyEvents;
        event.subject.patient =
            patient(busy ? made_ % kBusyPatients : kBusyPatients + (dice >> 24) % kPatients);
        event.subject.object = ObjectId(fmt::format("Observation/{}", made_++));
        event.detail["why"] = kWhy[dice >> 60 & 3];
        return event;
    }

    Context& context_;
    std::size_t made_ = 0;
};

Status fill(Context& context, LedgerClerk& clerk, std::uint64_t entries) {
    Journal journal(context);
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t under_way = 0;
    bool failed = false;
    for (std::uint64_t made = 0; made < entries; made += kBatch) {
        auto drafts = TRY(journal.next(std::min<std::uint64_t>(kBatch, entries - made)));
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return under_way < kJobsMax; });
        ++under_way;
        lock.unlock();
        clerk.appender().submit(std::move(drafts), [&](const auto& done) {
            const std::lock_guard guard(mutex);
            --under_way;
            failed = failed || !done;
            changed.notify_all();
        });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return under_way == 0; });
    if (failed) return clerk.appender().health();
    return {};
}

/// Milliseconds of each answer, as the service makes it.
Result<std::vector<double>> ask(LedgerAudit& audit, std::size_t first, std::size_t last,
                                double& events_of_one) {
    const access::WhoIs who_is = [](const event::Actor& actor) {
        return access::ActorWords{.name = "Dr " + actor.id.str(),
                                  .profession = {"infirmière", "nurse"},
                                  .organisation = {}};
    };
    std::vector<double> times;
    for (std::size_t i = 0; i < kAsked; ++i) {
        const std::size_t number = first + i * 7919 % (last - first);
        const auto start = SteadyClock::now();
        auto entries =
            TRY(audit.search({.patient = patient(number), .count = serve::kOpeningsMax}));
        std::vector<event::Event> events;
        for (auto& entry : entries) events.push_back(std::move(entry.event));
        const auto openings = access::openings_of(events, who_is);
        const std::string answer = access::openings_json(openings);
        times.push_back(millis_since(start));
        if (answer.size() < events.size())
            return fail(Code::Corrupt, {"réponse trop courte", "the answer is too short"}, {});
        events_of_one = static_cast<double>(events.size());
    }
    std::ranges::sort(times);
    return times;
}

double at_share(const std::vector<double>& sorted, double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

Result<OpenedFigures> measure_opened(Context& context, const std::string& dir,
                                     std::uint64_t entries) {
    const crypto::Secret32 root{context.random.bytes<32>()};
    const ledger::Doors doors{context.disk, context.clock, context.random};
    TRY_STATUS(ledger::Log::init(doors, dir, "bench.example/ledger", root));
    LedgerClerk clerk(doors, NodeId("bench"), {TRY(ledger::Log::open(doors, dir, root)), {}, root});
    OpenedFigures figures;
    const auto start = SteadyClock::now();
    TRY_STATUS(fill(context, clerk, entries));
    figures.fill_seconds = millis_since(start) / 1e3;
    figures.entries = static_cast<double>(clerk.log().durable_size());
    LedgerAudit audit(clerk);
    const auto usual = TRY(ask(audit, kBusyPatients, kPatients, figures.usual_events));
    figures.p50_ms = at_share(usual, 0.5);
    figures.p95_ms = at_share(usual, 0.95);
    double shown = 0;
    figures.busy_p95_ms = at_share(TRY(ask(audit, 0, kBusyPatients, shown)), 0.95);
    TRY_STATUS(clerk.close());
    return figures;
}

}  // namespace hygie::app
