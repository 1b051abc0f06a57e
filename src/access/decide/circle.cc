#include "access/decide/circle.h"

#include <algorithm>

#include "access/decide/policy_pack.h"

namespace hygie::access {
namespace {

using Kind = Relation::Kind;
using std::chrono::seconds;

constexpr WallTime kEpoch{std::chrono::sys_days(std::chrono::year{1990} / 1 / 1)};

struct TypeClass {
    std::string_view type;
    DataClass data;
};

/// Sorted.
constexpr std::string_view kPublic[] = {"ActivityDefinition",
                                        "CapabilityStatement",
                                        "CatalogEntry",
                                        "ChargeItemDefinition",
                                        "CodeSystem",
                                        "CompartmentDefinition",
                                        "ConceptMap",
                                        "Device",
                                        "DeviceDefinition",
                                        "EffectEvidenceSynthesis",
                                        "Endpoint",
                                        "EventDefinition",
                                        "Evidence",
                                        "EvidenceVariable",
                                        "ExampleScenario",
                                        "GraphDefinition",
                                        "HealthcareService",
                                        "ImplementationGuide",
                                        "InsurancePlan",
                                        "Library",
                                        "Location",
                                        "Measure",
                                        "Medication",
                                        "MedicationKnowledge",
                                        "MedicinalProduct",
                                        "MedicinalProductAuthorization",
                                        "MedicinalProductContraindication",
                                        "MedicinalProductIndication",
                                        "MedicinalProductIngredient",
                                        "MedicinalProductInteraction",
                                        "MedicinalProductManufactured",
                                        "MedicinalProductPackaged",
                                        "MedicinalProductPharmaceutical",
                                        "MedicinalProductUndesirableEffect",
                                        "MessageDefinition",
                                        "NamingSystem",
                                        "ObservationDefinition",
                                        "OperationDefinition",
                                        "Organization",
                                        "OrganizationAffiliation",
                                        "PlanDefinition",
                                        "Practitioner",
                                        "PractitionerRole",
                                        "Questionnaire",
                                        "ResearchDefinition",
                                        "ResearchElementDefinition",
                                        "ResearchStudy",
                                        "RiskEvidenceSynthesis",
                                        "Schedule",
                                        "SearchParameter",
                                        "Slot",
                                        "SpecimenDefinition",
                                        "StructureDefinition",
                                        "StructureMap",
                                        "Subscription",
                                        "Substance",
                                        "SubstanceNucleicAcid",
                                        "SubstancePolymer",
                                        "SubstanceProtein",
                                        "SubstanceReferenceInformation",
                                        "SubstanceSourceMaterial",
                                        "SubstanceSpecification",
                                        "TerminologyCapabilities",
                                        "TestReport",
                                        "TestScript",
                                        "ValueSet"};

/// Sorted by type.
constexpr TypeClass kTypes[] = {
    {"Account", DataClass::Coverage},
    {"AllergyIntolerance", DataClass::Summary},
    {"Appointment", DataClass::Agenda},
    {"AppointmentResponse", DataClass::Agenda},
    {"AuditEvent", DataClass::Trace},
    {"BodyStructure", DataClass::Imaging},
    {"CarePlan", DataClass::Plan},
    {"CareTeam", DataClass::Plan},
    {"ChargeItem", DataClass::Coverage},
    {"Claim", DataClass::Coverage},
    {"ClaimResponse", DataClass::Coverage},
    {"Communication", DataClass::Exchange},
    {"CommunicationRequest", DataClass::Exchange},
    {"Condition", DataClass::Summary},
    {"Consent", DataClass::Consent},
    {"Coverage", DataClass::Coverage},
    {"CoverageEligibilityRequest", DataClass::Coverage},
    {"CoverageEligibilityResponse", DataClass::Coverage},
    {"DetectedIssue", DataClass::Summary},
    {"DiagnosticReport", DataClass::Laboratory},
    {"Encounter", DataClass::Agenda},
    {"EpisodeOfCare", DataClass::Plan},
    {"ExplanationOfBenefit", DataClass::Coverage},
    {"FamilyMemberHistory", DataClass::Summary},
    {"Flag", DataClass::Summary},
    {"Goal", DataClass::Plan},
    {"HealthcareService", DataClass::Directory},
    {"ImagingStudy", DataClass::Imaging},
    {"Immunization", DataClass::Immunization},
    {"ImmunizationEvaluation", DataClass::Immunization},
    {"ImmunizationRecommendation", DataClass::Immunization},
    {"Invoice", DataClass::Coverage},
    {"Location", DataClass::Directory},
    {"Media", DataClass::Imaging},
    {"Medication", DataClass::Medication},
    {"MedicationAdministration", DataClass::Medication},
    {"MedicationDispense", DataClass::Medication},
    {"MedicationRequest", DataClass::Medication},
    {"MedicationStatement", DataClass::Medication},
    {"MolecularSequence", DataClass::Laboratory},
    {"NutritionOrder", DataClass::Plan},
    {"Observation", DataClass::Measures},
    {"Organization", DataClass::Directory},
    {"Patient", DataClass::Identity},
    {"PaymentNotice", DataClass::Coverage},
    {"PaymentReconciliation", DataClass::Coverage},
    {"Person", DataClass::Identity},
    {"Practitioner", DataClass::Directory},
    {"PractitionerRole", DataClass::Directory},
    {"Procedure", DataClass::Procedures},
    {"RelatedPerson", DataClass::Identity},
    {"Schedule", DataClass::Agenda},
    {"ServiceRequest", DataClass::Exchange},
    {"Slot", DataClass::Agenda},
    {"Specimen", DataClass::Laboratory},
    {"Task", DataClass::Exchange},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &TypeClass::type));

struct LabelCode {
    std::string_view code;
    std::uint8_t label;
};
constexpr LabelCode kLabels[] = {
    {"R", kRestricted},
    {"V", kMasked},
    {"CONFIDENTIEL", kRestricted},
    {"MASQUE_PS", kMasked},
    {"INVISIBLE_PATIENT", kHiddenFromPatient},
    {"INVISIBLE_REPRESENTANTS_LEGAUX", kHiddenFromProxies},
    // HL7 v3 ActCode: sensitive by law or custom.
    {"PSY", kRestricted},
    {"ETH", kRestricted},
    {"HIV", kRestricted},
    {"SDV", kRestricted},
    {"SEX", kRestricted},
    {"STD", kRestricted},
    {"CELEB", kRestricted},
    {"TABOO", kHiddenFromPatient},
};

constexpr std::string_view kKindNames[kRelationKinds] = {"",
                                                         "CareTeam",
                                                         "Encounter",
                                                         "Appointment",
                                                         "GeneralPractitioner",
                                                         "EpisodeOfCare",
                                                         "OpenedRecord",
                                                         "Teleconsultation",
                                                         "Referral",
                                                         "Prescription",
                                                         "Dispense",
                                                         "Act",
                                                         "Author",
                                                         "Task",
                                                         "Exchange",
                                                         "Presence",
                                                         "Cohort",
                                                         "Consent",
                                                         "Proxy",
                                                         "Billing",
                                                         "Opposition",
                                                         "Restriction"};

constexpr std::string_view kClassNames[kDataClasses] = {
    "Identity",     "Agenda",     "Coverage", "Summary",  "Notes",      "Medication",
    "Immunization", "Laboratory", "Imaging",  "Measures", "Procedures", "Plan",
    "Exchange",     "Consent",    "Trace",    "Directory"};

/// From what ties most closely to what ties least.
constexpr std::uint8_t kRanks[kRelationKinds] = {63, 3,  5,  8,  2, 4,  6,  7, 10, 12, 14,
                                                 11, 13, 15, 17, 9, 18, 16, 1, 19, 62, 62};

}  // namespace

