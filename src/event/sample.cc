#include "event/sample.h"

#include <bit>

#include <algorithm>

#include "event/uuid.h"

namespace hygie::event {

namespace {

constexpr std::size_t kStaff = 900;
constexpr std::size_t kPatients = 30'000;
constexpr const char* kOrganisation = "990000127";  // department 99: no establishment has it

/// How often each type comes, in ten-thousandths; the rest are record reads.
struct Share {
    Type type;
    std::uint16_t share;
};
constexpr Share kShares[] = {
    {Type::RecordSearched, 1300}, {Type::RecordCreated, 420}, {Type::RecordUpdated, 560},
    {Type::RecordDeleted, 15},    {Type::RecordExported, 30}, {Type::AccessRefused, 35},
    {Type::ConsentDecided, 90},   {Type::BreakGlass, 6},      {Type::SignedIn, 130},
    {Type::SignInRefused, 25},    {Type::SignedOut, 110},     {Type::AccountChanged, 4},
    {Type::MailJudged, 520},      {Type::MailHeld, 30},       {Type::MailReleased, 5},
    {Type::FileRead, 340},        {Type::FileChanged, 210},   {Type::FileDeleted, 12},
};
constexpr std::size_t kShareOfAll = 10'000;

constexpr const char* kRoles[] = {"10/SM26", "10/SM04", "10/SM40", "60", "60",        "60",
                                  "70",      "50",      "21",      "40", "secretaire"};
constexpr const char* kAuths[] = {"psc", "psc", "psc", "otp", "mtls"};
constexpr const char* kPurposes[] = {"TREAT", "TREAT", "TREAT", "TREAT", "CAREMGT", "HPAYMT"};
constexpr const char* kResources[] = {"Observation",       "Observation",        "DiagnosticReport",
                                      "DocumentReference", "MedicationRequest",  "Encounter",
                                      "Condition",         "AllergyIntolerance", "Immunization"};
constexpr const char* kNames[] = {"Lefèvre", "Moreau", "N’Guyen", "Roux", "Le Goff", "Garnier"};
constexpr const char* kDomains[] = {"laboratoire.example", "mutuelle.example", "ars.example",
                                    "fournisseur.example", "impots-remboursement.example"};
constexpr const char* kFolders[] = {"courriers", "facturation", "planning", "comptes-rendus"};
constexpr const char* kProcesses[] = {"soffice.bin", "explorer.exe", "scan2dossier", "smbd"};

template <std::size_t N>
const char* any_of(SampleRandom& random, const char* const (&choices)[N]) {
    return choices[random.below(N)];
}

std::string padded(std::size_t number, std::size_t digits) {
    const std::string text = std::to_string(number);
    return std::string(digits - std::min(digits, text.size()), '0') + text;
}

/// RPPS-shaped: 99700 (real ones begin with 1), five digits, Luhn key.
std::string rpps(std::size_t number) {
    std::string digits = "99700" + padded(number, 5);
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int digit = (digits[digits.size() - 1 - i] - '0') * (i % 2 == 0 ? 2 : 1);
        sum += digit / 10 + digit % 10;
    }
    return digits + static_cast<char>('0' + (10 - sum % 10) % 10);
}

/// INS-shaped: the commune 990 exists in no department, so the number is nobody's; key = 97 −
/// (number mod 97).
std::string ins(std::size_t number) {
    const std::string digits = std::to_string(1 + number % 2) + padded(number * 37 % 100, 2) +
                               padded(1 + number % 12, 2) + padded(1 + number / 1000 % 95, 2) +
                               "990" + padded(number % 1000, 3);
    return digits + padded(97 - std::stoull(digits) % 97, 2);
}

Type any_type(SampleRandom& random) {
    auto draw = random.below(kShareOfAll);
    for (const auto& [type, share] : kShares) {
        if (draw < share) return type;
        draw -= share;
    }
    return Type::RecordRead;
}

Retention retention_of(Type type, SampleRandom& random) {
    switch (type) {
        case Type::RecordExported:
        case Type::BreakGlass:
        case Type::AccessRefused:
        case Type::AccountChanged:
            return Retention::Control3Years;
        default:
            // One record act in eight concerns the shared national record, whose traces live ten
            // years.
            return random.below(8) == 0 ? Retention::Record10Years : Retention::Trace1Year;
    }
}

}  // namespace

SampleRandom::SampleRandom(std::uint64_t seed) {
    // splitmix64 spreads the seed over the state, as the authors of xoshiro advise.
    for (auto& word : state_) {
        seed += 0x9E3779B97F4A7C15;
        std::uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        word = mixed ^ (mixed >> 31);
    }
}

std::uint64_t SampleRandom::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void SampleRandom::fill(std::span<std::uint8_t> out) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i % 8 == 0) word = next();
        out[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
    }
}

std::size_t SampleRandom::below(std::size_t bound) {
    // The high half of a 32 × 32 bit product; the bias is below one in 2³² / bound.
    return static_cast<std::size_t>((next() >> 32) * bound >> 32);
}

std::size_t SampleRandom::skewed_below(std::size_t bound) {
    // The cube of an even number in [0, 1), in 21 bits so that the product fits.
    const std::uint64_t even = next() >> 43;
    return static_cast<std::size_t>((even * even * even >> 42) * bound >> 21);
}

Sampler::Sampler(std::uint64_t seed, WallTime start) : random_(seed), now_(start) {
    staff_.reserve(kStaff);
    for (std::size_t i = 0; i < kStaff; ++i)
        staff_.push_back({ActorId(rpps(i)), any_of(random_, kRoles), "poste-" + padded(i, 3),
                          "10.20." + std::to_string(i / 250) + '.' + std::to_string(i % 250 + 1)});
    patients_.reserve(kPatients);
    for (std::size_t i = 0; i < kPatients; ++i) patients_.emplace_back(ins(i));
    for (auto& visit : visits_) visit = begin_visit();
}

