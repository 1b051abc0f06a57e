#include "ledger/tree/checkpoint.h"

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

std::unexpected<Error> bad_checkpoint(const char* fr, const char* en) {
    return fail(Code::BadInput, {fr, en},
                {"un point de contrôle est : origine, taille décimale, racine en base64 (C2SP "
                 "tlog-checkpoint)",
                 "a checkpoint is: origin, decimal size, base64 root (C2SP tlog-checkpoint)"});
}

}  // namespace

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
    const auto origin = take_line(text);
    const auto size_line = take_line(text);
    const auto root_line = take_line(text);
    if (!root_line || origin->empty())
        return bad_checkpoint("il manque une ligne au point de contrôle",
                              "the checkpoint lacks a line");
    const auto size = parse_decimal(*size_line);
    if (!size) return bad_checkpoint("taille d'arbre mal écrite", "badly written tree size");
    const auto root = parse_hash(*root_line);
    if (!root) return bad_checkpoint("racine mal écrite", "badly written root hash");
    Checkpoint checkpoint{std::string(*origin), *size, *root, {}};
    while (!text.empty()) {
        const auto line = take_line(text);
        if (!line || line->empty())
            return bad_checkpoint("ligne d'extension vide", "empty extension line");
        checkpoint.extensions.emplace_back(*line);
    }
    return checkpoint;
}

std::string Checkpoint::encode() const {
    std::string text = origin + '\n' + std::to_string(size) + '\n' + hash_text(root) + '\n';
    for (const std::string& line : extensions) text += line + '\n';
    return text;
}

Result<SignedCheckpoint> SignedCheckpoint::parse(std::string_view bytes) {
    Note note = TRY(Note::parse(bytes));
    Checkpoint checkpoint = TRY(Checkpoint::parse(note.text));
    return SignedCheckpoint{std::move(checkpoint), std::move(note)};
}

SignedCheckpoint sign_checkpoint(const Checkpoint& checkpoint, const NoteSigner& log) {
    std::string text = checkpoint.encode();
    NoteSignature signature = log.sign(text);
    return {checkpoint, {std::move(text), {std::move(signature)}}};
}

}  // namespace hygie::ledger
