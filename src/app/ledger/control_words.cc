#include "app/ledger/control_words.h"

#include <algorithm>
#include <tuple>

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/keyring.h"

namespace hygie::app {

// ---- what each message is made of, in the order of FORMAT.md: said once, for both directions

template <typename M, typename T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

static auto fields(Is<Question> auto& m) {
    return std::tie(m.kind, m.number, m.actor, m.patient, m.object, m.since, m.until, m.proof);
}
static auto fields(Is<Erasure> auto& m) {
    return std::tie(m.patient, m.retention, m.by, m.reason);
}

namespace control {

static auto fields(Is<SentEvent> auto& m) {
    return std::tie(m.stamp.type, m.stamp.time, m.stamp.counter, m.stamp.retention, m.source,
                    m.node, m.body);
}
static auto fields(Is<Proof> auto& m) {
    return std::tie(m.proof);
}
static auto fields(Is<Append> auto& m) {
    return std::tie(m.events);
}
static auto fields(Is<Read> auto& m) {
    return std::tie(m.reader, m.question);
}
static auto fields(Is<Prune> auto& m) {
    return std::tie(m.by, m.dry_run);
}
static auto fields(Is<Challenge> auto& m) {
    return std::tie(m.version, m.nonce);
}
static auto fields(Is<Appended> auto& m) {
    return std::tie(m.indexes);
}
static auto fields(Is<Found> auto& m) {
    return std::tie(m.size, m.origin, m.proofs);
}
static auto fields(Is<Part> auto& m) {
    return std::tie(m.bytes, m.is_last);
}
static auto fields(Is<SentEntry> auto& m) {
    return std::tie(m.index, m.type, m.time, m.event, m.problem);
}
static auto fields(Is<Entries> auto& m) {
    return std::tie(m.position, m.entries, m.is_last);
}
static auto fields(Is<World> auto& m) {
    return std::tie(m.reader, m.patient);
}
static auto fields(Is<VaultAct> auto& m) {
    return std::tie(m.kind, m.by, m.patient, m.reason);
}
static auto fields(Is<Count> auto& m) {
    return std::tie(m.count);
}
static auto fields(Is<Dropped> auto& m) {
    return std::tie(m.minimum_index, m.bundles, m.keys);
}
static auto fields(Is<NewKey> auto& m) {
    return std::tie(m.key);
}
template <typename M>
    requires Is<M, Next> || Is<M, Rotate> || Is<M, Rewrap> || Is<M, Welcome>
static auto fields(M&) {
    return std::tie();
}

namespace {

template <typename T>
concept Compound = requires(T& value) { fields(value); };

// ---- writing

class Writer {
  public:
    explicit Writer(Bytes& out) : out_(out) {}

    void put(std::uint64_t value) { out_.number(value); }
    void put(std::uint16_t value) { out_.number(value); }
    void put(bool value) { out_.boolean(value); }
    void put(const std::string& value) { out_.text(value); }
    void put(const Bytes& value) { out_.bytes(value); }
    void put(const Word32& value) { out_.bytes(value); }
    void put(WallTime value) {
        // No entry is older than 1970: a bound before it means the same as that.
        const auto micros = std::max<std::int64_t>(value.time_since_epoch().count(), 0);
        out_.number(static_cast<std::uint64_t>(micros));
    }
    template <typename Tag>
    void put(const Id<Tag>& value) {
        out_.text(value.str());
    }
    template <typename E>
        requires std::is_enum_v<E>
    void put(E value) {
        out_.number(static_cast<std::uint64_t>(value));
    }
    void put(const link::Refused& value) {
        out_.array(link::kRefusalItems);
        link::write_refusal(out_, value);
    }
    template <typename T>
    void put(const std::optional<T>& value) {
        out_.array(value ? 1 : 0);
        if (value) put(*value);
    }
    template <typename T>
    void put(const std::vector<T>& values) {
        out_.array(values.size());
        for (const T& value : values) put(value);
    }
    template <Compound M>
    void put(const M& message) {
        std::apply(
            [&](const auto&... field) {
                out_.array(sizeof...(field));
                (put(field), ...);
            },
            fields(message));
    }

  private:
    cbor::Writer out_;
};

template <typename Message>
Bytes spell(const Message& message) {
    Bytes out;
    cbor::Writer head(out);
    head.array(2);
    head.number(message.index() + 1);
    std::visit([&](const auto& words) { Writer(out).put(words); }, message);
    HYGIE_CHECK(out.size() <= kMessageBytesMax, "the other side would refuse this message");
    return out;
}

// ---- reading

std::unexpected<Error> corrupt(std::source_location where = std::source_location::current()) {
    return fail(
        Code::Corrupt,
        {"message hors du format entre une commande et le service qui tient le journal",
         "message outside the format between a command and the service that holds the "
         "ledger"},
        {"mettez les deux à la même version de hygie", "bring both to the same version of hygie"},
        where);
}

bool is_known(VaultAct::Kind kind) {
    return kind >= VaultAct::Kind::Status && kind <= VaultAct::Kind::Zone;
}
bool is_known(Question::Kind kind) {
    return kind >= Question::Kind::Tail && kind <= Question::Kind::Export;
}
bool is_known(event::Type type) {
    return !event::name_of(type).empty();
}
bool is_known(event::Retention retention) {
    return !event::name_of(retention).empty();
}

class Reader {
  public:
    explicit Reader(ByteView in) : in_(in) {}

