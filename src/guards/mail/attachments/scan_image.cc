#include <ZXing/DecodeHints.h>
#include <ZXing/ReadBarcode.h>
#include <ZXing/TextUtfEncoding.h>
#include <leptonica/allheaders.h>
#include <png.h>
#include <turbojpeg.h>

#include <memory>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// A smaller image holds no code that a camera could read.
constexpr unsigned kSideMin = 21;

bool fits(std::uint64_t width, std::uint64_t height) {
    return width >= kSideMin && height >= kSideMin && width * height <= kImagePixelsMax;
}

Grey decode_png(std::string_view bytes) {
    Grey out;
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) return out;
    if (fits(image.width, image.height)) {
        image.format = PNG_FORMAT_GRAY;
        out.pixels.resize(PNG_IMAGE_SIZE(image));
        const png_color white{255, 255, 255};
        if (png_image_finish_read(&image, &white, out.pixels.data(), 0, nullptr) != 0) {
            out.width = static_cast<int>(image.width);
            out.height = static_cast<int>(image.height);
        }
    }
    png_image_free(&image);
    return out;
}

Grey decode_jpeg(std::string_view bytes) {
    Grey out;
    const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), tjDestroy);
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    int width = 0;
    int height = 0;
    int sampling = 0;
    int colours = 0;
    if (!decoder || tjDecompressHeader3(decoder.get(), data, bytes.size(), &width, &height,
                                        &sampling, &colours) != 0)
        return out;
    if (width <= 0 || height <= 0 ||
        !fits(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height)))
        return out;
    out.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    if (tjDecompress2(decoder.get(), data, bytes.size(), out.pixels.data(), width, 0, height,
                      TJPF_GRAY, TJFLAG_FASTDCT) != 0 &&
        tjGetErrorCode(decoder.get()) == TJERR_FATAL)
        return out;
    out.width = width;
    out.height = height;
    return out;
}

using Picture = std::unique_ptr<PIX, void (*)(PIX*)>;

Picture owned(PIX* picture) {
    return {picture, [](PIX* one) { pixDestroy(&one); }};
}

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 4; i > 0; --i)
        out = out << 8U | static_cast<std::uint8_t>(bytes[at + i - 1]);
    return out;
}

/// A bitmap of four bytes a pixel whose head says by masks that they are blue, green, red and how
/// much of them is seen, as it lies on white. Leptonica reads no such head.
Grey decode_bitmap_with_alpha(std::string_view bytes) {
    constexpr std::size_t kHeadMin = 70;  // up to the last mask
    constexpr std::uint32_t kFourBytes = 32U << 16U | 1U;
    constexpr std::uint32_t kByMasks = 3;
    constexpr std::uint32_t kOldHead = 56;
    if (bytes.size() < kHeadMin || word_at(bytes, 14) < kOldHead ||
        word_at(bytes, 26) != kFourBytes || word_at(bytes, 30) != kByMasks ||
        word_at(bytes, 54) != 0x00FF0000 || word_at(bytes, 58) != 0x0000FF00 ||
        word_at(bytes, 62) != 0x000000FF || word_at(bytes, 66) != 0xFF000000)
        return {};
    const std::uint32_t width = word_at(bytes, 18);
    const auto said = static_cast<std::int64_t>(static_cast<std::int32_t>(word_at(bytes, 22)));
    const std::uint64_t height = static_cast<std::uint64_t>(std::abs(said));
    const std::size_t begin = word_at(bytes, 10);
    if (!fits(width, height) || begin > bytes.size() || bytes.size() - begin < width * height * 4)
        return {};
    Grey out{.pixels = {}, .width = static_cast<int>(width), .height = static_cast<int>(height)};
    out.pixels.reserve(width * height);
    for (std::uint64_t y = 0; y < height; ++y) {
        const std::uint64_t row = said < 0 ? y : height - 1 - y;
        for (std::uint64_t x = 0; x < width; ++x) {
            const std::uint32_t pixel = word_at(bytes, begin + (row * width + x) * 4);
            const std::uint32_t seen = pixel >> 24U;
            const std::uint32_t colour =
                ((pixel & 0xffU) + (pixel >> 8U & 0xffU) * 2 + (pixel >> 16U & 0xffU)) / 4;
            out.pixels.push_back(
                static_cast<std::uint8_t>((colour * seen + 255 * (255 - seen)) / 255));
        }
    }
    return out;
}

