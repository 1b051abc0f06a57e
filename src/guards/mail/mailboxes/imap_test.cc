#include "guards/mail/mailboxes/imap.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guards/mail/mailboxes/watcher.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::mail {
namespace {

ImapReply reply_of(const std::string& line) {
    return ImapReply{.line = line};
}

TEST(MailImap, RepliesAreTheSameHoweverTheirBytesAreCut) {
    const std::string all =
        "* 1 FETCH (UID 7 FLAGS (\\Seen $HygieHeld) BODY[] {9}\r\na: b\r\n\r\nc RFC822.SIZE 9)\r\n"
        "H1 OK done\r\n";
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        ImapReader reader;
        ASSERT_TRUE(reader.feed(all.substr(0, cut)));
        ASSERT_TRUE(reader.feed(all.substr(cut)));
        const auto first = reader.next();
        ASSERT_TRUE(first);
        const auto message = fetched(*first);
        ASSERT_TRUE(message);
        EXPECT_EQ(message->uid, 7U);
        EXPECT_EQ(message->size, 9U);
        EXPECT_EQ(*message->body, "a: b\r\n\r\nc");
        EXPECT_TRUE(message->has_flag(kHeldKeyword));
        EXPECT_EQ(reader.next()->done("H1"), true);
        EXPECT_FALSE(reader.next());
    }
}

TEST(MailImap, AServerThatSaysTooMuchIsStopped) {
    ImapReader literal;
    EXPECT_EQ(literal.feed(fmt::format("* 1 FETCH (BODY[] {{{}}}\r\n", kMessageBytesMax + 1))
                  .error()
                  .code,
              Code::Full);
    ImapReader endless;
    const std::string chunk(1U << 20, 'x');
    Status fed;
    for (std::size_t i = 0; fed && i <= kImapLineBytesMax / chunk.size(); ++i)
        fed = endless.feed(chunk);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, Code::Full);
}

TEST(MailImap, ForeignWordsAreNoNumbers) {
    EXPECT_FALSE(fetched(reply_of("* 1 FETCH (UID 99999999999 FLAGS ())")));
    EXPECT_FALSE(fetched(reply_of("* 1 FETCH (FLAGS (\\Seen))")));
    EXPECT_FALSE(coded_number(reply_of("* OK [UIDVALIDITY x]"), "UIDVALIDITY"));
    EXPECT_EQ(coded_number(reply_of("* OK [uidvalidity 12] x"), "UIDVALIDITY"), 12U);
    EXPECT_EQ(*search_hits(reply_of("* SEARCH 5 3 -1 x")), (std::vector<std::uint32_t>{3, 5}));
}

TEST(MailImap, FolderNamesTravelInBothDirections) {
    EXPECT_EQ(quoted_folder("Hygie écarté"), "\"Hygie &AOk-cart&AOk-\"");
    EXPECT_EQ(quoted_folder("a\"b\\c\r\nd"), "\"a\\\"b\\\\cd\"");
    EXPECT_EQ(listed_folder(reply_of("* LIST (\\HasNoChildren) \".\" \"Hygie &AOk-cart&AOk-\"")),
              "Hygie écarté");
    EXPECT_EQ(listed_folder(reply_of("* LIST () NIL INBOX")), "INBOX");
    EXPECT_FALSE(listed_folder(reply_of("* LIST (\\Noselect) \".\" x")));
}

TEST(MailImap, ASearchTextCannotBecomeACommand) {
    EXPECT_FALSE(quoted_text("a\r\nH2 LOGOUT"));
    EXPECT_EQ(*quoted_text("<a\"b>"), "\"<a\\\"b>\"");
}

/// A mailbox of one folder, and what was asked of it, in order.
struct Box {
    std::vector<std::pair<std::uint32_t, std::string>> messages{};
    std::string flags{};
    std::vector<std::string> asked{};
    bool refuses_moves = false;
    bool refuses_copies = false;
    std::string lost_at{};  ///< the command at which the connection ends
    std::string copies{};   ///< what a search by name finds
};

