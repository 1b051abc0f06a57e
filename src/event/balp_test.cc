#include "event/balp.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "event/any_event.h"
#include "event/codec.h"
#include "event/ndjson.h"
#include "event/test_origin.h"

namespace hygie::event {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Shared examples and profiles of IHE, when this machine has them.
fs::path audit_data() {
    const char* given = std::getenv("HYGIE_DATA");
    const char* source = std::getenv("HYGIE_SOURCE");
    const fs::path root =
        source ? fs::path(source) : fs::path(__FILE__).parent_path().parent_path().parent_path();
    return fs::path(given ? fs::path(given) : root / "../shared/data") / "records/audit";
}

std::string read_text_file(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<fs::path> files_of(const fs::path& dir, std::string_view prefix) {
    std::vector<fs::path> files;
    if (!fs::exists(dir)) return files;
    for (const auto& entry : fs::directory_iterator(dir))
        if (entry.path().filename().string().starts_with(prefix)) files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

Result<Event> parsed(const std::string& line) {
    TestOrigin origin;
    return parse_line(line, origin.origin());
}

/// The sealed form and back: what an export gets to see.
Event through_the_ledger(const Event& event) {
    return decode_body(stamp_of(event), encode_body(event).value()).value();
}

TEST(Balp, every_example_of_ihe_comes_back_equal) {
    const auto files = files_of(audit_data() / "examples", "AuditEvent-");
    if (files.empty()) GTEST_SKIP() << "no IHE examples here; set HYGIE_DATA to read them";
    for (const auto& file : files) {
        const auto text = read_text_file(file);
        const auto event = parsed(text);
        ASSERT_TRUE(event.has_value()) << file << event.error().what.en;
        EXPECT_EQ(json::parse(to_audit_event(through_the_ledger(*event), {})), json::parse(text))
            << file;
        std::string line;
        print_line(*event, line);
        EXPECT_EQ(parsed(line).value(), *event) << file;
    }
}

TEST(Balp, examples_of_ihe_are_understood) {
    const auto dir = audit_data() / "examples";
    if (!fs::exists(dir)) GTEST_SKIP() << "no IHE examples here; set HYGIE_DATA to read them";
    const auto event = [&](const std::string& name) {
        return parsed(read_text_file(dir / ("AuditEvent-ex-audit" + name + ".json"))).value();
    };
    const Event read = event("BasicReadServer");
    EXPECT_EQ(read.type, Type::RecordRead);
    EXPECT_EQ(read.time, from_rfc3339("2020-04-29T09:49:00Z").value());
    EXPECT_EQ(read.actor.id.str(), "John Smith");
    EXPECT_EQ(read.subject.patient.str(), "ex-patient");
    EXPECT_EQ(read.subject.object.str(), "List/ex-list");
    EXPECT_EQ(read.request_id, "76d148b6-586d-11ec-bf63-0242ac130002");
    EXPECT_EQ(read.network.address, "2001:0db8:85a3:0000:0000:8a2e:0370:7334");
    EXPECT_EQ(read.network.device, "myMachine.example.org");
    EXPECT_TRUE(event("BasicQueryPost").query.starts_with("POST /r4/Observation/_search"));
    EXPECT_EQ(event("BasicPatch").type, Type::RecordUpdated);
    EXPECT_EQ(event("BasicDelete2").type, Type::RecordDeleted);
    EXPECT_EQ(event("PrivacyDisclosure-source").type, Type::RecordExported);
    EXPECT_EQ(event("Poke-SAML-Comp").type, Type::Reported);
    EXPECT_EQ(event("Poke-SAML-Comp").actor.organisation,
              "1234567@myOrganizationRegistry.example.org");
    const Event denied = event("AuthZconsent-deny");
    EXPECT_EQ(denied.type, Type::ConsentDecided);
    EXPECT_EQ(denied.outcome, Outcome::SeriousFailure);
    EXPECT_EQ(denied.basis, "Consent/ex-consent");
    EXPECT_EQ(denied.purpose, "PATRQT");
    EXPECT_EQ(denied.actor.organisation, "Organization/ex-organization");
}

Event served(Type type) {
    Event e;
    e.id = "01891f2e-5c3a-7d11-8a4b-0123456789ab";
    e.type = type;
    e.action = usual_action(type);
    e.time = TestOrigin::kNow;
    e.source = SourceId("records");
    e.node = NodeId("cabinet-1");
    e.actor = {ActorId("99700212964"), "10", "psc", ActorId(""), "990000127"};
    e.subject = {PatientId("p-42"), ObjectId("Observation/42")};
    e.purpose = "TREAT";
    e.network = {"192.0.2.17", "poste-2"};
    e.request_id = "01891f2e-5c3a-7d11-8a4b-0123456789ac";
    if (type == Type::RecordSearched) e.query = "GET /fhir/Observation?patient=p-42&code='\x01;--";
    if (type == Type::ConsentDecided) e.basis = "Consent/7";
    return e;
}

json exported(const Event& event) {
    return json::parse(to_audit_event(event, {"hopital.example/journal", 12}));
}

std::string profile_of(const json& resource) {
    return resource["meta"].value("profile", json::array({""}))[0];
}

// A reader of StructureDefinitions, just large enough for the BALP profiles: cardinalities,
// patterns and slices told apart by `type` (or by the coding itself). Bindings are looked up in the
// value sets beside them.
class Profiles {
  public:
    explicit Profiles(const fs::path& dir) {
        for (const auto& file : files_of(dir, "")) {
            const auto resource = json::parse(read_text_file(file));
            by_url_[resource.value("url", "")] = resource;
        }
    }

    bool empty() const { return by_url_.empty(); }

    /// What the resource lacks to conform to the profile and to those it builds on.
    std::vector<std::string> problems(const json& resource, const std::string& url) const {
        std::vector<std::string> found;
        const auto& profile = by_url_.at(url);
        if (by_url_.contains(profile["baseDefinition"]))
            found = problems(resource, profile["baseDefinition"]);
        for (const auto& element : profile["differential"]["element"]) {
            const std::string id = element["id"];
            if (const auto dot = id.find('.'); dot != std::string::npos)
                check(resource, id.substr(dot + 1), element, url, found);
        }
        return found;
    }

  private:
    /// Walks `path`; a step "agent:user" stands for the items of `agent` that are in the slice
    /// "user".
    void check(const json& at, const std::string& path, const json& element, const std::string& url,
               std::vector<std::string>& found) const {
        const auto dot = path.find('.');
        const std::string step = path.substr(0, dot);
        const auto colon = step.find(':');
        std::vector<json> items = values(at, step.substr(0, colon));
        if (colon != std::string::npos)
            std::erase_if(items, [&](const json& item) { return !in_slice(item, step, url); });
        if (dot != std::string::npos) {
            for (const auto& item : items) check(item, path.substr(dot + 1), element, url, found);
            return;
        }
        const std::string max = element.value("max", "*");
        if (items.size() < element.value("min", 0u) ||
            (max != "*" && items.size() > std::stoul(max)))
            found.push_back(std::string(element["id"]) + ": cardinality");
        for (const auto& item : items)
            if (!allows(element, item) || (is_closed(element) && !in_any_slice(item, step, url)))
                found.push_back(std::string(element["id"]) + ": value");
    }

    static bool is_closed(const json& element) {
        return element.contains("slicing") && element["slicing"]["rules"] == "closed";
    }

    bool in_any_slice(const json& item, const std::string& step, const std::string& url) const {
        const auto& elements = by_url_.at(url)["differential"]["element"];
        return std::ranges::any_of(elements, [&](const json& element) {
            return element["path"] == "AuditEvent." + step && element.contains("sliceName") &&
                   in_slice(item, step + ':' + std::string(element["sliceName"]), url);
        });
    }

    static std::vector<json> values(const json& at, const std::string& name) {
        if (!at.contains(name)) return {};
        if (at[name].is_array()) return at[name];
        return {at[name]};
    }

    bool in_slice(const json& item, const std::string& step, const std::string& url) const {
        // The discriminator is `type`, but for subtype, where it is the coding itself.
        const bool own = step.starts_with("subtype");
        for (const auto* profile = &by_url_.at(url); profile;
             profile = by_url_.contains((*profile)["baseDefinition"])
                           ? &by_url_.at((*profile)["baseDefinition"])
                           : nullptr)
            for (const auto& element : (*profile)["differential"]["element"])
                if (element["id"] == "AuditEvent." + step + (own ? "" : ".type"))
                    return own ? allows(element, item)
                               : item.contains("type") && allows(element, item["type"]);
        return false;
    }

    bool allows(const json& element, const json& value) const {
        for (const auto& [key, pattern] : element.items())
            if (key.starts_with("pattern") && !contains(value, pattern)) return false;
        if (!element.contains("binding") || element["binding"]["strength"] != "required")
            return true;
        return bound(by_url_.at(element["binding"]["valueSet"]), value);
    }

    /// Whether all of the pattern is somewhere in the value (FHIR pattern[x]).
    static bool contains(const json& value, const json& pattern) {
        if (pattern.is_object())
            return std::ranges::all_of(pattern.items(), [&](const auto& field) {
                return value.contains(field.key()) && contains(value[field.key()], field.value());
            });
        if (pattern.is_array())
            return std::ranges::all_of(pattern, [&](const json& wanted) {
                return std::ranges::any_of(
                    value, [&](const json& item) { return contains(item, wanted); });
            });
        return value == pattern;
    }

    bool bound(const json& value_set, const json& value) const {
        const auto codings = value.contains("coding") ? value["coding"] : json::array({value});
        return std::ranges::any_of(codings, [&](const json& coding) {
            return std::ranges::any_of(value_set["compose"]["include"], [&](const json& include) {
                const json concepts = include.value("concept", all_of(include));
                return std::ranges::any_of(
                    concepts, [&](const json& one) { return one["code"] == coding["code"]; });
            });
        });
    }

    json all_of(const json& include) const {
        if (!include.contains("system")) return json::array();
        const auto found = by_url_.find(include["system"]);
        return found == by_url_.end() ? json::array() : found->second["concept"];
    }

    std::map<std::string, json> by_url_;
};

const std::pair<Type, const char*> kProfiled[] = {
    {Type::RecordRead, "Read"},
    {Type::RecordSearched, "Query"},
    {Type::RecordCreated, "Create"},
    {Type::RecordUpdated, "Update"},
    {Type::RecordDeleted, "Delete"},
    {Type::ConsentDecided, "AuthZconsent"},
    {Type::RecordExported, "PrivacyDisclosure.Source"},
};
const std::string kProfileRoot =
    "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";

TEST(Balp, claims_the_profile_of_the_act) {
    for (const auto& [type, name] : kProfiled) {
        Event event = served(type);
        const bool rest = type != Type::ConsentDecided && type != Type::RecordExported;
        EXPECT_EQ(profile_of(exported(event)), kProfileRoot + (rest ? "Patient" : "") + name);
        event.subject.patient = {};
        EXPECT_EQ(profile_of(exported(event)), rest ? kProfileRoot + name : "");
        event = served(type);
        event.network = {};
        EXPECT_EQ(profile_of(exported(event)), "");
        event = served(type);
        event.outcome = Outcome::SeriousFailure;
        EXPECT_EQ(profile_of(exported(event)).empty(), rest);
    }
    EXPECT_EQ(profile_of(exported(served(Type::MailHeld))), "");
}

TEST(Balp, what_claims_a_profile_conforms_to_it) {
    const Profiles profiles(audit_data() / "profiles");
    if (profiles.empty()) GTEST_SKIP() << "no IHE profiles here; set HYGIE_DATA to read them";
    for (const auto& [type, name] : kProfiled) {
        for (const bool patient : {true, false}) {
            Event event = served(type);
            if (!patient) event.subject.patient = {};
            const auto resource = exported(event);
            if (profile_of(resource).empty()) continue;
            EXPECT_EQ(profiles.problems(resource, profile_of(resource)), std::vector<std::string>{})
                << resource.dump(1);
        }
    }
    // The reader of profiles can say no.
    auto broken = exported(served(Type::RecordRead));
    broken["agent"].erase(0);
    EXPECT_FALSE(profiles.problems(broken, profile_of(broken)).empty());
}

TEST(Balp, the_profile_reader_accepts_the_examples_of_ihe) {
    const Profiles profiles(audit_data() / "profiles");
    if (profiles.empty()) GTEST_SKIP() << "no IHE profiles here; set HYGIE_DATA to read them";
    for (const auto& file : files_of(audit_data() / "examples", "AuditEvent-")) {
        const auto resource = json::parse(read_text_file(file));
        EXPECT_EQ(profiles.problems(resource, profile_of(resource)), std::vector<std::string>{})
            << file;
    }
}

RC_GTEST_PROP(Balp, what_claims_a_profile_conforms_whatever_the_event, ()) {
    static const Profiles profiles(audit_data() / "profiles");
    Event event = *any_event();
    event.detail.erase("fhir");
    const auto resource = exported(event);
    RC_ASSERT(resource["agent"].size() >= 1u);
    RC_ASSERT(check_audit_event(resource.dump()).has_value());
    if (!profile_of(resource).empty() && !profiles.empty())
        RC_ASSERT(profiles.problems(resource, profile_of(resource)).empty());
}

TEST(Balp, an_export_says_what_the_event_says) {
    const auto query = exported(served(Type::RecordSearched));
    EXPECT_EQ(query["meta"]["source"], "hopital.example/journal#12");
    EXPECT_EQ(query["recorded"], "2026-11-24T00:00:00.000000Z");
    for (const auto& entity : query["entity"])
        if (entity.contains("query")) {
            EXPECT_EQ(from_base64(entity["query"].get<std::string>()),
                      to_bytes(as_bytes(served(Type::RecordSearched).query)));
            EXPECT_EQ(entity["description"], "GET /fhir/Observation?patient=p-42&code='\uFFFD;--");
        }
    Event mail = served(Type::MailHeld);
    mail.verdict = Verdict{Level::Malicious, 990, {{"mail.iban", {"IBAN inconnu.", "IBAN."}, ""}}};
    mail.break_glass = true;
    const auto held = exported(mail).dump();
    for (const char* said : {"mail.hold", "malicious", "990", "IBAN inconnu.", "BTG", "psc",
                             "990000127", "99700212964", "Patient/p-42"})
        EXPECT_NE(held.find(said), held.npos) << said;
}

TEST(Balp, our_own_exports_are_understood_again) {
    for (const auto type :
         {Type::RecordRead, Type::RecordSearched, Type::RecordCreated, Type::RecordUpdated,
          Type::RecordDeleted, Type::RecordExported, Type::ConsentDecided, Type::SignedIn,
          Type::SignedOut, Type::BreakGlass, Type::AccessRefused, Type::AccountChanged,
          Type::MailHeld, Type::FileChanged, Type::IncidentOpened}) {
        const Event event = served(type);
        const Event again = from_audit_event(exported(event).dump()).value();
        EXPECT_EQ(again.type, event.type) << name_of(type);
        EXPECT_EQ(again.id, event.id);
        EXPECT_EQ(again.time, event.time);
        EXPECT_EQ(again.actor.id, event.actor.id);
        EXPECT_EQ(again.subject.patient, event.subject.patient);
        EXPECT_EQ(again.network, event.network);
        EXPECT_EQ(again.query, event.query);
        EXPECT_EQ(again.basis, event.basis);
    }
    Event refused = served(Type::SignInRefused);
    refused.outcome = Outcome::SeriousFailure;
    EXPECT_EQ(from_audit_event(exported(refused).dump())->type, Type::SignInRefused);
    EXPECT_EQ(from_audit_event(exported(served(Type::KeyShredded)).dump())->type, Type::Reported);
}

TEST(Balp, several_patients_are_no_single_patient) {
    json resource = exported(served(Type::RecordRead));
    for (const char* reference : {"Patient/p-42/_history/3", "Patient/p-43"}) {
        resource["entity"].push_back(resource["entity"][0]);
        resource["entity"].back()["what"]["reference"] = reference;
        const auto event = from_audit_event(resource.dump()).value();
        EXPECT_EQ(event.subject.patient.str(),
                  std::string_view(reference).ends_with("43") ? "" : "p-42");
    }
}

TEST(Balp, refuses_what_is_no_audit_event) {
    const json good = exported(served(Type::RecordRead));
    ASSERT_TRUE(check_audit_event(good.dump()));
    for (const char* pointer : {"/resourceType", "/type", "/recorded", "/agent", "/source",
                                "/source/observer", "/agent/0/requestor"}) {
        json broken = good;
        const json::json_pointer at(pointer);
        broken[at.parent_pointer()].erase(at.back());
        EXPECT_EQ(check_audit_event(broken.dump()).error().code, Code::BadInput) << pointer;
    }
    for (const auto& [pointer, value] :
         std::initializer_list<std::pair<const char*, json>>{{"/resourceType", "Patient"},
                                                             {"/outcome", "5"},
                                                             {"/action", "RR"},
                                                             {"/action", "X"},
                                                             {"/recorded", "1950-01-01T00:00:00Z"},
                                                             {"/agent", "x"}}) {
        json broken = good;
        broken[json::json_pointer(pointer)] = value;
        EXPECT_EQ(check_audit_event(broken.dump()).error().code, Code::BadInput) << pointer;
    }
    std::string twice = good.dump();
    twice.insert(twice.rfind('}'), R"(,"x":{"a":1,"a":2})");
    EXPECT_EQ(check_audit_event(twice).error().code, Code::BadInput);
}

}  // namespace
}  // namespace hygie::event
