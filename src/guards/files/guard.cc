#include "guards/files/guard.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>

#include "crypto/secret.h"
#include "guards/files/acts/priority.h"
#include "guards/files/keep/evidence.h"
#include "host/log.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Beside the share when the state folder lies on another file system.
constexpr char kOwnFolder[] = ".hygie-files";

/// Every event read holds a descriptor until it is answered.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::string> real_dir(const std::string& dir) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::canonical(dir, error);
    if (error) return os_failure(error.value(), dir);
    if (!std::filesystem::is_directory(path, error)) return os_failure(ENOTDIR, dir);
    return path.string();
}

Result<dev_t> device_of(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) < 0) return os_failure(errno, path);
    return info.st_dev;
}

/// The number that a file system has in this state. Its stage lies on itself and says best which it
/// is: what xfs gives for its identity is the number of its device, which another disk may have
/// after the next start. The line then takes the identity of now.
std::uint8_t number_of(std::vector<VolumeLine>& lines, const Volume& volume) {
    const auto stage_device = [](const VolumeLine& line) -> std::optional<dev_t> {
        struct stat info{};
        if (::stat(line.stage.c_str(), &info) < 0) return std::nullopt;
        return info.st_dev;
    };
    const auto is_it = [&](const VolumeLine& line) {
        return line.type == volume.type() && stage_device(line) == volume.device();
    };
    // Another disk under the identity that this one had; subvolumes have devices of their own.
    const auto is_other = [&](const VolumeLine& line) {
        return line.type == "xfs" &&
               stage_device(line).value_or(volume.device()) != volume.device();
    };
    auto known = std::ranges::find_if(lines, is_it);
    if (known == lines.end())
        known = std::ranges::find_if(lines, [&](const VolumeLine& line) {
            return line.id == volume.id() && !is_other(line);
        });
    if (known == lines.end()) {
        const auto number = static_cast<std::uint8_t>(lines.size());
        known = lines.insert(lines.end(), {number, volume.id(), volume.type(), {}});
    }
    known->id = volume.id();
    return known->number;
}

}  // namespace

Status Guard::open_volumes(StoreDoors doors, const GuardSettings& settings) {
    lines_ = TRY(read_volumes(doors.disk, settings.state->path()));
    std::map<dev_t, std::vector<std::string>> by_device;
    for (const std::string& dir : settings.protected_dirs) {
        std::string path = TRY(real_dir(dir));
        if (is_inside(path, settings.state->name()))
            return fail(Code::BadInput,
                        {"le dossier d'état contient le dossier à protéger : rien ne serait gardé",
                         "the state folder holds the folder to protect: nothing would be guarded"},
                        {"mettez l'état à côté du partage", "put the state beside the share"});
        by_device[TRY(device_of(path))].push_back(std::move(path));
    }
    for (auto& [device, dirs] : by_device) {
        // Opened twice: the number hangs on the file system, and the keys on the number.
        const auto probe = TRY(Volume::open(0, dirs));
        volumes_.push_back(TRY(Volume::open(number_of(lines_, *probe), dirs)));
    }
    return {};
}

Status Guard::open_stages(StoreDoors doors, const GuardSettings& settings) {
    const std::string& state = settings.state->name();
    const dev_t state_device = TRY(device_of(settings.state->path()));
    for (const auto& volume : volumes_) {
        const bool is_here = volume->device() == state_device && is_inside(state, volume->top());
        const std::string own = is_here ? state : join(volume->top(), kOwnFolder);
        volume->except(own);
        volume->except(state);
        const std::string dir = fmt::format("{}/stage{}", own, volume->number());
        lines_[volume->number()].stage = dir;
        TRY_STATUS(store_->add_stage(*volume, dir));
    }
    store_->has_all_stages();
    return write_volumes(doors.disk, settings.state->path(), lines_);
}

Status Guard::open_groups(const GuardSettings& settings) {
    const std::string handover = StatePaths(settings.state->path()).handover;
    handover_ = settings.state->is_new() ? take_over_soon(handover) : take_over(handover);
    groups_ = handover_ ? std::move(handover_->groups) : TRY(Groups::open(settings.want, volumes_));
    // A process that is killed ends what has the highest number first.
    groups_.gate.renumber(gate_fds_max());
    return {};
}

