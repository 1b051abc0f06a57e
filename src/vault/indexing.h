#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "fhir/data/json.h"
#include "fhir/search/segment.h"
#include "vault/body.h"
#include "vault/record.h"

namespace hygie::vault {

/// A term for the people who treat a patient: their circle is found by it.
std::string circle_term(std::string_view person);

/// The rows in which the values of a search parameter are found (those of another one, at times).
std::vector<std::uint16_t> rows_of(std::string_view type, std::string_view param);

/// The id of the patient whose record a resource belongs to; empty: the house; kUnassigned
/// (unassigned.h): neither. The first that
/// `is_ours` says yes to of: the references that place it in a compartment
/// (https://hl7.org/fhir/R4/compartmentdefinition-patient.html); where FHIR has no compartment for
/// the type, any reference to a patient that search knows (Task.for, Device.patient); the
/// securityContext of a Binary; any other reference to a patient, in what is not public
/// (access::is_public).
Result<std::string> patient_of(fhir::Json resource, std::string_view id,
                               std::span<const fhir::IndexRow> rows,
                               const std::function<Result<bool>(const std::string& id)>& is_ours);

/// Whether records hold resources of the type: see patient_of().
bool is_in_records(std::string_view type);

/// Collects resources of one record for one piece of its index.
class IndexBuilder {
  public:
    /// `is_apart`: of what is assigned to nobody (unassigned.h), where each author is tied to what
    /// they wrote; in a record, who made the patient's file is.
    explicit IndexBuilder(bool is_apart = false) : is_apart_(is_apart) {}

    /// The resource outlives the builder.
    void add(std::string_view type, std::string_view id, std::uint64_t row, const Body& body,
             fhir::Json resource, std::vector<fhir::IndexRow> rows);
    /// A resource that is no longer in this record: deleted, or moved to another one.
    void add_gone(std::string_view type, std::string_view id, std::uint64_t row, const Body& body);

    /// One stored version; the newest of each resource counts.
    Status add_stored(std::uint64_t row, Body body);
    /// Forgets stored versions of resources that the caller does not want.
    Status keep_if(
        const std::function<Result<bool>(std::string_view type, std::string_view id)>& wanted);
    /// Id of the patient among the stored versions.
    std::string patient() const;

    /// Terms by which the record is found across patients, each once.
    std::vector<std::string> terms() const;
    Piece take();

  private:
    struct Stored {
        std::uint64_t row;
        Body body;
        fhir::Document document;
    };

    void index_stored();

    bool is_apart_;
    std::vector<fhir::IndexedResource> resources_;
    Relations relations_;
    std::map<std::pair<std::string, std::string>, Stored> stored_;
};

}  // namespace hygie::vault
