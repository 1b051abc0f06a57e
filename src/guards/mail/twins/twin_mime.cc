#include "guards/mail/twins/twin_mime.h"

#include <array>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kBase64Line = 76;

std::string base64(std::string_view bytes, bool in_lines) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 3; ++i)
            three = three << 8 |
                    (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
        for (std::size_t i = 0; i < 4; ++i)
            out.push_back(at + i > bytes.size() ? '=' : kBase64[(three >> (18 - 6 * i)) & 63]);
        if (in_lines && (column += 4) >= kBase64Line) {
            out.push_back('\n');
            column = 0;
        }
    }
    return out;
}

bool is_ascii(std::string_view text) {
    for (const char sign : text)
        if (static_cast<unsigned char>(sign) >= 0x80) return false;
    return true;
}

std::string header_text(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    return "=?utf-8?B?" + base64(text, false) + "?=";
}

std::string mailbox(std::string_view name, std::string_view address) {
    if (name.empty()) return fmt::format("<{}>", address);
    return is_ascii(name) ? fmt::format("\"{}\" <{}>", name, address)
                          : fmt::format("{} <{}>", header_text(name), address);
}

/// The link of that number, counted from 0 in the body.
const std::string& link_of(const TwinScene& scene, std::size_t number) {
    if (number == 0 || scene.other_links.empty()) return scene.link;
    return scene.other_links[(number - 1) % scene.other_links.size()];
}

std::string as_plain(const TwinScene& scene, std::string_view body) {
    std::string out;
    std::size_t links = 0;
    for (const char sign : body) {
        if (sign == '\x01') continue;
        if (sign != '\x02') {
            out.push_back(sign);
        } else if (!scene.link.empty()) {
            out += " : " + link_of(scene, links++);
        }
    }
    return out;
}

/// How the HTML of a message is dressed; the same wardrobe for honest and hostile mail.
struct Dress {
    std::string_view begin;
    std::string_view end;
    std::string_view link_style;
};
constexpr std::array<Dress, 5> kDresses = {{
    {"<html><body>", "</body></html>", ""},
    {"<html><head><style>p{font-family:Arial}</style></head><body><div>", "</div></body></html>",
     ""},
    {"<html><body bgcolor=\"#f4f4f4\"><table width=\"600\" align=\"center\"><tr><td><img "
     "src=\"cid:logo\" "
     "alt=\"\"></td></tr><tr><td style=\"padding:20px;background:#fff\">",
     "</td></tr></table></body></html>",
     "display:inline-block;padding:12px 24px;background:#1a5fb4;color:#fff;text-decoration:none"},
    {"<!doctype html><html><body style=\"margin:0\"><center><table role=\"presentation\"><tr><td>",
     "</td></tr></table><img width=\"1\" height=\"1\" "
     "src=\"https://img.example/o.gif\"></center></body></html>",
     "padding:10px;border-radius:4px;background:#0a7d4f;color:#ffffff"},
    {"<div dir=\"ltr\">", "</div>", ""},
}};

std::string as_html(const TwinScene& scene, std::string_view body, Dice& dice) {
    const Dress& dress = dice.pick(kDresses);
    std::string out = std::string(dress.begin) + "<p>";
    std::size_t links = 0;
    for (const char sign : body) {
        switch (sign) {
            case '\x01':
                if (!scene.link.empty())
                    out += fmt::format("<a href=\"{}\" style=\"{}\">", link_of(scene, links++),
                                       dress.link_style);
                break;
            case '\x02':
                if (!scene.link.empty()) out += "</a>";
                break;
            case '\n':
                out += dice.chance(70) ? "</p>\n<p>" : "<br>\n";
                break;
            case '<':
                out += "&lt;";
                break;
            case '&':
                out += "&amp;";
                break;
            default:
                out.push_back(sign);
        }
    }
    return out + "</p>" + std::string(dress.end) + "\n";
}

std::string text_part(std::string_view type, std::string_view text) {
    const bool ascii = is_ascii(text);
    return fmt::format(
        "Content-Type: text/{}; charset=\"utf-8\"\nContent-Transfer-Encoding: {}\n\n{}\n", type,
        ascii ? "7bit" : "base64", ascii ? std::string(text) : base64(text, true));
}

std::string many(std::string_view kind, const std::vector<std::string>& parts, Dice& dice) {
    const std::string boundary = fmt::format("=_{:016x}", dice.next());
    std::string out =
        fmt::format("Content-Type: multipart/{}; boundary=\"{}\"\n\n", kind, boundary);
    for (const std::string& part : parts) out += fmt::format("--{}\n{}\n", boundary, part);
    return out + fmt::format("--{}--\n", boundary);
}

std::string content(const TwinScene& scene, std::string_view body,
                    const std::vector<TwinFile>& files, Dice& dice) {
    const std::string plain = text_part("plain", as_plain(scene, body));
    const std::string html = text_part("html", as_html(scene, body, dice));
    const std::size_t way = dice.below(100);
    std::string part = way < 30   ? plain
                       : way < 55 ? html
                                  : many("alternative", {plain, html}, dice);
    if (files.empty()) return part;
    std::vector<std::string> parts = {std::move(part)};
    for (const TwinFile& file : files)
        parts.push_back(
            fmt::format("Content-Type: {}; name=\"{}\"\nContent-Transfer-Encoding: base64\n"
                        "Content-Disposition: attachment; filename=\"{}\"\n\n{}\n",
                        file.type, file.name, file.name, base64(file.bytes, true)));
    return many("mixed", parts, dice);
}

std::string date_header(Dice& dice) {
    static constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return fmt::format("{} {} {} {:02}:{:02}:{:02} +0100", 1 + dice.below(28), dice.pick(kMonths),
                       2024 + dice.below(3), 7 + dice.below(13), dice.below(60), dice.below(60));
}

}  // namespace

std::string write_message(const TwinScene& scene, const TwinLetter& letter,
                          const std::vector<TwinFile>& files, Dice& dice) {
    const std::string date = date_header(dice);
    std::string out = fmt::format(
        "Return-Path: <{}>\nReceived: from {} ({} [{}])\n\tby mx1.example (Postfix) with "
        "ESMTPS\n\tfor "
        "<{}>; {}\nDate: {}\nFrom: {}\nTo: {}\nSubject: {}\nMessage-ID: <{:016x}@{}>\n",
        scene.mail_from, scene.helo, scene.helo, scene.client_ip, scene.recipient.email, date, date,
        mailbox(scene.from_name, scene.from_address),
        dice.chance(4)    ? "undisclosed-recipients:;"
        : dice.chance(50) ? mailbox(scene.recipient.name(), scene.recipient.email)
                          : mailbox("", scene.recipient.email),
        header_text(letter.subject), dice.next(), domain_of(scene.from_address));
    if (!scene.reply_to.empty()) out += fmt::format("Reply-To: <{}>\n", scene.reply_to);
    if (!scene.in_reply_to.empty())
        out += fmt::format("In-Reply-To: <{}>\nReferences: <{}>\n", scene.in_reply_to,
                           scene.in_reply_to);
    return out + "MIME-Version: 1.0\n" + content(scene, letter.body, files, dice);
}

std::string envelope_json(const TwinScene& scene) {
    const nlohmann::json all = {{"helo", scene.helo},
                                {"client_ip", scene.client_ip},
                                {"mail_from", scene.mail_from},
                                {"rcpt_to", scene.recipient.email},
                                {"spf", scene.spf},
                                {"dkim", scene.dkim},
                                {"dmarc", scene.dmarc}};
    return all.dump(1);
}

}  // namespace hygie::mail
