#include "fhir/search/blind.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/ascii.h"
#include "fhir/search/search_plan.h"

namespace hygie::fhir {
namespace {

namespace chrono = std::chrono;

/// How values become terms.
enum class Manner : std::uint8_t { Code, Name, Calendar, Who };

/// What is allowed. Several parameters may share the terms of one: a family name is a name.
struct Rule {
    std::string_view type;
    std::string_view param;
    Manner manner;
    std::string_view kind;  ///< the param that writes them
};
constexpr Rule kRules[] = {
    {"Patient", "name", Manner::Name, "name"},
    {"Patient", "family", Manner::Name, "name"},
    {"Patient", "given", Manner::Name, "name"},
    {"Patient", "telecom", Manner::Code, "telecom"},
    {"Patient", "phone", Manner::Code, "telecom"},
    {"Patient", "email", Manner::Code, "telecom"},
    {"Patient", "birthdate", Manner::Calendar, "birthdate"},
    {"Appointment", "date", Manner::Calendar, "date"},
    {"Appointment", "actor", Manner::Who, "actor"},
    {"Encounter", "date", Manner::Calendar, "date"},
    {"Encounter", "participant", Manner::Who, "participant"},
    {"Schedule", "actor", Manner::Who, "actor"},
    {"Task", "owner", Manner::Who, "owner"},
    {"Task", "status", Manner::Code, "status"},
};

/// A longer stay is found by any date.
constexpr std::int64_t kStayDaysMax = 3;
constexpr std::int64_t kStayMonthsMax = 3;
constexpr std::int64_t kQueryDaysMax = 31;

/// The columns that answer a parameter of a type; empty when there is no such parameter.
std::span<const Source> columns_of(std::string_view type, std::string_view code) {
    const SearchParam* param = find_search_param(type, code);
    const TypePlan* plan = plan_of(type);
    const ParamPlan* found = param && plan ? plan->of(*param) : nullptr;
    return found ? std::span<const Source>(found->sources) : std::span<const Source>();
}

bool has_column(std::span<const Source> sources, std::uint16_t column) {
    return std::ranges::find(sources, column, &Source::param) != sources.end();
}

bool lives_in_records(std::string_view type) {
    return type == "Patient" || !patient_compartment_params(type).empty();
}

std::string term(std::string_view type, std::string_view kind, std::string_view value) {
    std::string out;
    for (const auto part : {type, std::string_view("."), kind}) out += part;
    out.push_back('\0');
    out += value;
    return out;
}

/// The first `count` code points; empty when there are fewer.
std::string_view prefix_of(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (starts && count-- == 0) return text.substr(0, at);
    }
    return count == 0 ? text : std::string_view();
}

/// Days and months since 1970 that a range touches; absent when it is open.
struct Span {
    std::int64_t first, last;
    std::int64_t count() const { return last - first + 1; }
};
chrono::sys_days day_at(std::int64_t units) {
    return chrono::floor<chrono::days>(
        chrono::sys_time<Micros>{Micros{units / kDateUnitsPerMicro - (units < 0 ? 1 : 0)}});
}
std::int64_t month_of(chrono::sys_days day) {
    const chrono::year_month_day date{day};
    return static_cast<int>(date.year()) * 12 +
           static_cast<int>(static_cast<unsigned>(date.month()));
}
bool is_open(const DateRange& date) {
    return date.first == kDateOpenStart || date.last == kDateOpenEnd;
}
Span days_of(const DateRange& date) {
    return {day_at(date.first).time_since_epoch().count(),
            day_at(date.last).time_since_epoch().count()};
}
Span months_of(const DateRange& date) {
    return {month_of(day_at(date.first)), month_of(day_at(date.last))};
}

/// "d19000" and "m24289": what lies in a day or month, "w24289": what lasts that whole month and
/// maybe more, "w": what lasts longer still.
void add_steps(Span span, char step, std::vector<std::string>& out) {
    for (auto i = span.first; i <= span.last; ++i) out.push_back(fmt::format("{}{}", step, i));
}

std::vector<std::string> steps_to_write(const DateRange& date) {
    std::vector<std::string> steps;
    if (!is_open(date) && days_of(date).count() <= kStayDaysMax) {
        add_steps(days_of(date), 'd', steps);
        add_steps(months_of(date), 'm', steps);
    } else if (!is_open(date) && months_of(date).count() <= kStayMonthsMax) {
        add_steps(months_of(date), 'm', steps);
        add_steps(months_of(date), 'w', steps);
    } else {
        steps.emplace_back("w");
    }
    return steps;
}

/// Steps of which what touches the range has one, by days when it is short; empty when it takes too
/// many.
std::vector<std::string> steps_to_ask(const DateRange& date) {
    std::vector<std::string> steps;
    if (is_open(date) || months_of(date).count() > static_cast<std::int64_t>(kDateTermsMax)) {
        return steps;
    }
    if (days_of(date).count() <= kQueryDaysMax) {
        add_steps(days_of(date), 'd', steps);
        add_steps(months_of(date), 'w', steps);
    } else {
        add_steps(months_of(date), 'm', steps);
    }
    steps.emplace_back("w");
    return steps;
}

/// A telephone is found however it is written.
std::string spelled(std::string_view kind, std::string_view code) {
    std::string number = kind == "telecom" ? phone_number(code) : std::string();
    return number.empty() ? lower(code) : number;
}

std::vector<std::string> values_to_write(Manner manner, std::string_view kind,
                                         const SearchValue& value) {
    std::vector<std::string> out;
    if (const auto* token = std::get_if<Token>(&value); token && manner == Manner::Code) {
        if (!token->code.empty()) out.push_back(spelled(kind, token->code));
    } else if (const auto* words = std::get_if<Words>(&value); words && manner == Manner::Name) {
        const auto folded = fold(words->text);
        for (const auto length : kNamePrefixes) {
            const auto prefix = prefix_of(folded, length);
            if (!prefix.empty()) out.emplace_back(prefix);
        }
    } else if (const auto* date = std::get_if<DateRange>(&value);
               date && manner == Manner::Calendar) {
        out = steps_to_write(*date);
    } else if (const auto* who = std::get_if<Reference>(&value); who && manner == Manner::Who) {
        // Patients are known by their own record.
        if (!who->type.empty() && who->type != "Patient") {
            out.push_back(fmt::format("{}/{}", who->type, who->id));
        }
    }
    return out;
}

/// Whom a resource names, when it names several; who else a patient is does not count.
void add_patients(const IndexedResource& resource, std::vector<std::string>& out) {
    if (resource.entry.type == "Patient") return;
    std::vector<std::string_view> patients;
    for (const auto& row : resource.rows) {
        const auto* who = std::get_if<Reference>(&row.value);
        if (who == nullptr || who->type != "Patient") continue;
        if (std::ranges::find(patients, who->id) == patients.end()) patients.push_back(who->id);
    }
    if (patients.size() < 2) return;
    for (const auto id : patients) out.push_back(patient_term(id));
}

/// The values of one alternative; nothing when it says too little.
std::vector<std::string> values_to_ask(Manner manner, std::string_view kind,
                                       const Criterion& criterion, const Operand& operand) {
    std::vector<std::string> out;
    if (manner == Manner::Code && !operand.text.empty()) out.push_back(spelled(kind, operand.text));
    if (manner == Manner::Name) {
        const auto folded = fold(operand.text);
        for (const auto length : kNamePrefixes) {
            const auto prefix = prefix_of(folded, length);
            if (!prefix.empty()) out = {std::string(prefix)};
        }
    }
    if (manner == Manner::Who && !operand.text.contains(':')) {
        const auto add = [&](std::string_view type) {
            // A patient is no term here, and could be meant.
            if (type == "Patient") return false;
            out.push_back(fmt::format("{}/{}", type, operand.text));
            return true;
        };
        if (!operand.type.empty()) {
            if (!add(operand.type)) out.clear();
        } else if (!std::ranges::all_of(criterion.param->targets, add)) {
            out.clear();
        }
    }
    return out;
}

/// What a value must touch for a prefix to hold.
DateRange reach_of(const Operand& operand) {
    switch (operand.prefix) {
        case Prefix::Eq:
        case Prefix::Ap:
            return operand.date;
        case Prefix::Ge:
        case Prefix::Gt:
        case Prefix::Sa:
            return {operand.date.first, kDateOpenEnd};
        case Prefix::Le:
        case Prefix::Lt:
        case Prefix::Eb:
            return {kDateOpenStart, operand.date.last};
        case Prefix::Ne:
            break;
    }
    return {kDateOpenStart, kDateOpenEnd};
}

/// "date=ge2024-05-01&date=lt2024-05-08" together: these dates have one value per resource, which
/// reaches into each range that is asked for, so into what lies between.
class Calendar {
  public:
    void add(const Criterion& criterion) {
        DateRange any{kDateOpenEnd, kDateOpenStart};
        for (const auto& operand : criterion.any) {
            const auto reach = reach_of(operand);
            any = {std::min(any.first, reach.first), std::max(any.last, reach.last)};
        }
        if (criterion.any.empty()) return;
        all_ = {std::max(all_.first, any.first), std::min(all_.last, any.last)};
    }
    DateRange all() const {
        return {std::min(all_.first, all_.last), std::max(all_.first, all_.last)};
    }

