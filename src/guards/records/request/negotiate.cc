#include "guards/records/request/negotiate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace hygie::records {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts the next element off a list: at a separator that is not within quotes.
std::string_view next_of(std::string_view& list, char separator) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < list.size() && (quoted || list[end] != separator); ++end)
        if (list[end] == '"') quoted = !quoted;
    const std::string_view element = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return element;
}

bool same_word(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(left, right, {}, lower, lower);
}

/// The weight of an element of Accept or Accept-Language, in thousandths.
int weight_of(std::string_view parameters) {
    while (!parameters.empty()) {
        const std::string_view parameter = next_of(parameters, ';');
        if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
        double weight = 0;
        std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), weight);
        return static_cast<int>(std::clamp(weight, 0.0, 1.0) * 1000);
    }
    return 1000;
}

bool is_json_type(std::string_view type) {
    constexpr std::array<std::string_view, 3> kTypes = {"application/fhir+json", "application/json",
                                                        "text/json"};
    return std::ranges::any_of(kTypes, [&](auto known) { return same_word(type, known); });
}

/// No version of FHIR is asked for, or the one spoken here
/// (https://hl7.org/fhir/R4/http.html#version-parameter).
bool is_r4(std::string_view parameters) {
    constexpr std::string_view kVersion = "fhirVersion=";
    while (!parameters.empty()) {
        std::string_view parameter = next_of(parameters, ';');
        if (!parameter.starts_with(kVersion)) continue;
        parameter.remove_prefix(kVersion.size());
        return parameter == "4.0" || parameter == "\"4.0\"" || parameter == "4.0.1";
    }
    return true;
}

bool accepts_json(std::string_view accept) {
    if (trimmed(accept).empty()) return true;
    while (!accept.empty()) {
        std::string_view element = next_of(accept, ',');
        const std::string_view type = next_of(element, ';');
        const bool fits = type == "*/*" || same_word(type, "application/*") || is_json_type(type) ||
                          same_word(type, kNdjson);
        if (fits && is_r4(element) && weight_of(element) > 0) return true;
    }
    return false;
}

/// _format: what Accept would say, or a short name. A '+' that was not encoded has become a space.
bool is_json_format(std::string_view format) {
    std::string spelled(trimmed(format));
    for (std::size_t i = 1; i < spelled.size(); ++i) {
        const bool is_plus = spelled[i] == ' ' && spelled[i - 1] != ';' && spelled[i - 1] != ',';
        if (is_plus) spelled[i] = '+';
    }
    return same_word(spelled, "json") || same_word(spelled, "ndjson") || accepts_json(spelled);
}

/// "minimal" and minimal are the same (RFC 7240 §2).
std::string_view unquoted(std::string_view word) {
    if (word.size() < 2 || !word.starts_with('"') || !word.ends_with('"')) return word;
    return word.substr(1, word.size() - 2);
}

void read_wish(std::string_view wish, Wishes& wishes) {
    const std::string_view name = next_of(wish, '=');
    const std::string_view value = unquoted(trimmed(wish));
    if (same_word(name, "handling") && value == "lenient") wishes.lenient = true;
    if (same_word(name, "respond-async")) wishes.asynchronous = true;
    if (!same_word(name, "return")) return;
    if (value == "minimal") wishes.returned = Return::Minimal;
    if (value == "representation") wishes.returned = Return::Representation;
    if (value == "OperationOutcome") wishes.returned = Return::Outcome;
}

void read_prefer(std::string_view prefer, Wishes& wishes) {
    while (!prefer.empty()) {
        std::string_view element = next_of(prefer, ',');
        while (!element.empty()) read_wish(next_of(element, ';'), wishes);
    }
}

std::unexpected<Refusal> not_acceptable() {
    return refuse(
        406, "not-supported",
        {"l'interface ne parle que JSON, en FHIR R4", "the interface speaks JSON only, in FHIR R4"},
        {"demandez application/fhir+json", "ask for application/fhir+json"});
}

}  // namespace

Lang language_of(const http::Request& request) {
    std::string_view list = request.header("accept-language");
    int best = 0;
    Lang lang = Lang::Fr;
    while (!list.empty()) {
        std::string_view element = next_of(list, ',');
        const std::string_view range = next_of(element, ';');
        const int weight = weight_of(element);
        const std::string_view primary = range.substr(0, range.find('-'));
        const bool french = same_word(primary, "fr");
        if ((!french && !same_word(primary, "en")) || weight <= best) continue;
        best = weight;
        lang = french ? Lang::Fr : Lang::En;
    }
    return lang;
}

Answer<Wishes> negotiate(const http::Request& request, Parameters& parameters) {
    Wishes wishes;
    wishes.lang = language_of(request);
    for (const auto& [name, value] : request.headers) {
        if (name == "prefer") read_prefer(value, wishes);
    }
    const auto format = std::ranges::find(parameters, "_format", &Parameter::name);
    const bool json = format == parameters.end() ? accepts_json(request.header("accept"))
                                                 : is_json_format(format->value);
    if (!json) return not_acceptable();
    wishes.pretty = value_of(parameters, "_pretty") == "true";
    std::erase_if(parameters, [](const Parameter& parameter) {
        return parameter.name == "_format" || parameter.name == "_pretty";
    });
    return wishes;
}

Refusal unsupported_body() {
    return {415,
            "not-supported",
            {"ce type de contenu n'est pas accepté ici", "this content type is not accepted here"},
            {"envoyez application/fhir+json en UTF-8", "send application/fhir+json in UTF-8"}};
}

