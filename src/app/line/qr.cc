#include "app/line/qr.h"

#include <ZXing/BarcodeFormat.h>
#include <ZXing/BitMatrix.h>
#include <ZXing/MultiFormatWriter.h>
#include <ZXing/TextUtfEncoding.h>

namespace hygie::app {
namespace {

constexpr int kQuietModules = 4;  // ISO/IEC 18004: the margin that readers look for
constexpr std::string_view kDarkOnLight = "\x1b[30;107m", kPlain = "\x1b[0m";

}  // namespace

std::string qr_of(std::string_view text) {
    ZXing::MultiFormatWriter writer(ZXing::BarcodeFormat::QRCode);
    writer.setMargin(kQuietModules);
    const ZXing::BitMatrix matrix =
        writer.encode(ZXing::TextUtfEncoding::FromUtf8(std::string(text)), 0, 0);
    const auto dark = [&](int x, int y) { return y < matrix.height() && matrix.get(x, y); };
    std::string out;
    for (int y = 0; y < matrix.height(); y += 2) {
        out += kDarkOnLight;
        for (int x = 0; x < matrix.width(); ++x) {
            const bool upper = dark(x, y), lower = dark(x, y + 1);
            out += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
        }
        out += kPlain;
        out += '\n';
    }
    return out;
}

}  // namespace hygie::app
