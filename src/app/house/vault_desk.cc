#include "app/house/vault_desk.h"

#include <functional>

#include "access/circles/circle_reading.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/ledger_evidence.h"
#include "app/ledger/unlock.h"
#include "base/cbor.h"
#include "crypto/secret.h"
#include "fhir/data/zone.h"

namespace hygie::app {
namespace {

constexpr std::size_t kVerifyRows = 4096;  ///< between two looks at whether to go on
constexpr std::uint64_t kReportFields = 9;
constexpr std::uint64_t kRotFields = 3;
/// A record that weighs more is exported with the service stopped.
constexpr std::size_t kExportBytesMax = std::size_t{1} << 30;

std::unexpected<Error> not_understood() {
    return fail(
        Code::Corrupt, {"ce que dit le coffre est illisible", "what the vault says cannot be read"},
        {"mettez les deux à la même version de hygie", "bring both to the same version of hygie"});
}

Bytes encode(const VaultReport& report) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(kReportFields);
    for (const std::uint64_t number :
         {report.counts.records, report.counts.resources, report.counts.versions,
          report.counts.commits, report.ledger_entries, report.verified.commits,
          report.verified.versions, report.verified.erased})
        writer.number(number);
    writer.array(report.verified.rot.size());
    for (const vault::Rot& rot : report.verified.rot) {
        writer.array(kRotFields);
        writer.number(static_cast<std::uint64_t>(rot.kind));
        writer.number(rot.commit);
        writer.number(rot.row);
    }
    return out;
}

/// What is done in one go.
class AtOnce final : public VaultWork {
  public:
    explicit AtOnce(std::function<Result<Bytes>()> act) : act_(std::move(act)) {}
    Result<std::optional<Bytes>> step() override { return std::optional<Bytes>(TRY(act_())); }

  private:
    std::function<Result<Bytes>()> act_;
};

class Verifying final : public VaultWork {
  public:
    Verifying(vault::Vault& vault, LedgerEvidence evidence)
        : vault_(vault), evidence_(std::move(evidence)) {}

    Result<std::optional<Bytes>> step() override {
        verified_ = TRY(vault_.verify(std::move(verified_), evidence_, kVerifyRows));
        if (!verified_.done) return std::optional<Bytes>();
        return std::optional<Bytes>(encode({.verified = std::move(verified_)}));
    }

  private:
    vault::Vault& vault_;
    LedgerEvidence evidence_;
    vault::Verified verified_;
};

event::Event event_of(const VaultAct& act, event::Type type) {
    event::Event event;
    event.type = type;
    event.action = event::usual_action(type);
    event.actor.id = act.by;
    event.actor.auth = "os";
    event.subject.patient = PatientId(act.patient);
    event.basis = act.reason;
    return event;
}

Result<Bytes> export_record(vault::Vault& vault, const VaultAct& act) {
    Bytes out;
    std::vector<VaultFile> files;
    std::size_t bytes = 0;
    TRY_STATUS(vault.export_record(
        act.patient, event_of(act, event::Type::RecordExported),
        [&](std::string_view name, std::string_view text) -> Status {
            bytes += text.size();
            if (bytes > kExportBytesMax)
                return fail(Code::Full,
                            {"ce dossier est trop gros pour une seule remise",
                             "this record is too large to hand over at once"},
                            {"employez $export sous /fhir", "use $export below /fhir"});
            files.push_back({std::string(name), to_bytes(as_bytes(text))});
            return {};
        }));
    cbor::Writer writer(out);
    writer.array(files.size());
    for (const VaultFile& file : files) {
        writer.array(2);
        writer.text(file.name);
        writer.bytes(file.bytes);
    }
    return out;
}

/// Under the rules of French establishments, which independent practices are advised to follow.
Result<Bytes> expired(vault::Vault& vault, LedgerClerk& clerk, const VaultAct& act) {
    TRY_STATUS(clerk.log_reading(act.by, "vault expired"));
    const auto patients = TRY(vault.expired({}, clerk.now(), kExpiredMax));
    Bytes out;
    cbor::Writer writer(out);
    writer.array(patients.size());
    for (const std::string& patient : patients) writer.text(patient);
    return out;
}

/// Of units alone, which are nobody's data: no trace.
Result<Bytes> knows(vault::Vault& vault, const std::string& unit) {
    if (!access::is_unit_name(unit)) return not_understood();
    const auto slash = unit.find('/');
    const auto found = vault.find(unit.substr(0, slash), unit.substr(slash + 1));
    if (!found && found.error().code != Code::NotFound) return std::unexpected(found.error());
    Bytes out;
    cbor::Writer(out).number(found && !found->entry.deleted ? 1 : 0);
    return out;
}

std::unique_ptr<VaultWork> at_once(std::function<Result<Bytes>()> act) {
    return std::make_unique<AtOnce>(std::move(act));
}

}  // namespace

