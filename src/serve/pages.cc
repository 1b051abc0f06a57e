#include "serve/pages.h"

#include <fmt/format.h>

#include <algorithm>

namespace hygie::serve {
namespace {

constexpr std::string_view kStyle =
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:8vh auto;padding:0 1rem;"
    "color:#1a2733;background:#f4f7f9}h1{font-size:1.4rem}label{display:block;margin-top:1rem}"
    "input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem;"
    "border:1px solid #5b6b78;border-radius:.3rem}button{margin-top:1.5rem;font:inherit;"
    "padding:.6rem 1.2rem;border:0;border-radius:.3rem;background:#0b5c7a;color:#fff}"
    "[lang=en]{color:#4a5a66;font-size:.9em}.notice{border-left:.3rem solid #b3261e;"
    "padding:.3rem .8rem;background:#fff}button [lang=en]{color:inherit}";
/// SHA-256 of kStyle; pages_test.cc computes it again.
constexpr std::string_view kStyleHash = "Zhg5ckT5XCEg6+9SXDSf1EAAu3JEy39WzDB/f8bvt5s=";

std::string both(const Text& text) {
    return "<span lang=\"fr\">" + html_escaped(text.fr) + "</span> <span lang=\"en\">/ " +
           html_escaped(text.en) + "</span>";
}

std::string document(const Text& title, const std::string& body) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>{} / {} – Hygie</title>"
        "<style>{}</style></head>\n<body><main><h1>{}</h1>\n{}</main></body></html>\n",
        html_escaped(title.fr), html_escaped(title.en), kStyle, both(title), body);
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

Response html(int status, const std::string& text, std::string_view form_targets) {
    Response response = text_response(status, text);
    response.content_type = "text/html; charset=utf-8";
    add_safety_headers(response, form_targets);
    return response;
}

}  // namespace

void add_safety_headers(Response& response, std::string_view form_targets) {
    std::string targets(form_targets);
    // Nothing that could end the directive: a redirect of an account is well formed, but this is
    // the last wall.
    std::erase_if(targets, [](char c) { return c == ';' || c == ',' || c == '\r' || c == '\n'; });
    response.headers.emplace_back(
        "Content-Security-Policy",
        fmt::format("default-src 'none'; style-src 'sha256-{}'; form-action {}; "
                    "frame-ancestors 'none'; base-uri 'none'",
                    kStyleHash, targets));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("X-Frame-Options", "DENY");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Cache-Control", "no-store");
}

Response sign_in_page(const SignInPage& page) {
    std::string body;
    if (!page.notice.fr.empty())
        body += "<p class=\"notice\" role=\"alert\">" + both(page.notice) + "</p>\n";
    body += "<p>" +
            both({"pour ouvrir « " + page.program + " »", "to open “" + page.program + "”"}) +
            "</p>\n";
    std::string hidden;
    for (const auto& [name, value] : page.kept)
        hidden += fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                              html_escaped(name), html_escaped(value));
    hidden += fmt::format("<input type=\"hidden\" name=\"csrf\" value=\"{}\">\n",
                          html_escaped(page.csrf));
    if (!page.elsewhere.fr.empty())
        body += "<form method=\"post\" action=\"/oauth/upstream\">" + hidden + "<button>" +
                both(page.elsewhere) + "</button></form>\n";
    body += "<form method=\"post\" action=\"/oauth/authorize\" autocomplete=\"on\">\n" + hidden;
    body += input({"Identifiant", "Login"}, "login",
                  R"(autocomplete="username" autocapitalize="none" required autofocus)");
    body += input({"Mot de passe", "Password"}, "password",
                  R"(type="password" autocomplete="current-password" required)");
    body += input({"Code de l'application ou de secours, si vous en avez un",
                   "Code of the application or recovery code, if you have one"},
                  "code", R"(autocomplete="one-time-code" inputmode="text")");
    body += "<button>" + both({"Se connecter", "Sign in"}) + "</button></form>\n";
    std::string targets = "'self'";
    if (!page.redirect.empty()) targets += " " + origin_of(page.redirect);
    if (!page.elsewhere_address.empty()) targets += " " + origin_of(page.elsewhere_address);
    return html(page.status, document({"Connexion", "Sign in"}, body), targets);
}

Response message_page(int status, const Text& title, const Text& message) {
    return html(status, document(title, "<p>" + both(message) + "</p>\n"), "'none'");
}

}  // namespace hygie::serve
