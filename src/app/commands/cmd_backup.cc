#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands/cmd_files.h"
#include "app/line/commands.h"
#include "base/counted.h"
#include "event/uuid.h"
#include "guards/files/backup/backup.h"
#include "guards/files/enforce/stops.h"
#include "guards/files/judge/sandbox.h"
#include "guards/files/keep/store.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

using nlohmann::json;

/// A copy is fresh for so long, a proof for so long.
constexpr Micros kCopyAgeMax = std::chrono::hours(26);
constexpr Micros kDrillAgeMax = std::chrono::hours(24 * 31);

/// All that a backup command works with.
struct Room {
    std::unique_ptr<files::SandboxedExaminer> examiner;
    std::unique_ptr<files::SealedFolder> folder;
    std::unique_ptr<files::JudgeState> state;
    std::unique_ptr<files::Restic> restic;
    std::unique_ptr<files::Backup> backup;
};

Result<Room> open_room(Context& context, const std::string& repository,
                       const std::string& password_file, files::Absent absent,
                       const std::vector<std::string>& options = {}) {
    const std::string& state = context.values.text("--state");
    if (absent == files::Absent::Make) TRY_STATUS(context.disk.make_dirs(state));
    const crypto::Secret32 key = TRY(files::state_key(files_doors(context), state, absent));
    Room room;
    room.examiner = TRY(files::SandboxedExaminer::start());
    room.folder = std::make_unique<files::SealedFolder>(context.disk, context.random, state, key,
                                                        "files/backup");
    room.state = std::make_unique<files::JudgeState>(context.disk, context.random, state, key);
    room.restic =
        std::make_unique<files::Restic>(context.process, repository, password_file, options);
    room.backup =
        std::make_unique<files::Backup>(*room.restic, *room.folder, *room.examiner, context.clock);
    return room;
}

