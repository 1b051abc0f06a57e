#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/data/json.h"
#include "host/disk.h"

namespace hygie::app {

/// The records that `hygie vault bench` imports: as many patients as asked for, made of few bundles
/// by giving new ids, family names, birth dates, telephone numbers and addresses: copies that
/// shared these would each be looked at as the same person. Each is in the care of kReader.
class VaultBenchData {
  public:
    static constexpr std::string_view kReader = "Practitioner/5b0f6f0e-7c1d-4c57-9a3e-0d8f4b6f2a11";
    static constexpr std::string_view kCode = "29463-7";  ///< body weight, in LOINC
    static constexpr std::size_t kNamesakes = 16;         ///< patients whose names begin alike
    static constexpr std::size_t kFilesMax = 10'000;
    static constexpr std::size_t kFileBytesMax = 64 << 20;

    /// The practice of `hygie demo`.
    static Result<VaultBenchData> demo();
    /// The transaction bundles of one patient each that are below a folder.
    static Result<VaultBenchData> below(Disk& disk, const std::string& dir);

    /// A transaction with all that the others refer to.
    const std::string& house() const { return house_; }
    /// The transaction of one patient, counted from 0.
    std::string bundle(std::size_t patient) const;
    std::size_t resources(std::size_t patient) const { return model(patient).resources; }
    /// Whether the patient has observations of kCode.
    bool has_code(std::size_t patient) const { return model(patient).has_code; }
    /// What only the family names of this patient and its namesakes begin with.
    static std::string name_prefix(std::size_t patient);
    /// "system|value": the number that this patient alone has.
    static std::string identifier(std::size_t patient);
    /// The day on which this patient and its namesakes have an appointment.
    static std::string day(std::size_t patient);

  private:
    struct Model {
        std::string text;
        std::vector<std::size_t> ids{};   ///< where ids stand that each copy has its own of
        std::size_t family = 0;           ///< where the family name begins; 0: nowhere
        std::size_t identifier = 0;       ///< where the list of identifiers begins
        std::size_t ins = 0;              ///< where its INS number begins; 0: none
        std::size_t birth = 0;            ///< where its birth date begins
        std::size_t telephone = 0;        ///< where its telephone number begins
        std::size_t mail = 0;             ///< where its mail address begins
        std::vector<std::size_t> days{};  ///< where the day of the appointment stands
        std::size_t resources = 0;
        bool has_code = false;
    };

    Status add(std::string_view text);
    Status add_below(Disk& disk, const std::string& dir, std::size_t& files);
    const Model& model(std::size_t patient) const { return models_[patient % models_.size()]; }

    std::string house_;
    std::vector<Model> models_;
};

}  // namespace hygie::app
