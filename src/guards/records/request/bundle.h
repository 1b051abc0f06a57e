#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/data/json.h"
#include "guards/records/request/refusal.h"
#include "guards/records/request/target.h"

/// Bundles as they come in (https://hl7.org/fhir/R4/http.html#transaction) and as they go out.
namespace hygie::records {

inline constexpr std::size_t kBundleEntriesMax = 20'000;

/// One entry of a batch or transaction, read and checked for itself.
struct BundleEntry {
    Method method = Method::Get;
    bool is_head = false;  ///< a Get without its body
    std::string path{};    ///< below the base, still encoded, without '?'
    std::string query{};   ///< what follows '?'
    Target target{};
    std::string full_url{};  ///< empty when it has none
    fhir::Json resource{};   ///< Absent when it has none
    std::string if_none_exist{};
    std::string if_match{};
    std::string if_none_match{};
    std::string if_modified_since{};
    std::optional<Refusal> refusal{};  ///< of a batch: why it cannot mean anything
};

struct IncomingBundle {
    bool is_transaction = false;  ///< a batch otherwise
    std::vector<BundleEntry> entries{};
};

/// Refuses (400) what is no batch or transaction. An entry that cannot mean anything refuses a
/// transaction, and in a batch itself alone; the expression of the issue names it. `base` is our
/// own base URL, with a '/' at its end.
Answer<IncomingBundle> read_bundle(fhir::Json bundle, std::string_view base);

/// "Bundle.entry[3]": for the expressions of issues.
std::string entry_expression(std::size_t number);

/// A URL without our base in front of it: relative, as we store it.
std::string_view below_base(std::string_view url, std::string_view base);

/// Writes a Bundle piece by piece, so that stored bodies go out as they are, unread.
class BundleWriter {
  public:
    /// `type`: "searchset", "history", "batch-response"…
    BundleWriter(std::string_view type, std::string_view base);

    /// About how many bytes will come: they are not moved as they grow.
    void expect(std::size_t bytes) { out_.reserve(out_.size() + bytes); }
    void total(std::uint64_t count);
    void link(std::string_view relation, std::string_view url);

    struct Item {
        std::string_view reference{};    ///< "Patient/1": fullUrl without the base; may be empty
        std::string_view resource{};     ///< JSON; may be empty
        std::string_view search_mode{};  ///< "match", "include", "outcome", or empty
        std::string_view grade{};        ///< of a Patient/$match, with `score`: "probable"
        std::string_view score{};        ///< "0.833"
        std::string_view method{};       ///< of a history entry, with `url`
        std::string_view url{};
        std::string_view status{};  ///< "200 OK": the response of the entry, or empty
        std::string_view location{};
        std::string_view etag{};
        std::string_view last_modified{};  ///< an instant
        std::string_view outcome{};        ///< an OperationOutcome in JSON
    };
    void add(const Item& item);

    /// Refuses to go on once the page is too large to be held several times over.
    Answer<void> check_size() const;

    /// The bundle; the writer is empty afterwards.
    std::string finish();

  private:
    void end_links();

    std::string base_;
    std::string out_;
    enum class Part : std::uint8_t { Head, Links, Entries } part_ = Part::Head;
};

/// "201 Created"
std::string status_line(int status);

}  // namespace hygie::records
