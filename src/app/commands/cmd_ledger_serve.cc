#include <sys/types.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "app/ledger/control_listener.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/ledger_sink.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "app/line/peer_address.h"
#include "link/core_listener.h"
#include "serve/http_server.h"
#include "serve/tile_routes.h"

namespace hygie::app {
namespace {

/// The ledger open for writing while it is served: guards send, checkpoints and heartbeats go out.
class Core {
  public:
    static Result<std::unique_ptr<Core>> start(Context& context) {
        const ledger::Doors doors{context.disk, context.clock, context.random};
        auto ledger = TRY(open_ledger(context));
        std::unique_ptr<Core> core(new Core(context, std::move(ledger)));
        core->control_ = TRY(ControlListener::start(doors, *core->clerk_));
        if (has_link(context))
            core->listener_ =
                TRY(link::CoreListener::start({context.disk, context.clock, context.random},
                                              core->sink_, TRY(link_options(context))));
        return core;
    }

    static bool is_wanted(Context& context) {
        return has_link(context) || context.values.flag("--write");
    }

    const ledger::Appender& appender() const { return clerk_->appender(); }

    Status stop() {
        listener_.reset();
        control_.reset();
        return clerk_->close();
    }

    std::uint16_t link_port() const { return listener_ ? listener_->port() : 0; }

  private:
    Core(Context& context, OpenLedger opened)
        : clerk_(clerk_of(context, std::move(opened),
                          {.checkpoint_interval = context.values.duration("--checkpoint-interval"),
                           .heartbeat = context.values.duration("--heartbeat")})),
          sink_(clerk_->appender(), clerk_->log().sources(), context.clock) {}

    static bool has_link(Context& context) {
        return context.values.has("--link") || context.values.has("--link-listen");
    }

    static Result<link::ListenerOptions> link_options(Context& context) {
        link::ListenerOptions options;
        if (context.values.has("--link")) options.local = TRY(local_endpoint(context));
        if (context.values.has("--link-listen")) options.remote = TRY(remote_endpoint(context));
        return options;
    }

    static Result<link::LocalEndpoint> local_endpoint(Context& context) {
        link::LocalEndpoint local{
            .path = context.values.text("--link"), .group = false, .peers = {}};
        for (const std::string& uid : context.values.list("--link-uid"))
            local.peers.push_back(static_cast<uid_t>(TRY(parse_number(uid))));
        local.group = !local.peers.empty();
        return local;
    }

    static Result<link::TlsEndpoint> remote_endpoint(Context& context) {
        const PeerAddress address = TRY(parse_peer_address(context.values.text("--link-listen")));
        const link::TlsIdentity identity = TRY(read_mutual_tls_identity(
            context, {.ca = "--link-ca", .cert = "--link-cert", .key = "--link-key"}));
        link::TlsContext tls = TRY(link::TlsContext::server(identity));
        return link::TlsEndpoint{address.host, address.port, "", std::move(tls)};
    }

