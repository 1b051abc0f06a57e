#include "serve/pages.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/escape.h"
#include "crypto/sha256.h"

namespace hygie::serve {
namespace {

constexpr std::string_view kStyle =
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:8vh auto;padding:0 1rem;"
    "color:#1a2733;background:#f4f7f9}h1{font-size:1.4rem}label{display:block;margin-top:1rem}"
    "input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem;"
    "border:1px solid #5b6b78;border-radius:.3rem}button{margin-top:1.5rem;font:inherit;"
    "padding:.6rem 1.2rem;border:0;border-radius:.3rem;background:#0b5c7a;color:#fff}"
    "input[type=checkbox]{display:inline;width:auto}fieldset{border:1px solid #5b6b78;"
    "border-radius:.3rem;margin-top:1rem}button.quiet{background:#fff;color:#1a2733;"
    "border:1px solid #5b6b78}"
    "[lang=en]{color:#4a5a66;font-size:.9em}.notice{border-left:.3rem solid #b3261e;"
    "padding:.3rem .8rem;background:#fff}button [lang=en]{color:inherit}";
/// Asks the browser for a passkey, or for a new one, and sends the form with what it says. It reads
/// nothing but the form and is the same for everybody, so that the policy can name its hash.
constexpr std::string_view kScript = R"js("use strict";
const text = (raw) => btoa(String.fromCharCode(...new Uint8Array(raw)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const bytes = (text) => Uint8Array.from(
  atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const form = document.getElementById("passkey"), button = document.getElementById("ask");
const own = form.elements, data = form.dataset;
const send = (fields) => {
  for (const [name, value] of Object.entries(fields)) own[name].value = value;
  form.submit();
};
const prove = async () => {
  const made = await navigator.credentials.get({ publicKey: {
    challenge: bytes(own.challenge.value), rpId: data.party,
    userVerification: own.password.value ? "preferred" : "required" } });
  const said = made.response;
  send({ key_id: text(made.rawId), key_client: text(said.clientDataJSON),
    key_data: text(said.authenticatorData), key_signature: text(said.signature),
    key_handle: said.userHandle ? text(said.userHandle) : "" });
};
const enrol = async () => {
  const made = await navigator.credentials.create({ publicKey: {
    challenge: bytes(own.challenge.value), rp: { id: data.party, name: "Hygie" },
    user: { id: bytes(data.handle), name: own.login.value, displayName: data.name },
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
    excludeCredentials: data.known.split(" ").filter(Boolean)
      .map((id) => ({ type: "public-key", id: bytes(id) })),
    attestation: "none" } });
  const said = made.response;
  send({ key_client: text(said.clientDataJSON), key_data: text(said.getAuthenticatorData()),
    key: text(said.getPublicKey()), key_alg: said.getPublicKeyAlgorithm() });
};
if (window.PublicKeyCredential) {
  button.hidden = false;
  button.onclick = () => (data.handle ? enrol() : prove()).catch(() => button.focus());
})js";

/// As a content policy names an inline text.
std::string source_of(std::string_view text) {
    return "'sha256-" + to_base64(crypto::sha256(as_bytes(text))) + "'";
}

/// French punctuation stands behind a blank, « before one: no line may end there.
std::string unbroken(std::string_view french) {
    constexpr std::string_view kOpening = "«", kClosing = "»", kNoBreak = "\xC2\xA0";
    std::string out;
    for (std::size_t i = 0; i < french.size(); ++i) {
        const std::string_view behind = french.substr(i + 1);
        const bool is_bound =
            !behind.empty() && (behind.find_first_of(":;?!%") == 0 ||
                                behind.starts_with(kClosing) || out.ends_with(kOpening));
        if (french[i] == ' ' && is_bound)
            out += kNoBreak;
        else
            out += french[i];
    }
    return out;
}

std::string both(const Text& text) {
    return "<span lang=\"fr\">" + html_escaped(unbroken(text.fr)) + "</span> <span lang=\"en\">/ " +
           html_escaped(text.en) + "</span>";
}

std::string document(const Text& title, const std::string& body) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>{} / {} – Hygie</title>"
        "<style>{}</style></head>\n<body><main><h1>{}</h1>\n{}</main></body></html>\n",
        html_escaped(title.fr), html_escaped(title.en), kStyle, both(title), body);
}

std::string hidden(std::string_view name, std::string_view value = "") {
    return fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", name,
                       html_escaped(value));
}

std::string script() {
    return fmt::format("<script>{}</script>\n", kScript);
}

std::string input(const Text& label, std::string_view name, std::string_view attributes) {
    return fmt::format("<label for=\"{0}\">{1}</label><input id=\"{0}\" name=\"{0}\" {2}>\n", name,
                       both(label), attributes);
}

/// The part of an address that a content policy understands: scheme and host, or the scheme alone.
std::string origin_of(std::string_view redirect) {
    const std::size_t scheme = redirect.find("://");
    if (scheme == std::string_view::npos)
        return std::string(redirect.substr(0, redirect.find(':') + 1));
    return std::string(redirect.substr(0, redirect.find_first_of("/?", scheme + 3)));
}

void add_other_headers(Response& response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("X-Frame-Options", "DENY");
    // Not "no-referrer": browsers would then send "Origin: null" with our own forms (Fetch §3.1).
    response.headers.emplace_back("Referrer-Policy", "same-origin");
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Cache-Control", "no-store");
}

enum class Scripts : std::uint8_t { None, Passkey };

void add_policy(Response& response, std::string_view form_targets, Scripts scripts) {
    static const std::string kStyleSource = source_of(kStyle), kScriptSource = source_of(kScript);
    std::string targets(form_targets);
    // Nothing that could end the directive: a redirect of an account is well formed, but this is
    // the last wall.
    std::erase_if(targets, [](char c) { return c == ';' || c == ',' || c == '\r' || c == '\n'; });
    response.headers.emplace_back(
        "Content-Security-Policy",
        fmt::format("default-src 'none'; style-src {};{} form-action {}; frame-ancestors 'none'; "
                    "base-uri 'none'",
                    kStyleSource,
                    scripts == Scripts::Passkey ? " script-src " + kScriptSource + ";" : "",
                    targets));
}

Response html(int status, const std::string& text, std::string_view form_targets,
              Scripts scripts = Scripts::None) {
    Response response = text_response(status, text);
    response.content_type = "text/html; charset=utf-8";
    add_policy(response, form_targets, scripts);
    add_other_headers(response);
    return response;
}

}  // namespace

