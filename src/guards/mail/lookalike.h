#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "guards/mail/evidence.h"

namespace hygie::mail {

/// Honest domains, asked which of them another domain resembles.
class LookAlikeIndex {
  public:
    /// `domain` is registrable; `owner` is given back with it.
    void add(std::string_view domain, std::string_view owner);
    /// The closest resemblance; How::None for an honest domain and for a stranger.
    LookAlike find(std::string_view registrable) const;
    bool empty() const { return entries_.empty(); }

  private:
    struct Entry {
        std::string domain;
        std::string skeleton;  ///< of its main label
        std::string owner;
        std::uint64_t letters = 0;
    };
    std::vector<Entry> entries_;
    std::unordered_set<std::string> honest_;
};

}  // namespace hygie::mail
