#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/circle_synthetic.h"
#include "access/decide/circle_words.h"
#include "app/house/access_world.h"
#include "app/house/opened_figures.h"
#include "app/house/staff_figures.h"
#include "app/line/commands.h"

namespace hygie::app {
namespace {

using access::CircleIndex;
using access::Pair;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kAsked = 1'000'000;
constexpr std::size_t kBundle = 10'000;
constexpr std::size_t kChanges = 10'000;
constexpr std::size_t kHolds = 1000;
constexpr std::size_t kJournalMade = 4'000'000;
constexpr std::uint64_t kSeed = 20261124;

double nanos_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::nano>(SteadyClock::now() - start).count();
}

/// What reading the clock twice costs: taken off each measured question.
double clock_cost() {
    std::vector<double> costs;
    for (int i = 0; i < 10'000; ++i) costs.push_back(nanos_since(SteadyClock::now()));
    std::ranges::nth_element(costs, costs.begin() + 5'000);
    return costs[5'000];
}

struct Row {
    std::string what;
    double value;
    std::string unit;
    std::string reach;
};

double at_share(std::vector<double>& values, double share) {
    const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::ranges::nth_element(values, values.begin() + place);
    return values[static_cast<std::size_t>(place)];
}

access::Query usual_query() {
    return {.now = access::kSyntheticNow, .data = access::DataClass::Notes, .strong = true};
}

/// Each question timed by itself, about another patient each time.
template <typename Ask>
void time_each(const std::vector<Pair>& pairs, const std::string& what, const std::string& p50,
               const std::string& p99, const Ask& ask, std::vector<Row>& rows) {
    const double clock = clock_cost();
    std::vector<double> nanos;
    nanos.reserve(pairs.size());
    std::uint64_t sink = 0;
    for (const Pair& pair : pairs) {
        const auto start = SteadyClock::now();
        sink += ask(pair);
        nanos.push_back(std::max(0.0, nanos_since(start) - clock));
    }
    rows.push_back({what + ", p50", at_share(nanos, 0.5), "ns", p50});
    rows.push_back({what + ", p99", at_share(nanos, 0.99), "ns", p99});
    if (sink == UINT64_MAX) rows.clear();  // keeps the answers
}

/// The decision, its proof and both sentences, in a buffer that is used again.
std::uint64_t explain_into(const CircleIndex& index, const Pair& pair, const access::Query& query,
                           std::string& text) {
    const access::Outcome outcome = index.decide(pair.actor, pair.patient, query);
    text.clear();
    const access::Phrase kind = access::phrase_of(outcome.kind);
    const access::Phrase post = access::phrase_of(outcome.post);
    const access::Link link = outcome.permitted() ? outcome.proof : outcome.against;
    if (outcome.rule == access::Rule::Circle) {
        for (const auto part : {std::string_view("Autorisé"), post.fr, std::string_view(" : "),
                                kind.fr, std::string_view(".\nPermitted"), post.en,
                                std::string_view(": "), kind.en, std::string_view(".\n")})
            text += part;
    } else {
        const Text sentence = access::sentence_of(outcome);
        text += sentence.fr;
        text += sentence.en;
    }
    if (link.there()) {
        const access::Bond bond = index.bond(pair.patient, link.bond);
        const access::Membership& member = index.membership(pair.actor, link.member);
        const std::uint32_t numbers[] = {bond.party,  bond.from, bond.to,        bond.evidence,
                                         member.from, member.to, member.evidence};
        text.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
    }
    return text.size();
}

void measure_questions(const CircleIndex& index, std::vector<Row>& rows) {
    const auto pairs = access::synthetic_pairs(index, kAsked, kSeed);
    const access::Query query = usual_query();
    time_each(
        pairs, "boolean", "≤ 200 ns", "≤ 2 µs",
        [&](const Pair& pair) { return index.allows(pair.actor, pair.patient, query) ? 1U : 0U; },
        rows);
    std::string text;
    time_each(
        pairs, "with explanation", "≤ 1 µs", "≤ 10 µs",
        [&](const Pair& pair) { return explain_into(index, pair, query, text); }, rows);
    const auto start = SteadyClock::now();
    std::uint64_t permits = 0;
    for (const Pair& pair : pairs)
        permits += index.allows(pair.actor, pair.patient, query) ? 1U : 0U;
    const double seconds = nanos_since(start) / 1e9;
    rows.push_back({"cold, one after the other", static_cast<double>(pairs.size()) / seconds / 1e6,
                    "M/s", "≥ 1 M/s"});
    rows.push_back({"permitted",
                    100.0 * static_cast<double>(permits) / static_cast<double>(pairs.size()), "%",
                    ""});
}

void measure_bundle(const CircleIndex& index, std::vector<Row>& rows) {
    const auto pairs = access::synthetic_pairs(index, kBundle, kSeed + 1);
    std::vector<CircleIndex::Item> items;
    for (const Pair& pair : pairs)
        items.push_back({pair.patient, access::DataClass(pair.patient % access::kDataClasses)});
    std::vector<std::uint8_t> answers(items.size());
    std::vector<double> millis;
    for (access::ActorNumber actor = 0; actor < 100; ++actor) {
        const auto start = SteadyClock::now();
        index.filter(pairs[actor].actor, usual_query(), items, answers);
        millis.push_back(nanos_since(start) / 1e6);
    }
    rows.push_back({"bundle of 10,000 filtered, p50", at_share(millis, 0.5), "ms", "≤ 5 ms"});
    rows.push_back({"bundle of 10,000 filtered, slowest", at_share(millis, 1), "ms", "≤ 5 ms"});
}

/// From the change to the first question that knows it: the same thread, so the sum of both.
void measure_changes(CircleIndex& index, std::vector<Row>& rows) {
    const auto pairs = access::synthetic_pairs(index, kChanges, kSeed + 2);
    const access::Query query = usual_query();
    std::vector<double> micros;
    std::size_t stale = 0;
    for (const Pair& pair : pairs) {
        const auto start = SteadyClock::now();
        index.add(access::PatientBond{
            pair.patient,
            {.party = index.actor(pair.actor).self, .kind = access::Relation::Kind::Opposition}});
        if (index.allows(pair.actor, pair.patient, query)) ++stale;
        micros.push_back(nanos_since(start) / 1e3);
    }
    rows.push_back({"opposition known, p99", at_share(micros, 0.99), "µs", "≤ 10 ms"});
    rows.push_back({"stale permits", static_cast<double>(stale), "", "0"});
}

/// An incident takes the actor's unit, and gives it back: from the change to the first answer that
/// knows it.
void measure_holds(CircleIndex& index, std::vector<Row>& rows) {
    const auto pairs = access::synthetic_pairs(index, kHolds, kSeed + 4);
    const access::Query query = usual_query();
    std::vector<double> micros;
    std::size_t stale = 0;
    for (const Pair& pair : pairs) {
        const auto units = index.memberships_of(pair.actor);
        const auto unit = std::ranges::find(units, access::Post::Unit, &access::Membership::post);
        if (unit == units.end()) continue;
        const bool before = index.allows(pair.actor, pair.patient, query);
        const auto start = SteadyClock::now();
        index.hold({.unit = unit->party, .from = query.now});
        const bool held = index.allows(pair.actor, pair.patient, query);
        micros.push_back(nanos_since(start) / 1e3);
        index.release(unit->party, query.now);
        const bool after = index.allows(pair.actor, pair.patient, query);
        stale += held || after != before ? 1 : 0;
    }
    rows.push_back({"a held unit known, p99", at_share(micros, 0.99), "µs", "≤ 10 ms"});
    rows.push_back({"answers that did not know it", static_cast<double>(stale), "", "0"});
}

void measure_replay(const CircleIndex& index, std::uint64_t wanted, std::vector<Row>& rows) {
    const auto pairs = access::synthetic_pairs(index, kJournalMade, kSeed + 3);
    std::vector<access::Access> journal;
    journal.reserve(pairs.size());
    for (const Pair& pair : pairs)
        journal.push_back({.actor = pair.actor,
                           .patient = pair.patient,
                           .time = access::kSyntheticNow - pair.patient % 86'400,
                           .data = access::DataClass::Notes});
    const auto start = SteadyClock::now();
    std::uint64_t done = 0, explained = 0;
    while (done < wanted) {
        const std::size_t count = std::min<std::uint64_t>(wanted - done, journal.size());
        explained += access::replay(index, std::span(journal).first(count))[0];
        done += count;
    }
    rows.push_back({fmt::format("replay of {:.0e} past accesses", static_cast<double>(wanted)),
                    nanos_since(start) / 1e9, "s", "≤ 60 s for 1e+08"});
    rows.push_back({"of them explained",
                    100.0 * static_cast<double>(explained) / static_cast<double>(done), "%", ""});
}

/// Somebody changes wards.
void measure_moves(std::size_t people, std::vector<Row>& rows) {
    const StaffFigures figures = measure_staff(people);
    rows.push_back({"house: resources of who belongs where", figures.resources, "", ""});
    rows.push_back({"a move known, p50", figures.p50_ms, "ms", "≤ 10 ms"});
    rows.push_back({"a move known, p99", figures.p99_ms, "ms", "≤ 10 ms"});
    rows.push_back({"answers that did not know it", figures.stale, "", "0"});
}

/// "Who opened my record?" on a ledger made for it.
Status measure_journal(Context& context, std::vector<Row>& rows) {
    if (!context.values.has("--opened")) return {};
    const auto figures = TRY(measure_opened(context, context.values.text("--opened"),
                                            context.values.number("--entries")));
    rows.push_back({"who opened: entries in the ledger", figures.entries / 1e6, "M", "10 M"});
    rows.push_back({"  written in", figures.fill_seconds, "s", ""});
    rows.push_back({"  events about a usual patient", figures.usual_events, "", ""});
    rows.push_back({"who opened, p50", figures.p50_ms, "ms", ""});
    rows.push_back({"who opened, p95", figures.p95_ms, "ms", "≤ 200 ms"});
    rows.push_back(
        {"  of 20,000 events, the last 2,000, p95", figures.busy_p95_ms, "ms", "≤ 200 ms"});
    return {};
}

Result<int> bench(Context& context) {
    const access::SyntheticSize size{
        .relations = context.values.number("--relations"),
        .actors = static_cast<std::uint32_t>(context.values.number("--actors")),
        .patients = static_cast<std::uint32_t>(context.values.number("--patients"))};
    const access::Policy policy = access::default_policy();
    const auto start = SteadyClock::now();
    CircleIndex index = access::synthetic_hospital(size, policy, kSeed);
    std::vector<Row> rows = {
        {"relations", static_cast<double>(index.size()) / 1e6, "M", "20 M"},
        {"index built", nanos_since(start) / 1e9, "s", ""},
        {"index in memory", static_cast<double>(index.bytes()) / 1e6, "MB", ""}};
    measure_questions(index, rows);
    measure_bundle(index, rows);
    measure_replay(index, context.values.number("--replay"), rows);
    measure_changes(index, rows);
    measure_holds(index, rows);
    measure_moves(size.actors, rows);
    TRY_STATUS(measure_journal(context, rows));
    for (const Row& row : rows) {
        if (context.json)
            context.out << nlohmann::json{{"what", row.what},
                                          {"value", row.value},
                                          {"unit", row.unit},
                                          {"reach", row.reach}}
                               .dump()
                        << "\n";
        else
            context.out << fmt::format("{:<36} {:>12.2f} {:<4} {}\n", row.what, row.value, row.unit,
                                       row.reach);
    }
    return kExitOk;
}

Parameter count_of(std::string name, Text help, std::string by_default, std::uint64_t max) {
    return {.name = std::move(name),
            .placeholder = "N",
            .kind = Kind::Number,
            .help = std::move(help),
            .by_default = std::move(by_default),
            .min = 100,
            .max = max};
}

}  // namespace

std::vector<Command> access_bench_commands() {
    return {{.path = {"access", "bench"},
             .summary = {"mesure les décisions sur cette machine",
                         "measures decisions on this machine"},
             .description = {"Sur un hôpital inventé, toujours le même ; chaque question porte sur "
                             "un autre patient, donc la mémoire est froide.",
                             "On a made-up hospital, always the same; each question is about "
                             "another patient, so memory is cold."},
             .options =
                 {count_of("--relations", {"combien de relations", "how many relations"},
                           "20000000", 200'000'000),
                  count_of("--actors", {"combien de personnes", "how many persons"}, "10000",
                           1'000'000),
                  count_of("--patients", {"combien de patients", "how many patients"}, "1000000",
                           50'000'000),
                  count_of("--replay", {"combien d'accès rejouer", "how many accesses to replay"},
                           "100000000", 10'000'000'000),
                  {.name = "--opened",
                   .placeholder = "DIR",
                   .kind = Kind::Dir,
                   .help = {"aussi « qui a ouvert mon dossier ? », sur un journal créé là",
                            "\"who opened my record?\" too, on a ledger made there"}},
                  count_of("--entries",
                           {"combien d'entrées dans ce journal", "how many entries in that ledger"},
                           "10000000", 1'000'000'000)},
             .examples = {{"hygie access bench --opened /var/tmp/opened",
                           {"Tout mesurer :", "Measure everything:"}}},
             .run = bench}};
}

}  // namespace hygie::app