  private:
    DateRange all_{kDateOpenStart, kDateOpenEnd};
};

class Narrower {
  public:
    explicit Narrower(Narrowed& out) : out_(out) {}

    void add(std::string_view type, std::span<const Criterion> all) {
        for (const auto& criterion : all) {
            if (criterion.kind == Criterion::Kind::Chain) {
                by_chain(type, criterion);
            } else if (criterion.kind == Criterion::Kind::Either) {
                by_either(criterion);
            } else if (criterion.modifier == Modifier::None ||
                       criterion.modifier == Modifier::Exact ||
                       criterion.modifier == Modifier::OfType) {
                if (criterion.kind == Criterion::Kind::Id && type == "Patient") by_id(criterion);
                if (criterion.kind == Criterion::Kind::Value) by_value(type, criterion);
            }
        }
        for (const auto& rule : kRules) {
            if (rule.type == type && rule.manner == Manner::Calendar) by_calendar(rule, all);
        }
    }

  private:
    /// Where each says something, one of it holds.
    void by_either(const Criterion& criterion) {
        std::vector<std::string> any;
        for (const auto& inner : criterion.inner) {
            Narrowed one;
            Narrower(one).add(inner.type, inner.all);
            if (one.all_of_any.empty()) return;
            std::ranges::move(one.all_of_any.front(), std::back_inserter(any));
        }
        if (!any.empty()) out_.all_of_any.push_back(std::move(any));
    }

