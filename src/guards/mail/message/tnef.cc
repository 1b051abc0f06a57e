#include "guards/mail/message/tnef.h"

#include "guards/mail/message/bytes_at.h"
#include "guards/mail/message/charset.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

constexpr std::uint32_t kSignature = 0x223E9F78;
constexpr std::uint32_t kBody = 0x0002800C;
constexpr std::uint32_t kAttachStart = 0x00069002;
constexpr std::uint32_t kAttachTitle = 0x00018010;
constexpr std::uint32_t kAttachData = 0x0006800F;
constexpr std::uint32_t kAttachProps = 0x00069005;
constexpr std::size_t kHeadBytes = 6;
constexpr std::size_t kAttributeHeadBytes = 9;
constexpr std::size_t kChecksumBytes = 2;

constexpr std::uint16_t kLongFileName = 0x3707;
constexpr std::uint16_t kTypeString8 = 0x001E;
constexpr std::uint16_t kTypeUnicode = 0x001F;
constexpr std::size_t kPropertiesMax = 512;

std::string_view until_nul(std::string_view text) {
    return text.substr(0, text.find('\0'));
}

/// Bytes of one value of a fixed-size MAPI type; 0 for those that carry their size.
std::size_t fixed_size(std::uint16_t type) {
    switch (type) {
        case 0x0005:  // double
        case 0x0006:  // currency
        case 0x0007:  // application time
        case 0x0014:  // 64-bit number
        case 0x0040:  // system time
            return 8;
        case 0x0048:  // GUID
            return 16;
        case 0x000D:  // object
        case 0x001E:
        case 0x001F:
        case 0x0102:
            return 0;
        default:
            return 4;
    }
}

/// The long file name among the MAPI properties of an attachment; empty when it is not there.
std::string long_name(std::string_view props) {
    std::size_t at = 4;
    const std::size_t count = std::min<std::size_t>(u32_at(props, 0), kPropertiesMax);
    for (std::size_t i = 0; i < count && at + 4 <= props.size(); ++i) {
        const std::uint16_t type = u16_at(props, at);
        const std::uint16_t id = u16_at(props, at + 2);
        at += 4;
        if (id >= 0x8000 || (type & 0x1000) != 0) return {};  // named and multiple: not needed here
        if (const std::size_t size = fixed_size(type); size != 0) {
            at += size;
            continue;
        }
        const std::size_t size = u32_at(props, at + 4);
        const std::string_view value = part_of(props, at + 8, size);
        if (id == kLongFileName && type == kTypeString8)
            return decode_charset(until_nul(value), "").text;
        if (id == kLongFileName && type == kTypeUnicode) {
            std::string name = decode_charset(value, "utf-16le").text;
            return std::string(until_nul(name));
        }
        if (size > props.size()) return {};
        at += 8 + (size + 3) / 4 * 4;
    }
    return {};
}

}  // namespace

Tnef read_tnef(std::string_view bytes) {
    Tnef out;
    if (u32_at(bytes, 0) != kSignature) return out;
    out.is_tnef = true;
    std::size_t at = kHeadBytes;
    while (at + kAttributeHeadBytes <= bytes.size()) {
        const std::uint32_t id = u32_at(bytes, at + 1);
        const std::size_t size = u32_at(bytes, at + 5);
        const std::string_view data = part_of(bytes, at + kAttributeHeadBytes, size);
        if (id == kAttachStart && out.files.size() < kAttachmentsMax) out.files.emplace_back();
        if (id == kBody) out.body = decode_charset(until_nul(data), "").text;
        if (!out.files.empty()) {
            Tnef::File& file = out.files.back();
            if (id == kAttachTitle && file.name.empty())
                file.name = decode_charset(until_nul(data), "").text;
            if (id == kAttachData) file.bytes = data.substr(0, kAttachmentBytesMax);
            if (id == kAttachProps)
                if (std::string name = long_name(data); !name.empty()) file.name = std::move(name);
        }
        if (size > bytes.size()) break;
        at += kAttributeHeadBytes + size + kChecksumBytes;
    }
    return out;
}

}  // namespace hygie::mail
