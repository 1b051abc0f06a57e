#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/http.h"
#include "base/text.h"
#include "base/time.h"
#include "guards/records/request/refusal.h"
#include "guards/records/request/target.h"

/// What a client asks of the form of the answer, and what it says about its own
/// (https://hl7.org/fhir/R4/http.html#mime-type).
namespace hygie::records {

inline constexpr std::string_view kFhirJson = "application/fhir+json; charset=utf-8";
inline constexpr std::string_view kNdjson = "application/fhir+ndjson";

/// Prefer: return=…
enum class Return : std::uint8_t { Unsaid, Minimal, Representation, Outcome };

struct Wishes {
    Lang lang = Lang::Fr;
    bool pretty = false;
    Return returned = Return::Unsaid;
    bool lenient = false;       ///< Prefer: handling=lenient
    bool asynchronous = false;  ///< Prefer: respond-async
};

/// Reads Accept, Accept-Language, Prefer and takes _format and _pretty out of the parameters.
/// Refuses with 406 what is not JSON, or another version of FHIR.
Answer<Wishes> negotiate(const http::Request& request, Parameters& parameters);

/// Only the language, for answers to requests that cannot be read.
Lang language_of(const http::Request& request);

enum class BodyKind : std::uint8_t { FhirJson, JsonPatch, Form, Ndjson };
/// What the Content-Type says the body is; 415 when it is none of these, or not in UTF-8.
Answer<BodyKind> body_kind(const http::Request& request);
/// The 415 for a body of a kind that does not go with this interaction.
Refusal unsupported_body();

/// W/"3" → 3 (also "3" and 3); none when it is no version of ours.
std::optional<std::uint32_t> version_in_etag(std::string_view etag);
/// Whether a list of ETags, as If-Match and If-None-Match have it, names that version; "*" names
/// each.
bool has_version(std::string_view etags, std::uint32_t version);
/// Whether such a list names any version of ours.
bool names_versions(std::string_view etags);
std::string etag_of(std::uint32_t version);

/// IMF-fixdate of RFC 9110 §5.6.7: "Tue, 24 Nov 2026 08:30:00 GMT".
std::string http_date(WallTime time);
/// The inverse; none for the two obsolete forms too.
std::optional<WallTime> parse_http_date(std::string_view text);

/// JSON text with line feeds and indents, otherwise as it was. `json` is well formed.
std::string prettied(std::string_view json);

}  // namespace hygie::records
