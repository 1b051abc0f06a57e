#include "guards/files/restore/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "crypto/ed25519.h"
#include "crypto/tokens.h"

namespace hygie::files {
namespace {

constexpr std::size_t kReportBytesMax = std::size_t{1} << 30;
using nlohmann::json;

crypto::SigningKey signing_key(const crypto::Secret32& key) {
    return crypto::SigningKey::from_seed(crypto::derive(key, "files/report"));
}

std::string report_path(const std::string& state, const std::string& id) {
    return join(StatePaths(state).reports, id + ".json");
}

/// Names are bytes of any encoding: what is not UTF-8 is written in hexadecimal, said so.
json path_json(const std::string& path) {
    if (is_utf8(path)) return path;
    return json{{"hex", to_hex(as_bytes(path))}};
}

Result<std::string> path_from(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    const Bytes bytes = TRY(from_hex(value.value("hex", std::string())));
    return std::string(as_text(bytes));
}

Text summary(const RestoreResult& result) {
    const Text counts = counted(
        {"{} [élément remis|éléments remis], {} en échec, {} [octet relu et comparé|octets "
         "relus et comparés]",
         "{} [item|items] brought back, {} failed, {} [byte|bytes] read again and compared"},
        {result.done, result.failed, result.bytes});
    return {fmt::format("Restauration {} : {}. Rien n'a été détruit : ce qui gênait est gardé "
                        "comme preuve.",
                        result.id, counts.fr),
            fmt::format("Restore {}: {}. Nothing was destroyed: what stood in the way is kept as "
                        "evidence.",
                        result.id, counts.en)};
}

json item_json(const Outcome& outcome) {
    json item = {{"step", name_of(outcome.item.step)},
                 {"path", path_json(outcome.item.path)},
                 {"done", outcome.is_done},
                 {"verified", outcome.is_verified},
                 {"changed_by", outcome.item.actors}};
    if (outcome.item.wanted) item["version"] = outcome.item.wanted->version;
    if (outcome.item.wanted) item["bytes"] = outcome.item.wanted->size;
    if (!outcome.hash.empty())
        item[outcome.is_sparse ? "sha256_without_empty_mebibytes" : "sha256"] = outcome.hash;
    if (outcome.proof != Proof::None) item["proved_by"] = name_of(outcome.proof);
    if (!outcome.evidence.empty()) item["evidence"] = path_json(outcome.evidence);
    if (!outcome.second_name_of.empty()) item["second_name_of"] = path_json(outcome.second_name_of);
    if (!outcome.lifted.empty()) item["flags_lifted"] = json::array();
    for (const std::string& path : outcome.lifted) item["flags_lifted"].push_back(path_json(path));
    if (outcome.problem)
        item["problem"] = {{"fr", outcome.problem->what.fr}, {"en", outcome.problem->what.en}};
    return item;
}

}  // namespace

Status write_report(StoreDoors doors, const std::string& state, const Question* question,
                    RestoreResult& result) {
    const crypto::Secret32 key = TRY(state_key(doors, state, Absent::Refuse));
    const Text text = summary(result);
    json payload = {{"restore", result.id},
                    {"began", to_rfc3339(result.began)},
                    {"ended", to_rfc3339(result.ended)},
                    {"summary", {{"fr", text.fr}, {"en", text.en}}},
                    {"items", json::array()}};
    if (question && question->actor) payload["actor"] = *question->actor;
    for (const Outcome& outcome : result.outcomes) payload["items"].push_back(item_json(outcome));
    const std::string line = payload.dump();
    const crypto::SigningKey signer = signing_key(key);
    const json seal = {{"algorithm", "Ed25519"},
                       {"key", to_base64(signer.public_key())},
                       {"signature", to_base64(signer.sign(as_bytes(line)))}};
    TRY_STATUS(doors.disk.make_dirs(StatePaths(state).reports));
    result.report = report_path(state, result.id);
    return doors.disk.replace_file(result.report, as_bytes(line + "\n" + seal.dump() + "\n"));
}

Result<std::vector<ReportedItem>> read_report(StoreDoors doors, const std::string& state,
                                              const std::string& id) {
    const auto forged = [] {
        return fail(Code::Forged,
                    {"ce rapport n'est pas celui qui fut signé ici",
                     "this report is not the one signed here"},
                    {"prenez le rapport du dossier d'état", "take the report in the state folder"});
    };
    const crypto::Secret32 key = TRY(state_key(doors, state, Absent::Refuse));
    const std::string path = id.contains('/') ? id : report_path(state, id);
    const Bytes bytes = TRY(doors.disk.read_file(path, kReportBytesMax));
    const std::string_view text = as_text(bytes);
    const std::size_t cut = text.find('\n');
    const json seal = json::parse(text.substr(std::min(cut, text.size())), nullptr, false);
    const json payload = json::parse(text.substr(0, cut), nullptr, false);
    if (!seal.is_object() || !payload.is_object()) return forged();
    const auto raw = from_base64(seal.value("signature", std::string()));
    crypto::Signature signature;
    if (!raw || raw->size() != signature.size()) return forged();
    std::ranges::copy(*raw, signature.begin());
    if (!crypto::verify(signing_key(key).public_key(), as_bytes(text.substr(0, cut)), signature))
        return forged();
    std::vector<ReportedItem> items;
    for (const json& item : payload.at("items")) {
        if (!item.value("done", false)) continue;
        ReportedItem line;
        line.path = TRY(path_from(item.at("path")));
        if (item.contains("evidence")) line.evidence = TRY(path_from(item.at("evidence")));
        if (item.contains("second_name_of"))
            line.second_name_of = TRY(path_from(item.at("second_name_of")));
        for (const Step step : {Step::Recreate, Step::Replace, Step::Attributes, Step::SetAside})
            if (item.value("step", std::string()) == name_of(step)) line.step = step;
        items.push_back(std::move(line));
    }
    return items;
}

Status verify_report(StoreDoors doors, const std::string& state, const std::string& id) {
    TRY(read_report(doors, state, id));
    return {};
}

}  // namespace hygie::files
