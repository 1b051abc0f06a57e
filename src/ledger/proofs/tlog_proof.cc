#include "ledger/proofs/tlog_proof.h"

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

std::unexpected<Error> bad_proof(const char* fr, const char* en) {
    return fail(Code::BadInput, {fr, en},
                {"demandez à nouveau le fichier de preuve, octet pour octet (C2SP tlog-proof)",
                 "ask for the proof file again, byte for byte (C2SP tlog-proof)"});
}

}  // namespace

Result<TlogProof> TlogProof::parse(std::string_view text) {
    if (text.size() > kTlogProofBytesMax) return bad_proof("preuve trop longue", "proof too long");
    TlogProof proof;
    if (take_line(text) != kFirstLine)
        return bad_proof("ce n'est pas une preuve de journal", "this is not a log proof");
    auto line = take_line(text);
    if (line && line->starts_with(kExtra)) {
        proof.extra = TRY(from_base64(line->substr(kExtra.size())));
        if (proof.extra->empty() || proof.extra->size() > kProofExtraBytesMax)
            return bad_proof("données annexes vides ou trop longues",
                             "extra data empty or too long");
        line = take_line(text);
    }
    if (!line || !line->starts_with(kIndex))
        return bad_proof("il manque la ligne « index »", "the index line is missing");
    const auto index = parse_decimal(line->substr(kIndex.size()));
    if (!index) return bad_proof("index mal écrit", "badly written index");
    proof.index = *index;
    for (line = take_line(text); line && !line->empty(); line = take_line(text)) {
        const auto hash = parse_hash(*line);
        if (!hash || proof.hashes.size() == kProofHashesMax)
            return bad_proof("empreinte mal écrite ou en trop", "badly written or surplus hash");
        proof.hashes.push_back(*hash);
    }
    if (!line) return bad_proof("il manque le point de contrôle", "the checkpoint is missing");
    proof.checkpoint = TRY(SignedCheckpoint::parse(text));
    return proof;
}

std::string TlogProof::encode() const {
    std::string text = std::string(kFirstLine) + '\n';
    if (extra) text += std::string(kExtra) + to_base64(*extra) + '\n';
    text += std::string(kIndex) + std::to_string(index) + '\n';
    for (const crypto::Hash& hash : hashes) text += hash_text(hash) + '\n';
    return text + '\n' + checkpoint.encode();
}

Result<Endorsement> verify_proof(ByteView entry, const TlogProof& proof, const Policy& policy,
                                 const Moment& moment) {
    const Checkpoint& checkpoint = proof.checkpoint.checkpoint;
    Endorsement endorsement = TRY(policy.judge(proof.checkpoint, moment));
    TRY_STATUS(verify_inclusion(crypto::leaf_hash(entry), proof.index, checkpoint.size,
                                checkpoint.root, proof.hashes));
    return endorsement;
}

}  // namespace hygie::ledger
