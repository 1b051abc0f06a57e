#include "app/ledger/control_client.h"

#include "ledger/log/layout.h"
#include "link/address.h"

namespace hygie::app {
namespace {

/// The longest that one answer may take: an erasure waits for what is being appended, a checkpoint
/// for its witnesses.
constexpr Micros kAnswerMax = std::chrono::minutes(10);
constexpr Micros kLook = std::chrono::seconds(1);

std::unexpected<Error> not_understood() {
    return fail(
        Code::Corrupt,
        {"réponse inattendue du service qui tient le journal",
         "unexpected answer of the service that holds the ledger"},
        {"mettez les deux à la même version de hygie", "bring both to the same version of hygie"});
}

}  // namespace

Result<std::unique_ptr<RemoteClerk>> RemoteClerk::connect(Clock& clock, const std::string& dir,
                                                          const crypto::Secret32& control_key) {
    const link::LocalEndpoint endpoint =
        TRY(link::endpoint_in(ledger::layout::private_dir(dir), ledger::layout::kControl));
    auto line = TRY(link::connect_local(endpoint));
    std::unique_ptr<RemoteClerk> clerk(new RemoteClerk(clock, std::move(line)));
    const auto challenge = TRY(clerk->exchange<control::Challenge>({}));
    if (challenge.version != control::kVersion) return not_understood();
    TRY(clerk->ask<control::Welcome>(
        control::Proof{control::proof_of(control_key, challenge.nonce)}));
    return clerk;
}

template <typename Kind>
Result<Kind> RemoteClerk::ask(const control::Ask& ask) {
    return exchange<Kind>(link::framed(control::encode(ask)));
}

template <typename Kind>
Result<Kind> RemoteClerk::exchange(Bytes out) {
    const SteadyTime deadline = clock_.steady() + kAnswerMax;
    for (;;) {
        if (const auto payload = TRY(cutter_.next(control::kMessageBytesMax))) {
            control::Answer answer = TRY(control::decode_answer(*payload));
            if (auto* wanted = std::get_if<Kind>(&answer)) return std::move(*wanted);
            if (const auto* no = std::get_if<link::Refused>(&answer)) return link::as_error(*no);
            return not_understood();
        }
        if (clock_.steady() >= deadline)
            return fail(Code::Unavailable,
                        {"le service qui tient le journal ne répond pas",
                         "the service that holds the ledger does not answer"},
                        {"regardez son journal de marche, puis relancez-le",
                         "look at its running log, then start it again"});
        Bytes in;
        TRY_STATUS(connection_.exchange(out, in, nullptr, kLook));
        cutter_.feed(in);
    }
}

/// Asks for more only when it is asked for more: a reader may take its time.
class RemoteClerk::RemoteReading final : public Reading {
  public:
    RemoteReading(RemoteClerk& clerk, const control::Found& found) : clerk_(clerk) {
        size = found.size;
        origin = found.origin;
    }

    Status fetch_proofs(std::uint64_t count) {
        while (proofs.size() < count) {
            Bytes& proof = proofs.emplace_back();
            for (bool is_last = false; !is_last;) {
                const auto part = TRY(clerk_.ask<control::Part>(control::Next{}));
                hygie::append(proof, part.bytes);
                is_last = part.is_last;
            }
        }
        return {};
    }

    Result<Answers> next() override {
        const auto entries = TRY(clerk_.ask<control::Entries>(control::Next{}));
        Answers answers{entries.position, {}, entries.is_last};
        for (const control::SentEntry& entry : entries.entries) {
            if (entry.event.has_value() == entry.problem.has_value()) return not_understood();
            answers.entries.push_back(
                {entry.index, static_cast<event::Type>(entry.type), entry.time,
                 entry.event ? control::received(*entry.event) : link::as_error(*entry.problem)});
        }
        return answers;
    }

  private:
    RemoteClerk& clerk_;
};

Result<std::vector<std::optional<std::uint64_t>>> RemoteClerk::append(
    std::vector<ledger::Draft> drafts) {
    control::Append append;
    for (ledger::Draft& draft : drafts)
        append.events.push_back(
            {draft.stamp, draft.source.str(), draft.node.str(), std::move(draft.body)});
    const auto appended = TRY(ask<control::Appended>(std::move(append)));
    if (appended.indexes.size() != drafts.size()) return not_understood();
    return appended.indexes;
}

Result<std::unique_ptr<Reading>> RemoteClerk::read(const ActorId& reader,
                                                   const Question& question) {
    const auto found = TRY(ask<control::Found>(control::Read{reader, question}));
    auto reading = std::make_unique<RemoteReading>(*this, found);
    TRY_STATUS(reading->fetch_proofs(found.proofs));
    return reading;
}

Result<std::uint64_t> RemoteClerk::shred(const Erasure& erasure) {
    return TRY(ask<control::Count>(erasure)).count;
}

Result<ledger::Pruned> RemoteClerk::prune(const ActorId& by, bool dry_run) {
    const auto dropped = TRY(ask<control::Dropped>(control::Prune{by, dry_run}));
    return ledger::Pruned{dropped.minimum_index, dropped.bundles, dropped.keys};
}

Result<std::string> RemoteClerk::rotate() {
    return TRY(ask<control::NewKey>(control::Rotate{})).key;
}

Result<std::uint64_t> RemoteClerk::rewrap() {
    return TRY(ask<control::Count>(control::Rewrap{})).count;
}

class RemoteClerk::RemoteWork final : public VaultWork {
  public:
    RemoteWork(RemoteClerk& clerk, VaultAct act) : clerk_(clerk), act_(std::move(act)) {}

    Result<std::optional<Bytes>> step() override {
        const control::Ask ask = began_ ? control::Ask(control::Next{}) : control::Ask(act_);
        began_ = true;
        auto part = TRY(clerk_.ask<control::Part>(ask));
        hygie::append(given_, part.bytes);
        if (!part.is_last) return std::optional<Bytes>();
        return std::optional<Bytes>(std::move(given_));
    }

  private:
    RemoteClerk& clerk_;
    VaultAct act_;
    bool began_ = false;
    Bytes given_;
};

Result<std::unique_ptr<VaultWork>> RemoteClerk::vault(const VaultAct& act) {
    return std::make_unique<RemoteWork>(*this, act);
}

Result<Bytes> RemoteClerk::world(const ActorId& reader, const std::string& patient) {
    auto part = TRY(ask<control::Part>(control::World{reader, patient}));
    Bytes lines = std::move(part.bytes);
    while (!part.is_last) {
        part = TRY(ask<control::Part>(control::Next{}));
        hygie::append(lines, part.bytes);
    }
    return lines;
}

}  // namespace hygie::app
