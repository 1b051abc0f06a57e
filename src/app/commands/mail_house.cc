#include "app/commands/mail_house.h"

#include "app/commands/cmd_mail.h"
#include "app/ledger/unlock.h"
#include "guards/mail/attachments/file_rules.h"
#include "guards/mail/door/self_check.h"
#include "guards/mail/judge/known_bad.h"
#include "host/log.h"

namespace hygie::app {
namespace {

constexpr std::size_t kMailboxListBytesMax = 4U << 20;
constexpr Micros kSettleMax = std::chrono::seconds(10);
/// How soon the judge knows what was remembered; a kill costs no more than that.
constexpr Micros kTurnLook = std::chrono::seconds(2);
constexpr std::string_view kMemorySuffix = ".hym";

Status refuse(const event::Order&) {
    return fail(Code::BadInput,
                {"la garde du courrier ne prend pas d'ordres", "the mail guard takes no orders"},
                {"« hygie mail quarantine » libère un message",
                 "'hygie mail quarantine' releases a message"});
}

}  // namespace

Result<std::unique_ptr<MailSpool>> MailSpool::open(Context& context, const crypto::RootKey& root,
                                                   const std::string& source) {
    std::unique_ptr<MailSpool> made(new MailSpool);
    link::SpoolOptions options;
    // The milter's spool had its name before there were other doors.
    options.dir =
        join(context.values.text("--state"), source == "mail" ? "spool" : "spool-" + source);
    options.source = SourceId(source);
    options.node = NodeId(context.process.host_name());
    TRY_STATUS(context.disk.make_dirs(options.dir));
    made->spool_ = TRY(link::Spool::open(context.disk, context.random,
                                         crypto::SigningKey::from_seed(root.domain("link/sign")),
                                         root.domain("link/spool"), std::move(options)));
    if (context.values.has("--core"))
        made->link_ = std::make_unique<link::GuardLink>(
            link::Doors{context.disk, context.clock, context.random}, *made->spool_,
            link::LocalEndpoint{.path = context.values.text("--core"), .group = false, .peers = {}},
            refuse);
    return made;
}

Status MailSpool::keep(const event::Event& event) {
    const auto counter = link_ ? link_->report(event) : spool_->append(event);
    if (!counter) return std::unexpected(counter.error());
    last_ = *counter;
    return {};
}

void MailSpool::settle() {
    if (link_ && last_ > 0) (void)link_->wait_delivered(last_, kSettleMax);
}

MailHouse::MailHouse(Context& context, std::string door, const crypto::Secret32& memory_key)
    : disk_(context.disk),
      clock_(context.clock),
      random_(context.random),
      memory_dir_(join(context.values.text("--state"), "memory")),
      door_(std::move(door)),
      memory_key_(memory_key),
      scanner_(mail_scanner_socket(context)),
      state_dir_(context.values.text("--state")) {}

std::shared_ptr<const MailHouse::Mind> MailHouse::mind() const {
    const std::scoped_lock lock(mutex_);
    return mind_;
}

mail::ReleaseLesson MailHouse::release_lesson() {
    return [this](const std::string& bytes, const mail::Envelope& envelope) {
        if (const Status learned = learn(bytes, envelope, mail::Click::Release); !learned)
            log::error("mail.release-not-learned", learned.error());
    };
}

void MailHouse::change_mind(mail::Learned learned) {
    auto fresh = std::make_shared<Mind>();
    fresh->learned = std::move(learned);
    fresh->model = mail::scorer_of(mail::shipped_model(), fresh->learned);
    const std::scoped_lock lock(mutex_);
    mind_ = std::move(fresh);
}

Status MailHouse::learn(const std::string& bytes, const mail::Envelope& envelope,
                        mail::Click click) {
    const mail::Message message = TRY(mail::parse_message(bytes));
    const mail::Reading reading = mail::read_evidence(message, envelope, *history());
    const mail::Features features = mail::features_of(message, reading.evidence, reading.signals);
    const std::scoped_lock lock(learning_);
    // From the disk: `hygie mail learn` may have taught meanwhile.
    mail::Learned learned = TRY(mail::open_learned(disk_, state_dir_, learned_key_));
    if (!learned.add(features, mail::shipped_model().attack_log_odds(features), click)) return {};
    TRY_STATUS(mail::keep_learned(disk_, random_, state_dir_, learned_key_, learned));
    change_mind(std::move(learned));
    return {};
}

Result<std::unique_ptr<MailHouse>> MailHouse::open(Context& context, const crypto::RootKey& root,
                                                   const std::string& door) {
    std::unique_ptr<MailHouse> made(
        new MailHouse(context, door, root.domain(mail::kMemoryKeyDomain)));
    TRY_STATUS(use_mail_rules(context));
    made->seed_ = TRY(read_history(context));
    made->learned_key_ = root.domain(mail::kLearnedKeyDomain);
    made->change_mind(TRY(mail::open_learned(context.disk, made->state_dir_, made->learned_key_)));
    TRY_STATUS(made->read_memories());
    made->renew_history();
    made->turning_ = std::jthread([raw = made.get()](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(kTurnLook);
            raw->turn();
        }
    });
    return made;
}