Event Sampler::next() {
    Event event;
    event.time = now_;
    advance_clock();
    event.type = any_type(random_);
    event.action = usual_action(event.type);
    event.id = print_uuid(make_uuid(event.time, random_));
    event.node = NodeId("hopital-1");
    event.retention = retention_of(event.type, random_);
    const auto code = static_cast<unsigned>(event.type);
    if (code < static_cast<unsigned>(Type::SignedIn)) {
        Visit& visit = visits_[random_.below(visits_.size())];
        if (random_.below(8) == 0) visit = begin_visit();
        fill_record(event, visit);
    } else if (code < static_cast<unsigned>(Type::MailJudged)) {
        fill_session(event);
    } else if (code < static_cast<unsigned>(Type::FileRead)) {
        fill_mail(event);
    } else {
        fill_file(event);
    }
    return event;
}

/// About 23 events a second on average, as an average hospital has; three times fewer at night.
void Sampler::advance_clock() {
    const auto hour = now_.time_since_epoch() / std::chrono::hours(1) % 24;
    const std::size_t mean_micros = hour >= 7 && hour < 20 ? 31'000 : 93'000;
    now_ += Micros(random_.below(2 * mean_micros));
}

Sampler::Visit Sampler::begin_visit() {
    return {random_.skewed_below(staff_.size()), random_.skewed_below(patients_.size())};
}

void Sampler::set_actor(Event& event, const Person& person) {
    event.actor.id = person.id;
    event.actor.role = person.role;
    event.actor.auth = any_of(random_, kAuths);
    event.actor.organisation = kOrganisation;
    event.network = {person.address, person.device};
}

void Sampler::fill_record(Event& event, const Visit& visit) {
    event.source = SourceId("records");
    set_actor(event, staff_[visit.person]);
    event.purpose = any_of(random_, kPurposes);
    event.request_id = print_uuid(make_uuid(event.time, random_));
    if (event.type == Type::RecordSearched) {
        event.query = query(patients_[visit.patient]);
        // A search by name concerns nobody yet.
        if (event.query.starts_with("GET /fhir/Patient")) return;
    }
    event.subject.patient = patients_[visit.patient];
    if (event.type == Type::ConsentDecided) {
        event.basis = "Consent/" + std::to_string(visit.patient);
    } else if (event.type != Type::RecordSearched) {
        event.subject.object = ObjectId(std::string(any_of(random_, kResources)) + '/' +
                                        std::to_string(random_.below(9'000'000) + 1'000'000));
    }
    if (event.type == Type::AccessRefused) event.outcome = Outcome::SeriousFailure;
    if (event.type == Type::BreakGlass) {
        event.break_glass = true;
        event.detail.emplace("motive", "urgence vitale, équipe de garde");
    }
}

std::string Sampler::query(const PatientId& patient) {
    switch (random_.below(100)) {
        case 0:
            return "GET /fhir/Patient?name=%27%20OR%201%3D1--";
        case 1:
            return "GET /fhir/Patient?name=<script>alert(1)</script>&_count=10000";
        default:
            break;
    }
    if (random_.below(3) == 0)
        return std::string("GET /fhir/Patient?family=") + any_of(random_, kNames) +
               "&birthdate=" + std::to_string(1930 + random_.below(95)) + "&_count=20";
    return std::string("GET /fhir/") + any_of(random_, kResources) + "?patient=" + patient.str() +
           "&date=ge2025-" + padded(1 + random_.below(12), 2) + "&_sort=-date&_count=50";
}

void Sampler::fill_session(Event& event) {
    event.source = SourceId("access");
    set_actor(event, staff_[random_.skewed_below(staff_.size())]);
    if (event.type == Type::SignInRefused) event.outcome = Outcome::MinorFailure;
    if (event.type == Type::AccountChanged) event.subject.object = ObjectId("account/" + rpps(1));
}

void Sampler::fill_mail(Event& event) {
    event.source = SourceId("mail");
    const std::string domain = any_of(random_, kDomains);
    event.subject.object = ObjectId('<' + std::to_string(random_.next()) + '@' + domain + '>');
    event.detail = {{"from_domain", domain},
                    {"bytes", std::to_string(random_.skewed_below(1 << 22))}};
    if (event.type == Type::MailHeld) {
        event.verdict = Verdict{Level::Malicious,
                                static_cast<std::uint16_t>(900 + random_.below(100)),
                                {{"mail.iban.unknown",
                                  {"L’IBAN demandé n’est celui d’aucun fournisseur connu.",
                                   "The IBAN asked for belongs to no known supplier."},
                                  "body"}}};
    } else {
        event.verdict = Verdict{Level::Clean, static_cast<std::uint16_t>(random_.below(150)), {}};
    }
    if (event.type == Type::MailReleased) set_actor(event, staff_[random_.skewed_below(kStaff)]);
}

void Sampler::fill_file(Event& event) {
    event.source = SourceId("files");
    set_actor(event, staff_[random_.skewed_below(staff_.size())]);
    event.subject.object = ObjectId(std::string("/partages/") + any_of(random_, kFolders) +
                                    "/2026/" + padded(random_.skewed_below(100'000), 6) + ".odt");
    event.detail = {{"process", any_of(random_, kProcesses)},
                    {"bytes", std::to_string(random_.skewed_below(1 << 24))}};
}

}  // namespace hygie::event
