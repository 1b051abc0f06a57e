#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/judge/test_letter.h"

/// Who writes to the clinic of test_letter.h, and what facts alone say of it, for tests: the model
/// finds everything honest.
namespace hygie::mail {

inline const std::string kStranger = "Bureau Valmer <contact@valmer-conseil.example>";
inline const std::string kKnown = "Marie Curie <marie@labo-curie.example>";
inline const std::string kOwn = "Paul Noir <paul.noir@clinique-tilleuls.example>";
inline const std::string kSupplier = "MediFournitures <info@medifournitures.example>";

inline void expect_flagged(const std::vector<Letter>& letters, std::string_view signal) {
    for (const Letter& letter : letters) {
        EXPECT_TRUE(is_flagged(letter)) << letter.body;
        EXPECT_TRUE(has(letter, signal)) << letter.body;
    }
}

inline void expect_clean(const std::vector<Letter>& letters) {
    for (const Letter& letter : letters) EXPECT_FALSE(is_flagged(letter)) << letter.body;
}

}  // namespace hygie::mail
