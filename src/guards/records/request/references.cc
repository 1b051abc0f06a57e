#include "guards/records/request/references.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fhir/data/schema.h"

namespace hygie::records {

namespace {

using fhir::Json;
using fhir::TypeDef;

bool is_link_type(std::string_view name) {
    constexpr std::array<std::string_view, 4> kTypes = {"uri", "url", "oid", "uuid"};
    return std::ranges::find(kTypes, name) != kTypes.end();
}

/// Two values are one when they point to the same place: nothing was built anew.
bool is_same(const Json& left, const Json& right) {
    return left.kind() == right.kind() && left.text().data() == right.text().data() &&
           left.items().data() == right.items().data() &&
           left.members().data() == right.members().data();
}

class Walk {
  public:
    Walk(fhir::Arena& arena, const Relink& relink) : arena_(arena), relink_(relink) {}

    Answer<Json> value(Json value, const TypeDef* type, bool is_reference) {
        if (value.is_string()) return text(value, type, is_reference);
        if (value.is_array()) return array(value, type);
        if (value.is_object()) return object(value, type);
        return value;
    }

  private:
    Answer<Json> text(Json value, const TypeDef* type, bool is_reference) {
        if (type && type->name == "xhtml") return narrative(value);
        if (!is_reference && !(type && is_link_type(type->name))) return value;
        auto link = TRY(relink_(value.text(), is_reference));
        return link ? arena_.string(*link) : value;
    }

    Answer<Json> array(Json value, const TypeDef* type) {
        std::vector<Json> items(value.items().begin(), value.items().end());
        bool changed = false;
        for (Json& item : items) {
            const Json before = item;
            item = TRY(this->value(before, type, false));
            changed = changed || !is_same(before, item);
        }
        return changed ? arena_.array(items) : value;
    }

    Answer<Json> object(Json value, const TypeDef* type) {
        // A resource says itself what it is, wherever it stands.
        if (const Json name = value["resourceType"]) type = fhir::find_type(name.text());
        if (!type) return value;
        std::vector<fhir::Member> members(value.members().begin(), value.members().end());
        bool changed = false;
        const bool in_reference = type->name == "Reference";
        for (fhir::Member& member : members) {
            const auto property = type->property(member.name);
            if (!property.type) continue;
            const Json before = member.value;
            const bool is_reference = in_reference && member.name == "reference";
            member.value = TRY(this->value(before, property.type, is_reference));
            changed = changed || !is_same(before, member.value);
        }
        return changed ? arena_.object(members) : value;
    }

    /// Links in the attributes href and src of a narrative.
    Answer<Json> narrative(Json value) {
        constexpr std::array<std::string_view, 4> kAttributes = {"href=\"", "src=\"", "href='",
                                                                 "src='"};
        std::string xhtml(value.text());
        bool changed = false;
        for (const std::string_view attribute : kAttributes) {
            std::size_t at = 0;
            while ((at = xhtml.find(attribute, at)) != xhtml.npos) {
                at += attribute.size();
                const auto end = xhtml.find(attribute.back(), at);
                if (end == xhtml.npos) break;
                const auto link = TRY(relink_(std::string_view(xhtml).substr(at, end - at), false));
                if (!link) continue;
                xhtml.replace(at, end - at, *link);
                changed = true;
            }
        }
        return changed ? arena_.string(xhtml) : value;
    }

    fhir::Arena& arena_;
    const Relink& relink_;
};

}  // namespace

Answer<Json> relinked(fhir::Arena& arena, Json resource, const Relink& relink) {
    return Walk(arena, relink).value(resource, nullptr, false);
}

}  // namespace hygie::records
