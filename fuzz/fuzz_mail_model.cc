#include <algorithm>

#include "base/check.h"
#include "crypto/sha256.h"
#include "guards/mail/model/learned.h"

using namespace hygie;

/// What is accepted is spelled again to the same bytes. The checksum is put right first: it keeps
/// accidents out, not forgers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes bytes(data, data + size);
    const auto sum = crypto::sha256(bytes);
    bytes.insert(bytes.end(), sum.begin(), sum.end());
    if (const auto model = mail::read_model(bytes)) {
        HYGIE_CHECK(mail::write_model(*model) == bytes, "a model changes when it is spelled");
        mail::Message message;
        message.text = "cliquez ici pour confirmer votre compte";
        (void)model->opinion(mail::features_of(message, {}, {}));
    }
    const ByteView plain(data, size);
    if (const auto learned = mail::Learned::read(plain))
        HYGIE_CHECK(std::ranges::equal(learned->write(), plain),
                    "lessons change when they are spelled");
    return 0;
}
