#include <ZXing/BarcodeFormat.h>
#include <ZXing/BitMatrix.h>
#include <ZXing/MultiFormatWriter.h>
#include <gtest/gtest.h>
#include <leptonica/allheaders.h>
#include <rapidcheck/gtest.h>

#include <memory>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/message/test_file.h"

namespace hygie::mail {
namespace {

constexpr const char* kAddress = "https://evil.example/m365";

/// What a program that is not ours makes of these pixels.
std::string written(const Grey& grey, l_int32 format) {
    PIX* picture = pixCreate(grey.width, grey.height, 8);
    for (int y = 0; y < grey.height; ++y)
        for (int x = 0; x < grey.width; ++x)
            pixSetPixel(picture, x, y, grey.pixels[static_cast<std::size_t>(y * grey.width + x)]);
    l_uint8* data = nullptr;
    std::size_t size = 0;
    EXPECT_EQ(pixWriteMem(&data, &size, picture, format), 0);
    std::string out(reinterpret_cast<const char*>(data), size);
    lept_free(data);
    pixDestroy(&picture);
    return out;
}

Grey code() {
    constexpr int kSide = 120;
    ZXing::MultiFormatWriter writer(ZXing::BarcodeFormat::QRCode);
    const ZXing::BitMatrix matrix = writer.encode(std::string(kAddress), kSide, kSide);
    Grey out{.pixels = {}, .width = matrix.width(), .height = matrix.height()};
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) out.pixels.push_back(matrix.get(x, y) ? 0 : 255);
    return out;
}

std::vector<QrCode> codes_in(const std::string& name, const std::string& bytes) {
    return facts_of_answer(answer_question(question_of(with_file(name, bytes), {}, true))).qr;
}

TEST(MailPictures, EveryKindThatMailProgramsShowIsReadForCodes) {
    for (const auto& [name, format] : {std::pair{"a.gif", IFF_GIF},
                                       {"a.png", IFF_PNG},
                                       {"a.jpg", IFF_JFIF_JPEG},
                                       {"a.bmp", IFF_BMP},
                                       {"a.tif", IFF_TIFF},
                                       {"a.tiff", IFF_TIFF_LZW},
                                       {"a.webp", IFF_WEBP}}) {
        const std::vector<QrCode> found = codes_in(name, written(code(), format));
        ASSERT_EQ(found.size(), 1U) << name;
        EXPECT_EQ(found[0].payload, kAddress);
    }
}

/// Not made by Leptonica: one code for each pixel, black or white, two between clearings of the
/// table.
std::string frame_of(const Grey& grey, unsigned hundredths, bool interlaced) {
    const auto u16 = [](int value) {
        return std::string{static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
    };
    std::string out = std::string("\x21\xF9\x04\x00", 4) + u16(static_cast<int>(hundredths)) +
                      std::string("\0\0\x2C\0\0\0\0", 7) + u16(grey.width) + u16(grey.height) +
                      (interlaced ? '\x40' : '\0') + '\x02';
    std::vector<int> rows;
    if (interlaced) {
        for (const auto& [first, step] : {std::pair{0, 8}, {4, 8}, {2, 4}, {1, 2}})
            for (int y = first; y < grey.height; y += step) rows.push_back(y);
    } else {
        for (int y = 0; y < grey.height; ++y) rows.push_back(y);
    }
    std::string packed;
    unsigned bits = 0;
    unsigned held = 0;
    const auto put = [&](unsigned value) {
        bits |= value << held;
        for (held += 3; held >= 8; held -= 8, bits >>= 8) packed.push_back(static_cast<char>(bits));
    };
    std::size_t count = 0;
    for (const int y : rows)
        for (int x = 0; x < grey.width; ++x) {
            if (count++ % 2 == 0) put(4);
            put(grey.pixels[static_cast<std::size_t>(y * grey.width + x)] != 0 ? 1 : 0);
        }
    put(5);
    put(0);
    put(0);
    for (std::size_t at = 0; at < packed.size(); at += 255) {
        const std::string part = packed.substr(at, 255);
        out += static_cast<char>(part.size()) + part;
    }
    return out + '\0';
}

std::string gif_of(const Grey& screen, const std::string& frames) {
    const std::string head{static_cast<char>(screen.width),
                           '\0',
                           static_cast<char>(screen.height),
                           '\0',
                           '\x80',
                           '\0',
                           '\0'};
    return "GIF89a" + head + std::string("\0\0\0\xff\xff\xff", 6) + frames + ";";
}

TEST(MailPictures, OfAnAnimationTheOneThatStandsLongestIsRead) {
    const Grey lure = code();
    Grey blank = lure;
    std::ranges::fill(blank.pixels, 255);
    const std::string before = frame_of(blank, 5, false);
    const std::string shown = frame_of(lure, 300, true);
    for (const std::string& frames : {before + shown, shown + before, before + shown + before}) {
        EXPECT_EQ(decode_picture("gif", gif_of(lure, frames)).pixels, lure.pixels);
        EXPECT_EQ(codes_in("a.gif", gif_of(lure, frames)).size(), 1U);
    }
}

RC_GTEST_PROP(MailPictures, AGifIsReadAsItWasWritten, ()) {
    Grey grey{
        .pixels = {}, .width = *rc::gen::inRange(21, 90), .height = *rc::gen::inRange(21, 90)};
    const int shades = *rc::gen::inRange(2, 200);
    const auto size = static_cast<std::size_t>(grey.width) * static_cast<std::size_t>(grey.height);
    const auto some = *rc::gen::container<std::vector<int>>(97, rc::gen::inRange(0, shades));
    for (std::size_t i = 0; i < size; ++i)
        grey.pixels.push_back(static_cast<std::uint8_t>(some[i % 97] * 255 / shades));
    const std::string gif = written(grey, IFF_GIF);
    const Grey read = decode_picture("gif", gif);
    RC_ASSERT(read.width == grey.width && read.height == grey.height);
    for (std::size_t i = 0; i < size; ++i)
        RC_ASSERT(std::abs(int{read.pixels[i]} - int{grey.pixels[i]}) <= 1);
}

RC_GTEST_PROP(MailPictures, AnyBytesOfAGifAreSurvived, ()) {
    std::string gif = gif_of(code(), frame_of(code(), 1, false));
    for (int i = *rc::gen::inRange(1, 12); i > 0; --i)
        gif[*rc::gen::inRange<std::size_t>(6, gif.size())] =
            static_cast<char>(*rc::gen::inRange(0, 256));
    gif.resize(*rc::gen::inRange<std::size_t>(0, gif.size() + 1));
    const Grey read = decode_picture("gif", gif);
    RC_ASSERT(read.pixels.size() ==
              static_cast<std::size_t>(read.width) * static_cast<std::size_t>(read.height));
}

/// Not made by Leptonica, which writes none: four bytes a pixel, where each colour lies said by
/// masks, the last byte how much of it is seen.
std::string bitmap_with_alpha(const Grey& grey, bool upside_down, std::uint8_t alpha_of_black) {
    const auto u32 = [](std::int64_t value) {
        std::string out;
        for (int shift = 0; shift < 32; shift += 8)
            out.push_back(static_cast<char>((value >> shift) & 0xff));
        return out;
    };
    constexpr int kHead = 108;
    const std::int64_t pixels = std::int64_t{grey.width} * grey.height * 4;
    std::string out = "BM" + u32(14 + kHead + pixels) + u32(0) + u32(14 + kHead) + u32(kHead) +
                      u32(grey.width) + u32(upside_down ? -grey.height : grey.height) +
                      std::string("\x01\0\x20\0", 4) + u32(3) + u32(pixels) + u32(2835) +
                      u32(2835) + u32(0) + u32(0) + u32(0x00FF0000) + u32(0x0000FF00) +
                      u32(0x000000FF) + u32(0xFF000000);
    out.resize(14 + kHead);
    for (int row = 0; row < grey.height; ++row)
        for (int x = 0; x < grey.width; ++x) {
            const int y = upside_down ? row : grey.height - 1 - row;
            const auto value = grey.pixels[static_cast<std::size_t>(y * grey.width + x)];
            // White is what is not painted at all.
            out += std::string(3, '\0') + static_cast<char>(value == 0 ? alpha_of_black : 0);
        }
    return out;
}

TEST(MailPictures, ABitmapThatIsSeenThroughIsReadOnWhite) {
    for (const bool upside_down : {false, true}) {
        const auto found = codes_in("a.bmp", bitmap_with_alpha(code(), upside_down, 255));
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].payload, kAddress);
    }
    EXPECT_TRUE(codes_in("a.bmp", bitmap_with_alpha(code(), false, 255).substr(0, 9000)).empty());
}

TEST(MailPictures, ABitmapIsMoreThanTwoLetters) {
    EXPECT_EQ(sniff("BMW, the letter said"), "text");
    EXPECT_EQ(sniff(written(code(), IFF_BMP)), "bmp");
}

}  // namespace
}  // namespace hygie::mail