    void by_id(const Criterion& criterion) {
        if (out_.patients) return;
        out_.patients.emplace();
        for (const auto& operand : criterion.any) out_.patients->push_back(operand.text);
    }

    void by_value(std::string_view type, const Criterion& criterion) {
        by_patients(type, criterion);
        if (!lives_in_records(type)) return;
        if (criterion.param->code == "identifier") {
            by_terms({type, "identifier", Manner::Code, "identifier"}, criterion);
        }
        const auto sources = columns_of(type, criterion.param->code);
        for (const auto& rule : kRules) {
            if (rule.type != type || rule.manner == Manner::Calendar || sources.size() != 1)
                continue;
            if (!has_column(columns_of(type, rule.param), sources.front().param)) continue;
            by_terms(rule, criterion);
            return;
        }
    }

    void by_terms(const Rule& rule, const Criterion& criterion) {
        std::vector<std::string> any;
        for (const auto& operand : criterion.any) {
            const auto values = values_to_ask(rule.manner, rule.kind, criterion, operand);
            // One alternative that cannot be looked up could be met anywhere.
            if (values.empty()) return;
            for (const auto& value : values) any.push_back(term(rule.type, rule.kind, value));
        }
        if (!any.empty()) out_.all_of_any.push_back(std::move(any));
    }

