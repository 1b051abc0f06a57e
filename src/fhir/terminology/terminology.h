#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "fhir/data/json.h"

/// Codes: those of R4 whose lists are complete, and those of ValueSet and CodeSystem resources.
/// What is in no list here is said to be unknown, never guessed.
namespace hygie::fhir {

struct PathItem;

struct Concept {
    static constexpr std::uint32_t kNone = UINT32_MAX;
    std::string_view code;
    std::string_view display;
    std::uint32_t parent = kNone;  ///< its place in CodeSystem::concepts
};

/// A code system of which every code is known.
struct CodeSystem {
    std::string_view url;
    std::string_view title;
    bool any_case = false;  ///< upper and lower case are the same
    std::vector<Concept> concepts;
    std::unordered_map<std::string_view, std::uint32_t> places;

    const Concept* find(std::string_view code) const;
    /// Whether the words are the name of other codes and not of this one: either the code or the
    /// words are wrong. Words that name none may be a translation.
    bool names_another(std::string_view code, std::string_view words) const;
};

/// A value set of which every code is known, or a grammar that says whether a code is in it.
struct ValueSet {
    struct Part {
        std::string_view system;
        const CodeSystem* all = nullptr;        ///< every code of it
        std::vector<std::string_view> codes{};  ///< otherwise these, sorted
        bool (*grammar)(std::string_view code) = nullptr;
        /// What the set itself calls some of its codes.
        std::unordered_map<std::string_view, std::string_view> displays{};

        bool has(std::string_view code) const;
        /// Empty when the set does not say.
        std::string_view display_of(std::string_view code) const;
    };
    std::string_view url;
    std::string_view title;
    std::vector<Part> parts;

    bool has(std::string_view system, std::string_view code) const;
    /// A code without a system, as an element of type code has it: in any of the systems.
    bool has(std::string_view code) const;
};

/// Codings by system, code and, optionally, what they claim to be called.
struct Coding {
    std::string_view system;
    std::string_view code;
    std::string_view display;
};

/// The result of $validate-code.
struct CodeVerdict {
    bool is_member = false;
    std::string_view display;  ///< the right one, when known
    Text message;              ///< why not
};

struct ExpandQuery {
    std::string_view value_set;
    std::string_view filter{};  ///< a part of code or display, whatever the case
    std::size_t offset = 0;
    std::size_t count = SIZE_MAX;
    WallTime now{};
};

class Terminology {
  public:
    /// The codes of R4; read once, then shared.
    static const Terminology& r4();

    /// Starts with what `base` knows, which must outlive this.
    explicit Terminology(const Terminology* base = &r4());
    Terminology(Terminology&&) noexcept;
    Terminology& operator=(Terminology&&) noexcept;
    ~Terminology();

    /// Learns a ValueSet or a CodeSystem, whose values must outlive this. What it stands on must be
    /// known before. Code::BadInput: it has no url, or its codes cannot all be worked out here.
    Status add(Json resource);

    /// Null when not known here. A version behind '|' is left out of account.
    const CodeSystem* code_system(std::string_view url) const;
    const ValueSet* value_set(std::string_view canonical) const;

    /// The ValueSet with its expansion. Code::NotFound: not known here. Code::Full: more codes than
    /// kExpandMax were asked for, or more than anyone can list (every language).
    Result<Json> expand(const ExpandQuery& query, Arena& arena) const;
    /// Code::NotFound: the value set (or, without one, the code system) is not known here.
    Result<CodeVerdict> validate_code(std::string_view value_set_url, const Coding& coding) const;
    /// Code::NotFound: no such code, or the system is not known here.
    Result<Concept> lookup(std::string_view system, std::string_view code) const;
    /// FHIRPath memberOf: a Coding, CodeableConcept, Quantity, or a code or string.
    Result<bool> member_of(const PathItem& item, std::string_view value_set_url) const;

    static constexpr std::size_t kExpandMax = 10'000;

  private:
    struct Tables;
    static void read_r4(Tables& tables);
    Status add_code_system(Json resource);
    Status add_value_set(Json resource);
    const Terminology* base_;
    std::unique_ptr<Tables> tables_;
};

}  // namespace hygie::fhir
