#include "ledger/log/source_counters.h"

#include "event/codec.h"
#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

std::unexpected<Error> gap(std::uint64_t source, std::uint64_t expected, std::uint64_t found) {
    const std::string numbers[] = {std::to_string(source), std::to_string(expected),
                                   std::to_string(found)};
    return fail(Code::Forged,
                {"la source " + numbers[0] + " passe au compteur " + numbers[2] + " au lieu de " +
                     numbers[1] + " sans lacune déclarée",
                 "source " + numbers[0] + " goes to counter " + numbers[2] + " instead of " +
                     numbers[1] + " without a declared gap"},
                {"des entrées ont été omises ou répétées : comparez avec la source elle-même",
                 "entries were left out or repeated: compare with the source itself"});
}

}  // namespace

Result<DeclaredGap> declared_gap(const EntryView& entry) {
    const auto bad = [] {
        return fail(Code::Forged,
                    {"déclaration de lacune illisible", "unreadable declaration of a gap"},
                    {"cette entrée n'a pas été écrite par Hygie : traitez le journal comme suspect",
                     "this entry was not written by Hygie: treat the log as suspect"});
    };
    if (entry.is_sealed || entry.header.source != 0) return bad();
    const event::Stamp stamp{entry.header.type, entry.header.time, entry.header.counter,
                             entry.header.retention};
    const auto event = event::decode_body(stamp, entry.payload);
    if (!event) return bad();
    const auto number = [&](const char* name) {
        const auto found = event->detail.find(name);
        return found == event->detail.end() ? std::nullopt : parse_decimal(found->second);
    };
    const auto source = number("source");
    const auto first = number("first");
    const auto last = number("last");
    if (!source || !first || !last || *source == 0 || *last < *first) return bad();
    return DeclaredGap{*source, *first, *last};
}

std::string encode_counters(Checkpoint pin, const SourceCounters& counters) {
    pin.extensions.clear();
    for (const auto& [source, last] : counters)
        pin.extensions.push_back(std::to_string(source) + ' ' + std::to_string(last));
    return pin.encode();
}

Result<SourceCounters> parse_counters(std::string_view text, const Checkpoint& pin) {
    const Checkpoint kept = TRY(Checkpoint::parse(text));
    const auto bad = [] {
        return fail(
            Code::BadInput,
            {"ces compteurs n'accompagnent pas ce point de contrôle",
             "these counters do not belong to this pin"},
            {"reprenez les deux fichiers écrits par le même audit, ou omettez les compteurs",
             "take both files written by the same audit, or leave the counters out"});
    };
    if (kept.origin != pin.origin || kept.size != pin.size || kept.root != pin.root) return bad();
    SourceCounters counters;
    for (const std::string& line : kept.extensions) {
        const std::string_view view = line;
        const std::size_t space = view.find(' ');
        if (space == std::string_view::npos) return bad();
        const auto source = parse_decimal(view.substr(0, space));
        const auto last = parse_decimal(view.substr(space + 1));
        if (!source || !last || (!counters.empty() && counters.rbegin()->first >= *source))
            return bad();
        counters.emplace(*source, *last);
    }
    return counters;
}

Status CounterRun::extend(std::uint64_t source, Range range) {
    const auto found = ranges_.find(source);
    if (found == ranges_.end()) {
        if (complete_ && range.first != 1) return gap(source, 1, range.first);
        if (ranges_.size() >= kSourcesMax)
            return fail(Code::Full,
                        {"trop de sources dans ce journal", "too many sources in this log"},
                        {"ce journal n'est pas celui d'une organisation réelle",
                         "this is not the log of a real organisation"});
        ranges_.emplace(source, range);
        return {};
    }
    if (range.first != found->second.last + 1)
        return gap(source, found->second.last + 1, range.first);
    found->second.last = range.last;
    return {};
}

Status CounterRun::follow(const EntryView& entry) {
    TRY_STATUS(extend(entry.header.source, {entry.header.counter, entry.header.counter}));
    if (entry.header.type != event::Type::SourceGap) return {};
    const DeclaredGap missing = TRY(declared_gap(entry));
    return extend(missing.source, {missing.first, missing.last});
}

void CounterRun::cut() {
    ranges_.clear();
    complete_ = false;
    cut_ = true;
}

Status CounterRun::join(const CounterRun& next) {
    if (next.cut_) cut();
    for (const auto& [source, range] : next.ranges_) TRY_STATUS(extend(source, range));
    return {};
}

CounterRun CounterRun::from(const SourceCounters& counters) {
    CounterRun run;
    run.complete_ = true;
    for (const auto& [source, last] : counters) run.ranges_[source] = {1, last};
    return run;
}

SourceCounters CounterRun::last() const {
    SourceCounters counters;
    for (const auto& [source, range] : ranges_) counters[source] = range.last;
    return counters;
}

}  // namespace hygie::ledger
