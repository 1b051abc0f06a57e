#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guards/files/keep/evidence.h"
#include "guards/files/keep/packs.h"
#include "guards/files/keep/placed.h"
#include "guards/files/restore/prover.h"
#include "guards/files/restore/restore.h"
#include "guards/files/restore/second_names.h"
#include "guards/files/restore/settle.h"

namespace hygie::files {

/// Applies rights, owner, attributes and times to a name, without following a link.
Status apply_meta(const std::string& path, const FileState& state);

/// Two names change places, in one stroke; errno as renameat2(2).
int exchange(const std::string& a, const std::string& b);

/// Carries out the items of one plan, one by one, on several threads.
class Restorer {
  public:
    Restorer(const History& history, std::string id, std::vector<VolumeLine> volumes,
             std::shared_ptr<const Packs> packs, Prover prover)
        : history_(&history),
          id_(std::move(id)),
          volumes_(std::move(volumes)),
          packs_(std::move(packs)),
          prover_(std::move(prover)) {}

    /// What was kept lies elsewhere by now.
    void look_at(History now, std::shared_ptr<const Packs> packs) {
        history_ = &newer_.emplace(std::move(now));
        packs_ = std::move(packs);
    }

    /// Where the evidence of one volume lies: on the same file system as the files.
    std::string evidence_dir(std::uint8_t volume) const {
        return files::evidence_dir(volumes_.at(volume).stage, id_);
    }

    /// What is set aside has nowhere to go, and why.
    void miss_evidence(Error why) { no_evidence_ = std::move(why); }
    /// What to say when a volume is full.
    void expect_full(std::uint8_t volume, Error why) { full_.insert_or_assign(volume, why); }

    /// A guard at work learns there what is made out of what it keeps.
    void tell_in(std::uint8_t volume, PlacedList list) {
        placed_.insert_or_assign(volume, std::move(list));
    }

    void carry_out(Outcome& outcome);

    /// What was copied, for whoever waits until all is on the disk.
    Settling& settling() { return settling_; }

  private:
    /// Makes what bears this free name first; a file is left open.
    struct Made {
        UniqueFd file;                ///< none of a link
        bool is_clone = false;        ///< of bytes in the stage, which were read again
        bool is_second_name = false;  ///< of a file that stands
    };
    using Make = std::function<Result<Made>(const std::string&)>;
    enum class Placed {
        Free,      ///< nothing stood in its place
        Instead,   ///< what stood there has the name that it was made under
        Elsewhere  ///< nothing can be moved there from where it was made
    };
    enum class LinkedBytes { Same, Unproven, Other };

    Status lift(Outcome& outcome);
    Status step(Outcome& outcome);
    std::string next_aside(std::uint8_t volume);
    Status set_aside(const std::string& path, std::uint8_t volume, Outcome& outcome);
    Status make_folder(Outcome& outcome);
    bool gives_flags(const std::string& dir);
    Status place(Outcome& outcome, const Make& make);
    Result<Placed> place_from(const std::string& made, Outcome& outcome, const Make& make);
    Status place_beside(Outcome& outcome, const Make& make);
    static Result<Placed> take_place(const std::string& made, const std::string& path);
    void tell_guard(const FileState& wanted, const Made& made) const;
    Result<Made> make_link(Outcome& outcome, const std::string& made);
    Result<Made> make_file(Outcome& outcome, const std::string& made);
    Made as_second_name(Outcome& outcome, const std::string& made, Made file);
    Result<bool> from_stage(Outcome& outcome, const UniqueFd& to);
    LinkedBytes behind_link(const FileState& wanted, const struct stat& info);
    Result<bool> bring(Outcome& outcome, UniqueFd from, const UniqueFd& to);
    Status from_packs(Outcome& outcome, const Record& sealed, const UniqueFd& to);
    Status copy(Outcome& outcome, const Content& kept, const UniqueFd& to, const Record* told,
                Digest digest);
    Status accept(Outcome& outcome, const Record* told, const ReadBack& again);

    const History* history_;
    std::optional<History> newer_;
    std::string id_;
    std::vector<VolumeLine> volumes_;
    std::shared_ptr<const Packs> packs_;
    Prover prover_;
    Settling settling_;
    SecondNames second_names_;
    std::atomic<std::uint64_t> next_ = 1;
    std::mutex lifting_;
    std::atomic<bool> has_lifted_ = false;
    std::optional<Error> no_evidence_;
    std::map<std::uint8_t, Error> full_;
    std::map<std::uint8_t, PlacedList> placed_;
    std::mutex folders_mutex_;
    std::unordered_map<std::string, bool> giving_;  ///< folders looked at: whether they give flags
    struct Last {
        VersionId version = 0;
        std::int64_t modified_ns = 0;
    };
    std::once_flag lasts_known_;
    std::unordered_map<FileKey, Last, FileKeyHash> lasts_;
};

}  // namespace hygie::files