Result<std::unique_ptr<VaultWork>> begin(vault::Vault& vault, LedgerClerk& clerk,
                                         const VaultAct& act) {
    using Act = VaultAct::Kind;
    const auto done = [](Status status) -> Result<Bytes> {
        TRY_STATUS(std::move(status));
        return encode(VaultReport{});
    };
    switch (act.kind) {
        case Act::Status:
            return at_once([&vault, &clerk]() -> Result<Bytes> {
                return encode(
                    {.counts = vault.counts(), .ledger_entries = clerk.log().durable_size()});
            });
        case Act::Verify:
            return std::make_unique<Verifying>(vault, TRY(LedgerEvidence::read(clerk)));
        case Act::Export:
            return at_once([&vault, act] { return export_record(vault, act); });
        case Act::Shred:
            return at_once([&vault, act, done] {
                return done(vault.shred(act.patient, event_of(act, event::Type::KeyShredded)));
            });
        case Act::Hold:
        case Act::Lift:
            return at_once([&vault, act, done] {
                const auto hold =
                    act.kind == Act::Lift ? vault::Vault::Hold::Lift : vault::Vault::Hold::Set;
                return done(
                    vault.hold(act.patient, hold, event_of(act, event::Type::PolicyChanged)));
            });
        case Act::Expired:
            return at_once([&vault, &clerk, act] { return expired(vault, clerk, act); });
        case Act::Knows:
            return at_once([&vault, act] { return knows(vault, act.patient); });
        case Act::Zone:
            return at_once([]() -> Result<Bytes> {
                Bytes out;
                cbor::Writer(out).text(fhir::zone_in_force()->name());
                return out;
            });
    }
    return not_understood();
}

Status may_lose_traces(vault::Vault& vault, const std::string& patient) {
    const auto record = vault.record(patient);
    if (!record && record.error().code == Code::NotFound) return {};
    return fail(Code::Denied,
                {"le dossier de cette personne est dans le coffre : ses traces en répondent",
                 "the record of this person is in the vault: its traces vouch for it"},
                {"effacez d'abord le dossier : « hygie vault shred »",
                 "erase the record first: 'hygie vault shred'"});
}

Result<VaultReport> read_vault_report(ByteView given) {
    cbor::Reader reader(given);
    VaultReport report;
    if (TRY(reader.array()) != kReportFields) return not_understood();
    for (std::uint64_t* number :
         {&report.counts.records, &report.counts.resources, &report.counts.versions,
          &report.counts.commits, &report.ledger_entries, &report.verified.commits,
          &report.verified.versions, &report.verified.erased})
        *number = TRY(reader.number());
    const std::uint64_t rot = TRY(reader.array());
    for (std::uint64_t i = 0; i < rot; ++i) {
        if (TRY(reader.array()) != kRotFields) return not_understood();
        vault::Rot one;
        one.kind = static_cast<vault::Rot::Kind>(TRY(reader.number()));
        one.commit = TRY(reader.number());
        one.row = TRY(reader.number());
        report.verified.rot.push_back(one);
    }
    return report;
}

Result<std::vector<VaultFile>> read_vault_files(ByteView given) {
    cbor::Reader reader(given);
    std::vector<VaultFile> files;
    const std::uint64_t count = TRY(reader.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        if (TRY(reader.array()) != 2) return not_understood();
        VaultFile file{.name = std::string(TRY(reader.text())), .bytes = {}};
        file.bytes = to_bytes(TRY(reader.bytes()));
        // It names a file of ours: one folder, and no way out of it.
        if (file.name.empty() || file.name.contains('/') || file.name.starts_with('.'))
            return not_understood();
        files.push_back(std::move(file));
    }
    return files;
}

Result<std::vector<std::string>> read_vault_patients(ByteView given) {
    cbor::Reader reader(given);
    std::vector<std::string> patients;
    const std::uint64_t count = TRY(reader.array());
    if (count > kExpiredMax) return not_understood();
    for (std::uint64_t i = 0; i < count; ++i) patients.emplace_back(TRY(reader.text()));
    return patients;
}

Result<bool> read_vault_knows(ByteView given) {
    cbor::Reader reader(given);
    return TRY(reader.number()) != 0;
}

namespace {

Result<Bytes> given(Clerk& clerk, const VaultAct& act) {
    const auto work = TRY(clerk.vault(act));
    for (;;)
        if (auto step = TRY(work->step())) return *std::move(step);
}

/// Days here are those of the service that holds the records.
Status follow_zone(Context& context, Clerk& clerk) {
    const Bytes said = TRY(given(
        clerk,
        {.kind = VaultAct::Kind::Zone, .by = reader_of(context), .patient = {}, .reason = {}}));
    cbor::Reader reader(said);
    fhir::put_in_force(TRY(fhir::Zone::named(TRY(reader.text()))));
    return {};
}

}  // namespace

Result<HeldCore> hold_core(Context& context, const crypto::RootKey& root) {
    const CoreDirs dirs = core_dirs(context);
    HeldCore core;
    auto store = Store::open(context, dirs, root, std::nullopt);
    if (store) {
        core.store = std::move(*store);
        return core;
    }
    if (store.error().code != Code::Busy) return std::unexpected(store.error());
    auto holder = holder_of(context, dirs.ledger(), root);
    if (!holder) return std::unexpected(store.error());
    core.holder = std::move(*holder);
    if (follow_zone(context, core.clerk())) return core;
    // One of an earlier build does not understand, and hangs up.
    core.holder = TRY(holder_of(context, dirs.ledger(), root));
    return core;
}

Result<Bytes> carry_out(Context& context, const crypto::RootKey& root, const VaultAct& act) {
    HeldCore core = TRY(hold_core(context, root));
    Bytes all = TRY(given(core.clerk(), act));
    TRY_STATUS(core.close());
    return all;
}

}  // namespace hygie::app
