#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/secret.h"
#include "guards/mail/model/model.h"
#include "host/disk.h"
#include "host/random.h"

/// What the practice's own clicks teach: a bounded adjustment of the shipped model, kept sealed.
/// Nothing of a message is kept but the numbers of its features.
namespace hygie::mail {

/// The domain of the house's root key that seals what was learned.
inline constexpr std::string_view kLearnedKeyDomain = "mail-learned";
inline constexpr std::size_t kLessonsMax = 4'000;
inline constexpr std::size_t kLearnedBytesMax = 32U << 20;
/// The most that all lessons together may move the log-odds of one message.
inline constexpr double kAdjustmentMax = 3.0;
/// The most that one feature may move them.
inline constexpr double kFeatureDeltaMax = 2.0;

/// What a person said of a message: it is an attack that came through, or it was held wrongly.
enum class Click : std::uint8_t { Release = 0, Report = 1 };

struct Lesson {
    Click click = Click::Release;
    float attack_log_odds = 0;                                    ///< what the model had said
    std::vector<std::pair<std::uint32_t, std::uint8_t>> words{};  ///< slot, value in 1/255
};

/// All lessons, and the weights they make. The weights are fitted anew from all lessons at each
/// click, anchored at the shipped model, so the order does not matter and none is forgotten.
class Learned {
  public:
    /// Says what happened: false when the same lesson was there already, or the room is full.
    bool add(const Features& features, double attack_log_odds, Click click);
    /// To add to the log-odds of an attack, within ±kAdjustmentMax.
    double adjustment(const Features& features) const;
    std::size_t size() const { return lessons_.size(); }

    Bytes write() const;
    /// Code::Corrupt when the bytes are none of ours.
    static Result<Learned> read(ByteView bytes);

  private:
    void fit();

    std::vector<Lesson> lessons_;
    std::map<std::uint32_t, float> deltas_;
};

/// The sealed file `dir`/learned.hyl; nothing learned yet when absent.
Result<Learned> open_learned(Disk& disk, const std::string& dir, const crypto::Secret32& key);
Status keep_learned(Disk& disk, Random& random, const std::string& dir, const crypto::Secret32& key,
                    const Learned& learned);

/// The model with what was learned; both must outlive the scorer.
Scorer scorer_of(const Model& model, const Learned& learned);

}  // namespace hygie::mail
