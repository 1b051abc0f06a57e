#include "guards/mail/door/milter.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>

#include <array>

#include "base/check.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "host/log.h"

namespace hygie::mail {
namespace {

/// libmilter's callbacks carry no context of the whole: there is one gate per process.
Gate* gate_of_process = nullptr;
std::atomic<std::size_t> bytes_in_flight = 0;

constexpr unsigned long kActions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY;

/// Bytes of one message, counted among all.
class Room {
  public:
    Room() = default;
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    ~Room() { give_back(); }

    bool take(std::size_t bytes) {
        if (bytes > kMessageBytesMax - taken_) return false;
        taken_ += bytes;
        return bytes_in_flight.fetch_add(bytes) + bytes <= kInFlightBytesMax;
    }
    void give_back() {
        bytes_in_flight -= taken_;
        taken_ = 0;
    }

  private:
    std::size_t taken_ = 0;
};

/// One connection of the mail server; a message at a time.
struct Talk {
    std::string client_ip;
    std::string helo;
    bool leading_blanks = false;  ///< header values come with the blank behind the colon
    Incoming message;
    Room room;

    void start_message() {
        message = {};
        message.envelope.client_ip = client_ip;
        message.envelope.helo = helo;
        room.give_back();
    }
};

Talk& talk_of(SMFICTX* context) {
    auto* talk = static_cast<Talk*>(smfi_getpriv(context));
    if (!talk) {
        talk = new Talk;
        smfi_setpriv(context, talk);
    }
    return *talk;
}

sfsistat later(SMFICTX* context) {
    std::array<char, 4> code{"451"};
    std::array<char, 6> extended{"4.7.1"};
    std::array<char, 64> text{"Message not judged yet, try again later"};
    smfi_setreply(context, code.data(), extended.data(), text.data());
    return SMFIS_TEMPFAIL;
}

sfsistat refuse(SMFICTX* context) {
    std::array<char, 4> code{"550"};
    std::array<char, 6> extended{"5.7.1"};
    std::array<char, 64> text{"Message refused: it looks like an attack"};
    smfi_setreply(context, code.data(), extended.data(), text.data());
    return SMFIS_REJECT;
}

sfsistat on_negotiate(SMFICTX* context, unsigned long offered, unsigned long protocol,
                      unsigned long, unsigned long, unsigned long* actions, unsigned long* wanted,
                      unsigned long* more, unsigned long* even_more) {
    if ((offered & kActions) != kActions) return SMFIS_REJECT;
    *actions = kActions;
    *wanted = protocol & SMFIP_HDR_LEADSPC;
    *more = 0;
    *even_more = 0;
    talk_of(context).leading_blanks = *wanted != 0;
    return SMFIS_CONTINUE;
}

std::string address_of(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* at = nullptr;
    if (address && address->sa_family == AF_INET)
        at = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        at = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return at && inet_ntop(address->sa_family, at, text.data(), text.size()) ? text.data() : "";
}

sfsistat on_connect(SMFICTX* context, char*, sockaddr* address) {
    talk_of(context).client_ip = address_of(address);
    return SMFIS_CONTINUE;
}

sfsistat on_helo(SMFICTX* context, char* name) {
    talk_of(context).helo = name ? clean_utf8(name) : "";
    return SMFIS_CONTINUE;
}

sfsistat on_from(SMFICTX* context, char** words) {
    Talk& talk = talk_of(context);
    talk.start_message();
    talk.message.envelope.mail_from = lower(bare_address(words[0]));
    talk.message.envelope.null_sender = talk.message.envelope.mail_from.empty();
    std::array<char, 16> signed_in{"{auth_authen}"};
    const char* person = smfi_getsymval(context, signed_in.data());
    talk.message.from_inside = person && *person;
    return SMFIS_CONTINUE;
}

sfsistat on_recipient(SMFICTX* context, char** words) {
    Talk& talk = talk_of(context);
    std::string address(bare_address(words[0]));
    if (!talk.room.take(address.size())) return later(context);
    talk.message.envelope.rcpt_to.push_back(std::move(address));
    return SMFIS_CONTINUE;
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
    Talk& talk = talk_of(context);
    RawHeader header{name, talk.leading_blanks ? value : " " + std::string(value)};
    if (!talk.room.take(header.name.size() + header.value.size())) return later(context);
    talk.message.headers.push_back(std::move(header));
    return SMFIS_CONTINUE;
}

sfsistat on_body(SMFICTX* context, unsigned char* bytes, std::size_t size) {
    Talk& talk = talk_of(context);
    if (!talk.room.take(size)) return later(context);
    talk.message.body.append(reinterpret_cast<const char*>(bytes), size);
    return SMFIS_CONTINUE;
}

/// Names and values as libmilter takes them: it does not promise not to write.
bool set_field(SMFICTX* context, const Talk& talk, std::string name, std::string value) {
    if (talk.leading_blanks) value.insert(value.begin(), ' ');
    return smfi_chgheader(context, name.data(), 1, value.data()) == MI_SUCCESS;
}

/// Marks that others wrote, from the last to the first so that none changes its place.
bool remove_foreign_marks(SMFICTX* context, const std::vector<RawHeader>& headers) {
    std::string name(kMarkField);
    int count = 0;
    for (const RawHeader& header : headers)
        if (equal_any_case(header.name, kMarkField)) ++count;
    for (; count > 0; --count)
        if (smfi_chgheader(context, name.data(), count, nullptr) != MI_SUCCESS) return false;
    return true;
}

bool apply(SMFICTX* context, const Talk& talk, const std::vector<RawHeader>& headers,
           const Decision& decision) {
    if (!remove_foreign_marks(context, headers)) return false;
    std::string name(kMarkField);
    std::string mark = (talk.leading_blanks ? " " : "") + decision.mark;
    if (smfi_insheader(context, 0, name.data(), mark.data()) != MI_SUCCESS) return false;
    for (const auto& [field, value] : decision.headers)
        if (!set_field(context, talk, field, value)) return false;
    if (!decision.body) return true;
    std::string body = *decision.body;
    return smfi_replacebody(context, reinterpret_cast<unsigned char*>(body.data()),
                            static_cast<int>(body.size())) == MI_SUCCESS;
}

sfsistat on_end(SMFICTX* context) {
    Talk& talk = talk_of(context);
    std::vector<RawHeader> headers = talk.message.headers;
    const Decision decision = gate_of_process->pass(std::move(talk.message));
    talk.start_message();
    switch (decision.fate) {
        case Fate::Hold:
            return SMFIS_DISCARD;
        case Fate::Deliver:
            if (apply(context, talk, headers, decision)) return SMFIS_CONTINUE;
            log::error("mail.not-marked");
            return later(context);
        case Fate::Reject:
            return refuse(context);
        case Fate::Defer:
            return later(context);
    }
    return later(context);
}

sfsistat on_abort(SMFICTX* context) {
    talk_of(context).start_message();
    return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
    delete static_cast<Talk*>(smfi_getpriv(context));
    smfi_setpriv(context, nullptr);
    return SMFIS_CONTINUE;
}

smfiDesc description() {
    static std::array<char, 6> name{"hygie"};
    smfiDesc out{};
    out.xxfi_name = name.data();
    out.xxfi_version = SMFI_VERSION;
    out.xxfi_flags = kActions;
    out.xxfi_connect = on_connect;
    out.xxfi_helo = on_helo;
    out.xxfi_envfrom = on_from;
    out.xxfi_envrcpt = on_recipient;
    out.xxfi_header = on_header;
    out.xxfi_body = on_body;
    out.xxfi_eom = on_end;
    out.xxfi_abort = on_abort;
    out.xxfi_close = on_close;
    out.xxfi_negotiate = on_negotiate;
    return out;
}

}  // namespace

Result<std::unique_ptr<Milter>> Milter::start(Gate& gate, const std::string& socket) {
    HYGIE_CHECK(!gate_of_process, "one milter per process");
    std::string spelled = socket;
    if ((!socket.starts_with("inet:") && !socket.starts_with("unix:")) ||
        smfi_register(description()) != MI_SUCCESS || smfi_setconn(spelled.data()) != MI_SUCCESS)
        return fail(Code::BadInput,
                    {"cette adresse n'est pas une prise", "this address is no socket"},
                    {"écrivez inet:8891@127.0.0.1 ou unix:/run/hygie/mail.sock",
                     "write inet:8891@127.0.0.1 or unix:/run/hygie/mail.sock"});
    smfi_settimeout(static_cast<int>(kMilterSilenceMax.count()));
    if (smfi_opensocket(true) != MI_SUCCESS)
        return fail(
            Code::Unavailable,
            {"la garde du courrier ne peut pas écouter là", "the mail guard cannot listen there"},
            {"l'adresse est prise, ou le dossier de la prise ne se laisse pas écrire",
             "the address is taken, or the socket's folder cannot be written"});
    gate_of_process = &gate;
    std::unique_ptr<Milter> milter(new Milter);
    milter->thread_ = std::jthread([raw = milter.get()] {
        if (smfi_main() != MI_SUCCESS) log::error("mail.milter-failed");
        raw->ended_ = true;
    });
    return milter;
}

Milter::~Milter() {
    smfi_stop();
    if (thread_.joinable()) thread_.join();
    gate_of_process = nullptr;
}

}  // namespace hygie::mail
