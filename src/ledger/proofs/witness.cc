#include "ledger/proofs/witness.h"

#include <algorithm>

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kSize[] = "text/x.tlog.size";

WitnessAnswer refuse(int status, const std::string& why) {
    return {status, kPlain, why + '\n'};
}

std::string origin_hash(std::string_view origin) {
    return to_hex(crypto::sha256(as_bytes(origin)));
}

std::unexpected<Error> malformed() {
    return fail(Code::BadInput, {"demande mal formée", "malformed request"});
}

/// The signature lines of the log's own keys, each once; none when one of them is false.
std::vector<NoteSignature> log_signatures(const std::vector<VerifierKey>& keys, const Note& note) {
    std::vector<const VerifierKey*> known;
    for (const VerifierKey& key : keys) known.push_back(&key);
    std::vector<NoteSignature> kept;
    if (!verify_note(note, known)) return kept;
    for (const VerifierKey& key : keys) {
        const auto line =
            std::ranges::find_if(note.signatures, [&](const NoteSignature& signature) {
                return key.type != KeyType::MlDsa44 && signature.id == key.id &&
                       signature.name == key.name;
            });
        if (line != note.signatures.end()) kept.push_back(*line);
    }
    return kept;
}

}  // namespace

Result<std::unique_ptr<Witness>> Witness::open(Disk& disk, Clock& clock, std::string dir,
                                               NoteSigner signer,
                                               const std::vector<Policy::Log>& logs) {
    if (signer.verifier().type != KeyType::Cosignature)
        return fail(
            Code::BadInput,
            {"un témoin signe avec une clé de type 4", "a witness signs with a key of type 4"},
            {"créez une clé de témoin", "make a witness key"});
    std::unique_ptr<Witness> witness(new Witness(disk, clock, std::move(signer)));
    TRY_STATUS(disk.make_dirs(dir));
    witness->lock_ = TRY(disk.lock(join(dir, "lock")));
    for (const Policy::Log& log : logs) {
        const std::string hash = origin_hash(log.key.name);
        Origin& origin = witness->origins_[hash];
        origin.keys.push_back(log.key);
        if (!origin.path.empty()) continue;
        origin.path = join(dir, hash);
        TRY_STATUS(witness->restore(log.key.name, origin));
    }
    return witness;
}

Status Witness::restore(const std::string& name, Origin& origin) const {
    if (!disk_.exists(origin.path)) return {};
    const Bytes bytes = TRY(disk_.read_file(origin.path, kNoteBytesMax));
    auto kept = SignedCheckpoint::parse(as_text(bytes));
    const VerifierKey* own = &signer_.verifier();
    const auto verified = kept ? verify_note(kept->note, {&own, 1}) : std::vector<Verified>();
    if (!verified || verified->empty() || kept->checkpoint.origin != name)
        return fail(
            Code::Corrupt,
            {origin.path + " n'est pas un point de contrôle cosigné par ce témoin",
             origin.path + " is not a checkpoint cosigned by this witness"},
            {"restaurez ce fichier ; ne l'effacez pas : un témoin sans mémoire peut cosigner une "
             "fourche",
             "restore this file; do not delete it: a witness without memory can cosign a fork"});
    origin.latest = std::move(*kept);
    return {};
}

Result<Witness::Request> Witness::parse(std::string_view body) {
    constexpr std::string_view kOld = "old ";
    if (body.size() > kWitnessRequestBytesMax) return malformed();
    const auto first = take_line(body);
    if (!first || !first->starts_with(kOld)) return malformed();
    const auto old_size = parse_decimal(first->substr(kOld.size()));
    if (!old_size) return malformed();
    Request request{*old_size, {}, {}};
    auto line = take_line(body);
    for (; line && !line->empty(); line = take_line(body)) {
        const auto hash = parse_hash(*line);
        if (!hash || request.proof.size() == kProofHashesMax) return malformed();
        request.proof.push_back(*hash);
    }
    if (!line) return malformed();
    request.checkpoint = TRY(SignedCheckpoint::parse(body));
    return request;
}

WitnessAnswer Witness::add_checkpoint(std::string_view body) {
    auto request = parse(body);
    if (!request) return refuse(400, "malformed request");
    const auto origin = origins_.find(origin_hash(request->checkpoint.checkpoint.origin));
    if (origin == origins_.end()) return refuse(404, "unknown log");
    Note& note = request->checkpoint.note;
    note.signatures = log_signatures(origin->second.keys, note);
    if (note.signatures.empty())
        return refuse(403, "no valid signature by a known key of this log");
    if (request->old_size > request->checkpoint.checkpoint.size)
        return refuse(400, "old size above checkpoint size");
    return judge(origin->second, *request);
}

WitnessAnswer Witness::judge(Origin& origin, const Request& request) {
    const std::lock_guard lock(origin.mutex);
    const std::uint64_t size = origin.latest ? origin.latest->checkpoint.size : 0;
    const crypto::Hash root = origin.latest ? origin.latest->checkpoint.root : empty_root();
    if (request.old_size != size) return {409, kSize, std::to_string(size) + '\n'};
    const Checkpoint& next = request.checkpoint.checkpoint;
    const Status continues = verify_consistency(size, root, next.size, next.root, request.proof);
    if (!continues) return refuse(422, continues.error().what.en);
    return cosign(origin, request);
}

WitnessAnswer Witness::cosign(Origin& origin, const Request& request) {
    const auto time =
        std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
    if (time <= 0) return refuse(500, "the clock of this witness is not set");
    SignedCheckpoint next = request.checkpoint;
    next.note.signatures.push_back(
        signer_.cosign(next.note.text, static_cast<std::uint64_t>(time)));
    // Memory first goes to disk, then the answer may leave. After a failure the file may hold a
    // checkpoint whose cosignature nobody has seen; that binds nobody.
    if (const Status kept = disk_.replace_file(origin.path, as_bytes(next.encode())); !kept)
        return refuse(500, "this witness cannot write to its disk");
    WitnessAnswer answer{200, kPlain, next.note.signatures.back().line()};
    origin.latest = std::move(next);
    return answer;
}

WitnessAnswer Witness::latest(std::string_view hash) {
    const auto origin = origins_.find(hash);
    if (origin == origins_.end()) return refuse(404, "unknown log");
    const std::lock_guard lock(origin->second.mutex);
    if (!origin->second.latest) return refuse(404, "no checkpoint of this log was cosigned yet");
    return {200, kPlain, origin->second.latest->encode()};
}

WitnessAnswer Witness::handle(std::string_view method, std::string_view path,
                              std::string_view body) {
    constexpr std::string_view kCheckpoint = "/checkpoint";
    if (path == "/add-checkpoint")
        return method == "POST" ? add_checkpoint(body) : refuse(405, "use POST");
    if (!path.starts_with('/') || !path.ends_with(kCheckpoint) || path.size() <= kCheckpoint.size())
        return refuse(404, "not found");
    if (method != "GET") return refuse(405, "use GET");
    return latest(path.substr(1, path.size() - 1 - kCheckpoint.size()));
}

}  // namespace hygie::ledger
