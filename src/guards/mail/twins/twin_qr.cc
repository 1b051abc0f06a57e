#include <ZXing/BarcodeFormat.h>
#include <ZXing/BitMatrix.h>
#include <ZXing/MultiFormatWriter.h>
#include <ZXing/TextUtfEncoding.h>

#include <zlib.h>

#include "guards/mail/twins/twin_files.h"

namespace hygie::mail {
namespace {

constexpr int kQrPixels = 180;

void put32_big(std::string& to, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        to.push_back(static_cast<char>((value >> shift) & 0xff));
}

/// One chunk of a PNG: length, type, content, CRC (PNG §5.3).
void put_chunk(std::string& to, std::string_view type, std::string_view content) {
    put32_big(to, static_cast<std::uint32_t>(content.size()));
    const std::string body = std::string(type) + std::string(content);
    to += body;
    put32_big(to, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                                                   static_cast<uInt>(body.size()))));
}

}  // namespace

std::string make_qr_png(std::string_view text) {
    ZXing::MultiFormatWriter writer(ZXing::BarcodeFormat::QRCode);
    const ZXing::BitMatrix matrix =
        writer.encode(ZXing::TextUtfEncoding::FromUtf8(std::string(text)), kQrPixels, kQrPixels);
    std::string rows;
    for (int y = 0; y < matrix.height(); ++y) {
        rows.push_back('\0');
        for (int x = 0; x < matrix.width(); ++x) rows.push_back(matrix.get(x, y) ? '\0' : '\xff');
    }
    uLongf size = compressBound(rows.size());
    std::string packed(size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &size,
             reinterpret_cast<const Bytef*>(rows.data()), rows.size());
    packed.resize(size);
    std::string head;
    put32_big(head, static_cast<std::uint32_t>(matrix.width()));
    put32_big(head, static_cast<std::uint32_t>(matrix.height()));
    head += std::string("\x08\x00\x00\x00\x00", 5);  // eight bits of grey
    std::string png = "\x89PNG\r\n\x1a\n";
    put_chunk(png, "IHDR", head);
    put_chunk(png, "IDAT", packed);
    put_chunk(png, "IEND", "");
    return png;
}

}  // namespace hygie::mail
