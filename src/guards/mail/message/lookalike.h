#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "guards/mail/message/domain.h"

namespace hygie::mail {

/// Honest domains, asked which of them another domain resembles.
class LookAlikeIndex {
  public:
    /// `domain` is registrable; `owner` is given back with it.
    void add(std::string_view domain, std::string_view owner);
    /// The closest resemblance; How::None for an honest domain and for a stranger.
    LookAlike find(std::string_view registrable) const;
    /// An honest domain that stands whole in the labels before `registrable`, the end of `host`:
    /// "clinique.example.rdv.test".
    LookAlike within(std::string_view host, std::string_view registrable) const;
    bool empty() const { return entries_.empty(); }

  private:
    struct Entry {
        std::string domain;
        std::string skeleton;  ///< of its main label
        std::string owner;
        std::uint64_t letters = 0;
    };
    std::vector<Entry> entries_;
    std::unordered_map<std::string, std::string> honest_;  ///< domain → owner
};

}  // namespace hygie::mail
