#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/judge/judge.h"
#include "guards/mail/twins/twin_world.h"
#include "host/disk.h"

/// Prints the twins: one message, or an attack and its honest counterpart of the same words.
namespace hygie::mail {

/// Who wrote the templates, one letter or digit each.
inline constexpr std::string_view kTwinAuthors = "ABCDEFGHIJKLMNOPQRSTUVWXZ123";

/// One message that was made, and what is true of it.
struct Twin {
    std::string pair;  ///< shared by the two of one seed, "ameli-refund-0000002a"
    std::string template_id;
    std::string author;
    std::string lang;
    std::string kind;   ///< what it plays: "fovi_first", "newsletter", …
    std::string shape;  ///< of its attachment, empty for none
    Side side = Side::Legitimate;
    Class truth = Class::None;  ///< Class::None when legitimate
    bool has_counterpart = false;
    std::string message;   ///< RFC 5322
    std::string envelope;  ///< JSON side-car
};

class TwinPress {
  public:
    static constexpr std::size_t kDrawsPerWorld = 250;

    /// Only templates of these authors ("ABC": all three). Another world opens every
    /// `draws_per_world` draws; `library` must outlive it.
    TwinPress(const TwinLibrary& library, std::uint64_t seed, std::string_view authors,
              std::size_t draws_per_world = kDrawsPerWorld);

    /// The next draw: one message or two twins.
    Result<std::vector<Twin>> next();
    /// The world of the last draw.
    const TwinWorld& world() const { return world_; }
    /// True when the last draw opened another world.
    bool world_changed() const { return world_changed_; }

  private:
    Result<Twin> print(const TwinTemplate& form, Side side, std::uint64_t seed);

    const TwinLibrary& library_;
    Dice dice_;
    std::uint64_t seed_;
    std::size_t draws_per_world_;
    std::vector<const TwinTemplate*> honest_;
    std::vector<const TwinTemplate*> hostile_;  ///< with or without a twin
    TwinWorld world_;
    std::size_t drawn_ = 0;
    bool world_changed_ = false;
};

/// Writes `count` messages of one world to `dir`: NAME.eml, NAME.json, index.csv, history.json.
Status write_twins(Disk& disk, const TwinLibrary& library, std::uint64_t seed, std::size_t count,
                   std::string_view authors, const std::string& dir);

}  // namespace hygie::mail
