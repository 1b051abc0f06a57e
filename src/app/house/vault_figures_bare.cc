#include "app/house/vault_figures_bare.h"

namespace hygie::app {
namespace {

constexpr unsigned kThreads = 2;  ///< as the core

}  // namespace

void BareDoor::NoTrace::submit(std::vector<event::Event> /*events*/,
                               std::function<void(Status)> done) {
    done({});
}

Result<std::uint64_t> BareDoor::NoTrace::last_counter(const SourceId& /*source*/,
                                                      const NodeId& /*node*/) {
    return std::uint64_t{0};
}

Result<std::unique_ptr<BareDoor>> BareDoor::start(Context& context, Store& store) {
    std::unique_ptr<BareDoor> bare(new BareDoor());
    // A program with every scope is in no circle, and needs none.
    bare->actor_ = {
        .id = ActorId("bench"), .role = access::Role::Program, .scopes = {"system/*.cruds"}};
    bare->door_ = std::make_unique<records::Door>(records::Rooms{.vault = store.vault(),
                                                                 .trace = bare->trace_,
                                                                 .clock = context.clock,
                                                                 .random = context.random,
                                                                 .disk = context.disk},
                                                  records::Options{.base = "http://127.0.0.1/fhir/",
                                                                   .node = NodeId("bench"),
                                                                   .export_dir = {},
                                                                   .key = {}});
    bare->server_ = TRY(serve::HttpServer::start(
        {.listen = "127.0.0.1:0", .limits = {.io_threads = kThreads}}, context.clock,
        serve::AsyncHandler([door = bare->door_.get(), actor = &bare->actor_](
                                serve::Request request, serve::Reply reply) {
            door->handle(*actor, std::move(request), std::move(reply));
        })));
    return bare;
}

BareDoor::~BareDoor() {
    if (server_) server_->stop();
    server_.reset();
    door_.reset();
}

}  // namespace hygie::app
