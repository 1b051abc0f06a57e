#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/data/json.h"
#include "guards/records/request/references.h"
#include "guards/records/write/plan.h"
#include "vault/unassigned.h"

/// What a write is judged beside, and whose record it goes to.
namespace hygie::records {

/// What else there is, as the asker will see it once this write is done.
class Surroundings {
  public:
    Surroundings(Sight& sight, fhir::Arena& arena, const std::vector<Step>& steps)
        : sight_(sight), arena_(arena) {
        for (const Step& step : steps) written_.emplace(step.reference(), &step);
    }

    /// Whether a literal reference leads to something that the asker may see: what is closed is as
    /// good as absent.
    bool has(const std::string& reference) {
        if (const auto step = written_.find(reference); step != written_.end())
            return step->second->is_idle ? step->second->before.has_value()
                                         : step->second->has_body();
        const auto [known, fresh] = known_.try_emplace(reference, false);
        if (fresh) known->second = is_stored(reference);
        return known->second;
    }

    /// The resource behind a reference; Absent when there is none.
    fhir::Json resolve(std::string_view reference) {
        const std::string name(reference);
        if (const auto step = written_.find(name); step != written_.end())
            return step->second->has_body() ? step->second->change.body : fhir::Json();
        const auto found = open(name);
        if (!found || found->entry.deleted) return {};
        const auto version = sight_.desk().rooms.vault.read(*found);
        if (!version) return {};
        const auto parsed = arena_.parse(version->body);
        return parsed ? *parsed : fhir::Json();
    }

    /// Whether there is, or will be, a record of this patient that is open to the asker: what is
    /// written about a closed one goes where it would go if there were none.
    Result<bool> is_patient(const std::string& id) {
        const std::string reference = reference_to("Patient", id);
        if (const auto step = written_.find(reference); step != written_.end())
            return step->second->change.kind != Change::Kind::Delete;
        return open(reference).has_value();
    }

    /// Whose record the resource behind a reference is in, or will be once these are written;
    /// empty: the house's, or closed to the asker, or not there.
    Answer<std::string> home_of(const std::string& reference);

    Sight& sight() { return sight_; }

    /// The patient whose record holds what is behind a reference; empty when that is closed to the
    /// asker, absent, or nobody's.
    std::string record_of(const std::string& reference) {
        std::string patient;
        if (const auto step = written_.find(reference); step != written_.end()) {
            patient = step->second->patient;
        } else if (const auto found = open(reference)) {
            patient = found->record->patient();
        }
        return patient == vault::kUnassigned ? std::string() : patient;
    }

  private:
    Answer<void> find_homes();

    Answer<vault::Found> open(const std::string& reference) {
        if (!is_literal_reference(reference)) return std::unexpected(not_found());
        const auto slash = reference.find('/');
        return sight_.open(event::Action::Read, reference.substr(0, slash),
                           reference.substr(slash + 1));
    }
    bool is_stored(const std::string& reference) {
        const auto found = open(reference);
        return found && !found->entry.deleted;
    }

    Sight& sight_;
    fhir::Arena& arena_;
    std::unordered_map<std::string, const Step*> written_;
    std::unordered_map<std::string, bool> known_;
    /// Of what is written here and has one; once asked for.
    std::optional<std::unordered_map<std::string, std::string>> homes_;
};

/// Whose record the resource goes to: what names no patient goes with what it refers to, and a file
/// with the document that shows it.
Answer<std::string> patient_of(Surroundings& around, const Step& step);

/// "Binary/1" of what shows files: attachments of documents, reports and images.
std::vector<std::string> files_of(const Step& step);

/// "Patient/1/_history/2" → "Patient/1".
std::string without_version(std::string_view link);

}  // namespace hygie::records
