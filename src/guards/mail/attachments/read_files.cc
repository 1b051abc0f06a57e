#include "guards/mail/attachments/read_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "guards/mail/attachments/recognise.h"
#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "host/sandbox.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

/// A letter longer than this has no need of a QR code to say what it wants.
constexpr std::size_t kPosterBytes = 2'500;
constexpr std::size_t kPasswordsMax = 12;
/// For one answer of the recogniser, starting it apart: most is spent by its own budget.
constexpr std::chrono::milliseconds kRecognitionDeadline{800};

/// Words after which a message gives the password of its archive.
constexpr auto kPasswordWords = std::to_array<std::string_view>(
    {"password", "passwort", "mot de passe", "mdp", "passcode", "contrasena", "senha", "wachtwoord",
     "kennwort", "code", "pass", "pwd"});

/// "Sesame42", "clef-7", "MDP": no word of a sentence.
bool looks_like_password(std::string_view word) {
    return std::ranges::any_of(word.substr(1), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x80 && !std::islower(byte);
    });
}

/// What an archive may be opened with, and whether it is said to be: "the password is on the board"
/// gives "on" to try, and no password.
struct Passwords {
    std::vector<std::string> tried;
    std::string given;
};

/// "… de l'archive : Sesame42", "… for the attached file: Sesame42": what it opens stands between.
std::size_t to_colon(std::string_view rest) {
    constexpr std::size_t kFar = 40;
    static constexpr auto kOpened = std::to_array<std::string_view>(
        {"archive", "fichier", "dossier", "document", "zip", "file", "folder", "attach", "jointe",
         "datei", "archiv", "anhang", "archivo", "ficheiro", "bestand", "bijlage"});
    const std::size_t colon = rest.substr(0, kFar).find(':');
    if (colon == std::string_view::npos) return 0;
    const std::string between = lower(rest.substr(0, colon));
    const bool one_breath = between.find_first_of("\n.,;!?0123456789") == std::string::npos;
    const bool opens = std::ranges::any_of(
        kOpened, [&](std::string_view word) { return contains(between, word); });
    return one_breath && opens ? colon : 0;
}

/// An archive is to be fetched from where a link leads.
bool leads_to_archive(const Message& message) {
    static constexpr auto kArchives = std::to_array<std::string_view>({".zip", ".7z", ".rar"});
    return std::ranges::any_of(message.links, [](const RawLink& link) {
        const std::string words = lower(link.target) + " " + lower(link.shown);
        return std::ranges::any_of(
            kArchives, [&](std::string_view ending) { return contains(words, ending); });
    });
}

/// The words that follow one of the above.
Passwords passwords_in(std::string_view text) {
    Passwords out;
    const std::string low = lower(text);
    for (const std::string_view word : kPasswordWords)
        for (std::size_t at = low.find(word);
             at != std::string::npos && out.tried.size() < kPasswordsMax;
             at = low.find(word, at + 1)) {
            std::string_view rest = text.substr(at + word.size(), 60);
            for (const std::string_view skip : {" is", " est", " ist", " zip", " archive"})
                if (starts_with_any_case(rest, skip)) rest.remove_prefix(skip.size());
            rest.remove_prefix(to_colon(rest));
            const std::size_t begin = rest.find_first_not_of(" \t:=-\"'\n\xC2\xA0");
            if (begin == std::string_view::npos || begin > 6) continue;
            const bool announced = rest.find_first_of(":='\"") < begin;
            rest.remove_prefix(begin);
            const std::string_view token = rest.substr(0, rest.find_first_of(" \t\r\n\"',;<>"));
            if (token.size() < 3 || token.size() > 40) continue;
            const bool ends = token.ends_with('.') || token.size() == rest.size() ||
                              contains("\r\n", rest.substr(token.size(), 1));
            std::string candidate(token);
            while (candidate.ends_with('.')) candidate.pop_back();
            if (out.given.empty() && (announced || ends || looks_like_password(candidate)))
                out.given = candidate;
            if (std::ranges::find(out.tried, candidate) == out.tried.end())
                out.tried.push_back(candidate);
        }
    return out;
}

bool is_plain_text(const Attachment& file) {
    const std::string extension = extension_of(file.name);
    return (file.type.starts_with("text/") && file.type != "text/html") &&
           !is_script_extension(extension) && !is_shortcut_extension(extension) &&
           !is_profile_extension(extension) && extension != "htm" && extension != "html" &&
           extension != "csv" && extension != "xml" && extension != "mht" && extension != "svg" &&
           sniff(file.bytes) == "text";
}

bool is_picture(const Attachment& file) {
    return is_picture_type(sniff(file.bytes));
}

bool is_known_harmless(const Attachment& file) {
    return extension_of(file.name) == "ics" || file.type == "text/calendar" ||
           file.type == "text/x-patch" || file.type == "text/x-diff" ||
           file.type == "message/delivery-status";
}

/// Pictures of a short message, or of one that speaks of a code, are read for QR codes.
bool may_hold_qr(const Message& message) {
    if (message.text.size() <= kPosterBytes) return true;
    const std::string low = lower(cut(message.text, kTextBytesMax)) + lower(message.subject);
    return contains(low, "qr") || contains(low, "scan");
}