void add_safety_headers(Response& response, std::string_view form_targets) {
    add_policy(response, form_targets, Scripts::None);
    add_other_headers(response);
}

namespace {

std::string sign_in_fields() {
    return input({"Identifiant", "Login"}, "login",
                 R"(autocomplete="username webauthn" autocapitalize="none" required autofocus)") +
           input({"Mot de passe", "Password"}, "password",
                 R"(type="password" autocomplete="current-password" required)") +
           input({"Code de l'application ou de secours, si vous en avez un",
                  "Code of the application or recovery code, if you have one"},
                 "code", R"(autocomplete="one-time-code" inputmode="text")") +
           "<button>" + both({"Se connecter", "Sign in"}) + "</button>\n";
}

/// What the program asks for, each with its box: what is not ticked is not given.
std::string asked_fields(const std::vector<AskedScope>& asks) {
    if (asks.empty()) return "";
    std::string body =
        "<fieldset><legend>" +
        both({"En vous connectant, vous lui permettez", "By signing in you allow it"}) +
        "</legend>\n" + hidden(kChoice, "1");
    std::size_t number = 0;
    for (const AskedScope& ask : asks)
        body += fmt::format(
            "<label><input type=\"checkbox\" name=\"{}{}\" value=\"{}\"{}> {}</label>\n", kAllowed,
            number++, html_escaped(ask.scope), ask.allowed ? " checked" : "", both(ask.words));
    return body + "</fieldset>\n";
}

std::string refusal_button() {
    return fmt::format(
        "<button class=\"quiet\" name=\"{}\" value=\"1\" formnovalidate>{}</button>\n", kRefusal,
        both({"Refuser", "Refuse"}));
}

std::string elsewhere_button(const Text& name) {
    return "<button class=\"quiet\" formaction=\"/oauth/upstream\" formnovalidate>" + both(name) +
           "</button>\n";
}

std::string passkey_button(const PasskeyAsk& ask, const Text& label,
                           std::initializer_list<std::string_view> fields) {
    std::string body = hidden("challenge", ask.challenge);
    for (const std::string_view field : fields) body += hidden(field);
    return body + "<button id=\"ask\" type=\"button\" hidden>" + both(label) + "</button>\n";
}

}  // namespace

