#include <algorithm>
#include <bit>

#include "fhir/search/search_match.h"
#include "fhir/search/search_scan.h"

namespace hygie::fhir {

bool Bits::none() const {
    return std::ranges::all_of(words_, [](auto word) { return word == 0; });
}

std::size_t Bits::count() const {
    std::size_t sum = 0;
    for (const auto word : words_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
}

void Bits::keep(const Bits& others) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= others.words_[i];
}

void Bits::drop(const Bits& others) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~others.words_[i];
}

void Bits::keep_range(std::size_t first, std::size_t end) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
        const auto low = i * kWord;
        if (low + kWord <= first || low >= end) {
            words_[i] = 0;
            continue;
        }
        if (low < first) words_[i] &= ~std::uint64_t{0} << (first - low);
        if (low + kWord > end) words_[i] &= ~std::uint64_t{0} >> (low + kWord - end);
    }
}

Places places_of(const Space& space) {
    Places places;
    for (std::size_t i = 0; i < space.compartments.size(); ++i) {
        for (const auto& piece : space.compartments[i]->pieces()) {
            places.push_back({i, &piece, &piece.segment->data()});
        }
    }
    return places;
}

namespace {

/// Marks the entries whose value in a column fulfils `holds()`.
template <typename Holds>
void mark(Values& values, Bits& found, Holds&& holds) {
    while (values.next()) {
        if (!holds()) continue;
        for (const auto entry : values.entries()) found.set(entry);
    }
}

bool value_matches(const SearchValue& value, const Operand& operand, Modifier modifier) {
    return std::visit([&](const auto& one) { return matches(one, operand, modifier); }, value);
}

/// Which kind of cell answers a parameter; guards against values of another kind.
bool kind_suits(CellKind kind, SearchParam::Type type) {
    using Type = SearchParam::Type;
    switch (kind) {
        case CellKind::Token:
            return type == Type::Token;
        case CellKind::Date:
            return type == Type::Date;
        case CellKind::Amount:
            return type == Type::Number || type == Type::Quantity;
        case CellKind::Words:
            return type == Type::String;
        case CellKind::Uri:
            return type == Type::Uri;
        case CellKind::Reference:
            return type == Type::Reference;
        case CellKind::Composite:
            return type == Type::Composite;
    }
    return false;
}

bool is_target(const Values& values, const Source& source) {
    return source.target.empty() || values.kind() != CellKind::Reference ||
           std::get<Reference>(values.value()).type == source.target;
}

/// The scan of one place for one type.
class Scan {
  public:
    Scan(const Place& place, std::size_t type)
        : place_(place), data_(*place.data), type_(type), range_(data_.types[type]) {}

    /// Entries that fulfil a criterion (others outside of the type's range may be marked too).
    Bits find(const Prepared& prepared) const {
        const Criterion& criterion = *prepared.criterion;
        Bits found(size());
        switch (criterion.kind) {
            case Criterion::Kind::Id:
                by_id(criterion, found);
                break;
            case Criterion::Kind::LastUpdated:
                by_time(criterion, found);
                break;
            case Criterion::Kind::Chain:
                by_chain(prepared, found);
                break;
            case Criterion::Kind::Has:
            case Criterion::Kind::Either:
                for (const auto id : prepared.ids.front().second) by_id(id, found);
                break;
            case Criterion::Kind::Value:
                by_value(prepared, found);
                break;
        }
        return found;
    }