/// Pictures written into the page itself: <img src="data:image/png;base64,…">.
void add_inline_pictures(const Message& message, Json& files) {
    static constexpr std::string_view kStart = "data:image/";
    std::size_t count = 0;
    for (std::size_t at = message.html.find(kStart);
         at != std::string::npos && count < kImagesReadMax;
         at = message.html.find(kStart, at + 1)) {
        const std::size_t comma = message.html.find(',', at);
        if (comma == std::string::npos || comma - at > 60) continue;
        const std::size_t end =
            std::min(message.html.find_first_of("\"')> ", comma), message.html.size());
        std::string text = message.html.substr(comma + 1, end - comma - 1);
        while (text.size() % 4 != 0) text.push_back('=');
        const Result<Bytes> bytes = from_base64(text);
        if (!bytes) continue;
        files.push_back({{"name", "image"}, {"bytes", Json::binary(*bytes)}});
        ++count;
    }
}

/// Discarded for bytes that are none. An array of a size that cannot be throws all the same.
Json read_cbor(ByteView bytes) {
    try {
        return Json::from_cbor(bytes, true, false);
    } catch (const Json::exception&) {
        return Json(Json::value_t::discarded);
    }
}

std::string text_of(const Json& object, const char* name) {
    const auto it = object.find(name);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& list_of(const Json& object, const char* name) {
    static const Json kNone = Json::array();
    const auto it = object.find(name);
    return it != object.end() && it->is_array() ? *it : kNone;
}

Json spell_file(const FileFacts& file) {
    Json findings = Json::array();
    for (const FileFacts::Finding& one : file.findings)
        findings.push_back({{"c", static_cast<int>(one.capability)}, {"d", one.detail}});
    return {{"path", file.path}, {"type", file.type}, {"findings", findings}};
}

FileFacts read_file(const Json& item) {
    FileFacts file{.path = text_of(item, "path"), .type = text_of(item, "type"), .findings = {}};
    for (const Json& one : list_of(item, "findings")) {
        const auto code = one.find("c");
        if (code == one.end() || !code->is_number_integer()) continue;
        const auto number = code->get<int>();
        if (number >= 0 && number <= static_cast<int>(Capability::KnownBad))
            file.findings.push_back({static_cast<Capability>(number), text_of(one, "d")});
    }
    return file;
}

/// What names and first bytes tell when the child could not read.
AttachmentFacts read_names_only(const Message& message) {
    FileScan scan({}, false);
    for (const Attachment& file : message.attachments)
        scan.scan(file.name, sniff(file.bytes) == "pe" ? "MZ" : "", 0);
    AttachmentFacts facts = scan.finish();
    facts.crashed = true;
    return facts;
}

/// A page that says and shows something, for the libraries to load what they need.
constexpr std::string_view kFirstPage =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R"
    "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 34>>stream\nBT /F1 12 Tf 9 9 Td (hello) Tj ET \nendstream endobj\n"
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

/// What is loaded lazily must be there before the child is locked in: tables of the libraries,
/// character sets, fonts.
bool warm_up() {
    built_in_pack();
    Message message;
    message.attachments.push_back({.name = "a.pdf",
                                   .type = "application/pdf",
                                   .bytes = std::string(kFirstPage),
                                   .is_inline = false,
                                   .is_truncated = false,
                                   .content_id = {}});
    return !answer_question(question_of(message, {}, true)).empty();
}

Sandbox& reader() {
    static const bool warm = warm_up();
    HYGIE_CHECK(warm, "the attachment reader reads its own page");
    thread_local Sandbox box(answer_question,
                             {.memory_bytes_max = kScanMemoryBytesMax, .deadline = kScanDeadline});
    return box;
}

Sandbox& recogniser() {
    thread_local Sandbox box(
        [](ByteView question) { return answer_recognition(question); },
        {.memory_bytes_max = kScanMemoryBytesMax, .deadline = kRecognitionDeadline});
    return box;
}

/// A picture is read for its letters while the reader looks at it; a document only where the reader
/// found no letters in it.
bool has_document(const Message& message) {
    return std::ranges::any_of(message.attachments,
                               [](const Attachment& file) { return sniff(file.bytes) == "pdf"; });
}

bool ask_recogniser(const Message& message, const AttachmentFacts& facts) {
    const Bytes question = recognition_question(message, facts);
    return !question.empty() && load_recogniser() && recogniser().put(question).has_value();
}

/// What pictures say, beside what the files said in letters. A picture too hard to read says
/// nothing, and spoils nothing.
void add_recognised(AttachmentFacts& facts) {
    const Result<Bytes> answer = recogniser().answer();
    if (!answer) return;
    const AttachmentFacts more = facts_of_answer(*answer);
    facts.text += more.text;
    for (std::size_t i = 0; i < more.links.size(); ++i) {
        facts.links.push_back(more.links[i]);
        facts.link_where.push_back(more.link_where[i]);
    }
    facts.files.insert(facts.files.end(), more.files.begin(), more.files.end());
}

}  // namespace

