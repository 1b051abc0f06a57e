#include "guards/mail/model/learned.h"

#include <algorithm>
#include <cmath>

#include "crypto/aead.h"
#include "guards/mail/model/model_bytes.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kMagic = "HYGLEARN1";
constexpr std::string_view kFile = "learned.hyl";
constexpr std::size_t kLessonWordsMax = 8'000;
constexpr int kRounds = 30;
constexpr double kRate = 1.5;
constexpr double kAnchor = 0.02;  ///< how strongly each weight is drawn back to the shipped model
constexpr double kWantedMargin = 2;

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"ce que la garde du courrier avait appris est abîmé ou scellé d'une autre clé",
                 "what the mail guard had learned is damaged or sealed with another key"},
                {"redonnez-lui la bonne clé, ou effacez learned.hyl pour repartir de zéro",
                 "give it the right key, or delete learned.hyl to start afresh"});
}

template <typename Words>
double sum_of(const std::map<std::uint32_t, float>& deltas, const Words& words, double unit) {
    double sum = 0;
    for (const auto& [slot, value] : words)
        if (const auto found = deltas.find(slot); found != deltas.end())
            sum += static_cast<double>(found->second) * value * unit;
    return sum;
}

double held(double sum) {
    return std::clamp(sum, -kAdjustmentMax, kAdjustmentMax);
}

}  // namespace

bool Learned::add(const Features& features, double attack_log_odds, Click click) {
    Lesson lesson{.click = click, .attack_log_odds = static_cast<float>(attack_log_odds)};
    for (const WordFeature& word : features.words) {
        const auto value = static_cast<std::uint8_t>(std::clamp(word.value * 255, 1.0F, 255.0F));
        if (lesson.words.size() < kLessonWordsMax) lesson.words.emplace_back(word.slot, value);
    }
    const auto same = std::ranges::find_if(
        lessons_, [&](const Lesson& known) { return known.words == lesson.words; });
    if (same != lessons_.end()) {
        if (same->click == click) return false;
        same->click = click;  // the last word of a person counts
    } else {
        if (lessons_.size() >= kLessonsMax) return false;
        lessons_.push_back(std::move(lesson));
    }
    fit();
    return true;
}

void Learned::fit() {
    deltas_.clear();
    for (int round = 0; round < kRounds; ++round) {
        for (const Lesson& lesson : lessons_) {
            const double sign = lesson.click == Click::Report ? 1 : -1;
            const double sum = sum_of(deltas_, lesson.words, 1.0 / 255);
            // Pushed as far as it may go, it would only drag along what shares a word with it.
            const bool is_spent = sign * sum >= kAdjustmentMax;
            const double now = lesson.attack_log_odds + held(sum);
            const double push = is_spent ? 0 : kRate / (1 + std::exp(sign * now - kWantedMargin));
            for (const auto& [slot, value] : lesson.words) {
                float& delta = deltas_[slot];
                const double moved = delta * (1 - kAnchor) + sign * push * value / 255.0;
                delta = static_cast<float>(std::clamp(moved, -kFeatureDeltaMax, kFeatureDeltaMax));
            }
        }
    }
}

double Learned::adjustment(const Features& features) const {
    if (deltas_.empty()) return 0;
    std::vector<std::pair<std::uint32_t, double>> words;
    for (const WordFeature& word : features.words)
        words.emplace_back(word.slot, static_cast<double>(word.value));
    return held(sum_of(deltas_, words, 1));
}

Bytes Learned::write() const {
    Bytes out(kMagic.begin(), kMagic.end());
    put_number(out, lessons_.size());
    for (const Lesson& lesson : lessons_) {
        out.push_back(static_cast<std::uint8_t>(lesson.click));
        put_float(out, lesson.attack_log_odds);
        put_number(out, lesson.words.size());
        for (const auto& [slot, value] : lesson.words) {
            put_number(out, slot);
            out.push_back(value);
        }
    }
    return out;
}

Result<Learned> Learned::read(ByteView bytes) {
    if (!as_text(bytes).starts_with(kMagic)) return corrupt();
    ByteReader reader(bytes.subspan(kMagic.size()));
    Learned learned;
    const std::uint64_t count = reader.number(kLessonsMax);
    for (std::uint64_t i = 0; i < count && !reader.bad; ++i) {
        Lesson lesson;
        const std::uint8_t click = reader.byte();
        if (click > 1) reader.bad = true;
        lesson.click = click == 1 ? Click::Report : Click::Release;
        lesson.attack_log_odds = reader.real();
        const std::uint64_t words = reader.number(kLessonWordsMax);
        for (std::uint64_t at = 0; at < words && !reader.bad; ++at) {
            const auto slot = static_cast<std::uint32_t>(reader.number(kWordSlots - 1));
            lesson.words.emplace_back(slot, reader.byte());
        }
        learned.lessons_.push_back(std::move(lesson));
    }
    if (reader.bad || !reader.at_end()) return corrupt();
    learned.fit();
    return learned;
}

Result<Learned> open_learned(Disk& disk, const std::string& dir, const crypto::Secret32& key) {
    const std::string path = join(dir, kFile);
    if (!disk.exists(path)) return Learned{};
    const Bytes sealed = TRY(disk.read_file(path, kLearnedBytesMax));
    const Result<Bytes> plain = crypto::unbox(key, as_bytes(kMagic), sealed);
    if (!plain) return corrupt();
    return Learned::read(*plain);
}

Status keep_learned(Disk& disk, Random& random, const std::string& dir, const crypto::Secret32& key,
                    const Learned& learned) {
    return disk.replace_file(join(dir, kFile),
                             crypto::box(key, as_bytes(kMagic), learned.write(), random));
}

Scorer scorer_of(const Model& model, const Learned& learned) {
    return [&model, &learned](const Message& message, const Evidence& evidence,
                              std::span<const Signal> signals) {
        const Features features = features_of(message, evidence, signals);
        Opinion opinion = model.opinion(features);
        const double moved = learned.adjustment(features);
        opinion.log_odds[0] -= moved;
        for (std::size_t k = 1; k < kClasses; ++k) opinion.log_odds[k] += moved;
        return opinion;
    };
}

}  // namespace hygie::mail
