#include "link/session.h"

#include <fmt/format.h>

#include "base/check.h"

namespace hygie::link {
namespace {

std::unexpected<Error> out_of_turn(std::source_location where = std::source_location::current()) {
    return fail(Code::BadInput,
                {"message inattendu à ce moment du dialogue entre garde et cœur",
                 "message out of turn between guard and core"},
                {"mettez la garde et le cœur à la même version",
                 "bring the guard and the core to the same version"},
                where);
}

Status check_version(std::uint64_t version) {
    if (version == kProtocolVersion) return {};
    return fail(Code::BadInput,
                {fmt::format("version {} du lien inconnue, {} attendue", version, kProtocolVersion),
                 fmt::format("link version {} unknown, {} expected", version, kProtocolVersion)},
                {"mettez la garde et le cœur à la même version",
                 "bring the guard and the core to the same version"});
}

std::unexpected<Error> went_back(std::uint64_t last, std::uint64_t held) {
    return fail(
        Code::Stale,
        {fmt::format("la source a reculé : elle en est à {}, le cœur tient {} ; sa file d'attente "
                     "a été perdue ou remplacée",
                     last, held),
         fmt::format("the source went back: it is at {}, the core holds {}; its spool was lost or "
                     "replaced",
                     last, held)},
        {fmt::format("rétablissez la file de la garde ; si elle est perdue, déclarez-le en ouvrant "
                     "une file neuve après le compteur {} (hygie link send --start-after)",
                     held + 1),
         fmt::format("bring the guard's spool back; if it is lost, declare it by opening a new "
                     "spool after counter {} (hygie link send --start-after)",
                     held + 1)});
}

std::unexpected<Error> forged(Text what) {
    return fail(Code::Forged, std::move(what),
                {"isolez cette garde et vérifiez sa machine, sa clé et sa file d'attente",
                 "isolate this guard and check its machine, its key and its spool"});
}

}  // namespace

// ---- the guard's end

GuardSession::GuardSession(Outbox& outbox, SourceInfo self, const crypto::SigningKey& key,
                           Bytes binding, Random& random, Obey obey)
    : outbox_(outbox), key_(key), binding_(std::move(binding)), obey_(std::move(obey)) {
    HYGIE_CHECK(self.key == key.public_key(), "the core would refuse the proof");
    hello_.self = std::move(self);
    hello_.base = outbox.base();
    hello_.last = outbox.last();
    random.fill(hello_.nonce);
    say(hello_);
}

Status GuardSession::feed(ByteView bytes) {
    reader_.feed(bytes);
    while (const auto message = TRY(reader_.next(kFrameBytesMax))) TRY_STATUS(take(*message));
    return {};
}

Status GuardSession::take(const Message& message) {
    if (const auto* said = std::get_if<Refused>(&message)) return as_error(*said);
    if (const auto* challenge = std::get_if<Challenge>(&message);
        challenge && state_ == State::AwaitChallenge) {
        TRY_STATUS(check_version(challenge->version));
        say(Proof{key_.sign(proof_message(hello_, *challenge, binding_))});
        state_ = State::AwaitWelcome;
        return {};
    }
    if (const auto* welcome = std::get_if<Welcome>(&message);
        welcome && state_ == State::AwaitWelcome)
        return take_welcome(*welcome);
    if (state_ != State::Open) return out_of_turn();
    if (const auto* ack = std::get_if<Ack>(&message)) return take_ack(*ack);
    if (const auto* order = std::get_if<event::Order>(&message)) {
        OrderDone done{order->id, {}};
        if (const Status obeyed = obey_(*order); !obeyed) done.problem = refused(obeyed.error());
        say(done);
        return {};
    }
    return out_of_turn();
}

Status GuardSession::take_welcome(const Welcome& welcome) {
    if (welcome.counter < hello_.base || welcome.counter > hello_.last) return out_of_turn();
    TRY_STATUS(outbox_.acknowledge(welcome.counter));
    acknowledged_ = welcome.counter;
    state_ = State::Open;
    return {};
}

Status GuardSession::take_ack(const Ack& ack) {
    if (!in_flight_ || ack.counter != *in_flight_) return out_of_turn();
    TRY_STATUS(outbox_.acknowledge(ack.counter));
    acknowledged_ = ack.counter;
    in_flight_.reset();
    return {};
}

Status GuardSession::advance() {
    if (state_ != State::Open || in_flight_ || acknowledged_ == outbox_.last()) return {};
    const Batch batch = TRY(outbox_.read(acknowledged_));
    HYGIE_CHECK(!batch.events.empty() && batch.after.counter == acknowledged_,
                "the outbox has more, and gives what follows");
    in_flight_ = batch.after.counter + batch.events.size();
    say(batch);
    return {};
}

// ---- the core's end

CoreSession::CoreSession(CoreSink& sink, Bytes binding, Random& random)
    : sink_(sink), binding_(std::move(binding)) {
    random.fill(challenge_.nonce);
}

Status CoreSession::feed(ByteView bytes) {
    if (state_ == State::Over) return out_of_turn();
    reader_.feed(bytes);
    Status taken = take_all();
    if (!taken) {
        say(refused(taken.error()));
        state_ = State::Over;
    }
    return taken;
}

Status CoreSession::take_all() {
    for (;;) {
        const std::size_t limit = state_ == State::Open ? kFrameBytesMax : kHandshakeBytesMax;
        auto message = TRY(reader_.next(limit));
        if (!message) return {};
        TRY_STATUS(take(*message));
    }
}

Status CoreSession::take(Message& message) {
    if (const auto* hello = std::get_if<Hello>(&message); hello && state_ == State::AwaitHello)
        return take_hello(*hello);
    if (const auto* proof = std::get_if<Proof>(&message); proof && state_ == State::AwaitProof)
        return take_proof(*proof);
    if (state_ != State::Open) return out_of_turn();
    if (auto* batch = std::get_if<Batch>(&message)) return take_batch(*batch);
    if (const auto* done = std::get_if<OrderDone>(&message)) {
        sink_.order_done(*source_, *done);
        return {};
    }
    return out_of_turn();
}

Status CoreSession::take_hello(const Hello& hello) {
    TRY_STATUS(check_version(hello.version));
    hello_ = hello;
    say(challenge_);
    state_ = State::AwaitProof;
    return {};
}

Status CoreSession::take_proof(const Proof& proof) {
    const Bytes message = proof_message(hello_, challenge_, binding_);
    if (!crypto::verify(hello_.self.key, message, proof.signature))
        return forged({"la source n'a pas la clé qu'elle annonce",
                       "the source does not hold the key it claims"});
    position_ = TRY(sink_.position(hello_.self));
    if (hello_.last < position_.counter) return went_back(hello_.last, position_.counter);
    if (hello_.base > position_.counter) {
        TRY_STATUS(sink_.gap(hello_.self, {position_.counter + 1, hello_.base}));
        position_ = {hello_.base, std::nullopt};
    }
    source_ = hello_.self;
    state_ = State::Open;
    say(Welcome{position_.counter});
    return {};
}

Status CoreSession::take_batch(Batch& batch) {
    if (batch.after.counter != position_.counter) return out_of_turn();
    if (position_.chain && batch.after.chain != *position_.chain)
        return forged({"la source présente une autre histoire que celle que le cœur tient",
                       "the source tells another history than the one the core holds"});
    const Point end = follow(batch);
    if (batch.seal && !verify(*batch.seal, *source_))
        return forged({"la signature de la source ne correspond pas à son flux",
                       "the source's signature does not match its stream"});
    TRY_STATUS(sink_.append(*source_, batch));
    position_ = {end.counter, end.chain};
    say(Ack{end.counter});
    return {};
}

void CoreSession::order(const event::Order& order) {
    HYGIE_CHECK(state_ == State::Open, "orders go to sources that have proven themselves");
    say(order);
}

}  // namespace hygie::link
