#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

/// The subset of CBOR (RFC 8949) that Hygie writes, always in the one deterministic spelling of
/// §4.2.1: definite lengths, shortest integers. No floats, no tags, no negative integers. Readers
/// accept nothing else.
namespace hygie::cbor {

class Writer {
  public:
    explicit Writer(Bytes& out) : out_(out) {}

    void number(std::uint64_t value) { head(0, value); }
    void bytes(ByteView value);
    void text(std::string_view value);
    void array(std::uint64_t items) { head(4, items); }
    void map(std::uint64_t pairs) { head(5, pairs); }
    void boolean(bool value) { out_.push_back(value ? 0xF5 : 0xF4); }

  private:
    void head(unsigned major, std::uint64_t value);
    Bytes& out_;
};

/// Reads what Writer wrote, one item at a time; every call fails with Code::Corrupt on anything
/// else, and then takes nothing.
class Reader {
  public:
    explicit Reader(ByteView in) : in_(in) {}

    Result<std::uint64_t> number() { return head(0); }
    Result<ByteView> bytes();
    Result<std::string_view> text();  ///< valid UTF-8 only
    Result<std::uint64_t> array() { return head(4); }
    Result<std::uint64_t> map() { return head(5); }
    Result<bool> boolean();
    bool done() const { return in_.empty(); }
    ByteView rest() const { return in_; }

  private:
    Result<std::uint64_t> head(unsigned major);
    Result<ByteView> take(unsigned major);
    ByteView in_;
};

}  // namespace hygie::cbor
