#include "app/house/files_spool.h"

#include "crypto/keyring.h"
#include "host/log.h"

namespace hygie::app {

Result<std::unique_ptr<FilesSpool>> FilesSpool::open(Context& context, const std::string& dir,
                                                     const crypto::Secret32& secret) {
    const crypto::RootKey root(secret);
    std::unique_ptr<FilesSpool> spool(new FilesSpool);
    link::SpoolOptions options;
    options.dir = dir;
    options.source = SourceId("files");
    options.node = NodeId(context.process.host_name());
    spool->spool_ = TRY(link::Spool::open(context.disk, context.random,
                                          crypto::SigningKey::from_seed(root.domain("link/sign")),
                                          root.domain("link/spool"), std::move(options)));
    return spool;
}

void FilesSpool::connect(Context& context, const std::string& core, link::GuardSession::Obey obey) {
    link_ = std::make_unique<link::GuardLink>(
        link::Doors{context.disk, context.clock, context.random}, *spool_,
        link::LocalEndpoint{.path = core, .group = false, .peers = {}}, std::move(obey));
}

files::EventSink FilesSpool::sink() {
    return [this](const event::Event& event) {
        // Preservation never waits for the trace: what cannot be spooled is said in the log.
        const auto counter = link_ ? link_->report(event) : spool_->append(event);
        if (!counter) log::error("files.event-not-spooled", counter.error());
    };
}

}  // namespace hygie::app
