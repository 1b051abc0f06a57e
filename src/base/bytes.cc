#include "base/bytes.h"

#include "base/ascii.h"

namespace hygie {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_base64_values() {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 64; ++i)
        values[static_cast<std::uint8_t>(kBase64Digits[i])] = static_cast<std::int8_t>(i);
    return values;
}

constexpr auto kBase64Values = make_base64_values();

std::unexpected<Error> bad_base64() {
    return fail(Code::BadInput, {"base64 invalide", "invalid base64"},
                {"recopiez la valeur exactement, sans espace ni coupure",
                 "copy the value exactly, without spaces or breaks"});
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (std::uint8_t byte : bytes) {
        out.push_back(kHexDigits[byte >> 4]);
        out.push_back(kHexDigits[byte & 15]);
    }
    return out;
}

Result<Bytes> from_hex(std::string_view text) {
    const Text what{"hexadécimal invalide", "invalid hexadecimal"};
    const Text remedy{"donnez un nombre pair de chiffres 0-9 a-f",
                      "give an even number of digits 0-9 a-f"};
    if (text.size() % 2 != 0) return fail(Code::BadInput, what, remedy);
    Bytes out(text.size() / 2);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return fail(Code::BadInput, what, remedy);
        out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return out;
}

std::string to_base64(ByteView bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = bytes.size() - i;
        const std::uint32_t word = static_cast<std::uint32_t>(bytes[i]) << 16 |
                                   (left > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0u) |
                                   (left > 2 ? bytes[i + 2] : 0u);
        out.push_back(kBase64Digits[word >> 18]);
        out.push_back(kBase64Digits[word >> 12 & 63]);
        out.push_back(left > 1 ? kBase64Digits[word >> 6 & 63] : '=');
        out.push_back(left > 2 ? kBase64Digits[word & 63] : '=');
    }
    return out;
}

Result<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return bad_base64();
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    const std::string_view digits = text.substr(0, text.size() - padding);
    Bytes out;
    out.reserve(digits.size() * 3 / 4);
    std::uint32_t word = 0;
    int bits = 0;
    for (char c : digits) {
        const int value = kBase64Values[static_cast<std::uint8_t>(c)];
        if (value < 0) return bad_base64();
        word = word << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(word >> bits & 0xFF));
        }
    }
    // Bits left over must be zero, else two spellings would name one value.
    if ((word & ((1u << bits) - 1)) != 0) return bad_base64();
    return out;
}

bool equal_constant_time(ByteView left, ByteView right) {
    if (left.size() != right.size()) return false;
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        difference = static_cast<std::uint8_t>(difference | (left[i] ^ right[i]));
    return difference == 0;
}

}  // namespace hygie
