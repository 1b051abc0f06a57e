#include <algorithm>
#include <bit>

#include "fhir/search/search_scan.h"

namespace hygie::fhir {
namespace {

/// Keys compare as bytes, and none is the start of another: so they can follow each other.
std::string ordered(std::uint64_t value) {
    std::string bytes(sizeof value, '\0');
    store_be(reinterpret_cast<std::uint8_t*>(bytes.data()), value);
    return bytes;
}
std::string ordered(std::int64_t value) {
    return ordered(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
}
std::string ordered(std::string_view text) {
    std::string bytes(text);
    bytes.push_back('\0');
    return bytes;
}
/// To fifteen digits: finer differences keep no order.
std::string ordered(const Decimal& value) {
    const auto bits = std::bit_cast<std::uint64_t>(value.to_double());
    constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    return ordered((bits & kSign) != 0 ? ~bits : bits | kSign);
}

struct Ordered {
    std::string operator()(const Token& token) const { return ordered(token.code); }
    std::string operator()(const DateRange& date) const { return ordered(date.first); }
    std::string operator()(const Amount& amount) const { return ordered(amount.low); }
    std::string operator()(const Words& words) const { return ordered(words.folded); }
    std::string operator()(const Uri& uri) const { return ordered(uri.text); }
    std::string operator()(const Reference& reference) const {
        return ordered(reference.type) + ordered(reference.id);
    }
};

/// What orders the candidates of one place by one key: of several values the lowest, or the highest
/// when descending. Empty for those without value.
std::vector<std::string> keys_of(const Place& place, std::span<const Candidate> candidates,
                                 std::string_view type, const SortKey& sort) {
    std::vector<std::string> keys(candidates.size());
    const auto& data = *place.data;
    if (sort.kind != SortKey::Kind::Param) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto entry = candidates[i].index;
            keys[i] = sort.kind == SortKey::Kind::Id
                          ? ordered(data.entries.id(entry))
                          : ordered(date_range(data.entries.cells[entry].updated).first);
        }
        return keys;
    }
    constexpr std::uint32_t kNone = UINT32_MAX;
    std::vector<std::uint32_t> places(data.entries.cells.size(), kNone);
    for (std::uint32_t i = 0; i < candidates.size(); ++i) places[candidates[i].index] = i;
    const auto& plan = *plan_of(type)->of(*sort.param);
    const auto take = [&](const Values& values, const Source& source) {
        const auto* reference = std::get_if<Reference>(&values.value());
        if (reference != nullptr && !source.target.empty() && reference->type != source.target)
            return;
        std::string key;
        for (const auto entry : values.entries()) {
            if (places[entry] == kNone) continue;
            if (key.empty()) key = std::visit(Ordered{}, values.value());
            auto& best = keys[places[entry]];
            if (best.empty() || (sort.descending ? key > best : key < best)) best = key;
        }
    };
    for_columns(data, data.type_named(type), plan.sources,
                [&](Values& values, const Source& source) {
                    while (values.kind() != CellKind::Composite && values.next())
                        take(values, source);
                });
    return keys;
}

/// Those without value come last, in either direction.
void add_key(std::string& out, std::string key, bool descending) {
    out.push_back(key.empty() ? '\1' : '\0');
    if (descending) {
        for (char& c : key) c = static_cast<char>(~c);
    }
    out += key;
}

}  // namespace

std::vector<Candidate> candidates(const Places& places, const Selection& selection,
                                  const Query& query) {
    std::vector<Candidate> all;
    for (std::uint32_t i = 0; i < places.size(); ++i) {
        const auto& data = *places[i].data;
        const auto first = all.size();
        selection[i].for_each([&](std::size_t entry) {
            all.push_back({{}, data.entries.id(entry), i, static_cast<std::uint32_t>(entry)});
        });
        const auto own = std::span(all).subspan(first);
        if (own.empty()) continue;
        for (const auto& sort : query.sort) {
            auto keys = keys_of(places[i], own, query.type, sort);
            for (std::size_t j = 0; j < own.size(); ++j) {
                add_key(own[j].key, std::move(keys[j]), sort.descending);
            }
        }
    }
    return all;
}

}  // namespace hygie::fhir
