#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/message/bytes_at.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// An archive that unpacks to so many times itself is a bomb, not a file.
constexpr std::size_t kRatioMax = 200;
constexpr std::size_t kMemberMax = 16U << 20;

struct CloseArchive {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
using Archive = std::unique_ptr<archive, CloseArchive>;

Archive open_archive(const FileScan& scan, std::string_view bytes) {
    Archive reader(archive_read_new());
    archive_read_support_filter_all(reader.get());
    archive_read_support_format_all(reader.get());
    // One compressed file that is no archive of anything.
    archive_read_support_format_raw(reader.get());
    for (const std::string& word : scan.passwords())
        archive_read_add_passphrase(reader.get(), word.c_str());
    if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
        return nullptr;
    return reader;
}

std::string member_name(archive_entry* entry) {
    const char* name = archive_entry_pathname_utf8(entry);
    if (!name) name = archive_entry_pathname(entry);
    return name ? clean_utf8(cut(name, 512)) : std::string("file");
}

bool is_office_member(std::string_view written) {
    const std::string low = lower(written);
    if (low.starts_with("word/") || low.starts_with("xl/") || low.starts_with("ppt/")) return true;
    const std::string_view name = written;
    return name == "[Content_Types].xml" || name.starts_with("_rels/") || name == "content.xml" ||
           name == "styles.xml" || name == "mimetype" || name.starts_with("Basic/") ||
           name.starts_with("Scripts/") || low.starts_with("customui/");
}

/// Reads the members of one archive.
class Members {
  public:
    Members(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth)
        : scan_(scan), file_(file), size_(bytes.size()), depth_(depth) {}

    void run(archive* reader) {
        archive_entry* entry = nullptr;
        for (std::size_t i = 0; i < kNestedFilesMax; ++i) {
            const int got = archive_read_next_header(reader, &entry);
            if (got == ARCHIVE_EOF) return;
            if (got < ARCHIVE_WARN) return broken(reader);
            if (archive_format(reader) == ARCHIVE_FORMAT_RAW && size_ > 0 && file_.type == "zip")
                return broken(reader);
            if (!member(reader, entry)) return;
        }
        scan_.incomplete();
    }

  private:
    void encrypted(std::string_view name) {
        if (!file_.has(Capability::ArchiveEncrypted))
            scan_.found(file_, Capability::ArchiveEncrypted, name);
    }

    void broken(archive* reader) {
        const char* why = archive_error_string(reader);
        const std::string text = lower(why ? why : "");
        if (contains(text, "encrypt") || contains(text, "passphrase") || contains(text, "password"))
            encrypted(file_.path);
        else
            scan_.incomplete();
    }

    /// False when the archive is not worth going on.
    bool member(archive* reader, archive_entry* entry) {
        const std::string name = member_name(entry);
        const bool locked = archive_entry_is_encrypted(entry) == 1;
        if (locked) encrypted(name);
        if (archive_entry_filetype(entry) == AE_IFDIR) return true;
        if (name == "[Content_Types].xml") file_.type = "ooxml";
        if (name == "mimetype") file_.type = "odf";
        if (name == "AndroidManifest.xml" || name.ends_with(".class"))
            if (!file_.has(Capability::Executable))
                scan_.found(file_, Capability::Executable, name);
        std::string content;
        const bool whole = read(reader, content);
        if (!whole && locked) {
            // Its name still says what it is.
            scan_.scan(file_.path + "/" + name, {}, depth_ + 1);
            return true;
        }
        if (bomb_) {
            scan_.found(file_, Capability::ArchiveBomb, name);
            return false;
        }
        // The order of members is the writer's choice, and so is which comes first.
        const bool macros = lower(name).ends_with("/vbaproject.bin");
        const bool office =
            macros || ((file_.type == "ooxml" || file_.type == "odf") && is_office_member(name));
        if (office)
            scan_office_member(scan_, file_, name, content);
        else
            inside(name, content);
        return true;
    }

    void inside(const std::string& name, std::string_view content) {
        const std::string_view type = sniff(content);
        const bool archive =
            type == "zip" || type == "7z" || type == "rar" || type == "iso" || type == "cab";
        if (archive && file_.type != "ooxml" && !file_.has(Capability::ArchiveNested) &&
            extension_of(name) != "docx" && extension_of(name) != "xlsx" &&
            extension_of(name) != "pptx" && extension_of(name) != "odt")
            scan_.found(file_, Capability::ArchiveNested, name);
        // A gzip or tar of one file is that file.
        scan_.scan(file_.path + "/" + (name == "data" ? inner_name() : name), content, depth_ + 1);
    }

    std::string inner_name() const {
        const std::size_t slash = file_.path.rfind('/');
        const std::string last = file_.path.substr(slash == std::string::npos ? 0 : slash + 1);
        return last.substr(0, last.rfind('.'));
    }

    bool read(archive* reader, std::string& out) {
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        while (true) {
            const int got = archive_read_data_block(reader, &block, &size, &offset);
            if (got == ARCHIVE_EOF) return true;
            if (got < ARCHIVE_WARN) return false;
            unpacked_ += size;
            bomb_ = !scan_.spend(size) || unpacked_ > std::max(kRatioMax * size_, kMemberMax);
            if (bomb_) return false;
            if (out.size() < kMemberMax) out.append(static_cast<const char*>(block), size);
        }
    }

    FileScan& scan_;
    FileFacts& file_;
    std::size_t size_;
    std::size_t depth_;
    std::size_t unpacked_ = 0;
    bool bomb_ = false;
};

/// RAR that hides even its names: 5.0 begins with a block of encryption, 4 says so in its flags.
bool is_locked_rar(std::string_view bytes) {
    constexpr std::size_t kNewHead = 12;
    constexpr std::size_t kOldFlags = 10;
    constexpr std::uint16_t kNamesHidden = 0x0080;
    if (!bytes.starts_with("Rar!\x1A\x07")) return false;
    if (bytes.size() > kNewHead + 4 && bytes[6] == 1) {
        std::size_t at = kNewHead;
        while (at < kNewHead + 3 && (static_cast<unsigned char>(bytes[at]) & 0x80U) != 0) ++at;
        return bytes[at + 1] == 4;
    }
    return (u16_at(bytes, kOldFlags) & kNamesHidden) != 0;
}

}  // namespace

void scan_archive(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth) {
    if (is_locked_rar(bytes)) return scan.found(file, Capability::ArchiveEncrypted, file.path);
    const Archive reader = open_archive(scan, bytes);
    if (!reader) return scan.incomplete();
    Members(scan, file, bytes, depth).run(reader.get());
    if (archive_read_has_encrypted_entries(reader.get()) == 1 &&
        !file.has(Capability::ArchiveEncrypted))
        scan.found(file, Capability::ArchiveEncrypted, file.path);
}

}  // namespace hygie::mail
