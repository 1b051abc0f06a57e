#pragma once

#include <expected>
#include <source_location>
#include <string>
#include <utility>

#include "base/text.h"

namespace hygie {

/// What kind of failure happened; callers branch on it, people read Error::what.
enum class Code {
    BadInput,      ///< the bytes given are not what the format asks for
    NotFound,      ///< what was asked for is not there
    AlreadyThere,  ///< it exists and may not be made twice
    Corrupt,       ///< stored bytes contradict themselves or their proof
    Forged,        ///< a signature, proof or policy check failed
    Stale,         ///< evidence is older than the age allowed
    Denied,        ///< the caller may not do this
    Busy,          ///< somebody else holds it
    Full,          ///< no room left: disk, quota or a named limit
    Unavailable,   ///< a peer or device did not answer
    Io,            ///< the operating system refused
    Erased,        ///< the key was destroyed on purpose; the data is gone
};

/// A failure that can be shown to a person: what happened and what to do about it, in both languages.
/// Neither text may hold patient data.
struct Error {
    Code code;
    Text what;
    Text remedy;
    std::source_location where;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// Makes the failure value of any Result. The remedy says what the reader can do; leave it empty only where
/// the caller adds one.
inline std::unexpected<Error> fail(Code code, Text what, Text remedy = {},
                                   std::source_location where = std::source_location::current()) {
    return std::unexpected(Error{code, std::move(what), std::move(remedy), where});
}

}  // namespace hygie

/// Evaluates to the value of a Result, or returns its error from the enclosing plain function.
/// Not for coroutines: g++ 12 cannot compile a co_return inside a statement expression.
#define TRY(expr)                                                     \
    ({                                                                \
        auto try_result_ = (expr);                                    \
        if (!try_result_) return std::unexpected(try_result_.error()); \
        std::move(try_result_).value();                               \
    })

/// Returns the error of a Status from the enclosing plain function, if it has one.
#define TRY_STATUS(expr)                                              \
    do {                                                              \
        auto try_status_ = (expr);                                    \
        if (!try_status_) return std::unexpected(try_status_.error()); \
    } while (false)
