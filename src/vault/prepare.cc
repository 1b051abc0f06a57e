#include "vault/prepare.h"

#include <algorithm>
#include <map>
#include <set>

#include "fhir/search/search_extract.h"
#include "vault/indexing.h"
#include "vault/stamp.h"
#include "vault/unassigned.h"

namespace hygie::vault {
namespace {

/// Of one transaction.
constexpr std::size_t kWritesMax = 20'000;

Status check_shape(std::span<const Write> writes) {
    if (writes.empty() || writes.size() > kWritesMax)
        return fail(Code::Full,
                    {"une transaction écrit de 1 à 20 000 ressources",
                     "a transaction writes 1 to 20,000 resources"},
                    {"découpez-la", "split it"});
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const Write& write : writes)
        if (!seen.emplace(write.type, write.id).second)
            return fail(Code::BadInput,
                        {"une transaction écrit deux fois la même ressource",
                         "a transaction writes the same resource twice"},
                        {"n'en gardez qu'une version", "keep one version of it"});
    return {};
}

Status check_conditions(const Write& write, const std::optional<Known>& before) {
    const bool lives = before && !before->deleted;
    if (write.must_be_new && lives)
        return fail(
            Code::AlreadyThere, {"cette ressource existe déjà", "this resource exists already"},
            {"modifiez-la, ou choisissez un autre identifiant", "update it, or choose another id"});
    if (write.if_match && (!before || before->version != *write.if_match))
        return fail(Code::Stale,
                    {"la ressource a changé depuis la version citée",
                     "the resource has changed since the version cited"},
                    {"relisez-la, puis recommencez", "read it again, then try again"});
    if (write.kind == Write::Kind::Delete && !lives)
        return fail(Code::NotFound,
                    {"il n'y a rien à supprimer sous cet identifiant",
                     "there is nothing to delete under this id"},
                    {"vérifiez le type et l'identifiant", "check the type and the id"});
    return {};
}

/// One write on its way, with what its index entry needs.
struct Draft {
    std::size_t asked;
    const Write* write;
    Key place;
    std::optional<Known> before;
    CompartmentNumber compartment;
    std::string patient;
    Body body;
    fhir::Json resource;
    std::vector<fhir::IndexRow> rows;
};

class Preparation {
  public:
    Preparation(Shelf& shelf, Numbers& numbers, std::span<const Write> writes, const Lookup& lookup,
                const std::string& author, WallTime now)
        : shelf_(shelf),
          numbers_(numbers),
          writes_(writes),
          lookup_(lookup),
          author_(author),
          now_(to_millis(now)) {}

    Result<Prepared> run();

  private:
    Status draft(std::size_t asked);
    Status draft_put(Draft& draft);
    Result<CompartmentNumber> compartment_of(const std::string& patient);
    Result<bool> is_ours(const std::string& patient);
    Result<std::string> record_of(const Draft& draft);
    Status seal(Draft& draft, std::uint64_t row);
    Status index();

