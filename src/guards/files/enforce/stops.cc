#include "guards/files/enforce/stops.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "event/ndjson.h"

namespace hygie::files {
namespace {

using nlohmann::json;

constexpr std::string_view kOrders = "orders";
constexpr std::string_view kEvents = "left-events";

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt, {"l'état du juge est abîmé", "the judge's state is damaged"},
                {"supprimez le fichier nommé dans le dossier d'état",
                 "delete the file of that name in the state folder"});
}

json spell(const StoppedActor& stop) {
    json processes = json::array();
    for (const ProcessId& one : stop.processes)
        processes.push_back({{"pid", one.pid}, {"started", one.started}});
    json reasons = json::array();
    for (const event::Reason& reason : stop.reasons)
        reasons.push_back({{"id", reason.id}, {"fr", reason.text.fr}, {"en", reason.text.en}});
    return {
        {"actor", stop.key},      {"rung", name_of(stop.rung)}, {"since", to_rfc3339(stop.since)},
        {"processes", processes}, {"program", stop.program},    {"uid", stop.uid},
        {"reasons", reasons},     {"cgroup", stop.cgroup}};
}

StoppedActor read_stop(const json& one) {
    StoppedActor stop;
    stop.key = one.at("actor").get<std::string>();
    stop.rung = one.at("rung") == name_of(Rung::ReadOnly) ? Rung::ReadOnly : Rung::Freeze;
    stop.since = from_rfc3339(one.at("since").get<std::string>()).value_or(WallTime{});
    stop.program = one.at("program").get<std::string>();
    stop.uid = one.at("uid").get<uid_t>();
    stop.cgroup = one.value("cgroup", "");
    for (const json& process : one.at("processes"))
        stop.processes.push_back(
            {process.at("pid").get<pid_t>(), process.at("started").get<std::uint64_t>()});
    for (const json& reason : one.at("reasons"))
        stop.reasons.push_back(
            {reason.at("id").get<std::string>(),
             {reason.at("fr").get<std::string>(), reason.at("en").get<std::string>()},
             {}});
    return stop;
}

constexpr std::array<std::string_view, 4> kOrderNames = {"thaw", "enrol", "dismiss", "canaries"};

/// Sorts as time goes.
std::string name_at(std::string_view dir, WallTime at, Random& random) {
    return fmt::format("{}/{:020}-{}", dir,
                       std::max<std::int64_t>(at.time_since_epoch().count(), 0),
                       to_hex(random.bytes<16>()));
}

/// Every sealed file of a folder, read and removed, oldest first. What was not written by one of us
/// is dropped.
Result<std::vector<std::string>> take_all(SealedFolder& folder, const std::string& dir) {
    std::vector<std::string> texts;
    if (!folder.has(dir)) return texts;
    std::vector<DirEntry> entries = TRY(folder.disk().list(folder.path(dir)));
    std::ranges::sort(entries, {}, &DirEntry::name);
    for (const DirEntry& entry : entries) {
        if (entry.is_dir || entry.name.ends_with(".tmp")) continue;
        const std::string name = join(dir, entry.name);
        auto text = folder.read(name);
        TRY_STATUS(folder.remove(name));
        if (text) texts.push_back(std::move(*text));
    }
    return texts;
}

}  // namespace

