#include "app/line/context.h"

#include <charconv>

#include "base/check.h"

namespace hygie::app {

Values::Values(const Command& command,
               std::map<std::string, std::vector<std::string>, std::less<>> given)
    : values_(std::move(given)) {
    for (const std::vector<Parameter>* list : {&command.options, &command.arguments}) {
        for (const Parameter& parameter : *list) {
            std::vector<std::string>& values = values_[std::string(parameter.key())];
            if (values.empty() && !parameter.by_default.empty())
                values.push_back(parameter.by_default);
        }
    }
}

const std::vector<std::string>& Values::list(std::string_view name) const {
    const auto found = values_.find(name);
    HYGIE_CHECK(found != values_.end(), "a command reads only the parameters it declares");
    return found->second;
}

const std::string& Values::text(std::string_view name) const {
    HYGIE_CHECK(has(name), "an optional parameter is read only after has()");
    return list(name).front();
}

std::uint64_t Values::number(std::string_view name) const {
    const Result<std::uint64_t> value = parse_number(text(name));
    HYGIE_CHECK(value, "numbers are checked when the command line is read");
    return *value;
}

Micros Values::duration(std::string_view name) const {
    const Result<Micros> value = parse_duration(text(name));
    HYGIE_CHECK(value, "durations are checked when the command line is read");
    return *value;
}

Result<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || text.empty())
        return fail(Code::BadInput, {"ce n'est pas un nombre entier", "not a whole number"},
                    {"écrivez des chiffres seulement, par exemple 1000",
                     "write digits only, for example 1000"});
    return value;
}

}  // namespace hygie::app
