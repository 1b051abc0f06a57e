#include "guards/mail/message/html.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hygie::mail {
namespace {

TEST(Html, ShowsWhatTheReaderSees) {
    const HtmlView view = view_html(
        "<html><head><title>T</title><style>p{}</style></head><body><p>Bonjour&nbsp;<b>Lé</b>a</p>"
        "<div style='display : none'>caché <div>encore</div></div><p>Suite</p>"
        "<!-- rien --><script>x('y')</script></body>");
    EXPECT_EQ(view.text, "Bonjour\xC2\xA0Léa\nSuite\n");
    EXPECT_EQ(view.hidden, "caché\nencore\n");
    EXPECT_EQ(view.title, "T");
    ASSERT_EQ(view.scripts.size(), 1U);
    EXPECT_EQ(view.scripts[0], "x('y')");
}

TEST(Html, TakesLinksAsTheyAre) {
    const HtmlView view = view_html(
        "<base href='https://evil.example/'><a href=login>Se <b>connecter</b></a>"
        "<a href='https://a.example/?x=1&amp;y=2'><img src=x alt='Payer'></a>"
        "<map><area href='https://b.example'></map>"
        "<meta http-equiv=refresh content='0; url=https://c.example/'>");
    ASSERT_EQ(view.links.size(), 4U);
    EXPECT_EQ(view.links[0].target, "https://evil.example/login");
    EXPECT_EQ(view.links[0].shown, "Se connecter");
    EXPECT_EQ(view.links[1].target, "https://a.example/?x=1&y=2");
    EXPECT_EQ(view.links[1].kind, LinkKind::Image);
    EXPECT_EQ(view.links[1].shown, "Payer");
    EXPECT_EQ(view.links[2].kind, LinkKind::Area);
    EXPECT_EQ(view.links[3].kind, LinkKind::Refresh);
    EXPECT_EQ(view.links[3].target, "https://c.example/");
}

TEST(Html, SeesFormsThatAskForSecrets) {
    const HtmlView view = view_html(
        "<form action='https://x.example/p'><input name=login><input type=password></form>");
    ASSERT_EQ(view.forms.size(), 1U);
    EXPECT_TRUE(view.forms[0].asks_secret);
    EXPECT_EQ(view.forms[0].action, "https://x.example/p");
}

TEST(Html, UndoesEntitiesInAddresses) {
    EXPECT_EQ(decode_entities("a&sol;b&#x2e;c&#46;d&colon;&unknown;&"), "a/b.c.d:&unknown;&");
    EXPECT_EQ(decode_entities("&#0;&#xD800;&#99999999999;"),
              "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Html, DeepNestingCostsItsBytesOnly) {
    std::string deep;
    for (int i = 0; i < 50'000; ++i) deep += "<b a=" + std::to_string(i) + "><p>";
    EXPECT_EQ(view_html(deep + "fin").text, "fin");
}

RC_GTEST_PROP(Html, TakesAnyPage, ()) {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "<", ">", "</", "<a href='", "'", "\"", "<!--", "-->", "<script>", "</script", "&#x", ";",
        "<form ", "=", " ", "x", "<div hidden>", "</div>", "<title>", "\xC3", "<img alt="));
    std::string page;
    for (const std::string& part : parts) page += part;
    const HtmlView view = view_html(page);
    RC_ASSERT(view.text.size() + view.hidden.size() <= page.size() * 2 + 16);
}

TEST(Html, WrittenLinesStayLines) {
    EXPECT_EQ(view_html("<p>un\ndeux</p><pre>trois  fois\nquatre\n</pre>cinq\nsix").text,
              "un deux\ntrois fois\nquatre\ncinq six");
    EXPECT_EQ(view_html("</pre>un\ndeux").text, "un deux");
}

}  // namespace
}  // namespace hygie::mail
