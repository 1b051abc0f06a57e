#include "vault/vault.h"
#include "vault/stamp.h"

#include "crypto/aead.h"
#include "event/uuid.h"
#include "fhir/data/schema.h"
#include "fhir/data/zone.h"
#include "host/log.h"
#include "vault/parting.h"
#include "vault/settings.h"
#include "vault/shared.h"
#include "vault/stamp.h"
#include "vault/unassigned.h"
#include "vault/varint.h"
#include "vault/vault_state.h"

namespace hygie::vault {
namespace {

/// Erasures that a crash interrupted: what pointed to the records is gone, the keys may not be, nor
/// what the journals of the store still say.
Status finish_erasures(Shelf& shelf) {
    std::vector<std::pair<Key, Bytes>> under_way;
    const auto [first, last] = keys_of(key_of(Setting::Erasing).major);
    TRY_STATUS(shelf.store().scan(Table::Settings, first, last, [&](Key key, ByteView value) {
        under_way.emplace_back(key, to_bytes(value));
        return true;
    }));
    std::vector<Key> markers;
    for (const auto& [key, boxed] : under_way) {
        const Bytes patient = TRY(crypto::unbox(shelf.keys().outbox, {}, boxed));
        TRY_STATUS(shelf.destroy_key(std::string(as_text(patient))));
        markers.push_back(key);
    }
    return markers.empty() ? Status() : shelf.finish_erasure(markers);
}

/// Dates without a time zone are read in this one from now on.
Status choose_zone(Shelf& shelf, const std::string& asked) {
    const auto stored = TRY(shelf.store().get(Table::Settings, key_of(Setting::Zone)));
    const std::string name = !asked.empty() ? asked
                             : stored       ? std::string(as_text(*stored))
                                            : std::string(fhir::kZoneDefault);
    fhir::put_in_force(TRY(fhir::Zone::named(name)));
    return {};
}

/// An index made with other definitions of search parameters, in another time zone or in an older
/// format, is made anew.
Status follow_definitions(Shelf& shelf, Writer& writer) {
    const auto stored = TRY(shelf.store().get(Table::Settings, key_of(Setting::Definitions)));
    const std::uint64_t version = index_version();
    if (stored && VarintReader(*stored).number() == version) return {};
    if (stored) {
        log::info("vault.reindexing", {{"records", shelf.table().live()}});
        for (CompartmentNumber number = 1; number <= shelf.table().slots(); ++number)
            if (shelf.table().get(number)) TRY_STATUS(writer.reindex(number));
    }
    return writer.maintain([version]() -> Result<Batch> {
        Batch batch;
        Bytes value;
        put_varint(value, version);
        batch.put(Table::Settings, key_of(Setting::Definitions), std::move(value));
        batch.put(Table::Settings, key_of(Setting::Zone),
                  to_bytes(as_bytes(fhir::zone_in_force()->name())));
        return batch;
    });
}

Version version_of(const Entry& entry, const Body& body, std::uint64_t row) {
    return {.type = std::string(entry.type),
            .id = std::string(entry.id),
            .version = body.version,
            .updated = body.updated,
            .deleted = body.deleted,
            .body = body.deleted ? std::string() : body.text,
            .row = row,
            .previous = body.previous};
}

std::unexpected<Error> out_of_order() {
    return fail(Code::Corrupt,
                {"les versions d'une ressource ne se suivent pas",
                 "the versions of a resource do not follow one another"},
                {"lancez « hygie vault verify »", "run `hygie vault verify`"});
}

}  // namespace

std::unexpected<Error> nothing_there() {
    return fail(Code::NotFound,
                {"il n'y a rien sous cet identifiant", "there is nothing under this id"},
                {"vérifiez le type et l'identifiant", "check the type and the id"});
}

Result<std::shared_ptr<const Record>> Vault::State::open(CompartmentNumber number) {
    auto record = shelf.record(number);
    if (record && (*record)->index().is_damaged()) record = std::unexpected(damaged_index());
    if (record || record.error().code != Code::Corrupt) return record;
    log::warning("vault.index-damaged", record.error());
    TRY_STATUS(writer.reindex(number));
    return shelf.record(number);
}

Result<CompartmentNumber> Vault::State::number_of(std::string_view patient) const {
    const auto number = shelf.number_of(patient);
    if (!number) return nothing_there();
    return *number;
}

Vault::Vault(std::unique_ptr<State> state) : state_(std::move(state)) {}
Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::open(const Doors& doors, Options options,
                                           const crypto::Secret32& root) {
    const VaultKeys keys(root);
    auto store = TRY(open_sqlite({doors.disk, doors.clock, doors.random}, options.dir));
    auto table = TRY(
        crypto::KeyTable::open(doors.disk, doors.random, join(options.dir, "keys"), keys.table));
    auto state = std::make_unique<State>(doors, std::move(options), std::move(store),
                                         std::move(table), keys);
    TRY(state->shelf.key_of(""));
    TRY_STATUS(finish_erasures(state->shelf));
    TRY_STATUS(choose_zone(state->shelf, state->options.zone));
    TRY_STATUS(state->writer.start());
    TRY_STATUS(follow_definitions(state->shelf, state->writer));
    return std::unique_ptr<Vault>(new Vault(std::move(state)));
}

/// RFC 9562 §5.4.
std::string Vault::new_id() {
    auto uuid = state_->doors.random.bytes<event::kUuidBytes>();
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0F) | 0x40);
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3F) | 0x80);
    return event::print_uuid(uuid);
}

