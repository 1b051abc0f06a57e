#include "guards/files/judge/memory.h"

#include <algorithm>

#include "base/cbor.h"

namespace hygie::files {
namespace {

constexpr std::uint64_t kVersion = 1;

std::unexpected<Error> broken() {
    return fail(Code::Corrupt, {"une mémoire abîmée", "a damaged memory"},
                {"supprimez-la : elle repart de zéro", "delete it: it starts afresh"});
}

}  // namespace

Bytes spell_memory(const Memory& memory) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(2);
    writer.number(kVersion);
    writer.array(memory.size());
    for (const auto& [token, pairs] : memory) {
        writer.array(2);
        writer.bytes(token);
        writer.array(2 * pairs.size());
        for (const auto& [first, second] : pairs) {
            writer.number(first);
            writer.number(second);
        }
    }
    return out;
}

Result<Memory> parse_memory(ByteView text) {
    cbor::Reader reader(text);
    Memory memory;
    if (TRY(reader.array()) != 2 || TRY(reader.number()) != kVersion) return broken();
    const std::uint64_t names = TRY(reader.array());
    for (std::uint64_t i = 0; i < names; ++i) {
        if (TRY(reader.array()) != 2) return broken();
        const ByteView token = TRY(reader.bytes());
        const std::uint64_t numbers = TRY(reader.array());
        if (token.size() != crypto::Token().size() || numbers % 2 != 0) return broken();
        crypto::Token name;
        std::ranges::copy(token, name.begin());
        for (std::uint64_t n = 0; n < numbers; n += 2) {
            const std::uint64_t first = TRY(reader.number());
            memory[name].emplace_back(first, TRY(reader.number()));
        }
    }
    if (!reader.done()) return broken();
    return memory;
}

}  // namespace hygie::files