bool is_tiff(l_int32 format) {
    return format == IFF_TIFF || format == IFF_TIFF_PACKBITS || format == IFF_TIFF_RLE ||
           format == IFF_TIFF_G3 || format == IFF_TIFF_G4 || format == IFF_TIFF_LZW ||
           format == IFF_TIFF_ZIP || format == IFF_TIFF_JPEG;
}

/// WebP, BMP and TIFF alone: which of Leptonica's readers runs is not for hostile bytes to choose.
Grey decode_by_leptonica(std::string_view type, std::string_view bytes) {
    setMsgSeverity(L_SEVERITY_NONE);
    const auto* data = reinterpret_cast<const l_uint8*>(bytes.data());
    l_int32 format = 0;
    l_int32 width = 0;
    l_int32 height = 0;
    if (pixReadHeaderMem(data, bytes.size(), &format, &width, &height, nullptr, nullptr, nullptr) !=
            0 ||
        (type == "tiff" ? !is_tiff(format) : format != IFF_WEBP && format != IFF_BMP) ||
        width <= 0 || height <= 0 ||
        !fits(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height)))
        return {};
    const Picture colours = owned(pixReadMem(data, bytes.size()));
    const Picture opaque = owned(colours ? pixRemoveAlpha(colours.get()) : nullptr);
    const Picture grey = owned(opaque ? pixConvertTo8(opaque.get(), 0) : nullptr);
    if (!grey) return {};
    Grey out{.pixels = {}, .width = pixGetWidth(grey.get()), .height = pixGetHeight(grey.get())};
    out.pixels.reserve(static_cast<std::size_t>(out.width) * static_cast<std::size_t>(out.height));
    for (int y = 0; y < out.height; ++y) {
        const l_uint32* row =
            pixGetData(grey.get()) + static_cast<std::ptrdiff_t>(y) * pixGetWpl(grey.get());
        for (int x = 0; x < out.width; ++x)
            out.pixels.push_back(static_cast<std::uint8_t>(GET_DATA_BYTE(row, x)));
    }
    return out;
}

}  // namespace

std::vector<std::string> read_qr(const std::uint8_t* grey, int width, int height) {
    std::vector<std::string> out;
    try {
        ZXing::DecodeHints hints;
        hints.setFormats(ZXing::BarcodeFormat::QRCode | ZXing::BarcodeFormat::Aztec |
                         ZXing::BarcodeFormat::DataMatrix);
        hints.setTryHarder(true);
        hints.setTryRotate(false);
        const ZXing::ImageView view(grey, width, height, ZXing::ImageFormat::Lum);
        for (const ZXing::Result& code : ZXing::ReadBarcodes(view, hints))
            if (code.isValid()) out.push_back(ZXing::TextUtfEncoding::ToUtf8(code.text()));
    } catch (const std::exception&) {
        return out;
    }
    return out;
}

Grey decode_picture(std::string_view type, std::string_view bytes) {
    if (type == "png") return decode_png(bytes);
    if (type == "jpeg") return decode_jpeg(bytes);
    if (type == "gif") return decode_gif(bytes);
    if (type == "bmp")
        if (Grey seen_through = decode_bitmap_with_alpha(bytes); seen_through.width > 0)
            return seen_through;
    return decode_by_leptonica(type, bytes);
}

void scan_image(FileScan& scan, FileFacts& file, std::string_view bytes) {
    if (!scan.wants_qr()) return;
    scan.image_read();
    const Grey grey = decode_picture(file.type, bytes);
    if (grey.width == 0) return;
    for (const std::string& payload : read_qr(grey.pixels.data(), grey.width, grey.height))
        scan.qr(file.path, payload);
}

}  // namespace hygie::mail
