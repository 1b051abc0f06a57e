#include "fhir/clinical/likeness.h"

#include <algorithm>
#include <string>
#include <vector>

#include "fhir/search/search_value.h"
#include "fhir/validate/french.h"

namespace hygie::fhir {

namespace {

// In bits, about: how much rarer it is among strangers than for one person written twice.
constexpr int kFamilySame = 8;
constexpr int kFamilyNear = 5;
constexpr int kFamilyOther = -4;  ///< people marry
constexpr int kGivenSame = 6;
constexpr int kGivenNear = 3;
constexpr int kGivenOther = -6;
constexpr int kBirthSame = 10;
constexpr int kBirthNear = 5;  ///< one digit is another, or day and month changed places
constexpr int kBirthOther = -8;
constexpr int kSexSame = 1;
constexpr int kSexOther = -6;
constexpr int kReachSame = 5;    ///< a telephone, an address of mail
constexpr int kNumberSame = 10;  ///< an identifier other than INS

constexpr int kProbable = 20;
constexpr int kPossible = 12;
constexpr int kMost = kFamilySame + kGivenSame + kBirthSame + kSexSame + kReachSame;

using Names = std::vector<std::string>;

void add_folded(Names& names, std::string_view text) {
    std::string folded = fold(text);
    if (!folded.empty()) names.push_back(std::move(folded));
}

Names families_of(Json patient) {
    Names names;
    for (const Json name : patient["name"].items()) add_folded(names, name["family"].text());
    return names;
}

/// The first given name, whole, of each name: it is what people are called by.
Names givens_of(Json patient) {
    Names names;
    for (const Json name : patient["name"].items())
        if (const auto given = name["given"].items(); !given.empty())
            add_folded(names, given.front().text());
    return names;
}

/// Whether one letter was left out, put in or changed, or two changed places.
bool is_slip(std::string_view left, std::string_view right) {
    constexpr std::size_t kLettersMin = 4;
    if (left.size() > right.size()) std::swap(left, right);
    if (left.size() < kLettersMin || right.size() - left.size() > 1) return false;
    const auto [l, r] = std::ranges::mismatch(left, right);
    const auto rest = left.substr(static_cast<std::size_t>(l - left.begin()));
    const auto other = right.substr(static_cast<std::size_t>(r - right.begin()));
    if (other.empty()) return true;
    if (left.size() < right.size()) return rest == other.substr(1);
    if (rest.substr(1) == other.substr(1)) return true;
    return rest.size() > 1 && rest[0] == other[1] && rest[1] == other[0] &&
           rest.substr(2) == other.substr(2);
}

struct Weights {
    int same, near, other;
};

int weigh(const Names& left, const Names& right, const Weights& weights) {
    if (left.empty() || right.empty()) return 0;
    int best = weights.other;
    for (const std::string& one : left)
        for (const std::string& two : right) {
            if (one == two) return weights.same;
            // "Jean" of "Jean Pierre", an initial.
            const bool begins = one.starts_with(two) || two.starts_with(one);
            if (begins || is_slip(one, two)) best = weights.near;
        }
    return best;
}

int weigh_birth(std::string_view left, std::string_view right) {
    constexpr std::size_t kDay = 10;  // "1980-05-11"
    if (left.empty() || right.empty()) return 0;
    const std::size_t shorter = std::min(left.size(), right.size());
    if (left.substr(0, shorter) == right.substr(0, shorter))
        return shorter == kDay ? kBirthSame : kBirthNear;
    if (left.size() != kDay || right.size() != kDay) return kBirthOther;
    const bool is_turned = left.substr(0, 4) == right.substr(0, 4) &&
                           left.substr(5, 2) == right.substr(8, 2) &&
                           left.substr(8, 2) == right.substr(5, 2);
    std::size_t different = 0;
    for (std::size_t i = 0; i < kDay; ++i) different += left[i] == right[i] ? 0 : 1;
    return is_turned || different == 1 ? kBirthNear : kBirthOther;
}

int weigh_sex(std::string_view left, std::string_view right) {
    const auto is_told = [](std::string_view sex) { return sex == "male" || sex == "female"; };
    if (!is_told(left) || !is_told(right)) return 0;
    return left == right ? kSexSame : kSexOther;
}

bool shares_reach(Json left, Json right) {
    const auto spelled = [](Json contact) {
        std::string number = phone_number(contact["value"].text());
        return number.empty() ? fold(contact["value"].text()) : number;
    };
    for (const Json one : left["telecom"].items())
        for (const Json two : right["telecom"].items())
            if (const std::string value = spelled(one); !value.empty() && value == spelled(two))
                return true;
    return false;
}

bool shares_number(Json left, Json right) {
    for (const Json one : left["identifier"].items())
        for (const Json two : right["identifier"].items())
            if (!one["system"].text().empty() && !one["value"].text().empty() &&
                one["system"] == two["system"] && one["value"] == two["value"])
                return true;
    return false;
}

Likeness graded(int bits, bool is_one_number, bool are_two_numbers) {
    using Grade = Likeness::Grade;
    const Grade by_traits = bits >= kProbable   ? Grade::Probable
                            : bits >= kPossible ? Grade::Possible
                                                : Grade::CertainlyNot;
    Likeness found{by_traits, std::clamp(bits * 1000 / kMost, 0, 999)};
    // A number that two people share is a mistake to look at, not a proof.
    if (is_one_number) found.grade = bits >= kPossible ? Grade::Certain : Grade::Possible;
    if (found.grade == Grade::Certain) found.permille = 1000;
    if (are_two_numbers) found.grade = std::min(found.grade, Grade::Possible);
    return found;
}

}  // namespace

Likeness likeness(Json asked, Json known) {
    int bits =
        weigh(families_of(asked), families_of(known), {kFamilySame, kFamilyNear, kFamilyOther});
    bits += weigh(givens_of(asked), givens_of(known), {kGivenSame, kGivenNear, kGivenOther});
    bits += weigh_birth(asked["birthDate"].text(), known["birthDate"].text());
    bits += weigh_sex(asked["gender"].text(), known["gender"].text());
    if (shares_reach(asked, known)) bits += kReachSame;
    if (shares_number(asked, known)) bits += kNumberSame;
    const auto numbers = ins_numbers(asked);
    const auto others = ins_numbers(known);
    const bool is_one = std::ranges::find_first_of(numbers, others) != numbers.end();
    return graded(bits, is_one, !is_one && !numbers.empty() && !others.empty());
}

std::string_view code_of(Likeness::Grade grade) {
    switch (grade) {
        case Likeness::Grade::Certain:
            return "certain";
        case Likeness::Grade::Probable:
            return "probable";
        case Likeness::Grade::Possible:
            return "possible";
        case Likeness::Grade::CertainlyNot:
            break;
    }
    return "certainly-not";
}

}  // namespace hygie::fhir
