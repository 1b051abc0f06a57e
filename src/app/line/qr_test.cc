#include "app/line/qr.h"

#include <ZXing/ImageView.h>
#include <ZXing/ReadBarcode.h>
#include <ZXing/TextUtfEncoding.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"

namespace hygie::app {
namespace {

constexpr std::string_view kAddress =
    "otpauth://totp/Hygie:anne.martin?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hygie"
    "&algorithm=SHA1&digits=6&period=30";

/// The printed lines as an image that a camera would take, four pixels a module.
struct Photo {
    explicit Photo(std::string_view printed) {
        std::vector<std::string> rows(1), lower(1);
        for (std::size_t at = 0; at < printed.size();) {
            const std::string_view rest = printed.substr(at);
            std::size_t taken = 3;
            if (rest.starts_with("\x1b[")) {
                taken = rest.find('m') + 1;
            } else if (rest[0] == '\n') {
                rows.push_back(lower.back());
                rows.emplace_back();
                lower.emplace_back();
                taken = 1;
            } else if (rest[0] == ' ') {
                rows.back() += '\xff';
                lower.back() += '\xff';
                taken = 1;
            } else {
                rows.back() += rest.starts_with("▄") ? '\xff' : '\0';
                lower.back() += rest.starts_with("▀") ? '\xff' : '\0';
            }
            at += taken;
        }
        rows.pop_back();
        for (const std::string& row : rows) {
            std::string line;
            for (const char module : row) line.append(kZoom, module);
            for (int i = 0; i < kZoom; ++i) pixels += line;
            width = static_cast<int>(line.size());
            height += kZoom;
        }
    }
    static constexpr int kZoom = 4;
    std::string pixels;
    int width = 0, height = 0;
};

TEST(Qr, WhatATerminalShowsIsReadBack) {
    const Photo photo(qr_of(kAddress));
    const auto read =
        ZXing::ReadBarcode({reinterpret_cast<const std::uint8_t*>(photo.pixels.data()), photo.width,
                            photo.height, ZXing::ImageFormat::Lum});
    ASSERT_TRUE(read.isValid());
    EXPECT_EQ(ZXing::TextUtfEncoding::ToUtf8(read.text()), kAddress);
}

}  // namespace
}  // namespace hygie::app
