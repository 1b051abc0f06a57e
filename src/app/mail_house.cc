#include "app/mail_house.h"

#include "app/cmd_mail.h"
#include "app/unlock.h"

namespace hygie::app {
namespace {

constexpr Micros kSettleMax = std::chrono::seconds(10);

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

Result<std::unique_ptr<MailHouse>> MailHouse::open(Context& context, const crypto::RootKey& root) {
    std::unique_ptr<MailHouse> made(new MailHouse);
    made->history_ = TRY(read_history(context));
    made->learned_ = TRY(mail::open_learned(context.disk, context.values.text("--state"),
                                            root.domain(mail::kLearnedKeyDomain)));
    made->model_ = mail::scorer_of(mail::shipped_model(), made->learned_);
    return made;
}

Result<mail::Opened> MailHouse::judge(const std::string& bytes,
                                      const mail::Envelope& envelope) const {
    mail::Message message = TRY(mail::parse_message(bytes));
    mail::Judgement judgement = mail::judge(message, envelope, history_, model_);
    return mail::Opened{std::move(message), std::move(judgement)};
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

Result<crypto::RootKey> unlock_mail(Context& context) {
    return unlock(context, join(context.values.text("--state"), "root.hyk"));
}

}  // namespace hygie::app