  private:
    std::size_t size() const { return data_.entries.cells.size(); }
    void by_id(std::string_view id, Bits& found) const {
        if (const auto index = place_.piece->segment->find(range_.name, id)) found.set(*index);
    }
    void by_id(const Criterion& criterion, Bits& found) const {
        if (criterion.modifier == Modifier::Missing) return all_unless(criterion.missing, found);
        for (const auto& operand : criterion.any) {
            if (operand.system.value_or("").empty()) by_id(operand.text, found);
        }
    }
    void by_time(const Criterion& criterion, Bits& found) const {
        if (criterion.modifier == Modifier::Missing) return all_unless(criterion.missing, found);
        for (auto i = range_.first; i < range_.end; ++i) {
            const auto updated = date_range(data_.entries.cells[i].updated);
            const bool holds = std::ranges::any_of(criterion.any, [&](const Operand& operand) {
                return matches(updated, operand, Modifier::None);
            });
            if (holds) found.set(i);
        }
    }
    void all_unless(bool missing, Bits& found) const {
        for (auto i = range_.first; !missing && i < range_.end; ++i) found.set(i);
    }

    void by_chain(const Prepared& prepared, Bits& found) const {
        for_columns(data_, type_, prepared.plan->sources, [&](Values& values, const auto& source) {
            if (values.kind() != CellKind::Reference) return;
            mark(values, found, [&] {
                const auto& to = std::get<Reference>(values.value());
                return is_target(values, source) &&
                       std::ranges::any_of(prepared.ids, [&](const auto& one) {
                           return one.first == to.type && one.second.contains(to.id);
                       });
            });
        });
    }

    void by_value(const Prepared& prepared, Bits& found) const {
        const Criterion& criterion = *prepared.criterion;
        if (criterion.modifier == Modifier::Missing) {
            present(prepared.plan->sources, found);
            return;
        }
        if (criterion.modifier == Modifier::OfType) return by_kind(prepared, found);
        if (criterion.param->type == SearchParam::Type::Composite) {
            for (const auto& operand : criterion.any)
                plain_composite(*prepared.plan, operand, found);
        }
        for_columns(data_, type_, prepared.plan->sources, [&](Values& values, const auto& source) {
            if (!kind_suits(values.kind(), criterion.param->type)) return;
            mark(values, found, [&] {
                return is_target(values, source) &&
                       std::ranges::any_of(criterion.any, [&](const Operand& operand) {
                           return values.kind() == CellKind::Composite
                                      ? composite_matches(values.parts(), *criterion.param, operand)
                                      : value_matches(values.value(), operand, criterion.modifier);
                       });
            });
        });
    }

    /// Identifiers by their type and value (search_extract.cc makes composites of them).
    void by_kind(const Prepared& prepared, Bits& found) const {
        for_columns(data_, type_, prepared.plan->sources, [&](Values& values, const auto&) {
            if (values.kind() != CellKind::Composite) return;
            mark(values, found, [&] {
                const auto parts = values.parts();
                return parts.size() == 2 &&
                       std::ranges::any_of(prepared.criterion->any, [&](const Operand& operand) {
                           return matches_typed(std::get<Token>(parts[0]),
                                                std::get<Token>(parts[1]), operand);
                       });
            });
        });
    }

    void present(std::span<const Source> sources, Bits& found) const {
        for_columns(data_, type_, sources, [&](Values& values, const auto& source) {
            mark(values, found, [&] { return is_target(values, source); });
        });
    }

    static bool composite_matches(std::span<const SearchValue> parts, const SearchParam& param,
                                  const Operand& operand) {
        if (parts.size() != operand.parts.size()) return false;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (!kind_suits(kind_of(parts[i]), param.components[i].param->type) ||
                !value_matches(parts[i], operand.parts[i], Modifier::None)) {
                return false;
            }
        }
        return true;
    }

    /// Over the resource itself any combination counts: each part by its own column.
    void plain_composite(const ParamPlan& plan, const Operand& operand, Bits& found) const {
        if (plan.plain_parts.empty()) return;
        Bits all(size());
        for (std::size_t i = 0; i < plan.plain_parts.size(); ++i) {
            Bits part(size());
            const auto type = plan.param->components[i].param->type;
            for_columns(data_, type_, plan.plain_parts[i], [&](Values& values, const auto& source) {
                if (!kind_suits(values.kind(), type)) return;
                mark(values, part, [&] {
                    return is_target(values, source) &&
                           value_matches(values.value(), operand.parts[i], Modifier::None);
                });
            });
            if (i == 0) {
                all = std::move(part);
            } else {
                all.keep(part);
            }
        }
        all.for_each([&](std::size_t entry) { found.set(entry); });
    }