    std::unique_ptr<LedgerClerk> clerk_;
    LedgerSink sink_;
    std::unique_ptr<ControlListener> control_;
    std::unique_ptr<link::CoreListener> listener_;
};

void announce(Context& context, const std::string& url, const Core* core) {
    if (context.json) {
        nlohmann::json ready = {{"url", url}};
        if (core && context.values.has("--link")) ready["link"] = context.values.text("--link");
        if (core && core->link_port() != 0) ready["link_port"] = core->link_port();
        context.out << ready.dump() << "\n" << std::flush;
        return;
    }
    context.out << context.say({"le journal est servi sur ", "the ledger is served at "}) << url
                << "\n"
                << std::flush;
    if (core && context.values.has("--link"))
        context.out << context.say({"les gardes écrivent par ", "guards write through "})
                    << context.values.text("--link") << "\n"
                    << std::flush;
}

Result<int> serve(Context& context) {
    const std::string& dir = context.values.text("DIR");
    ledger::DirReader reader(context.disk, dir);
    TRY(ledger::read_checkpoint(reader));
    std::unique_ptr<Core> core;
    if (Core::is_wanted(context)) core = TRY(Core::start(context));
    serve::TileRoutes routes(context.disk, dir);
    const auto text = [&](std::string_view name) {
        return context.values.has(name) ? context.values.text(name) : "";
    };
    const auto server = TRY(serve::HttpServer::start(
        {.listen = context.values.text("--listen"), .cert = text("--cert"), .key = text("--key")},
        context.clock, [&](const serve::Request& request) { return routes(request); }));
    context.expect_stop();
    announce(context, server->url(), core.get());
    if (core)
        wait_while_well(context, core->appender());
    else
        context.wait_for_stop();
    server->stop();
    if (core) TRY_STATUS(core->stop());
    return kExitOk;
}

}  // namespace

std::vector<Command> ledger_serve_commands() {
    return {
        {.path = {"ledger", "serve"},
         .summary = {"sert le journal aux vérificateurs, et l'ouvre aux gardes",
                     "serves the ledger to verifiers, and opens it to guards"},
         .description = {"Sert par HTTP les fichiers publics (C2SP tlog-tiles), rien d'autre. Avec "
                         "--link, --link-listen ou --write, tient aussi le "
                         "journal ouvert en écriture : les gardes y envoient leurs événements, un "
                         "point de contrôle sort à chaque "
                         "intervalle, et un battement quand rien ne se passe.",
                         "Serves the public files over HTTP (C2SP tlog-tiles), nothing else. With "
                         "--link, --link-listen or --write it also keeps "
                         "the ledger open for writing: guards send their events to it, a "
                         "checkpoint goes out at each interval, and a "
                         "heartbeat when nothing happens."},
         .options = {{.name = "--listen",
                      .placeholder = "IP:PORT",
                      .help = {"où écouter ; port 0 : le premier libre",
                               "where to listen; port 0: the first free one"},
                      .by_default = "127.0.0.1:8470"},
                     {.name = "--cert",
                      .placeholder = "FILE",
                      .kind = Kind::File,
                      .help = {"certificat TLS (PEM)", "TLS certificate (PEM)"}},
                     {.name = "--key",
                      .placeholder = "FILE",
                      .kind = Kind::File,
                      .help = {"sa clé (PEM)", "its key (PEM)"}},
                     {.name = "--write",
                      .kind = Kind::Flag,
                      .help = {"tient le journal ouvert : battements et points de contrôle",
                               "keeps the ledger open: heartbeats and checkpoints"}},
                     {.name = "--link",
                      .placeholder = "SOCKET",
                      .kind = Kind::File,
                      .help = {"la socket locale où les gardes écrivent",
                               "the local socket where guards write"}},
                     {.name = "--link-uid",
                      .placeholder = "UID",
                      .kind = Kind::Number,
                      .help = {"utilisateurs admis sur cette socket ; sinon le nôtre seul",
                               "users let in on that socket; ours alone otherwise"},
                      .many = true,
                      .max = std::numeric_limits<uid_t>::max() - 1},
                     {.name = "--link-listen",
                      .placeholder = "IP:PORT",
                      .help = {"écoute aussi les gardes d'autres machines, sous TLS mutuel",
                               "also listens to guards of other machines, under mutual TLS"}},
                     {.name = "--link-cert",
                      .placeholder = "FILE",
                      .kind = Kind::File,
                      .help = {"notre certificat pour ce lien (PEM)",
                               "our certificate for that link (PEM)"}},
                     {.name = "--link-key",
                      .placeholder = "FILE",
                      .kind = Kind::File,
                      .help = {"sa clé (PEM)", "its key (PEM)"}},
                     {.name = "--link-ca",
                      .placeholder = "FILE",
                      .kind = Kind::File,
                      .help = {"l'autorité des gardes (PEM)", "the guards' authority (PEM)"}},
                     {.name = "--checkpoint-interval",
                      .placeholder = "DURATION",
                      .kind = Kind::Duration,
                      .help = {"entre deux points de contrôle", "between two checkpoints"},
                      .by_default = "1s"},
                     {.name = "--heartbeat",
                      .placeholder = "DURATION",
                      .kind = Kind::Duration,
                      .help = {"entre deux signes de vie au repos",
                               "between two signs of life when idle"},
                      .by_default = "10s"},
                     policy_option(),
                     passphrase_file_option()},
         .arguments = {ledger_argument()},
         .examples =
             {{"hygie ledger serve /srv/ledger",
               {"Pour les vérificateurs de cette machine :", "For verifiers on this machine:"}},
              {"hygie ledger serve /srv/ledger --link /run/hygie/link.sock --policy group.policy",
               {"Pour les gardes, avec les témoins du groupe :",
                "For guards, with the group's witnesses:"}}},
         .run = serve}};
}

}  // namespace hygie::app
