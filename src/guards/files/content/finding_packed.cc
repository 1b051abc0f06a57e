#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "guards/files/content/finding.h"

/// Innocence by experiment: what can be undone without a secret destroyed nothing.
namespace hygie::files {
namespace {

constexpr std::size_t kUnpackedBytesMax = 64 << 20;
constexpr std::size_t kEntriesMax = 4096;
constexpr std::size_t kBlockBytes = 64 << 10;
/// Enough to tell a content from ciphertext.
constexpr std::size_t kPeekBytes = 256 << 10;
constexpr std::size_t kEntriesLookedAt = 64;
/// Of what is inside; the rest is what every document of the kind holds.
constexpr std::size_t kSealedTenthsMin = 7;
/// The rest is what programs keep beside: caches of a layout, settings of a printer.
constexpr std::size_t kReadableTenthsMin = 9;

struct Freer {
    void operator()(struct archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<struct archive, Freer>;

/// How the bytes are taken: as a compressed file, which may itself be an archive, or as an archive.
enum class Shape { File, Archive };

/// Every format and filter of libarchive that runs inside this process.
Reader open_archive(ByteView bytes, Shape shape) {
    Reader reader(archive_read_new());
    if (!reader) return nullptr;
    if (shape == Shape::File) {
        archive_read_support_format_raw(reader.get());
    } else {
        archive_read_support_format_zip(reader.get());
        archive_read_support_format_7zip(reader.get());
        archive_read_support_format_tar(reader.get());
        archive_read_support_format_cpio(reader.get());
        archive_read_support_format_rar(reader.get());
        archive_read_support_format_rar5(reader.get());
    }
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_lzma(reader.get());
    archive_read_support_filter_zstd(reader.get());
    if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
        return nullptr;
    return reader;
}

/// Whether the entry that stands next is `wanted`; reads it to its end or to its first difference.
bool entry_is(struct archive* reader, ByteView wanted, std::size_t& budget) {
    Bytes block(kBlockBytes);
    std::size_t at = 0;
    while (budget > 0) {
        const la_ssize_t got = archive_read_data(reader, block.data(), block.size());
        if (got < 0) return false;
        if (got == 0) return at == wanted.size();
        const auto size = static_cast<std::size_t>(got);
        budget -= std::min(budget, size);
        if (wanted.size() - at < size ||
            !std::equal(block.begin(), block.begin() + got,
                        wanted.begin() + static_cast<std::ptrdiff_t>(at)))
            return false;
        at += size;
    }
    return false;
}

bool archive_holds(ByteView packed, ByteView wanted, Shape shape) {
    const Reader reader = open_archive(packed, shape);
    if (!reader) return false;
    std::size_t budget = kUnpackedBytesMax;
    struct archive_entry* entry = nullptr;
    for (std::size_t i = 0; i < kEntriesMax && budget > 0; ++i) {
        const int state = archive_read_next_header(reader.get(), &entry);
        if (state == ARCHIVE_EOF || state < ARCHIVE_WARN) return false;  // WARN: an odd name
        const bool sized = archive_entry_size_is_set(entry) != 0;
        if (sized && archive_entry_size(entry) != static_cast<la_int64_t>(wanted.size())) continue;
        if (entry_is(reader.get(), wanted, budget)) return true;
    }
    return false;
}

/// The content of the first entry that has one.
Bytes first_content(ByteView packed, Shape shape) {
    const Reader reader = open_archive(packed, shape);
    if (!reader) return {};
    struct archive_entry* entry = nullptr;
    for (std::size_t i = 0; i < kEntriesMax; ++i) {
        const int state = archive_read_next_header(reader.get(), &entry);
        if (state == ARCHIVE_EOF || state < ARCHIVE_WARN) return {};
        Bytes content(kPeekBytes);
        std::size_t done = 0;
        while (done < content.size()) {
            const la_ssize_t got =
                archive_read_data(reader.get(), content.data() + done, content.size() - done);
            if (got <= 0) break;  // a file that is still being written ends too early
            done += static_cast<std::size_t>(got);
        }
        content.resize(done);
        if (done != 0) return content;
    }
    return {};
}

/// Markup around it is left out: what weighs is the longest stretch of letters and digits.
bool is_spelled_ciphertext(ByteView text) {
    std::size_t best = 0;
    std::size_t best_at = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const bool is_letter =
            i < text.size() && (std::isalnum(text[i]) != 0 || text[i] == '+' || text[i] == '/' ||
                                text[i] == '=' || text[i] == '\n' || text[i] == '\r');
        if (is_letter) continue;
        if (i - start > best) {
            best = i - start;
            best_at = start;
        }
        start = i + 1;
    }
    return best >= kRandomBytesMin * 4 && best * 2 > text.size() &&
           looks_spelled_random(text.subspan(best_at, best));
}

bool is_readable(Format format) {
    return format != Format::Unknown && format != Format::Empty && format != Format::Sealed &&
           format != Format::Packed;
}

bool is_ciphertext(ByteView content) {
    const Format format = format_of(content);
    if (format == Format::Sealed) return true;
    if (format == Format::Text) return is_spelled_ciphertext(content);
    return format == Format::Unknown && looks_random(content);
}

/// The beginning of the content whose header was just read; what comes out before it breaks.
Bytes peek(struct archive* reader) {
    Bytes content(kBlockBytes);
    std::size_t size = 0;
    while (size < content.size()) {
        const la_ssize_t got =
            archive_read_data(reader, content.data() + size, content.size() - size);
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    content.resize(size);
    return content;
}

/// What the entries of an archive are, in bytes of their beginnings.
struct Inside {
    std::size_t all = 0;
    std::size_t sealed = 0;    ///< cannot be told from ciphertext
    std::size_t readable = 0;  ///< texts, and files of a format that needs no secret
    bool complete = false;     ///< every entry was looked at
};

Inside look_inside(ByteView archive, std::size_t entries_max, std::size_t bytes_max) {
    const Reader reader = open_archive(archive, Shape::Archive);
    Inside inside;
    struct archive_entry* entry = nullptr;
    for (std::size_t i = 0; reader && i < entries_max && inside.all < bytes_max; ++i) {
        const int state = archive_read_next_header(reader.get(), &entry);
        inside.complete = state == ARCHIVE_EOF;
        if (inside.complete || state < ARCHIVE_WARN) break;
        if (archive_entry_is_encrypted(entry) != 0) {
            inside.sealed += kBlockBytes;
            inside.all += kBlockBytes;
            continue;
        }
        const Bytes content = peek(reader.get());
        inside.all += content.size();
        if (is_ciphertext(content))
            inside.sealed += content.size();
        else if (is_readable(format_of(content)))
            inside.readable += content.size();
    }
    return inside;
}

bool base64_holds(ByteView spelled, ByteView wanted) {
    std::string text;
    text.reserve(spelled.size());
    for (const std::uint8_t byte : spelled)
        if (byte != '\n' && byte != '\r') text.push_back(static_cast<char>(byte));
    const Result<Bytes> bytes = from_base64(text);
    return bytes && std::ranges::equal(*bytes, wanted);
}

}  // namespace

Bytes unpack(ByteView packed) {
    // Read as it stands, an archive comes out as it went in.
    const Bytes content = first_content(packed, Shape::File);
    const Format format = format_of(content);
    const bool is_archive = format == Format::Packed || format == Format::Archive;
    return is_archive ? first_content(packed, Shape::Archive) : content;
}

bool is_sealed_inside(ByteView archive) {
    const Inside inside = look_inside(archive, kEntriesLookedAt, kPeekBytes * 4);
    return inside.sealed * 10 > inside.all * kSealedTenthsMin;
}

bool reads_inside(ByteView archive) {
    const Inside inside = look_inside(archive, kEntriesMax, kUnpackedBytesMax);
    return inside.complete && inside.all != 0 &&
           inside.readable * 10 >= inside.all * kReadableTenthsMin;
}

bool gives_back(const Excerpt& before, const Excerpt& after) {
    if (!before.whole || !after.whole || before.bytes.empty()) return false;
    const Format format = format_of(after.bytes);
    if (format == Format::Text) return base64_holds(after.bytes, before.bytes);
    if (format != Format::Packed && format != Format::Zip && format != Format::Archive)
        return false;
    return archive_holds(after.bytes, before.bytes, Shape::File) ||
           archive_holds(after.bytes, before.bytes, Shape::Archive);
}

}  // namespace hygie::files
