#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "guards/mail/judge/judge.h"
#include "guards/mail/model/model_features.h"

/// The learned opinion: two linear models, one for "is it an attack", one for "of which class",
/// whose every weight can be shown. MODEL_FORMAT.md has the file.
namespace hygie::mail {

inline constexpr std::size_t kModelBytesMax = 900U * 1024;
inline constexpr std::size_t kNamedWeightsMax = 2'000;
/// Classes among attacks: all of Class but None.
inline constexpr std::size_t kAttackClasses = kClasses - 1;
/// Slots of the hashed words of the class model, a divisor of kWordSlots.
inline constexpr std::uint32_t kClassSlots = 1U << 14;

/// Weights in steps of a common scale, as they are stored.
struct NamedWeight {
    std::string name;
    float attack = 0;
    std::array<float, kAttackClasses> classes{};
};

/// The name of two facts that matter together, and the two; the second is empty when the name is of
/// one.
std::string pair_name(std::string_view first, std::string_view second);
std::pair<std::string_view, std::string_view> halves_of(std::string_view name);

/// A fact, or two together, as a model weighs it in a message.
struct KnownFact {
    const NamedWeight* weight;  ///< of the model
    double value;               ///< of two, the product
};

/// A model at work. Words have weights in [-127, 127] times a scale.
struct Model {
    float bias = 0;
    float calibration_slope = 1;  ///< Platt: log-odds = slope * raw + offset
    float calibration_offset = 0;
    float word_scale = 0;
    float class_scale = 0;
    std::vector<std::int8_t> words;        ///< kWordSlots
    std::vector<std::int8_t> class_words;  ///< kClassSlots × kAttackClasses
    std::array<float, kAttackClasses> class_bias{};
    std::vector<NamedWeight> named;  ///< sorted by name
    std::string recipe;              ///< what it was trained on, for people

    const NamedWeight* find(std::string_view name) const;
    /// The facts of a message that have a weight, and the pairs of which both hold.
    std::vector<KnownFact> known_facts(const Features& features) const;
    /// Log-odds of "attack", calibrated, before any local adjustment.
    double attack_log_odds(const Features& features) const;
    Opinion opinion(const Features& features) const;

  private:
    double attack_log_odds(const Features& features, std::span<const KnownFact> facts) const;
};

/// Writes and reads the file; what is read spells again to the same bytes. Code::Corrupt when it is
/// not one, or was damaged.
Bytes write_model(const Model& model);
Result<Model> read_model(ByteView bytes);

/// The model that came with the program; read once.
const Model& shipped_model();
/// It as judge() wants it. The model must outlive the scorer.
Scorer scorer_of(const Model& model);

}  // namespace hygie::mail
