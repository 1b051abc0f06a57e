#include "guards/files/keep/content_mark.h"

#include <gtest/gtest.h>

#include <set>

#include "guards/files/content/digest.h"
#include "guards/files/restore/prover.h"

namespace hygie::files {
namespace {

crypto::Secret32 key_number(std::uint8_t number) {
    crypto::Secret32 key;
    key.mutable_view()[0] = number;
    return key;
}

using Salt = std::array<std::uint8_t, 16>;

crypto::OneTimeMac::Tag tag_of(crypto::OneTimeMac mac, const Bytes& bytes) {
    Digest digest(Digest::Hashing::No, std::move(mac));
    for (std::size_t at = 0; at < bytes.size(); at += Digest::kBlockBytes)
        digest.add(ByteView(bytes).subspan(at, std::min(Digest::kBlockBytes, bytes.size() - at)));
    return *digest.end_tag();
}

TEST(FilesMark, BelongsToOneVersionOneSizeOneSaltAndOneKey) {
    const Bytes bytes(1000, 7);
    std::set<crypto::OneTimeMac::Tag> tags;
    const std::vector<std::tuple<int, VersionId, std::uint64_t, Salt>> all{
        {1, 5, 1000, {}}, {2, 5, 1000, {}}, {1, 6, 1000, {}}, {1, 5, 1001, {}}, {1, 5, 1000, {9}}};
    for (const auto& [key, version, size, salt] : all)
        tags.insert(tag_of(
            MarkKey(key_number(static_cast<std::uint8_t>(key))).begin(version, size, salt), bytes));
    EXPECT_EQ(tags.size(), all.size());
}

TEST(FilesMark, TellsWhereEmptyMebibytesAreFromBytesThatSayThat) {
    constexpr std::size_t kBlock = Digest::kBlockBytes;
    const MarkKey key(key_number(1));
    std::set<crypto::OneTimeMac::Tag> tags;
    Bytes begins(2 * kBlock);
    begins[0] = 1;
    Bytes ends(2 * kBlock);
    ends[kBlock] = 1;
    // The bytes that are counted in place of an empty second mebibyte, spelled out in a file.
    Bytes spelled(kBlock);
    spelled[0] = 1;
    for (const std::uint64_t number : {1U, 1U}) {
        spelled.resize(spelled.size() + 8);
        store_be(spelled.data() + spelled.size() - 8, number);
    }
    // With the size of the other, as whoever writes the record cannot, the key is the same.
    for (const Bytes& bytes : {begins, ends, spelled})
        tags.insert(tag_of(key.begin(5, 2 * kBlock, {}), bytes));
    EXPECT_EQ(tags.size(), 3U);
}

TEST(FilesMark, IsReadAsItWasWritten) {
    ContentMark mark;
    mark.salt[3] = 1;
    mark.tag[15] = 2;
    Record record;
    record.kind = RecordKind::Hashed;
    record.hash = Bytes(32, 9);
    record.chunks = {bytes_of(mark)};
    const auto again = decode_record(encode(record));
    ASSERT_TRUE(again);
    EXPECT_EQ(mark_of(*again)->salt, mark.salt);
    EXPECT_EQ(mark_of(*again)->tag, mark.tag);
    record.chunks.clear();
    EXPECT_FALSE(mark_of(record));
}

/// What a restore does with what it reads again, for each thing that may be known of a version.
class FilesProver : public testing::Test {
  protected:
    static ReadBack read(Digest digest, const Bytes& bytes) {
        digest.add(bytes);
        return {digest.end_hash(), digest.end_tag(), digest.size(), digest.is_sparse()};
    }

    Record marked() const {
        Record record;
        record.kind = RecordKind::Hashed;
        record.version = 5;
        record.size = bytes_.size();
        record.hash = to_bytes(crypto::sha256(bytes_));
        ContentMark mark;
        mark.tag = tag_of(MarkKey(key_number(1)).begin(5, bytes_.size(), mark.salt), bytes_);
        record.chunks = {bytes_of(mark)};
        return record;
    }

    Bytes bytes_ = Bytes(3000, 7);
    Prover fast_{key_number(1), Hashing::WhereNeeded};
    Prover whole_{key_number(1), Hashing::Always};
};

TEST_F(FilesProver, ChecksTheMarkAndNamesTheHashThatStandsBesideIt) {
    const Record record = marked();
    const auto proven = fast_.judge(&record, read(*fast_.staged(&record), bytes_));
    ASSERT_TRUE(proven);
    EXPECT_EQ(proven->proof, Proof::Mark);
    EXPECT_EQ(proven->hash, to_bytes(crypto::sha256(bytes_)));
    const auto hashed = whole_.judge(&record, read(*whole_.staged(&record), bytes_));
    ASSERT_TRUE(hashed);
    EXPECT_EQ(hashed->proof, Proof::Hash);
}

TEST_F(FilesProver, RefusesAnyOtherByteAndAnyOtherKey) {
    const Record record = marked();
    Bytes other = bytes_;
    other[2999] ^= 1;
    for (const Prover& prover : {fast_, whole_})
        EXPECT_FALSE(prover.judge(&record, read(*prover.staged(&record), other)));
    const Prover stranger(key_number(2), Hashing::WhereNeeded);
    EXPECT_FALSE(stranger.judge(&record, read(*stranger.staged(&record), bytes_)));
}

TEST_F(FilesProver, HashesWhatNobodyMarked) {
    const auto proven = fast_.judge(nullptr, read(*fast_.staged(nullptr), bytes_));
    ASSERT_TRUE(proven);
    EXPECT_EQ(proven->proof, Proof::Hash);
}

TEST_F(FilesProver, BelievesSealsOnlyWhereWhatWasSealedIsWhatWasMarked) {
    const Record mark = marked();
    Record sealed;
    sealed.kind = RecordKind::Sealed;
    sealed.hash = mark.hash;
    EXPECT_EQ(fast_.judge(&mark, read(fast_.sealed(&mark, sealed), bytes_))->proof, Proof::Seals);
    const Bytes other(3000, 8);
    sealed.hash = to_bytes(crypto::sha256(other));
    EXPECT_FALSE(fast_.judge(&mark, read(fast_.sealed(&mark, sealed), other)));
}

}  // namespace
}  // namespace hygie::files
