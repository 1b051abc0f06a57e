#include "guards/mail/mailboxes/mailboxes.h"

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSecretBytesMax = 64U << 10;

std::unexpected<Error> wrong(std::string_view fr, std::string_view en) {
    return fail(
        Code::BadInput,
        {"la liste des boîtes : " + std::string(fr), "the list of mailboxes: " + std::string(en)},
        {"voyez FORMAT.md, « mailboxes », ou « hygie mail watch --help »",
         "see FORMAT.md, 'mailboxes', or 'hygie mail watch --help'"});
}

Result<Mailbox::Suspicious> suspicious_named(std::string_view word) {
    if (word == "tag") return Mailbox::Suspicious::Tag;
    if (word == "banner") return Mailbox::Suspicious::Banner;
    if (word == "hold") return Mailbox::Suspicious::Hold;
    return wrong("« suspicious » est tag, banner ou hold", "'suspicious' is tag, banner or hold");
}

Result<Mailbox> mailbox_of(const Json& item) {
    if (!item.is_object()) return wrong("une boîte est un objet", "a mailbox is an object");
    static const std::unordered_set<std::string> kNames{
        "name",    "server", "user",        "password_file", "token_file",
        "ca_file", "folder", "hold_folder", "suspicious",    "role"};
    for (const auto& [name, value] : item.items()) {
        if (!kNames.contains(name))
            return wrong("un nom inconnu : " + std::string(cut(name, 40)),
                         "an unknown name: " + std::string(cut(name, 40)));
        if (!value.is_string()) return wrong("chaque valeur est un texte", "each value is a text");
    }
    const auto text = [&](const char* name, const char* otherwise = "") {
        return item.value(name, std::string(otherwise));
    };
    const auto suspicious = TRY(suspicious_named(text("suspicious", "tag")));
    Mailbox box{.name = text("name"),
                .url = text("server"),
                .user = text("user"),
                .secret_file = text("password_file"),
                .is_token = item.contains("token_file"),
                .ca_file = text("ca_file"),
                .folder = text("folder", "INBOX"),
                .hold_folder = text("hold_folder", "Hygie"),
                .suspicious = suspicious};
    if (const std::string role = text("role"); !role.empty()) {
        if (role != "report") return wrong("« role » est report", "'role' is report");
        box.is_desk = true;
    }
    if (box.is_token == item.contains("password_file"))
        return wrong("chacune a password_file ou token_file",
                     "each has password_file or token_file");
    if (box.is_token) box.secret_file = text("token_file");
    if (!box.url.starts_with("imaps://") && !box.url.starts_with("imap://"))
        return wrong("« server » est imaps://hôte ou imap://hôte, avec TLS dans les deux cas",
                     "'server' is imaps://host or imap://host, with TLS in both cases");
    if (box.name.empty() || box.user.empty() || box.folder.empty() || box.hold_folder.empty() ||
        box.secret_file.empty() || box.folder == box.hold_folder)
        return wrong(
            "name, server, user et password_file sont nécessaires, et deux dossiers distincts",
            "name, server, user and password_file are needed, and two distinct folders");
    return box;
}

}  // namespace

Result<std::vector<Mailbox>> parse_mailboxes(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("mailboxes") || !json["mailboxes"].is_array())
        return wrong("ce n'est pas {\"mailboxes\": […]}", "it is not {\"mailboxes\": […]}");
    std::vector<Mailbox> all;
    std::unordered_set<std::string> names;
    for (const Json& item : json["mailboxes"]) {
        all.push_back(TRY(mailbox_of(item)));
        if (!names.insert(all.back().name).second)
            return wrong("deux boîtes ont le même nom", "two mailboxes have the same name");
    }
    if (all.empty() || all.size() > kMailboxesMax)
        return wrong("elle tient d'une à 500 boîtes", "it holds one to 500 mailboxes");
    return all;
}

Result<ImapSession> open_mailbox(Disk& disk, const Mailbox& mailbox) {
    const Bytes secret = TRY(disk.read_file(mailbox.secret_file, kSecretBytesMax));
    std::string_view line = as_text(secret);
    line = line.substr(0, line.find_first_of("\r\n"));
    ImapSession session(TRY(connect_imap({.url = mailbox.url,
                                          .user = mailbox.user,
                                          .secret = Sensitive(std::string(line)),
                                          .is_token = mailbox.is_token,
                                          .ca_file = mailbox.ca_file})));
    TRY_STATUS(session.start());
    return session;
}

}  // namespace hygie::mail