Response sign_in_page(const SignInPage& page) {
    const bool asks = !page.passkey.party.empty();
    std::string body;
    if (!page.notice.fr.empty())
        body += "<p class=\"notice\" role=\"alert\">" + both(page.notice) + "</p>\n";
    body += "<p>" + both(page.purpose) + "</p>\n";
    std::string kept;
    for (const auto& [name, value] : page.kept) kept += hidden(html_escaped(name), value);
    kept += hidden("csrf", page.csrf);
    body += fmt::format(
        "<form id=\"passkey\" method=\"post\" action=\"{}\" autocomplete=\"on\" "
        "data-party=\"{}\">\n",
        page.action, html_escaped(page.passkey.party));
    body += kept + asked_fields(page.asks) + sign_in_fields();
    if (!page.elsewhere.fr.empty()) body += elsewhere_button(page.elsewhere);
    if (asks)
        body += passkey_button(page.passkey, {"Avec une clé d'accès", "With a passkey"},
                               {"key_id", "key_client", "key_data", "key_signature", "key_handle"});
    if (!page.asks.empty()) body += refusal_button();
    body += "</form>\n";
    if (asks) body += script();
    std::string targets = "'self'";
    if (!page.redirect.empty()) targets += " " + origin_of(page.redirect);
    if (!page.elsewhere_address.empty()) targets += " " + origin_of(page.elsewhere_address);
    return html(page.status, document({"Connexion", "Sign in"}, body), targets,
                asks ? Scripts::Passkey : Scripts::None);
}

Response passkeys_page(const PasskeysPage& page) {
    const std::string kept = hidden("csrf", page.csrf) + hidden("login", page.login);
    std::string body, ids;
    for (const PasskeysPage::Known& known : page.known) {
        ids += (ids.empty() ? "" : " ") + known.id;
        body += "<form method=\"post\" action=\"/oauth/passkeys/remove\">" + kept +
                hidden("challenge", page.ticket) + hidden("id", known.id) + "<p>" +
                both({"Clé d'accès du " + known.since, "Passkey of " + known.since}) +
                "</p><button>" + both({"Retirer", "Remove"}) + "</button></form>\n";
    }
    body += fmt::format(
        "<form id=\"passkey\" method=\"post\" action=\"/oauth/passkeys/add\" data-party=\"{}\" "
        "data-handle=\"{}\" data-name=\"{}\" data-known=\"{}\">\n",
        html_escaped(page.party), page.handle, html_escaped(page.name), ids);
    body += kept +
            passkey_button({page.party, page.ticket},
                           {"Enregistrer une clé d'accès", "Register a passkey"},
                           {"key_client", "key_data", "key", "key_alg"}) +
            "</form>\n" + script();
    return html(200, document({"Vos clés d'accès", "Your passkeys"}, body), "'self'",
                Scripts::Passkey);
}

Response message_page(int status, const Text& title, const Text& message,
                      const std::vector<std::string>& lines) {
    std::string body = "<p>" + both(message) + "</p>\n";
    for (const std::string& line : lines)
        body += "<p><code>" + html_escaped(line) + "</code></p>\n";
    return html(status, document(title, body), "'none'");
}

Response html_page(int status, const Text& title, const std::string& body,
                   std::string_view form_targets) {
    return html(status, document(title, body), form_targets);
}

std::string html_of(const Text& text) {
    return both(text);
}

}  // namespace hygie::serve
