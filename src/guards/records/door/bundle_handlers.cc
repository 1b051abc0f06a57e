#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "guards/records/desk/handlers.h"
#include "guards/records/door/interactions.h"
#include "guards/records/request/bundle.h"
#include "guards/records/write/work.h"

/// batch and transaction (https://hl7.org/fhir/R4/http.html#transaction).
namespace hygie::records {

namespace {

constexpr int kAtOnceMax = 64;  ///< entries of a bundle under way
/// Of answers held together; entries beyond it are refused one by one.
constexpr std::size_t kAnswersBytesMax = 64 << 20;

Refusal too_much() {
    return {413,
            "too-costly",
            {"la réponse à ce Bundle devient trop grande",
             "the answer to this Bundle becomes too large"},
            {"demandez cette entrée à part", "ask for this entry apart"}};
}

/// The answer to one entry.
struct EntryResult {
    int status = 0;
    std::string location{};
    std::string etag{};
    std::string last_modified{};  ///< an instant
    std::string resource{};
    std::string outcome{};
};

std::string header_of(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

EntryResult result_of(const Desk& desk, const BundleEntry& entry, const http::Response& response) {
    EntryResult result{
        .status = response.status,
        .location = std::string(below_base(header_of(response, "Location"), desk.options.base)),
        .etag = header_of(response, "ETag")};
    if (const auto modified = parse_http_date(header_of(response, "Last-Modified")))
        result.last_modified = to_rfc3339(*modified);
    const std::string_view body = as_text(response.body);
    const bool is_outcome = body.starts_with(R"({"resourceType":"OperationOutcome")");
    if (is_outcome)
        result.outcome = body;
    else if (!entry.is_head)
        result.resource = body;
    return result;
}

EntryResult result_of(const Call& call, const Written& written) {
    EntryResult result{.status = written.status};
    if (written.version == 0) return result;
    result.etag = etag_of(written.version);
    result.last_modified = to_rfc3339(written.updated);
    result.location = fmt::format("{}/{}/_history/{}", written.type, written.id, written.version);
    if (call.wishes.returned == Return::Representation) result.resource = written.body;
    if (!written.warnings.empty())
        result.outcome = outcome_json(written.warnings, call.wishes.lang);
    return result;
}

/// A bundle being answered: each entry in its own time, the whole at the end.
class Bundling : public std::enable_shared_from_this<Bundling> {
  public:
    Bundling(Desk& desk, CallPtr call) : desk_(desk), call_(std::move(call)) {}

    void start();

  private:
    Answer<Work> read();
    Answer<void> rehearse_reads();
    Answer<void> rehearse_read(const BundleEntry& entry);
    void next_run();
    void start_run();
    void next_entries();
    void release();
    void ask(std::size_t number);
    http::Request request_of(const BundleEntry& entry) const;
    void finish();
    void refuse_all(const Refusal& refusal) {
        refuse(desk_, std::move(call_), refusal, event::Type::RecordUpdated);
    }

    Desk& desk_;
    CallPtr call_;
    fhir::Arena arena_;
    IncomingBundle bundle_;
    std::vector<std::size_t> changes_;  ///< entries written together
    std::vector<std::size_t> rest_;     ///< entries answered one by one
    std::vector<EntryResult> results_;
    std::atomic<int> turns_ = 0;         ///< runs to be started, and the right to start them
    std::size_t end_ = 0;                ///< of the run under way, in rest_
    std::atomic<std::size_t> held_ = 0;  ///< what keeps it from being over
    std::atomic<int> free_ = 0;  ///< places among those under way, and the right to fill them
    std::size_t asked_ = 0;      ///< of rest_; changed by whoever has that right
    std::atomic<std::size_t> bytes_ = 0;  ///< of answers so far
};

Answer<Work> Bundling::read() {
    if (TRY(body_kind(call_->request)) != BodyKind::FhirJson)
        return std::unexpected(unsupported_body());
    Work work;
    const fhir::Json root = TRY(work.arena.parse(as_text(call_->request.body)));
    bundle_ = TRY(read_bundle(root, desk_.options.base));
    results_.resize(bundle_.entries.size());
    for (std::size_t i = 0; i < bundle_.entries.size(); ++i) {
        const BundleEntry& entry = bundle_.entries[i];
        if (!bundle_.is_transaction || entry.method == Method::Get) {
            rest_.push_back(i);
            continue;
        }
        changes_.push_back(i);
        work.changes.push_back(TRY(change_of(work.arena, entry, entry_expression(i))));
    }
    return work;
}

/// A transaction is whole or nothing: what it reads once all is written must be there to be read.
Answer<void> Bundling::rehearse_reads() {
    if (!bundle_.is_transaction) return {};
    for (const std::size_t number : rest_) {
        auto rehearsed = rehearse_read(bundle_.entries[number]);
        if (rehearsed) continue;
        rehearsed.error().issues.front().expression = entry_expression(number);
        return rehearsed;
    }
    return {};
}

Answer<void> Bundling::rehearse_read(const BundleEntry& entry) {
    const auto changes = [&](const std::size_t number) {
        const Target& changed = bundle_.entries[number].target;
        return !changed.id.empty() && changed.type == entry.target.type &&
               changed.id == entry.target.id;
    };
    const auto change = std::ranges::find_if(changes_, changes);
    if (change == changes_.end()) return rehearse(desk_, *call_, request_of(entry));
    if (bundle_.entries[*change].method != Method::Delete) return {};
    return refuse(
        410, "deleted",
        {"cette transaction supprime ce qu'elle lit", "this transaction deletes what it reads"},
        {"ôtez l'une des deux entrées", "leave one of both entries out"});
}

void Bundling::start() {
    auto work = read();
    if (!work) return refuse_all(work.error());
    if (auto readable = rehearse_reads(); !readable) return refuse_all(readable.error());
    if (changes_.empty()) {
        arena_ = std::move(work->arena);
        return next_run();
    }
    write(desk_, *call_, *std::move(work),
          [self = shared_from_this()](Answer<std::vector<Written>> written) {
              if (!written) return self->refuse_all(written.error());
              for (std::size_t i = 0; i < written->size(); ++i)
                  self->results_[self->changes_[i]] = result_of(*self->call_, (*written)[i]);
              self->next_run();
          });
}

/// Starts the next run, or the answer behind the last. Whoever finds turns_ at zero runs the loop,
/// so that runs that are over at once do not pile up on the stack.
void Bundling::next_run() {
    if (turns_.fetch_add(1) > 0) return;
    do {
        if (asked_ == rest_.size())
            finish();
        else
            start_run();
    } while (turns_.fetch_sub(1) > 1);
}

/// What may go on at once because none can tell whether another is done: reads, or creations
/// without a condition. All else waits for what is before it.
bool goes_with(const BundleEntry& left, const BundleEntry& right) {
    if (left.method == Method::Get) return right.method == Method::Get;
    const auto is_creation = [](const BundleEntry& entry) {
        return entry.method == Method::Post && entry.target.shape == Shape::Type &&
               entry.if_none_exist.empty();
    };
    return is_creation(left) && is_creation(right);
}

void Bundling::start_run() {
    end_ = asked_ + 1;
    while (end_ < rest_.size() &&
           goes_with(bundle_.entries[rest_[asked_]], bundle_.entries[rest_[end_]]))
        ++end_;
    held_ = end_ - asked_ + 1;
    free_ = kAtOnceMax;
    next_entries();
    release();
}

/// The run is over once all of it is answered and nobody fills places any more.
void Bundling::release() {
    if (held_.fetch_sub(1) == 1) next_run();
}

/// Fills free places. Whoever finds free_ at zero when adding one runs the loop, so that answers
/// that come at once do not pile up on the stack.
void Bundling::next_entries() {
    do {
        if (asked_ < end_) ask(rest_[asked_++]);
    } while (free_.fetch_sub(1) > 1);
}

void Bundling::ask(std::size_t number) {
    const BundleEntry& entry = bundle_.entries[number];
    http::Reply reply = [self = shared_from_this(), number](http::Response response) {
        self->bytes_ += response.body.size();
        self->results_[number] = result_of(self->desk_, self->bundle_.entries[number], response);
        if (self->free_.fetch_add(1) == 0) self->next_entries();
        self->release();
    };
    const bool fits = bytes_ <= kAnswersBytesMax;
    if (fits && !entry.refusal)
        return serve(desk_, call_->actor, request_of(entry), std::move(reply));
    auto alone = std::make_unique<Call>();
    alone->actor = call_->actor;
    alone->request = request_of(entry);
    alone->wishes.lang = call_->wishes.lang;
    alone->asked = call_->asked;
    alone->reply = std::move(reply);
    refuse(desk_, std::move(alone), fits ? *entry.refusal : too_much(), event::Type::RecordUpdated);
}

http::Request Bundling::request_of(const BundleEntry& entry) const {
    http::Request request;
    request.method = name_of(entry.method);
    request.path = desk_.base_path + entry.path;
    request.query = entry.query;
    request.peer = call_->request.peer;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) request.headers.emplace_back(name, value);
    };
    add("accept", kFhirJson);  // a Bundle holds resources, no content
    add("accept-language", call_->request.header("accept-language"));
    add("x-request-id", call_->request.header("x-request-id"));
    add("prefer", call_->request.header("prefer"));
    add("if-none-exist", entry.if_none_exist);
    add("if-match", entry.if_match);
    add("if-none-match", entry.if_none_match);
    // An instant there, a date of HTTP elsewhere.
    if (const auto since = from_rfc3339(entry.if_modified_since))
        add("if-modified-since", http_date(*since));
    if (entry.resource) {
        add("content-type", "application/fhir+json");
        request.body = to_bytes(as_bytes(fhir::to_text(entry.resource)));
    }
    return request;
}

void Bundling::finish() {
    BundleWriter writer(bundle_.is_transaction ? "transaction-response" : "batch-response",
                        desk_.options.base);
    for (const EntryResult& result : results_) {
        const std::string status = status_line(result.status);
        writer.add({.resource = result.resource,
                    .status = status,
                    .location = result.location,
                    .etag = result.etag,
                    .last_modified = result.last_modified,
                    .outcome = result.outcome});
    }
    // Each entry is in the ledger already; the answer as a whole owes nothing more.
    call_->reply(json_response(*call_, 200, writer.finish()));
}

}  // namespace

void run_bundle(Desk& desk, CallPtr call) {
    std::make_shared<Bundling>(desk, std::move(call))->start();
}

}  // namespace hygie::records