void Guard::describe(Disk& disk, const std::string& state) {
    for (const auto& volume : volumes_)
        for (const std::string& dir : volume->protected_dirs()) {
            Protection p{dir,
                         volume->type(),
                         groups_.pre_content,
                         store_->stage(volume->number()).clones(),
                         {}};
            p.says = words_for(p);
            protections_.push_back(std::move(p));
        }
    if (const Status kept = write_protections(disk, state, protections_); !kept)
        log::warning("files.protection-not-written", kept.error());
}

std::vector<std::string> Guard::protected_dirs() const {
    std::vector<std::string> dirs;
    for (const auto& volume : volumes_)
        dirs.insert(dirs.end(), volume->protected_dirs().begin(), volume->protected_dirs().end());
    return dirs;
}

/// Where that cannot be known, guarding goes before.
Status Guard::be_alone() {
    std::vector<Alone::Folder> folders;
    for (const auto& volume : volumes_)
        for (const std::string& dir : volume->protected_dirs())
            folders.push_back({dir, volume->top()});
    Result<Alone> alone = Alone::hold(folders);
    if (!alone && alone.error().code == Code::Busy) return std::unexpected(alone.error());
    if (alone)
        alone_ = std::move(*alone);
    else
        log::warning("files.others-unknown", alone.error());
    return {};
}

Result<std::unique_ptr<Guard>> Guard::start(StoreDoors doors, GuardSettings settings,
                                            JudgeDoor& judge, SmbSessions* sessions) {
    raise_descriptor_limit();
    // A lease that is asked for, to learn whether somebody writes, may be broken before it is given
    // back: that is told by this signal, which ends who does not expect it.
    (void)std::signal(SIGIO, SIG_IGN);
    outlive_others();
    const std::string& state = settings.state->path();
    const StatePaths paths(state);
    std::unique_ptr<Guard> guard(new Guard);
    guard->state_ = settings.state;
    {
        // Tried first, and let go: the deadman must not inherit it.
        const auto probe = TRY(doors.disk.lock(paths.lock));
        TRY_STATUS(guard->open_volumes(doors, settings));
        TRY_STATUS(guard->be_alone());
        guard->alone_.reset();
    }
    TRY_STATUS(guard->open_groups(settings));
    guard->deadman_ = TRY(
        Deadman::start(guard->groups_, {guard->protected_dirs(), settings.state, settings.held}));
    guard->lock_ = TRY(doors.disk.lock(paths.lock));
    TRY_STATUS(guard->be_alone());
    crypto::harden_process();
    guard->store_ = TRY(Store::open(doors, state));
    TRY_STATUS(guard->open_stages(doors, settings));
    guard->describe(doors.disk, state);
    guard->actors_ = std::make_unique<Actors>(sessions);
    std::vector<std::string> own_folders{paths.log, paths.packs};
    for (const auto& volume : guard->volumes_)
        own_folders.push_back(next_evidence_dir(guard->lines_[volume->number()].stage));
    guard->gate_ = std::make_unique<Gate>(*guard->store_, guard->volumes_, guard->groups_, judge,
                                          *guard->actors_, doors.clock, std::move(own_folders));
    guard->expect_restores(Expected::Anew);
    guard->gate_->beat_into(&guard->deadman_->beat());
    // Our own files are open: from here on a thread answers for what we do.
    if (guard->handover_) guard->handover_->starting();
    guard->gate_->start();
    for (const auto& volume : guard->volumes_) TRY_STATUS(guard->groups_.watch(*volume));
    TRY_STATUS(guard->take_stock());
    guard->gate_->scanned();
    // Until here one that stands in already goes on when we die: two would take each other's acts.
    guard->deadman_->guarding();
    if (guard->handover_) {
        guard->handover_->keep_for_who_waits([&](UniqueFd fd, pid_t tid) {
            return guard->gate_->keep_for_waiting(std::move(fd), tid);
        });
        guard->handover_->release();
    }
    guard->keeper_ = std::make_unique<Keeper>(doors, *guard->store_, state, settings.retention);
    return guard;
}

Status Guard::take_stock() {
    const Writers writers = open_for_writing();
    for (const auto& volume : volumes_) {
        const ScanResult found = TRY(scan(*gate_, *store_, *volume, writers));
        scanned_.files += found.files;
        scanned_.bytes += found.bytes;
        scanned_.failures += found.failures;
        scanned_.other_mounts += found.other_mounts;
    }
    for (const pid_t pid : writers.mappers) gate_->watch_mapped_by(pid);
    return store_->sync();
}

