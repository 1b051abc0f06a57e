#include "ledger/tree/log_reader.h"

#include <cstring>
#include <utility>

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

/// A transient failure of the network is tried again this often, and no more.
constexpr int kFetchAttempts = 3;
constexpr int kHttpOk = 200;
constexpr std::size_t kDecimalBytesMax = 32;
constexpr std::size_t kHashBytes = std::tuple_size_v<crypto::Hash>;
const Text kCompare{
    "comparez avec une autre copie du journal ; ne supprimez rien, c'est une preuve",
    "compare with another copy of the log; delete nothing, it is evidence"};

std::unexpected<Error> bad_size(const std::string& path) {
    return fail(Code::Corrupt,
                {path + " n'a pas la taille d'une tuile", path + " has not the size of a tile"},
                kCompare);
}

/// The bytes at the path of `id`, or of its full form when the partial one is gone; and which of
/// the two they are.
template <typename Id>
Result<std::pair<Bytes, Id>> read_or_full(LogReader& log, Id id, std::size_t full_bytes_max) {
    auto bytes = log.read(path_of(id), full_bytes_max);
    if (bytes) return std::pair(std::move(*bytes), id);
    if (bytes.error().code != Code::NotFound || id.width == kTileHashes)
        return std::unexpected(bytes.error());
    Id full = id;
    full.width = kTileHashes;
    auto full_bytes = log.read(path_of(full), full_bytes_max);
    if (!full_bytes) return std::unexpected(bytes.error());
    return std::pair(std::move(*full_bytes), full);
}

}  // namespace

Result<Bytes> DirReader::read(const std::string& path, std::size_t bytes_max) {
    return disk_.read_file(join(dir_, path), bytes_max);
}

HttpReader::HttpReader(Fetch& fetch, std::string prefix)
    : fetch_(fetch), prefix_(std::move(prefix)) {
    if (!prefix_.ends_with('/')) prefix_ += '/';
}

Result<Bytes> HttpReader::read(const std::string& path, std::size_t bytes_max) {
    FetchRequest request;
    request.url = prefix_ + path;
    request.response_bytes_max = bytes_max;
    for (int attempt = 1;; ++attempt) {
        auto answer = fetch_.fetch(request);
        const bool passing =
            answer ? answer->status >= 500 : answer.error().code == Code::Unavailable;
        if (passing && attempt < kFetchAttempts) continue;
        if (!answer) return std::unexpected(answer.error());
        if (answer->status == kHttpOk) return std::move(answer->body);
        const std::string status = std::to_string(answer->status);
        return fail(
            answer->status == 404 || answer->status == 410 ? Code::NotFound : Code::Unavailable,
            {request.url + " : réponse HTTP " + status, request.url + ": HTTP answer " + status},
            {"vérifiez l'adresse du journal, ou réessayez plus tard",
             "check the log's address, or try again later"});
    }
}

Result<SignedCheckpoint> read_checkpoint(LogReader& log) {
    const Bytes bytes = TRY(log.read("checkpoint", kNoteBytesMax));
    return SignedCheckpoint::parse(as_text(bytes));
}

Result<std::uint64_t> read_minimum_index(LogReader& log) {
    const auto bytes = log.read("pruned", kDecimalBytesMax);
    if (!bytes && bytes.error().code == Code::NotFound) return std::uint64_t{0};
    if (!bytes) return std::unexpected(bytes.error());
    std::string_view text = as_text(*bytes);
    const auto line = take_line(text);
    const auto index = parse_decimal(line.value_or(""));
    if (!index || !text.empty())
        return fail(Code::Corrupt, {"fichier « pruned » illisible", "unreadable file “pruned”"},
                    {"il doit contenir un nombre décimal et une fin de ligne",
                     "it must hold one decimal number and a newline"});
    return *index;
}

Result<std::vector<crypto::Hash>> read_tile(LogReader& log, TileId tile) {
    const auto [bytes, found] = TRY(read_or_full(log, tile, kTileHashes * kHashBytes));
    if (bytes.size() != found.width * kHashBytes) return bad_size(path_of(found));
    std::vector<crypto::Hash> hashes(tile.width);
    std::memcpy(hashes.data(), bytes.data(), tile.width * kHashBytes);
    return hashes;
}

Status split_bundle(ByteView bytes, std::size_t width, std::vector<ByteView>& entries) {
    entries.clear();
    for (std::size_t i = 0; i < width; ++i) {
        const std::size_t size = bytes.size() < 2 ? 0 : load_be<std::uint16_t>(bytes.data());
        if (bytes.size() < 2 + size)
            return fail(Code::Corrupt, {"lot d'entrées tronqué", "truncated entry bundle"},
                        kCompare);
        entries.push_back(bytes.subspan(2, size));
        bytes = bytes.subspan(2 + size);
    }
    if (!bytes.empty())
        return fail(
            Code::Corrupt,
            {"octets en trop à la fin d'un lot d'entrées", "bytes left over in an entry bundle"},
            kCompare);
    return {};
}

Result<Bundle> read_bundle(LogReader& log, BundleId id) {
    Bundle bundle;
    auto [bytes, found] = TRY(read_or_full(log, id, kBundleBytesMax));
    bundle.bytes = std::move(bytes);
    bundle.entries.reserve(found.width);
    if (const Status split = split_bundle(bundle.bytes, found.width, bundle.entries); !split) {
        Error error = split.error();
        error.what.fr = path_of(found) + " : " + error.what.fr;
        error.what.en = path_of(found) + ": " + error.what.en;
        return std::unexpected(error);
    }
    bundle.entries.resize(id.width);
    return bundle;
}

}  // namespace hygie::ledger