namespace {

/// RFC 9110 §15.5.16: what would have been taken.
Refusal unsupported_coding() {
    Refusal refusal(
        415, "not-supported",
        {"un contenu compressé n'est pas accepté ici", "compressed content is not accepted here"},
        {"envoyez-le sans Content-Encoding", "send it without Content-Encoding"});
    refusal.headers.emplace_back("Accept-Encoding", "identity");
    return refusal;
}

}  // namespace

Answer<BodyKind> body_kind(const http::Request& request) {
    const std::string_view coding = trimmed(request.header("content-encoding"));
    if (!coding.empty() && !same_word(coding, "identity"))
        return std::unexpected(unsupported_coding());
    std::string_view header = request.header("content-type");
    const std::string_view type = next_of(header, ';');
    if (!is_r4(header)) return std::unexpected(unsupported_body());
    while (!header.empty()) {
        const std::string_view parameter = next_of(header, ';');
        if (!parameter.starts_with("charset=")) continue;
        const std::string_view charset = unquoted(parameter.substr(8));
        if (!same_word(charset, "utf-8") && !same_word(charset, "us-ascii"))
            return std::unexpected(unsupported_body());
    }
    if (is_json_type(type)) return BodyKind::FhirJson;
    if (same_word(type, "application/json-patch+json")) return BodyKind::JsonPatch;
    if (same_word(type, "application/x-www-form-urlencoded")) return BodyKind::Form;
    if (same_word(type, kNdjson) || same_word(type, "application/ndjson")) return BodyKind::Ndjson;
    return std::unexpected(unsupported_body());
}

std::optional<std::uint32_t> version_in_etag(std::string_view etag) {
    etag = trimmed(etag);
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
        etag = etag.substr(1, etag.size() - 2);
    std::uint32_t version = 0;
    const auto [end, error] = std::from_chars(etag.data(), etag.data() + etag.size(), version);
    if (error != std::errc() || end != etag.data() + etag.size() || version == 0)
        return std::nullopt;
    return version;
}

bool has_version(std::string_view etags, std::uint32_t version) {
    while (!etags.empty()) {
        const std::string_view etag = next_of(etags, ',');
        if (etag == "*" || version_in_etag(etag) == version) return true;
    }
    return false;
}

bool names_versions(std::string_view etags) {
    while (!etags.empty()) {
        const std::string_view etag = next_of(etags, ',');
        if (etag == "*" || version_in_etag(etag)) return true;
    }
    return false;
}

std::string etag_of(std::uint32_t version) {
    return fmt::format("W/\"{}\"", version);
}

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number_in(std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0)
        return std::nullopt;
    return value;
}

}  // namespace

std::string http_date(WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    std::string text = "Day, DD Mon YYYY hh:mm:ss GMT";
    const auto put = [&text](std::size_t at, std::string_view name) {
        std::ranges::copy(name, text.begin() + static_cast<std::ptrdiff_t>(at));
    };
    const auto put_number = [&text](std::size_t at, std::size_t digits, auto number) {
        auto left = static_cast<std::uint64_t>(number);
        for (std::size_t i = digits; i > 0; --i, left /= 10)
            text[at + i - 1] = static_cast<char>('0' + left % 10);
    };
    put(0, kDays[std::chrono::weekday(day).c_encoding()]);
    put_number(5, 2, static_cast<unsigned>(date.day()));
    put(8, kMonths[static_cast<unsigned>(date.month()) - 1]);
    put_number(12, 4, static_cast<int>(date.year()));
    put_number(17, 2, clock.hours().count());
    put_number(20, 2, clock.minutes().count());
    put_number(23, 2, clock.seconds().count());
    return text;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
    constexpr std::size_t kLength = 29;
    if (text.size() != kLength || !text.ends_with(" GMT")) return std::nullopt;
    const auto month = std::ranges::find(kMonths, text.substr(8, 3));
    const auto day = number_in(text.substr(5, 2));
    const auto year = number_in(text.substr(12, 4));
    const auto hours = number_in(text.substr(17, 2));
    const auto minutes = number_in(text.substr(20, 2));
    const auto seconds = number_in(text.substr(23, 2));
    if (month == kMonths.end() || !day || !year || !hours || !minutes || !seconds)
        return std::nullopt;
    const std::chrono::year_month_day date(
        std::chrono::year(*year),
        std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok()) return std::nullopt;
    const WallTime time = std::chrono::sys_days(date) + std::chrono::hours(*hours) +
                          std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
    // One spelling for each second: the day of the week and the separators are right, too.
    if (http_date(time) != text) return std::nullopt;
    return time;
}

std::string prettied(std::string_view json) {
    std::string out;
    out.reserve(json.size() + json.size() / 2);
    std::size_t depth = 0;
    const auto fold = [&] {
        out += '\n';
        out.append(2 * depth, ' ');
    };
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_string || c == '"') {
            out += c;
            if (c == '\\') out += json[++i];
            if (c == '"') in_string = !in_string;
        } else if (c == '{' || c == '[') {
            out += c;
            const bool empty = i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
            if (empty) {
                out += json[++i];
            } else {
                ++depth;
                fold();
            }
        } else if (c == '}' || c == ']') {
            --depth;
            fold();
            out += c;
        } else if (c == ',') {
            out += c;
            fold();
        } else {
            out += c;
            if (c == ':') out += ' ';
        }
    }
    return out;
}

}  // namespace hygie::records