Status Guard::look_after() {
    (void)deadman_->is_alive();
    tell_who_stood_still();
    tell_what_moved();
    tell_of_the_state();
    if (!is_state_moved_) expect_restores(Expected::IfTaken);
    if (!gate_->has_failed()) return {};
    // What cannot be kept must not change: reads go on, writes wait for a guard that can.
    deadman_->abandon();
    return std::unexpected(*gate_->failure());
}

/// A folder for the evidence of the next restore, which makes there what it brings back: nobody
/// needs to hear of that before it is in its place, nor to be asked. What is so of a folder stays
/// so under the name that the restore gives it.
void Guard::expect_restores(Expected how) {
    for (const auto& volume : volumes_) {
        const std::string dir = next_evidence_dir(lines_[volume->number()].stage);
        // Never where the state folder is not.
        (void)::mkdir(parent(dir).c_str(), 0700);
        const bool was_taken = ::mkdir(dir.c_str(), 0700) == 0;
        if (!was_taken && how == Expected::IfTaken) continue;
        groups_.gate.ignore_inside(dir, groups_.gate_mask());
        groups_.names.ignore_inside(dir, fan::kCreate | fan::kAttrib);
        // Without it what a restore brings back is kept once more: that costs time.
        if (store_->stage(volume->number()).clones())
            if (const Status made = store_->expect_restore(*volume, dir); !made)
                log::warning("files.restore-not-expected", made.error());
    }
}

/// A folder is guarded under whatever name; what takes its place on another file system is not.
void Guard::tell_what_moved() {
    for (const auto& volume : volumes_)
        for (const std::string& dir : volume->protected_dirs()) {
            const Result<dev_t> device = device_of(dir);
            if (device && *device == volume->device()) {
                moved_.erase(dir);
                continue;
            }
            if (!moved_.insert(dir).second) continue;
            log::warning(
                "files.protected-moved",
                fail(Code::NotFound,
                     {"un dossier protégé n'est plus à sa place : ses fichiers restent gardés, pas "
                      "ce qui est monté ou créé là",
                      "a protected folder is not in its place any more: its files are still "
                      "guarded, what is mounted or made there is not"},
                     {"remettez-le, ou redémarrez le garde sur le nouveau dossier",
                      "put it back, or restart the guard on the new folder"})
                    .error());
        }
}

/// What is kept is kept where the state folder went; other commands look where it was.
void Guard::tell_of_the_state() {
    const bool is_moved = !state_->is_in_place();
    if (is_moved && !is_state_moved_)
        log::warning(
            "files.state-moved",
            fail(Code::NotFound,
                 {"le dossier d'état a été déplacé : rien n'est perdu, le garde continue de garder "
                  "là où il est ; qui fait cela veut peut-être empêcher la restauration",
                  "the state folder was moved: nothing is lost, the guard goes on keeping where it "
                  "is; who does that may want to prevent the restoration"},
                 {"remettez-le à sa place, ou donnez le nouveau à --state",
                  "put it back in its place, or give the new one to --state"})
                .error());
    is_state_moved_ = is_moved;
}

/// A debugger, a signal: who may do that may want time in which nobody judges.
void Guard::tell_who_stood_still() {
    if (deadman_->stood_still())
        log::warning(
            "files.stood-still",
            fail(
                Code::Unavailable,
                {"le garde, ou celui qui le remplacerait, a été mis à l'arrêt et remis en marche : "
                 "rien n'est perdu, les écritures ont attendu",
                 "the guard, or who would stand in for it, was made to stand still and made to go "
                 "on: nothing is lost, writes waited"},
                {"cherchez qui l'a arrêté (SIGSTOP, débogueur, conteneur en pause)",
                 "look for who stopped it (SIGSTOP, a debugger, a container that was paused)"})
                .error());
    if (handover_ && std::exchange(handover_->was_stalled, false))
        log::warning(
            "files.ended-stalled",
            fail(Code::Unavailable,
                 {"le garde d'avant ne répondait plus et a été terminé : rien n'est perdu, les "
                  "écritures ont attendu celui-ci",
                  "the guard before this one did not answer any more and was ended: nothing is "
                  "lost, writes waited for this one"},
                 {"cherchez qui l'a arrêté (débogueur), ou ce qui bloquait le disque",
                  "look for who stopped it (a debugger), or what blocked the disk"})
                .error());
}

/// Who came to the door after the last doorman goes on when the groups end, not when all is tidy.
Guard::~Guard() {
    keeper_.reset();
    gate_.reset();
    deadman_.reset();
    groups_ = {};
}

}  // namespace hygie::files
