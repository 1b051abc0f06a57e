#include "fhir/search/search_extract.h"

#include <algorithm>

#include "fhir/search/search_plan.h"

namespace hygie::fhir {
namespace {

/// A resource with more combinations in one composite parameter is not honest.
constexpr std::size_t kCombinationsMax = 1'000;

class Extractor {
  public:
    explicit Extractor(Json resource) : resource_(resource) {}

    std::vector<IndexRow> rows(const TypePlan& plan) {
        for (const auto& param : plan.params) {
            if (param.expression) {
                truth(param);
            } else if (param.parts.empty()) {
                values(param);
            } else {
                composites(param);
            }
        }
        return std::move(rows_);
    }

  private:
    void values(const ParamPlan& plan) {
        for (const auto& path : plan.paths) {
            collect(path, resource_);
            for (auto& value : found_) {
                if (!path.target.empty() && std::get<Reference>(value).type != path.target)
                    continue;
                rows_.push_back({plan.param->number, 0, value});
            }
            add_typed(plan, path);
        }
    }

    /// Identifiers once more, with each code of their type, for :of-type: a composite of two.
    void add_typed(const ParamPlan& plan, const SearchPath& path) {
        follow(path, 0, resource_, nullptr, [&](Json identifier, Convert convert) {
            const std::string_view value = identifier["value"].text();
            if (!is_of_identifier(convert) || value.empty()) return;
            for (const Json coding : identifier["type"]["coding"].items()) {
                const Token type{
                    coding["code"].text(), coding["system"].text(), Token::Scope::Given, {}};
                if (type.code.empty()) continue;
                rows_.push_back({plan.param->number, 1, type});
                rows_.push_back({plan.param->number, 2, Token{value, {}, Token::Scope::None, {}}});
            }
        });
    }

    void truth(const ParamPlan& plan) {
        Arena arena;
        PathContext context;
        context.resource = context.root = context.context = resource_item(resource_);
        const auto items = plan.expression->evaluate(context, arena);
        if (!items || items->size() != 1 || !items->front().value.is_bool()) return;
        const bool yes = items->front().value.kind() == Json::Kind::True;
        rows_.push_back(
            {plan.param->number, 0, Token{yes ? "true" : "false", {}, Token::Scope::Implied, {}}});
    }

    void composites(const ParamPlan& plan) {
        for (const auto& path : plan.paths) {
            follow(path, 0, resource_, nullptr,
                   [&](Json context, Convert) { combinations(plan, context); });
        }
    }

    /// A row for each choice of one value per component.
    void combinations(const ParamPlan& plan, Json context) {
        std::vector<std::vector<SearchValue>> parts;
        std::size_t count = 1;
        for (const auto& paths : plan.parts) {
            parts.emplace_back();
            for (const auto& path : paths) {
                collect(path, path.of_resource ? resource_ : context);
                parts.back().insert(parts.back().end(), found_.begin(), found_.end());
            }
            count = std::min(count * parts.back().size(), kCombinationsMax);
        }
        for (std::size_t i = 0; i < count; ++i) {
            std::uint8_t part = 0;
            for (std::size_t rest = i; const auto& choices : parts) {
                rows_.push_back({plan.param->number, ++part, choices[rest % choices.size()]});
                rest /= choices.size();
            }
        }
    }

    void collect(const SearchPath& path, Json from) {
        found_.clear();
        follow(path, 0, from, nullptr,
               [this](Json value, Convert convert) { convert(value, found_); });
    }

    Json resource_;
    std::vector<IndexRow> rows_;
    std::vector<SearchValue> found_;
};

}  // namespace

std::vector<IndexRow> extract(Json resource) {
    const TypePlan* plan = plan_of(resource["resourceType"].text());
    return plan == nullptr ? std::vector<IndexRow>{} : Extractor(resource).rows(*plan);
}

}  // namespace hygie::fhir
