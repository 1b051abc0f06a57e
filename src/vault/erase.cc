#include <future>
#include <map>

#include "crypto/aead.h"
#include "fhir/search/blind.h"
#include "vault/parting.h"
#include "vault/settings.h"
#include "vault/unassigned.h"
#include "vault/varint.h"
#include "vault/vault_state.h"

namespace hygie::vault {
namespace {

std::pair<Key, Key> keys_of_record(CompartmentNumber number) {
    return keys_of(static_cast<std::int64_t>(number));
}

/// Everything that says something about one record, to be erased.
class Erasure {
  public:
    Erasure(Shelf& shelf, CompartmentNumber number) : shelf_(shelf), number_(number) {}

    Result<Batch> rows(VaultState& state) {
        if (const auto record = shelf_.load(number_)) {
            state.resources -= (*record)->index().live_count();
            TRY_STATUS(places_of(**record));
        } else {
            TRY_STATUS(places_anywhere());
        }
        --state.records;
        TRY_STATUS(names());
        TRY_STATUS(erase_all(Table::Pieces));
        state.versions -= TRY(bodies());
        return std::move(batch_);
    }

  private:
    /// Of a damaged index: slow, but sure.
    Status places_anywhere() {
        return shelf_.store().scan(Table::Places, kFirstKey, kLastKey,
                                   [&](Key key, ByteView value) {
                                       if (place_from(value).compartment == number_)
                                           batch_.erase(Table::Places, key);
                                       return true;
                                   });
    }

    Status places_of(const Record& record) {
        for (const Piece& piece : record.pieces()) {
            for (std::size_t i = 0; i < piece.segment->size(); ++i) {
                const Entry entry = piece.segment->entry(i);
                const Key place = shelf_.place_of(entry.type, entry.id);
                // What moved to another record stays there.
                if (TRY(shelf_.compartment_at(place)) == number_)
                    batch_.erase(Table::Places, place);
            }
        }
        return {};
    }

    Status names() {
        const auto [first, last] = keys_of_record(number_);
        return shelf_.store().scan(Table::NamesOf, first, last, [&](Key key, ByteView) {
            batch_.erase(Table::NamesOf, key);
            batch_.erase(Table::Names, {key.minor, key.major});
            return true;
        });
    }

    Status erase_all(Table table) {
        const auto [first, last] = keys_of_record(number_);
        return shelf_.store().scan(table, first, last, [&](Key key, ByteView) {
            batch_.erase(table, key);
            return true;
        });
    }

    /// Their hashes stay, so that the digests in the ledger can still be checked. How many.
    Result<std::uint64_t> bodies() {
        std::uint64_t count = 0;
        std::vector<std::pair<std::int64_t, std::int64_t>> ranges;  // first row, rows
        const auto [first, last] = keys_of_record(number_);
        TRY_STATUS(shelf_.store().scan(Table::Parts, first, last, [&](Key key, ByteView value) {
            batch_.erase(Table::Parts, key);
            ranges.emplace_back(key.minor, VarintReader(value).number());
            return true;
        }));
        for (const auto& [row, rows] : ranges) {
            TRY_STATUS(shelf_.store().scan(Table::Bodies, {row}, {row + rows - 1},
                                           [&](Key key, ByteView stored) {
                                               batch_.put(Table::Bodies, key, erased_body(stored));
                                               ++count;
                                               return true;
                                           }));
        }
        return count;
    }

