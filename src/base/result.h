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

/// A failure that can be shown to a person: what happened and what to do about it, in both
/// languages. Neither text may hold patient data.
struct Error {
    Code code;
    Text what;
    Text remedy;
    std::source_location where;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// Makes the failure value of any Result. The remedy says what the reader can do; leave it empty
/// only where the caller adds one.
inline std::unexpected<Error> fail(Code code, Text what, Text remedy = {},
                                   std::source_location where = std::source_location::current()) {
    return std::unexpected(Error{code, std::move(what), std::move(remedy), where});
}

}  // namespace hygie

/// Evaluates to the value of a Result, or returns its error from the enclosing plain function.
/// Not for coroutines: g++ 12 cannot compile a co_return inside a statement expression.
#define TRY(expr) HYGIE_TRY_(expr, HYGIE_UNIQUE_(try_result_, __COUNTER__))

/// Returns the error of a Status from the enclosing plain function, if it has one.
#define TRY_STATUS(expr) HYGIE_TRY_STATUS_(expr, HYGIE_UNIQUE_(try_status_, __COUNTER__))

// The names are unique so that one TRY may stand inside another.
#define HYGIE_JOIN_(left, right) left##right
#define HYGIE_UNIQUE_(name, number) HYGIE_JOIN_(name, number)
#define HYGIE_TRY_(expr, name)                           \
    ({                                                   \
        auto name = (expr);                              \
        if (!name) return std::unexpected(name.error()); \
        std::move(name).value();                         \
    })
#define HYGIE_TRY_STATUS_(expr, name)                    \
    do {                                                 \
        auto name = (expr);                              \
        if (!name) return std::unexpected(name.error()); \
    } while (false)
