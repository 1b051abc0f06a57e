#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "host/random.h"

/// Links to the rest of an answer: the request and the place in it, sealed. Opaque to everybody,
/// good for the actor they were made for and for nobody else.
namespace hygie::records {

/// Where a page begins: behind the resource shown last, or else at that place.
struct Cursor {
    std::uint64_t offset = 0;
    std::string last{};  ///< "Observation/42", or whatever names the last item of the answer
    bool operator==(const Cursor&) const = default;
};

/// What a token stands for.
struct PageOf {
    std::string path{};   ///< below the base
    std::string query{};  ///< of a POST _search: what its body said
    Cursor cursor{};
    bool operator==(const PageOf&) const = default;
};

std::string seal_page(const crypto::Secret32& key, Random& random, const ActorId& actor,
                      const PageOf& page);
/// Code::NotFound for whatever was not sealed for this actor.
Result<PageOf> open_page(const crypto::Secret32& key, const ActorId& actor, std::string_view token);

}  // namespace hygie::records
