#include "fhir/search/search_convert.h"

#include <algorithm>
#include <iterator>

namespace hygie::fhir {
namespace {

using Values = std::vector<SearchValue>;
using Kind = SearchParam::Type;

void add_token(Json code, Json system, std::string_view text, Values& out) {
    if (code.text().empty() && system.text().empty() && text.empty()) return;
    const auto scope = system.text().empty() ? Token::Scope::None : Token::Scope::Given;
    out.emplace_back(Token{code.text(), system.text(), scope, text});
}

void from_coding(Json coding, Values& out) {
    add_token(coding["code"], coding["system"], coding["display"].text(), out);
}

void from_concept(Json element, Values& out) {
    const auto text = element["text"].text();
    const auto codings = element["coding"].items();
    for (const Json coding : codings) from_coding(coding, out);
    const bool said =
        std::ranges::any_of(codings, [&](Json coding) { return coding["display"].text() == text; });
    if (!said) add_token({}, {}, text, out);
}

void from_identifier(Json identifier, Values& out) {
    add_token(identifier["value"], identifier["system"], identifier["type"]["text"].text(), out);
}

void add_bare_token(Json value, Values& out) {
    if (value.text().empty()) return;
    out.emplace_back(Token{value.text(), {}, Token::Scope::Implied, {}});
}

void from_contact(Json contact, Values& out) {
    add_bare_token(contact["value"], out);
}

void from_date(Json date, Values& out) {
    if (const auto range = parse_date(date.text())) out.emplace_back(*range);
}

void from_period(Json period, Values& out) {
    const auto start = parse_date(period["start"].text());
    const auto end = parse_date(period["end"].text());
    if (!start && !end) return;
    const DateRange range{start ? start->first : kDateOpenStart, end ? end->last : kDateOpenEnd};
    if (range.first <= range.last) out.emplace_back(range);
}

void from_timing(Json timing, Values& out) {
    // "The specified scheduling details are ignored and only the outer limits matter."
    Values events;
    for (const Json event : timing["event"].items()) from_date(event, events);
    if (events.empty()) return from_period(timing["repeat"]["boundsPeriod"], out);
    DateRange range = std::get<DateRange>(events.front());
    for (const auto& event : events) {
        range.first = std::min(range.first, std::get<DateRange>(event).first);
        range.last = std::max(range.last, std::get<DateRange>(event).last);
    }
    out.emplace_back(range);
}

void add_words(Json text, Values& out) {
    for (const Json item : text.items()) add_words(item, out);
    if (!text.text().empty()) out.emplace_back(Words{{}, text.text()});
}

void add_members(Json element, std::initializer_list<std::string_view> names, Values& out) {
    for (const auto name : names) add_words(element[name], out);
}

void from_human_name(Json name, Values& out) {
    add_members(name, {"family", "given", "prefix", "suffix", "text"}, out);
}

void from_address(Json address, Values& out) {
    add_members(address, {"line", "city", "district", "state", "postalCode", "country", "text"},
                out);
}

void add_amount(Json low, Json high, Json unit_of, Values& out) {
    static const Decimal kLeast = *Decimal::parse("-9e36");
    static const Decimal kMost = *Decimal::parse("9e36");
    if (!low && !high) return;
    const auto first = low ? Decimal::parse(low.text()) : kLeast;
    const auto last = high ? Decimal::parse(high.text()) : kMost;
    if (!first || !last) return;
    out.emplace_back(Amount{*first, *last, unit_of["system"].text(), unit_of["code"].text(),
                            unit_of["unit"].text()});
}

void from_quantity(Json quantity, Values& out) {
    add_amount(quantity["value"], quantity["value"], quantity, out);
}

void from_money(Json money, Values& out) {
    const auto value = Decimal::parse(money["value"].text());
    if (!value) return;
    const auto currency = money["currency"].text();
    out.emplace_back(Amount{*value, *value, "urn:iso:std:iso:4217", currency, currency});
}

void from_range(Json range, Values& out) {
    const Json low = range["low"];
    const Json high = range["high"];
    add_amount(low["value"], high["value"], low ? low : high, out);
}

void from_number(Json number, Values& out) {
    add_amount(number, number, {}, out);
}

void from_uri(Json uri, Values& out) {
    if (!uri.text().empty()) out.emplace_back(Uri{uri.text()});
}

void from_reference(Json element, Values& out) {
    Reference reference;
    const auto text = element["reference"].text();
    // What is contained in the resource is no other resource.
    if (!text.empty() && !text.starts_with('#')) reference = parse_reference(text);
    reference.identifier_system = element["identifier"]["system"].text();
    reference.identifier_value = element["identifier"]["value"].text();
    if (reference.id.empty() && reference.identifier_value.empty()) return;
    out.emplace_back(reference);
}

void from_canonical(Json canonical, Values& out) {
    const auto text = canonical.text();
    if (!text.empty() && !text.starts_with('#')) out.emplace_back(parse_reference(text));
}

void from_resource(Json resource, Values& out) {
    const auto id = resource["id"].text();
    if (!id.empty()) out.emplace_back(Reference{resource["resourceType"].text(), id});
}

struct Converter {
    Kind kind;
    std::string_view type;  ///< or what it derives from
    Convert convert;
};

constexpr Converter kConverters[] = {
    {Kind::Token, "Coding", from_coding},
    {Kind::Token, "CodeableConcept", from_concept},
    {Kind::Token, "Identifier", from_identifier},
    {Kind::Token, "ContactPoint", from_contact},
    {Kind::Token, "string", add_bare_token},
    {Kind::Token, "uri", add_bare_token},
    {Kind::Token, "boolean", add_bare_token},
    {Kind::Date, "dateTime", from_date},
    {Kind::Date, "date", from_date},
    {Kind::Date, "instant", from_date},
    {Kind::Date, "Period", from_period},
    {Kind::Date, "Timing", from_timing},
    {Kind::String, "string", add_words},
    {Kind::String, "HumanName", from_human_name},
    {Kind::String, "Address", from_address},
    {Kind::Quantity, "Quantity", from_quantity},
    {Kind::Quantity, "Money", from_money},
    {Kind::Quantity, "Range", from_range},
    {Kind::Number, "decimal", from_number},
    {Kind::Number, "integer", from_number},
    {Kind::Uri, "uri", from_uri},
    {Kind::Uri, "string", from_uri},
    {Kind::Reference, "Reference", from_reference},
    {Kind::Reference, "uri", from_canonical},
    {Kind::Reference, "Resource", from_resource},
};

}  // namespace

bool is_of_identifier(Convert convert) {
    return convert == from_identifier;
}

Convert converter_of(SearchParam::Type kind, const TypeDef& type) {
    const auto found = std::ranges::find_if(kConverters, [&](const Converter& converter) {
        return converter.kind == kind && type.is_a(converter.type);
    });
    return found == std::end(kConverters) ? nullptr : found->convert;
}

}  // namespace hygie::fhir
