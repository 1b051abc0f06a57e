#include "guards/files/acts/authors.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

Actor server(const char* user) {
    Actor actor;
    actor.nfs = user;
    return actor;
}

const FileKey kFile(1, 1, Bytes(8, 7));
const Authors::Time kNow = Authors::Time() + std::chrono::hours(1);

TEST(Authors, WhoWroteIsWhoseClosingItIsOnce) {
    Authors authors;
    authors.note(kFile, server("accueil"), kNow);
    EXPECT_TRUE(authors.is_in_hand(kFile));
    EXPECT_EQ(authors.closed(kFile, server(kUnknownUser)).key(), "nfs:accueil");
    EXPECT_FALSE(authors.is_in_hand(kFile));
    EXPECT_EQ(authors.closed(kFile, server(kUnknownUser)).key(), "nfs:?")
        << "what happened since, nobody was seen doing";
}

TEST(Authors, WhoWroteLastGivesTheNameForAWhile) {
    Authors authors;
    authors.note(kFile, server("accueil"), kNow);
    const auto last = [&](Authors::Time now) {
        return authors.last(kFile, server(kUnknownUser), now).key();
    };
    EXPECT_EQ(last(kNow + std::chrono::hours(2)), "nfs:accueil") << "it is still open";
    (void)authors.closed(kFile, server(kUnknownUser));
    EXPECT_EQ(last(kNow + std::chrono::minutes(9)), "nfs:accueil");
    EXPECT_EQ(last(kNow + std::chrono::minutes(11)), "nfs:?");
}

TEST(Authors, WhatTheServerDoesUnderItsOwnNameIsNobodyElses) {
    Authors authors;
    authors.note(kFile, server("accueil"), kNow);
    authors.note(kFile, server(kUnknownUser), kNow);
    EXPECT_EQ(authors.closed(kFile, server(kUnknownUser)).key(), "nfs:?");
    Actor local;
    authors.note(kFile, server("accueil"), kNow);
    EXPECT_EQ(authors.last(kFile, local, kNow).key(), local.key()) << "it is no server's act";
}

}  // namespace
}  // namespace hygie::files
