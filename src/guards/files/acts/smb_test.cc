#include "guards/files/acts/smb.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

TEST(Smb, ReadsWhatSmbstatusPrints) {
    const auto sessions = parse_smbstatus(
        R"({"timestamp": "x", "sessions": {"86601368": {"session_id": "86601368",
            "server_id": {"pid": "7188", "task_id": "0"}, "uid": 1001, "username": "accueil",
            "remote_machine": "192.0.2.7", "hostname": "ipv4:192.0.2.7:45300"}}})");
    ASSERT_TRUE(sessions);
    EXPECT_EQ(*sessions, (std::vector<SmbSession>{{7188, "accueil", "192.0.2.7"}}));
    EXPECT_TRUE(parse_smbstatus(R"({"sessions": {}})")->empty());
    for (const char* wrong : {"", "[]", "{}", R"({"sessions": 1})", R"({"sessions": {"1": 2}})",
                              R"({"sessions": {"1": {"server_id": {"pid": "x"}}}})"})
        EXPECT_FALSE(parse_smbstatus(wrong)) << wrong;
}

TEST(Smb, FindsTheOtherEndOfAConnection) {
    const std::string table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout "
        "inode\n"
        "   0: 0100007F:01BD 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 41 1\n"
        "   1: 0A02000A:01BD 070200C0:B0F4 01 00000000:00000000 02:0008 00000000 0 0 42 2\n";
    EXPECT_EQ(peer_of(table, {41, 42}), "192.0.2.7");
    EXPECT_EQ(peer_of(table, {41}), "");
    EXPECT_EQ(peer_of("", {42}), "");
    const std::string mapped =
        "header\n 0: 0000000000000000FFFF00000A02000A:01BD "
        "0000000000000000FFFF0000070200C0:B0F4 01 0:0 0:0 0 0 0 42 1\n";
    EXPECT_EQ(peer_of(mapped, {42}), "192.0.2.7");
}

TEST(Smb, KnowsUsersByNumber) {
    const auto users =
        parse_passwd("root:x:0:0:root:/root:/bin/sh\nbad line\nlune:x:1001:1001::/:\n");
    EXPECT_EQ(users.at(1001), "lune");
    EXPECT_EQ(users.size(), 2U);
    EXPECT_EQ(effective_uid("Name:\tsmbd\nUid:\t0\t1001\t0\t1001\nGid:\t0\n"), 1001U);
    EXPECT_EQ(effective_uid("Name:\tsmbd\n"), 0U);
}

}  // namespace
}  // namespace hygie::files