MailHouse::~MailHouse() {
    turning_.request_stop();
    if (turning_.joinable()) turning_.join();
    turn();
}

Status MailHouse::read_memories() {
    memory_ = TRY(mail::open_memory(disk_, memory_dir_, door_, memory_key_));
    const auto listing = disk_.list(memory_dir_);
    if (!listing) return {};
    std::vector<mail::History> parts{seed_};
    for (const DirEntry& entry : *listing) {
        if (!entry.name.ends_with(kMemorySuffix)) continue;
        const std::string other = entry.name.substr(0, entry.name.size() - kMemorySuffix.size());
        if (other == door_) continue;
        const mail::Memory memory = TRY(mail::open_memory(disk_, memory_dir_, other, memory_key_));
        parts.push_back(memory.history(seed_, clock_.now()));
    }
    seed_ = mail::merge(std::move(parts));
    return {};
}

/// What was remembered since becomes durable and known. A disk that fails costs memory, not mail.
void MailHouse::turn() {
    mail::Memory copy;
    {
        const std::scoped_lock lock(mutex_);
        if (!std::exchange(has_news_, false)) return;
        copy = memory_;
    }
    if (const Status kept =
            mail::keep_memory(disk_, random_, memory_dir_, door_, memory_key_, copy);
        !kept)
        log::error("mail.memory-not-kept", kept.error());
    renew_history();
}

void MailHouse::renew_history() {
    std::unique_lock lock(mutex_);
    mail::History part = memory_.history(seed_, clock_.now());
    lock.unlock();
    auto fresh = std::make_shared<const mail::History>(mail::merge({seed_, std::move(part)}));
    lock.lock();
    history_ = std::move(fresh);
}

std::shared_ptr<const mail::History> MailHouse::history() const {
    const std::scoped_lock lock(mutex_);
    return history_;
}

void MailHouse::remember(const mail::Opened& opened, const mail::Envelope& envelope,
                         mail::Way way) {
    const std::scoped_lock lock(mutex_);
    has_news_ |= memory_.note(opened, envelope, way, clock_.now(), seed_);
}

Result<mail::Opened> MailHouse::judge(const std::string& bytes,
                                      const mail::Envelope& envelope) const {
    const auto known = history();
    mail::Message message = TRY(mail::parse_message(bytes));
    const mail::Reading reading = mail::read_evidence(message, envelope, *known);
    mail::Judgement judgement = mail::judge(message, reading, mind()->model);
    mail::apply_known_bad(judgement, reading.evidence);
    if (!message.attachments.empty())
        if (const auto name = scanner_.look(bytes, clock_))
            mail::make_malicious(judgement, mail::KnownBy::Scanner, *name,
                                 message.attachments.front().name);
    return mail::Opened{std::move(message), std::move(judgement), mail::noted_of(reading.evidence)};
}

