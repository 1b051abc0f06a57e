#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/circle.h"
#include "fhir/data/json.h"

/// What FHIR R4 resources say about circles of care. Reading is generous — any resource that names
/// a patient and somebody who acted is a reason to be there, for its time — and never guesses: what
/// was cancelled, refused or entered in error says nothing.
namespace hygie::access {

/// Eighteen years.
inline constexpr Second kMajority = 18 * (365 * 86'400 + 21'600);

/// [from, to)
struct Span {
    Second from = 0;
    Second to = kForever;
    bool operator==(const Span&) const = default;
};

struct ReadBond {
    std::string patient;
    std::string party;  ///< empty: everybody
    Relation::Kind kind{};
    Span span{};
    std::string evidence;
    Classes classes = kAllClasses;
    bool until_majority = false;  ///< a parent's
};

struct ReadMembership {
    std::string person;
    std::string party;
    Post post{};
    Span span{};
    std::string evidence;
    bool serves_house = false;  ///< an office that has to do with every stay of the establishment
};

struct ReadDelegation {
    std::string person;
    std::string principal;
    Span span{};
    std::string evidence;
};

/// A place, service or organisation.
struct ReadUnit {
    std::vector<std::string> above;  ///< what it is part of or managed by
    bool is_whole = false;           ///< says of itself that it is a site or a whole provider
    bool is_team = false;            ///< says of itself that it is a ward, department or team
};

struct ReadPerson {
    std::string name;        ///< as a person says it, may be empty
    std::string profession;  ///< TRE-G15 code, the first one said
    bool is_desk = false;    ///< holds a position of reception, secretariat or billing
    bool is_care = false;    ///< holds another one
};

/// Everything read so far. Names are references: "Practitioner/1".
struct ReadFacts {
    std::vector<ReadBond> bonds;
    std::vector<ReadMembership> memberships;
    std::vector<ReadDelegation> delegations;
    std::map<std::string, std::string, std::less<>> aliases;  ///< other spellings of a name
    std::map<std::string, Second, std::less<>>
        births;  ///< of patients; 0 when unknown or before 1990
    std::map<std::string, ReadUnit, std::less<>> units;
    std::map<std::string, ReadPerson, std::less<>> persons;
    std::map<std::string, std::vector<std::string>, std::less<>> service_places;
    /// What stands in two resources.
    std::map<std::string, std::vector<std::string>, std::less<>> appointment_patients;
    struct Answer {
        std::string appointment, party, evidence;
        Span span;
    };
    std::vector<Answer> answers;
    struct Roster {
        std::vector<std::string> persons, units;
        bool on_call = false;
        Span horizon;
        std::vector<Span> slots;
    };
    std::map<std::string, Roster, std::less<>> rosters;  ///< by Schedule
    std::map<std::string, std::string, std::less<>> slot_schedules;
    /// A time given away: who holds it is who the Slot's Schedule names.
    struct Booked {
        std::vector<std::string> patients, slots;
        std::string evidence;
        Relation::Kind kind{};
        Span span;
    };
    std::vector<Booked> booked;
    /// What names no patient itself but another resource that does.
    struct Indirect {
        std::vector<std::string> through;
        std::string party, evidence;
        Relation::Kind kind{};
        Span span;
    };
    std::vector<Indirect> indirect;
    std::map<std::string, std::string, std::less<>> subjects;  ///< the patient of each resource
    std::size_t resources = 0;
    /// Only relative references are ours: an absolute one names somebody of another server. A world
    /// of files has no server, there all are taken.
    bool local_only = false;
    /// Units that are whole houses, when that was measured over more than what was read here.
    std::shared_ptr<const std::set<std::string, std::less<>>> wholes;
};

/// Units that are whole houses and tie nobody: members work there, they do not treat all of it.
/// `members`: how many persons work in each; `persons`: how many in any.
std::set<std::string> whole_units(const std::map<std::string, ReadUnit, std::less<>>& units,
                                  const std::map<std::string, std::size_t>& members,
                                  std::size_t persons);

/// Reads one resource; a Bundle is read entry by entry, with its fullUrl as another spelling.
void read_resource(fhir::Json resource, ReadFacts& facts, std::string_view full_url = {});

/// The name a Reference stands for: "Practitioner/1", "urn:uuid:…", "Practitioner?identifier=s|v";
/// empty when there is none, or when it is absolute and `local_only`.
std::string reference_name(fhir::Json reference, bool local_only = false);
/// The same where it may also mean one of the resource's contained resources.
std::string reference_name_in(fhir::Json resource, fhir::Json reference, bool local_only);
/// The party of all who do such things: a role code, or "pharmacy", "laboratory", "imaging".
std::string trade_of(std::string_view code);
/// How a moment becomes whole seconds: who is let in is so no longer than it says, who is kept out
/// no shorter.
enum class Rounding : std::uint8_t { In, Out };
/// What a FHIR date, dateTime or Period covers; everything when it is neither.
Span span_of(fhir::Json value, Rounding rounding = Rounding::In);
bool has_time(fhir::Json value);

/// Resources that are one act by somebody for somebody: from the table of circle_acts.cc.
void read_act(fhir::Json resource, const std::string& self, ReadFacts& facts);
/// Calls `each` for every value at a dotted path, arrays flattened.
template <typename Each>
void each_at(fhir::Json value, std::string_view path, const Each& each) {
    if (value.is_array()) {
        for (const fhir::Json& item : value.items()) each_at(item, path, each);
        return;
    }
    if (value.absent()) return;
    if (path.empty()) return each(value);
    const auto dot = path.find('.');
    const std::string_view rest =
        dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    each_at(value[path.substr(0, dot)], rest, each);
}
/// Whether what a CodeableConcept says, by code, display or text, contains one of the words.
bool mentions(fhir::Json concepts, std::initializer_list<std::string_view> words);

}  // namespace hygie::access