Second second_of(WallTime time) {
    const auto whole = std::chrono::floor<seconds>(time - kEpoch).count();
    return static_cast<Second>(std::clamp<std::int64_t>(whole, 1, std::int64_t{kForever} - 1));
}

Second start_second(WallTime time) {
    if (time <= kEpoch) return 0;
    if (time == WallTime::max()) return kForever;
    const auto whole = std::chrono::ceil<seconds>(time - kEpoch).count();
    return static_cast<Second>(std::min<std::int64_t>(whole, kForever));
}

Second end_second(WallTime time) {
    if (time <= kEpoch) return 0;
    const auto whole = std::chrono::floor<seconds>(time - kEpoch).count();
    return static_cast<Second>(std::min<std::int64_t>(whole, kForever));
}

WallTime time_of(Second second) {
    if (second == 0) return WallTime::min();
    if (second == kForever) return WallTime::max();
    return kEpoch + seconds(second);
}

std::string_view name_of(DataClass data) {
    return kClassNames[static_cast<std::size_t>(data)];
}

std::string_view name_of(Kind kind) {
    const auto at = static_cast<std::size_t>(kind);
    return at < kRelationKinds ? kKindNames[at] : std::string_view();
}

std::string_view name_of(Post post) {
    switch (post) {
        case Post::Self:
            return "self";
        case Post::Position:
            return "position";
        case Post::Team:
            return "team";
        case Post::Unit:
            return "unit";
        case Post::OnCall:
            return "on-call";
        case Post::Principal:
            return "principal";
        case Post::Counter:
            return "counter";
        case Post::Assigned:
            return "assigned";
    }
    return "";
}

DataClass class_of(std::string_view type) {
    const auto found = std::ranges::lower_bound(kTypes, type, {}, &TypeClass::type);
    return found != std::end(kTypes) && found->type == type ? found->data : DataClass::Notes;
}

bool is_public(std::string_view type) {
    return std::ranges::binary_search(kPublic, type);
}

std::uint8_t label_of(std::string_view code) {
    const auto found = std::ranges::find(kLabels, code, &LabelCode::code);
    return found != std::end(kLabels) ? found->label : std::uint8_t{0};
}

std::uint8_t rank_of(Kind kind, Post post) {
    return static_cast<std::uint8_t>(kRanks[static_cast<std::size_t>(kind)] * 4 +
                                     (static_cast<unsigned>(post) - 1) / 2);
}

}  // namespace hygie::access
