#include "guards/records/request/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/escape.h"

namespace hygie::records {

namespace {

std::unexpected<Refusal> bad_entry(std::size_t number, std::string_view element, Text what,
                                   Text remedy) {
    std::string expression = entry_expression(number);
    if (!element.empty()) expression += fmt::format(".{}", element);
    return refuse(400, "invalid", std::move(what), std::move(remedy), std::move(expression));
}

/// "Objects are never empty", nor are lists (https://hl7.org/fhir/R4/json.html).
bool has_empty(fhir::Json value) {
    if (!value.is_object() && !value.is_array()) return false;
    return value.size() == 0 || std::ranges::any_of(value.items(), has_empty) ||
           std::ranges::any_of(value.members(), has_empty, &fhir::Member::value);
}

/// The same without what a resource holds, which is checked where it is stored.
bool has_empty_around(fhir::Json of, std::string_view content) {
    return of.size() == 0 || std::ranges::any_of(of.members(), [&](const fhir::Member& member) {
               return member.name == content ? member.value.size() == 0 : has_empty(member.value);
           });
}

std::unexpected<Refusal> empty_within(std::string expression) {
    return refuse(400, "structure",
                  {"une liste et un objet ne sont jamais vides en JSON de FHIR",
                   "no list and no object is ever empty in FHIR's JSON"},
                  {"ôtez l'élément", "leave the element out"}, std::move(expression));
}

/// A body is there exactly when the method has one, and names the type of the URL.
Answer<void> check_resource(const BundleEntry& entry, std::size_t number) {
    const bool at_type = entry.target.shape == Shape::Type;
    const bool at_instance = entry.target.shape == Shape::Instance;
    const bool stores = (entry.method == Method::Post && at_type) || entry.method == Method::Put;
    if (stores && !entry.resource.is_object())
        return bad_entry(number, "resource",
                         {"cette entrée n'a pas de ressource", "this entry has no resource"},
                         {"ajoutez la ressource à enregistrer", "add the resource to store"});
    if (stores && entry.resource["resourceType"].text() != entry.target.type)
        return bad_entry(number, "request.url",
                         {"le type de l'adresse n'est pas celui de la ressource",
                          "the type of the URL is not that of the resource"},
                         {"écrivez le même type aux deux endroits", "write the same type in both"});
    const bool fits_url =
        entry.method == Method::Get || entry.method == Method::Post || at_instance || at_type;
    // A bundle in a bundle has no end.
    const bool is_bundle = entry.method == Method::Post && entry.target.shape == Shape::System;
    if (!fits_url || is_bundle)
        return bad_entry(
            number, "request",
            {"cette méthode ne va pas avec cette adresse", "this method does not go with this URL"},
            {"voyez le CapabilityStatement", "see the CapabilityStatement"});
    return {};
}

/// Exports answer with headers and files of lines, imports take them: neither fits in a Bundle.
bool is_for_itself(const Target& target) {
    return target.shape == Shape::ExportStatus || target.shape == Shape::ExportFile ||
           target.name == "$export" || target.name == "$import";
}

Answer<BundleEntry> read_entry(fhir::Json entry, std::size_t number, std::string_view base) {
    if (has_empty_around(entry, "resource")) return empty_within(entry_expression(number));
    const fhir::Json request = entry["request"];
    BundleEntry read;
    const auto method = method_named(request["method"].text());
    if (!method)
        return bad_entry(number, "request.method", method.error().what, method.error().remedy);
    read.method = *method;
    read.is_head = request["method"].text() == "HEAD";
    std::string_view url = below_base(request["url"].text(), base);
    if (url.starts_with('/')) url.remove_prefix(1);
    const auto question = std::min(url.find('?'), url.size());
    read.path = url.substr(0, question);
    read.query = url.substr(std::min(question + 1, url.size()));
    auto target = parse_target(read.path);
    if (!target)
        return bad_entry(number, "request.url", target.error().what, target.error().remedy);
    read.target = *std::move(target);
    if (is_for_itself(read.target))
        return bad_entry(number, "request.url",
                         {"les exports et imports en masse ne passent pas par un Bundle",
                          "bulk exports and imports do not go through a Bundle"},
                         {"adressez-vous à cette URL directement", "ask this URL directly"});
    read.full_url = entry["fullUrl"].text();
    read.resource = entry["resource"];
    read.if_none_exist = request["ifNoneExist"].text();
    if (request["ifNoneExist"] && read.if_none_exist.empty())
        return bad_entry(number, "request.ifNoneExist",
                         {"ifNoneExist n'a pas de critère", "ifNoneExist has no criterion"},
                         {"ajoutez un critère de recherche, ou ôtez l'élément",
                          "add a search criterion, or leave the element out"});
    read.if_match = request["ifMatch"].text();
    read.if_none_match = request["ifNoneMatch"].text();
    read.if_modified_since = request["ifModifiedSince"].text();
    if (auto checked = check_resource(read, number); !checked)
        return std::unexpected(std::move(checked.error()));
    return read;
}

}  // namespace

std::string entry_expression(std::size_t number) {
    return fmt::format("Bundle.entry[{}]", number);
}

std::string_view below_base(std::string_view url, std::string_view base) {
    if (url.starts_with(base)) url.remove_prefix(base.size());
    return url;
}

Answer<IncomingBundle> read_bundle(fhir::Json bundle, std::string_view base) {
    IncomingBundle read;
    const std::string_view type = bundle["type"].text();
    read.is_transaction = type == "transaction";
    const bool is_bundle = bundle["resourceType"].text() == "Bundle";
    if (!is_bundle || (!read.is_transaction && type != "batch"))
        return refuse(400, "invalid",
                      {"un Bundle de type « transaction » ou « batch » est attendu ici",
                       "a Bundle of type \"transaction\" or \"batch\" is expected here"},
                      {"envoyez une ressource seule à [base]/[type]",
                       "send a single resource to [base]/[type]"},
                      "Bundle.type");
    if (bundle["entry"] && !bundle["entry"].is_array())
        return refuse(400, "structure",
                      {"une liste d'entrées est attendue", "a list of entries is expected"},
                      {"écrivez \"entry\": […], ou ôtez l'élément",
                       "write \"entry\": […], or leave the element out"},
                      "Bundle.entry");
    if (has_empty_around(bundle, "entry")) return empty_within("Bundle");
    const auto entries = bundle["entry"].items();
    if (entries.size() > kBundleEntriesMax)
        return refuse(413, "too-long",
                      {"ce Bundle a trop d'entrées", "this Bundle has too many entries"},
                      {fmt::format("envoyez au plus {} entrées à la fois", kBundleEntriesMax),
                       fmt::format("send at most {} entries at a time", kBundleEntriesMax)},
                      "Bundle.entry");
    std::unordered_set<std::string_view> full_urls;
    read.entries.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string_view full_url = entries[i]["fullUrl"].text();
        if (!full_url.empty() && !full_urls.insert(full_url).second)
            return bad_entry(i, "fullUrl",
                             {"deux entrées ont le même fullUrl", "two entries have one fullUrl"},
                             {"donnez à chacune le sien", "give each its own"});
        auto entry = read_entry(entries[i], i, base);
        if (!entry && read.is_transaction) return std::unexpected(std::move(entry.error()));
        if (!entry) entry = BundleEntry{.refusal = std::move(entry.error())};
        read.entries.push_back(*std::move(entry));
    }
    return read;
}