/// A folder of its own for what is restored, removed at the end.
class Scratch {
  public:
    explicit Scratch(std::string path) : path_(std::move(path)) {
        std::error_code ignored;
        std::filesystem::create_directories(path_, ignored);
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

Scratch scratch_of(Context& context) {
    const std::string& base = context.values.has("--scratch") ? context.values.text("--scratch")
                                                              : context.values.text("--state");
    return Scratch(join(std::filesystem::absolute(base).string(),
                        "scratch-" + to_hex(context.random.bytes<8>())));
}

Result<files::BackupSettings> settings_of(Context& context, Room& room, const Scratch& scratch) {
    files::BackupSettings settings;
    for (const std::string& dir : context.values.list("--dir"))
        settings.dirs.push_back(
            std::filesystem::weakly_canonical(std::filesystem::absolute(dir)).string());
    settings.scratch = scratch.path();
    for (const files::Canary& canary : TRY(room.state->load_canaries()))
        settings.canaries.push_back(canary.path);
    if (const auto stops = room.state->load_stops()) settings.is_under_attack = !stops->empty();
    return settings;
}

json spell(Context& context, const files::BackupRecord& record) {
    json reasons = json::array();
    for (const event::Reason& reason : record.reasons)
        reasons.push_back({{"id", reason.id}, {"text", context.say(reason.text)}});
    json spelled = {{"snapshot", record.id}, {"at", to_rfc3339(record.at)}, {"files", record.files},
                    {"bytes", record.bytes}, {"promoted", record.promoted}, {"reasons", reasons}};
    if (record.drill)
        spelled["drill"] = {
            {"at", to_rfc3339(record.drill->at)}, {"passed", record.drill->passed()},
            {"files", record.drill->files},       {"bytes", record.drill->bytes},
            {"missing", record.drill->missing},   {"differing", record.drill->differing},
            {"moving", record.drill->moving},     {"seconds", record.drill->seconds}};
    return spelled;
}

void show(Context& context, const files::BackupRecord& record) {
    if (context.json) {
        context.out << spell(context, record).dump(-1, ' ', false, json::error_handler_t::replace)
                    << "\n";
        return;
    }
    context.out << fmt::format("{}  {}  {}\n", to_person(record.at), record.id,
                               context.say(record.promoted ? Text{"promue", "promoted"}
                                                           : Text{"NON promue", "NOT promoted"}));
    for (const event::Reason& reason : record.reasons)
        context.out << "    " << context.say(reason.text) << "\n";
    const auto& drill = record.drill;
    if (!drill) return;
    const Text back = counted({"{} [fichier|fichiers], {} [octet restauré et comparé|octets "
                               "restaurés et comparés]",
                               "{} [file|files], {} [byte|bytes] restored and compared"},
                              {drill->files, drill->bytes});
    const Text lost =
        counted({"{} [absent|absents], {} [différent|différents]", "{} missing, {} different"},
                {drill->missing, drill->differing});
    context.out << context.say(
        {fmt::format("    épreuve du {} : {} en {:.1f} s, {}\n", to_person(drill->at), back.fr,
                     drill->seconds, lost.fr),
         fmt::format("    drill of {}: {} in {:.1f} s, {}\n", to_person(drill->at), back.en,
                     drill->seconds, lost.en)});
}

/// The proof, for the ledger: the running guard hands it on.
Status leave_proof(Context& context, Room& room, const files::BackupRecord& record,
                   const char* act) {
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(context.clock.now(), context.random));
    event.type = event::Type::Reported;
    event.action = event::Action::Execute;
    event.time = context.clock.now();
    event.actor.id = ActorId(context.process.user_name());
    event.detail = {{"act", act},
                    {"snapshot", record.id},
                    {"files", std::to_string(record.files)},
                    {"promoted", record.promoted ? "yes" : "no"}};
    const bool failed = !record.promoted || (record.drill && !record.drill->passed());
    if (failed) event.outcome = event::Outcome::SeriousFailure;
    if (record.drill) {
        event.detail["compared"] = std::to_string(record.drill->files);
        event.detail["missing"] = std::to_string(record.drill->missing);
        event.detail["differing"] = std::to_string(record.drill->differing);
    }
    if (!record.reasons.empty())
        event.verdict = event::Verdict{
            .level = event::Level::Suspicious, .score_permille = 800, .reasons = record.reasons};
    return room.state->leave(event);
}

/// What restic would refuse in its own words, long after.
Status check_given(Context& context) {
    for (const std::string& dir : context.values.list("--dir")) TRY(context.disk.list(dir));
    TRY(context.disk.open(context.values.text("--password-file"), Open::Read));
    return {};
}

Result<int> now(Context& context) {
    TRY_STATUS(check_given(context));
    Room room = TRY(open_room(context, context.values.text("--repository"),
                              context.values.text("--password-file"), files::Absent::Make,
                              context.values.list("--restic-option")));
    const Scratch scratch = scratch_of(context);
    const auto settings = TRY(settings_of(context, room, scratch));
    const files::BackupRecord record = TRY(room.backup->now(settings));
    TRY_STATUS(leave_proof(context, room, record, "backup"));
    show(context, record);
    return record.promoted ? kExitOk : kExitFailed;
}

Result<int> drill(Context& context) {
    TRY_STATUS(check_given(context));
    Room room = TRY(open_room(context, context.values.text("--repository"),
                              context.values.text("--password-file"), files::Absent::Refuse,
                              context.values.list("--restic-option")));
    const Scratch scratch = scratch_of(context);
    const auto settings = TRY(settings_of(context, room, scratch));
    const files::BackupRecord record = TRY(room.backup->drill(settings));
    TRY_STATUS(leave_proof(context, room, record, "backup-drill"));
    show(context, record);
    return record.drill && record.drill->passed() ? kExitOk : kExitFailed;
}

Result<int> status(Context& context) {
    Room room = TRY(open_room(context, {}, {}, files::Absent::Refuse));
    const std::vector<files::BackupRecord> records = TRY(room.backup->records());
    const WallTime time = context.clock.now();
    const files::BackupRecord* good = nullptr;
    WallTime proved{};
    for (const files::BackupRecord& record : records) {
        if (record.promoted) good = &record;
        if (record.drill && record.drill->passed()) proved = std::max(proved, record.drill->at);
    }
    const bool fresh = good != nullptr && time - good->at <= kCopyAgeMax;
    const bool proven = time - proved <= kDrillAgeMax;
    if (context.json) {
        json report = {{"fresh", fresh}, {"proven", proven}, {"copies", json::array()}};
        for (const files::BackupRecord& record : records)
            report["copies"].push_back(spell(context, record));
        context.out << report.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        return fresh && proven ? kExitOk : kExitFailed;
    }
    for (const files::BackupRecord& record : records) show(context, record);
    context.out << context.say(
        fresh ? Text{"copie fraîche\n", "fresh copy\n"}
              : Text{"AUCUNE copie promue depuis un jour\n", "NO promoted copy for a day\n"});
    context.out << context.say(
        proven ? Text{"restauration éprouvée\n", "restore proven\n"}
               : Text{"restauration NON éprouvée depuis un mois : « hygie backup drill »\n",
                      "restore NOT proven for a month: 'hygie backup drill'\n"});
    return fresh && proven ? kExitOk : kExitFailed;
}

std::vector<Parameter> work_options() {
    return {
        files_state_option(),
        {.name = "--dir",
         .placeholder = "DIR",
         .kind = Kind::Dir,
         .help = {"un dossier à copier", "a folder to copy"},
         .required = true,
         .many = true},
        {.name = "--repository",
         .placeholder = "REPO",
         .help = {"le dépôt restic, sur une autre machine et en ajout seul : "
                  "rest:https://copies.example/cabinet/",
                  "the restic repository, on another machine and append-only: "
                  "rest:https://copies.example/practice/"},
         .required = true},
        {.name = "--password-file",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"le fichier du mot de passe du dépôt", "the file of the repository's password"},
         .required = true},
        {.name = "--restic-option",
         .placeholder = "KEY=VALUE",
         .help = {"une option pour restic : rclone.program=ssh copies@copies.example",
                  "an option for restic: rclone.program=ssh copies@copies.example"},
         .many = true},
        {.name = "--scratch",
         .placeholder = "DIR",
         .kind = Kind::Dir,
         .help = {"où restaurer pour comparer ; le dossier d'état sinon",
                  "where to restore for comparing; the state folder else"}}};
}

}  // namespace

