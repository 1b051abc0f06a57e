#include "guards/files/stops.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "crypto/tokens.h"

namespace hygie::files {
namespace {

using nlohmann::json;

constexpr std::uint64_t kFileBytesMax = 16 << 20;
constexpr std::string_view kOrders = "orders";

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
        {"reasons", reasons}};
}

StoppedActor read_stop(const json& one) {
    StoppedActor stop;
    stop.key = one.at("actor").get<std::string>();
    stop.rung = one.at("rung") == name_of(Rung::ReadOnly) ? Rung::ReadOnly : Rung::Freeze;
    stop.since = from_rfc3339(one.at("since").get<std::string>()).value_or(WallTime{});
    stop.program = one.at("program").get<std::string>();
    stop.uid = one.at("uid").get<uid_t>();
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

constexpr std::array<std::string_view, 3> kOrderNames = {"thaw", "enrol", "dismiss"};

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
    : disk_(disk),
      random_(random),
      state_(std::move(state)),
      key_(crypto::derive(key, "files/judge")) {}

Status JudgeState::seal(const std::string& name, std::string_view text) {
    TRY_STATUS(disk_.make_dirs(parent(join(state_, name))));
    return disk_.replace_file(join(state_, name),
                              crypto::box(key_, as_bytes(name), as_bytes(text), random_));
}

Result<std::string> JudgeState::unseal(const std::string& name) {
    const Bytes boxed = TRY(disk_.read_file(join(state_, name), kFileBytesMax));
    const Bytes text = TRY(crypto::unbox(key_, as_bytes(name), boxed));
    return std::string(as_text(text));
}

Status JudgeState::save_stops(const std::vector<StoppedActor>& stops) {
    return seal("stops", print_stops(stops));
}

Result<std::vector<StoppedActor>> JudgeState::load_stops() {
    if (!disk_.exists(join(state_, "stops"))) return std::vector<StoppedActor>();
    return parse_stops(TRY(unseal("stops")));
}

Status JudgeState::save_enrolled(const std::vector<std::string>& enrolled) {
    return seal("enrolled", json(enrolled).dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<std::vector<std::string>> JudgeState::load_enrolled() {
    if (!disk_.exists(join(state_, "enrolled"))) return std::vector<std::string>();
    const json all = json::parse(TRY(unseal("enrolled")), nullptr, false);
    if (!all.is_array()) return damaged();
    std::vector<std::string> enrolled;
    for (const json& one : all)
        if (one.is_string()) enrolled.push_back(one.get<std::string>());
    return enrolled;
}

Status JudgeState::save_judge(const Judge& judge, WallTime now) {
    return seal("judge.state", as_text(judge.save(key_, now)));
}

Status JudgeState::load_judge(Judge& judge) {
    if (!disk_.exists(join(state_, "judge.state"))) return {};
    return judge.load(key_, as_bytes(TRY(unseal("judge.state"))));
}

Status JudgeState::give(const GuardOrder& order) {
    const std::string name = fmt::format("{}/{}", kOrders, to_hex(random_.bytes<16>()));
    const json text = {{"kind", kOrderNames[static_cast<std::size_t>(order.kind)]},
                       {"target", order.target}};
    return seal(name, text.dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<std::vector<GuardOrder>> JudgeState::take_orders() {
    std::vector<GuardOrder> orders;
    const std::string dir = join(state_, kOrders);
    if (!disk_.exists(dir)) return orders;
    for (const DirEntry& entry : TRY(disk_.list(dir))) {
        if (entry.is_dir || entry.name.ends_with(".tmp")) continue;
        const std::string name = join(kOrders, entry.name);
        const auto text = unseal(name);
        TRY_STATUS(disk_.remove(join(state_, name)));
        if (!text) continue;  // not written by one of us
        const json order = json::parse(*text, nullptr, false);
        for (std::size_t kind = 0; kind < kOrderNames.size() && order.is_object(); ++kind)
            if (order.value("kind", "") == kOrderNames[kind])
                orders.push_back({static_cast<GuardOrder::Kind>(kind), order.value("target", "")});
    }
    return orders;
}

}  // namespace hygie::files
