#include "fhir/search/segment_spelling.h"

namespace hygie::fhir::spelling {

// The most frequent last: a compressor reaches them with the shortest steps.
std::string_view well_known_letters() {
    return "QuestionnaireResponseQuestionnaireServiceRequestDocumentReferenceMedicationStatement"
           "PractitionerRoleRelatedPersonEpisodeOfCareAllergyIntoleranceImagingStudyCarePlanGoal"
           "ExplanationOfBenefitClaimCoverageDiagnosticReportMedicationRequestImmunizationProcedure"
           "ConditionAppointmentScheduleSlotTaskConsentCommunicationCompositionProvenanceBinary"
           "OrganizationLocationHealthcareServiceCareTeamDevicePractitionerEncounterObservation"
           "urn:oid:1.2.250.1.71.4.2.1urn:oid:1.2.250.1.213.1.4.urn:oid:2.16.840.1.113883.4.3."
           "https://mos.esante.gouv.fr/NOS/TRE_R/FHIR/TRE-R"
           "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-"
           "http://interopsante.org/fhir/"
           "https://github.com/synthetichealth/synthea"
           "http://hospital.smarthealthit.orghttp://hl7.org/fhir/sid/us-ssn"
           "http://www.nlm.nih.gov/research/umls/rxnormhttp://hl7.org/fhir/sid/cvx"
           "http://hl7.org/fhir/sid/icd-10http://www.whocc.no/atc"
           "http://terminology.hl7.org/CodeSystem/v2-0203http://terminology.hl7.org/CodeSystem/v3-"
           "http://terminology.hl7.org/CodeSystem/condition-clinicalactiveresolvedconfirmed"
           "http://terminology.hl7.org/CodeSystem/condition-ver-status"
           "http://terminology.hl7.org/CodeSystem/claim-typeprofessionalinstitutionalpharmacy"
           "http://terminology.hl7.org/CodeSystem/v3-ActCodeAMBEMERIMPwellness"
           "http://terminology.hl7.org/CodeSystem/observation-category"
           "vital-signslaboratorysurveysocial-history"
           "http://hl7.org/fhir/StructureDefinition/malefemalephoneemail"
           "bookedproposedcancelledfulfilledarrivedbusyfreeactivecompletedstoppedplannedorder"
           "billablegeneratedin-progressrequestedfinishedfinaltruefalse"
           "http://snomed.info/scthttp://unitsofmeasure.orghttp://loinc.orgPatient";
}

}  // namespace hygie::fhir::spelling
