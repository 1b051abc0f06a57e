#include "app/ledger/control_session.h"

#include <algorithm>

#include "link/stream.h"

namespace hygie::app {
namespace {

std::unexpected<Error> out_of_turn(std::source_location where = std::source_location::current()) {
    return fail(
        Code::BadInput,
        {"message inattendu à ce moment du dialogue avec le service qui tient le journal",
         "message out of turn with the service that holds the ledger"},
        {"mettez les deux à la même version de hygie", "bring both to the same version of hygie"},
        where);
}

/// What `ledger append` may write: the same as from its input (event/ndjson.h).
Status check(const control::SentEvent& event) {
    TRY_STATUS(link::check_names({SourceId(event.source), NodeId(event.node), {}}));
    const bool is_rule = event.stamp.type == event::Type::PolicyChanged;
    if ((is_rule || !event::is_about_ledger(event.stamp.type)) &&
        event.stamp.retention != event::Retention::System)
        return {};
    return fail(Code::Denied,
                {"seul le journal écrit les entrées qui parlent de lui",
                 "only the ledger writes the entries about itself"},
                {"choisissez un autre type d'événement", "choose another type of event"});
}

control::SentEntry sent(const Shown& shown) {
    control::SentEntry out{shown.index, static_cast<std::uint16_t>(shown.type), shown.time, {}, {}};
    auto event = shown.event ? control::sent(*shown.event) : std::unexpected(shown.event.error());
    if (event)
        out.event = std::move(*event);
    else
        out.problem = link::refused(event.error());
    return out;
}

}  // namespace

ControlSession::ControlSession(Clerk& clerk, const crypto::Secret32& key, Random& random)
    : clerk_(clerk), key_(key) {
    random.fill(challenge_.nonce);
    say(challenge_);
}

void ControlSession::say(const control::Answer& answer) {
    append(output_, link::framed(control::encode(answer)));
}

Status ControlSession::feed(ByteView bytes) {
    cutter_.feed(bytes);
    const auto taken = [&]() -> Status {
        const auto payload =
            TRY(cutter_.next(is_proven_ ? control::kMessageBytesMax : control::kProofBytesMax));
        if (!payload) return {};
        // One ask, one answer: nobody makes us keep more.
        if (cutter_.waiting() > 0) return out_of_turn();
        return take(*payload);
    }();
    if (!taken) say(link::refused(taken.error()));
    return taken;
}

Status ControlSession::take(ByteView payload) {
    const control::Ask ask = TRY(control::decode_ask(payload));
    if (is_proven_ == std::holds_alternative<control::Proof>(ask)) return out_of_turn();
    const auto answer = carry_out(ask);
    if (!answer && !is_proven_) return std::unexpected(answer.error());
    say(answer ? *answer : control::Answer(link::refused(answer.error())));
    return {};
}

Result<control::Answer> ControlSession::carry_out(const control::Ask& ask) {
    return std::visit([&](const auto& words) { return on(words); }, ask);
}

Result<control::Answer> ControlSession::on(const control::Proof& proof) {
    if (!equal_constant_time(proof.proof, control::proof_of(key_, challenge_.nonce)))
        return fail(Code::Denied,
                    {"la clé racine n'est pas celle du journal que tient ce service",
                     "the root key is not that of the ledger that this service holds"},
                    {"donnez le dossier et la phrase de passe de ce journal",
                     "give the folder and the passphrase of that ledger"});
    is_proven_ = true;
    return control::Welcome{};
}

Result<control::Answer> ControlSession::on(const control::Append& append) {
    std::vector<ledger::Draft> drafts;
    for (const control::SentEvent& event : append.events) {
        TRY_STATUS(check(event));
        drafts.push_back(TRY(ledger::draft_of(TRY(control::received(event)))));
    }
    return control::Appended{TRY(clerk_.append(std::move(drafts)))};
}

Result<control::Answer> ControlSession::on(const control::Read& read) {
    reading_.reset();
    reading_ = TRY(clerk_.read(read.reader, read.question));
    proof_ = proof_sent_ = 0;
    return control::Found{reading_->size, reading_->origin, reading_->proofs.size()};
}

std::optional<control::Part> ControlSession::next_part() {
    if (proof_ == reading_->proofs.size()) return std::nullopt;
    const ByteView rest = ByteView(reading_->proofs[proof_]).subspan(proof_sent_);
    const ByteView part = rest.first(std::min(rest.size(), control::kPartBytesMax));
    proof_sent_ += part.size();
    const bool is_last = part.size() == rest.size();
    if (is_last) {
        ++proof_;
        proof_sent_ = 0;
    }
    return control::Part{to_bytes(part), is_last};
}

control::Part ControlSession::next_of_world() {
    const ByteView rest = ByteView(world_).subspan(world_sent_);
    const ByteView part = rest.first(std::min(rest.size(), control::kPartBytesMax));
    control::Part out{to_bytes(part), part.size() == rest.size()};
    world_sent_ += part.size();
    if (out.is_last) world_ = {};
    return out;
}

Result<control::Answer> ControlSession::on(const control::World& world) {
    world_ = TRY(clerk_.world(world.reader, world.patient));
    world_sent_ = 0;
    return next_of_world();
}

/// A work that takes long says so again and again: nobody takes it for dead.
Result<control::Answer> ControlSession::next_of_work() {
    auto done = work_->step();
    if (!done) work_.reset();
    if (!done) return std::unexpected(done.error());
    if (!*done) return control::Part{{}, false};
    work_.reset();
    world_ = *std::move(*done);
    world_sent_ = 0;
    return next_of_world();
}

Result<control::Answer> ControlSession::on(const VaultAct& act) {
    work_.reset();
    work_ = TRY(clerk_.vault(act));
    return next_of_work();
}

Result<control::Answer> ControlSession::on(const control::Next&) {
    if (work_) return next_of_work();
    if (!world_.empty()) return next_of_world();
    if (!reading_) return out_of_turn();
    if (auto part = next_part()) return std::move(*part);
    const auto answers = reading_->next();
    if (!answers || answers->is_last) reading_.reset();
    if (!answers) return std::unexpected(answers.error());
    control::Entries out{answers->position, {}, answers->is_last};
    for (const Shown& shown : answers->entries) out.entries.push_back(sent(shown));
    return out;
}

Result<control::Answer> ControlSession::on(const Erasure& erasure) {
    return control::Count{TRY(clerk_.shred(erasure))};
}

Result<control::Answer> ControlSession::on(const control::Prune& prune) {
    const ledger::Pruned pruned = TRY(clerk_.prune(prune.by, prune.dry_run));
    return control::Dropped{pruned.minimum_index, pruned.bundles, pruned.keys};
}

Result<control::Answer> ControlSession::on(const control::Rotate&) {
    return control::NewKey{TRY(clerk_.rotate())};
}

Result<control::Answer> ControlSession::on(const control::Rewrap&) {
    return control::Count{TRY(clerk_.rewrap())};
}

}  // namespace hygie::app
