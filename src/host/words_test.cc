#include "host/words.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "host/os_error.h"

namespace hygie {
namespace {

TEST(Words, OfTheSystemAreFrenchInFrench) {
    for (const int error : {ENOENT, EACCES, ENOSPC, ECONNREFUSED, EADDRINUSE}) {
        const Text words = os_words(error);
        EXPECT_NE(words.fr, words.en) << words.en;
    }
    const auto failure = os_failure(ENOENT, "lettre");
    EXPECT_EQ(failure.error().what.fr, "lettre : fichier ou dossier introuvable");
    EXPECT_EQ(failure.error().what.en, "lettre: No such file or directory");
}

TEST(Words, OfLibcurlAreFrenchInFrench) {
    for (const int code : {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST,
                           CURLE_OPERATION_TIMEDOUT, CURLE_PEER_FAILED_VERIFICATION}) {
        const Text words = curl_words(code);
        EXPECT_NE(words.fr, words.en) << words.en;
    }
}

TEST(Words, NobodyKnowsAreTheSystemsOwn) {
    EXPECT_FALSE(os_words(98765).fr.empty());
    EXPECT_FALSE(curl_words(98).fr.empty());
}

}  // namespace
}  // namespace hygie