    Shelf& shelf_;
    const CompartmentNumber number_;
    Batch batch_;
};

std::unexpected<Error> held() {
    return fail(Code::Denied,
                {"ce dossier est gelé pour une procédure : il ne peut pas être effacé",
                 "a legal hold lies on this record: it cannot be erased"},
                {"levez d'abord le gel", "lift the hold first"});
}

}  // namespace

Result<bool> Vault::is_held(const std::string& patient) {
    const CompartmentNumber number = TRY(state_->number_of(patient));
    const auto row = TRY(state_->shelf.store().get(Table::Settings, key_of(Setting::Hold, number)));
    return row.has_value();
}

Status Vault::hold(const std::string& patient, Hold hold, event::Event why) {
    const Key key = key_of(Setting::Hold, TRY(state_->number_of(patient)));
    return state_->writer.carry_out({.rows = [key, hold](VaultState&) -> Result<Batch> {
                                         Batch batch;
                                         if (hold == Hold::Set)
                                             batch.put(Table::Settings, key, {});
                                         else
                                             batch.erase(Table::Settings, key);
                                         return batch;
                                     },
                                     .event = std::move(why)});
}

namespace {

/// Times that others' records are parted from one, when they change meanwhile.
constexpr int kPartingsMax = 8;

/// Rows that leave nothing in others' records of a patient who parted from them.
Result<Batch> rows_with_others(Shelf& shelf, const std::string& patient, VaultState& state) {
    Batch batch;
    const std::int64_t name = shelf.name_of(fhir::patient_term(patient));
    for (const auto& [number, rows] : TRY(left_with_others(shelf, patient))) {
        const auto compartment = static_cast<std::int64_t>(number);
        for (const Key row : rows) {
            const auto stored = TRY(shelf.store().get(Table::Bodies, row));
            if (!stored) continue;
            batch.put(Table::Bodies, row, erased_body(*stored));
            --state.versions;
        }
        batch.erase(Table::Names, {name, compartment});
        batch.erase(Table::NamesOf, {compartment, name});
    }
    return batch;
}

std::unexpected<Error> changed_meanwhile() {
    return fail(Code::Stale, {"ce dossier vient de changer", "this record has just changed"},
                {"recommencez", "try again"});
}

}  // namespace

Status Vault::part_from_others(const std::string& patient, const event::Event& why) {
    for (auto& [to, resources] : TRY(parted_from(state_->shelf, patient))) {
        Transaction transaction{.writes = {}, .author = {}, .event = why};
        transaction.event.type = event::Type::RecordUpdated;
        transaction.event.action = event::Action::Update;
        transaction.event.subject.patient = PatientId(to);
        for (const Parted& one : resources)
            transaction.writes.push_back({.type = one.type,
                                          .id = one.id,
                                          .resource = one.document.root,
                                          .record = to,
                                          .if_match = one.version});
        std::promise<Status> promise;
        auto future = promise.get_future();
        commit(std::move(transaction), [&](Result<std::vector<Version>> done) {
            promise.set_value(done ? Status() : std::unexpected(done.error()));
        });
        TRY_STATUS(future.get());
    }
    return {};
}

Status Vault::erase(const std::string& patient, event::Event why) {
    const CompartmentNumber number = TRY(state_->number_of(patient));
    Shelf& shelf = state_->shelf;
    const Key marker = key_of(Setting::Erasing, number);
    const auto rows = [&](VaultState& state) -> Result<Batch> {
        // Asked in the writing thread, where no hold and nothing shared can come in between.
        if (TRY(is_held(patient))) return held();
        if (!TRY(parted_from(shelf, patient)).empty()) return changed_meanwhile();
        Batch batch = TRY(Erasure(shelf, number).rows(state));
        Batch others = TRY(rows_with_others(shelf, patient, state));
        std::ranges::move(others.rows, std::back_inserter(batch.rows));
        batch.put(Table::Settings, marker,
                  crypto::box(shelf.keys().outbox, {}, as_bytes(patient), state_->doors.random));
        return batch;
    };
    const auto destroy = [&]() -> Status {
        TRY_STATUS(shelf.destroy_key(patient));
        return shelf.finish_erasure({&marker, 1});
    };
    return state_->writer.carry_out({.rows = rows, .event = std::move(why), .after = destroy});
}

Status Vault::shred(const std::string& patient, event::Event why) {
    const CompartmentNumber number = is_of_patient(patient) ? TRY(state_->number_of(patient)) : 0;
    if (number == 0) return nothing_there();
    if (TRY(is_held(patient))) return held();
    (void)state_->open(number);  // makes a damaged index anew, where that is possible
    const auto others = TRY(records_naming(state_->shelf, patient));
    Status done = changed_meanwhile();
    for (int i = 0; i < kPartingsMax && !done && done.error().code == Code::Stale; ++i) {
        done = part_from_others(patient, why);
        if (done) done = erase(patient, why);
    }
    if (!done) return done;
    for (const CompartmentNumber other : others) {
        state_->shelf.forget_bodies(other);
        TRY_STATUS(state_->writer.reindex(other));
    }
    return {};
}

Result<std::vector<std::string>> Vault::expired(const RetentionProfile& profile, WallTime now,
                                                std::size_t count) {
    std::vector<std::string> patients;
    Shelf& shelf = state_->shelf;
    for (CompartmentNumber number = 1; number <= shelf.table().slots() && patients.size() < count;
         ++number) {
        const auto record = shelf.load(number);
        if (!record || (*record)->pieces().empty()) continue;
        std::string patient((*record)->patient());
        if (!is_of_patient(patient)) continue;
        const WallTime until = kept_until(retention_facts(**record, profile), profile);
        if (until <= now && !(*record)->index().is_damaged() && !TRY(is_held(patient)))
            patients.push_back(std::move(patient));
    }
    return patients;
}

}  // namespace hygie::vault