Parameter mail_state_option() {
    return {.name = "--state",
            .placeholder = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier d'état : clé root.hyk, quarantaine, mémoire, traces",
                     "the state folder: key root.hyk, quarantine, memory, traces"},
            .required = true};
}

Parameter mail_core_option() {
    return {.name = "--core",
            .placeholder = "SOCKET",
            .kind = Kind::File,
            .help = {"la prise locale du cœur, où partent les traces ; sans elle, elles attendent "
                     "scellées dans l'état",
                     "the core's local socket, where traces go; without it they wait sealed in the "
                     "state"}};
}

Parameter mail_mailboxes_option() {
    return {.name = "--mailboxes",
            .placeholder = "FILE",
            .kind = Kind::File,
            .help = {"les boîtes, en JSON ; les mots de passe sont dans des fichiers à part",
                     "the mailboxes, as JSON; passwords are in files of their own"},
            .required = true};
}

Result<std::vector<mail::Mailbox>> read_mailboxes(Context& context) {
    const Bytes list =
        TRY(context.disk.read_file(context.values.text("--mailboxes"), kMailboxListBytesMax));
    return mail::parse_mailboxes(as_text(list));
}

Parameter mail_trust_results_option() {
    return {.name = "--trust-results",
            .placeholder = "NAME",
            .help = {"votre serveur, tel qu'il signe ses Authentication-Results ; les autres ne "
                     "sont pas crus",
                     "your server, as it signs its Authentication-Results; no others are believed"},
            .many = true};
}

Parameter mail_threads_option() {
    return {.name = "--threads",
            .placeholder = "N",
            .kind = Kind::Number,
            .help = {"combien de messages sont jugés à la fois",
                     "how many messages are judged at once"},
            .by_default = "2",
            .min = 1,
            .max = 64};
}

Parameter mail_rules_option() {
    return {.name = "--rules",
            .placeholder = "PATH",
            .kind = Kind::File,
            .help = {"des règles YARA, un fichier ou un dossier de *.yar : ce qu'elles "
                     "reconnaissent est malveillant",
                     "YARA rules, a file or a folder of *.yar: what they know is malicious"}};
}

Parameter mail_clamd_option() {
    return {.name = "--clamd",
            .placeholder = "SOCKET",
            .kind = Kind::File,
            .help = {"la prise locale de clamd, l'antivirus, s'il y en a un ; muet, il ne retarde "
                     "rien",
                     "the local socket of clamd, the virus scanner, where there is one; silent, it "
                     "delays nothing"}};
}

Status use_mail_rules(Context& context) {
    if (!context.values.has("--rules")) return {};
    return mail::use_file_rules(context.disk, context.values.text("--rules"));
}

std::string mail_scanner_socket(Context& context) {
    return context.values.has("--clamd") ? context.values.text("--clamd") : std::string();
}

Parameter mail_dns_option() {
    return {
        .name = "--dns",
        .placeholder = "ADDRESS[@PORT]",
        .help = {"le serveur de noms de la maison, pour vérifier SPF, DKIM et DMARC là où aucun "
                 "serveur à vous ne l'a fait ; jamais attendu plus de deux secondes",
                 "the house's name server, to check SPF, DKIM and DMARC where no server of yours "
                 "did; never waited for longer than two seconds"}};
}

Result<std::function<void(mail::Incoming&)>> mail_authenticator(Context& context) {
    if (!context.values.has("--dns")) return std::function<void(mail::Incoming&)>();
    std::shared_ptr<mail::Resolver> resolver =
        TRY(mail::open_resolver(context.values.text("--dns")));
    return [&context, resolver](mail::Incoming& incoming) {
        mail::check_authentication(incoming, *resolver, context.clock.now(),
                                   context.clock.steady() + mail::kAuthenticationBudget);
    };
}

Result<crypto::RootKey> unlock_mail(Context& context) {
    return unlock(context, join(context.values.text("--state"), "root.hyk"));
}

}  // namespace hygie::app
