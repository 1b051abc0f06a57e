#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "guards/files/acts/change.h"
#include "guards/files/judge/examiner.h"

/// Originals that vanished and new files that may stand for them: encrypting into a copy and
/// deleting the original are two acts, often of two processes.
namespace hygie::files {

/// How surely another file is held to stand for a deleted one.
enum class Suspicion { None, Some, Sure };

/// A deleted original, or what was in one before it was cut.
struct Loss {
    SteadyTime at{};
    std::string path;
    ContentPtr before;
    Actor actor;
    Suspicion suspicion = Suspicion::None;
    FileKey emptied = {};  ///< still there, with nothing in it
    /// A copy of it lies outside the share, where nobody keeps it.
    bool is_elsewhere = false;
    std::string who = {};  ///< the key of its actor, which each new file is compared with

    bool is_cut() const { return emptied != FileKey(); }
};

/// A file that somebody of the circle made.
struct Stranger {
    SteadyTime at{};
    FileKey file;
    std::string path;
    ContentPtr now;
    std::string actor;  ///< its key
    bool is_outside = false;
    std::uint64_t room = 0;  ///< bytes of originals it could still hold, as an archive
    std::optional<Finding> look = std::nullopt;  ///< what it is by itself, once somebody asked
};

/// The recent new files and losses of those who may act together: one user, or one workstation.
class Circle {
  public:
    static constexpr std::size_t kKeptMax = 512;
    static constexpr std::size_t kBornMax = 65'536;
    static constexpr Micros kMemory = std::chrono::minutes(10);

    /// Whether the file was made by this very actor a short time ago: what becomes of it harms
    /// nobody.
    bool made(const FileKey& file, const std::string& actor, SteadyTime now) const;
    void note_birth(const FileKey& file, const std::string& actor, SteadyTime now);

    /// What a new file means for the losses known so far.
    struct Arrival {
        std::vector<Loss> replaced;  ///< it stands for these, and cannot be read
        std::vector<Loss> cleared;   ///< held against somebody until now: this one gives them back
        bool gives_back = false;     ///< it explains a loss
    };
    /// A new file was closed, for the first time or after its maker wrote on: it may have been met
    /// half written.
    Arrival add(Stranger stranger, Examiner& examiner);
    /// The file, if it is one of the new ones, has another name.
    Arrival rename(const FileKey& file, const std::string& path, Examiner& examiner);
    /// An original was deleted, or emptied. Explained: another file gives it back.
    /// PerhapsArchived, PerhapsCopied: an unreadable file of the same actor could hold it, among
    /// others or alone, by its size.
    enum class Fortune { Unexplained, Explained, PerhapsArchived, PerhapsCopied, Replaced };
    struct Outcome {
        Fortune fortune = Fortune::Unexplained;
        std::string maker{};  ///< key of who made the file that it is suspected to have gone into
        Micros since{};       ///< … which was finished so long before
    };
    Outcome add(Loss loss, Examiner& examiner);
    /// The loss that this file was when it was emptied, a short time ago.
    std::optional<Loss> emptied(const FileKey& file) const;

    /// How many folders hold the same small new text.
    std::size_t note_folders(SteadyTime now) const;

  private:
    /// Far: the whole name, in another folder. Stem: the name without its extension.
    enum class Tie { None, Size, Place, Stem, Far, Name };
    static Tie tie_of(const Loss& loss, const Stranger& stranger);
    enum class Judged { Innocent, Replaced, Unrelated };
    static Judged compare(const Loss& loss, Stranger& stranger, Tie tie, Examiner& examiner);
    static bool may_matter(const Loss& loss, Stranger& stranger, Tie tie, Examiner& examiner);
    Arrival arrive(Stranger& stranger, Examiner& examiner);
    void forget(SteadyTime now);

    std::deque<Loss> losses_;
    std::deque<Stranger> strangers_;
    struct Birth {
        SteadyTime at{};
        std::uint64_t actor = 0;  ///< hash of its key
    };
    std::unordered_map<FileKey, Birth, FileKeyHash> born_;
    std::deque<FileKey> births_;
};

/// The last part of a path, and what is before it.
std::string_view name_part(std::string_view path);
std::string_view folder_part(std::string_view path);
/// ".jpg" of a name, empty when there is none.
std::string_view extension_part(std::string_view name);

}  // namespace hygie::files
