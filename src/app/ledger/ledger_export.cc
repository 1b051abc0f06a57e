#include "app/ledger/ledger_export.h"

#include "app/line/peer_address.h"
#include "event/atna.h"
#include "event/balp.h"
#include "event/cef.h"
#include "event/ndjson.h"
#include "link/syslog_sender.h"

namespace hygie::app {
namespace {

constexpr std::size_t kBufferBytes = 256 << 10;
/// Syslog priority of a line that is not an audit message itself: facility 10, notice.
constexpr char kSyslogHead[] = "<85>1 - - hygie - - - ";

std::string in_words(const std::string& format, const event::Event& event,
                     const event::Place& place) {
    if (format == "balp") return event::to_audit_event(event, place);
    if (format == "atna") return event::to_syslog(event, place);
    if (format == "cef") return event::to_cef(event, place);
    std::string line;
    event::print_line(event, line);
    return line;
}

class FileExporter final : public Exporter {
  public:
    FileExporter(Context& context, std::unique_ptr<File> file)
        : context_(context), format_(context.values.text("--format")), file_(std::move(file)) {}

    Status write(const event::Event& event, const event::Place& place) override {
        buffer_ += in_words(format_, event, place);
        buffer_ += '\n';
        return buffer_.size() < kBufferBytes ? Status{} : flush();
    }

    Status close() override {
        TRY_STATUS(flush());
        return file_ ? file_->sync() : Status{};
    }

  private:
    Status flush() {
        if (file_) {
            TRY_STATUS(file_->write_at(written_, as_bytes(buffer_)));
            written_ += buffer_.size();
        } else {
            context_.out << buffer_ << std::flush;
        }
        buffer_.clear();
        return {};
    }

    Context& context_;
    std::string format_;
    std::unique_ptr<File> file_;
    std::string buffer_;
    std::uint64_t written_ = 0;
};

class SyslogExporter final : public Exporter {
  public:
    SyslogExporter(Context& context, link::TlsEndpoint collector)
        : format_(context.values.text("--format")),
          sender_({context.disk, context.clock, context.random}, std::move(collector)) {}

    Status write(const event::Event& event, const event::Place& place) override {
        const std::string message = in_words(format_, event, place);
        framed_ += event::octet_counted(format_ == "atna" ? message : kSyslogHead + message);
        return framed_.size() < kBufferBytes ? Status{} : flush();
    }

    Status close() override {
        TRY_STATUS(flush());
        return sender_.close();
    }

  private:
    Status flush() {
        if (framed_.empty()) return {};
        TRY_STATUS(sender_.send(as_bytes(framed_)));
        framed_.clear();
        return {};
    }

    std::string format_;
    link::SyslogSender sender_;
    std::string framed_;
};

Result<link::TlsEndpoint> collector_of(Context& context) {
    PeerAddress to = TRY(parse_peer_address(context.values.text("--to")));
    const link::TlsIdentity identity =
        TRY(read_tls_identity(context, {.ca = "--ca", .cert = "--cert", .key = "--key"}));
    link::TlsContext tls = TRY(link::TlsContext::client(identity, link::TlsVersions::From12));
    return link::TlsEndpoint{to.host, to.port, to.host, std::move(tls)};
}

}  // namespace

std::vector<Parameter> Exporter::options() {
    return {
        {.name = "--format",
         .placeholder = "FORMAT",
         .help =
             {"balp : AuditEvent FHIR ; atna : message d'audit DICOM dans syslog ; cef ; ndjson",
              "balp: FHIR AuditEvent; atna: DICOM audit message in syslog; cef; ndjson"},
         .choices = {"balp", "atna", "cef", "ndjson"},
         .by_default = "ndjson"},
        {.name = "-o,--output",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"un fichier qui n'existe pas encore ; sinon la sortie",
                  "a file that is not there yet; the output otherwise"}},
        {.name = "--to",
         .placeholder = "HOST:PORT",
         .help = {"un collecteur syslog sous TLS (RFC 5425)",
                  "a syslog collector over TLS (RFC 5425)"}},
        {.name = "--ca",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"les autorités qui signent le collecteur (PEM)",
                  "the authorities that sign the collector (PEM)"}},
        {.name = "--cert",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"notre certificat, s'il en demande un (PEM)",
                  "our certificate, if it asks for one (PEM)"}},
        {.name = "--key",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"la clé de ce certificat (PEM)", "the key of that certificate (PEM)"}}};
}

Result<std::unique_ptr<Exporter>> Exporter::open(Context& context) {
    if (context.values.has("--to"))
        return std::make_unique<SyslogExporter>(context, TRY(collector_of(context)));
    std::unique_ptr<File> file;
    if (context.values.has("--output"))
        file = TRY(context.disk.open(context.values.text("--output"), Open::Create));
    return std::make_unique<FileExporter>(context, std::move(file));
}

}  // namespace hygie::app