    Shelf& shelf_;
    Numbers& numbers_;
    std::span<const Write> writes_;
    const Lookup& lookup_;
    const std::string& author_;
    const WallTime now_;
    fhir::Arena arena_;
    std::vector<Draft> drafts_;
    std::map<std::string, bool, std::less<>> ours_;  ///< patients asked about
    std::map<std::string, CompartmentNumber> compartments_;
    Prepared prepared_;
};

/// A patient is ours who is stored here, or about to be by this transaction.
Result<bool> Preparation::is_ours(const std::string& patient) {
    if (const auto known = ours_.find(patient); known != ours_.end()) return known->second;
    const auto stored = TRY(lookup_(shelf_.place_of("Patient", patient), "Patient", patient));
    return ours_[patient] = stored.has_value();
}

/// A patient who was there when the writer looked may be gone by now.
Result<std::string> Preparation::record_of(const Draft& draft) {
    const std::optional<std::string>& record = draft.write->record;
    if (!record)
        return patient_of(draft.resource, draft.write->id, draft.rows,
                          [&](const std::string& id) { return is_ours(id); });
    if (!is_of_patient(*record) || TRY(is_ours(*record))) return *record;
    return fail(Code::Stale,
                {"le dossier où écrire n'est plus là", "the record to write to is no longer there"},
                {"relisez, puis recommencez", "read again, then try again"});
}

Result<CompartmentNumber> Preparation::compartment_of(const std::string& patient) {
    const auto known = compartments_.find(patient);
    if (known != compartments_.end()) return known->second;
    return compartments_[patient] = TRY(shelf_.key_of(patient)).slot;
}

Status Preparation::draft_put(Draft& draft) {
    const Write& write = *draft.write;
    draft.resource =
        stamped(arena_, write.resource, write.id, draft.body.version, draft.body.updated);
    fhir::append_text(draft.resource, draft.body.text);
    draft.rows = fhir::extract(draft.resource);
    draft.patient = TRY(record_of(draft));
    if (!draft.before) draft.body.opened_by = author_;
    draft.compartment = TRY(compartment_of(draft.patient));
    return {};
}

Status Preparation::draft(std::size_t asked) {
    const Write& write = writes_[asked];
    Draft draft{.asked = asked,
                .write = &write,
                .place = shelf_.place_of(write.type, write.id),
                .before = {},
                .compartment = 0,
                .patient = {},
                .body = {},
                .resource = {},
                .rows = {}};
    draft.before = TRY(lookup_(draft.place, write.type, write.id));
    TRY_STATUS(check_conditions(write, draft.before));
    Body& body = draft.body;
    body.version = draft.before ? draft.before->version + 1 : 1;
    body.updated = draft.before ? std::max(now_, draft.before->updated) : now_;
    body.previous = draft.before ? draft.before->row : 0;
    if (write.kind == Write::Kind::Put) {
        TRY_STATUS(draft_put(draft));
    } else {
        body.deleted = true;
        body.text = deletion_text(write.type, write.id);
        draft.compartment = draft.before->compartment;
        draft.patient = TRY(shelf_.record(draft.compartment))->patient();
    }
    drafts_.push_back(std::move(draft));
    return {};
}

Status Preparation::seal(Draft& draft, std::uint64_t row) {
    const crypto::Secret32 key = TRY(shelf_.table().get(draft.compartment));
    PreparedWrite write;
    write.asked = draft.asked;
    write.place = draft.place;
    write.before = draft.before;
    write.must_be_new = draft.write->must_be_new;
    write.if_match = draft.write->if_match;
    write.after = {draft.compartment, draft.body.version, draft.body.updated, draft.body.deleted,
                   row};
    write.stored = TRY(seal_body(key, draft.compartment, row, draft.body));
    write.version = {.type = draft.write->type,
                     .id = draft.write->id,
                     .version = draft.body.version,
                     .updated = draft.body.updated,
                     .deleted = draft.body.deleted,
                     .body = {}};
    if (!draft.body.deleted) write.version.body = std::move(draft.body.text);
    prepared_.writes.push_back(std::move(write));
    return {};
}

/// One piece for each record touched; the one that a resource leaves is told so.
Status Preparation::index() {
    std::map<CompartmentNumber, IndexBuilder> builders;
    const auto builder_of =
        [&, apart = shelf_.number_of(kUnassigned)](CompartmentNumber number) -> IndexBuilder& {
        return builders.try_emplace(number, number == apart).first->second;
    };
    std::map<CompartmentNumber, PreparedPart> parts;
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
        Draft& draft = drafts_[i];
        const Write& write = *draft.write;
        const std::uint64_t row = prepared_.first_row + i;
        PreparedPart& part = parts[draft.compartment];
        part.patient = draft.patient;
        if (part.rows++ == 0) part.first_row = row;
        IndexBuilder& builder = builder_of(draft.compartment);
        if (draft.body.deleted)
            builder.add_gone(write.type, write.id, row, draft.body);
        else
            builder.add(write.type, write.id, row, draft.body, draft.resource,
                        std::move(draft.rows));
        if (draft.before && draft.before->compartment != draft.compartment) {
            const CompartmentNumber left = draft.before->compartment;
            parts[left].patient = TRY(shelf_.record(left))->patient();
            builder_of(left).add_gone(write.type, write.id, row, draft.body);
        }
    }
    for (auto& [compartment, part] : parts) {
        part.compartment = compartment;
        IndexBuilder& builder = builder_of(compartment);
        for (const std::string& term : builder.terms()) part.names.push_back(shelf_.name_of(term));
        part.piece = builder.take();
        prepared_.parts.push_back(std::move(part));
    }
    return {};
}

Result<Prepared> Preparation::run() {
    TRY_STATUS(check_shape(writes_));
    for (const Write& write : writes_)
        if (write.type == "Patient" && write.kind == Write::Kind::Put) ours_[write.id] = true;
    for (std::size_t i = 0; i < writes_.size(); ++i) TRY_STATUS(draft(i));
    // The rows of one record stand together.
    std::ranges::stable_sort(drafts_, {}, &Draft::compartment);
    prepared_.first_row = TRY(numbers_.take(drafts_.size()));
    std::vector<crypto::Hash> hashes;
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
        TRY_STATUS(seal(drafts_[i], prepared_.first_row + i));
        hashes.push_back(hash_of_body(prepared_.writes.back().stored));
    }
    prepared_.digest = commit_digest(prepared_.first_row, hashes);
    TRY_STATUS(index());
    return std::move(prepared_);
}

}  // namespace

Result<std::uint64_t> Numbers::take(std::uint64_t count) {
    std::uint64_t first = next_.load();
    do {
        if (first + count > mark_.load())
            return fail(Code::Busy,
                        {"le coffre écrit plus vite qu'il ne numérote",
                         "the vault writes faster than it numbers"},
                        {"recommencez dans un instant", "try again in a moment"});
    } while (!next_.compare_exchange_weak(first, first + count));
    return first;
}

crypto::Hash commit_digest(std::uint64_t first_row, std::span<const crypto::Hash> rows) {
    Bytes all(rows.size() * (8 + sizeof(crypto::Hash)));
    std::uint8_t* out = all.data();
    for (const crypto::Hash& hash : rows) {
        store_be(out, first_row++);
        out = std::ranges::copy(hash, out + 8).out;
    }
    return crypto::sha256(all);
}

Result<Prepared> prepare(Shelf& shelf, Clock& clock, Numbers& numbers,
                         std::span<const Write> writes, const std::string& author,
                         const Lookup& lookup) {
    return Preparation(shelf, numbers, writes, lookup, author, clock.now()).run();
}

}  // namespace hygie::vault