std::vector<Command> backup_commands() {
    const std::string now_line =
        "hygie backup now --state /srv/hygie --dir /srv/partage --repository "
        "rest:https://copies.example/cabinet/ --password-file /etc/hygie/restic";
    const std::string drill_line = "hygie backup drill" + now_line.substr(16);
    return {
        {.path = {"backup"},
         .summary = {"des sauvegardes qui survivent à root", "backups that survive root"},
         .description = {"restic copie, vers une autre machine ; Hygie décide quand, refuse de "
                         "promouvoir une copie empoisonnée, et prouve la restauration.",
                         "restic copies, to another machine; Hygie decides when, refuses to "
                         "promote a poisoned copy, and proves the restore."}},
        {.path = {"backup", "now"},
         .summary = {"copie, puis juge la copie", "copies, then judges the copy"},
         .description = {"Compare un échantillon de ce qui a changé depuis la dernière bonne "
                         "copie. Une copie empoisonnée reste dans le dépôt mais n'est pas promue : "
                         "code 1.",
                         "Compares a sample of what changed since the last good copy. A poisoned "
                         "copy stays in the repository but is not promoted: code 1."},
         .options = work_options(),
         .examples = {{now_line,
                       {"Chaque nuit, par un minuteur de systemd :",
                        "Every night, by a timer of systemd:"}}},
         .run = now},
        {.path = {"backup", "drill"},
         .summary = {"restaure tout et compare chaque fichier", "restores all, compares each file"},
         .description = {"La seule preuve qu'une sauvegarde en est une. Restaure la dernière bonne "
                         "copie entière et compare l'empreinte de chaque fichier.",
                         "The only proof that a backup is one. Restores the last good copy whole "
                         "and compares the hash of every file."},
         .options = work_options(),
         .examples = {{drill_line, {"Chaque mois :", "Every month:"}}},
         .run = drill},
        {.path = {"backup", "status"},
         .summary = {"dit si la dernière copie est fraîche et la restauration éprouvée",
                     "says whether the last copy is fresh and the restore proven"},
         .description = {"Code 1 quand l'une des deux manque.", "Code 1 when either is missing."},
         .options = {files_state_option()},
         .examples = {{"hygie backup status --state /srv/hygie",
                       {"Pour la supervision :", "For monitoring:"}}},
         .run = status}};
}

}  // namespace hygie::app