    Status get(std::uint64_t& value) {
        value = TRY(in_.number());
        return {};
    }
    Status get(std::uint16_t& value) {
        const std::uint64_t number = TRY(in_.number());
        value = static_cast<std::uint16_t>(number);
        return value == number ? Status() : corrupt();
    }
    Status get(bool& value) {
        value = TRY(in_.boolean());
        return {};
    }
    Status get(std::string& value) {
        value = TRY(in_.text());
        return {};
    }
    Status get(Bytes& value) {
        value = to_bytes(TRY(in_.bytes()));
        return {};
    }
    Status get(Word32& value) {
        const ByteView bytes = TRY(in_.bytes());
        if (bytes.size() != value.size()) return corrupt();
        std::ranges::copy(bytes, value.begin());
        return {};
    }
    Status get(WallTime& value) {
        const std::uint64_t micros = TRY(in_.number());
        if (micros > static_cast<std::uint64_t>(Micros::max().count())) return corrupt();
        value = WallTime(Micros(static_cast<std::int64_t>(micros)));
        return {};
    }
    template <typename Tag>
    Status get(Id<Tag>& value) {
        value = Id<Tag>(std::string(TRY(in_.text())));
        return {};
    }
    template <typename E>
        requires std::is_enum_v<E>
    Status get(E& value) {
        const std::uint64_t number = TRY(in_.number());
        value = static_cast<E>(number);
        return static_cast<std::uint64_t>(value) == number && is_known(value) ? Status()
                                                                              : corrupt();
    }
    Status get(link::Refused& value) {
        if (TRY(in_.array()) != link::kRefusalItems) return corrupt();
        value = TRY(link::read_refusal(in_));
        return {};
    }
    template <typename T>
    Status get(std::optional<T>& value) {
        const std::uint64_t items = TRY(in_.array());
        if (items > 1) return corrupt();
        return items == 1 ? get(value.emplace()) : Status();
    }
    template <typename T>
    Status get(std::vector<T>& values) {
        const std::uint64_t items = TRY(in_.array());
        if (items > kItemsMax) return corrupt();
        values.resize(items);
        for (T& value : values) TRY_STATUS(get(value));
        return {};
    }
    template <Compound M>
    Status get(M& message) {
        return std::apply(
            [&](auto&... field) -> Status {
                if (TRY(in_.array()) != sizeof...(field)) return corrupt();
                Status well;
                (void)((well = get(field)).has_value() && ...);
                return well;
            },
            fields(message));
    }

    /// The message of this number: 1 + its place in the variant.
    template <typename... Kinds>
    Status get(std::variant<Kinds...>& message) {
        if (TRY(in_.array()) != 2) return corrupt();
        const std::uint64_t number = TRY(in_.number());
        std::uint64_t place = 0;
        Status well = corrupt();
        ((++place == number ? void(well = get(message.template emplace<Kinds>())) : void()), ...);
        TRY_STATUS(well);
        return in_.done() ? Status() : corrupt();
    }

  private:
    cbor::Reader in_;
};

template <typename Message>
Result<Message> parse(ByteView payload) {
    Message message;
    TRY_STATUS(Reader(payload).get(message));
    return message;
}

}  // namespace

Result<SentEvent> sent(const event::Event& event) {
    Bytes body = TRY(event::encode_body(event));
    return SentEvent{event::stamp_of(event), event.source.str(), event.node.str(), std::move(body)};
}

Result<event::Event> received(const SentEvent& sent) {
    event::Event event = TRY(event::decode_body(sent.stamp, sent.body));
    event.source = SourceId(sent.source);
    event.node = NodeId(sent.node);
    return event;
}

Bytes encode(const Ask& ask) {
    return spell(ask);
}
Bytes encode(const Answer& answer) {
    return spell(answer);
}
Result<Ask> decode_ask(ByteView payload) {
    return parse<Ask>(payload);
}
Result<Answer> decode_answer(ByteView payload) {
    return parse<Answer>(payload);
}

Word32 proof_of(const crypto::Secret32& control_key, const Word32& nonce) {
    const crypto::Secret32 proof =
        crypto::RootKey(control_key).domain("ledger/control/proof/" + to_hex(nonce));
    Word32 out;
    std::ranges::copy(proof.view(), out.begin());
    return out;
}

}  // namespace control
}  // namespace hygie::app
