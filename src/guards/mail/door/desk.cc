#include "guards/mail/door/desk.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "event/uuid.h"
#include "guards/mail/judge/report.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/mime.h"
#include "host/log.h"

namespace hygie::mail {
namespace {

constexpr Micros kJudgeDeadline = std::chrono::seconds(30);
constexpr std::size_t kUuidText = 36;

std::string as_bytes_of(GMimeObject* object) {
    const GOwned<GMimeStream> out(g_mime_stream_mem_new());
    g_mime_object_write_to_stream(object, nullptr, out.get());
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
    return bytes ? std::string(reinterpret_cast<const char*>(bytes->data), bytes->len) : "";
}

void look_inside(GMimeObject*, GMimeObject* part, gpointer found) {
    auto& bytes = *static_cast<std::string*>(found);
    if (!bytes.empty()) return;
    if (GMIME_IS_MESSAGE_PART(part)) {
        if (GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)))
            bytes = as_bytes_of(GMIME_OBJECT(inner));
    } else if (GMIME_IS_PART(part) && lower(part_file_name(part)).ends_with(".eml")) {
        bytes = part_bytes(GMIME_PART(part), kMessageBytesMax);
    }
}

/// A plain letter of the desk, in both languages.
std::string letter_of(const std::string& from, const std::string& to, const Text& words,
                      WallTime now) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
    return fmt::format(
        "From: Hygie <{}>\r\nTo: <{}>\r\nSubject: =?utf-8?Q?Hygie_:_votre_message_/_your_message?="
        "\r\nDate: {:%a, %d %b %Y %H:%M:%S} +0000\r\nAuto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n{}\r\n\r\n{}\r\n",
        from, to, fmt::gmtime(seconds), words.fr, words.en);
}

/// Of words that were forwarded without their sender: to find nothing in them is no all-clear.
Text half_seen_words() {
    return {
        "Merci. La garde n'a vu que le texte de votre lettre, pas qui vous a écrit : n'y rien "
        "trouver ne dit pas que le message est sûr. Transférez-le en pièce jointe pour qu'elle "
        "le juge ; dans le doute, appelez l'expéditeur au numéro que vous connaissez.",
        "Thank you. The guard saw the text of your letter alone, not who wrote to you: that it "
        "finds nothing there does not make the message safe. Forward it as an attachment to "
        "have it judged; when in doubt, call the sender at the number you know."};
}

Text verdict_words(const Judgement& judgement, const std::string& id, bool is_whole) {
    Text out;
    switch (judgement.level) {
        case event::Level::Clean:
            if (!is_whole) {
                out = half_seen_words();
                break;
            }
            out = {
                "Merci. La garde ne voit rien de suspect dans ce message ; dans le doute, appelez "
                "l'expéditeur au numéro que vous connaissez.",
                "Thank you. The guard sees nothing suspicious in this message; when in doubt, "
                "call the sender at the number you know."};
            break;
        case event::Level::Suspicious:
        case event::Level::Malicious: {
            const bool is_bad = judgement.level == event::Level::Malicious;
            out = {is_bad ? "Merci. Ce message est une attaque." : "Merci. Ce message est suspect.",
                   is_bad ? "Thank you. This message is an attack."
                          : "Thank you. This message is suspicious."};
            if (!judgement.reasons.empty()) {
                out.fr += " " + judgement.reasons.front().text.fr;
                out.en += " " + judgement.reasons.front().text.en;
            }
            out.fr += " → " + judgement.advice.fr;
            out.en += " → " + judgement.advice.en;
        }
    }
    out.fr += " [" + id + "]";
    out.en += " [" + id + "]";
    return out;
}

}  // namespace

Reported reported_in(std::string_view letter) {
    const GOwned<GMimeMessage> parsed = mime_message(letter);
    std::string bytes;
    if (parsed) g_mime_message_foreach(parsed.get(), look_inside, &bytes);
    if (!bytes.empty()) return {.bytes = std::move(bytes), .is_whole = true};
    Incoming forwarded = incoming_of(letter);
    std::erase_if(forwarded.headers, [](const RawHeader& header) {
        return !equal_any_case(header.name, "subject") &&
               !equal_any_case(header.name, "mime-version") &&
               !starts_with_any_case(header.name, "content-");
    });
    return {.bytes = forwarded.bytes(), .is_whole = false};
}

std::string held_named(std::string_view subject) {
    for (std::size_t at = 0; at + kUuidText <= subject.size(); ++at)
        if (event::parse_uuid(std::string(subject.substr(at, kUuidText))))
            return std::string(subject.substr(at, kUuidText));
    return {};
}

