#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/facts/pack.h"

namespace hygie::mail {

/// An address taken apart the way browsers do, hiding tricks undone.
struct Url {
    std::string scheme;
    std::string host;  ///< lower case, IDNA decoded
    std::string path;  ///< path, query and fragment
    bool has_user_info = false;
    bool was_punycode = false;
};
Url parse_url(std::string_view written);

/// Knows whose domains are whose and reads raw links.
class LinkReader {
  public:
    LinkReader(const Pack& pack, const History& history, std::vector<std::string> recipients)
        : pack_(pack), history_(history), recipients_(std::move(recipients)) {}
    Link read(const RawLink& raw, std::string_view where) const;
    /// What a host resembles, the organisation's own world first.
    LookAlike look_alike(std::string_view host) const;

  private:
    bool carries_recipient(std::string_view target) const;
    /// Whoever owns an address writes a parameter into it as they like: that it leads to a brand or
    /// to somebody this house knows is believed of those alone who do lead on.
    bool is_believed(const Link& link, std::string_view target,
                     std::string_view target_domain) const;
    const Pack& pack_;
    const History& history_;
    std::vector<std::string> recipients_;
};

/// The registrable domain that a shown text names when it is written as an address; else empty.
std::string domain_shown(std::string_view shown);

}  // namespace hygie::mail
