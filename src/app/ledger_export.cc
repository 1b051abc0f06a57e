#include "app/ledger_export.h"

#include "event/atna.h"
#include "event/balp.h"
#include "event/cef.h"
#include "event/ndjson.h"
#include "link/syslog_sender.h"

namespace hygie::app {
namespace {

constexpr std::size_t kPemBytesMax = 1 << 20;
constexpr std::size_t kBufferBytes = 256 << 10;
/// Syslog priority of a line that is not an audit message itself: facility 10, notice.
constexpr char kSyslogHead[] = "<85>1 - - hygie - - - ";

std::string in_words(const std::string& format, const event::Event& event, const event::Place& place) {
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

Result<std::string> pem(Context& context, std::string_view option) {
    if (!context.values.has(option)) return std::string();
    const Bytes bytes = TRY(context.disk.read_file(context.values.text(option), kPemBytesMax));
    return std::string(as_text(bytes));
}

/// "host:port" or "[v6]:port".
Result<link::TlsEndpoint> collector_of(Context& context) {
    const std::string& to = context.values.text("--to");
    const std::size_t colon = to.rfind(':');
    const auto port = colon == std::string::npos ? Result<std::uint64_t>(0) : parse_number(to.substr(colon + 1));
    if (!port || *port == 0 || *port > UINT16_MAX || colon == 0)
        return fail(Code::BadInput, {"adresse de collecteur invalide", "invalid address of a collector"},
                    {"écrivez hôte:port, par exemple 192.0.2.7:6514", "write host:port, for instance 192.0.2.7:6514"});
    std::string host = to.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const link::TlsIdentity identity{TRY(pem(context, "--ca")), TRY(pem(context, "--cert")),
                                     Sensitive(TRY(pem(context, "--key")))};
    return link::TlsEndpoint{host, static_cast<std::uint16_t>(*port), host,
                             TRY(link::TlsContext::client(identity, link::TlsVersions::From12))};
}

}  // namespace

std::vector<Parameter> Exporter::options() {
    return {{.name = "--format",
             .placeholder = "FORMAT",
             .help = {"balp : AuditEvent FHIR ; atna : message d'audit DICOM dans syslog ; cef ; ndjson",
                      "balp: FHIR AuditEvent; atna: DICOM audit message in syslog; cef; ndjson"},
             .choices = {"balp", "atna", "cef", "ndjson"},
             .by_default = "ndjson"},
            {.name = "-o,--output",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"un fichier qui n'existe pas encore ; sinon la sortie", "a file that is not there yet; the output otherwise"}},
            {.name = "--to",
             .placeholder = "HOST:PORT",
             .help = {"un collecteur syslog sous TLS (RFC 5425)", "a syslog collector over TLS (RFC 5425)"}},
            {.name = "--ca",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"les autorités qui signent le collecteur (PEM)", "the authorities that sign the collector (PEM)"}},
            {.name = "--cert",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"notre certificat, s'il en demande un (PEM)", "our certificate, if it asks for one (PEM)"}},
            {.name = "--key",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"la clé de ce certificat (PEM)", "the key of that certificate (PEM)"}}};
}

Result<std::unique_ptr<Exporter>> Exporter::open(Context& context) {
    if (context.values.has("--to")) {
        if (!context.values.has("--ca"))
            return fail(Code::BadInput, {"il manque --ca", "--ca is missing"},
                        {"donnez l'autorité du collecteur : rien ne part sans qu'il soit vérifié",
                         "give the collector's authority: nothing leaves before it is verified"});
        return std::make_unique<SyslogExporter>(context, TRY(collector_of(context)));
    }
    std::unique_ptr<File> file;
    if (context.values.has("--output")) file = TRY(context.disk.open(context.values.text("--output"), Open::Create));
    return std::make_unique<FileExporter>(context, std::move(file));
}

}  // namespace hygie::app
