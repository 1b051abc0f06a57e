#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/accounts/accounts.h"
#include "access/accounts/assertions.h"
#include "access/accounts/refreshes.h"
#include "access/accounts/sessions.h"
#include "access/accounts/sign_in.h"
#include "access/circles/policy_shelf.h"
#include "app/house/certificate_keeper.h"
#include "app/house/definitions.h"
#include "app/house/recall.h"
#include "app/ledger/control_listener.h"
#include "app/ledger/ledger_audit.h"
#include "app/ledger/ledger_clerk.h"
#include "app/ledger/ledger_trace.h"
#include "app/line/context.h"
#include "crypto/keyring.h"
#include "guards/records/door/door.h"
#include "ledger/proofs/policy.h"
#include "serve/circle_routes.h"
#include "serve/front.h"
#include "serve/tile_routes.h"
#include "serve/workers.h"
#include "vault/vault.h"

/// The core: ledger, vault, accounts, records door and front, in one process over one directory.
namespace hygie::app {

/// Where a core keeps what, below its --state directory.
struct CoreDirs {
    explicit CoreDirs(std::string state) : state_(std::move(state)) {}

    const std::string& state() const { return state_; }
    std::string ledger() const { return join(state_, "ledger"); }  ///< the root key is in it
    std::string vault() const { return join(state_, "vault"); }
    std::string access() const { return join(state_, "access"); }
    std::string tls() const { return join(state_, "tls"); }
    std::string exports() const { return join(state_, "exports"); }
    std::string notices() const { return join(state_, "notices"); }

  private:
    std::string state_;
};

/// --state: every command that works on a core declares it.
Parameter state_option();
/// --notify: below which addresses subscriptions may be told.
Parameter notify_option();
/// --state, absolute.
CoreDirs core_dirs(Context& context);
/// Makes the ledger and the folders of a core that is not there yet.
Result<crypto::RootKey> create_core(Context& context, const CoreDirs& dirs,
                                    const std::string& origin,
                                    const std::function<Result<crypto::Sealing>()>& seal);
/// The root key of the core in --state. Code::NotFound when there is none.
Result<crypto::RootKey> unlock_core(Context& context, const CoreDirs& dirs);

/// Whether a request for records is answered on the thread of its connection, which serves others.
bool is_quick(const serve::Request& request);

/// The domain keys of the core's parts.
crypto::Secret32 vault_key(const crypto::RootKey& root);
crypto::Secret32 access_key(const crypto::RootKey& root);

/// Ledger and vault of a core, open in this process and no other. `zone`: of dates without one;
/// empty: the vault's own.
class Store {
  public:
    static Result<std::unique_ptr<Store>> open(Context& context, const CoreDirs& dirs,
                                               const crypto::RootKey& root,
                                               std::optional<ledger::Policy> policy,
                                               const std::string& zone = {});
    ~Store();

    LedgerClerk& clerk() { return *clerk_; }
    LedgerTrace& trace() { return *trace_; }
    vault::Vault& vault() { return *vault_; }
    /// Finishes what is under way; what went wrong, if anything did.
    Status close();

  private:
    Store() = default;

    std::unique_ptr<LedgerClerk> clerk_;
    std::unique_ptr<LedgerTrace> trace_;
    std::unique_ptr<vault::Vault> vault_;
    std::unique_ptr<ControlListener> control_;
    bool closed_ = false;
};

class DailyRound;

/// What ledger and vault are reached through: people, sign-in, the records door, HTTPS.
class Core {
  public:
    struct Plan {
        std::string listen = "127.0.0.1:0";
        std::vector<std::string> names{};  ///< DNS names and addresses of the certificate
        std::string url{};                 ///< how it is reached; empty: where it listens
        records::Completeness completeness = records::Completeness::Lenient;
        fhir::Practice practice = fhir::Practice::Office;
        std::vector<std::string> notify{};  ///< addresses below which subscriptions may be told
        const Definitions* definitions = nullptr;  ///< outlive the core; null: R4 alone
        std::string cert{}, key{};                 ///< the operator's; empty: the house's own
        serve::OldestTls oldest_tls = serve::OldestTls::V1_3;
        std::optional<serve::UpstreamSettings> sign_in{};  ///< where people may sign in instead
        /// Instead of the rules in force: for measures.
        std::shared_ptr<const access::Policy> policy{};
    };
    static Result<std::unique_ptr<Core>> start(Context& context, const CoreDirs& dirs,
                                               const crypto::RootKey& root, Store& store,
                                               const Plan& plan);
    /// Stops.
    ~Core();

    const std::string& url() const { return url_; }
    std::string fhir() const { return url_ + "/fhir"; }
    /// PEM that clients may trust; empty with the operator's certificate.
    const std::string& authority() const { return certificate_->files().authority; }
    /// Looks after what changes with time; may be called at any rate.
    void tend() { certificate_->look(*server_); }
    access::Accounts& accounts() { return *accounts_; }
    access::Sessions& sessions() { return *sessions_; }
    records::Door& door() { return *door_; }
    /// A session whose opening is in the ledger.
    Result<access::Sessions::Opened> open_session(const access::Sessions::Wish& wish);
    /// Lets those who are connected finish.
    void stop();

  private:
    enum class Stage : std::uint8_t { Opening, Open, Closed };

    Core(Context& context, Store& store);
    Status open_access(const CoreDirs& dirs, const crypto::RootKey& root);
    Status open_front(const CoreDirs& dirs, const Plan& plan);
    Status open_door(const CoreDirs& dirs, const crypto::RootKey& root, const Plan& plan);
    void go_on(Stage stage);
    bool wait_until_open();
    serve::Hearing open_socket(std::shared_ptr<serve::WebSocket> socket);
    std::optional<access::Actor> actor_now(const ActorId& login,
                                           const std::vector<std::string>& scopes);
    void open_circles();
    /// Ends the session of who opened far too many records, and says so in the ledger.
    void cut(const access::Actor& actor);
    void answer(const access::Actor& actor, serve::Request request, serve::Reply reply);
    void answer_circles(const access::Actor& actor, serve::Request request, serve::Reply reply);
    event::Event origin() const;
    /// A session of a person begins or ends now.
    event::Event session_event(event::Type type, const ActorId& person,
                               const std::string& auth) const;
    std::string metrics();

    Context& context_;
    Store& store_;
    std::string url_;
    std::optional<CertificateKeeper> certificate_;
    std::unique_ptr<serve::Upstream> upstream_;
    std::unique_ptr<access::Accounts> accounts_;
    std::unique_ptr<access::Sessions> sessions_;
    std::unique_ptr<access::Refreshes> refreshes_;
    std::unique_ptr<access::Assertions> assertions_;
    std::unique_ptr<access::SignIn> sign_in_;
    std::unique_ptr<LedgerAudit> audit_;
    std::unique_ptr<serve::TileRoutes> log_;
    std::unique_ptr<access::PolicyShelf> policy_;
    std::unique_ptr<serve::CircleRoutes> circles_;
    std::unique_ptr<records::Door> door_;
    std::unique_ptr<Recall> recall_;
    std::atomic<Stage> stage_ = Stage::Opening;
    std::unique_ptr<serve::Front> front_;
    std::unique_ptr<serve::Workers> workers_;
    std::unique_ptr<serve::HttpServer> server_;
    std::unique_ptr<DailyRound> round_;
};

}  // namespace hygie::app
