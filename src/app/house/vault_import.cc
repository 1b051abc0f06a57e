#include "app/house/vault_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace hygie::app {
namespace {

/// Resources of one type that follow each other are stored together, so many at a time.
constexpr std::size_t kLooseTogether = 500;
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kBase = "https://import.invalid/fhir/";

Error refused(Text what) {
    return fail(Code::BadInput, std::move(what), {"corrigez la source", "mend the source"}).error();
}

/// What the door said, without what it may quote.
Error error_of(const http::Response& response) {
    const auto document = fhir::parse(as_text(response.body));
    if (document) {
        for (const fhir::Json issue : document->root["issue"].items()) {
            if (issue["severity"].text() != "error") continue;
            const std::string what(issue["details"]["text"].text());
            const auto where = issue["expression"].items();
            const std::string_view place = where.empty() ? "" : where.front().text();
            // Which line of what was sent together says nothing of where it came from.
            const std::string at =
                place.empty() || place.starts_with('%') ? "" : fmt::format(" ({})", place);
            return refused({what + at, what + at});
        }
    }
    const std::string status = fmt::format("HTTP {}", response.status);
    return refused({status, status});
}

bool is_bundle(const fhir::Json& root) {
    const std::string_view type = root["type"].text();
    return root["resourceType"].text() == "Bundle" && (type == "transaction" || type == "batch");
}

}  // namespace

Importer::Importer(Context& context, Store& store, const CoreDirs& dirs,
                   const crypto::RootKey& root, ActorId by)
    : disk_(context.disk),
      actor_{.id = std::move(by),
             .role = access::Role::Program,
             .auth = "os",
             .scopes = {"system/*.cruds"}} {
    records::Options options{.base = std::string(kBase),
                             .node = NodeId(context.process.host_name()),
                             .version = HYGIE_VERSION,
                             .export_dir = dirs.exports(),
                             .key = root.domain("records")};
    door_ = std::make_unique<records::Door>(records::Rooms{.vault = store.vault(),
                                                           .trace = store.trace(),
                                                           .clock = context.clock,
                                                           .random = context.random,
                                                           .disk = context.disk},
                                            std::move(options));
}

Importer::~Importer() = default;

Status Importer::file(const std::string& path) {
    const Bytes bytes = TRY(disk_.read_file(path, kFileBytesMax));
    if (!path.ends_with(".json")) return lines(path, as_text(bytes));
    add_document(path, as_text(bytes));
    run_waiting();
    return {};
}

Status Importer::lines(const std::string& name, std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.find_first_not_of(" \t\r") != line.npos)
            add_document(fmt::format("{}:{}", name, number), line);
    }
    run_waiting();
    return {};
}

void Importer::add_document(const std::string& name, std::string_view text) {
    auto document = fhir::parse(text);
    if (!document) {
        done_.refused.emplace_back(name, document.error());
        return;
    }
    if (is_bundle(document->root)) {
        const auto first = text.find_first_not_of(kBlanks);
        const auto last = text.find_last_not_of(kBlanks);
        waiting_.push_back({name, std::string(text.substr(first, last + 1 - first)),
                            document->root["entry"].size()});
        return;
    }
    // Entries of a collection are resources of their own.
    const auto entries = document->root["entry"].items();
    const bool is_collection = document->root["resourceType"].text() == "Bundle";
    std::vector<fhir::Json> resources;
    for (const fhir::Json entry : entries)
        if (is_collection) resources.push_back(entry["resource"]);
    if (!is_collection) resources.push_back(document->root);
    for (const fhir::Json resource : resources) {
        if (loose_.empty() || loose_.back().resources == kLooseTogether)
            loose_.push_back({name, {}, 0});
        loose_.back().text += fhir::to_text(resource) + '\n';
        ++loose_.back().resources;
    }
}

void Importer::run_waiting() {
    std::ranges::move(loose_, std::back_inserter(waiting_));
    loose_.clear();
    run(std::exchange(waiting_, {}));
}

void Importer::run(std::vector<Item> items) {
    std::atomic<std::size_t> next = 0;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < std::min(kThreads, items.size()); ++i)
            threads.emplace_back([&] {
                for (std::size_t at = next++; at < items.size(); at = next++) put_in(items[at]);
            });
    }
    for (Item& item : items) {
        if (item.refused) {
            refused_.push_back(std::move(item));
            continue;
        }
        done_.resources += item.resources;
        ++done_.bundles;
    }
}

void Importer::put_in(Item& item) {
    const bool is_lines = item.text.ends_with('\n');
    http::Request request;
    request.method = "POST";
    request.path = is_lines ? "/fhir/$import" : "/fhir/";
    request.headers = {
        {"content-type", is_lines ? "application/fhir+ndjson" : "application/fhir+json"},
        {"prefer", "return=minimal"}};
    request.body = to_bytes(as_bytes(item.text));
    std::promise<http::Response> promise;
    auto answer = promise.get_future();
    door_->handle(actor_, std::move(request),
                  [&](http::Response response) { promise.set_value(std::move(response)); });
    const http::Response response = answer.get();
    item.refused.reset();
    if (response.status != 200) item.refused = error_of(response);
}

void Importer::again() {
    for (std::size_t before = refused_.size() + 1; !refused_.empty() && refused_.size() < before;) {
        before = refused_.size();
        run(std::exchange(refused_, {}));
    }
}

/// What was refused for the sake of one line goes in line by line.
void Importer::one_by_one() {
    std::vector<Item> lines;
    for (Item& item : std::exchange(refused_, {})) {
        if (item.resources < 2 || !item.text.ends_with('\n')) {
            refused_.push_back(std::move(item));
            continue;
        }
        std::string_view text = item.text;
        for (std::size_t number = 1; !text.empty(); ++number) {
            const std::size_t length = text.find('\n') + 1;
            lines.push_back({fmt::format("{} +{}", item.name, number - 1),
                             std::string(text.substr(0, length)), 1});
            text.remove_prefix(length);
        }
    }
    run(std::move(lines));
}

Imported Importer::finish() {
    again();
    one_by_one();
    again();
    for (Item& item : refused_)
        done_.refused.emplace_back(std::move(item.name), *std::move(item.refused));
    refused_.clear();
    return std::move(done_);
}

}  // namespace hygie::app
