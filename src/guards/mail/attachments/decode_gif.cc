#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "guards/mail/attachments/scan.h"

namespace hygie::mail {
namespace {

/// All pictures of an animation together: more than its letters or its code needs.
constexpr std::size_t kPixelsDrawnMax = 2 * kImagePixelsMax;

using Gif = std::unique_ptr<GifFileType, void (*)(GifFileType*)>;

/// `left` stays where it is for as long as the file is read.
Gif opened(std::string_view& left) {
    const InputFunc read = [](GifFileType* file, GifByteType* out, int wanted) {
        auto& source = *static_cast<std::string_view*>(file->UserData);
        const std::size_t size = std::min(source.size(), static_cast<std::size_t>(wanted));
        std::copy_n(source.data(), size, out);
        source.remove_prefix(size);
        return static_cast<int>(size);
    };
    int error = 0;
    return {DGifOpen(&left, read, &error),
            [](GifFileType* file) { (void)DGifCloseFile(file, nullptr); }};
}

std::size_t area_of(int width, int height) {
    return width > 0 && height > 0
               ? static_cast<std::size_t>(width) * static_cast<std::size_t>(height)
               : 0;
}

/// What an extension says of the picture behind it; other extensions say nothing of it.
bool read_extension(GifFileType* file, GraphicsControlBlock& control) {
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(file, &code, &block) != GIF_OK) return false;
    if (block != nullptr && code == GRAPHICS_EXT_FUNC_CODE)
        (void)DGifExtensionToGCB(block[0], block + 1, &control);
    while (block != nullptr)
        if (DGifGetExtensionNext(file, &block) != GIF_OK) return false;
    return true;
}

/// How a reader's eye weighs red, green and blue; what the palette does not name is black.
std::uint8_t grey_of(const ColorMapObject* palette, std::size_t index) {
    if (palette == nullptr || index >= static_cast<std::size_t>(palette->ColorCount)) return 0;
    const GifColorType& colour = palette->Colors[index];
    return static_cast<std::uint8_t>((colour.Red * 77 + colour.Green * 150 + colour.Blue * 29) >>
                                     8);
}

/// In the order in which they are stored: interlaced ones come in four turns.
std::vector<int> rows_of(const GifImageDesc& frame) {
    static constexpr std::array<std::pair<int, int>, 4> kTurns = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    static constexpr std::array<std::pair<int, int>, 1> kPlain = {{{0, 1}}};
    std::vector<int> rows;
    for (const auto& [first, step] : frame.Interlace ? std::span<const std::pair<int, int>>(kTurns)
                                                     : std::span<const std::pair<int, int>>(kPlain))
        for (int row = first; row < frame.Height; row += step) rows.push_back(row);
    return rows;
}

/// False when the file is broken; what stood before that is drawn.
bool draw_frame(GifFileType* file, int transparent, Grey& on) {
    const GifImageDesc& frame = file->Image;
    const ColorMapObject* palette = frame.ColorMap != nullptr ? frame.ColorMap : file->SColorMap;
    std::vector<GifPixelType> line(static_cast<std::size_t>(frame.Width));
    for (const int row : rows_of(frame)) {
        if (DGifGetLine(file, line.data(), frame.Width) != GIF_OK) return false;
        const int y = frame.Top + row;
        for (int i = 0; i < frame.Width; ++i) {
            const int x = frame.Left + i;
            const GifPixelType index = line[static_cast<std::size_t>(i)];
            if (index == transparent || x >= on.width || y >= on.height) continue;
            on.pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(on.width) +
                      static_cast<std::size_t>(x)] = grey_of(palette, index);
        }
    }
    return true;
}

}  // namespace

Grey decode_gif(std::string_view bytes) {
    constexpr GraphicsControlBlock kNothing{DISPOSAL_UNSPECIFIED, false, 0, NO_TRANSPARENT_COLOR};
    const Gif file = opened(bytes);
    const std::size_t area = file ? area_of(file->SWidth, file->SHeight) : 0;
    if (area == 0 || area > kImagePixelsMax) return {};
    Grey now{.pixels = {}, .width = file->SWidth, .height = file->SHeight};
    now.pixels.assign(area, 0xff);
    // Of an animation, the picture that stands longest is the one to read.
    Grey longest;
    int stands = 0;
    GraphicsControlBlock control = kNothing;
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    bool is_whole = true;
    for (std::size_t drawn = 0; is_whole && drawn < kPixelsDrawnMax &&
                                DGifGetRecordType(file.get(), &record) == GIF_OK &&
                                record != TERMINATE_RECORD_TYPE;) {
        if (record == EXTENSION_RECORD_TYPE) {
            is_whole = read_extension(file.get(), control);
            continue;
        }
        if (DGifGetImageDesc(file.get()) != GIF_OK) break;
        const std::size_t count = area_of(file->Image.Width, file->Image.Height);
        if (count == 0 || count > kImagePixelsMax) break;
        drawn += area + count;
        is_whole = draw_frame(file.get(), control.TransparentColor, now);
        if (longest.width == 0 || control.DelayTime > stands) {
            longest = now;
            stands = control.DelayTime;
        }
        control = kNothing;
    }
    return longest;
}

}  // namespace hygie::mail
