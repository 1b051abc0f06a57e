#include "app/house/core.h"

#include <fmt/format.h>

#include <filesystem>
#include <future>

#include "access/decide/scope.h"
#include "app/house/core_circles.h"
#include "app/house/daily_round.h"
#include "app/house/organisations.h"
#include "app/house/vault_desk.h"
#include "app/ledger/ledger_desk.h"
#include "event/uuid.h"
#include "guards/records/door/allow.h"
#include "host/log.h"
#include "host/post.h"
#include "vault/budget.h"

namespace hygie::app {
namespace {

constexpr unsigned kConnectionThreads = 2;
/// For what takes long: transactions, bundles.
constexpr unsigned kWorkThreads = 2;
constexpr Micros kGrace = std::chrono::seconds(5);

serve::Response busy() {
    serve::Response response = serve::text_response(503, "hygie: occupé / busy\n");
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

/// "127.0.0.1:8443" → "127.0.0.1"; "[::1]:8443" → "::1".
std::string host_of(const std::string& listen) {
    std::string host = listen.substr(0, listen.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host;
}

}  // namespace

Parameter state_option() {
    return {.name = "--state",
            .placeholder = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier où Hygie garde tout : coffre, journal, comptes",
                     "the folder where Hygie keeps everything: vault, ledger, accounts"},
            .required = true};
}

Parameter notify_option() {
    return {.name = "--notify",
            .placeholder = "URL",
            .help = {"une adresse sous laquelle les abonnements peuvent être notifiés (https, ou "
                     "http vers 127.0.0.1)",
                     "an address below which subscriptions may be notified (https, or http to "
                     "127.0.0.1)"},
            .many = true};
}

CoreDirs core_dirs(Context& context) {
    const auto path = std::filesystem::absolute(context.values.text("--state"));
    return CoreDirs(path.lexically_normal().string());
}

Result<crypto::RootKey> create_core(Context& context, const CoreDirs& dirs,
                                    const std::string& origin,
                                    const std::function<Result<crypto::Sealing>()>& seal) {
    TRY_STATUS(context.disk.make_dirs(dirs.state()));
    return create_ledger(context, dirs.ledger(), origin, seal);
}

Result<crypto::RootKey> unlock_core(Context& context, const CoreDirs& dirs) {
    crypto::harden_process();
    if (ledger::holds_ledger(context.disk, dirs.ledger()))
        return unlock_ledger(context, dirs.ledger());
    return fail(
        Code::NotFound,
        {"Hygie ne garde rien dans " + dirs.state(), "Hygie keeps nothing in " + dirs.state()},
        {"donnez le dossier --state de « hygie serve », dont le premier démarrage crée tout",
         "give the folder --state of 'hygie serve', whose first start makes everything"});
}

crypto::Secret32 vault_key(const crypto::RootKey& root) {
    return root.domain("vault");
}
crypto::Secret32 access_key(const crypto::RootKey& root) {
    return root.domain("access");
}

Result<std::unique_ptr<Store>> Store::open(Context& context, const CoreDirs& dirs,
                                           const crypto::RootKey& root,
                                           std::optional<ledger::Policy> policy,
                                           const std::string& zone) {
    std::unique_ptr<Store> store(new Store());
    store->clerk_ =
        clerk_of(context, TRY(open_ledger(context, dirs.ledger(), root, std::move(policy))));
    LedgerClerk& clerk = *store->clerk_;
    store->trace_ = std::make_unique<LedgerTrace>(clerk.appender(), clerk.log().sources());
    TRY_STATUS(context.disk.make_dirs(dirs.vault()));
    store->vault_ =
        TRY(vault::Vault::open({context.disk, context.clock, context.random, *store->trace_},
                               {.dir = dirs.vault(),
                                .node = NodeId(context.process.host_name()),
                                .zone = zone,
                                .cache_bytes = vault::budget::kRecords,
                                .body_cache_bytes = vault::budget::kBodies},
                               vault_key(root)));
    clerk.tell_with([vault = store->vault_.get()](const std::string& patient) {
        return world_lines(*vault, patient);
    });
    clerk.keep_with([vault = store->vault_.get(), &clerk](const VaultAct& act) {
        return begin(*vault, clerk, act);
    });
    clerk.guard_with([vault = store->vault_.get()](const PatientId& patient) {
        return may_lose_traces(*vault, patient.str());
    });
    store->control_ =
        TRY(ControlListener::start({context.disk, context.clock, context.random}, clerk));
    return store;
}

Store::~Store() {
    (void)close();
}

Status Store::close() {
    if (std::exchange(closed_, true)) return {};
    control_.reset();
    if (clerk_) {
        clerk_->tell_with(nullptr);
        clerk_->keep_with(nullptr);
        clerk_->guard_with(nullptr);
    }
    vault_.reset();
    return clerk_ ? clerk_->close() : Status();
}

Core::Core(Context& context, Store& store) : context_(context), store_(store) {}

Result<std::unique_ptr<Core>> Core::start(Context& context, const CoreDirs& dirs,
                                          const crypto::RootKey& root, Store& store,
                                          const Plan& plan) {
    std::unique_ptr<Core> core(new Core(context, store));
    TRY_STATUS(core->open_access(dirs, root));
    core->audit_ = std::make_unique<LedgerAudit>(store.clerk());
    core->log_ = std::make_unique<serve::TileRoutes>(context.disk, dirs.ledger());
    TRY_STATUS(core->open_front(dirs, plan));
    TRY_STATUS(core->open_door(dirs, root, plan));
    return core;
}

Status Core::open_access(const CoreDirs& dirs, const crypto::RootKey& root) {
    const access::SealedFile::Doors doors{context_.disk, context_.clock, context_.random};
    const crypto::Secret32 key = access_key(root);
    TRY_STATUS(context_.disk.make_dirs(dirs.access()));
    accounts_ = TRY(access::Accounts::open(doors, dirs.access(), key));
    sessions_ = TRY(access::Sessions::open(doors, dirs.access(), key, *accounts_));
    refreshes_ = TRY(access::Refreshes::open(doors, dirs.access(), key, *accounts_, *sessions_));
    assertions_ = TRY(access::Assertions::open(doors, dirs.access(), key));
    sign_in_ = std::make_unique<access::SignIn>(doors, *accounts_, key);
    policy_ = TRY(access::PolicyShelf::open(doors, dirs.access(), key));
    return {};
}

event::Event Core::origin() const {
    event::Event event;
    event.source = SourceId("front");
    event.node = NodeId(context_.process.host_name());
    return event;
}

event::Event Core::session_event(event::Type type, const ActorId& person,
                                 const std::string& auth) const {
    event::Event event = origin();
    event.type = type;
    event.action = event::Action::Execute;
    event.time = context_.clock.now();
    event.id = event::print_uuid(event::make_uuid(event.time, context_.random));
    event.actor.id = person;
    event.actor.auth = auth;
    return event;
}

Status Core::open_front(const CoreDirs& dirs, const Plan& plan) {
    std::vector<std::string> names = plan.names;
    names.push_back(host_of(plan.listen));
    certificate_ = TRY(CertificateKeeper::open(context_, dirs.tls(), names, plan.cert, plan.key));
    if (plan.sign_in)
        upstream_ = std::make_unique<serve::Upstream>(context_.fetch, context_.clock,
                                                      context_.random, *plan.sign_in);
    workers_ = std::make_unique<serve::Workers>(kWorkThreads);
    const auto nobody = [this](const serve::Request& request, serve::Reply reply) {
        answer({}, request, std::move(reply));
    };
    front_ = std::make_unique<serve::Front>(serve::FrontParts{
        {context_.disk, context_.clock, context_.random},
        *accounts_,
        *sessions_,
        *sign_in_,
        *assertions_,
        plan.url,
        [this](std::vector<event::Event> events, std::function<void(Status)> done) {
            store_.trace().submit(std::move(events), std::move(done));
        },
        origin(),
        [this](const access::Actor& actor, serve::Request request, serve::Reply reply) {
            answer(actor, std::move(request), std::move(reply));
        },
        nobody,
        [this](const serve::Request& request) { return (*log_)(request); },
        [this] { return store_.clerk().appender().health(); },
        [this] { return metrics(); },
        upstream_.get(),
        [this](const std::string& place) {
            return organisation_with(store_.vault(), place, context_.clock.now());
        },
        [this](const std::string& person) { return patient_of(store_.vault(), person); },
        refreshes_.get(),
        [this](const access::Actor& actor, serve::Request request, serve::Reply reply) {
            answer_circles(actor, std::move(request), std::move(reply));
        },
        [](std::string_view path) { return records::allowed_methods(path); }});
    server_ = TRY(serve::HttpServer::start(
        {.listen = plan.listen,
         .cert = certificate_->files().cert,
         .key = certificate_->files().key,
         .oldest_tls = plan.oldest_tls,
         .limits = {.io_threads = kConnectionThreads},
         .body_limit = [this](const serve::Request& head) { return front_->body_limit(head); },
         .web_socket = std::make_shared<serve::WebSocketDoor>(serve::WebSocketDoor{
             .path = "/fhir/" + std::string(records::kSocketPath),
             .open = [this](auto socket) { return open_socket(std::move(socket)); }}),
         .socket = serve::inherited_socket(context_.process)},
        context_.clock, serve::AsyncHandler([this](serve::Request request, serve::Reply reply) {
            if (!wait_until_open()) return reply(busy());
            (*front_)(std::move(request), std::move(reply));
        })));
    url_ = plan.url.empty() ? server_->url() : plan.url;
    front_->at(url_);
    return {};
}

Status Core::open_door(const CoreDirs& dirs, const crypto::RootKey& root, const Plan& plan) {
    records::Options options{
        .base = url_ + "/fhir/",
        .node = NodeId(context_.process.host_name()),
        .version = HYGIE_VERSION,
        .export_dir = dirs.exports(),
        .key = root.domain("records"),
        .completeness = plan.completeness,
        .practice = plan.practice,
        .policy = [this, fixed = plan.policy] { return fixed ? fixed : policy_->current(); },
        .frozen =
            [this](const ActorId& login) {
                const auto account = accounts_->find(login.str());
                return account && account->frozen_at(context_.clock.now());
            },
        .holds = [this] { return accounts_->holds(); },
        .cut = [this](const access::Actor& actor) { cut(actor); },
        .notice_dir = dirs.notices(),
        .notify = plan.notify,
        .actor_of =
            [this](const ActorId& login, const std::vector<std::string>& scopes) {
                return actor_now(login, scopes);
            },
        .who = [this](const ActorId& login) -> std::optional<records::Options::Who> {
            const auto account = accounts_->find(login.str());
            if (!account) return std::nullopt;
            return records::Options::Who{account->name, account->person, account->profession};
        }};
    if (plan.definitions) {
        options.profiles = &plan.definitions->profiles();
        options.terminology = &plan.definitions->terminology();
    }
    door_ = std::make_unique<records::Door>(records::Rooms{.vault = store_.vault(),
                                                           .trace = store_.trace(),
                                                           .clock = context_.clock,
                                                           .random = context_.random,
                                                           .disk = context_.disk,
                                                           .audit = audit_.get(),
                                                           .post = &real_post()},
                                            std::move(options));
    recall_ = std::make_unique<Recall>(
        *audit_, context_.clock, [this](const event::Event& event) { door_->remember(event); });
    open_circles();
    if (!plan.policy)
        round_ = std::make_unique<DailyRound>(DailyRound::Parts{
            context_, *accounts_, *policy_, *audit_, store_.vault(), store_.trace(), origin()});
    go_on(Stage::Open);
    return {};
}

void Core::open_circles() {
    circles_ = std::make_unique<serve::CircleRoutes>(circle_parts(
        {context_, *accounts_, *policy_, *audit_, store_.vault(),
         [this](const std::string& person) { return door_->belongings(person); }},
        [this](std::vector<event::Event> events, std::function<void(Status)> done) {
            store_.trace().submit(std::move(events), std::move(done));
        },
        origin()));
}

void Core::cut(const access::Actor& actor) {
    const Status ended = sessions_->revoke_account(actor.id);
    if (!ended) log::warning("app.session-not-cut", ended.error());
    event::Event event = session_event(event::Type::SignedOut, actor.id, actor.auth);
    event.detail = {{"session", actor.session}, {"why", "circle.cut"}};
    store_.trace().submit({std::move(event)}, [](Status) {});
}

void Core::go_on(Stage stage) {
    stage_ = stage;
    stage_.notify_all();
}

/// A socket that was handed over brings people before the door is there: they wait for it.
bool Core::wait_until_open() {
    stage_.wait(Stage::Opening);
    return stage_ == Stage::Open;
}

bool is_quick(const serve::Request& request) {
    const bool is_read = request.method == "GET" || request.method == "HEAD";
    // The ledger may wait for its witnesses: asked by its name, by a page of an answer, or by a
    // name spelled otherwise.
    const bool may_ask_ledger = request.path.starts_with("/fhir/AuditEvent") ||
                                request.path.starts_with("/fhir/_page/") ||
                                request.path.contains('%');
    return is_read && !may_ask_ledger;
}

serve::Hearing Core::open_socket(std::shared_ptr<serve::WebSocket> socket) {
    if (!wait_until_open()) return [](std::string_view) { return false; };
    return door_->open_socket(
        [socket = std::move(socket)](std::string text) { return socket->send(std::move(text)); });
}

/// Of a subscription: what its owner may do now, and could when it was written.
std::optional<access::Actor> Core::actor_now(const ActorId& login,
                                             const std::vector<std::string>& scopes) {
    const auto account = accounts_->find(login.str());
    if (!account || !account->open_at(context_.clock.now())) return std::nullopt;
    if (account->role != access::Role::Program) {
        auto actor = access::actor_of(*account, "subscription", "", scopes);
        // Without it an emergency that still lasts opens nothing, which is the safe side.
        if (stage_ == Stage::Open) (void)recall_->make_sure(actor);
        return actor;
    }
    std::string wish;
    for (const std::string& scope : scopes) wish += scope + ' ';
    auto left = access::narrow(wish, account->scopes);
    if (left.empty()) return std::nullopt;
    return access::actor_of(*account, "subscription", "", std::move(left));
}

/// Reads are answered where they arrive; what may take long goes to other threads: also to read
/// back what the ledger knows of an actor, before anything is answered.
void Core::answer(const access::Actor& actor, serve::Request request, serve::Reply reply) {
    if (is_quick(request) && recall_->is_done(actor))
        return door_->handle(actor, std::move(request), std::move(reply));
    auto shared = std::make_shared<serve::Reply>(std::move(reply));
    const bool taken = workers_->run([this, actor, request = std::move(request), shared]() mutable {
        if (!recall_->make_sure(actor)) return (*shared)(busy());
        door_->handle(actor, std::move(request), std::move(*shared));
    });
    if (!taken) (*shared)(busy());
}

void Core::answer_circles(const access::Actor& actor, serve::Request request, serve::Reply reply) {
    if (!wait_until_open()) return reply(busy());
    auto shared = std::make_shared<serve::Reply>(std::move(reply));
    const bool taken = workers_->run([this, actor, request = std::move(request), shared] {
        (*circles_)(actor, request, std::move(*shared));
    });
    if (!taken) (*shared)(busy());
}

std::string Core::metrics() {
    const vault::Counts counts = store_.vault().counts();
    return fmt::format(
        "# TYPE hygie_vault_resources gauge\nhygie_vault_resources {}\n"
        "# TYPE hygie_vault_versions gauge\nhygie_vault_versions {}\n"
        "# TYPE hygie_vault_records gauge\nhygie_vault_records {}\n"
        "# TYPE hygie_vault_commits_total counter\nhygie_vault_commits_total {}\n"
        "# TYPE hygie_ledger_entries gauge\nhygie_ledger_entries {}\n",
        counts.resources, counts.versions, counts.records, counts.commits,
        store_.clerk().log().durable_size());
}

Result<access::Sessions::Opened> Core::open_session(const access::Sessions::Wish& wish) {
    auto opened = TRY(sessions_->prepare(wish));
    event::Event event = session_event(event::Type::SignedIn, wish.login, wish.auth);
    event.detail["session"] = opened.session.id;
    std::promise<Status> promise;
    auto kept = promise.get_future();
    store_.trace().submit({std::move(event)}, [&](Status status) { promise.set_value(status); });
    TRY_STATUS(kept.get());
    TRY_STATUS(sessions_->confirm(opened));
    return opened;
}

void Core::stop() {
    if (server_) server_->stop(kGrace);
}

Core::~Core() {
    go_on(Stage::Closed);
    round_.reset();
    if (server_) server_->stop();
    server_.reset();
    workers_.reset();
    front_.reset();
    circles_.reset();
    door_.reset();
}

}  // namespace hygie::app
