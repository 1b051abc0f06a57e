#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "guards/records/desk/handlers.h"

/// The one table of what the interface can do: requests are dispatched by it, 405 lists what it
/// has, and the CapabilityStatement says what it says.
namespace hygie::records {

/// Whether an interaction understands parameters in its URL; others refuse them.
enum class Query : std::uint8_t { Refused, Taken };

struct Interaction {
    Shape shape{};
    Method method{};
    std::string_view name{};     ///< "$everything", for the shapes of operations
    std::string_view on_type{};  ///< the only type it exists for; empty: each
    std::string_view code{};     ///< in the CapabilityStatement; of an operation, its definition
    event::Type event = event::Type::RecordRead;  ///< what a refusal is called in the ledger
    Query query = Query::Refused;
    Answer<Disclosure> (*answers)(Desk&, const Call&) = nullptr;  ///< one of both
    void (*takes)(Desk&, CallPtr) = nullptr;
};

std::span<const Interaction> interactions();
/// Understands a request and lets the row it belongs to answer it.
void serve(Desk& desk, const access::Actor& actor, http::Request request, http::Reply reply);
/// The same for a call that is understood already.
void dispatch(Desk& desk, CallPtr call);
/// Why this would be refused as part of `whole`; what it would show is shown to nobody.
Answer<void> rehearse(Desk& desk, const Call& whole, http::Request request);

}  // namespace hygie::records