    const Place& place_;
    const Segment::Data& data_;
    std::size_t type_;
    const TypeRange& range_;
};

/// Whether a criterion is for those that are not found.
bool is_negated(const Criterion& criterion) {
    if (criterion.modifier == Modifier::Not) return true;
    return criterion.modifier == Modifier::Missing && criterion.missing &&
           criterion.kind == Criterion::Kind::Value;
}

/// What the selected entries of a type refer to by a parameter, if it is of type `target`.
std::unordered_set<std::string_view> referred(const Places& places, const Selection& selection,
                                              std::string_view type, const ParamPlan& plan,
                                              std::string_view target) {
    std::unordered_set<std::string_view> ids;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto& data = *places[i].data;
        const auto place = data.type_named(type);
        if (place == data.types.size() || selection[i].none()) continue;
        for_columns(data, place, plan.sources, [&](Values& values, const auto&) {
            while (values.kind() == CellKind::Reference && values.next()) {
                const auto& to = std::get<Reference>(values.value());
                if (to.type != target) continue;
                const bool selected = std::ranges::any_of(
                    values.entries(), [&](auto entry) { return selection[i].test(entry); });
                if (selected) ids.insert(to.id);
            }
        });
    }
    return ids;
}

std::unordered_set<std::string_view> ids_of(const Places& places, const Selection& selection) {
    std::unordered_set<std::string_view> ids;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto& data = *places[i].data;
        selection[i].for_each([&](std::size_t entry) { ids.insert(data.entries.id(entry)); });
    }
    return ids;
}

Prepared prepare(const Places& places, std::string_view type, const Criterion& criterion) {
    Prepared prepared{&criterion, nullptr, {}};
    if (criterion.kind == Criterion::Kind::Value || criterion.kind == Criterion::Kind::Chain) {
        prepared.plan = plan_of(type)->of(*criterion.param);
    }
    if (criterion.kind == Criterion::Kind::Either) prepared.ids.push_back({type, {}});
    for (const auto& inner : criterion.inner) {
        const auto selection = select(places, inner.type, inner.all);
        if (criterion.kind == Criterion::Kind::Either) {
            prepared.ids.front().second.merge(ids_of(places, selection));
            continue;
        }
        if (criterion.kind == Criterion::Kind::Chain) {
            prepared.ids.emplace_back(inner.type, ids_of(places, selection));
        } else {
            const auto& plan = *plan_of(inner.type)->of(*criterion.param);
            prepared.ids.emplace_back(type, referred(places, selection, inner.type, plan, type));
        }
    }
    return prepared;
}

}  // namespace

Selection select(const Places& places, std::string_view type, std::span<const Criterion> all,
                 std::size_t hits_from) {
    std::vector<Prepared> prepared;
    for (const auto& criterion : all) prepared.push_back(prepare(places, type, criterion));
    Selection selection;
    selection.reserve(places.size());
    for (const auto& place : places) {
        const auto at = place.data->type_named(type);
        if (at == place.data->types.size() || place.compartment >= hits_from) {
            selection.emplace_back(place.data->entries.cells.size());
            continue;
        }
        auto& left = selection.emplace_back(place.piece->live);
        left.keep_range(place.data->types[at].first, place.data->types[at].end);
        const Scan scan(place, at);
        for (const auto& one : prepared) {
            if (left.none()) break;
            const Bits found = scan.find(one);
            is_negated(*one.criterion) ? left.drop(found) : left.keep(found);
        }
    }
    return selection;
}

}  // namespace hygie::fhir