BundleWriter::BundleWriter(std::string_view type, std::string_view base) : base_(base) {
    out_ = fmt::format(R"({{"resourceType":"Bundle","type":"{}")", type);
}

void BundleWriter::total(std::uint64_t count) {
    out_ += fmt::format(R"(,"total":{})", count);
}

void BundleWriter::link(std::string_view relation, std::string_view url) {
    out_ += part_ == Part::Head ? R"(,"link":[)" : ",";
    part_ = Part::Links;
    out_ += fmt::format(R"({{"relation":"{}","url":)", relation);
    append_json_string(out_, url);
    out_ += '}';
}

void BundleWriter::end_links() {
    if (part_ == Part::Links) out_ += ']';
}

namespace {

/// Appends `,"name":"text"`, without the comma after an opening brace, when there is a text.
void append_member(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    if (out.back() != '{') out += ',';
    out += '"';
    out += name;
    out += "\":";
    append_json_string(out, text);
}

void append_raw_member(std::string& out, std::string_view name, std::string_view json) {
    if (json.empty()) return;
    if (out.back() != '{') out += ',';
    out += '"';
    out += name;
    out += "\":";
    out += json;
}

}  // namespace

void BundleWriter::add(const Item& item) {
    if (part_ == Part::Entries) {
        out_ += ',';
    } else {
        end_links();
        out_ += R"(,"entry":[)";
        part_ = Part::Entries;
    }
    out_ += '{';
    if (!item.reference.empty())
        append_member(out_, "fullUrl", base_ + std::string(item.reference));
    append_raw_member(out_, "resource", item.resource);
    if (!item.search_mode.empty()) {
        append_raw_member(out_, "search", "{");
        if (!item.grade.empty())
            append_raw_member(out_, "extension",
                              R"([{"url":"http://hl7.org/fhir/StructureDefinition/match-grade",)"
                              R"("valueCode":")" +
                                  std::string(item.grade) + R"("}])");
        append_member(out_, "mode", item.search_mode);
        append_raw_member(out_, "score", item.score);
        out_ += '}';
    }
    if (!item.method.empty()) {
        append_raw_member(out_, "request", "{");
        append_member(out_, "method", item.method);
        append_member(out_, "url", item.url);
        out_ += '}';
    }
    if (!item.status.empty()) {
        append_raw_member(out_, "response", "{");
        append_member(out_, "status", item.status);
        append_member(out_, "location", item.location);
        append_member(out_, "etag", item.etag);
        append_member(out_, "lastModified", item.last_modified);
        append_raw_member(out_, "outcome", item.outcome);
        out_ += '}';
    }
    out_ += '}';
}

Answer<void> BundleWriter::check_size() const {
    constexpr std::size_t kPageBytesMax = 64 << 20;
    if (out_.size() <= kPageBytesMax) return {};
    return refuse(413, "too-costly",
                  {"cette page serait trop grande", "this page would be too large"},
                  {"demandez-en moins à la fois (_count)", "ask for less at a time (_count)"});
}

std::string BundleWriter::finish() {
    end_links();
    if (part_ == Part::Entries) out_ += ']';
    out_ += '}';
    part_ = Part::Head;
    return std::exchange(out_, {});
}

std::string status_line(int status) {
    switch (status) {
        case 200:
            return "200 OK";
        case 201:
            return "201 Created";
        case 204:
            return "204 No Content";
        case 304:
            return "304 Not Modified";
        case 400:
            return "400 Bad Request";
        case 404:
            return "404 Not Found";
        case 405:
            return "405 Method Not Allowed";
        case 409:
            return "409 Conflict";
        case 410:
            return "410 Gone";
        case 412:
            return "412 Precondition Failed";
        case 413:
            return "413 Content Too Large";
        case 422:
            return "422 Unprocessable Entity";
        case 428:
            return "428 Precondition Required";
        default:
            return std::to_string(status);
    }
}

}  // namespace hygie::records
