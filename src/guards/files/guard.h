#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "guards/files/alone.h"
#include "guards/files/deadman.h"
#include "guards/files/keep/anchor.h"
#include "guards/files/keep/keeper.h"
#include "guards/files/protection.h"
#include "guards/files/scan.h"

namespace hygie::files {

struct GuardSettings {
    std::vector<std::string> protected_dirs;
    const Anchor* state = nullptr;  ///< outlives the guard
    HeldBook* held = nullptr;       ///< of those who stand still when it dies; null: nobody ever
    Groups::Want want = Groups::Want::Best;
    RetentionRules retention{};
};

/// The whole guard of files: deadman, gate, store. One per state folder.
class Guard {
  public:
    /// Returns once everything in the protected folders is kept. Code::Busy when another guard has
    /// the state folder or one of the folders, Code::Denied without the rights, Code::Unavailable
    /// on a file system that cannot be guarded.
    static Result<std::unique_ptr<Guard>> start(StoreDoors doors, GuardSettings settings,
                                                JudgeDoor& judge, SmbSessions* sessions);
    ~Guard();

    const std::vector<Protection>& protections() const { return protections_; }
    const ScanResult& scanned() const { return scanned_; }
    bool took_over() const { return handover_.has_value(); }
    Gate& gate() { return *gate_; }
    Store& store() { return *store_; }
    /// To be called every second or so: makes the deadman anew when it was killed. The error that
    /// ends the guard, if there is one.
    Status look_after();

  private:
    Guard() = default;
    Status open_volumes(StoreDoors doors, const GuardSettings& settings);
    Status open_stages(StoreDoors doors, const GuardSettings& settings);
    Status open_groups(const GuardSettings& settings);
    std::vector<std::string> protected_dirs() const;
    Status be_alone();
    Status take_stock();
    void describe(Disk& disk, const std::string& state);
    enum class Expected { Anew, IfTaken };
    void expect_restores(Expected how);
    void tell_what_moved();
    void tell_of_the_state();
    void tell_who_stood_still();

    std::vector<VolumeLine> lines_;
    std::vector<std::unique_ptr<Volume>> volumes_;
    Groups groups_;
    std::unique_ptr<Deadman> deadman_;
    std::unique_ptr<FileLock> lock_;
    std::optional<Alone> alone_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Actors> actors_;
    std::unique_ptr<Gate> gate_;
    std::unique_ptr<Keeper> keeper_;
    std::vector<Protection> protections_;
    ScanResult scanned_;
    const Anchor* state_ = nullptr;
    bool is_state_moved_ = false;
    std::set<std::string> moved_;       ///< protected folders that are not in their place
    std::optional<Handover> handover_;  ///< of a deadman that stood in
};

}  // namespace hygie::files