class BoxStream final : public ImapStream {
  public:
    explicit BoxStream(Box& box) : box_(box) {}

    Status send(std::string_view bytes) override {
        const std::size_t blank = bytes.find(' ');
        const std::string tag(bytes.substr(0, blank));
        const std::string text(trim(bytes.substr(blank + 1)));
        box_.asked.push_back(text);
        if (!box_.lost_at.empty() && text.starts_with(box_.lost_at))
            return fail(Code::Unavailable, {"perdu", "lost"});
        const bool refused = (box_.refuses_moves && text.starts_with("UID MOVE")) ||
                             (box_.refuses_copies && text.starts_with("APPEND"));
        answers_ += answer(text) + tag + (refused ? " NO full\r\n" : " OK done\r\n");
        return {};
    }
    Result<bool> receive(std::string& out, Micros) override {
        out += std::exchange(answers_, {});
        return !out.empty();
    }

  private:
    std::string answer(const std::string& text) {
        if (text == "CAPABILITY") return "* CAPABILITY IMAP4rev1 IDLE MOVE\r\n";
        if (text.starts_with("SELECT"))
            return "* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n* OK [UIDVALIDITY 1] x\r\n";
        if (contains(text, "HEADER Message-ID")) return "* SEARCH" + box_.copies + "\r\n";
        if (text.starts_with("UID SEARCH")) {
            std::string hits = "* SEARCH";
            for (const auto& [uid, bytes] : box_.messages) hits += fmt::format(" {}", uid);
            return hits + "\r\n";
        }
        if (text.starts_with("UID FETCH"))
            for (const auto& [uid, bytes] : box_.messages)
                if (text.starts_with(fmt::format("UID FETCH {} ", uid)))
                    return fmt::format(
                        "* 1 FETCH (UID {} FLAGS ({}) RFC822.SIZE {} BODY[] {{{}}}\r\n{})\r\n", uid,
                        box_.flags, bytes.size(), bytes.size(), bytes);
        return "";
    }

    Box& box_;
    std::string answers_;
};

/// One visit to a box whose messages are all of that level.
struct Visit {
    explicit Visit(event::Level level) : says(level) { EXPECT_TRUE(disk.make_dirs("watch")); }

    Status run() {
        JudgePool pool(
            [&](const std::string& bytes, const Envelope&) -> Result<Opened> {
                if (judge_fails) return fail(Code::BadInput, {"x", "x"});
                Judgement judgement;
                judgement.level = says;
                return Opened{TRY(parse_message(bytes)), judgement};
            },
            1);
        int looks = 0;
        Watcher watcher(
            {.disk = disk,
             .clock = clock,
             .random = random,
             .judges = pool,
             .trace =
                 [&](const event::Event& event) {
                     if (trace_fails) return Status(fail(Code::Full, {"plein", "full"}));
                     box.asked.push_back(std::string(event::name_of(event.type)));
                     return Status();
                 },
             .open = [&](const Mailbox&) -> Result<ImapSession> {
                 ImapSession session(std::make_unique<BoxStream>(box));
                 TRY_STATUS(session.start());
                 return session;
             },
             .tell = [&](const Mailbox&, WatchAct act, const Error*) { last = act; },
             .learn_release = [&](const std::string& bytes, const Envelope&) { lesson = bytes; }},
            {}, mailbox, "watch", key);
        return watcher.visit([&] { return ++looks > 3; });
    }
    std::size_t place_of(std::string_view start) const {
        for (std::size_t i = 0; i < box.asked.size(); ++i)
            if (box.asked[i].starts_with(start)) return i;
        return box.asked.size();
    }
    bool asked(std::string_view start) const { return place_of(start) < box.asked.size(); }

