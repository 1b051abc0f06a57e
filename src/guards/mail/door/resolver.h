#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// The door to the domain name system. Nobody waits at it longer than they said.
namespace hygie::mail {

inline constexpr std::size_t kDnsWaitingMax = 256;

enum class DnsType : std::uint8_t { A, Aaaa, Mx, Txt };

struct DnsAnswer {
    enum class Kind : std::uint8_t {
        Found,
        Nothing,  ///< no such name, or nothing of that type
        Failed,   ///< no answer in time, or a broken one
    };
    Kind kind = Kind::Failed;
    /// Addresses as text, names of mail servers in order of preference, or whole texts.
    std::vector<std::string> values{};
};

class Resolver {
  public:
    virtual ~Resolver() = default;
    virtual DnsAnswer ask(const std::string& name, DnsType type, SteadyTime until) = 0;
};

/// libunbound, which asks the resolver at `server`: "ADDRESS" or "ADDRESS@PORT". Thread-safe.
/// Code::BadInput for another spelling.
Result<std::unique_ptr<Resolver>> open_resolver(const std::string& server);

}  // namespace hygie::mail
