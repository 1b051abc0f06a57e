#include "guards/records/request/patch_edit.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace hygie::records {

namespace {

using fhir::Json;

/// Decimal, without a leading zero (RFC 6901 §4).
std::optional<std::size_t> index_of(std::string_view text) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    if (!is_whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    return index;
}

Answer<Json> edit_array(fhir::Arena& arena, Json array, const std::string& token, Edit edit,
                        Json value) {
    std::vector<Json> items(array.items().begin(), array.items().end());
    if (edit == Edit::Add && token == "-") {
        items.push_back(value);
        return arena.array(items);
    }
    const auto index = index_of(token);
    if (!index || *index > items.size() || (edit != Edit::Add && *index == items.size()))
        return misfit({});
    const auto place = items.begin() + static_cast<std::ptrdiff_t>(*index);
    switch (edit) {
        case Edit::Add:
            items.insert(place, value);
            break;
        case Edit::Replace:
            *place = value;
            break;
        case Edit::Remove:
            items.erase(place);
            break;
    }
    return arena.array(items);
}

Answer<Json> edit_object(fhir::Arena& arena, Json object, const std::string& name, Edit edit,
                         Json value) {
    if (edit != Edit::Add && !object[name]) return misfit({});
    return arena.with(object, name, edit == Edit::Remove ? Json() : value);
}

}  // namespace

std::unexpected<Refusal> malformed_patch() {
    return refuse(
        400, "structure",
        {"une opération du patch est mal écrite", "an operation of the patch is malformed"},
        {"il faut op, path, et value ou from selon l'opération (RFC 6902 §4)",
         "op and path are needed, and value or from as the operation asks (RFC 6902 §4)"});
}

std::unexpected<Refusal> misfit(std::string expression) {
    return refuse(422, "processing",
                  {"le patch ne convient pas à la ressource telle qu'elle est",
                   "the patch does not fit the resource as it is"},
                  {"relisez la ressource, puis corrigez le chemin ou la valeur",
                   "read the resource again, then mend the path or the value"},
                  std::move(expression));
}

Answer<Pointer> parse_pointer(std::string_view text) {
    Pointer pointer;
    if (text.empty()) return pointer;
    if (text.front() != '/') return malformed_patch();
    for (const char c : text) {
        if (c == '/') {
            pointer.emplace_back();
        } else {
            pointer.back() += c;
        }
    }
    for (std::string& token : pointer) {
        for (std::size_t i = 0; (i = token.find('~', i)) != token.npos; ++i) {
            const char code = i + 1 < token.size() ? token[i + 1] : '\0';
            if (code != '0' && code != '1') return malformed_patch();
            token.replace(i, 2, code == '0' ? "~" : "/");
        }
    }
    return pointer;
}

Json at(Json root, std::span<const std::string> pointer) {
    for (const std::string& token : pointer) {
        if (root.is_array()) {
            const auto index = index_of(token);
            root = index && *index < root.size() ? root.items()[*index] : Json();
        } else {
            root = root[token];
        }
        if (!root) break;
    }
    return root;
}

Answer<Json> edited(fhir::Arena& arena, Json root, std::span<const std::string> pointer, Edit edit,
                    Json value) {
    // The whole document: replaced, never removed.
    if (pointer.empty()) return edit == Edit::Remove ? Answer<Json>(misfit({})) : value;
    const std::string& token = pointer.front();
    if (pointer.size() > 1) {
        const Json inner = at(root, pointer.first(1));
        if (!inner) return misfit({});
        value = TRY(edited(arena, inner, pointer.subspan(1), edit, value));
        edit = Edit::Replace;
    }
    if (root.is_array()) return edit_array(arena, root, token, edit, value);
    if (root.is_object()) return edit_object(arena, root, token, edit, value);
    return misfit({});
}

Json pruned(fhir::Arena& arena, Json value) {
    if (value.is_array()) {
        std::vector<Json> items;
        for (const Json item : value.items()) {
            // A null in an array of primitives keeps a place.
            if (const Json kept = pruned(arena, item)) items.push_back(kept);
        }
        return items.empty() ? Json() : arena.array(items);
    }
    if (!value.is_object()) return value;
    std::vector<fhir::Member> members;
    for (const auto& [name, member] : value.members()) {
        if (const Json kept = pruned(arena, member)) members.push_back({name, kept});
    }
    return members.empty() ? Json() : arena.object(members);
}

}  // namespace hygie::records