std::string print_stops(const std::vector<StoppedActor>& stops) {
    json all = json::array();
    for (const StoppedActor& stop : stops) all.push_back(spell(stop));
    return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<StoppedActor>> parse_stops(std::string_view text) {
    try {
        std::vector<StoppedActor> stops;
        for (const json& one : json::parse(text)) stops.push_back(read_stop(one));
        return stops;
    } catch (const json::exception&) {
        return damaged();
    }
}

JudgeState::JudgeState(Disk& disk, Random& random, std::string state, const crypto::Secret32& key)
    : folder_(disk, random, std::move(state), key, "files/judge") {}

Status JudgeState::save_stops(const std::vector<StoppedActor>& stops) {
    return folder_.write("stops", print_stops(stops));
}

Result<std::vector<StoppedActor>> JudgeState::load_stops() {
    if (!folder_.has("stops")) return std::vector<StoppedActor>();
    return parse_stops(TRY(folder_.read("stops")));
}

Status JudgeState::save_enrolled(const std::vector<std::string>& enrolled) {
    return folder_.write("enrolled",
                         json(enrolled).dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<std::vector<std::string>> JudgeState::load_enrolled() {
    if (!folder_.has("enrolled")) return std::vector<std::string>();
    const json all = json::parse(TRY(folder_.read("enrolled")), nullptr, false);
    if (!all.is_array()) return damaged();
    std::vector<std::string> enrolled;
    for (const json& one : all)
        if (one.is_string()) enrolled.push_back(one.get<std::string>());
    return enrolled;
}

Status JudgeState::save_canaries(const std::vector<Canary>& canaries) {
    json all = json::array();
    for (const Canary& canary : canaries)
        all.push_back({{"path", to_hex(as_bytes(canary.path))}, {"sha256", canary.sha256}});
    return folder_.write("canaries", all.dump());
}

Result<std::vector<Canary>> JudgeState::load_canaries() {
    std::vector<Canary> canaries;
    if (!folder_.has("canaries")) return canaries;
    const json all = json::parse(TRY(folder_.read("canaries")), nullptr, false);
    if (!all.is_array()) return damaged();
    for (const json& one : all) {
        if (!one.is_object()) return damaged();
        const auto path = from_hex(one.value("path", ""));
        if (!path) return damaged();
        canaries.push_back({std::string(as_text(*path)), one.value("sha256", "")});
    }
    return canaries;
}

Status JudgeState::save_judge(const Judge& judge, WallTime now) {
    return folder_.write("judge.state", as_text(judge.save(folder_.key(), now)));
}

Status JudgeState::load_judge(Judge& judge) {
    if (!folder_.has("judge.state")) return {};
    return judge.load(folder_.key(), as_bytes(TRY(folder_.read("judge.state"))));
}

Status JudgeState::save_habits(const TheftWatch& theft, WallTime now) {
    return folder_.write("judge.habits", as_text(theft.save(folder_.key(), now)));
}

Status JudgeState::load_habits(TheftWatch& theft) {
    if (!folder_.has("judge.habits")) return {};
    return theft.load(folder_.key(), as_bytes(TRY(folder_.read("judge.habits"))));
}

Status JudgeState::give(const GuardOrder& order) {
    const std::string name = name_at(kOrders, order.at, folder_.random());
    const json text = {{"kind", kOrderNames[static_cast<std::size_t>(order.kind)]},
                       {"target", order.target},
                       {"by", order.by}};
    return folder_.write(name, text.dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<std::vector<GuardOrder>> JudgeState::take_orders() {
    std::vector<GuardOrder> orders;
    for (const std::string& text : TRY(take_all(folder_, std::string(kOrders)))) {
        const json order = json::parse(text, nullptr, false);
        for (std::size_t kind = 0; kind < kOrderNames.size() && order.is_object(); ++kind)
            if (order.value("kind", "") == kOrderNames[kind])
                orders.push_back({static_cast<GuardOrder::Kind>(kind), order.value("target", ""),
                                  order.value("by", ""), WallTime{}});
    }
    return orders;
}

Status JudgeState::leave(const event::Event& event) {
    std::string line;
    event::print_line(event, line);
    return folder_.write(name_at(kEvents, event.time, folder_.random()), line);
}

Result<std::vector<event::Event>> JudgeState::take_events(Clock& clock) {
    std::vector<event::Event> events;
    const event::LineOrigin origin{clock, folder_.random(), SourceId("files"), NodeId("local")};
    for (const std::string& line : TRY(take_all(folder_, std::string(kEvents))))
        if (auto event = event::parse_line(line, origin)) events.push_back(std::move(*event));
    return events;
}

}  // namespace hygie::files