Result<Found> Vault::find(std::string_view type, std::string_view id) {
    auto found = TRY(find_anywhere(type, id));
    if (found.record->patient() == kOwnMemory) return nothing_there();
    return found;
}

Result<std::optional<Found>> Vault::glimpse(std::string_view type, std::string_view id) {
    Shelf& shelf = state_->shelf;
    const auto place = TRY(shelf.place_at(shelf.place_of(type, id)));
    if (!place || place->row == 0) return std::nullopt;
    // A record that does not open is find()'s to report, or to mend.
    const auto outline = shelf.outline(place->compartment);
    if (!outline || !(*outline)->decides(place->row)) return std::nullopt;
    return Found{(*outline)->circle(), {.type = type, .id = id, .body = place->row}};
}

Result<Found> Vault::find_own(std::string_view type, std::string_view id) {
    auto found = TRY(find_anywhere(type, id));
    if (found.record->patient() != kOwnMemory) return nothing_there();
    return found;
}

Result<Found> Vault::find_anywhere(std::string_view type, std::string_view id) {
    const auto compartment = TRY(state_->shelf.compartment_at(state_->shelf.place_of(type, id)));
    if (!compartment) return nothing_there();
    auto record = state_->open(*compartment);
    if (!record && record.error().code == Code::Erased) return nothing_there();
    if (!record) return std::unexpected(record.error());
    const auto entry = (*record)->index().find(type, id);
    if (!entry) return nothing_there();
    return Found{std::move(*record), *entry};
}

Result<std::shared_ptr<const Record>> Vault::record(std::string_view patient) {
    auto record = TRY(state_->open(TRY(state_->number_of(patient))));
    if (!patient.empty() && record->pieces().empty()) return nothing_there();
    return record;
}

std::uint64_t Vault::house_version() const {
    return state_->shelf.house_version();
}

Result<std::shared_ptr<const Body>> Vault::body(const Found& found) {
    auto body = TRY(state_->shelf.body(found.entry.body));
    // A place is not sealed: what was glimpsed by it must be what was asked for.
    const bool is_glimpsed = found.entry.version == 0;
    const bool is_it = is_glimpsed ? is_text_of(body->text, found.entry.type, found.entry.id)
                                   : body->version == found.entry.version;
    if (!is_it) return out_of_order();
    return body;
}

namespace {

/// Of a version that went with an erased patient, and of those before it, there is nothing.
Result<std::shared_ptr<const Body>> readable(Result<std::shared_ptr<const Body>> body) {
    if (!body && body.error().code == Code::Erased) return nothing_there();
    return body;
}

}  // namespace

Result<Version> Vault::read(const Found& found) {
    return version_of(found.entry, *TRY(body(found)), found.entry.body);
}

Result<Version> Vault::read(const Found& found, std::uint32_t version) {
    if (version == 0 || version > found.entry.version) return nothing_there();
    std::uint64_t row = found.entry.body;
    for (std::uint32_t expected = found.entry.version; row != 0; --expected) {
        const auto body = TRY(readable(state_->shelf.body(row)));
        if (body->version != expected) return out_of_order();
        if (expected == version) return version_of(found.entry, *body, row);
        row = body->previous;
    }
    return nothing_there();
}

Result<Version> Vault::read_at(const Found& found, std::uint64_t row) {
    const auto body = TRY(readable(state_->shelf.body(row)));
    if (body->version > found.entry.version) return nothing_there();
    return version_of(found.entry, *body, row);
}

Result<std::vector<Found>> Vault::everything(std::string_view patient) {
    const std::shared_ptr<const Record> whole = TRY(record(patient));
    std::vector<Found> found;
    for (const Entry& entry : whole->entries("")) found.push_back({whole, entry});
    return found;
}

Result<std::vector<std::string>> Vault::patients() {
    std::vector<std::string> patients;
    Shelf& shelf = state_->shelf;
    for (CompartmentNumber number = 1; number <= shelf.table().slots(); ++number) {
        const auto record = shelf.load(number);
        if (record && !(*record)->pieces().empty() && is_of_patient((*record)->patient()))
            patients.emplace_back((*record)->patient());
    }
    return patients;
}

Result<std::vector<Found>> Vault::shared_with(std::string_view patient) {
    std::vector<Found> found;
    for (const CompartmentNumber number : TRY(records_naming(state_->shelf, patient))) {
        const auto record = state_->open(number);
        if (!record && record.error().code == Code::Erased) continue;
        if (!record) return std::unexpected(record.error());
        for (const Entry& entry : entries_naming(**record, patient))
            found.push_back({*record, entry});
    }
    return found;
}

void Vault::commit(Transaction transaction, Done done) {
    state_->writer.commit(std::move(transaction), std::move(done));
}

Counts Vault::counts() {
    const VaultState state = state_->writer.state();
    return {.resources = state.resources,
            .versions = state.versions,
            .records = state.records,
            .commits = state.next_counter - 1};
}

}  // namespace hygie::vault
