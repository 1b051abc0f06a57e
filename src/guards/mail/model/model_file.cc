#include <algorithm>

#include "crypto/sha256.h"
#include "guards/mail/model/model.h"
#include "guards/mail/model/model_bytes.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kMagic = "HYGMAIL1";
constexpr std::size_t kNameBytesMax = 120;  ///< of a pair of facts
constexpr std::size_t kRecipeBytesMax = 4096;
constexpr std::size_t kSumBytes = 32;

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt, {"le modèle de messagerie est abîmé", "the mail model is damaged"},
                {"remettez le fichier d'origine ou refaites-le par « hygie mail train »",
                 "put the original file back or make it again with 'hygie mail train'"});
}

/// Weights other than zero: the gap from the one before, then the weight.
void put_sparse(Bytes& to, const std::vector<std::int8_t>& weights) {
    put_number(to, weights.size() - static_cast<std::size_t>(std::ranges::count(weights, 0)));
    std::size_t last = 0;
    for (std::size_t at = 0; at < weights.size(); ++at) {
        if (weights[at] == 0) continue;
        put_number(to, at - last);
        to.push_back(static_cast<std::uint8_t>(weights[at]));
        last = at;
    }
}

std::vector<std::int8_t> read_sparse(ByteReader& reader, std::size_t size) {
    std::vector<std::int8_t> weights(size);
    const std::uint64_t count = reader.number(size);
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < count && !reader.bad; ++i) {
        const std::uint64_t gap = reader.number(size);
        at += gap;
        const auto weight = static_cast<std::int8_t>(reader.byte());
        if (at >= size || weight == 0 || (i > 0 && gap == 0)) reader.bad = true;
        if (!reader.bad) weights[at] = weight;
    }
    return weights;
}
}  // namespace

Bytes write_model(const Model& model) {
    Bytes out(kMagic.begin(), kMagic.end());
    put_text(out, model.recipe);
    for (const float value : {model.bias, model.calibration_slope, model.calibration_offset,
                              model.word_scale, model.class_scale})
        put_float(out, value);
    for (const float value : model.class_bias) put_float(out, value);
    put_number(out, model.named.size());
    for (const NamedWeight& weight : model.named) {
        put_text(out, weight.name);
        put_float(out, weight.attack);
        for (const float value : weight.classes) put_float(out, value);
    }
    put_sparse(out, model.words);
    put_sparse(out, model.class_words);
    const auto sum = crypto::sha256(out);
    out.insert(out.end(), sum.begin(), sum.end());
    return out;
}

Result<Model> read_model(ByteView bytes) {
    if (bytes.size() < kMagic.size() + kSumBytes || bytes.size() > kModelBytesMax) return corrupt();
    const ByteView body = bytes.first(bytes.size() - kSumBytes);
    const auto sum = crypto::sha256(body);
    if (!std::ranges::equal(sum, bytes.last(kSumBytes)) || !as_text(body).starts_with(kMagic))
        return corrupt();
    ByteReader reader(body.subspan(kMagic.size()));
    Model model;
    model.recipe = reader.text(kRecipeBytesMax);
    for (float* value : {&model.bias, &model.calibration_slope, &model.calibration_offset,
                         &model.word_scale, &model.class_scale})
        *value = reader.real();
    for (float& value : model.class_bias) value = reader.real();
    const std::uint64_t count = reader.number(kNamedWeightsMax);
    for (std::uint64_t i = 0; i < count && !reader.bad; ++i) {
        NamedWeight weight;
        weight.name = reader.text(kNameBytesMax);
        weight.attack = reader.real();
        for (float& value : weight.classes) value = reader.real();
        if (!model.named.empty() && model.named.back().name >= weight.name) reader.bad = true;
        model.named.push_back(std::move(weight));
    }
    model.words = read_sparse(reader, kWordSlots);
    model.class_words = read_sparse(reader, static_cast<std::size_t>(kClassSlots) * kAttackClasses);
    if (reader.bad || !reader.at_end()) return corrupt();
    return model;
}

}  // namespace hygie::mail