    event::Level says;
    Mailbox mailbox{.name = "x", .url = {}, .user = "x", .secret_file = {}};
    bool judge_fails = false;
    bool trace_fails = false;
    Box box{.messages = {{4, "Subject: x\r\n\r\ny"}}};
    WatchAct last = WatchAct::Watching;
    std::string lesson;
    sim::SimDisk disk;
    sim::SimRandom random{1};
    sim::SimClock clock;
    crypto::Secret32 key;
};

TEST(MailWatch, AMessageMovesOnlyAfterItsTrace) {
    Visit visit(event::Level::Malicious);
    ASSERT_TRUE(visit.run());
    EXPECT_LT(visit.place_of("mail.hold"), visit.place_of("UID MOVE 4 \"Hygie\""));
    EXPECT_TRUE(visit.asked("UID MOVE 4 \"Hygie\""));
    Visit untraced(event::Level::Malicious);
    untraced.trace_fails = true;
    EXPECT_FALSE(untraced.run());
    EXPECT_FALSE(untraced.asked("UID MOVE"));
}

TEST(MailWatch, WhatAPersonTookBackIsNotTouchedAgain) {
    Visit visit(event::Level::Malicious);
    visit.box.flags = kHeldKeyword;
    ASSERT_TRUE(visit.run());
    EXPECT_FALSE(visit.asked("UID MOVE"));
    EXPECT_TRUE(visit.asked("mail.release"));
    EXPECT_EQ(visit.last, WatchAct::Released);
    EXPECT_EQ(visit.lesson, visit.box.messages[0].second) << "the release teaches";
}

/// Marked as held, and then the server or the guard was gone before the message moved.
TEST(MailWatch, AMoveThatWasCutIsFinishedAndIsNoRelease) {
    Visit visit(event::Level::Malicious);
    visit.box.refuses_moves = true;
    EXPECT_FALSE(visit.run());
    visit.box.flags = kHeldKeyword;
    visit.box.refuses_moves = false;
    visit.box.asked.clear();
    ASSERT_TRUE(visit.run());
    EXPECT_FALSE(visit.asked("mail.release"));
    EXPECT_EQ(visit.lesson, "");
    EXPECT_TRUE(visit.asked("UID MOVE 4 \"Hygie\""));
    // Whoever puts it back gives it another number.
    visit.box.messages = {{5, "Subject: x\r\n\r\ny"}};
    visit.box.asked.clear();
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(visit.asked("mail.release"));
    EXPECT_FALSE(visit.asked("UID MOVE"));
}

/// A mailbox without room left, or whose folders are not ours to write.
TEST(MailWatch, AServerThatRefusesToMoveHoldsUpNoOtherMessage) {
    Visit visit(event::Level::Malicious);
    visit.box.refuses_moves = true;
    EXPECT_FALSE(visit.run()) << "tried once more";
    visit.box.flags = kHeldKeyword;
    visit.box.asked.clear();
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(visit.asked("UID STORE 4 +FLAGS.SILENT (\\Flagged $HygieSuspicious)"));
    EXPECT_TRUE(visit.asked("UID STORE 4 -FLAGS.SILENT ($HygieHeld)"));
    EXPECT_TRUE(visit.asked("mail.release")) << "the trace says that it is with its reader";
    EXPECT_EQ(visit.lesson, "");
    EXPECT_EQ(visit.last, WatchAct::NotMoved);
    visit.box.flags.clear();
    visit.box.refuses_moves = false;
    visit.box.messages.emplace_back(5, "Subject: z\r\n\r\ny");
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(visit.asked("UID MOVE 5 \"Hygie\""));
}

TEST(MailWatch, WhereNoCopyFitsTheBannerBecomesAMark) {
    Visit visit(event::Level::Suspicious);
    visit.mailbox.suspicious = Mailbox::Suspicious::Banner;
    visit.box.refuses_copies = true;
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(visit.asked("APPEND"));
    EXPECT_FALSE(visit.asked("UID MOVE"));
    EXPECT_TRUE(visit.asked("UID STORE 4 +FLAGS.SILENT (\\Flagged $HygieSuspicious)"));
}