Bytes question_of(const Message& message, const std::vector<std::string>& passwords,
                  bool look_for_qr) {
    Json files = Json::array();
    for (const Attachment& file : message.attachments) {
        if (is_plain_text(file) || is_known_harmless(file)) continue;
        if (is_picture(file) && !look_for_qr && !is_script_extension(extension_of(file.name)))
            continue;
        files.push_back({{"name", file.name.empty() ? "file" : clean_utf8(file.name)},
                         {"bytes", Json::binary(to_bytes(as_bytes(file.bytes)))}});
    }
    if (look_for_qr) add_inline_pictures(message, files);
    if (files.empty()) return {};
    Json words = Json::array();
    for (const std::string& one : passwords) words.push_back(clean_utf8(one));
    return Json::to_cbor({{"files", files}, {"passwords", words}, {"qr", look_for_qr}});
}

Bytes answer_question(ByteView question) {
    const Json json = read_cbor(question);
    if (!json.is_object()) return {};
    std::vector<std::string> passwords;
    for (const Json& one : list_of(json, "passwords"))
        if (one.is_string()) passwords.push_back(one.get<std::string>());
    const auto wants = json.find("qr");
    FileScan scan(std::move(passwords), wants != json.end() && wants->is_boolean() && *wants);
    for (const NamedBytes& file : files_of_question(question)) scan.scan(file.name, file.bytes, 0);
    return spell_facts(scan.finish());
}

std::vector<NamedBytes> files_of_question(ByteView question) {
    std::vector<NamedBytes> out;
    const Json json = read_cbor(question);
    if (!json.is_object()) return out;
    for (const Json& file : list_of(json, "files")) {
        const auto bytes = file.find("bytes");
        if (bytes == file.end() || !bytes->is_binary()) continue;
        out.push_back({text_of(file, "name"), std::string(as_text(bytes->get_binary()))});
    }
    return out;
}

Bytes spell_facts(const AttachmentFacts& facts) {
    Json out = {{"files", Json::array()},
                {"qr", Json::array()},
                {"links", Json::array()},
                {"text", facts.text},
                {"incomplete", facts.incomplete}};
    for (const FileFacts& file : facts.files) out["files"].push_back(spell_file(file));
    for (const QrCode& code : facts.qr)
        out["qr"].push_back({{"payload", code.payload}, {"where", code.where}});
    for (std::size_t i = 0; i < facts.links.size(); ++i)
        out["links"].push_back({{"kind", static_cast<int>(facts.links[i].kind)},
                                {"target", facts.links[i].target},
                                {"shown", facts.links[i].shown},
                                {"where", facts.link_where[i]}});
    return Json::to_cbor(out);
}

AttachmentFacts facts_of_answer(ByteView answer) {
    AttachmentFacts out;
    const Json json = read_cbor(answer);
    if (!json.is_object()) {
        out.crashed = true;
        return out;
    }
    for (const Json& item : list_of(json, "files")) out.files.push_back(read_file(item));
    for (const Json& item : list_of(json, "qr"))
        out.qr.push_back({text_of(item, "payload"), text_of(item, "where")});
    for (const Json& item : list_of(json, "links")) {
        const auto kind = item.find("kind");
        const bool known = kind != item.end() && kind->is_number_integer();
        const int number = known ? kind->get<int>() : 0;
        out.links.push_back({number >= 0 && number <= static_cast<int>(LinkKind::Text)
                                 ? static_cast<LinkKind>(number)
                                 : LinkKind::Anchor,
                             text_of(item, "target"), text_of(item, "shown")});
        out.link_where.push_back(text_of(item, "where"));
    }
    out.text = text_of(json, "text");
    const auto incomplete = json.find("incomplete");
    out.incomplete = incomplete != json.end() && incomplete->is_boolean() && *incomplete;
    return out;
}

AttachmentFacts read_files(const Message& message) {
    const bool pictures = contains(message.html, "data:image/");
    const bool fetched = leads_to_archive(message);
    if (message.attachments.empty() && !pictures && !fetched) return {};
    const bool archives =
        fetched || std::ranges::any_of(message.attachments, [](const Attachment& file) {
            const std::string_view type = sniff(file.bytes);
            return type == "zip" || type == "7z" || type == "rar";
        });
    const Passwords passwords =
        archives ? passwords_in(cut(message.text, kPosterBytes * 4)) : Passwords{};
    const Bytes question = question_of(message, passwords.tried, may_hold_qr(message));
    if (question.empty()) {
        AttachmentFacts nothing;
        nothing.password_in_text = passwords.given;
        return nothing;
    }
    const bool waits = has_document(message);
    bool asked = !waits && ask_recogniser(message, {});
    const Result<Bytes> answer = reader().ask(question);
    AttachmentFacts facts = answer ? facts_of_answer(*answer) : read_names_only(message);
    facts.password_in_text = passwords.given;
    if (waits) asked = ask_recogniser(message, facts);
    if (asked) add_recognised(facts);
    return facts;
}

}  // namespace hygie::mail
