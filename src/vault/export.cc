#include <algorithm>
#include <iterator>
#include <map>

#include "fhir/data/json.h"
#include "vault/stamp.h"
#include "vault/vault_state.h"

namespace hygie::vault {
namespace {

struct ExportedFile {
    std::string type;
    std::size_t resources = 0;
    crypto::Hash hash{};
};

/// As of a bulk export (https://hl7.org/fhir/uv/bulkdata/export.html), with the SHA-256 of each
/// file.
std::string manifest(const std::vector<ExportedFile>& files, WallTime now) {
    fhir::Arena arena;
    std::vector<fhir::Json> output;
    for (const ExportedFile& file : files)
        output.push_back(
            arena.object({{"type", arena.string(file.type)},
                          {"url", arena.string(file.type + ".ndjson")},
                          {"count", arena.number(static_cast<std::int64_t>(file.resources))},
                          {"sha256", arena.string(to_hex(file.hash))}}));
    return fhir::to_text(arena.object({{"transactionTime", arena.string(instant_text(now))},
                                       {"requiresAccessToken", arena.boolean(false)},
                                       {"output", arena.array(output)},
                                       {"error", arena.array({})}}));
}

}  // namespace

Status Vault::export_record(const std::string& patient, event::Event why, const ExportFile& give) {
    std::vector<Found> all = TRY(everything(patient));
    std::ranges::move(TRY(shared_with(patient)), std::back_inserter(all));
    std::map<std::string_view, std::vector<const Found*>> by_type;
    for (const Found& found : all) by_type[found.entry.type].push_back(&found);
    TRY_STATUS(state_->writer.carry_out(
        {.rows = [](VaultState&) { return Batch(); }, .event = std::move(why)}));
    std::vector<ExportedFile> files;
    for (const auto& [type, resources] : by_type) {
        std::string lines;
        for (const Found* found : resources) lines += TRY(read(*found)).body + '\n';
        files.push_back({std::string(type), resources.size(), crypto::sha256(as_bytes(lines))});
        TRY_STATUS(give(std::string(type) + ".ndjson", lines));
    }
    return give("manifest.json", manifest(files, state_->doors.clock.now()));
}

}  // namespace hygie::vault
