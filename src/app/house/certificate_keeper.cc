#include "app/house/certificate_keeper.h"

#include "host/log.h"

namespace hygie::app {
namespace {

constexpr std::size_t kPemBytesMax = 1 << 20;

}  // namespace

Result<CertificateKeeper> CertificateKeeper::open(Context& context, std::string dir,
                                                  std::vector<std::string> names,
                                                  const std::string& cert, const std::string& key) {
    CertificateKeeper keeper(context, std::move(dir), std::move(names));
    keeper.is_own_ = cert.empty();
    if (keeper.is_own_)
        TRY_STATUS(keeper.renew_own());
    else
        keeper.files_ = {.authority = "", .cert = cert, .key = key};
    keeper.shown_ = TRY(keeper.content());
    keeper.looked_ = context.clock.steady();
    return keeper;
}

Status CertificateKeeper::renew_own() {
    TRY_STATUS(context_->disk.make_dirs(dir_));
    files_ = TRY(
        serve::ensure_certificate(context_->disk, context_->clock, context_->random, dir_, names_));
    return {};
}

Result<Bytes> CertificateKeeper::content() {
    Bytes both = TRY(context_->disk.read_file(files_.cert, kPemBytesMax));
    append(both, TRY(context_->disk.read_file(files_.key, kPemBytesMax)));
    return both;
}

void CertificateKeeper::look(serve::HttpServer& server) {
    const SteadyTime now = context_->clock.steady();
    if (now < looked_ + (is_own_ ? kRenewEvery : kLookEvery)) return;
    looked_ = now;
    if (is_own_)
        if (const Status renewed = renew_own(); !renewed)
            return log::warning("serve.certificate", renewed.error());
    Result<Bytes> found = content();
    if (!found || *found == shown_) return;  // a file that is away is on its way
    shown_ = std::move(*found);
    if (const Status used = server.use_certificate(files_.cert, files_.key); !used)
        log::warning("serve.certificate", used.error());
}

}  // namespace hygie::app