TEST(MailWatch, ACopyThatLiesThereIsNotMadeAgain) {
    Visit visit(event::Level::Suspicious);
    visit.mailbox.suspicious = Mailbox::Suspicious::Banner;
    visit.box.messages = {{4, "Message-ID: <a@x.example>\r\nSubject: x\r\n\r\ny"}};
    visit.box.lost_at = "UID STORE";
    EXPECT_FALSE(visit.run()) << "between the copy and the mark";
    EXPECT_TRUE(visit.asked("APPEND"));
    EXPECT_FALSE(visit.asked("UID SEARCH UID 5:* KEYWORD")) << "the first time there is none";
    visit.box.lost_at.clear();
    visit.box.copies = " 5";
    visit.box.asked.clear();
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(
        visit.asked("UID SEARCH UID 5:* KEYWORD $HygieSuspicious HEADER Message-ID "
                    "\"<a@x.example>\""));
    EXPECT_FALSE(visit.asked("APPEND"));
    EXPECT_TRUE(visit.asked("UID MOVE 4 \"Hygie\""));
    EXPECT_EQ(visit.last, WatchAct::Bannered);
}

TEST(MailWatch, ACopyThatWasNotMadeIsMade) {
    Visit visit(event::Level::Suspicious);
    visit.mailbox.suspicious = Mailbox::Suspicious::Banner;
    visit.box.messages = {{4, "Message-ID: <a@x.example>\r\nSubject: x\r\n\r\ny"}};
    visit.box.lost_at = "APPEND";
    EXPECT_FALSE(visit.run());
    visit.box.lost_at.clear();
    visit.box.copies = " 4";  // a server's answer to "5:*" where nothing is beyond
    visit.box.asked.clear();
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(visit.asked("APPEND"));
    EXPECT_TRUE(visit.asked("UID MOVE 4 \"Hygie\""));
}

TEST(MailWatch, WhatCannotBeJudgedStaysAndIsMarked) {
    Visit visit(event::Level::Malicious);
    visit.judge_fails = true;
    ASSERT_TRUE(visit.run());
    EXPECT_FALSE(visit.asked("UID MOVE"));
    EXPECT_TRUE(visit.asked("UID STORE 4 +FLAGS.SILENT (\\Flagged $HygieUnchecked)"));
}

TEST(MailWatch, AVisitGoesOnWhereTheLastEnded) {
    Visit visit(event::Level::Clean);
    ASSERT_TRUE(visit.run());
    visit.box.asked.clear();
    visit.box.messages.emplace_back(5, "Subject: z\r\n\r\ny");
    ASSERT_TRUE(visit.run());
    EXPECT_TRUE(visit.asked("UID SEARCH UID 5:*"));
    EXPECT_FALSE(visit.asked("UID FETCH 4"));
    EXPECT_TRUE(visit.asked("UID FETCH 5"));
}

TEST(MailWatch, TheListOfMailboxesHoldsNoSecretAndNothingUnknown) {
    const auto list = [](const std::string& more) {
        return parse_mailboxes(
            R"({"mailboxes": [{"name": "a", "server": "imaps://h", "user": "u")" + more + "}]}");
    };
    ASSERT_TRUE(list(R"(, "password_file": "/p")"));
    EXPECT_EQ(list(R"(, "password_file": "/p")")->front().hold_folder, "Hygie");
    EXPECT_FALSE(list(R"(, "password": "x")"));
    EXPECT_FALSE(list(R"(, "password_file": "/p", "token_file": "/t")"));
    EXPECT_FALSE(list(R"(, "password_file": "/p", "suspicious": "delete")"));
    EXPECT_FALSE(list(R"(, "password_file": "/p", "hold_folder": "INBOX")"));
    EXPECT_FALSE(list(""));
}

}  // namespace
}  // namespace hygie::mail