    void by_calendar(const Rule& rule, std::span<const Criterion> all) {
        Calendar calendar;
        for (const auto& criterion : all) {
            const bool meant = criterion.kind == Criterion::Kind::Value &&
                               criterion.modifier == Modifier::None &&
                               criterion.param == find_search_param(rule.type, rule.param);
            if (meant) calendar.add(criterion);
        }
        std::vector<std::string> any;
        for (const auto& step : steps_to_ask(calendar.all())) {
            any.push_back(term(rule.type, rule.kind, step));
        }
        if (!any.empty()) out_.all_of_any.push_back(std::move(any));
    }

    /// "subject=Patient/1": in that patient's record, or in one that says so.
    void by_patients(std::string_view type, const Criterion& criterion) {
        if (out_.patients || criterion.param->type != SearchParam::Type::Reference) return;
        const auto sources = columns_of(type, criterion.param->code);
        const bool by_compartment =
            std::ranges::any_of(patient_compartment_params(type), [&](std::string_view code) {
                return std::ranges::all_of(sources, [&](const Source& source) {
                    return has_column(columns_of(type, code), source.param);
                });
            });
        const bool patients_only =
            std::ranges::all_of(sources, [](const auto& s) { return s.target == "Patient"; }) ||
            (criterion.param->targets.size() == 1 && criterion.param->targets.front() == "Patient");
        const bool named = std::ranges::all_of(criterion.any, [&](const Operand& operand) {
            return operand.type == "Patient" ||
                   (operand.type.empty() && patients_only &&
                    operand.text.find_first_of(":/") == std::string::npos);
        });
        if (!by_compartment || !named || sources.empty()) return;
        out_.patients.emplace();
        for (const auto& operand : criterion.any) {
            out_.patients->push_back(operand.text);
            out_.patient_terms.push_back(patient_term(operand.text));
        }
    }

    /// "patient.identifier=…": what identifies a patient leads to the record, if that is where the
    /// reference leads too.
    void by_chain(std::string_view type, const Criterion& criterion) {
        const auto params = patient_compartment_params(type);
        if (params.empty()) return;
        const auto sources = columns_of(type, criterion.param->code);
        const auto home = columns_of(type, params.front());
        // "patient" is said to mean groups too; what it reads may not (but in DeviceUseStatement).
        const bool leads_to_patients = criterion.param->code == "patient";
        const auto patient = std::ranges::find(criterion.inner, "Patient", &Criterion::Inner::type);
        if (patient == criterion.inner.end()) return;
        if (criterion.inner.size() != 1 && !leads_to_patients) return;
        if (sources.size() != 1 || home.size() != 1 || sources[0].param != home[0].param) return;
        const auto& plan = *plan_of(type)->of(*search_param_numbered(home[0].param));
        if (plan.paths.size() != 1 || plan.paths.front().repeats) return;
        add("Patient", patient->all);
    }

    Narrowed& out_;
};

}  // namespace

std::string patient_term(std::string_view id) {
    return term("", "patient", id);
}

std::vector<std::string> terms(const IndexedResource& resource) {
    std::vector<std::string> out;
    const auto type = resource.entry.type;
    if (resource.entry.deleted) return out;
    add_patients(resource, out);
    if (!lives_in_records(type)) return out;
    const auto write = [&](const Rule& rule) {
        const auto sources = columns_of(type, rule.param);
        for (const auto& row : resource.rows) {
            if (row.part != 0 || !has_column(sources, row.param)) continue;
            for (const auto& value : values_to_write(rule.manner, rule.kind, row.value)) {
                out.push_back(term(type, rule.kind, value));
            }
        }
    };
    write({type, "identifier", Manner::Code, "identifier"});
    for (const auto& rule : kRules) {
        if (rule.type == type && rule.param == rule.kind) write(rule);
    }
    std::ranges::sort(out);
    const auto doubles = std::ranges::unique(out);
    out.erase(doubles.begin(), doubles.end());
    return out;
}

Narrowed narrow(const Query& query) {
    Narrowed out;
    Narrower(out).add(query.type, query.all);
    return out;
}

}  // namespace hygie::fhir