Desk::Desk(DeskDoors doors, DeskPolicy policy)
    : doors_(std::move(doors)),
      policy_(std::move(policy)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Desk::~Desk() {
    thread_.request_stop();
}

std::optional<Decision> Desk::take(const Incoming& letter) {
    const auto is_here = [&](const std::string& address) {
        return equal_any_case(address, policy_.address);
    };
    const auto& to = letter.envelope.rcpt_to;
    if (to.empty() || !std::ranges::all_of(to, is_here) || !letter.from_inside ||
        letter.envelope.mail_from.empty())
        return {};
    const Status handled = handle(letter, letter.envelope.mail_from);
    if (handled) return Decision{.fate = Fate::Hold};
    log::error("mail.report-not-taken", handled.error());
    return Decision{.fate = Fate::Defer};
}

Status Desk::handle(const Incoming& letter, const std::string& person) {
    const Message outer = TRY(parse_message(letter.bytes()));
    const std::string id = held_named(outer.subject);
    return id.empty() ? take_report(letter, person) : take_request(id, person);
}

Status Desk::take_report(const Incoming& letter, const std::string& person) {
    const Reported reported = reported_in(letter.bytes());
    Incoming inner = incoming_of(reported.bytes);
    const Opened opened = TRY(doors_.judges.judge(reported.bytes, inner.envelope, kJudgeDeadline));
    const WallTime now = doors_.clock.now();
    const std::string id = event::print_uuid(event::make_uuid(now, doors_.random));
    inner.envelope.rcpt_to = {person};
    TRY_STATUS(doors_.quarantine.hold({.id = id,
                                       .at = now,
                                       .envelope = inner.envelope,
                                       .verdict = to_json(id, opened.judgement),
                                       .bytes = reported.bytes.size(),
                                       .from = opened.message.author().address,
                                       .subject = std::string(cut(opened.message.subject, 500)),
                                       .kept_as = "reported"},
                                      reported.bytes));
    event::Event event =
        event_of(now, doors_.random, event::Type::MailJudged, id, inner.envelope, opened.judgement);
    event.actor.id = ActorId(person);
    event.detail["why"] = "reported";
    TRY_STATUS(doors_.trace(event));
    if (reported.is_whole) doors_.learn(reported.bytes);
    answer(person, verdict_words(opened.judgement, id, reported.is_whole));
    return {};
}

/// A held message goes to the person who asks, when it was for them.
Status Desk::take_request(const std::string& id, const std::string& person) {
    const auto held = doors_.quarantine.find(id);
    const bool is_theirs =
        held && std::ranges::any_of(held->envelope.rcpt_to,
                                    [&](const auto& one) { return equal_any_case(one, person); });
    if (!is_theirs) {
        answer(person, {"Aucun message de ce nom n'est retenu pour vous.",
                        "No message of that name is held for you."});
        return {};
    }
    const auto verdict = nlohmann::json::parse(held->verdict, nullptr, false);
    const bool is_malicious = verdict.is_object() && verdict.value("verdict", "") == "malicious";
    if (held->kept_as == "reported" || (is_malicious && !policy_.may_release_malicious)) {
        answer(person,
               {"Ce message est une attaque : demandez à la personne qui veille sur la garde "
                "du courrier. [" +
                    id + "]",
                "This message is an attack: ask the person who looks after the mail guard. "
                "[" +
                    id + "]"});
        return {};
    }
    const std::string message = TRY(doors_.quarantine.message(id));
    const WallTime now = doors_.clock.now();
    TRY_STATUS(doors_.quarantine.note_release(
        {.id = id,
         .by = person,
         .at = now,
         .event_id = event::print_uuid(event::make_uuid(now, doors_.random)),
         // What the guard holds for an attack, its reader alone does not talk it out of.
         .teaches = !is_malicious}));
    Envelope envelope = held->envelope;
    envelope.rcpt_to = {person};
    post(std::move(envelope), message);
    return {};
}

void Desk::answer(const std::string& person, const Text& words) {
    post({.helo = {}, .client_ip = {}, .mail_from = {}, .null_sender = true, .rcpt_to = {person}},
         letter_of(policy_.address, person, words, doors_.clock.now()));
}

void Desk::post(Envelope envelope, std::string message) {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= kAnswersWaitingMax) {
        log::error("mail.answers-full");
        return;
    }
    waiting_.emplace_back(std::move(envelope), std::move(message));
    posted_.notify_one();
}

void Desk::work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (posted_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
        const auto [envelope, message] = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        if (const Status sent = doors_.post(envelope, message); !sent)
            log::error("mail.answer-not-sent", sent.error());
        lock.lock();
    }
}

}  // namespace hygie::mail
